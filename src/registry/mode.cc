#include "registry/mode.h"

#include <algorithm>
#include <array>

namespace muir::registry {
namespace {

constexpr std::array<std::string_view, 5> kNames{"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"};

bool equal_in_any_case(std::string_view text, std::string_view upper) {
  return std::equal(text.begin(), text.end(), upper.begin(), upper.end(), [](char c, char wanted) {
    return (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) == wanted;
  });
}

}  // namespace

std::string_view to_string(Mode mode) { return kNames[static_cast<size_t>(mode)]; }

std::optional<Mode> mode_from(std::string_view text) {
  const auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](std::string_view name) { return equal_in_any_case(text, name); });
  return found == kNames.end() ? std::nullopt : std::optional(static_cast<Mode>(found - kNames.begin()));
}

}  // namespace muir::registry
