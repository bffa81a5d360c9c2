#include "registry/media_type.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/check.h"

namespace muir::registry {
namespace {

// In the order of preference.
constexpr std::string_view kTypes[]{"application/vnd.schemaregistry.v1+json", "application/vnd.schemaregistry+json",
                                    "application/json"};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// Takes what is before the separator, and the separator, from the front.
std::string_view take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trim(part);
}

struct Range {
  std::string type;  // "application/json", "application/*", "*/*"
  double weight = 1;
};

Range range_from(std::string_view text) {
  Range range{.type = lower(take(text, ';'))};
  while (!text.empty()) {
    std::string_view value = take(text, ';');
    if (lower(take(value, '=')) != "q") continue;
    double weight = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), weight);
    range.weight = parsed.ec == std::errc() ? std::clamp(weight, 0.0, 1.0) : 1;  // nonsense says nothing
  }
  return range;
}

// Of the ranges that a type is in, the narrowest says its weight; 0 when it is in none.
double weight_of(std::string_view type, const std::vector<Range>& ranges) {
  for (const std::string_view name : {type, std::string_view("application/*"), std::string_view("*/*")}) {
    const auto found =
        std::find_if(ranges.begin(), ranges.end(), [&](const Range& range) { return range.type == name; });
    if (found != ranges.end()) return found->weight;
  }
  return 0;
}

}  // namespace

bool is_body_type(std::string_view content_type) {
  const std::string type = lower(take(content_type, ';'));
  return type.empty() || type == "application/octet-stream" ||
         std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

std::optional<std::string_view> accepted_type(std::string_view accept) {
  if (trim(accept).empty()) return kTypes[0];
  std::vector<Range> ranges;
  while (!accept.empty()) ranges.push_back(range_from(take(accept, ',')));
  std::optional<std::string_view> best;
  double best_weight = 0;
  for (const auto type : kTypes) {
    const double weight = weight_of(type, ranges);
    if (weight <= best_weight) continue;
    best = type;
    best_weight = weight;
  }
  return best;
}

std::string_view preferred_type() { return kTypes[0]; }

int fuzz_media_type(BytesView input) {
  (void)is_body_type(input);
  const auto accepted = accepted_type(input);
  CHECK(!accepted || is_body_type(*accepted), "{} is answered and not read", *accepted);
  return accepted ? 1 : 0;
}

}  // namespace muir::registry
