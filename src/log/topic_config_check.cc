#include "log/topic_config_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "log/kafka_error.h"

namespace muir::log {
namespace {

using enum ConfigType;

bool one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

// "a," has an empty item behind its comma; an empty list has none.
std::vector<std::string_view> items(std::string_view list_text) {
  std::vector<std::string_view> out;
  list_text = config_text(list_text);
  while (!list_text.empty()) {
    const size_t comma = list_text.find(',');
    out.push_back(config_text(list_text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    list_text.remove_prefix(comma + 1);
    if (list_text.empty()) out.emplace_back();
  }
  return out;
}

bool is_policy(std::string_view item) { return one_of(item, {"compact", "delete"}); }

// The least value of a number; INT64_MIN where Kafka takes any.
int64_t least(std::string_view name) {
  if (name == "retention.bytes") return INT64_MIN;
  if (name == "retention.ms") return -1;
  if (one_of(name, {"local.retention.ms", "local.retention.bytes"})) return -2;
  if (one_of(name,
             {"segment.ms", "max.compaction.lag.ms", "min.insync.replicas", "compression.lz4.level", "flush.messages"}))
    return 1;
  // Kafka's own tests roll after a few bytes, by a key that it keeps to itself; a batch of one record is larger than
  // this.
  if (name == "segment.bytes") return 14;
  if (name == "segment.index.bytes") return 4;
  if (name == "compression.zstd.level") return -131072;
  return 0;
}

int64_t greatest(std::string_view name) {
  if (name == "compression.lz4.level") return 17;
  if (name == "compression.zstd.level") return 22;
  return INT64_MAX;
}

std::string wrong_number(const ConfigKey& key, std::string_view value) {
  const auto parsed = config_integer(value);
  const bool fits = parsed && (key.type == int64 || (*parsed >= INT32_MIN && *parsed <= INT32_MAX));
  if (!fits) return fmt::format("Not a number of type {}", key.type == int64 ? "LONG" : "INT");
  if (key.name == "compression.gzip.level") {
    if (*parsed == -1 || (*parsed >= 1 && *parsed <= 9)) return {};
    return "Value must be between 1 and 9 or equal to -1";
  }
  if (*parsed < least(key.name)) return fmt::format("Value must be at least {}", least(key.name));
  if (*parsed > greatest(key.name)) return fmt::format("Value must be no more than {}", greatest(key.name));
  return {};
}

std::string wrong_fraction(std::string_view value) {
  const auto parsed = config_fraction(value);
  if (!parsed) return "Not a number of type DOUBLE";
  if (!(*parsed >= 0)) return "Value must be at least 0";
  return *parsed > 1 ? "Value must be no more than 1" : "";
}

bool is_boolean(std::string_view value) {
  std::string lower(config_text(value));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower == "true" || lower == "false";
}

// "0:1": a partition and a broker.
bool is_replica(std::string_view text) {
  const size_t colon = text.find(':');
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return colon != std::string_view::npos && digits(text.substr(0, colon)) && digits(text.substr(colon + 1));
}

std::string wrong_list(const ConfigKey& key, std::string_view value) {
  auto all = items(value);
  if (key.name == "cleanup.policy")
    return std::all_of(all.begin(), all.end(), is_policy) ? "" : "String must be one of: compact, delete";
  if (!all.empty() && all.back().empty()) all.pop_back();
  const bool everything = all.size() == 1 && all.front() == "*";
  if (everything || std::all_of(all.begin(), all.end(), is_replica)) return {};
  return fmt::format(
      "{} must be the literal '*' or a list of replicas in the following format: "
      "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
      key.name);
}

std::string wrong_string(const ConfigKey& key, std::string_view value) {
  value = config_text(value);
  if (key.name == "compression.type") {
    if (one_of(value, {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"})) return {};
    return "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer";
  }
  if (one_of(value, {"CreateTime", "LogAppendTime"})) return {};
  return "String must be one of: CreateTime, LogAppendTime";
}

}  // namespace

std::string_view config_text(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> config_integer(std::string_view text) {
  text = config_text(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> config_fraction(std::string_view text) {
  text = config_text(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string expected_of(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case boolean: return is_boolean(value) ? "" : "Expected value to be either true or false";
    case int32:
    case int16:
    case int64: return wrong_number(key, value);
    case float64: return wrong_fraction(value);
    case list: return wrong_list(key, value);
    case string: return wrong_string(key, value);
  }
  return {};
}

Status validate_topic_config(std::string_view name, std::string_view value) {
  const ConfigKey* key = find_topic_config_key(name);
  if (key == nullptr) return kafka_error(wire::ErrorCode::invalid_config, "Unknown topic config name: {}", name);
  const std::string why = expected_of(*key, value);
  if (why.empty()) return {};
  std::string shown(value);
  if (key->type == list) {
    const auto all = items(value);
    const bool policy = key->name == "cleanup.policy";
    if (policy && std::find(all.begin(), all.end(), "") != all.end())
      return kafka_error(wire::ErrorCode::invalid_config, "Configuration '{}' values must not be empty.", name);
    shown = policy ? std::string(*std::find_if_not(all.begin(), all.end(), is_policy))
                   : fmt::format("[{}]", fmt::join(all, ", "));
  }
  return kafka_error(wire::ErrorCode::invalid_config, "Invalid value {} for configuration {}: {}", shown, name, why);
}

Status check_topic_config(const Properties& overrides, const Properties& broker) {
  for (const auto& [name, value] : overrides) {
    if (find_topic_config_key(name) == nullptr) return validate_topic_config(name, value);
  }
  for (const auto& [name, value] : overrides) MUIR_RETURN_IF_ERROR(validate_topic_config(name, value));
  const auto text = [&](std::string_view name) {
    return topic_config_value(*find_topic_config_key(name), overrides, broker);
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

}  // namespace muir::log
