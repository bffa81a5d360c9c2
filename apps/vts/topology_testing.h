// Line: the topology on the test driver: positions in, every topic out. For tests.
#pragma once

#include <gtest/gtest.h>

#include "apps/vts/topology.h"
#include "apps/vts/tracker.h"
#include "streams/test_driver.h"

namespace muir::vts {

inline constexpr int64_t kBase = 1'708'354'800'000;  // a whole number of 5-minute windows
inline constexpr int64_t kMinute = 60'000;
inline constexpr int64_t kWallClock = kBase + 30 * 86'400'000LL;

// With one zone: "east", longitudes 21 to 22, latitudes 52 to 53. Owned by one thread.
class Line {
 public:
  explicit Line(TopologyOptions options = {}) {
    zones_ = std::make_shared<const ZoneIndex>(std::vector<ZoneMaster>{
        {.zone_id = "east", .name = "East side", .kind = "test", .polygons = {{{21, 52, 22, 52, 22, 53, 21, 53}}}}});
    auto topology = make_topology(options, registry_, [this] { return zones_; });
    EXPECT_TRUE(topology.ok()) << topology.status().to_string();
    auto driver = streams::TestDriver::create(*topology, {.registry = &registry_, .wall_clock_ms = kWallClock});
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
  void remove(const std::string& id, std::optional<int64_t> removed_at = {}) {
    streams::TestRecord<std::string, VehicleMaster> tombstone{.key = id, .timestamp_ms = kBase};
    if (removed_at) tombstone.headers.push_back({std::string(kRemovedAtHeader), std::to_string(*removed_at)});
    const Status status = master_->pipe(tombstone);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }

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
  // Timestamps that are kept to know fixes again.
  uint64_t remembered() {
    auto rows = driver_->key_value_store<Bytes, int64_t>(kFixesStore);
    uint64_t count = 0;
    EXPECT_TRUE(rows.ok() && rows->for_each([&count](const Bytes&, const int64_t&) { ++count; }).ok());
    return count;
  }
  streams::TestDriver& driver() { return *driver_; }
  MemoryRegistry& registry() { return registry_; }

 private:
  MemoryRegistry registry_;
  std::shared_ptr<const ZoneIndex> zones_;
  std::unique_ptr<streams::TestDriver> driver_;
  std::optional<streams::TestInputTopic<std::string, RawPosition>> input_;
  std::optional<streams::TestInputTopic<std::string, VehicleMaster>> master_;
};

}  // namespace muir::vts
