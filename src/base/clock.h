// Clock: where time comes from. Injected everywhere, so that tests own it.
#pragma once

#include <atomic>
#include <cstdint>

namespace muir {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time in milliseconds since the Unix epoch: for record timestamps.
  [[nodiscard]] virtual int64_t now_ms() const = 0;
  // Monotonic time in microseconds from an arbitrary start: for timeouts and durations.
  [[nodiscard]] virtual int64_t steady_us() const = 0;
  [[nodiscard]] int64_t steady_ms() const { return steady_us() / 1000; }
};

// The machine's clocks.
Clock& system_clock();

// CPU time that the calling thread has had, in microseconds: what its work costs, however many others want the machine.
// A system call.
int64_t thread_cpu_us();

// A clock that moves only when told to. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ms = 0) : now_us_(now_ms * 1000) {}
  [[nodiscard]] int64_t now_ms() const override { return now_us_ / 1000; }
  [[nodiscard]] int64_t steady_us() const override { return now_us_; }
  void advance_ms(int64_t ms) { now_us_ += ms * 1000; }
  void set_ms(int64_t ms) { now_us_ = ms * 1000; }

 private:
  std::atomic<int64_t> now_us_;
};

}  // namespace muir
