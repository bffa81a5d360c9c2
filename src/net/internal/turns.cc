#include "net/internal/turns.h"

#include <algorithm>
#include <utility>

namespace muir::net {

constexpr int64_t kWeightMaxUs = 10'000;
constexpr int64_t kUsualOver = 8;  // turns

void Turns::take(const std::shared_ptr<Taker>& taker) {
  // Of a new one nothing is known: it is before those of whom the worst is known, and in no hurry.
  const bool first = taker->had_us_ == Taker::kUnknown;
  const int64_t start_us = first ? now_us_ - 1 : std::max(taker->had_us_, now_us_);
  if (!first && start_us <= now_us_ + kSlackUs) return run(*taker, start_us);
  waiting_.emplace(start_us, taker);
  if (std::exchange(posted_, true)) return;
  post_([this] { run_first(); });
}

void Turns::run(Taker& taker, int64_t start_us) {
  const int64_t begin_us = clock_us_();
  taker.on_turn();
  const int64_t took_us = clock_us_() - begin_us;
  // One that is long for once does not count as if all were: the machine may have been busy with something else.
  if (taker.had_us_ == Taker::kUnknown) taker.usual_us_ = took_us;
  const int64_t weight_us = std::min({took_us, taker.usual_us_, kWeightMaxUs});
  taker.had_us_ = start_us + took_us * weight_us / kUnitUs;
  taker.usual_us_ += (took_us - taker.usual_us_) / kUsualOver;
}

void Turns::run_first() {
  posted_ = false;
  if (waiting_.empty()) return;
  const auto first = waiting_.begin();
  const auto taker = std::move(first->second);
  now_us_ = std::max(now_us_, first->first);
  const int64_t start_us = first->first;
  waiting_.erase(first);
  if (!waiting_.empty()) {
    posted_ = true;
    post_([this] { run_first(); });
  }
  run(*taker, start_us);
}

}  // namespace muir::net
