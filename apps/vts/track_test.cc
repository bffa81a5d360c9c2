#include "apps/vts/track.h"

#include "serde/serde.h"

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

TEST(Track, SeveralFixesElsewhereWinOverAWrongOne) {
  run({
      {0, 20.0, {}, ""},  // wrong: the vehicle is 68 km to the east
      {10'000, 21.0, {}, "reject:implied_speed"},
      {20'000, 21.001, {}, "reject:implied_speed"},
      {30'000, 21.002, {}, "enter:east"},
      {40'000, 21.003, {}, ""},
      {50'000, 20.0, {}, "reject:implied_speed"},  // back at the wrong place: again it needs three
      {60'000, 21.004, {}, ""},
      {70'000, 20.0, {}, "reject:implied_speed"},
      {80'000, 20.0, {}, "reject:implied_speed"},
      {90'000, 21.005, {}, ""},  // a good one between them begins the count anew
      {100'000, 20.0, {}, "reject:implied_speed"},
      {110'000, 20.0, {}, "reject:implied_speed"},
      {105'000, 20.0, {}, "reject:implied_speed"},  // not newer than the one before: does not count
      {120'000, 20.0, {}, "exit:east"},
  });
  run({
      {0, 20.0, {}, ""},
      {10'000, 21.0, {}, "reject:implied_speed"},
      {20'000, 21.5, {}, "reject:implied_speed"},  // nor are these with each other
      {30'000, 20.5, {}, "reject:implied_speed"},
      {40'000, 21.0, {}, "reject:implied_speed"},
      {50'000, 21.0, {}, "reject:implied_speed"},
      {60'000, 21.0, {}, "enter:east"},
  });
}

// Neither does it count, nor does it begin the row anew, wherever it is.
TEST(Track, AFixElsewhereThatIsNotNewerLeavesTheRowAsItIs) {
  run({
      {100'000, 20.0, {}, ""},
      {110'000, 21.0, {}, "reject:implied_speed"},  // the first
      {130'000, 21.0, {}, "reject:implied_speed"},  // the second
      {120'000, 21.0, {}, "reject:implied_speed"},
      {140'000, 21.0, {}, "enter:east"},
  });
  run({
      {100'000, 20.0, {}, ""},
      {110'000, 21.0, {}, "reject:implied_speed"},
      {130'000, 21.0, {}, "reject:implied_speed"},
      {120'000, 21.9, {}, "reject:implied_speed"},  // far from the row, too
      {130'000, 21.9, {}, "reject:implied_speed"},  // as old as the last
      {140'000, 21.0, {}, "enter:east"},
  });
  run({
      {100'000, 20.0, {}, ""},
      {110'000, 21.0, {}, "reject:implied_speed"},
      {130'000, 21.0, {}, "reject:implied_speed"},
      {140'000, 21.9, {}, "reject:implied_speed"},  // newer, and far from the row: the first of another
      {150'000, 21.9, {}, "reject:implied_speed"},
      {120'000, 21.0, {}, "reject:implied_speed"},
      {160'000, 21.9, {}, "enter:east"},
  });
}

TEST(Track, TakesSpeedsIntoTheWindowsThatAreOpenForTheVehicle) {
  VehicleTrack track;
  const auto take = [&track](int64_t at, std::optional<double> speed) -> std::string {
    const RawPosition position{.vehicle_id = "V1", .lat = 52.5, .lon = 20.5, .speed = speed, .timestamp = at};
    (void)advance(track, position, 50, zones(), {});
    const auto average = take_speed(track, position);
    return average ? fmt::format("{}-{}: {} of {}", average->window_start, average->window_end, average->avg_speed,
                                 average->count)
                   : "";
  };
  EXPECT_EQ(take(1000, 30), "0-300000: 30 of 1");
  EXPECT_EQ(take(2000, std::nullopt), "");
  EXPECT_EQ(take(299'999, 50), "0-300000: 40 of 2");
  EXPECT_EQ(take(359'999, 10), "300000-600000: 10 of 1");
  EXPECT_EQ(take(3000, 10), "0-300000: 30 of 3");  // late, within the grace
  EXPECT_EQ(take(360'000, 20), "300000-600000: 15 of 2");
  EXPECT_EQ(take(4000, 10), "");  // a minute after its end the window is closed
  EXPECT_EQ(track.windows.size(), 1U);
}

TEST(Track, ForgetsEverythingButTheCounts) {
  VehicleTrack track{.accepted = 7, .late = 1, .duplicates = 2, .dead_letters = 3, .alerts = 4};
  (void)advance(track, {.vehicle_id = "V1", .lat = 52.5, .lon = 21.5, .speed = 60, .timestamp = 5}, 50, zones(), {});
  remove(track, 99);
  EXPECT_FALSE(track.newest || track.overspeed || track.newest_seen || track.elsewhere || track.seen);
  EXPECT_EQ(track.removed_at, 99);
  EXPECT_EQ(track.accepted + track.late + track.duplicates + track.dead_letters + track.alerts, 17);
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

// The track as it was before open windows and clocks were in it.
struct FormerTrack {
  std::optional<NewestFix> newest;
  std::optional<OverspeedEpisode> overspeed;
  std::optional<int64_t> newest_seen;
  int64_t accepted = 0;
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t dead_letters = 0;
  int64_t alerts = 0;
};
void describe(Fields& f, FormerTrack& r) {
  f.name("muir.vts.VehicleTrack");
  f("newest", r.newest)("overspeed", r.overspeed)("newestSeen", r.newest_seen)("accepted", r.accepted);
  f("late", r.late)("duplicates", r.duplicates)("deadLetters", r.dead_letters)("alerts", r.alerts);
}

TEST(Track, ReadsTheStateOfItsFormerLayoutUnderTheSameSubject) {
  MemoryRegistry registry;
  auto former = default_serde<FormerTrack>();
  auto now = default_serde<VehicleTrack>();
  ASSERT_TRUE(former.configure({.registry = &registry}, false).ok());
  ASSERT_TRUE(now.configure({.registry = &registry}, false).ok());
  Bytes bytes;
  ASSERT_TRUE(former
                  .serialize("tracks",
                             {.newest = NewestFix{.timestamp = 7, .lat = 52, .lon = 21, .zones = {"all"}},
                              .newest_seen = 8,
                              .accepted = 5,
                              .alerts = 2},
                             bytes)
                  .ok());
  const auto read = now.deserialize("tracks", bytes);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(read->newest->zones, std::vector<std::string>{"all"});
  EXPECT_EQ(read->newest_seen, 8);
  EXPECT_EQ(read->accepted + read->alerts, 7);
  EXPECT_FALSE(read->elsewhere || read->seen || read->removed_at || !read->windows.empty());
}

TEST(Track, ASpeedThatIsRejectedLooksAboveWhatIsAllowed) {
  const ZoneIndex zones{std::vector<ZoneMaster>()};
  VehicleTrack track;
  const RawPosition first{.vehicle_id = "V", .lat = 52, .lon = 21, .timestamp = 1'000'000};
  advance(track, first, 50, zones, {});
  // 6,946.6 m in 100 s: 250.08 km/h.
  const RawPosition second{.vehicle_id = "V", .lat = 52 + 6946.6 / 111'195.08, .lon = 21, .timestamp = 1'100'000};
  const TrackStep step = advance(track, second, 50, zones, {});
  ASSERT_TRUE(step.rejection);
  EXPECT_EQ(step.rejection->message.substr(0, 11), "250.1 km/h ") << step.rejection->message;
}

}  // namespace
}  // namespace muir::vts
