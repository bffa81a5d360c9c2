// The text of a configuration value as Kafka reads it: blanks around numbers, words and items do not count, nor does a
// plus sign before a number; true and false in any case of letters. Functions only; thread-safe.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muir {

// Without the blanks (Java's: all up to U+0020) around it.
std::string_view config_text(std::string_view text);
std::optional<int64_t> config_integer(std::string_view text);
std::optional<double> config_fraction(std::string_view text);
std::optional<bool> config_boolean(std::string_view text);
// Between commas. "a," has an empty item behind its comma; an empty list has none.
std::vector<std::string_view> config_items(std::string_view text);

// Whether a name is one of values that nobody may read in a log, declared or not: passwords, tokens, private keys.
bool is_secret_name(std::string_view key);
// What is shown instead.
inline constexpr std::string_view kHiddenValue = "[hidden]";

// A member takes the value, whose text has been found right for its key.
inline void assign_config(std::string_view text, bool& out) { out = config_boolean(text).value_or(false); }
inline void assign_config(std::string_view text, double& out) { out = config_fraction(text).value_or(0); }
inline void assign_config(std::string_view text, std::string& out) { out = text; }
inline void assign_config(std::string_view text, std::chrono::milliseconds& out) {
  out = std::chrono::milliseconds(config_integer(text).value_or(0));
}
template <std::integral Int>
void assign_config(std::string_view text, Int& out) {
  out = static_cast<Int>(config_integer(text).value_or(0));
}
// Empty items are none.
void assign_config(std::string_view text, std::vector<std::string>& out);

}  // namespace muir
