#include "net/internal/turn_cost.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace muir::net {
namespace {

// A loop thread of its own time.
struct Machine {
  void work(int64_t us) {
    steady_us += us;
    cpu_us += us;
  }
  void wait(int64_t us) { steady_us += us; }  // others have the processor, or the disk is slow
  [[nodiscard]] LoopClocks clocks() {
    return {.steady_us = [this] { return steady_us; },
            .cpu_us =
                [this] {
                  ++looks;
                  return cpu_us;
                }};
  }

  int64_t steady_us = 1'000'000;
  int64_t cpu_us = 5000;
  int looks = 0;
};

TEST(TurnCost, IsWorkAndWhatTheDiskMayHaveTakenButNotWhatOthersHad) {
  constexpr int64_t kMib = 1024 * 1024;
  const struct {
    const char* what;
    int64_t works_us, waits_us, writes;
    int64_t costs_us;
  } cases[] = {
      {"nothing", 0, 0, 0, 0},
      {"work", 5000, 0, 0, 5000},
      {"little work", 7, 0, 0, 7},
      {"interrupted", 1000, 30'000, 0, 1000},
      {"interrupted after little work", 20, 30'000, 0, 20},
      {"interrupted for a moment", 20, 70, 0, 90},
      {"waited for a disk", 1000, 30'000, 8 * kMib, 1000 + 8 * kMib / TurnCost::kBytesPerUs},
      {"from memory", 1000, 0, 8 * kMib, 1000},
      {"from memory, interrupted", 1000, 10, 8 * kMib, 1010},
      {"a short answer, interrupted", 1000, 30'000, 100, 1000},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    Machine machine;
    TurnCost cost(machine.clocks());
    for (int i = 0; i < 3; ++i) {  // of one turn the next knows nothing
      const auto begin = cost.begin();
      machine.work(c.works_us);
      machine.wait(c.waits_us);
      EXPECT_EQ(cost.since(begin, c.writes), c.costs_us);
      machine.work(300);  // between two turns
    }
  }
}

// Many short turns take few looks at the CPU time, and of one that is interrupted among them little more is charged
// than its work.
TEST(TurnCost, ShortTurnsDoNotAskForCpuTime) {
  Machine machine;
  TurnCost cost(machine.clocks());
  for (int i = 0; i < 10'000; ++i) {
    const auto begin = cost.begin();
    machine.work(10);
    EXPECT_EQ(cost.since(begin, 100), 10);
  }
  EXPECT_LE(machine.looks, 10'000 * 10 / TurnCost::kFreshUs + 1);
  const auto begin = cost.begin();
  machine.work(10);
  machine.wait(50'000);
  const int64_t costs_us = cost.since(begin, 0);
  EXPECT_GE(costs_us, 10);
  EXPECT_LE(costs_us, 10 + TurnCost::kFreshUs + 10);
}

TEST(TurnCost, OneTurnWithinAnotherIsPartOfIt) {
  Machine machine;
  TurnCost cost(machine.clocks());
  const auto outer = cost.begin();
  machine.work(1000);
  const auto inner = cost.begin();
  machine.work(500);
  machine.wait(9000);
  EXPECT_EQ(cost.since(inner, 0), 500);
  EXPECT_EQ(cost.since(outer, 0), 1500);
}

// The machine's own clocks: what a thread computes is its CPU time, what it waits for another is not.
TEST(TurnCost, OfTheMachineIsWhatTheThreadComputes) {
  TurnCost cost{LoopClocks{}};
  const auto working = cost.begin();
  const int64_t until_us = thread_cpu_us() + 20'000;
  while (thread_cpu_us() < until_us) continue;
  EXPECT_GE(cost.since(working, 0), 19'000);

  const auto waiting = cost.begin();
  const int64_t waited_from_us = thread_cpu_us();
  std::thread other([] {
    const int64_t over_us = thread_cpu_us() + 20'000;
    while (thread_cpu_us() < over_us) continue;
  });
  other.join();
  const int64_t own_us = thread_cpu_us() - waited_from_us;
  EXPECT_LE(cost.since(waiting, 0), own_us + TurnCost::kFreshUs + 5000) << "this thread did not compute";
}

}  // namespace
}  // namespace muir::net
