#include "client/client_keys.h"

#include <algorithm>

#include "client/internal/client_rules.h"
#include "client/internal/kafka_config.h"
#include "client/internal/key_table.h"
#include "net/tls_config.h"

namespace muir::client {
namespace {

using internal::ClientKey;
using internal::kAdmin;
using internal::kConsumer;
using internal::kProducer;

unsigned use_of(ClientKind kind) {
  return kind == ClientKind::producer ? kProducer : kind == ClientKind::consumer ? kConsumer : kAdmin;
}

std::string_view name_of(ClientKind kind) {
  return kind == ClientKind::producer ? "producer" : kind == ClientKind::consumer ? "consumer" : "admin";
}

ConfigDef make_config(ClientKind kind) {
  std::vector<ConfigKey> keys;
  for (const ClientKey& key : internal::client_keys()) {
    if ((key.use & use_of(kind)) != 0) keys.push_back(key.config);
  }
  return ConfigDef(std::string(name_of(kind)), std::move(keys));
}

std::string complaint(ClientKind kind, std::string_view name, std::string_view prefix) {
  if (internal::is_accepted_without_effect(name, use_of(kind)) || name.starts_with("sasl.")) {
    return fmt::format("configuration key '{}{}' of the Java client is not supported yet and has no effect", prefix,
                       name);
  }
  if (const ClientKey* other = internal::find_client_key(name)) {
    return fmt::format("configuration key '{}{}' is not one of {}s and has no effect", prefix, other->config.name,
                       name_of(kind));
  }
  std::vector<std::string> known;
  for (const ConfigKey& key : client_config(kind).keys()) known.push_back(key.name);
  for (const ConfigKey& key : net::tls_config().keys()) known.push_back(key.name);
  const std::string near = nearest(name, known);
  return near.empty()
             ? fmt::format("unknown configuration key '{}{}'", prefix, name)
             : fmt::format("unknown configuration key '{}{}'; did you mean '{}{}'?", prefix, name, prefix, near);
}

// Keys whose values other modules read.
void check_elsewhere(const ClientGiven& given, ConfigMistakes& out) {
  const auto wrong = [&](const std::string& key, const Status& status) {
    if (!status.ok()) out.push_back({given.name_of(key), given.values.at(key), status.message()});
  };
  if (const auto at = given.values.find("bootstrap.servers"); at != given.values.end())
    wrong(at->first, internal::parse_endpoints(at->second).status());
  const auto protocol = given.values.find("security.protocol");
  if (protocol == given.values.end()) return;
  const auto tls = net::is_tls_protocol(protocol->second, given.name_of(protocol->first));
  add_failure(out, tls.status());
  const auto named = [&](const std::string& key) { return given.name_of(key); };
  if (tls.ok() && *tls) add_mistakes(out, net::tls_mistakes(given.values, {""}, named));
}

}  // namespace

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
    } else if (client_config(kind).find(name) == nullptr && !net::is_tls_key(name) &&
               (kind == ClientKind::admin || !name.starts_with("rdkafka."))) {
      out.push_back(complaint(kind, name, prefix));
    }
  }
  return out;
}

void ClientGiven::lay_over(const Properties& properties, std::string_view prefix) {
  for (const auto& [key, value] : properties) {
    if (!key.starts_with(prefix)) continue;
    const std::string name = key.substr(prefix.size());
    values[name] = value;
    names[name] = key;
  }
}

std::string ClientGiven::name_of(const std::string& key) const {
  const auto found = names.find(key);
  return found == names.end() ? key : found->second;
}

ConfigMistakes client_mistakes(ClientKind kind, const ClientGiven& given) {
  ConfigMistakes out;
  for (const auto& [name, value] : given.values) {
    const ConfigKey* key = client_config(kind).find(name);
    if (key == nullptr) continue;
    if (auto mistake = mistake_of(*key, given.name_of(name), value)) out.push_back(std::move(*mistake));
  }
  check_elsewhere(given, out);
  internal::check_rdkafka_keys(kind, given, out);
  if (out.empty()) internal::check_together(kind, given, out);
  return out;
}

}  // namespace muir::client
