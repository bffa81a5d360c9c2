// Deadlines: requests that somebody waits for, and for how long. One timer for all, as hardly any comes to it.
#pragma once

#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

#include "net/event_loop.h"

namespace muir::net {

// Thread-safe. Shared with the requests, which may end when its owner and the loop have gone.
class Deadlines : public std::enable_shared_from_this<Deadlines> {
  struct Entry;

 public:
  class Waiting {
   public:
    virtual ~Waiting() = default;
    // It took too long. Called once, on the loop; it is removed by then or soon.
    virtual void late() = 0;

   private:
    friend class Deadlines;
    std::optional<std::list<Entry>::iterator> place_{};  // guarded by the mutex of Deadlines
  };

  // The same time for all. Without a loop, or time, nobody is told.
  Deadlines(EventLoop* loop, int64_t timeout_ms) : loop_(timeout_ms > 0 ? loop : nullptr), timeout_ms_(timeout_ms) {}

  void add(const std::shared_ptr<Waiting>& waiting);
  void remove(Waiting& waiting);
  [[nodiscard]] int64_t timeout_ms() const { return timeout_ms_; }
  // Before the loop goes. Nobody is told any more.
  void stop();

 private:
  struct Entry {
    int64_t deadline_ms = 0;
    bool told = false;
    std::weak_ptr<Waiting> waiting{};
  };

  void arm();  // under mutex_
  void sweep();

  std::mutex mutex_;
  EventLoop* loop_;
  const int64_t timeout_ms_;
  std::list<Entry> entries_;  // in the order of their deadlines
  bool armed_ = false;
};

}  // namespace muir::net
