#include "streams/streams_config.h"

#include <algorithm>

#include "base/config.h"
#include "base/log.h"
#include "client/client_keys.h"
#include "streams/runtime/client_prefixes.h"
#include "streams/runtime/consumer_config.h"

namespace muir::streams {
namespace {

using Map = std::map<std::string, std::string>;

constexpr int64_t kNeverMs = 100LL * 365 * 24 * 3600 * 1000;

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
                               {"default.client.supplier", ""},
                               {"default.key.serde", ""},
                               {"default.list.key.serde.inner", ""},
                               {"default.list.key.serde.type", ""},
                               {"default.list.value.serde.inner", ""},
                               {"default.list.value.serde.type", ""},
                               {"default.timestamp.extractor", ""},
                               {"default.value.serde", ""},
                               {"enable.metrics.push", "false"},
                               {"ensure.explicit.internal.resource.naming", "false"},
                               {"group.protocol", "classic"},
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
                               {"task.assignor.class", ""},
                               {"topology.optimization", "none"},
                               {"upgrade.from", ""},
                               {"window.size.ms", ""},
                               {"windowed.inner.class.serde", ""}};

template <class Names>
bool among(const Names& names, std::string_view key) {
  return std::find(std::begin(names), std::end(names), key) != std::end(names);
}
bool passed_on(std::string_view key) {
  return among(kPassedOn, key) || std::any_of(std::begin(kPassedOnPrefixes), std::end(kPassedOnPrefixes),
                                              [&](std::string_view prefix) { return key.starts_with(prefix); });
}

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
  if (config.max_poll_interval_ms <= config.poll_ms) {
    out.push_back({clients.main_consumer.name_of("max.poll.interval.ms"), std::to_string(config.max_poll_interval_ms),
                   fmt::format("must be greater than poll.ms={}, or the member is taken for dead while it waits for "
                               "records",
                               config.poll_ms)});
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
  add_mistakes(out.mistakes, internal::consumer_config().mistakes(
                                 consumer.values, [&](const std::string& key) { return consumer.name_of(key); }));
  if (!out.mistakes.empty()) return out;

  streams_config().fill(properties, config);
  if (exactly_once && !properties.contains("commit.interval.ms")) config.commit_interval_ms = 100;
  internal::consumer_config().fill(consumer.values, config);
  if (const auto found = clients.producer.values.find("transaction.timeout.ms"); found != clients.producer.values.end())
    assign_config(found->second, config.transaction_timeout_ms);
  // Longer is never, and is counted in microseconds.
  for (int64_t* ms : {&config.commit_interval_ms, &config.poll_ms, &config.max_task_idle_ms, &config.task_timeout_ms,
                      &config.repartition_purge_interval_ms})
    *ms = std::min(*ms, kNeverMs);
  check_together(config, clients, out.mistakes);
  config.common = clients.common.values;
  config.main_consumer = clients.main_consumer.values;
  config.restore_consumer = clients.restore_consumer.values;
  const int64_t ahead = std::max<int64_t>(config.input_buffer_bytes / config.num_stream_threads / 4 * 3, 1);
  for (auto* consumer_of : {&config.main_consumer, &config.restore_consumer})
    consumer_of->try_emplace("fetch.buffer.memory", std::to_string(ahead));
  config.global_consumer = clients.global_consumer.values;
  config.producer = clients.producer.values;
  config.admin = clients.admin.values;
  client::ClientGiven topics;
  topics.lay_over(properties, "topic.");
  config.topic_configs = std::move(topics.values);
  // These are the membership's and the task's business, not the data consumer's.
  for (auto* map : {&config.main_consumer, &config.restore_consumer, &config.global_consumer}) {
    for (const ConfigKey& key : internal::consumer_config().keys()) map->erase(key.name);
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
    std::string told;
    if (!near.empty()) {
      told = fmt::format("unknown configuration key '{}'; did you mean '{}'?", key, near);
    } else if (told = internal::complaint_without_prefix(key); told.empty()) {
      told = fmt::format("unknown configuration key '{}'", key);
    }
    out.push_back(std::move(told));
  }
  return out;
}

}  // namespace muir::streams
