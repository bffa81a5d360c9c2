// LeaderFailure: why a thread of this instance, as the leader of the group, could not assign tasks.
#pragma once

#include <mutex>

#include "base/status.h"

namespace muir::streams::internal {

// The answer that members get has no room for the reason: the threads of one instance tell each other. Thread-safe.
class LeaderFailure {
 public:
  void set(const Status& failure) {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
  }
  [[nodiscard]] Status get() const {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  mutable std::mutex mutex_;
  Status failure_;
};

}  // namespace muir::streams::internal
