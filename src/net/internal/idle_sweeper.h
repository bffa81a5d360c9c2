// IdleSweeper: asks every connection of a server, once in a while, whether it has been silent for too long.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/event_loop.h"

namespace muir::net {

class Sweepable {
 public:
  virtual ~Sweepable() = default;
  // Ends the connection when its peer has been silent or has not read for too long. Thread-safe.
  virtual void check_idle() = 0;
  // Since when its peer has done nothing that is waited for; nothing while it is the server's turn. Thread-safe.
  [[nodiscard]] virtual std::optional<int64_t> silent_since_ms() const { return std::nullopt; }
  // Ends it, if it is still silent: others need its place. Thread-safe.
  virtual void end_silent() {}
};

// Thread-safe. Shared because its timer holds it.
class IdleSweeper : public std::enable_shared_from_this<IdleSweeper> {
 public:
  // For connections that may be silent for `idle_timeout_ms`: they are asked at least every second, and more often when
  // the time is short. `loop` outlives it.
  // `each_time` is called after each round.
  IdleSweeper(EventLoop& loop, int64_t idle_timeout_ms, std::function<void()> each_time = nullptr);

  void start();
  void add(const std::shared_ptr<Sweepable>& connection);
  // All are asked every `every_ms`, as long as `needed`. Does nothing while that goes on already.
  void hurry(int64_t every_ms, std::function<bool()> needed);
  // Ends those that have been silent for the longest time, and for kSilentMsMin: one in 64, or one. Says how many.
  static constexpr int64_t kSilentMsMin = 1000;
  size_t end_most_silent();
  // No connection is asked any more. Idempotent.
  void stop();

 private:
  void schedule_locked();
  void sweep();
  void ask_all_locked();
  void hurry_on(int64_t every_ms, const std::function<bool()>& needed);

  EventLoop& loop_;
  const int64_t interval_ms_;
  const std::function<void()> each_time_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Sweepable>> connections_;
  EventLoop::TimerId timer_ = 0;
  EventLoop::TimerId hurry_timer_ = 0;
  bool hurrying_ = false;
  bool stopped_ = false;
};

}  // namespace muir::net
