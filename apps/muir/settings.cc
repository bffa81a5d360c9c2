#include "apps/muir/settings.h"

#include <unistd.h>

#include <filesystem>

#include "apps/vts/config.h"
#include "base/log.h"
#include "broker/broker_config.h"
#include "streams/streams_config.h"

namespace muir::app {
namespace {

bool known(const std::string& key) {
  return vts::vts_config().find(key) != nullptr || broker::is_known_property(key) ||
         streams::unknown_keys({{key, ""}}).empty();
}

void warn_about_unknown(const Properties& given) {
  std::vector<std::string> names;
  for (const ConfigKey& key : vts::vts_config().keys()) names.push_back(key.name);
  for (const auto& key : broker::broker_config_keys()) names.emplace_back(key.name);
  for (const auto& key : streams::streams_config_keys()) names.emplace_back(key.name);
  for (const auto& [key, value] : given) {
    if (known(key)) continue;
    const std::string near = nearest(key, names);
    log::warn("unknown configuration key '{}'{}", key, near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
}

}  // namespace

Result<Properties> gather(const SettingSources& sources) {
  Properties out;
  if (!sources.config_file.empty()) out = MUIR_TRY(load_properties(sources.config_file));
  for (const auto& [key, value] : properties_from_environment(environ)) out[key] = value;
  for (const std::string& text : sources.set) {
    auto [key, value] = MUIR_TRY(parse_assignment(text));
    out[std::move(key)] = std::move(value);
  }
  warn_about_unknown(out);
  return out;
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
