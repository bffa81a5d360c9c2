#include "net/internal/turns.h"

#include <algorithm>
#include <utility>

namespace muir::net {

constexpr int64_t kWeightMaxUs = 10'000;
constexpr int64_t kUsualOver = 8;  // turns
constexpr int64_t kLittle = 4;     // a part of what a first turn counts for

void Turns::take(const std::shared_ptr<Taker>& taker) {
  if (taker->had_us_ == Taker::kUnknown) {
    newcomers_.push_back(taker);
  } else {
    const int64_t start_us = std::max(taker->had_us_, now_us_);
    if (start_us <= now_us_ + kSlackUs) return run(*taker, start_us);
    waiting_.emplace(start_us, taker);
  }
  if (std::exchange(posted_, true)) return;
  post_([this] { run_first(); });
}

void Turns::run(Taker& taker, int64_t start_us) {
  const int64_t written = taker.written_bytes();
  const TurnCost::Begin begin = cost_.begin();
  taker.on_turn();
  const int64_t took_us = cost_.since(begin, taker.written_bytes() - written);
  const bool first = taker.had_us_ == Taker::kUnknown;
  // One that is long for once does not count as if all were.
  if (first) taker.usual_us_ = took_us;
  const int64_t weight_us = std::min({took_us, taker.usual_us_, kWeightMaxUs});
  const int64_t counts_us = took_us * weight_us / kUnitUs;
  if (first) first_turn_us_ += (counts_us - first_turn_us_) / kUsualOver;
  taker.had_us_ = start_us + counts_us;
  taker.usual_us_ += (took_us - taker.usual_us_) / kUsualOver;
}

// Of a newcomer nothing is known: it is before those of whom the worst is known. But for whoever has had little more
// than his share, all that come at once would be one long turn.
bool Turns::newcomer_is_next() const {
  if (newcomers_.empty() || waiting_.empty()) return waiting_.empty();
  const bool little = waiting_.begin()->first - now_us_ <= first_turn_us_ / kLittle;
  return !little || !newcomer_was_last_;
}

void Turns::run_first() {
  posted_ = false;
  if (waiting() == 0) return;
  newcomer_was_last_ = newcomer_is_next();
  std::shared_ptr<Taker> taker;
  int64_t start_us = now_us_;
  if (newcomer_was_last_) {
    taker = std::move(newcomers_.front());
    newcomers_.pop_front();
  } else {
    start_us = waiting_.begin()->first;
    taker = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    now_us_ = std::max(now_us_, start_us);
  }
  if (waiting() > 0) {
    posted_ = true;
    post_([this] { run_first(); });
  }
  run(*taker, start_us);
}

}  // namespace muir::net
