#include "broker/broker_config.h"

#include <algorithm>

#include "log/topic_config.h"
#include "log/topic_config_check.h"
#include "net/tls_config.h"

namespace muir::broker {
namespace {

// Keys of Kafka that a single node has no use for; naming them is not a mistake. One that ends in a dot stands for all
// keys that begin with it.
constexpr std::string_view kAccepted[] = {"auto.leader.rebalance.enable",
                                          "background.threads",
                                          "broker.heartbeat.interval.ms",
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

// The topics' key that has this name at the broker.
const ConfigKey* topic_default(std::string_view name) {
  for (const ConfigKey& key : storage::topic_config().keys()) {
    for (const ConfigSynonym& synonym : key.synonyms) {
      if (synonym.name == name) return &key;
    }
  }
  return nullptr;
}

// Kafka's other names for times that are kept in milliseconds.
bool is_coarse_time(std::string_view name) {
  return name == "log.retention.hours" || name == "log.retention.minutes" || name == "log.roll.hours";
}

std::string unknown_key(std::string_view name) {
  std::vector<std::string> known;
  for (const ConfigKey& key : broker_config().keys()) known.push_back(key.name);
  for (const ConfigKey& key : storage::topic_config().keys()) {
    for (const ConfigSynonym& synonym : key.synonyms) known.push_back(synonym.name);
  }
  const std::string near = nearest(name, known);
  return near.empty() ? fmt::format("{}: unknown key", name)
                      : fmt::format("{}: unknown key; the nearest known one is {}", name, near);
}

// Without it Apache Kafka would not keep what is asked for; here there is nothing to enable.
constexpr std::string_view kTieredStorage = "remote.log.storage.system.enable";

// Times that are too long to count in milliseconds, or none; only a retention may be without limit.
std::string no_coarse_time(std::string_view name, std::string_view value) {
  const auto time = config_integer(value);
  const bool unlimited = name != "log.roll.hours";
  if (time && ((*time >= 1 && *time <= INT32_MAX) || (*time == -1 && unlimited))) return {};
  return fmt::format("expected a whole number from 1 to {}{}", INT32_MAX, unlimited ? ", or -1 for no limit" : "");
}

// Why the value is wrong, of keys that are not the broker's own.
std::string why_not(std::string_view name, std::string_view value) {
  if (is_coarse_time(name)) return no_coarse_time(name, value);
  if (const ConfigKey* key = topic_default(name)) {
    const auto mistake = mistake_of(*key, name, value);
    return mistake ? mistake->why : "";
  }
  if (name == kTieredStorage && value != "false") return "there is no tiered storage here";
  if (!is_one_of(kProtecting, name)) return {};
  return "this broker has neither SASL nor ACLs and would not keep anybody out; take the key away and protect the "
         "broker "
         "by TLS client certificates (ssl.client.auth=required), the network, or run on Apache Kafka";
}

// Defaults of topics that do not go together: no topic could be made with them.
void check_topic_defaults(const Properties& properties, ConfigMistakes& out) {
  constexpr const char* kLeast = "log.cleaner.min.compaction.lag.ms";
  constexpr const char* kMost = "log.cleaner.max.compaction.lag.ms";
  if (const Status status = storage::check_topic_config({}, properties); !status.ok()) {
    const auto least = properties.find(kLeast);
    const auto most = properties.find(kMost);
    if (most == properties.end()) return out.push_back({"", std::nullopt, status.message()});
    out.push_back(
        {kLeast, least == properties.end() ? "0" : least->second, fmt::format("above {}={}", kMost, most->second)});
  }
}

}  // namespace

bool is_known_property(std::string_view name) {
  return broker_config().find_any(name) != nullptr || topic_default(name) != nullptr || is_one_of(kAccepted, name) ||
         is_one_of(kNotOffered, name) || is_one_of(kProtecting, name) || net::is_tls_key(name) || is_listener_key(name);
}

ConfigComplaints check_properties(const Properties& properties) {
  ConfigComplaints out;
  out.wrong = broker_config().mistakes(properties);
  for (const auto& [name, value] : properties) {
    if (broker_config().find_any(name) != nullptr) continue;
    if (std::string why = why_not(name, value); !why.empty()) {
      const bool hidden = is_secret_name(name);
      out.wrong.push_back({name, std::string(hidden ? kHiddenValue : std::string_view(value)), std::move(why)});
    } else if (is_one_of(kNotOffered, name) && !is_one_of(kAccepted, name)) {
      out.unknown.push_back(fmt::format("{}: a key of Kafka's that has no effect here", name));
    } else if (!is_known_property(name)) {
      out.unknown.push_back(unknown_key(name));
    }
  }
  if (out.wrong.empty()) check_topic_defaults(properties, out.wrong);
  return out;
}

Result<BrokerConfig> BrokerConfig::from_properties(const Properties& properties) {
  BrokerConfig out;
  out.properties = properties;
  const std::vector<Listener> listeners = MUIR_TRY(read_listeners(properties));
  if (!listeners.empty()) {
    out.host = listeners.front().host;
    out.port = listeners.front().port;
  }
  const std::string_view folder_key =
      properties.contains("log.dirs") || !properties.contains("log.dir") ? "log.dirs" : "log.dir";
  out.data_dir = broker_config().value(properties, "log.dirs");
  if (out.data_dir.find_first_not_of(" \t") == std::string::npos || out.data_dir.find(',') != std::string::npos) {
    return error(Code::invalid_argument, "{}={}: one data folder is supported; name exactly one", folder_key,
                 out.data_dir);
  }
  const auto id = properties.find("node.id");
  const auto old_id = properties.find("broker.id");  // as it was called before KRaft
  if (id != properties.end() && old_id != properties.end() &&
      config_integer(id->second) != config_integer(old_id->second))
    return error(Code::invalid_argument, "broker.id={}: node.id={} is given too, and they name the same thing",
                 old_id->second, id->second);
  BrokerSettings settings;
  MUIR_RETURN_IF_ERROR(broker_config().read_into(settings, properties));
  out.node_id = static_cast<int32_t>(settings.node_id);
  out.network_threads = static_cast<int>(settings.network_threads);
  return out;
}

Result<std::vector<Listener>> BrokerConfig::listeners() const {
  if (properties.contains("listeners")) {
    auto said = read_listeners(properties);
    if (!said.ok() || !said->empty()) return said;
  }
  if (host.empty())
    return error(Code::invalid_argument, "the broker's host is empty; 0.0.0.0 stands for all addresses");
  Properties given = properties;
  given["listeners"] =
      fmt::format("PLAINTEXT://{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]", port);
  return read_listeners(given);
}

}  // namespace muir::broker
