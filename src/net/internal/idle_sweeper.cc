#include "net/internal/idle_sweeper.h"

#include <algorithm>

#include "base/clock.h"

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

// Several at a time, so that a crowd at the door does not have them all looked at for each who comes.
size_t IdleSweeper::end_most_silent() {
  const int64_t before_ms = system_clock().steady_ms() - kSilentMsMin;
  std::vector<std::pair<int64_t, std::shared_ptr<Sweepable>>> silent;
  const std::lock_guard lock(mutex_);
  for (const auto& weak : connections_) {
    auto connection = weak.lock();
    const auto since_ms = connection ? connection->silent_since_ms() : std::nullopt;
    if (since_ms && *since_ms <= before_ms) silent.emplace_back(*since_ms, std::move(connection));
  }
  const size_t count = std::min(silent.size(), connections_.size() / 64 + 1);
  std::partial_sort(silent.begin(), silent.begin() + static_cast<ptrdiff_t>(count), silent.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < count; ++i) silent[i].second->end_silent();
  return count;
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
