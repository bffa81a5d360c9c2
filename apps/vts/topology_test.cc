#include "apps/vts/topology.h"

#include "apps/vts/tracker.h"
#include "streams/test_driver.h"

namespace muir::vts {
namespace {

constexpr int64_t kBase = 1'708'354'800'000;  // a whole number of 5-minute windows
constexpr int64_t kMinute = 60'000;

// The topology on the test driver: positions in, every topic out.
class Line {
 public:
  explicit Line(TopologyOptions options = {}) {
    zones_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>{
        {.zone_id = "east", .name = "East side", .kind = "test", .polygons = {{{21, 52, 22, 52, 22, 53, 21, 53}}}}});
    auto topology = make_topology(options, registry_, [this] { return zones_; });
    EXPECT_TRUE(topology.ok()) << topology.status().to_string();
    auto driver = streams::TestDriver::create(*topology, {.registry = &registry_, .wall_clock_ms = kBase});
    EXPECT_TRUE(driver.ok()) << driver.status().to_string();
    driver_ = std::move(*driver);
    input_.emplace(*driver_->input<std::string, RawPosition>(std::string(kRawTopic)));
    master_.emplace(*driver_->input<std::string, VehicleMaster>(std::string(kVehicleMasterTopic)));
  }

  void post(const RawPosition& position) {
    RawPosition sent = position;
    if (sent.received_at == 0) sent.received_at = kBase + 60 * kMinute;
    const Status status = input_->pipe(sent.vehicle_id, sent, sent.timestamp.value_or(sent.received_at));
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  void master(const std::string& id, const VehicleMaster& row) { EXPECT_TRUE(master_->pipe(id, row, kBase).ok()); }

  template <class T>
  std::vector<streams::TestRecord<std::string, T>> read(std::string_view topic) {
    auto output = driver_->output<std::string, T>(std::string(topic));
    auto records = output->read_all();
    EXPECT_TRUE(records.ok()) << records.status().to_string();
    return std::move(*records);
  }
  PartitionCounts counts() {
    EXPECT_TRUE(driver_->advance_wall_clock(std::chrono::seconds(1)).ok());
    const auto records = read<PartitionCounts>(kCountsTopic);
    return records.empty() ? PartitionCounts{} : *records.back().value;
  }
  streams::TestDriver& driver() { return *driver_; }

 private:
  MemoryRegistry registry_;
  std::shared_ptr<const ZoneIndex> zones_;
  std::unique_ptr<streams::TestDriver> driver_;
  std::optional<streams::TestInputTopic<std::string, RawPosition>> input_;
  std::optional<streams::TestInputTopic<std::string, VehicleMaster>> master_;
};

RawPosition fix(int64_t timestamp, double lon, std::optional<double> speed = {}, std::string vehicle = "V1") {
  return {.vehicle_id = std::move(vehicle), .lat = 52.5, .lon = lon, .speed = speed, .timestamp = timestamp};
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

}  // namespace
}  // namespace muir::vts
