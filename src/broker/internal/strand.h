// Strand: runs tasks one after the other, on whichever threads bring them.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace muir::broker {

// Thread-safe. A coordinator's state is touched only from its strand, so it needs no lock, and a task may call back
// into the coordinator: the call waits its turn instead of meeting a half-changed state.
class Strand {
 public:
  // Runs `task` before returning when the strand is idle; otherwise whoever runs it now runs `task` later.
  void run(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      if (running_) return;
      running_ = true;
    }
    while (true) {
      std::function<void()> next;
      {
        const std::lock_guard lock(mutex_);
        if (tasks_.empty()) {
          running_ = false;
          return;
        }
        next = std::move(tasks_.front());
        tasks_.pop_front();
      }
      next();
    }
  }

 private:
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool running_ = false;
};

}  // namespace muir::broker
