// Patience: for threads that read topics of which a registry has to tell the schemas: until it answers, or they are to
// end, they wait with the record in hand, for a record that is passed over is missing until the next start.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "apps/vts/dead_letters.h"
#include "base/log.h"

namespace muir::vts {

// Thread-safe.
class Patience {
 public:
  // What `read` gives: a value, what is wrong with the record, or after end() why it cannot be read now.
  template <class F>
  auto read(F read) -> decltype(read()) {
    for (bool told = false;;) {
      auto value = read();
      if (value.ok() || is_of_record(value.status())) return value;
      std::unique_lock lock(mutex_);
      if (ended_) return value;
      if (!std::exchange(told, true))
        log::warn("{}; it is tried again until there is an answer", value.status().message());
      changed_.wait_for(lock, kPause, [this] { return ended_; });
    }
  }
  // Nobody waits any more.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr auto kPause = std::chrono::milliseconds(500);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

}  // namespace muir::vts
