// Scheduler: timers, injected, so that tests own them.
#pragma once

#include <cstdint>
#include <functional>

namespace muir::broker {

// Thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // Runs `task` once, no earlier than after `delay_ms` (>= 0), on any thread; never before schedule() returns.
  using TimerId = uint64_t;
  virtual TimerId schedule(int64_t delay_ms, std::function<void()> task) = 0;
  // The task may run nevertheless if it is about to.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace muir::broker
