#include "net/internal/turn_cost.h"

#include <algorithm>

namespace muir::net {

TurnCost::Begin TurnCost::begin() {
  const int64_t now_us = clocks_.steady_us();
  const bool fresh = looked_us_ && now_us - *looked_us_ <= kFreshUs;
  return {.steady_us = now_us, .cpu_us = fresh ? cpu_us_ : look(now_us)};
}

int64_t TurnCost::since(const Begin& begin, int64_t written) {
  const int64_t now_us = clocks_.steady_us();
  const int64_t passed_us = now_us - begin.steady_us;
  if (passed_us < kShortUs) return passed_us;
  return std::min(passed_us, look(now_us) - begin.cpu_us + written / kBytesPerUs);
}

int64_t TurnCost::look(int64_t now_us) {
  looked_us_ = now_us;
  return cpu_us_ = clocks_.cpu_us();
}

}  // namespace muir::net
