// EventLoop: one or more threads that run sockets and timers. Thread-safe.
//
// Handlers of one connection never run at the same time (each connection is a strand); handlers must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"

namespace muir::net {

// What a loop thread's connections are charged by for their turns (internal/turn_cost.h). Called by the loop's threads.
struct LoopClocks {
  std::function<int64_t()> steady_us = [] { return system_clock().steady_us(); };
  std::function<int64_t()> cpu_us = thread_cpu_us;  // of the calling thread
};

class EventLoop {
 public:
  // `threads` >= 1 start at once; `name` is the thread name's prefix (15 characters at most are kept).
  explicit EventLoop(std::string name, int threads = 1, const LoopClocks& clocks = {});
  // Stops and joins; pending tasks and timers are dropped.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs `task` on a loop thread, soon.
  void post(std::function<void()> task);

  // Runs `task` once after `delay_ms`. cancel(id) returns true when it will not run any more.
  using TimerId = uint64_t;
  TimerId schedule(int64_t delay_ms, std::function<void()> task);
  bool cancel(TimerId id);

  // Stops accepting work and joins the threads. Idempotent; not from a loop thread.
  void stop();

  // For net's own sources: the io_context behind the loop.
  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace muir::net
