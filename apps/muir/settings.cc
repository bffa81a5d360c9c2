#include "apps/muir/settings.h"

#include <unistd.h>

#include <filesystem>

#include "apps/muir/metrics_service.h"
#include "apps/vts/config.h"
#include "base/log.h"
#include "broker/broker_config.h"
#include "client/kafka_client.h"
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
  for (const ConfigKey& key : vts::vts_config().keys()) names.push_back(key.name);
  for (const ConfigKey& key : registry::registry_config().keys()) names.push_back(key.name);
  for (const ConfigKey& key : metrics_config().keys()) names.push_back(key.name);
  for (const auto& key : broker::broker_config_keys()) names.emplace_back(key.name);
  for (const auto& key : streams::streams_config_keys()) names.emplace_back(key.name);
  for (const auto& [key, value] : given.values) {
    if (known(key)) continue;
    const std::string near = nearest(key, names);
    log::warn("unknown configuration key '{}' ({}){}", key, given.origins.at(key),
              near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
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

Status check_configuration(const Properties& properties) {
  if (const auto complaints = broker::check_properties(properties); !complaints.wrong.empty())
    return error(Code::invalid_argument, "configuration: {}", complaints.wrong.front());
  MUIR_RETURN_IF_ERROR(broker::BrokerConfig::from_properties(properties));
  MUIR_RETURN_IF_ERROR(registry::registry_config().validate(properties));
  MUIR_RETURN_IF_ERROR(metrics_places(properties, false));
  const vts::VtsConfig config = MUIR_TRY(vts::VtsConfig::parse(properties, "unused"));
  const Status clients = client::connect_kafka(config.client).status();
  // Also what is a good value elsewhere, and not offered here, is wrong here.
  return clients.ok() ? clients : error(Code::invalid_argument, "{}", clients.message());
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
