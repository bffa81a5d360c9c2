#include "schema/internal/java_number.h"

#include <cmath>
#include <cstdlib>

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

}  // namespace

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
