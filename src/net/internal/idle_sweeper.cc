#include "net/internal/idle_sweeper.h"

#include <algorithm>

namespace muir::net {

constexpr int64_t kIntervalMaxMs = 1000;

IdleSweeper::IdleSweeper(EventLoop& loop, int64_t idle_timeout_ms, std::function<void()> each_time)
    : loop_(loop),
      interval_ms_(std::clamp<int64_t>(idle_timeout_ms / 4, 1, kIntervalMaxMs)),
      each_time_(std::move(each_time)) {}

void IdleSweeper::start() {
  const std::lock_guard lock(mutex_);
  schedule_locked();
}

void IdleSweeper::add(const std::shared_ptr<Sweepable>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.emplace_back(connection);
}

void IdleSweeper::stop() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  stopped_ = true;
  loop_.cancel(timer_);
}

void IdleSweeper::schedule_locked() {
  if (!stopped_) timer_ = loop_.schedule(interval_ms_, [self = shared_from_this()] { self->sweep(); });
}

void IdleSweeper::sweep() {
  std::unique_lock lock(mutex_);
  if (stopped_) return;
  std::vector<std::weak_ptr<Sweepable>> left;
  for (auto& weak : connections_) {
    if (const auto connection = weak.lock()) {
      connection->check_idle();
      left.push_back(std::move(weak));
    }
  }
  connections_ = std::move(left);
  schedule_locked();
  lock.unlock();
  if (each_time_) each_time_();
}

}  // namespace muir::net
