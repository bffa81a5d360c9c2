#include "broker/internal/internal_topics.h"

#include "log/kafka_error.h"

namespace muir::broker {

Result<log::TopicPtr> find_or_create_topic(BrokerContext& context, const std::string& name) {
  if (auto topic = context.logs->find_topic(name)) return topic;
  int64_t partitions = context.settings.num_partitions;
  Properties settings;
  if (name == kOffsetsTopic) {
    partitions = context.settings.offsets_topic_partitions;
    settings = {{"cleanup.policy", "compact"},
                {"compression.type", "producer"},
                {"segment.bytes", std::to_string(context.settings.offsets_topic_segment_bytes)}};
  } else if (name == kTransactionsTopic) {
    partitions = context.settings.transactions_topic_partitions;
    settings = {{"cleanup.policy", "compact"},
                {"compression.type", "uncompressed"},
                {"segment.bytes", std::to_string(context.settings.transactions_topic_segment_bytes)}};
  }
  auto made =
      context.logs->create_topic(name, static_cast<int32_t>(partitions), settings, false, is_internal_topic(name));
  // Another request may have been quicker.
  if (!made.ok() && log::kafka_code(made.status()) == wire::ErrorCode::topic_already_exists) {
    if (auto topic = context.logs->find_topic(name)) return topic;
  }
  return made;
}

}  // namespace muir::broker
