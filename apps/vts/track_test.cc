#include "apps/vts/track.h"

namespace muir::vts {
namespace {

const ZoneIndex& zones() {
  static const ZoneIndex index(
      {{.zone_id = "east", .name = "East side", .kind = "test", .polygons = {{{21, 52, 22, 52, 22, 53, 21, 53}}}},
       {.zone_id = "all", .name = "All", .kind = "test", .polygons = {{{20, 52, 22, 52, 22, 53, 20, 53}}}}});
  return index;
}

// One fix of a timeline and what it says, as text: "late", "reject:implied_speed", "enter:east", "overspeed:1000-3000
// peak 70".
struct Fix {
  int64_t timestamp;
  double lon;
  std::optional<double> speed;
  std::string says;
};

std::string text_of(const TrackStep& step) {
  std::string out;
  const auto add = [&out](const std::string& word) { out += (out.empty() ? "" : " ") + word; };
  if (step.rejection) add(fmt::format("reject:{}", step.rejection->rule));
  if (step.late) add("late");
  for (const Alert& alert : step.alerts) {
    if (alert.kind == "overspeed") {
      add(fmt::format("overspeed:{}-{} peak {} limit {} for {}", *alert.start, *alert.end, *alert.peak, *alert.limit,
                      *alert.duration_ms));
    } else {
      add(fmt::format("{}:{}", alert.kind.substr(5), *alert.zone_id));
    }
  }
  return out;
}

void run(const std::vector<Fix>& timeline, double limit = 50) {
  VehicleTrack track;
  for (const Fix& fix : timeline) {
    const RawPosition position{
        .vehicle_id = "V1", .lat = 52.5, .lon = fix.lon, .speed = fix.speed, .timestamp = fix.timestamp};
    EXPECT_EQ(text_of(advance(track, position, limit, zones(), {})), fix.says) << "at " << fix.timestamp;
  }
}

constexpr int64_t kHour = 3'600'000;

TEST(Track, EntersAndLeavesByTheDifferenceOfConsecutiveFixes) {
  run({
      {0 * kHour, 20.9, {}, ""},  // the first fix enters nothing
      {1 * kHour, 21.1, {}, "enter:east"},
      {2 * kHour, 21.2, {}, ""},
      {3 * kHour, 20.9, {}, "exit:east"},
      {4 * kHour, 19.9, {}, "exit:all"},
      {5 * kHour, 21.1, {}, "enter:all enter:east"},
      {6 * kHour, 19.9, {}, "exit:all exit:east"},
  });
}

TEST(Track, LateFixesChangeNothing) {
  run({
      {1 * kHour, 20.9, 40, ""},
      {3 * kHour, 20.9, 60, ""},      // opens an episode
      {2 * kHour, 21.5, 10, "late"},  // neither enters nor closes it
      {4 * kHour, 20.9, 50, "overspeed:10800000-14400000 peak 60 limit 50 for 3600000"},
  });
}

TEST(Track, OverspeedOpensAboveTheLimitAndClosesAtOrBelow) {
  run({
      {1000, 20.5, 50, ""},  // at the limit is not above it
      {2000, 20.5, 51, ""},
      {3000, 20.5, 70, ""},
      {4000, 20.5, {}, ""},  // without a speed: neither
      {5000, 20.5, 65, ""},
      {6000, 20.5, 50, "overspeed:2000-6000 peak 70 limit 50 for 4000"},
      {7000, 20.5, 20, ""},
      {8000, 20.5, 55, ""},
      {9000, 20.5, 0, "overspeed:8000-9000 peak 55 limit 50 for 1000"},
  });
  run({{1000, 20.5, 60, ""}, {2000, 20.5, 20, ""}}, 80);  // the vehicle's own limit
}

TEST(Track, RejectsAnImpossibleJumpAndJudgesTheNextFixByTheLastGoodOne) {
  run({
      {0, 20.5, {}, ""},
      {10'000, 20.6, {}, "reject:implied_speed"},  // 6.8 km in 10 s
      {20'000, 20.501, {}, ""},
      {20'000 + kHour, 21.5, {}, "enter:east"},  // 68 km in an hour
  });
}

TEST(Track, FirstFixCountsForOccupancyWithoutAnAlert) {
  VehicleTrack track;
  const TrackStep step =
      advance(track, {.vehicle_id = "V1", .lat = 52.5, .lon = 21.5, .timestamp = 5}, 50, zones(), {});
  EXPECT_EQ(step.entered, (std::vector<std::string>{"all", "east"}));
  EXPECT_TRUE(step.alerts.empty());
}

TEST(Track, GivesTheSameEventTheSameId) {
  for (int i = 0; i < 2; ++i) {
    VehicleTrack track;
    (void)advance(track, {.vehicle_id = "V1", .lat = 52.5, .lon = 20.5, .timestamp = 5}, 50, zones(), {});
    const TrackStep step =
        advance(track, {.vehicle_id = "V1", .lat = 52.5, .lon = 21.5, .timestamp = kHour}, 50, zones(), {});
    ASSERT_EQ(step.alerts.size(), 1U);
    EXPECT_EQ(step.alerts[0].alert_id, "V1/zone_enter/3600000/east");
    EXPECT_EQ(step.alerts[0].zone_name, "East side");
  }
}

}  // namespace
}  // namespace muir::vts
