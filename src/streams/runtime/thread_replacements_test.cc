#include "streams/runtime/thread_replacements.h"

#include <gtest/gtest.h>

namespace muir::streams::internal {
namespace {

Status poisoned() { return error(Code::invalid_argument, "poisoned"); }

TEST(ThreadReplacements, WaitLongerEachTimeUntilOneRunsStably) {
  enum Event { fails, runs, rests };
  struct Row {
    const char* what;
    int64_t at_ms;
    Event event;
    int64_t waits_ms;  // after a failure
    int failing;       // afterwards
  };
  ThreadReplacements threads;
  for (const Row& row : std::initializer_list<Row>{
           {"the first failure", 0, fails, 100, 1},
           {"its successor runs", 300, runs, 0, 1},
           {"and fails at once", 400, fails, 200, 1},
           {"the next one never runs", 900, fails, 400, 1},
           {"and another", 1'800, fails, 800, 1},
           {"one that runs for a while, but not long enough", 4'000, runs, 0, 1},
           {"fails", 13'999, fails, 1'600, 1},
           {"again", 20'000, fails, 3'200, 1},
           {"again", 30'000, fails, 6'400, 1},
           {"again", 50'000, fails, 10'000, 1},
           {"again", 80'000, fails, 10'000, 1},
           {"no longer than that", 120'000, fails, 10'000, 1},
           {"runs", 160'000, runs, 0, 1},
           {"a rebalance before it was stable", 165'000, rests, 0, 1},
           {"runs again", 166'000, runs, 0, 1},
           {"is stable", 176'000, runs, 0, 0},
           {"a rebalance after that is no failure", 180'000, rests, 0, 0},
           {"a failure after that is the first one", 200'000, fails, 100, 1},
       }) {
    if (row.event == fails) {
      EXPECT_EQ(threads.failed(1, poisoned(), row.at_ms), row.waits_ms) << row.what << " at " << row.at_ms;
    } else {
      threads.set_running(1, row.event == runs, row.at_ms);
    }
    EXPECT_EQ(threads.failing(row.at_ms), row.failing) << row.what << " at " << row.at_ms;
    EXPECT_EQ(threads.failure(row.at_ms).ok(), row.failing == 0) << row.what;
  }
  EXPECT_EQ(threads.total(), 11U);
}

TEST(ThreadReplacements, KnowWhoTriesTheSameForLong) {
  struct Row {
    const char* what;
    int64_t at_ms;
    bool retries;  // at that time
    int failing;
  };
  const Status away = error(Code::unavailable, "away");
  ThreadReplacements threads;
  for (const Row& row : std::initializer_list<Row>{
           {"the first time", 0, true, 0},
           {"again", 9'999, true, 0},
           {"for long", 10'000, true, 1},
           {"longer", 50'000, true, 1},
           {"goes on", 51'000, false, 0},
           {"away again", 52'000, true, 0},
           {"but not for long", 61'000, false, 0},
       }) {
    threads.set_retried(1, row.retries ? away : Status(), row.at_ms);
    EXPECT_EQ(threads.failing(row.at_ms), row.failing) << row.what;
    EXPECT_EQ(threads.failure(row.at_ms).message(), row.failing > 0 ? "away" : "") << row.what;
  }
  // One that has failed besides is one thread, and its failure says more.
  threads.set_retried(1, away, 70'000);
  threads.failed(1, poisoned(), 75'000);
  EXPECT_EQ(threads.failing(80'000), 1);
  EXPECT_EQ(threads.failure(80'000).message(), "poisoned");
}

TEST(ThreadReplacements, AreCountedForEachThread) {
  ThreadReplacements threads;
  threads.set_running(1, true, 0);  // one that has never failed
  EXPECT_EQ(threads.failing(0), 0);
  EXPECT_EQ(threads.failed(1, poisoned(), 0), 100);
  EXPECT_EQ(threads.failed(2, poisoned(), 0), 100);
  EXPECT_EQ(threads.failed(1, poisoned(), 0), 200);
  EXPECT_EQ(threads.in_a_row(1), 2);
  EXPECT_EQ(threads.in_a_row(2), 1);
  EXPECT_EQ(threads.failing(0), 2);
}

}  // namespace
}  // namespace muir::streams::internal
