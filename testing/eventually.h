// eventually(): waits for a condition instead of sleeping for a guess.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace muir::testing {

// How long a test waits for what must come. Only one that fails ever waits that long, so it is enough for a machine
// that is busy with ten other things, and for a sanitizer.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::minutes(2);
inline constexpr int64_t kPatienceMs = kPatience.count();

// Calls `condition` until it is true or `timeout` has passed; returns its last answer. Give no shorter one: under load
// it fails.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds timeout = kPatience);

}  // namespace muir::testing
