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
  if (hurrying_) loop_.cancel(hurry_timer_);
}

void IdleSweeper::hurry(int64_t every_ms, std::function<bool()> needed) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || hurrying_) return;
  hurrying_ = true;
  hurry_on(every_ms, needed);
}

// Under mutex_.
void IdleSweeper::hurry_on(int64_t every_ms, const std::function<bool()>& needed) {
  hurry_timer_ = loop_.schedule(every_ms, [self = shared_from_this(), every_ms, needed] {
    const std::lock_guard lock(self->mutex_);
    if (self->stopped_) return;
    self->hurrying_ = needed();
    if (!self->hurrying_) return;
    self->ask_all_locked();
    self->hurry_on(every_ms, needed);
  });
}

void IdleSweeper::schedule_locked() {
  if (!stopped_) timer_ = loop_.schedule(interval_ms_, [self = shared_from_this()] { self->sweep(); });
}

void IdleSweeper::ask_all_locked() {
  std::erase_if(connections_, [](const auto& weak) {
    const auto connection = weak.lock();
    if (connection) connection->check_idle();
    return !connection;
  });
}

void IdleSweeper::sweep() {
  std::unique_lock lock(mutex_);
  if (stopped_) return;
  ask_all_locked();
  schedule_locked();
  lock.unlock();
  if (each_time_) each_time_();
}

}  // namespace muir::net
