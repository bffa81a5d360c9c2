#include "net/internal/deadlines.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace muir::net {

void Deadlines::add(const std::shared_ptr<Waiting>& waiting) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return;
  entries_.push_back({.deadline_ms = system_clock().steady_ms() + timeout_ms_, .waiting = waiting});
  waiting->place_ = std::prev(entries_.end());
  if (!std::exchange(armed_, true)) arm();
}

void Deadlines::remove(Waiting& waiting) {
  const std::lock_guard lock(mutex_);
  if (waiting.place_) entries_.erase(*std::exchange(waiting.place_, std::nullopt));
}

void Deadlines::stop() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

void Deadlines::arm() {
  const int64_t ms = entries_.front().deadline_ms - system_clock().steady_ms();
  loop_->schedule(std::max<int64_t>(ms, 1), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->sweep();
  });
}

void Deadlines::sweep() {
  std::vector<std::shared_ptr<Waiting>> late;
  {
    const std::lock_guard lock(mutex_);
    const int64_t now = system_clock().steady_ms();
    for (auto at = entries_.begin(); at != entries_.end() && at->deadline_ms <= now; ++at) {
      if (!std::exchange(at->told, true)) late.push_back(at->waiting.lock());
    }
  }
  for (const auto& waiting : late) {
    if (waiting) waiting->late();
  }
  const std::lock_guard lock(mutex_);
  armed_ = loop_ != nullptr && !entries_.empty();
  if (armed_) arm();
}

}  // namespace muir::net
