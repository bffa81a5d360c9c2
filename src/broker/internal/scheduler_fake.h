// ManualScheduler: timers that fire when a test moves the clock. For tests.
#pragma once

#include <map>
#include <utility>

#include "base/clock.h"
#include "broker/internal/scheduler.h"

namespace muir::broker {

// Owned by one thread.
class ManualScheduler final : public Scheduler {
 public:
  explicit ManualScheduler(ManualClock& clock) : clock_(clock) {}

  TimerId schedule(int64_t delay_ms, std::function<void()> task) override {
    timers_.emplace(std::pair(clock_.steady_ms() + delay_ms, ++last_id_), std::move(task));
    return last_id_;
  }
  void cancel(TimerId id) override {
    std::erase_if(timers_, [id](const auto& timer) { return timer.first.second == id; });
  }

  // Moves the clock to every timer that is due within `ms`, in order, and fires it.
  void advance(int64_t ms) {
    const int64_t end = clock_.steady_ms() + ms;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto timer = timers_.extract(timers_.begin());
      if (timer.key().first > clock_.steady_ms()) clock_.set_ms(timer.key().first);
      timer.mapped()();
    }
    clock_.set_ms(end);
  }

 private:
  ManualClock& clock_;
  TimerId last_id_ = 0;
  std::map<std::pair<int64_t, TimerId>, std::function<void()>> timers_;
};

}  // namespace muir::broker
