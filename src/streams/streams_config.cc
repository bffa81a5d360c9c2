#include "streams/streams_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/config.h"
#include "base/log.h"
#include "client/client_keys.h"
#include "streams/internal/client_prefixes.h"

namespace muir::streams {
namespace {

using internal::lay_over;
using Map = std::map<std::string, std::string>;

constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();  // what Kafka's keys of type int may have

// Keys of Kafka's that concern the JVM or are carried to the clients as they are: known, not explained here.
constexpr std::string_view kPassedOn[] = {
    "security.protocol",          "client.rack",          "connections.max.idle.ms",  "metadata.max.age.ms",
    "metadata.recovery.strategy", "reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms",
    "retry.backoff.max.ms",       "receive.buffer.bytes", "send.buffer.bytes",        "request.timeout.ms",
    "socket.timeout.ms"};
constexpr std::string_view kPassedOnPrefixes[] = {"ssl.", "sasl."};
// Client keys that Kafka Streams accepts without a prefix.
constexpr std::string_view kConsumerKeys[] = {"auto.offset.reset",    "session.timeout.ms", "heartbeat.interval.ms",
                                              "max.poll.interval.ms", "group.instance.id",  "fetch.min.bytes",
                                              "fetch.max.bytes",      "fetch.max.wait.ms",  "max.partition.fetch.bytes",
                                              "max.poll.records"};
constexpr std::string_view kProducerKeys[] = {"linger.ms",        "batch.size",          "buffer.memory",
                                              "compression.type", "delivery.timeout.ms", "transaction.timeout.ms",
                                              "max.request.size"};

// Keys of Kafka Streams 4.x that have no effect here yet. Those with a value that asks for what happens anyway are no
// reason to warn.
struct LaterKey {
  std::string_view name;
  std::string_view harmless;
};
constexpr LaterKey kLater[] = {{"acceptable.recovery.lag", ""},
                               {"application.id.prefix", ""},
                               {"built.in.metrics.version", "latest"},
                               {"cache.max.bytes.buffering", "0"},
                               {"default.client.supplier", ""},
                               {"default.key.serde", ""},
                               {"default.list.key.serde.inner", ""},
                               {"default.list.key.serde.type", ""},
                               {"default.list.value.serde.inner", ""},
                               {"default.list.value.serde.type", ""},
                               {"default.dsl.store", "rocksDB"},
                               {"default.timestamp.extractor", ""},
                               {"default.value.serde", ""},
                               {"dsl.store.suppliers.class", ""},
                               {"enable.metrics.push", "false"},
                               {"ensure.explicit.internal.resource.naming", "false"},
                               {"group.protocol", "classic"},
                               {"input.buffer.max.bytes", ""},
                               {"allow.os.group.write.access", "false"},
                               {"log.summary.interval.ms", ""},
                               {"max.warmup.replicas", ""},
                               {"metric.reporters", ""},
                               {"metrics.num.samples", ""},
                               {"metrics.recording.level", "INFO"},
                               {"metrics.sample.window.ms", ""},
                               {"probing.rebalance.interval.ms", ""},
                               {"processor.wrapper.class", ""},
                               {"rack.aware.assignment.non_overlap_cost", ""},
                               {"rack.aware.assignment.strategy", "none"},
                               {"rack.aware.assignment.tags", ""},
                               {"rack.aware.assignment.traffic_cost", ""},
                               {"rocksdb.config.setter", ""},
                               {"state.cleanup.delay.ms", ""},
                               {"statestore.cache.max.bytes", "0"},
                               {"task.assignor.class", ""},
                               {"topology.optimization", "none"},
                               {"upgrade.from", ""},
                               {"window.size.ms", ""},
                               {"windowed.inner.class.serde", ""},
                               {"windowstore.changelog.additional.retention.ms", "86400000"}};

template <class Names>
bool among(const Names& names, std::string_view key) {
  return std::find(std::begin(names), std::end(names), key) != std::end(names);
}
bool passed_on(std::string_view key) {
  return among(kPassedOn, key) || std::any_of(std::begin(kPassedOnPrefixes), std::end(kPassedOnPrefixes),
                                              [&](std::string_view prefix) { return key.starts_with(prefix); });
}

// Reads typed values and keeps the first failure.
class Reader {
 public:
  explicit Reader(const Map& properties) : properties_(properties) {}

  std::string text(const std::string& key, const std::string& fallback = {}) {
    const auto found = properties_.find(key);
    return found == properties_.end() ? fallback : found->second;
  }
  template <class Int>
  void integer(const std::string& key, Int& out, int64_t min, int64_t max = std::numeric_limits<int64_t>::max()) {
    const auto found = properties_.find(key);
    if (found == properties_.end()) return;
    const std::string& value = found->second;
    int64_t parsed = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (end.ec != std::errc() || end.ptr != value.data() + value.size() || parsed < min || parsed > max) {
      if (max == std::numeric_limits<int64_t>::max()) {
        fail(error(Code::invalid_argument, "configuration {}={}: expected an integer from {} up", key, value, min));
      } else {
        fail(error(Code::invalid_argument, "configuration {}={}: expected an integer from {} to {}", key, value, min,
                   max));
      }
      return;
    }
    out = static_cast<Int>(parsed);
  }
  // Kafka's class names and short names alike: "...LogAndContinueExceptionHandler", "log_and_continue".
  void policy(const std::string& key, ErrorPolicy& out) {
    const std::string value = text(key);
    if (value.empty()) return;
    const bool resume =
        value.find("LogAndContinue") != std::string::npos || value == "log_and_continue" || value == "continue";
    const bool stop = value.find("LogAndFail") != std::string::npos || value == "log_and_fail" || value == "fail" ||
                      value.find("DefaultProductionExceptionHandler") != std::string::npos;
    if (!resume && !stop) {
      fail(error(Code::invalid_argument, "configuration {}={}: expected log_and_fail or log_and_continue", key, value));
      return;
    }
    out = resume ? ErrorPolicy::resume : ErrorPolicy::fail;
  }
  void fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  const Map& properties_;
  Status status_;
};

template <class Names>
void take(client::Properties& out, const Map& properties, const Names& names) {
  for (const auto name : names) {
    if (const auto found = properties.find(std::string(name)); found != properties.end())
      out[found->first] = found->second;
  }
}

void client_properties(const Map& properties, StreamsConfig& config) {
  for (const auto& [key, value] : properties) {
    if (key == "bootstrap.servers" || passed_on(key)) config.common[key] = value;
  }
  client::Properties consumer;
  take(consumer, properties, kConsumerKeys);
  lay_over(consumer, properties, "consumer.");
  config.main_consumer = config.restore_consumer = config.global_consumer = consumer;
  lay_over(config.main_consumer, properties, "main.consumer.");
  lay_over(config.restore_consumer, properties, "restore.consumer.");
  lay_over(config.global_consumer, properties, "global.consumer.");
  // Not for the user to choose, under whichever prefix: a dirty read would be counted exactly once as well.
  for (auto* map : {&config.main_consumer, &config.restore_consumer, &config.global_consumer}) {
    (*map)["isolation.level"] = config.exactly_once ? "read_committed" : "read_uncommitted";
    (*map)["enable.auto.commit"] = "false";
    (*map)["allow.auto.create.topics"] = "false";
  }

  // The application batches records itself and flushes at each commit, so that a short linger costs little.
  config.producer["linger.ms"] = config.exactly_once ? "5" : "100";
  take(config.producer, properties, kProducerKeys);
  lay_over(config.producer, properties, "producer.");
  config.producer["enable.idempotence"] = "true";
  config.producer.erase("transactional.id");
  if (config.exactly_once) config.producer.try_emplace("transaction.timeout.ms", "10000");
  lay_over(config.admin, properties, "admin.");
  lay_over(config.topic_configs, properties, "topic.");
}

Status check_guarantee(Reader& in, StreamsConfig& config) {
  const std::string guarantee = in.text("processing.guarantee", "at_least_once");
  if (guarantee != "at_least_once" && guarantee != "exactly_once_v2") {
    return error(Code::invalid_argument,
                 "configuration processing.guarantee={}: expected at_least_once or exactly_once_v2", guarantee);
  }
  config.exactly_once = guarantee == "exactly_once_v2";
  if (config.exactly_once) config.commit_interval_ms = 100;
  return {};
}

Status check_consistency(const StreamsConfig& config, int64_t standbys) {
  if (config.application_id.empty()) return error(Code::invalid_argument, "configuration application.id is missing");
  if (config.application_id.find_first_of("/ \t\n") != std::string::npos) {
    return error(Code::invalid_argument, "configuration application.id={}: letters, digits, '.', '_' and '-' only",
                 config.application_id);
  }
  if (config.heartbeat_interval_ms >= config.session_timeout_ms) {
    return error(Code::invalid_argument,
                 "configuration heartbeat.interval.ms={}: must be less than session.timeout.ms={}, or the member is "
                 "taken for dead between two heartbeats",
                 config.heartbeat_interval_ms, config.session_timeout_ms);
  }
  if (standbys > 0) {
    return error(Code::unsupported,
                 "configuration num.standby.replicas={}: this application keeps no standby replicas; "
                 "state is restored from the changelog topics",
                 standbys);
  }
  if (config.exactly_once && config.transaction_timeout_ms <= config.commit_interval_ms) {
    return error(Code::invalid_argument,
                 "configuration transaction.timeout.ms={}: must be greater than commit.interval.ms={}, or transactions "
                 "expire before they are committed",
                 config.transaction_timeout_ms, config.commit_interval_ms);
  }
  return {};
}

}  // namespace

Result<StreamsConfig> StreamsConfig::parse(const std::map<std::string, std::string>& properties) {
  for (const auto& complaint : unknown_keys(properties)) log::warn("{}", complaint);
  StreamsConfig config;
  Reader in(properties);
  MUIR_RETURN_IF_ERROR(check_guarantee(in, config));
  config.application_id = in.text("application.id");
  config.bootstrap_servers = in.text("bootstrap.servers");
  config.client_id = in.text("client.id");
  config.state_dir = in.text("state.dir", config.state_dir);
  config.application_server = in.text("application.server");
  config.dead_letter_topic = in.text("errors.dead.letter.queue.topic.name");
  int64_t standbys = 0;
  in.integer("num.stream.threads", config.num_stream_threads, 1, 1000);
  in.integer("commit.interval.ms", config.commit_interval_ms, 0);
  in.integer("poll.ms", config.poll_ms, 0);
  in.integer("max.task.idle.ms", config.max_task_idle_ms, -1);
  in.integer("buffered.records.per.partition", config.buffered_records_per_partition, 1, kIntMax);
  in.integer("task.timeout.ms", config.task_timeout_ms, 0);
  in.integer("repartition.purge.interval.ms", config.repartition_purge_interval_ms, 1);
  in.integer("replication.factor", config.replication_factor, -1, 32767);
  in.integer("num.standby.replicas", standbys, 0);
  in.policy("default.deserialization.exception.handler", config.on_deserialization_error);
  in.policy("deserialization.exception.handler", config.on_deserialization_error);
  in.policy("processing.exception.handler", config.on_processing_error);
  in.policy("default.production.exception.handler", config.on_production_error);
  in.policy("production.exception.handler", config.on_production_error);
  MUIR_RETURN_IF_ERROR(in.status());

  MUIR_RETURN_IF_ERROR(internal::check_prefixed_keys(properties));
  client_properties(properties, config);
  MUIR_RETURN_IF_ERROR(client::check_client_keys(client::ClientKind::consumer, config.main_consumer, {}));
  MUIR_RETURN_IF_ERROR(client::check_client_keys(client::ClientKind::producer, config.producer, {}));
  Reader consumer(config.main_consumer);
  const std::string reset = consumer.text("auto.offset.reset", "earliest");
  if (reset != "earliest" && reset != "latest") {
    return error(Code::invalid_argument, "configuration auto.offset.reset={}: expected earliest or latest", reset);
  }
  config.reset_earliest = reset == "earliest";
  config.group_instance_id = consumer.text("group.instance.id");
  consumer.integer("session.timeout.ms", config.session_timeout_ms, 1, kIntMax);
  consumer.integer("heartbeat.interval.ms", config.heartbeat_interval_ms, 1, kIntMax);
  consumer.integer("max.poll.interval.ms", config.max_poll_interval_ms, 1, kIntMax);
  consumer.integer("max.poll.records", config.max_poll_records, 1, kIntMax);
  MUIR_RETURN_IF_ERROR(consumer.status());
  Reader producer(config.producer);
  producer.integer("transaction.timeout.ms", config.transaction_timeout_ms, 1, kIntMax);
  MUIR_RETURN_IF_ERROR(producer.status());
  // These are the membership's and the task's business, not the data consumer's.
  for (auto* map : {&config.main_consumer, &config.restore_consumer, &config.global_consumer}) {
    for (const auto* key : {"auto.offset.reset", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms",
                            "max.poll.interval.ms", "max.poll.records", "group.id"}) {
      map->erase(key);
    }
  }
  MUIR_RETURN_IF_ERROR(check_consistency(config, standbys));
  return config;
}

std::vector<std::string> unknown_keys(const std::map<std::string, std::string>& properties) {
  std::vector<std::string> out = internal::prefixed_keys_without_effect(properties);
  for (const auto& [key, value] : properties) {
    const auto& keys = streams_config_keys();
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& k) { return k.name == key; }) ||
                       passed_on(key) || key.starts_with("schema.registry.") || key.starts_with("topic.") ||
                       internal::has_client_prefix(key) || among(kConsumerKeys, key) || among(kProducerKeys, key);
    if (known) continue;
    const auto later =
        std::find_if(std::begin(kLater), std::end(kLater), [&](const LaterKey& k) { return k.name == key; });
    if (later != std::end(kLater)) {
      if (later->harmless.empty() || value != later->harmless) {
        out.push_back(
            fmt::format("configuration key '{}' of Kafka Streams is not supported yet and has no effect", key));
      }
      continue;
    }
    std::vector<std::string> names;
    for (const auto& k : keys) names.emplace_back(k.name);
    for (const auto& k : kLater) names.emplace_back(k.name);
    const std::string near = nearest(key, names);
    out.push_back(near.empty() ? fmt::format("unknown configuration key '{}'", key)
                               : fmt::format("unknown configuration key '{}'; did you mean '{}'?", key, near));
  }
  return out;
}

const std::vector<ConfigKey>& streams_config_keys() {
  static const std::vector<ConfigKey> keys = {
      {"application.id", "(required)",
       "Name of the application: group id, prefix of internal topics and folder of its state"},
      {"bootstrap.servers", "(required)", "Brokers to begin with, host:port,..."},
      {"client.id", "<application.id>-<process id>", "Prefix of the names of threads and clients"},
      {"application.server", "", "host:port where this instance answers queries; told to all instances"},
      {"num.stream.threads", "1", "Threads that process records in this instance"},
      {"processing.guarantee", "at_least_once", "at_least_once or exactly_once_v2"},
      {"commit.interval.ms", "30000 (100)",
       "How often progress is committed; the default under exactly_once_v2 is 100"},
      {"state.dir", "/tmp/kafka-streams", "Folder of the local stores; a cache of the changelog topics"},
      {"replication.factor", "-1", "Replicas of internal topics; -1: the brokers' default"},
      {"num.standby.replicas", "0", "Only 0 is supported"},
      {"max.task.idle.ms", "0",
       "How long a task waits for an empty input partition, to keep time order; -1: never; 0: "
       "only for records known to be on the broker"},
      {"poll.ms", "100", "Longest wait for records"},
      {"buffered.records.per.partition", "1000", "Records held per partition before its fetching pauses"},
      {"task.timeout.ms", "300000", "How long a task retries when brokers do not answer"},
      {"repartition.purge.interval.ms", "30000",
       "How often records that were processed are deleted from repartition topics"},
      {"deserialization.exception.handler", "log_and_fail", "log_and_fail or log_and_continue, or Kafka's class names"},
      {"default.deserialization.exception.handler", "log_and_fail", "Older name of deserialization.exception.handler"},
      {"processing.exception.handler", "log_and_fail", "log_and_fail or log_and_continue"},
      {"production.exception.handler", "log_and_fail", "log_and_fail or log_and_continue"},
      {"default.production.exception.handler", "log_and_fail", "Older name of production.exception.handler"},
      {"errors.dead.letter.queue.topic.name", "", "Topic that receives records which could not be handled"},
  };
  return keys;
}

}  // namespace muir::streams
