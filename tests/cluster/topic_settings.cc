#include "cluster/topic_settings.h"

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>

namespace muir::testing {

Status set_topic_config(const std::string& bootstrap_servers, const std::string& topic, const std::string& key,
                        const std::string& value) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap_servers.c_str(), nullptr, 0);
  const std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> rk(rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0),
                                                                    rd_kafka_destroy);
  const std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)> queue(rd_kafka_queue_new(rk.get()),
                                                                                   rd_kafka_queue_destroy);
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_ConfigResource_set_config(resource, key.c_str(), value.c_str());
  rd_kafka_AlterConfigs(rk.get(), &resource, 1, nullptr, queue.get());
  rd_kafka_ConfigResource_destroy(resource);
  const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
      rd_kafka_queue_poll(queue.get(), 30'000), rd_kafka_event_destroy);
  if (!event) return error(Code::timed_out, "alter topic {}: no answer", topic);
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error(Code::unavailable, "alter topic {}: {}", topic, rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const auto* resources =
      rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event.get()), &count);
  if (count != 1 || rd_kafka_ConfigResource_error(resources[0]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error(Code::invalid_argument, "alter topic {}: {}", topic,
                 count == 0 ? "no answer" : rd_kafka_ConfigResource_error_string(resources[0]));
  }
  return {};
}

}  // namespace muir::testing
