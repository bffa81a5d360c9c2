// What Kafka accepts as the name of a topic.
#pragma once

#include <algorithm>
#include <string_view>

namespace muir::wire {

// 1 to 249 of [a-zA-Z0-9._-], not "." or "..".
inline bool valid_topic_name(std::string_view name) {
  constexpr size_t kLengthMax = 249;
  if (name.empty() || name.size() > kLengthMax || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

}  // namespace muir::wire
