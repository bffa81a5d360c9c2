// Ids of vehicles and zones, wherever they come from: positions, paths of requests, files of master data.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace muir::vts {

inline constexpr size_t kIdBytesMax = 128;

// Fails when `id` cannot be one. An id is UTF-8 of 1 to `bytes_max` bytes without control characters, shows something,
// and is neither "." nor "..", which browsers and proxies take out of a path. `what` is what the message calls it.
Status check_id(std::string_view what, std::string_view id, size_t bytes_max = kIdBytesMax);

}  // namespace muir::vts
