// eventually(): waits for a condition instead of sleeping for a guess.
#pragma once

#include <chrono>
#include <functional>

namespace muir::testing {

// Calls `condition` until it is true or `timeout` has passed; returns its last answer.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds timeout = std::chrono::seconds(30));

}  // namespace muir::testing
