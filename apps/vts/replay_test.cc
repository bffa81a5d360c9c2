#include "apps/vts/replay.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

// A recording of half an hour, replayed from noon on: where its first and last fix are put.
TEST(Replay, ShiftsTimesToNowWithoutStretchingThemAndNeverAheadOfTheClock) {
  constexpr RecordedSpan kSpan{.first_ms = 1'000'000, .last_ms = 2'800'000};
  constexpr int64_t kNoon = 50'000'000;
  struct Case {
    const char* name;
    ReplayOptions options;
    int64_t first;
    int64_t last;
    int64_t ends;  // when the last fix is sent
  };
  const std::vector<Case> cases = {
      {"as recorded", {.speed = 1}, kNoon, kNoon + 1'800'000, kNoon + 1'800'000},
      {"half as fast", {.speed = 0.5}, kNoon, kNoon + 1'800'000, kNoon + 3'600'000},
      {"ten times as fast", {.speed = 10}, kNoon - 1'620'000, kNoon + 180'000, kNoon + 180'000},
      {"as fast as it goes", {.speed = 0}, kNoon - 1'800'000, kNoon, kNoon},
      {"times kept", {.speed = 10, .keep_times = true}, kSpan.first_ms, kSpan.last_ms, kNoon + 180'000},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const int64_t shift = replay_shift_ms(kSpan, c.options, kNoon);
    EXPECT_EQ(kSpan.first_ms + shift, c.first);
    EXPECT_EQ(kSpan.last_ms + shift, c.last);
    EXPECT_LE(kSpan.last_ms + shift, c.ends);
    EXPECT_EQ(c.last - c.first, c.options.keep_times ? 1'800'000 : kSpan.last_ms - kSpan.first_ms);
  }
}

TEST(Replay, AServerThatHasNeverAnsweredIsTriedForAWhile) {
  const testing::TempDir dir;
  const std::string file = dir.str() + "/positions.csv";
  std::ofstream(file) << "vehicle_id,ts_ms,lat,lon\nV1,1767268800000,52.1,21.0\n";
  // Nobody listens on port 1.
  Replay replay(file, {.url = "http://127.0.0.1:1", .speed = 0, .first_answer_ms = 0}, system_clock());
  const Status status = replay.run();
  EXPECT_EQ(status.code(), Code::unavailable) << status.message();
  EXPECT_NE(status.message().find("http://127.0.0.1:1 has not answered for 0 ms"), std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace muir::vts
