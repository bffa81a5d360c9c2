// ThreadReplacements: which stream threads failed and had to be replaced, and how long the next one waits before it
// begins.
#pragma once

#include <cstdint>
#include <map>

#include "base/status.h"

namespace muir::streams::internal {

// Not thread-safe. Times are steady milliseconds.
class ThreadReplacements {
 public:
  // A record that cannot be processed comes back to every new thread: each waits twice as long as the one before.
  static constexpr int64_t kFirstWaitMs = 100;
  static constexpr int64_t kWaitMaxMs = 10'000;
  // A thread that has run for so long has got over what the one before failed with.
  static constexpr int64_t kStableMs = 10'000;

  // The thread of that index has failed. How long to wait before its successor begins.
  int64_t failed(int index, const Status& failure, int64_t now_ms);
  // The thread is in state `running`, or not.
  void set_running(int index, bool running, int64_t now_ms);
  // What the thread tries again and again, as brokers or a registry do not answer; OK: it goes on.
  void set_retried(int index, const Status& failure, int64_t now_ms);
  // How often in a row it has failed.
  [[nodiscard]] int in_a_row(int index) const;
  // Threads whose last failure is not known to be over, and those that have tried something again for kStableMs.
  [[nodiscard]] int failing(int64_t now_ms) const;
  // The failure of one of them; OK when there is none.
  [[nodiscard]] Status failure(int64_t now_ms) const;
  // All there have been.
  [[nodiscard]] uint64_t total() const { return total_; }

 private:
  struct Thread {
    Status failure{};
    int in_a_row = 0;
    int64_t running_since_ms = -1;  // -1: does not run

    [[nodiscard]] bool stable(int64_t now_ms) const {
      return running_since_ms >= 0 && now_ms - running_since_ms >= kStableMs;
    }
  };
  struct Retried {
    Status failure{};
    int64_t since_ms = 0;
    [[nodiscard]] bool lasts(int64_t now_ms) const { return now_ms - since_ms >= kStableMs; }
  };
  std::map<int, Thread> threads_;  // of those that have failed
  std::map<int, Retried> retried_;
  uint64_t total_ = 0;
};

}  // namespace muir::streams::internal
