#include "broker/broker_config.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/config.h"
#include "log/topic_config.h"
#include "log/topic_config_check.h"
#include "net/tls_config.h"

namespace muir::broker {
namespace {

constexpr int8_t kBoolean = 1;
constexpr int8_t kString = 2;
constexpr int8_t kInt = 3;
constexpr int8_t kLong = 5;

constexpr BrokerConfigKey kKeys[] = {
    {"advertised.listeners", "", kString, "Where clients of each listener are told to connect."},
    {"auto.create.topics.enable", "true", kBoolean, "Make a topic when a client asks for one that is missing."},
    {"connections.max.idle.ms", "600000", kLong,
     "A connection on which nothing moves for so long is closed; 0: never."},
    {"default.replication.factor", "1", kInt, "Accepted for compatibility; there is one replica."},
    {"delete.topic.enable", "true", kBoolean, "Whether DeleteTopics is allowed."},
    {"fetch.max.bytes", "57671680", kInt, "Most bytes of records in one fetch response."},
    {"group.initial.rebalance.delay.ms", "3000", kInt, "How long an empty group waits for more members."},
    {"group.max.session.timeout.ms", "1800000", kInt, "Longest session timeout a member may ask for."},
    {"group.max.size", "2147483647", kInt, "Most members of a group."},
    {"group.min.session.timeout.ms", "6000", kInt, "Shortest session timeout a member may ask for."},
    {"listener.security.protocol.map", "", kString, "What each listener speaks, as NAME:PLAINTEXT,OTHER:SSL."},
    {"listeners", "PLAINTEXT://127.0.0.1:9092", kString, "Where the broker listens, as PLAINTEXT://host:port,..."},
    {"log.cleaner.backoff.ms", "15000", kLong, "Time between two looks for partitions to compact."},
    {"log.cleaner.dedupe.buffer.size", "134217728", kLong, "Memory for the keys of one pass of compaction."},
    {"log.cleaner.enable", "true", kBoolean, "Whether topics with cleanup.policy=compact are compacted."},
    {"log.dirs", "./data/broker", kString, "The data folder."},
    {"log.flush.acks", "true", kBoolean,
     "Answer acks=all, and take offsets for committed, only after an fsync of the records."},
    {"log.flush.offset.checkpoint.interval.ms", "60000", kInt, "Time between two writes of the recovery points."},
    {"log.retention.check.interval.ms", "300000", kLong, "Time between two looks for old segments."},
    {"max.connections", "10000", kInt, "Most connections at a time."},
    {"max.incremental.fetch.session.cache.slots", "1000", kInt, "Most fetch sessions at a time (KIP-227)."},
    {"max.partitions", "0", kInt, "Most partitions of all topics together; 0: what the limit of open files allows."},
    {"node.id", "1", kInt, "The id under which clients see this broker."},
    {"num.network.threads", "2", kInt, "Threads that serve connections."},
    {"num.partitions", "1", kInt, "Partitions of a topic that does not say how many."},
    {"num.recovery.threads.per.data.dir", "2", kInt, "Partitions that are recovered side by side at start."},
    {"offset.metadata.max.bytes", "4096", kInt, "Longest metadata of an offset commit."},
    {"offsets.retention.check.interval.ms", "600000", kLong, "Time between two looks for expired offsets."},
    {"offsets.retention.minutes", "10080", kInt, "How long offsets of an empty group are kept."},
    {"offsets.topic.num.partitions", "50", kInt, "Partitions of __consumer_offsets, when it is made."},
    {"offsets.topic.replication.factor", "1", kInt, "Accepted for compatibility; there is one replica."},
    {"offsets.topic.segment.bytes", "104857600", kInt, "segment.bytes of __consumer_offsets."},
    {"producer.id.expiration.ms", "86400000", kInt, "How long a silent producer's sequence is remembered."},
    {"queued.max.request.bytes", "268435456", kLong,
     "Most bytes of requests that are being received, over all connections; -1: any number."},
    {"queued.max.requests", "500", kInt, "Most requests of one connection that wait for an answer."},
    {"queued.max.response.bytes", "268435456", kLong,
     "Most bytes of answers that clients have not read, over all connections; -1: any number."},
    {"socket.request.max.bytes", "104857600", kInt, "Longest request."},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000", kInt,
     "Time between two looks for timed out transactions."},
    {"transaction.max.timeout.ms", "900000", kInt, "Longest transaction timeout a producer may ask for."},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", "3600000", kInt,
     "Time between two looks for transactional ids that nobody uses any more."},
    {"transaction.state.log.min.isr", "1", kInt, "Accepted for compatibility; there is one replica."},
    {"transaction.state.log.num.partitions", "50", kInt, "Partitions of __transaction_state, when it is made."},
    {"transaction.state.log.replication.factor", "1", kInt, "Accepted for compatibility; there is one replica."},
    {"transaction.state.log.segment.bytes", "104857600", kInt, "segment.bytes of __transaction_state."},
    {"transactional.id.expiration.ms", "604800000", kInt, "How long an idle transactional id is remembered."},
};

// Keys of Kafka that a single node has no use for; naming them is not a mistake. One that ends in a dot stands for all
// keys that begin with it.
constexpr std::string_view kAccepted[] = {"auto.leader.rebalance.enable",
                                          "background.threads",
                                          "broker.heartbeat.interval.ms",
                                          "broker.id",
                                          "broker.rack",
                                          "broker.session.timeout.ms",
                                          "cluster.id",
                                          "controlled.shutdown.enable",
                                          "controller.listener.names",
                                          "controller.quorum.",
                                          "controller.socket.timeout.ms",
                                          "group.coordinator.threads",
                                          "initial.broker.registration.timeout.ms",
                                          "inter.broker.listener.name",
                                          "leader.imbalance.",
                                          "log.cleaner.threads",
                                          "log.dir",
                                          "log.retention.hours",
                                          "log.retention.minutes",
                                          "log.roll.hours",
                                          "metadata.log.",
                                          "metadata.max.",
                                          "num.io.threads",
                                          "num.replica.",
                                          "process.roles",
                                          "remote.log.storage.system.enable",
                                          "replica.",
                                          "share.coordinator.",
                                          "socket.listen.backlog.size",
                                          "socket.receive.buffer.bytes",
                                          "socket.send.buffer.bytes",
                                          "unclean.leader.election.enable",
                                          "unclean.leader.election.interval.ms"};

// Keys of Kafka for what this broker does not have: it starts, and says so.
constexpr std::string_view kNotOffered[] = {"alter.config.policy.class.name",
                                            "client.quota.",
                                            "create.topic.policy.class.name",
                                            "delegation.token.",
                                            "group.consumer.",
                                            "group.share.",
                                            "group.streams.",
                                            "log.cleaner.io.",
                                            "metric.reporters",
                                            "metrics.num.samples",
                                            "metrics.recording.level",
                                            "metrics.sample.window.ms",
                                            "quota.",
                                            "remote.log.",
                                            "share.",
                                            "telemetry."};

// Keys that protect a broker: one that ignored them would stand open to whom its owner meant to keep out.
constexpr std::string_view kProtecting[] = {"authorizer.class.name", "allow.everyone.if.no.acl.found",
                                            "principal.builder.class", "sasl.", "super.users"};

template <size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [name](std::string_view one) { return one.ends_with('.') ? name.starts_with(one) : name == one; });
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

const log::ConfigKey* topic_default(std::string_view name) {
  for (const auto& key : log::topic_config_keys()) {
    if (key.broker_synonym == name) return &key;
  }
  return nullptr;
}

// Kafka's other names for times that are kept in milliseconds.
bool is_coarse_time(std::string_view name) {
  return name == "log.retention.hours" || name == "log.retention.minutes" || name == "log.roll.hours";
}

std::string unknown_key(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& key : kKeys) known.emplace_back(key.name);
  for (const auto& key : log::topic_config_keys()) {
    if (!key.broker_synonym.empty()) known.emplace_back(key.broker_synonym);
  }
  const std::string near = nearest(name, known);
  return near.empty() ? fmt::format("{}: unknown key", name)
                      : fmt::format("{}: unknown key; the nearest known one is {}", name, near);
}

// The least value that a number may have, as in Apache Kafka 4.3, and 0 where that has no limit: less than nothing is
// none.
int64_t least(std::string_view name) {
  if (name == "queued.max.request.bytes" || name == "queued.max.response.bytes") return -1;
  if (name == "fetch.max.bytes") return 1024;
  for (const std::string_view any :
       {"connections.max.idle.ms", "group.initial.rebalance.delay.ms", "group.max.session.timeout.ms",
        "group.min.session.timeout.ms", "log.cleaner.backoff.ms", "log.flush.offset.checkpoint.interval.ms",
        "max.connections", "max.incremental.fetch.session.cache.slots", "max.partitions", "node.id",
        "offset.metadata.max.bytes"}) {
    if (name == any) return 0;
  }
  return 1;
}

// What the value should be; empty when it is.
std::string expected(const BrokerConfigKey& key, std::string_view value) {
  if (key.type == kBoolean) return value == "true" || value == "false" ? "" : "true or false";
  if (key.type != kInt && key.type != kLong) return {};
  const auto parsed = number(value);
  const int64_t most = key.type == kLong ? INT64_MAX : INT32_MAX;
  if (parsed && *parsed >= least(key.name) && *parsed <= most) return {};
  return fmt::format("a whole number from {} to {}", least(key.name), most);
}

std::string not_allowed(std::string_view name, std::string_view value) {
  return fmt::format("{}={}: not a value that this key may have", name, value);
}

// Without it Apache Kafka would not keep what is asked for; here there is nothing to enable.
constexpr std::string_view kTieredStorage = "remote.log.storage.system.enable";

// What each key may have by itself, and not beside another one.
void check_together(const Properties& properties, std::vector<std::string>& wrong) {
  const int64_t shortest = int_property(properties, "group.min.session.timeout.ms");
  const int64_t longest = int_property(properties, "group.max.session.timeout.ms");
  if (shortest > longest)
    wrong.push_back(
        fmt::format("group.min.session.timeout.ms={}: above group.max.session.timeout.ms={}", shortest, longest));
}

}  // namespace

std::span<const BrokerConfigKey> broker_config_keys() { return kKeys; }

const BrokerConfigKey* find_broker_config_key(std::string_view name) {
  const auto it = std::lower_bound(std::begin(kKeys), std::end(kKeys), name,
                                   [](const auto& key, auto wanted) { return key.name < wanted; });
  return it != std::end(kKeys) && it->name == name ? it : nullptr;
}

std::string string_property(const Properties& properties, std::string_view name) {
  if (const auto it = properties.find(std::string(name)); it != properties.end()) return it->second;
  const BrokerConfigKey* key = find_broker_config_key(name);
  return key == nullptr ? std::string() : std::string(key->default_value);
}

int64_t int_property(const Properties& properties, std::string_view name) {
  return number(string_property(properties, name)).value_or(0);
}

bool bool_property(const Properties& properties, std::string_view name) {
  return string_property(properties, name) == "true";
}

bool is_known_property(std::string_view name) {
  return find_broker_config_key(name) != nullptr || topic_default(name) != nullptr || is_one_of(kAccepted, name) ||
         is_one_of(kNotOffered, name) || is_one_of(kProtecting, name) || net::is_tls_key(name) || is_listener_key(name);
}

ConfigComplaints check_properties(const Properties& properties) {
  ConfigComplaints out;
  for (const auto& [name, value] : properties) {
    if (const BrokerConfigKey* key = find_broker_config_key(name)) {
      if (const std::string should = expected(*key, value); !should.empty())
        out.wrong.push_back(fmt::format("{}; expected {}", not_allowed(name, value), should));
    } else if (const log::ConfigKey* topic_key = topic_default(name)) {
      if (const std::string should = log::expected_of(*topic_key, value); !should.empty())
        out.wrong.push_back(fmt::format("{}: {}", not_allowed(name, value), should));
    } else if (name == kTieredStorage) {
      if (value != "false") out.wrong.push_back(fmt::format("{}={}: there is no tiered storage here", name, value));
    } else if (is_coarse_time(name)) {
      // Times that are too long to count in milliseconds, or none; only a retention may be without limit.
      const auto time = number(value);
      const bool unlimited = time == -1 && name != "log.roll.hours";
      if (!time || !((*time >= 1 && *time <= INT32_MAX) || unlimited))
        out.wrong.push_back(fmt::format("{}; expected a whole number from 1 to {}{}", not_allowed(name, value),
                                        INT32_MAX, name == "log.roll.hours" ? "" : ", or -1 for no limit"));
    } else if (is_one_of(kProtecting, name)) {
      out.wrong.push_back(
          fmt::format("{}: this broker has neither SASL nor ACLs and would not keep anybody out; take "
                      "the key away and protect the broker by TLS client certificates "
                      "(ssl.client.auth=required), the network, or run on Apache Kafka",
                      name));
    } else if (is_one_of(kNotOffered, name) && !is_one_of(kAccepted, name)) {
      out.unknown.push_back(fmt::format("{}: a key of Kafka's that has no effect here", name));
    } else if (!is_known_property(name)) {
      out.unknown.push_back(unknown_key(name));
    }
  }
  if (out.wrong.empty()) check_together(properties, out.wrong);
  return out;
}

namespace {
// node.id, or broker.id as it was called before KRaft.
Result<int32_t> node_id_of(const Properties& properties) {
  const auto old = properties.find("broker.id");
  if (old == properties.end()) return static_cast<int32_t>(int_property(properties, "node.id"));
  const auto id = number(old->second);
  if (!id || *id < 0 || *id > INT32_MAX)
    return error(Code::invalid_argument, "broker.id={}: not an id; expected a whole number from 0 to {}", old->second,
                 INT32_MAX);
  if (properties.contains("node.id") && int_property(properties, "node.id") != *id)
    return error(Code::invalid_argument, "broker.id={}: node.id={} is given too, and they name the same thing",
                 old->second, properties.at("node.id"));
  return static_cast<int32_t>(*id);
}
}  // namespace

Result<BrokerConfig> BrokerConfig::from_properties(const Properties& properties) {
  BrokerConfig out;
  out.properties = properties;
  const std::vector<Listener> listeners = MUIR_TRY(read_listeners(properties));
  if (!listeners.empty()) {
    out.host = listeners.front().host;
    out.port = listeners.front().port;
  }
  const std::string_view folder_key = properties.contains("log.dirs") ? "log.dirs" : "log.dir";
  out.data_dir = string_property(properties, properties.contains("log.dir") ? folder_key : "log.dirs");
  if (out.data_dir.empty() || out.data_dir.find(',') != std::string::npos) {
    return error(Code::invalid_argument, "{}={}: one data folder is supported; name exactly one", folder_key,
                 out.data_dir);
  }
  out.node_id = MUIR_TRY(node_id_of(properties));
  out.network_threads = static_cast<int>(std::max<int64_t>(1, int_property(properties, "num.network.threads")));
  return out;
}

Result<std::vector<Listener>> BrokerConfig::listeners() const {
  if (properties.contains("listeners")) {
    auto said = read_listeners(properties);
    if (!said.ok() || !said->empty()) return said;
  }
  Properties given = properties;
  given["listeners"] =
      fmt::format("PLAINTEXT://{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]", port);
  return read_listeners(given);
}

}  // namespace muir::broker
