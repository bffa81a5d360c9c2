#include "base/config_value.h"

#include <algorithm>
#include <charconv>

namespace muir {
namespace {

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  text = config_text(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  Number value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

std::string_view config_text(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> config_integer(std::string_view text) { return parsed<int64_t>(text); }
std::optional<double> config_fraction(std::string_view text) { return parsed<double>(text); }

std::optional<bool> config_boolean(std::string_view text) {
  const std::string word = lower(config_text(text));
  if (word != "true" && word != "false") return std::nullopt;
  return word == "true";
}

std::vector<std::string_view> config_items(std::string_view text) {
  std::vector<std::string_view> out;
  text = config_text(text);
  while (!text.empty()) {
    const size_t comma = text.find(',');
    out.push_back(config_text(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) out.emplace_back();
  }
  return out;
}

void assign_config(std::string_view text, std::vector<std::string>& out) {
  out.clear();
  for (const std::string_view item : config_items(text)) {
    if (!item.empty()) out.emplace_back(item);
  }
}

bool is_secret_name(std::string_view key) {
  const std::string name = lower(key);
  for (const std::string_view part :
       {"password", "secret", "jaas", "token", "private.key", "keystore.key", "key.pem", "credentials"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace muir
