// Backoff: how long to wait before what failed is tried again: twice as long after each failure, up to a limit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace muir {

// Plain value; not thread-safe.
class Backoff {
 public:
  Backoff(int64_t first_ms, int64_t max_ms) : first_ms_(first_ms), max_ms_(max_ms), next_ms_(first_ms) {}

  // How long to wait after one more failure.
  int64_t next_ms() { return std::exchange(next_ms_, std::min(next_ms_ * 2, max_ms_)); }
  // It has worked: the next failure is the first again.
  void reset() { next_ms_ = first_ms_; }

 private:
  int64_t first_ms_;
  int64_t max_ms_;
  int64_t next_ms_;
};

}  // namespace muir
