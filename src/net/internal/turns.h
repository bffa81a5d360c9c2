// Turns: who of a loop thread's connections has the thread next.
//
// Requests cost what they ask for: a thousand connections whose every request takes a millisecond must not make one
// beside them wait a second for its own, however many requests each has sent ahead. So the thread's time is shared out
// by start-time fair queueing (Goyal, Vin, Cheng 1996): a connection that has had no more than the others has its turn
// at once; the rest wait, the one that has had least is first, and one of them has its turn before the thread looks at
// its sockets again. What counts is not what a turn costs (turn_cost.h) but its square, as all the others wait for it
// to end: long requests make room for many short ones. The first turn of a connection waits, too: of it nothing is
// known. Many that come at once keep nobody waiting who has had little more than his share: they alternate with those.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "net/internal/turn_cost.h"

namespace muir::net {

// Owned by one loop thread.
class Turns {
 public:
  class Taker {
   public:
    virtual ~Taker() = default;
    // Does the work, once for each take().
    virtual void on_turn() = 0;
    // To its peer, since it is there.
    [[nodiscard]] virtual int64_t written_bytes() const { return 0; }

   private:
    friend class Turns;
    static constexpr int64_t kUnknown = -1;
    int64_t had_us_ = kUnknown;  // on the clock of Turns::now_us_: when its next turn is due
    int64_t usual_us_ = 0;       // what its turns take
  };

  // A turn of so much counts for its length, a shorter one for less, a longer one for more.
  static constexpr int64_t kUnitUs = 200;
  // So much more than its share a connection may have before it waits.
  static constexpr int64_t kSlackUs = 1000;

  // `post` runs a task when the thread has done what it has to do already.
  Turns(TurnCost cost, std::function<void(std::function<void()>)> post)
      : cost_(std::move(cost)), post_(std::move(post)) {}

  // Gives `taker` a turn, before the return or later. Not asked again before on_turn().
  void take(const std::shared_ptr<Taker>& taker);
  [[nodiscard]] size_t waiting() const { return waiting_.size() + newcomers_.size(); }

 private:
  void run(Taker& taker, int64_t start_us);
  void run_first();
  [[nodiscard]] bool newcomer_is_next() const;

  TurnCost cost_;
  const std::function<void(std::function<void()>)> post_;
  // Virtual time: the start of the latest turn that somebody waited for.
  int64_t now_us_ = 0;
  std::multimap<int64_t, std::shared_ptr<Taker>> waiting_;  // by the start of their turn; shared with the loop
  std::deque<std::shared_ptr<Taker>> newcomers_;            // that have had none; shared with the loop
  int64_t first_turn_us_ = 0;                               // what a first turn counts for, on the clock of now_us_
  bool newcomer_was_last_ = true;
  bool posted_ = false;
};

}  // namespace muir::net
