#include "apps/muir/settings.h"

#include <unistd.h>

#include <filesystem>

#include "apps/muir/metrics_service.h"
#include "apps/muir/parts.h"
#include "apps/vts/config.h"
#include "base/log.h"
#include "broker/broker_config.h"
#include "client/kafka_client.h"
#include "log/topic_config.h"
#include "log/topic_config_check.h"
#include "net/tls_config.h"
#include "registry/registry_config.h"
#include "streams/streams_config.h"

namespace muir::app {
namespace {

bool known(const std::string& key) {
  constexpr std::string_view kRegistryPrefix = "schema.registry.";  // as Java's serdes have it
  if (key.starts_with(kRegistryPrefix) && net::is_tls_key(std::string_view(key).substr(kRegistryPrefix.size())))
    return true;
  if (metrics_config().find(key) != nullptr || is_metrics_tls_key(key)) return true;
  return vts::vts_config().find(key) != nullptr || registry::registry_config().find(key) != nullptr ||
         broker::is_known_property(key) || streams::unknown_keys({{key, ""}}).empty();
}

// Where the values of `layer` come from is remembered for those that win.
void lay_over(Settings& out, const Properties& layer, const std::string& origin) {
  for (const auto& [key, value] : layer) {
    out.values[key] = value;
    out.origins[key] = origin;
  }
}

void warn_about_unknown(const Settings& given) {
  std::vector<std::string> names;
  for (const Part& part : parts()) {
    for (const ConfigKey& key : part.keys) {
      if (part.top_level) names.push_back(key.name);
    }
  }
  for (const auto& [key, value] : given.values) {
    if (known(key)) continue;
    const std::string near = nearest(key, names);
    log::warn("unknown configuration key '{}' ({}){}", key, given.origins.at(key),
              near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
}

// topic.<key>, which internal topics of Streams are made with.
void check_internal_topics(const Properties& properties, ConfigMistakes& out) {
  constexpr std::string_view kPrefix = "topic.";
  const size_t before = out.size();
  Properties topic;
  for (const auto& [key, value] : properties) {
    if (!key.starts_with(kPrefix)) continue;
    const std::string name = key.substr(kPrefix.size());
    topic[name] = value;
    const ConfigKey* topic_key = storage::topic_config().find(name);
    if (topic_key == nullptr) {
      out.push_back({key, value, fmt::format("there is no configuration key {} of topics", name)});
    } else if (auto mistake = mistake_of(*topic_key, key, value)) {
      out.push_back(std::move(*mistake));
    }
  }
  // What does not go together.
  if (out.size() == before) {
    if (const Status status = storage::check_topic_config(topic, {}); !status.ok())
      out.push_back({"", std::nullopt, fmt::format("topic.*: {}", status.message())});
  }
}

// What the program's own clients need of its own broker: connections of the parts, and of each thread of Streams;
// requests with a batch of the usual size; what Streams keeps beside an offset.
constexpr int64_t kConnections = 16;
constexpr int64_t kConnectionsPerThread = 10;
constexpr int64_t kRequestBytes = 1 << 20;
constexpr int64_t kOffsetMetadataBytes = 1024;

// What this program's own broker would refuse of its own application.
void check_against_own_broker(const streams::StreamsConfig& streams, const broker::BrokerSettings& broker,
                              ConfigMistakes& out) {
  struct Limit {
    const char* key;
    int64_t value;
    int64_t least;
    const char* least_is;
  };
  const int64_t threads = streams.num_stream_threads;
  for (const Limit& one : {
           Limit{"session.timeout.ms", streams.session_timeout_ms, broker.group_session_timeout_ms_min,
                 "the broker's group.min.session.timeout.ms"},
           Limit{"group.max.session.timeout.ms", broker.group_session_timeout_ms_max, streams.session_timeout_ms,
                 "session.timeout.ms of the application"},
           Limit{"transaction.max.timeout.ms", broker.transaction_timeout_ms_max,
                 streams.exactly_once ? streams.transaction_timeout_ms : 0,
                 "transaction.timeout.ms of the application"},
           Limit{"group.max.size", broker.group_size_max, threads, "num.stream.threads of the application"},
           Limit{"max.connections", broker.connections_max, kConnections + kConnectionsPerThread * threads,
                 "what the program's own clients need"},
           Limit{"socket.request.max.bytes", broker.request_bytes_max, kRequestBytes,
                 "what the program's own clients need"},
           Limit{"offset.metadata.max.bytes", broker.offset_metadata_bytes_max, kOffsetMetadataBytes,
                 "what the program's own clients need"},
       }) {
    if (one.value >= one.least) continue;
    out.push_back({one.key, std::to_string(one.value), fmt::format("is less than {}, {}", one.least, one.least_is)});
  }
  if (streams.replication_factor > 1)
    out.push_back({"replication.factor", std::to_string(streams.replication_factor),
                   "there is one broker, which keeps one replica; leave it out"});
}

}  // namespace

Result<Settings> gather(const SettingSources& sources) {
  Settings out;
  if (!sources.config_file.empty()) lay_over(out, MUIR_TRY(load_properties(sources.config_file)), sources.config_file);
  lay_over(out, properties_from_environment(environ), "environment");
  for (const std::string& text : sources.set) {
    const auto assignment = MUIR_TRY(parse_assignment(text));
    lay_over(out, {assignment}, "--set");
  }
  warn_about_unknown(out);
  return out;
}

Status check_configuration(const Properties& properties, bool own_broker) {
  ConfigMistakes mistakes = broker::check_properties(properties).wrong;
  if (mistakes.empty()) add_failure(mistakes, broker::BrokerConfig::from_properties(properties).status());
  add_mistakes(mistakes, registry::registry_config().mistakes(properties));
  add_failure(mistakes, metrics_places(properties, false).status());
  add_mistakes(mistakes, vts::VtsConfig::mistakes(properties));
  check_internal_topics(properties, mistakes);
  if (mistakes.empty()) {
    const vts::VtsConfig config = MUIR_TRY(vts::VtsConfig::parse(properties, "unused"));
    if (own_broker) {
      const auto broker = MUIR_TRY(broker::broker_config().read(properties));
      check_against_own_broker(config.streams, broker, mistakes);
    }
    // Also what is a good value elsewhere, and not offered here, is wrong here; and files are opened.
    add_failure(mistakes, client::connect_kafka(config.client).status());
  }
  return status_of(mistakes);
}

std::string find_folder(const std::string& name) {
  std::error_code ec;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (ec) return {};
  for (std::filesystem::path at = program.parent_path(); at.has_relative_path(); at = at.parent_path()) {
    const std::filesystem::path found = at / name;
    if (std::filesystem::is_directory(found, ec)) return found.string();
    const std::filesystem::path installed = at / "share" / "muir" / name;
    if (std::filesystem::is_directory(installed, ec)) return installed.string();
  }
  return {};
}

}  // namespace muir::app
