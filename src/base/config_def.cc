#include "base/config_def.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace muir {
namespace {

bool is_whole(ConfigType type) {
  return type == ConfigType::int16 || type == ConfigType::int32 || type == ConfigType::int64;
}

std::string_view kafka_name(ConfigType type) {
  switch (type) {
    case ConfigType::int16: return "SHORT";
    case ConfigType::int32: return "INT";
    case ConfigType::int64: return "LONG";
    default: return "DOUBLE";
  }
}

// A key with the ranges of its type.
ConfigKey normal(ConfigKey key) {
  if (key.type == ConfigType::int16) key.min = std::max<int64_t>(key.min, INT16_MIN);
  if (key.type == ConfigType::int16) key.max = std::min<int64_t>(key.max, INT16_MAX);
  if (key.type == ConfigType::int32) key.min = std::max<int64_t>(key.min, INT32_MIN);
  if (key.type == ConfigType::int32) key.max = std::min<int64_t>(key.max, INT32_MAX);
  key.secret = key.secret || is_secret_name(key.name);
  return key;
}

bool equal_in_any_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ") {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string why_wrong_number(const ConfigKey& key, std::string_view value) {
  const auto number = config_integer(value);
  const bool fits = number && !(key.type == ConfigType::int32 && (*number < INT32_MIN || *number > INT32_MAX)) &&
                    !(key.type == ConfigType::int16 && (*number < INT16_MIN || *number > INT16_MAX));
  if (!fits) return fmt::format("Not a number of type {}", kafka_name(key.type));
  if (*number < key.min) return fmt::format("Value must be at least {}", key.min);
  if (*number > key.max) return fmt::format("Value must be no more than {}", key.max);
  return {};
}

// Written so that NaN is out of range, and infinity everywhere.
std::string why_wrong_fraction(const ConfigKey& key, std::string_view value) {
  const auto number = config_fraction(value);
  if (!number) return "Not a number of type DOUBLE";
  if (*number > key.above && *number < key.below) return {};
  return *number <= key.above ? fmt::format("Value must be above {}", key.above)
                              : fmt::format("Value must be below {}", key.below);
}

std::string why_wrong_words(const ConfigKey& key, std::string_view value) {
  const auto is_allowed = [&key](std::string_view word) {
    return std::any_of(key.allowed.begin(), key.allowed.end(), [&](std::string_view allowed) {
      return allowed == word || (key.any_case && equal_in_any_case(allowed, word));
    });
  };
  if (key.filled && config_text(value).empty()) return "String must be non-empty";
  if (key.allowed.empty()) return {};
  const auto items =
      key.type == ConfigType::list ? config_items(value) : std::vector<std::string_view>{config_text(value)};
  if (std::all_of(items.begin(), items.end(), is_allowed)) return {};
  return "String must be one of: " + joined(key.allowed);
}

// "from 1 to 5", "of at least 1", "of at most 5", "".
std::string range_text(const ConfigKey& key) {
  if (key.min == INT64_MIN && key.max == INT64_MAX) return {};
  if (key.max == INT64_MAX) return fmt::format(" of at least {}", key.min);
  if (key.min == INT64_MIN) return fmt::format(" of at most {}", key.max);
  return fmt::format(" from {} to {}", key.min, key.max);
}

}  // namespace

std::string_view to_string(ConfigType type) {
  switch (type) {
    case ConfigType::boolean: return "boolean";
    case ConfigType::string: return "string";
    case ConfigType::int32: return "int32";
    case ConfigType::int16: return "int16";
    case ConfigType::int64: return "int64";
    case ConfigType::float64: return "float64";
    case ConfigType::list: return "list";
  }
  return "?";
}

Status status_of(const ConfigMistakes& mistakes) {
  std::vector<std::string> lines;
  std::set<std::string_view> named;
  for (const ConfigMistake& one : mistakes) {
    if (!named.insert(one.key.empty() ? one.why : one.key).second) continue;
    lines.push_back(one.key.empty() ? one.why
                    : one.value     ? fmt::format("{}={}: {}", one.key, *one.value, one.why)
                                    : fmt::format("{} {}", one.key, one.why));
  }
  if (lines.empty()) return {};
  const bool sentence = mistakes.front().key.empty();
  if (lines.size() == 1) return error(Code::invalid_argument, "{}{}", sentence ? "" : "configuration ", lines.front());
  return error(Code::invalid_argument, "configuration: {} values are wrong\n  {}", lines.size(), joined(lines, "\n  "));
}

void add_mistakes(ConfigMistakes& to, ConfigMistakes more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void add_failure(ConfigMistakes& to, const Status& failure) {
  if (!failure.ok()) to.push_back({"", std::nullopt, failure.message()});
}

std::string why_wrong(const ConfigKey& key, std::string_view value) {
  std::string why;
  if (key.type == ConfigType::boolean && !config_boolean(value)) why = "Expected value to be either true or false";
  if (is_whole(key.type)) why = why_wrong_number(key, value);
  if (key.type == ConfigType::float64) why = why_wrong_fraction(key, value);
  if (key.type == ConfigType::string || key.type == ConfigType::list) why = why_wrong_words(key, value);
  return why.empty() && key.check ? key.check(value) : why;
}

std::string allowed_text(const ConfigKey& key) {
  if (key.type == ConfigType::boolean) return "true or false";
  if (is_whole(key.type)) return "a whole number" + range_text(key);
  if (key.type == ConfigType::float64) {
    const std::string above = std::isinf(key.above) ? "" : fmt::format(" above {}", key.above);
    const std::string below = std::isinf(key.below) ? "" : fmt::format(" below {}", key.below);
    return fmt::format("a number{}{}{}", above, above.empty() || below.empty() ? "" : " and", below);
  }
  const std::string words = key.allowed.size() == 2 ? joined(key.allowed, " or ") : "one of " + joined(key.allowed);
  if (!key.allowed.empty()) return key.type == ConfigType::list ? "a list of " + joined(key.allowed) : words;
  return key.filled ? "something" : "";
}

std::optional<ConfigMistake> mistake_of(const ConfigKey& key, std::string_view name, std::string_view value) {
  const std::string why = why_wrong(key, value);
  if (why.empty()) return std::nullopt;
  // What the check alone finds wrong, it says itself.
  ConfigKey plain = key;
  plain.check = nullptr;
  const bool by_check = why_wrong(plain, value).empty();
  return ConfigMistake{std::string(name), std::string(key.secret ? kHiddenValue : value),
                       by_check ? why : "expected " + allowed_text(key)};
}

ConfigDef::ConfigDef(std::string component, std::vector<ConfigKey> keys) : component_(std::move(component)) {
  keys_.reserve(keys.size());
  for (ConfigKey& key : keys) keys_.push_back(normal(std::move(key)));
  std::sort(keys_.begin(), keys_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const ConfigKey& key : keys_) {
    CHECK(key.fallback.empty() || why_wrong(key, key.fallback).empty(), "{}: the fallback of {} is wrong: {}",
          component_, key.name, why_wrong(key, key.fallback));
  }
}

const ConfigKey* ConfigDef::find(std::string_view name) const {
  const auto at = std::lower_bound(keys_.begin(), keys_.end(), name, [](const auto& k, auto n) { return k.name < n; });
  return at != keys_.end() && at->name == name ? &*at : nullptr;
}

const ConfigKey* ConfigDef::find_any(std::string_view name) const {
  if (const ConfigKey* key = find(name)) return key;
  for (const ConfigKey& key : keys_) {
    for (const ConfigSynonym& synonym : key.synonyms) {
      if (synonym.name == name) return &key;
    }
  }
  return nullptr;
}

ConfigMistakes ConfigDef::mistakes(const Properties& given, const Named& named) const {
  ConfigMistakes out;
  const auto name_of = [&](const std::string& key) { return named ? named(key) : key; };
  for (const auto& [name, value] : given) {
    const ConfigKey* key = find_any(name);
    if (key == nullptr || (key->required && value.empty())) continue;
    if (auto mistake = mistake_of(*key, name_of(name), value)) out.push_back(std::move(*mistake));
  }
  for (const ConfigKey& key : keys_) {
    if (key.required && value(given, key.name).empty())
      out.push_back({name_of(key.name), std::nullopt, "is missing, and has no default"});
  }
  if (out.empty() && together_) together_(given, out);
  return out;
}

std::vector<std::string> ConfigDef::unknown_keys(const Properties& given,
                                                 const std::vector<std::string>& passed_through) const {
  std::vector<std::string> names;
  for (const auto& k : keys_) names.push_back(k.name);
  std::vector<std::string> out;
  for (const auto& [name, value] : given) {
    const bool passes = std::any_of(passed_through.begin(), passed_through.end(),
                                    [&key = name](const auto& prefix) { return key.starts_with(prefix); });
    if (passes || find_any(name) != nullptr) continue;
    const std::string near = nearest(name, names);
    out.push_back(fmt::format("{} does not know the configuration key {}{}", component_, name,
                              near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return out;
}

std::string ConfigDef::value(const Properties& given, std::string_view name) const {
  const ConfigKey* key = find(name);
  CHECK(key != nullptr, "{} has no configuration key {}", component_, name);
  return given_value(given, *key).value_or(key->fallback);
}

std::optional<std::string> ConfigDef::given_value(const Properties& given, const ConfigKey& key) {
  if (const auto at = given.find(key.name); at != given.end()) return at->second;
  for (const ConfigSynonym& synonym : key.synonyms) {
    if (const auto at = given.find(synonym.name); at != given.end()) return scaled_config(synonym, at->second);
  }
  return std::nullopt;
}

std::vector<ConfigSource> ConfigDef::sources(const Properties& given, const ConfigKey& key) const {
  std::vector<ConfigSource> out;
  const auto add = [&](const std::string& name, const std::string& value, bool is_default) {
    out.push_back({name, key.secret && !value.empty() ? std::string(kHiddenValue) : value, is_default});
  };
  if (const auto at = given.find(key.name); at != given.end()) add(key.name, at->second, false);
  for (const ConfigSynonym& synonym : key.synonyms) {
    if (const auto at = given.find(synonym.name); at != given.end())
      add(synonym.name, scaled_config(synonym, at->second), false);
  }
  add(key.name, key.fallback, true);
  return out;
}

std::vector<ConfigReport> ConfigDef::report(const Properties& given) const {
  std::vector<ConfigReport> out;
  for (const ConfigKey& key : keys_) {
    ConfigReport one{.key = &key, .value = value(given, key.name), .recommended = key.allowed, .errors = {}};
    if (key.type == ConfigType::boolean) one.recommended = {"true", "false"};
    if (key.required && one.value->empty()) {
      one.value.reset();
      one.errors.push_back(fmt::format("Missing required configuration \"{}\" which has no default value.", key.name));
    } else if (!one.value->empty() || given.contains(key.name)) {
      const std::string why = why_wrong(key, *one.value);
      const std::string shown(key.secret ? kHiddenValue : std::string_view(*one.value));
      if (!why.empty())
        one.errors.push_back(fmt::format("Invalid value {} for configuration {}: {}", shown, key.name, why));
    }
    if (key.secret && one.value && !one.value->empty()) one.value = kHiddenValue;
    out.push_back(std::move(one));
  }
  // Only what is right by itself is compared.
  for (const ConfigMistake& mistake : mistakes(given)) {
    for (ConfigReport& one : out) {
      if (one.key->name != mistake.key || !one.errors.empty()) continue;
      one.errors.push_back(fmt::format("Invalid value {} for configuration {}: {}", mistake.value.value_or(""),
                                       mistake.key, mistake.why));
    }
  }
  return out;
}

std::string scaled_config(const ConfigSynonym& synonym, const std::string& value) {
  const auto number = config_integer(value);
  // Kafka's -1, and what is no number, is left as it is.
  if (synonym.factor == 1 || !number || *number < 0 || *number > INT64_MAX / synonym.factor) return value;
  return std::to_string(*number * synonym.factor);
}

}  // namespace muir
