#include "schema/internal/java_number.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace muir::schema::internal {
namespace {

// Double.toString: plain from 10^-3 to 10^7, else computerised scientific notation; always a digit after the point.
std::string java_text(double value) {
  const double size = std::fabs(value);
  if (size == 0 || (size >= 1e-3 && size < 1e7)) {
    std::string text = fmt::format("{}", value);
    if (text.find('.') == std::string::npos) text += ".0";
    return text;
  }
  // The shortest digits, as "d.ddde+XX", without the sign and the zeros of the exponent.
  std::string text;
  for (int digits = 0; digits <= 17; ++digits) {
    text = fmt::format("{:.{}e}", value, digits);
    if (std::strtod(text.c_str(), nullptr) == value) break;
  }
  const size_t mark = text.find('e');
  std::string mantissa = text.substr(0, mark);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  return fmt::format("{}E{}", mantissa, std::atoi(text.c_str() + mark + 1));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Takes digits with at most one '.' from the front; false when there are none.
bool take_digits(std::string_view& text, bool (*is_one)(char)) {
  bool any = false;
  bool dot = false;
  while (!text.empty() && (is_one(text.front()) || (text.front() == '.' && !dot))) {
    (text.front() == '.' ? dot : any) = true;
    text.remove_prefix(1);
  }
  return any;
}

// Takes the exponent that `mark` begins, in lower or upper case; false when it has no digits.
bool take_exponent(std::string_view& text, char mark) {
  if (text.empty() || (text.front() | 0x20) != mark) return true;
  text.remove_prefix(1);
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

}  // namespace

// The grammar of java.lang.Double.valueOf; the C library knows every number of it, and others that must not pass.
std::optional<double> java_double_from(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "NaN") return std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (rest == "Infinity") return negative ? -kInfinity : kInfinity;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    rest.remove_prefix(2);
    if (!take_digits(rest, is_hex_digit) || rest.empty() || (rest.front() | 0x20) != 'p' || !take_exponent(rest, 'p'))
      return std::nullopt;
  } else if (!take_digits(rest, is_digit) || !take_exponent(rest, 'e')) {
    return std::nullopt;
  }
  if (rest.size() > 1 || rest.find_first_not_of("fFdD") != std::string_view::npos) return std::nullopt;
  return std::strtod(std::string(text).c_str(), nullptr);
}

void rewrite_numbers_as_java(Json& json) {
  if (const auto* number = json.as_number()) {
    if (number->text == "-0") json = Json(0);
    if (json.as_number()->text.find_first_of(".eE") == std::string::npos) return;
    const double value = json.as_double().value_or(0);
    json = std::isfinite(value) ? Json(Json::Number{java_text(value)}) : Json(value);
  } else if (auto* items = json.as_array()) {
    for (auto& item : *items) rewrite_numbers_as_java(item);
  } else if (auto* members = json.as_object()) {
    for (auto& member : *members) rewrite_numbers_as_java(member.value);
  }
}

}  // namespace muir::schema::internal
