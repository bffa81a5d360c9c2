#include "client/client_keys.h"

#include <algorithm>

#include "client/internal/key_table.h"
#include "net/tls_config.h"

namespace muir::client {
namespace {

using internal::ClientKey;
using internal::kAdmin;
using internal::kAll;
using internal::kConsumer;
using internal::KeyUse;
using internal::kNotRdkafkas;
using internal::kProducer;

constexpr int64_t kInt = INT32_MAX;

constexpr ClientKey text(std::string_view name, unsigned use) { return {name, "", use}; }
constexpr ClientKey flag(std::string_view name, unsigned use) { return {name, "", use, ConfigType::boolean}; }
constexpr ClientKey choice(std::string_view name, unsigned use, std::string_view allowed) {
  return {name, "", use, ConfigType::string, INT64_MIN, INT64_MAX, allowed};
}
constexpr ClientKey number(std::string_view name, unsigned use, int64_t min, int64_t max, std::string_view rdkafka) {
  return {name, rdkafka, use, ConfigType::integer, min, max};
}

// Ranges are the narrower ones of Java's and librdkafka's.
constexpr ClientKey kKeys[] = {
    text("bootstrap.servers", kAll),
    text("client.id", kAll),
    text("client.rack", kConsumer),
    text("security.protocol", kAll),
    number("metadata.max.age.ms", kProducer | kConsumer, 1, 86400000, ""),
    number("connections.max.idle.ms", kProducer | kConsumer, -1, kInt, ""),
    number("reconnect.backoff.ms", kProducer | kConsumer, 0, 3600000, ""),
    number("reconnect.backoff.max.ms", kProducer | kConsumer, 0, 3600000, ""),
    number("socket.connection.setup.timeout.ms", kAll, 1000, 3600000, ""),
    number("receive.buffer.bytes", kProducer | kConsumer, -1, 100000000, "socket.receive.buffer.bytes"),
    number("send.buffer.bytes", kProducer | kConsumer, -1, 100000000, "socket.send.buffer.bytes"),
    choice("acks", kProducer, "all|-1|0|1"),
    number("batch.size", kProducer, 0, kInt, ""),
    choice("compression.type", kProducer, "none|gzip|snappy|lz4|zstd"),
    number("compression.level", kProducer, -1, 12, ""),
    number("delivery.timeout.ms", kProducer, 0, kInt, ""),
    flag("enable.idempotence", kProducer),
    number("linger.ms", kProducer, 0, 900000, ""),
    number("max.in.flight.requests.per.connection", kProducer, 1, 1000000, ""),
    number("max.request.size", kProducer, 1000, 1000000000, "message.max.bytes"),
    number("request.timeout.ms", kAll, 1, 900000, ""),
    number("retries", kProducer, 0, kInt, ""),
    number("retry.backoff.ms", kAll, 1, 60000, ""),
    number("transaction.timeout.ms", kProducer, 1000, kInt, ""),
    text("transactional.id", kProducer),
    number("batch.num.messages", kProducer, 1, 1000000, ""),
    flag("check.crcs", kConsumer),
    number("fetch.max.bytes", kConsumer, 0, 2147483135, ""),
    number("fetch.max.wait.ms", kConsumer, 0, 300000, "fetch.wait.max.ms"),
    number("fetch.min.bytes", kConsumer, 1, 100000000, ""),
    choice("isolation.level", kConsumer, "read_uncommitted|read_committed"),
    number("max.partition.fetch.bytes", kConsumer, 1, 1000000000, ""),
    number("queued.max.messages.kbytes", kConsumer, 1, 2097151, ""),
    number("queued.min.messages", kConsumer, 1, 10000000, ""),
    number("buffer.memory", kProducer, 1, INT64_MAX, kNotRdkafkas),
    number("queue.buffering.max.messages", kProducer, 1, 9000000, kNotRdkafkas),
    number("max.block.ms", kProducer, 1, INT64_MAX, kNotRdkafkas),
};

// Keys of Java's clients (4.x) that have no effect here, by the clients that have them.
struct LaterKey {
  std::string_view name;
  unsigned use;
};
constexpr LaterKey kLater[] = {
    {"auto.commit.interval.ms", kConsumer},
    {"auto.include.jmx.reporter", kAll},
    {"bootstrap.controllers", kAdmin},
    {"client.dns.lookup", kAll},
    {"compression.gzip.level", kProducer},
    {"compression.lz4.level", kProducer},
    {"compression.zstd.level", kProducer},
    {"config.providers", kAll},
    {"connections.max.idle.ms", kAdmin},
    {"default.api.timeout.ms", kConsumer | kAdmin},
    {"enable.metrics.push", kAll},
    {"exclude.internal.topics", kConsumer},
    {"group.protocol", kConsumer},
    {"group.remote.assignor", kConsumer},
    {"interceptor.classes", kProducer | kConsumer},
    {"max.poll.records", kConsumer},
    {"metadata.max.age.ms", kAdmin},
    {"metadata.max.idle.ms", kProducer},
    {"metadata.recovery.rebootstrap.trigger.ms", kAll},
    {"metadata.recovery.strategy", kAll},
    {"metric.reporters", kAll},
    {"metrics.num.samples", kAll},
    {"metrics.recording.level", kAll},
    {"metrics.sample.window.ms", kAll},
    {"partitioner.adaptive.partitioning.enable", kProducer},
    {"partitioner.availability.timeout.ms", kProducer},
    {"partitioner.ignore.keys", kProducer},
    {"receive.buffer.bytes", kAdmin},
    {"reconnect.backoff.max.ms", kAdmin},
    {"reconnect.backoff.ms", kAdmin},
    {"retries", kAdmin},
    {"retry.backoff.max.ms", kAll},
    {"security.providers", kAll},
    {"send.buffer.bytes", kAdmin},
    {"socket.connection.setup.timeout.max.ms", kAll},
    {"transaction.two.phase.commit.enable", kProducer},
    // Of the group, of which a consumer here knows nothing.
    {"allow.auto.create.topics", kConsumer},
    {"auto.offset.reset", kConsumer},
    {"enable.auto.commit", kConsumer},
    {"group.id", kConsumer},
    {"group.instance.id", kConsumer},
    {"heartbeat.interval.ms", kConsumer},
    {"key.deserializer", kConsumer},
    {"key.serializer", kProducer},
    {"max.poll.interval.ms", kConsumer},
    {"partition.assignment.strategy", kConsumer},
    {"partitioner.class", kProducer},
    {"session.timeout.ms", kConsumer},
    {"value.deserializer", kConsumer},
    {"value.serializer", kProducer},
};

unsigned use_of(ClientKind kind) {
  return kind == ClientKind::producer ? kProducer : kind == ClientKind::consumer ? kConsumer : kAdmin;
}

std::string_view name_of(ClientKind kind) {
  return kind == ClientKind::producer ? "producer" : kind == ClientKind::consumer ? "consumer" : "admin";
}

ConfigDef make_config(ClientKind kind) {
  std::vector<ConfigKey> keys;
  for (const ClientKey& key : kKeys) {
    if ((key.use & use_of(kind)) == 0) continue;
    ConfigKey& out = keys.emplace_back(ConfigKey{.name = std::string(key.name), .type = key.type});
    out.min = key.min;
    out.max = key.max;
    for (std::string_view rest = key.allowed; !rest.empty();) {
      const size_t end = std::min(rest.find('|'), rest.size());
      out.allowed.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return ConfigDef(std::string(name_of(kind)), std::move(keys));
}

std::string complaint(ClientKind kind, std::string_view name, std::string_view prefix) {
  const auto later = std::any_of(std::begin(kLater), std::end(kLater), [&](const LaterKey& key) {
    return key.name == name && (key.use & use_of(kind)) != 0;
  });
  if (later || name.starts_with("sasl.")) {
    return fmt::format("configuration key '{}{}' of the Java client is not supported yet and has no effect", prefix,
                       name);
  }
  if (const ClientKey* other = internal::find_client_key(name)) {
    return fmt::format("configuration key '{}{}' is not one of {}s and has no effect", prefix, other->name,
                       name_of(kind));
  }
  std::vector<std::string> known;
  for (const ConfigKey& key : client_config(kind).keys()) known.push_back(key.name);
  for (const ConfigKey& key : net::tls_config_keys()) known.push_back(key.name);
  const std::string near = nearest(name, known);
  return near.empty()
             ? fmt::format("unknown configuration key '{}{}'", prefix, name)
             : fmt::format("unknown configuration key '{}{}'; did you mean '{}{}'?", prefix, name, prefix, near);
}

}  // namespace

namespace internal {

std::span<const ClientKey> client_keys() { return kKeys; }

const ClientKey* find_client_key(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kKeys), std::end(kKeys), [&](const ClientKey& key) { return key.name == name; });
  return found == std::end(kKeys) ? nullptr : found;
}

bool is_accepted_without_effect(std::string_view name) {
  return std::any_of(std::begin(kLater), std::end(kLater), [&](const LaterKey& key) { return key.name == name; });
}

std::string rdkafka_value(const ClientKey& key, const std::string& value) {
  // "-1", Java's word for the default or for never, is 0; a batch of no bytes is one of one record.
  if (key.min == -1 && value == "-1" && key.name != "compression.level") return "0";
  if (key.name == "batch.size" && value == "0") return "1";
  // Not less than one record of librdkafka's, whose least size is a thousand bytes.
  if (key.name == "fetch.max.bytes" && value.size() < 4) return "1000";
  return value;
}

}  // namespace internal

const ConfigDef& client_config(ClientKind kind) {
  static const ConfigDef producer = make_config(ClientKind::producer);
  static const ConfigDef consumer = make_config(ClientKind::consumer);
  static const ConfigDef admin = make_config(ClientKind::admin);
  return kind == ClientKind::producer ? producer : kind == ClientKind::consumer ? consumer : admin;
}

std::vector<std::string> keys_without_effect(ClientKind kind, const Properties& properties, std::string_view prefix,
                                             const std::vector<std::string_view>& decided) {
  std::vector<std::string> out;
  for (const auto& [name, value] : properties) {
    if (std::find(decided.begin(), decided.end(), name) != decided.end()) {
      out.push_back(
          fmt::format("configuration key '{}{}' has no effect: the application decides about it", prefix, name));
    } else if (client_config(kind).find(name) == nullptr && !net::is_tls_key(name) && !name.starts_with("rdkafka.")) {
      out.push_back(complaint(kind, name, prefix));
    }
  }
  return out;
}

Status check_client_keys(ClientKind kind, const Properties& properties, std::string_view prefix) {
  for (const auto& [name, value] : properties) {
    const Status valid = client_config(kind).validate({{name, value}});
    if (valid.ok()) continue;
    return prefix.empty() ? valid : valid.annotate(fmt::format("{}{}", prefix, name));
  }
  return {};
}

}  // namespace muir::client
