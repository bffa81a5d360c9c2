// LoopScheduler: the coordinators' timers, over the broker's event loop.
#pragma once

#include <mutex>

#include "broker/internal/scheduler.h"
#include "net/event_loop.h"

namespace muir::broker {

// Thread-safe. The loop outlives it.
class LoopScheduler final : public Scheduler {
 public:
  explicit LoopScheduler(net::EventLoop& loop) : loop_(loop) {}

  TimerId schedule(int64_t delay_ms, std::function<void()> task) override {
    // A task that is due at once waits here until its caller knows the timer's id.
    const std::lock_guard guard(mutex_);
    return loop_.schedule(delay_ms, [this, task = std::move(task)] {
      { const std::lock_guard wait(mutex_); }
      task();
    });
  }
  void cancel(TimerId id) override { loop_.cancel(id); }

 private:
  net::EventLoop& loop_;
  std::mutex mutex_;
};

}  // namespace muir::broker
