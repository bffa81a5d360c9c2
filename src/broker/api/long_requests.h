// LongRequests: what takes long because batches expand to very much, on threads of its own.
//
// Produce requests are checked in slices and in turns, so that neither the event loops nor one another wait for them.
// At most kAtOnce are begun at a time; one of these may use much memory. Look-ups are done one after the other.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "broker/api/produce_job.h"
#include "net/event_loop.h"

namespace muir::broker {

// Thread-safe.
class LongRequests {
 public:
  static constexpr size_t kAtOnce = 4;
  // What is decompressed before another request has its turn, and before a request counts as long: some milliseconds.
  static constexpr size_t kSliceBytes = size_t{4} << 20;

  LongRequests();
  ~LongRequests() { stop(); }
  LongRequests(const LongRequests&) = delete;
  LongRequests& operator=(const LongRequests&) = delete;

  // Goes on with a request that has left its frame.
  void take(std::unique_ptr<ProduceJob> job);
  // Runs a look-up in its turn.
  void look_up(std::function<void()> work) { look_ups_.post(std::move(work)); }
  // Drops what is not finished. Idempotent.
  void stop();

 private:
  void turn();
  std::unique_ptr<ProduceJob> next();

  std::mutex mutex_;
  std::deque<std::unique_ptr<ProduceJob>> waiting_;  // not begun: no memory but their request

  // Only on the loop's thread.
  std::deque<std::unique_ptr<ProduceJob>> running_;
  std::deque<std::unique_ptr<ProduceJob>> stuck_;  // wait until they may use much memory
  const ProduceJob* large_ = nullptr;              // the one of the running that may
  bool turning_ = false;

  net::EventLoop loop_;
  net::EventLoop look_ups_;
};

}  // namespace muir::broker
