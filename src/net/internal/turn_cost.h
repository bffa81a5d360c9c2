// TurnCost: what a turn has cost a loop thread.
//
// Neither the time that passes nor CPU time is the answer by itself. While a turn lasts the machine may have been given
// to somebody else, which is not the connection's doing; and a thread that waits for the disk, for records that are to
// be sent, keeps the others waiting and has no CPU time. So a turn costs its CPU time, and for the bytes it has written
// as much as a disk may take to give them, but no more than the time that passed.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "net/event_loop.h"

namespace muir::net {

// Owned by one loop thread.
class TurnCost {
 public:
  // Asking for CPU time costs ten times as much as for the time of day. A shorter turn costs the time that passed.
  static constexpr int64_t kShortUs = 100;
  // What was told so long ago at most is taken for the CPU time at the beginning of a turn.
  static constexpr int64_t kFreshUs = 200;
  static constexpr int64_t kBytesPerUs = 1024;

  explicit TurnCost(LoopClocks clocks) : clocks_(std::move(clocks)) {}

  struct Begin {
    int64_t steady_us;
    int64_t cpu_us;
  };
  // One turn may begin within another.
  [[nodiscard]] Begin begin();
  // In microseconds; `written` bytes have been written since.
  [[nodiscard]] int64_t since(const Begin& begin, int64_t written);

 private:
  int64_t look(int64_t now_us);

  const LoopClocks clocks_;
  int64_t cpu_us_ = 0;  // the thread's, at looked_us_
  std::optional<int64_t> looked_us_{};
};

}  // namespace muir::net
