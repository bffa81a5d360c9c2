#include "streams/streams_config.h"

#include <algorithm>
#include <optional>

#include "base/config.h"
#include "base/log.h"
#include "client/client_keys.h"
#include "streams/internal/client_prefixes.h"
#include "wire/topic_name.h"

namespace muir::streams {
namespace {

using Map = std::map<std::string, std::string>;

// Keys of Kafka's that concern the JVM or are carried to the clients as they are: known, not explained here.
constexpr std::string_view kPassedOn[] = {
    "security.protocol",          "client.rack",          "connections.max.idle.ms",  "metadata.max.age.ms",
    "metadata.recovery.strategy", "reconnect.backoff.ms", "reconnect.backoff.max.ms", "retry.backoff.ms",
    "retry.backoff.max.ms",       "receive.buffer.bytes", "send.buffer.bytes",        "request.timeout.ms",
    "socket.timeout.ms"};
constexpr std::string_view kPassedOnPrefixes[] = {"ssl.", "sasl.", "rdkafka."};
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

// Kafka's class names and short names alike: "...LogAndContinueExceptionHandler", "log_and_continue".
std::optional<ErrorPolicy> policy_of(std::string_view value) {
  value = config_text(value);
  const auto holds = [value](std::string_view part) { return value.find(part) != std::string_view::npos; };
  if (holds("LogAndContinue") || value == "log_and_continue" || value == "continue") return ErrorPolicy::resume;
  if (value.empty() || holds("LogAndFail") || value == "log_and_fail" || value == "fail" ||
      holds("DefaultProductionExceptionHandler"))
    return ErrorPolicy::fail;
  return std::nullopt;
}

ConfigField<StreamsConfig> policy(std::string name, std::string doc, ErrorPolicy StreamsConfig::*member) {
  ConfigKey key{.name = std::move(name),
                .doc = std::move(doc),
                .check = [](std::string_view value) -> std::string {
                  return policy_of(value) ? "" : "expected log_and_fail or log_and_continue";
                },
                .shown_fallback = "log_and_fail"};
  return {std::move(key), [member](StreamsConfig& c, std::string_view text) {
            c.*member = policy_of(text).value_or(ErrorPolicy::fail);
          }};
}

std::string no_application_id(std::string_view id) {
  if (wire::valid_topic_name(id)) return {};
  return "letters, digits, '.', '_' and '-' only";
}

std::string no_topic(std::string_view name) {
  return name.empty() || wire::valid_topic_name(name) ? "" : "is no name that a topic may have";
}

std::string no_replication(std::string_view factor) {
  return config_integer(factor) == 0 ? "expected -1 for the brokers' default, or at least 1" : "";
}

std::string no_standbys(std::string_view count) {
  if (config_integer(count) == 0) return {};
  return "this application keeps no standby replicas; state is restored from the changelog topics";
}

// What the membership and the tasks take of the consumer's keys, and the collector of the producer's.
const ConfigDefOf<StreamsConfig>& consumer_config() {
  static const ConfigDefOf<StreamsConfig> def(
      "streams",
      {{{.name = "auto.offset.reset", .allowed = {"earliest", "latest"}, .shown_fallback = "earliest"},
        [](StreamsConfig& c, std::string_view text) { c.reset_earliest = config_text(text) == "earliest"; }},
       {{.name = "group.instance.id"}, &StreamsConfig::group_instance_id},
       {{.name = "session.timeout.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::session_timeout_ms},
       {{.name = "heartbeat.interval.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::heartbeat_interval_ms},
       {{.name = "max.poll.interval.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::max_poll_interval_ms},
       {{.name = "max.poll.records", .type = ConfigType::int32, .min = 1}, &StreamsConfig::max_poll_records}});
  return def;
}

}  // namespace

const ConfigDefOf<StreamsConfig>& streams_config() {
  using enum ConfigType;
  static const ConfigDefOf<StreamsConfig> def(
      "streams",
      {{{.name = "application.id",
         .doc = "Name of the application: group id, prefix of internal topics and folder of its state",
         .required = true,
         .check = no_application_id},
        &StreamsConfig::application_id},
       {{.name = "bootstrap.servers", .doc = "Brokers to begin with, host:port,...", .shown_fallback = "(required)"},
        &StreamsConfig::bootstrap_servers},
       {{.name = "client.id",
         .doc = "Prefix of the names of threads and clients",
         .shown_fallback = "<application.id>-<process id>"},
        &StreamsConfig::client_id},
       {{.name = "application.server", .doc = "host:port where this instance answers queries; told to all instances"},
        &StreamsConfig::application_server},
       {{.name = "num.stream.threads",
         .type = int32,
         .fallback = "1",
         .doc = "Threads that process records in this instance",
         .min = 1,
         .max = 1000},
        &StreamsConfig::num_stream_threads},
       {{.name = "processing.guarantee",
         .fallback = "at_least_once",
         .doc = "at_least_once or exactly_once_v2",
         .allowed = {"at_least_once", "exactly_once_v2"}},
        [](StreamsConfig& c, std::string_view text) { c.exactly_once = config_text(text) == "exactly_once_v2"; }},
       {{.name = "commit.interval.ms",
         .type = int64,
         .doc = "How often progress is committed; the default under exactly_once_v2 is 100",
         .min = 0,
         .shown_fallback = "30000 (100)"},
        &StreamsConfig::commit_interval_ms},
       {{.name = "state.dir",
         .fallback = "/tmp/kafka-streams",
         .doc = "Folder of the local stores; a cache of the changelog topics"},
        &StreamsConfig::state_dir},
       {{.name = "replication.factor",
         .type = int16,
         .fallback = "-1",
         .doc = "Replicas of internal topics; -1: the brokers' default",
         .min = -1,
         .check = no_replication},
        &StreamsConfig::replication_factor},
       {{.name = "num.standby.replicas",
         .type = int32,
         .fallback = "0",
         .doc = "Only 0 is supported",
         .min = 0,
         .check = no_standbys}},
       {{.name = "max.task.idle.ms",
         .type = int64,
         .fallback = "0",
         .doc = "How long a task waits for an empty input partition, to keep time order; -1: never; 0: only for "
                "records known to be on the broker",
         .min = -1},
        &StreamsConfig::max_task_idle_ms},
       {{.name = "poll.ms", .type = int64, .fallback = "100", .doc = "Longest wait for records", .min = 0},
        &StreamsConfig::poll_ms},
       {{.name = "buffered.records.per.partition",
         .type = int32,
         .fallback = "1000",
         .doc = "Records held per partition before its fetching pauses",
         .min = 1},
        &StreamsConfig::buffered_records_per_partition},
       {{.name = "task.timeout.ms",
         .type = int64,
         .fallback = "300000",
         .doc = "How long a task retries when brokers do not answer",
         .min = 0},
        &StreamsConfig::task_timeout_ms},
       {{.name = "repartition.purge.interval.ms",
         .type = int64,
         .fallback = "30000",
         .doc = "How often records that were processed are deleted from repartition topics",
         .min = 1},
        &StreamsConfig::repartition_purge_interval_ms},
       // Older names first: those that Kafka has now win.
       policy("default.deserialization.exception.handler", "Older name of deserialization.exception.handler",
              &StreamsConfig::on_deserialization_error),
       policy("deserialization.exception.handler", "log_and_fail or log_and_continue, or Kafka's class names",
              &StreamsConfig::on_deserialization_error),
       policy("processing.exception.handler", "log_and_fail or log_and_continue", &StreamsConfig::on_processing_error),
       policy("default.production.exception.handler", "Older name of production.exception.handler",
              &StreamsConfig::on_production_error),
       policy("production.exception.handler", "log_and_fail or log_and_continue", &StreamsConfig::on_production_error),
       {{.name = "errors.dead.letter.queue.topic.name",
         .doc = "Topic that receives records which could not be handled",
         .check = no_topic},
        &StreamsConfig::dead_letter_topic}});
  return def;
}

namespace {

template <class Names>
void take(client::ClientGiven& out, const Map& properties, const Names& names) {
  for (const auto name : names) {
    if (const auto found = properties.find(std::string(name)); found != properties.end())
      out.values[found->first] = found->second;
  }
}

// The kinds of clients, each with what it is given.
struct Clients {
  client::ClientGiven common;
  client::ClientGiven main_consumer;
  client::ClientGiven restore_consumer;
  client::ClientGiven global_consumer;
  client::ClientGiven producer;
  client::ClientGiven admin;
};

Clients clients_of(const Map& properties, bool exactly_once) {
  Clients out;
  for (const auto& [key, value] : properties) {
    if (key == "bootstrap.servers" || passed_on(key)) out.common.values[key] = value;
  }
  client::ClientGiven consumer;
  take(consumer, properties, kConsumerKeys);
  consumer.lay_over(properties, "consumer.");
  out.main_consumer = out.restore_consumer = out.global_consumer = consumer;
  out.main_consumer.lay_over(properties, "main.consumer.");
  out.restore_consumer.lay_over(properties, "restore.consumer.");
  out.global_consumer.lay_over(properties, "global.consumer.");
  // Not for the user to choose, under whichever prefix: a dirty read would be counted exactly once as well.
  for (auto* one : {&out.main_consumer, &out.restore_consumer, &out.global_consumer}) {
    one->values["isolation.level"] = exactly_once ? "read_committed" : "read_uncommitted";
    one->values["enable.auto.commit"] = "false";
    one->values["allow.auto.create.topics"] = "false";
  }
  // The application batches records itself and flushes at each commit, so that a short linger costs little.
  out.producer.values["linger.ms"] = exactly_once ? "5" : "100";
  take(out.producer, properties, kProducerKeys);
  out.producer.lay_over(properties, "producer.");
  // Both guarantees rest on it: a repeated send is stored once.
  out.producer.values["enable.idempotence"] = "true";
  out.producer.values.erase("transactional.id");
  if (exactly_once) out.producer.values.try_emplace("transaction.timeout.ms", "10000");
  out.admin.lay_over(properties, "admin.");
  return out;
}

ConfigMistakes client_mistakes(const Clients& clients) {
  ConfigMistakes out;
  const auto add = [&](client::ClientKind kind, const client::ClientGiven& own) {
    client::ClientGiven all = clients.common;
    for (const auto& [key, value] : own.values) all.values[key] = value;
    for (const auto& [key, name] : own.names) all.names[key] = name;
    add_mistakes(out, client::client_mistakes(kind, all));
  };
  for (const auto* consumer : {&clients.main_consumer, &clients.restore_consumer, &clients.global_consumer})
    add(client::ClientKind::consumer, *consumer);
  add(client::ClientKind::producer, clients.producer);
  add(client::ClientKind::admin, clients.admin);
  return out;
}

void check_together(const StreamsConfig& config, const Clients& clients, ConfigMistakes& out) {
  if (config.heartbeat_interval_ms >= config.session_timeout_ms) {
    out.push_back({clients.main_consumer.name_of("heartbeat.interval.ms"), std::to_string(config.heartbeat_interval_ms),
                   fmt::format("must be less than session.timeout.ms={}, or the member is taken for dead between two "
                               "heartbeats",
                               config.session_timeout_ms)});
  }
  if (config.exactly_once && config.transaction_timeout_ms <= config.commit_interval_ms) {
    out.push_back({clients.producer.name_of("transaction.timeout.ms"), std::to_string(config.transaction_timeout_ms),
                   fmt::format("must be greater than commit.interval.ms={}, or transactions expire before they are "
                               "committed",
                               config.commit_interval_ms)});
  }
}

struct Read {
  StreamsConfig config{};
  ConfigMistakes mistakes{};
};

Read read(const Map& properties) {
  Read out;
  StreamsConfig& config = out.config;
  out.mistakes = streams_config().mistakes(properties);
  add_mistakes(out.mistakes, internal::prefixed_mistakes(properties));
  const bool exactly_once =
      config_text(streams_config().value(properties, "processing.guarantee")) == "exactly_once_v2";
  const Clients clients = clients_of(properties, exactly_once);
  add_mistakes(out.mistakes, client_mistakes(clients));
  const auto& consumer = clients.main_consumer;
  add_mistakes(out.mistakes, consumer_config().mistakes(consumer.values,
                                                        [&](const std::string& key) { return consumer.name_of(key); }));
  if (!out.mistakes.empty()) return out;

  streams_config().fill(properties, config);
  if (exactly_once && !properties.contains("commit.interval.ms")) config.commit_interval_ms = 100;
  consumer_config().fill(consumer.values, config);
  if (const auto found = clients.producer.values.find("transaction.timeout.ms"); found != clients.producer.values.end())
    assign_config(found->second, config.transaction_timeout_ms);
  check_together(config, clients, out.mistakes);
  config.common = clients.common.values;
  config.main_consumer = clients.main_consumer.values;
  config.restore_consumer = clients.restore_consumer.values;
  config.global_consumer = clients.global_consumer.values;
  config.producer = clients.producer.values;
  config.admin = clients.admin.values;
  client::ClientGiven topics;
  topics.lay_over(properties, "topic.");
  config.topic_configs = std::move(topics.values);
  // These are the membership's and the task's business, not the data consumer's.
  for (auto* map : {&config.main_consumer, &config.restore_consumer, &config.global_consumer}) {
    for (const ConfigKey& key : consumer_config().keys()) map->erase(key.name);
    map->erase("group.id");
  }
  return out;
}

}  // namespace

Result<StreamsConfig> StreamsConfig::parse(const Map& properties) {
  for (const auto& complaint : unknown_keys(properties)) log::warn("{}", complaint);
  Read out = read(properties);
  MUIR_RETURN_IF_ERROR(status_of(out.mistakes));
  return std::move(out.config);
}

ConfigMistakes StreamsConfig::mistakes(const Map& properties) { return read(properties).mistakes; }

std::vector<std::string> unknown_keys(const std::map<std::string, std::string>& properties) {
  std::vector<std::string> out = internal::prefixed_keys_without_effect(properties);
  for (const auto& [key, value] : properties) {
    const bool known = streams_config().find(key) != nullptr || passed_on(key) || key.starts_with("schema.registry.") ||
                       key.starts_with("topic.") || internal::has_client_prefix(key) || among(kConsumerKeys, key) ||
                       among(kProducerKeys, key);
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
    for (const auto& k : streams_config().keys()) names.emplace_back(k.name);
    for (const auto& k : kLater) names.emplace_back(k.name);
    const std::string near = nearest(key, names);
    out.push_back(near.empty() ? fmt::format("unknown configuration key '{}'", key)
                               : fmt::format("unknown configuration key '{}'; did you mean '{}'?", key, near));
  }
  return out;
}

}  // namespace muir::streams
