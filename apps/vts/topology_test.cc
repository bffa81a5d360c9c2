#include <limits>

#include "apps/vts/topology_testing.h"

namespace muir::vts {
namespace {

RawPosition fix(int64_t timestamp, double lon, std::optional<double> speed = {}, std::string vehicle = "V1") {
  return {.vehicle_id = std::move(vehicle), .lat = 52.5, .lon = lon, .speed = speed, .timestamp = timestamp};
}

TEST(Topology, RemembersTheFixesOfASilentVehicleForAWhile) {
  constexpr int64_t kHour = 3'600'000;
  Line line({.silent_retention = std::chrono::hours(24)});
  const auto fix = [](const char* id, int64_t n, int64_t received_at) {
    return RawPosition{
        .vehicle_id = id, .lat = 52, .lon = 21, .timestamp = kBase + n * 1000, .received_at = received_at};
  };
  const auto sweep = [&line] { ASSERT_TRUE(line.driver().advance_wall_clock(std::chrono::minutes(1)).ok()); };
  for (int64_t n = 0; n < 100; ++n) line.post(fix("gone", n, kBase + kHour));
  struct Row {
    const char* name;
    int64_t received_at;  // of a fix of another vehicle
    uint64_t remembered;
  };
  uint64_t others = 0;
  for (const Row& row : std::initializer_list<Row>{
           {"after a day", kBase + 25 * kHour, 100},
           {"while positions may still come that were received before", kBase + 26 * kHour, 100},
           {"after that", kBase + 26 * kHour + 1, 0},
       }) {
    line.post(fix("other", static_cast<int64_t>(others++), row.received_at));
    sweep();
    EXPECT_EQ(line.remembered(), row.remembered + others) << row.name;
  }
  // It comes back: what it sent is history, and is known again from now on.
  const PartitionCounts before = line.counts();
  line.post(fix("gone", 50, kBase + 27 * kHour));
  line.post(fix("gone", 50, kBase + 27 * kHour));
  line.post(fix("gone", 200, kBase + 27 * kHour));
  const PartitionCounts after = line.counts();
  EXPECT_EQ(after.accepted - before.accepted, 2);
  EXPECT_EQ(after.late - before.late, 1);
  EXPECT_EQ(after.duplicates - before.duplicates, 1);
  // A time of receipt that cannot be true makes nobody silent.
  line.post(fix("other", 500, kBase + 365'000 * 24 * kHour));
  sweep();
  EXPECT_GE(line.remembered(), 2U);
}

TEST(Topology, SweepsMoreVehiclesThanOneStepTakes) {
  Line line({.silent_retention = std::chrono::hours(24)});
  for (int n = 0; n < 2500; ++n) {
    line.post({.vehicle_id = fmt::format("V{}", n),
               .lat = 52,
               .lon = 21,
               .timestamp = kBase,
               .received_at = kBase + 60 * kMinute});
  }
  line.post({.vehicle_id = "now", .lat = 52, .lon = 21, .timestamp = kBase, .received_at = kBase + 72 * 60 * kMinute});
  std::vector<uint64_t> left;
  for (int step = 0; step < 3; ++step) {
    ASSERT_TRUE(line.driver().advance_wall_clock(std::chrono::minutes(1)).ok());
    left.push_back(line.remembered());
  }
  EXPECT_EQ(left, (std::vector<uint64_t>{1501, 501, 1}));
  EXPECT_EQ(line.counts().accepted, 2501);
}

TEST(Topology, EnrichesAnAcceptedFixAndKeepsTheState) {
  Line line;
  line.master("V1", {.line = "189", .brigade = "3", .speed_limit = 70});
  line.post(fix(kBase, 21.5, 60));
  const auto enriched = line.read<EnrichedPosition>(kEnrichedTopic);
  ASSERT_EQ(enriched.size(), 1U);
  EXPECT_EQ(enriched[0].key, "V1");
  EXPECT_EQ(enriched[0].timestamp_ms, kBase);
  EXPECT_EQ(enriched[0].value->line, "189");
  EXPECT_EQ(enriched[0].value->speed_limit, 70);
  EXPECT_EQ(enriched[0].value->zones, std::vector<std::string>{"east"});
  const auto states = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].value->brigade, "3");
  EXPECT_FALSE(states[0].value->overspeed);
  EXPECT_TRUE(line.read<Alert>(kAlertsTopic).empty());                             // the first fix enters nothing
  EXPECT_EQ(line.read<ZoneOccupancy>(kOccupancyTopic).back().value->vehicles, 1);  // but is counted
}

TEST(Topology, DropsAndCountsDuplicates) {
  Line line;
  line.post(fix(kBase, 20.5));
  line.post(fix(kBase, 20.5));
  line.post(fix(kBase + 10'000, 20.501));
  line.post(fix(kBase, 20.5));          // again, now an old one
  line.post(fix(kBase + 5'000, 20.5));  // late, but new
  line.post(fix(kBase + 5'000, 20.5));
  line.post(fix(kBase, 20.5, {}, "V2"));  // another vehicle
  EXPECT_EQ(line.read<EnrichedPosition>(kEnrichedTopic).size(), 4U);
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 7, .accepted = 4, .late = 1, .duplicates = 3}));
}

TEST(Topology, SendsRejectedPositionsToTheDeadLetters) {
  Line line;
  line.post(fix(kBase, 20.5));
  line.post({.vehicle_id = "V1", .lat = 91, .lon = 21, .timestamp = kBase + 1});
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 21, .timestamp_text = "noon"});
  line.post(fix(kBase + 10'000, 21.5));  // 68 km in 10 s
  line.post(fix(kBase + 10'000, 20.5));  // a duplicate of what was rejected
  const auto letters = line.read<DeadLetter>(kDlqTopic);
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_EQ(letters[0].value->rule, kLatitude);
  EXPECT_EQ(letters[0].value->topic, kRawTopic);
  EXPECT_EQ(letters[0].value->offset, 1);
  EXPECT_EQ(letters[1].value->rule, kUnparseableTime);
  EXPECT_EQ(letters[1].value->timestamp_text, "noon");
  EXPECT_EQ(letters[1].value->payload, R"({"vehicleId":"V1","lat":52.0,"lon":21.0,"timestamp":"noon"})");
  EXPECT_EQ(letters[2].value->rule, kImpliedSpeed);
  EXPECT_EQ(letters[2].key, "V1");
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 5, .accepted = 1, .duplicates = 1, .dead_letters = 3}));
}

TEST(Topology, SendsUndecodableBytesToTheDeadLetters) {
  Line line;
  ASSERT_TRUE(
      line.driver().pipe(std::string(kRawTopic), {.key = "V1", .value = "nonsense", .timestamp_ms = kBase}).ok());
  const auto letters = line.read<DeadLetter>(kDlqTopic);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value->rule, kUndecodable);
  EXPECT_EQ(letters[0].value->vehicle_id, std::nullopt);
  EXPECT_EQ(letters[0].value->payload, hex("nonsense"));
  line.post(fix(kBase, 20.5));
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 2, .accepted = 1, .dead_letters = 1}));
}

TEST(Topology, FollowsZonesAndOverspeed) {
  Line line;
  line.post(fix(kBase, 20.99, 40));
  line.post(fix(kBase + kMinute, 21.01, 60));
  line.post(fix(kBase + 2 * kMinute, 21.02, 65));
  EXPECT_TRUE(line.read<VehicleState>(kStateTopic).back().value->overspeed);
  line.post(fix(kBase + 3 * kMinute, 20.99, 30));
  const auto alerts = line.read<Alert>(kAlertsTopic);
  ASSERT_EQ(alerts.size(), 3U);
  EXPECT_EQ(alerts[0].value->kind, "zone_enter");
  EXPECT_EQ(alerts[0].value->zone_name, "East side");
  EXPECT_EQ(alerts[1].value->kind, "zone_exit");
  EXPECT_EQ(alerts[2].value->kind, "overspeed");
  EXPECT_EQ(alerts[2].value->peak, 65);
  EXPECT_EQ(alerts[2].value->duration_ms, 2 * kMinute);
  const auto occupancy = line.read<ZoneOccupancy>(kOccupancyTopic);
  ASSERT_EQ(occupancy.size(), 2U);
  EXPECT_EQ(occupancy[0].value->vehicles, 1);
  EXPECT_EQ(occupancy[1].value->vehicles, 0);
  EXPECT_EQ(line.counts().alerts, 3);
}

TEST(Topology, AveragesSpeedInTumblingWindowsWithGrace) {
  Line line;
  line.post(fix(kBase, 20.5, 30));
  line.post(fix(kBase + 4 * kMinute, 20.5, 50));
  line.post(fix(kBase + 4 * kMinute + 1, 20.5));   // without a speed
  line.post(fix(kBase + 5 * kMinute, 20.5, 80));   // the next window
  line.post(fix(kBase + 3 * kMinute, 20.5, 40));   // late, within the grace
  line.post(fix(kBase + 6 * kMinute, 20.5, 10));   // the first window's end and a minute have passed
  line.post(fix(kBase + 2 * kMinute, 20.5, 100));  // too late for it
  std::map<int64_t, std::pair<double, int64_t>> averages;
  for (const auto& record : line.read<SpeedAverage>(kSpeedTopic)) {
    EXPECT_EQ(record.key, "V1");
    EXPECT_EQ(record.value->window_end - record.value->window_start, 5 * kMinute);
    averages[record.value->window_start - kBase] = {record.value->avg_speed, record.value->count};
  }
  EXPECT_EQ(averages, (std::map<int64_t, std::pair<double, int64_t>>{{0, {40, 3}}, {5 * kMinute, {45, 2}}}));
}

TEST(Topology, RemembersEverythingAcrossARestart) {
  Line line;
  line.post(fix(kBase, 20.99, 60));
  line.post(fix(kBase + 1000, 20.99, 70));
  ASSERT_TRUE(line.driver().restart().ok());
  line.post(fix(kBase, 20.99, 60));            // still a duplicate
  line.post(fix(kBase + kMinute, 21.01, 20));  // closes the episode and enters
  const auto alerts = line.read<Alert>(kAlertsTopic);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(*alerts[1].value->start, kBase);
  EXPECT_EQ(*alerts[1].value->peak, 70);
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 4, .accepted = 3, .duplicates = 1, .alerts = 2}));
}

TEST(Topology, JudgesAVehicleByItsOwnClock) {
  // A trip of the day before, posted three times, beside a vehicle that is live: as if it were alone.
  Line line;
  constexpr int64_t kDay = 24 * 60 * kMinute;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) {
      line.post(fix(kBase + (round * 12 + i) * kMinute / 2, 20.5, 30, "live"));
      line.post(fix(kBase - kDay + i * kMinute, 20.99 + i * 0.005, 40, "old"));
    }
    if (round == 1) {
      ASSERT_TRUE(line.driver().restart().ok());
    }
  }
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 72, .accepted = 48, .duplicates = 24, .alerts = 1}));
  std::map<int64_t, int64_t> windows;
  for (const auto& record : line.read<SpeedAverage>(kSpeedTopic)) {
    if (record.value->vehicle_id == "old") windows[record.value->window_start - kBase + kDay] = record.value->count;
  }
  EXPECT_EQ(windows, (std::map<int64_t, int64_t>{{0, 5}, {5 * kMinute, 5}, {10 * kMinute, 2}}));
}

TEST(Topology, KnowsWhatAVehicleSentBeforeItWasOffline) {
  constexpr int64_t kDay = 24 * 60 * kMinute;
  Line line;
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = kBase, .received_at = kBase});
  // Sent again a day later, before anything newer.
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = kBase, .received_at = kBase + kDay});
  // What is a day old is known again as well: it has just been received.
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = kBase + kDay, .received_at = kBase + kDay});
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = kBase + 1000, .received_at = kBase + kDay});
  line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = kBase + 1000, .received_at = kBase + kDay});
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 5, .accepted = 3, .late = 1, .duplicates = 2}));
}

TEST(Topology, RemembersNoMoreOfAVehicleThanItsRetention) {
  Line line({.duplicate_retention = std::chrono::minutes(2)});
  // Two minutes of fixes, those of long ago that came within them, and what comes between two sweeps.
  constexpr uint64_t kMost = 121 + 3 + SeenFixes::kSweepEvery + 2;
  for (int i = 0; i < 2000; ++i) {
    const int64_t at = kBase + i * 1000;
    line.post({.vehicle_id = "live", .lat = 52, .lon = 20, .timestamp = at, .received_at = at});
    // Beside it fixes of long ago, which must not keep the others from being forgotten.
    if (i % 50 == 0)
      line.post({.vehicle_id = "live", .lat = 52, .lon = 20, .timestamp = at - 86'400'000, .received_at = at});
    if (i % 100 == 99) {
      ASSERT_LE(line.remembered(), kMost) << i;
    }
  }
  ASSERT_TRUE(line.driver().restart().ok());
  EXPECT_LE(line.remembered(), kMost);
  EXPECT_GE(line.remembered(), 121U);
}

TEST(Topology, ForgetsABacklogWhenItsReceiptIsLongAgo) {
  Line line({.duplicate_retention = std::chrono::minutes(2)});
  const auto post = [&line](int64_t timestamp, int64_t received) {
    line.post({.vehicle_id = "V1", .lat = 52, .lon = 20, .timestamp = timestamp, .received_at = received});
  };
  post(kBase, kBase);
  for (int i = 0; i < 1500; ++i) post(kBase - 86'400'000 + i * 1000, kBase);
  EXPECT_EQ(line.remembered(), 1501U);
  post(kBase - 86'400'000, kBase + 2 * kMinute);  // still known
  EXPECT_EQ(line.counts().duplicates, 1);
  post(kBase - 86'400'000, kBase + 2 * kMinute + 1);  // a moment later it is not, whether or not it has been swept away
  EXPECT_EQ(line.counts().duplicates, 1);
  for (int i = 1; i <= 600; ++i) post(kBase + i * 1000, kBase + 3 * kMinute + i * 1000);
  EXPECT_LE(line.remembered(), 121U + SeenFixes::kSweepEvery);
}

TEST(Topology, IsNotMovedByTimesAheadOfTheClock) {
  Line line;
  const auto received = [](int64_t timestamp, int64_t at) {
    RawPosition position = fix(timestamp, 20.5, 30);
    position.received_at = at;
    return position;
  };
  line.post(received(kBase, kBase));
  line.post(received(kBase + 86'400'000, kBase + 1000));      // tomorrow
  line.post(received(kBase + kMinute + 2001, kBase + 2000));  // a little too far
  line.post(received(946'684'799'999, kBase + 2000));         // a clock that was never set
  line.post(received(kBase + 3000, kBase + 3000));
  line.post(received(kBase + 1000, kBase + 3000));
  const auto letters = line.read<DeadLetter>(kDlqTopic);
  ASSERT_EQ(letters.size(), 3U);
  EXPECT_EQ(letters[0].value->rule, kFutureTime);
  EXPECT_EQ(letters[1].value->rule, kFutureTime);
  EXPECT_EQ(letters[2].value->rule, kPastTime);
  EXPECT_EQ(line.read<VehicleState>(kStateTopic).back().value->timestamp, kBase + 3000);
  EXPECT_EQ(line.read<SpeedAverage>(kSpeedTopic).back().value->count, 3);
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 6, .accepted = 3, .late = 1, .dead_letters = 3}));
}

TEST(Topology, LetsSeveralFixesElsewhereWin) {
  Line line;
  line.post(fix(kBase, 20.0));  // wrong
  for (int i = 1; i <= 4; ++i) line.post(fix(kBase + i * 10'000, 21.5));
  EXPECT_EQ(line.read<DeadLetter>(kDlqTopic).size(), 2U);
  const auto states = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[1].value->timestamp, kBase + 30'000);
  EXPECT_EQ(states[1].value->lon, 21.5);
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 5, .accepted = 3, .dead_letters = 2, .alerts = 1}));
}

TEST(Topology, RemovesADeletedVehicleAndBeginsItAnew) {
  Line line;
  line.master("V1", {.line = "189"});
  line.post(fix(kBase, 21.5, 60));
  EXPECT_EQ(line.read<ZoneOccupancy>(kOccupancyTopic).back().value->vehicles, 1);
  ASSERT_EQ(line.read<VehicleState>(kStateTopic).size(), 1U);
  line.remove("V1");
  const auto tombstones = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(tombstones.size(), 1U);
  EXPECT_EQ(tombstones[0].key, "V1");
  EXPECT_FALSE(tombstones[0].value);
  EXPECT_EQ(tombstones[0].timestamp_ms, kWallClock);
  EXPECT_EQ(line.read<ZoneOccupancy>(kOccupancyTopic).back().value->vehicles, 0);
  EXPECT_EQ(line.remembered(), 0U);
  ASSERT_TRUE(line.driver().restart().ok());
  // Elsewhere, older, and once more the same: the next fix is a first one. No row, no line.
  RawPosition again = fix(kBase - kMinute, 19.0, 20);
  again.received_at = kWallClock + 1;
  line.post(again);
  const auto states = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].value->line, std::nullopt);
  EXPECT_FALSE(states[0].value->overspeed);
  EXPECT_TRUE(line.read<Alert>(kAlertsTopic).empty());  // the open episode is gone, and no zone was left
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 2, .accepted = 2}));
  line.remove("unheard of");
  EXPECT_EQ(line.read<VehicleState>(kStateTopic).size(), 1U);
}

TEST(Topology, KeepsADeletedVehicleAwayFromWhatWasOnItsWay) {
  Line line;
  const auto received = [](int64_t timestamp, int64_t at) {
    RawPosition position = fix(timestamp, 21.5, 60);
    position.received_at = at;
    return position;
  };
  line.remove("V1", kBase + 10'000);  // is read before the positions
  line.post(received(kBase, kBase + 9'000));
  line.post(received(kBase + 1000, kBase + 10'000));
  line.post(received(kBase + 1000, kBase + 10'000));  // a duplicate
  EXPECT_EQ(line.read<EnrichedPosition>(kEnrichedTopic).size(), 2U);
  const auto nothing = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(nothing.size(), 1U);
  EXPECT_FALSE(nothing[0].value);
  EXPECT_TRUE(line.read<SpeedAverage>(kSpeedTopic).empty());
  line.post(received(kBase + 1000, kBase + 10'001));  // posted again after the removal
  EXPECT_EQ(line.read<VehicleState>(kStateTopic).size(), 1U);
  EXPECT_EQ(line.counts(), (PartitionCounts{.received = 4, .accepted = 3, .late = 2, .duplicates = 1}));
}

TEST(Topology, TakesUnknownSpeedsAndHeadingsAsAbsent) {
  Line line;
  RawPosition position = fix(kBase, 20.5, -1);
  position.heading = -1;
  line.post(position);
  const auto states = line.read<VehicleState>(kStateTopic);
  ASSERT_EQ(states.size(), 1U);
  EXPECT_FALSE(states[0].value->speed || states[0].value->heading);
  EXPECT_TRUE(line.read<SpeedAverage>(kSpeedTopic).empty());
  line.post(fix(kBase + 1000, 20.5, 1e308));
  EXPECT_EQ(line.read<DeadLetter>(kDlqTopic).back().value->rule, kSpeed);
}

TEST(Topology, TakesNoSpeedLimitThatIsNone) {
  Line line;
  for (const double limit : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -5.0}) {
    line.master("V1", {.speed_limit = limit});
    line.post(fix(kBase + static_cast<int64_t>(line.remembered()) * 1000, 20.5));
    EXPECT_EQ(line.read<VehicleState>(kStateTopic).back().value->speed_limit, 50) << limit;
  }
}

}  // namespace
}  // namespace muir::vts
