#include "apps/muir/parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/muir/metrics_service.h"
#include "apps/vts/config.h"
#include "broker/broker_config.h"
#include "client/client_keys.h"
#include "log/topic_config.h"
#include "net/tls_config.h"
#include "registry/registry_config.h"
#include "streams/streams_config.h"

namespace muir::app {
namespace {

// TLS keys of page and REST interface are those of TLS under a prefix.
bool is_prefixed_tls(const ConfigKey& key) { return key.name.starts_with("vts.http.ssl."); }

std::vector<ConfigKey> keys_of_vts() {
  std::vector<ConfigKey> out = vts::vts_config().keys();
  std::erase_if(out, is_prefixed_tls);
  return out;
}

std::vector<ConfigKey> keys_of_clients() {
  std::vector<ConfigKey> out;
  for (const auto kind : {client::ClientKind::producer, client::ClientKind::consumer, client::ClientKind::admin}) {
    for (const ConfigKey& key : client::client_config(kind).keys()) {
      if (std::none_of(out.begin(), out.end(), [&](const ConfigKey& known) { return known.name == key.name; }))
        out.push_back(key);
    }
  }
  std::sort(out.begin(), out.end(), [](const ConfigKey& a, const ConfigKey& b) { return a.name < b.name; });
  return out;
}

// The broker's names for what topics have when they are made.
std::vector<ConfigKey> defaults_of_topics() {
  std::vector<ConfigKey> out;
  for (ConfigKey key : storage::topic_config().keys()) {
    if (key.synonyms.empty()) continue;
    const std::string name = key.name;
    key.name = key.synonyms.front().name;
    key.doc = fmt::format("{} (topics: {})", key.doc, name);
    if (broker::broker_config().find(key.name) == nullptr) out.push_back(std::move(key));
  }
  std::sort(out.begin(), out.end(), [](const ConfigKey& a, const ConfigKey& b) { return a.name < b.name; });
  return out;
}

std::vector<Part> make_parts() {
  const auto tls = net::tls_config().keys();
  std::vector<Part> out{
      {"vehicle tracking", keys_of_vts()},          {"schema registry", registry::registry_config().keys()},
      {"metrics", metrics_config().keys()},         {"streams", streams::streams_config().keys()},
      {"broker", broker::broker_config().keys()},   {"TLS", std::vector<ConfigKey>(tls.begin(), tls.end())},
      {"defaults of topics", defaults_of_topics()}, {"topics", storage::topic_config().keys(), false},
      {"clients", keys_of_clients(), false}};
  return out;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

// "int32, 1 to 1000"; "boolean"; "`a`, `b`".
std::string type_and_range(const ConfigKey& key) {
  if (!key.allowed.empty() && key.type == ConfigType::string)
    return fmt::format("`{}`", fmt::join(key.allowed, "`, `"));
  std::string out(to_string(key.type));
  if (!key.allowed.empty()) return fmt::format("{} of `{}`", out, fmt::join(key.allowed, "`, `"));
  const int64_t least = key.type == ConfigType::int32   ? INT32_MIN
                        : key.type == ConfigType::int16 ? INT16_MIN
                                                        : INT64_MIN;
  const int64_t most = key.type == ConfigType::int32   ? INT32_MAX
                       : key.type == ConfigType::int16 ? INT16_MAX
                                                       : INT64_MAX;
  const bool whole = key.type == ConfigType::int16 || key.type == ConfigType::int32 || key.type == ConfigType::int64;
  if (whole && key.min > least && key.max < most) return fmt::format("{}, {} to {}", out, key.min, key.max);
  if (whole && key.min > least) return fmt::format("{}, at least {}", out, key.min);
  if (key.type == ConfigType::float64) {
    if (key.above > -std::numeric_limits<double>::infinity()) out += fmt::format(", above {}", key.above);
    if (key.below < std::numeric_limits<double>::infinity()) out += fmt::format(", below {}", key.below);
  }
  return out;
}

}  // namespace

const std::vector<Part>& parts() {
  static const std::vector<Part> all = make_parts();
  return all;
}

std::string shown_default(const ConfigKey& key) {
  if (key.required) return "(required)";
  if (!key.shown_fallback.empty()) return key.shown_fallback;
  return key.fallback == "9223372036854775807" ? "2^63-1" : key.fallback;
}

std::string reference() {
  std::string out;
  for (const Part& part : parts()) {
    out += fmt::format("<!-- keys: {} -->\n| key | default | values | meaning |\n|---|---|---|---|\n", part.name);
    for (const ConfigKey& key : part.keys)
      out += fmt::format("| `{}` | {} | {} | {} |\n", key.name, code(shown_default(key)), type_and_range(key), key.doc);
    out += "<!-- end -->\n";
  }
  return out;
}

}  // namespace muir::app
