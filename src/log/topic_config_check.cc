#include "log/topic_config_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config_def.h"
#include "log/kafka_error.h"

namespace muir::storage {
Status validate_topic_config(std::string_view name, std::string_view value) {
  const ConfigKey* key = topic_config().find(name);
  if (key == nullptr) return kafka_error(wire::ErrorCode::invalid_config, "Unknown topic config name: {}", name);
  const std::string why = why_wrong(*key, value);
  if (why.empty()) return {};
  std::string shown(value);
  if (key->type == ConfigType::list) {
    const auto all = config_items(value);
    const auto is_allowed = [key](std::string_view item) {
      return std::find(key->allowed.begin(), key->allowed.end(), item) != key->allowed.end();
    };
    const bool words = !key->allowed.empty();
    if (words && std::find(all.begin(), all.end(), "") != all.end())
      return kafka_error(wire::ErrorCode::invalid_config, "Configuration '{}' values must not be empty.", name);
    shown = words ? std::string(*std::find_if_not(all.begin(), all.end(), is_allowed))
                  : fmt::format("[{}]", fmt::join(all, ", "));
  }
  return kafka_error(wire::ErrorCode::invalid_config, "Invalid value {} for configuration {}: {}", shown, name, why);
}

Status check_topic_config(const Properties& overrides, const Properties& broker) {
  for (const auto& [name, value] : overrides) {
    if (topic_config().find(name) == nullptr) return validate_topic_config(name, value);
  }
  for (const auto& [name, value] : overrides) MUIR_RETURN_IF_ERROR(validate_topic_config(name, value));
  const auto text = [&](std::string_view name) {
    return topic_config_value(*topic_config().find(name), overrides, broker);
  };
  const int64_t least_lag = config_integer(text("min.compaction.lag.ms")).value_or(0);
  const int64_t most_lag = config_integer(text("max.compaction.lag.ms")).value_or(INT64_MAX);
  if (least_lag > most_lag) {
    return kafka_error(wire::ErrorCode::invalid_config,
                       "conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
                       least_lag, most_lag);
  }
  // Who asks for it expects records to be kept elsewhere.
  if (config_text(text("remote.storage.enable")).size() == std::string_view("true").size()) {
    return kafka_error(wire::ErrorCode::invalid_config,
                       "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote "
                       "log storage.");
  }
  return {};
}

}  // namespace muir::storage
