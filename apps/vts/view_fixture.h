// ShownFleet: a view that tests fill by hand, as the output topics would.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/vts/view.h"
#include "serde/serde.h"

namespace muir::vts {

class ShownFleet {
 public:
  ShownFleet() {
    EXPECT_TRUE(view_.configure(context_).ok());
    EXPECT_TRUE(states_.configure(context_, false).ok());
    EXPECT_TRUE(counts_.configure(context_, false).ok());
  }
  View& view() { return view_; }

  void show(const std::string& id, int64_t timestamp = 1000) {
    Bytes value;
    EXPECT_TRUE(
        states_.serialize(kStateTopic, {.vehicle_id = id, .lat = 52, .lon = 21, .timestamp = timestamp}, value).ok());
    apply(kStateTopic, id, BytesView(value));
  }
  void remove(const std::string& id) { apply(kStateTopic, id, std::nullopt); }
  void receive(int64_t positions) {
    received_ += positions;
    Bytes value;
    EXPECT_TRUE(counts_.serialize(kCountsTopic, {.partition = 0, .received = received_}, value).ok());
    apply(kCountsTopic, "0", BytesView(value));
  }
  void zones(const std::vector<std::string>& ids) {
    std::vector<ZoneMaster> zones;
    for (const std::string& id : ids)
      zones.push_back({.zone_id = id, .name = id, .polygons = {{{21, 52, 22, 52, 22, 53, 21, 53}}}});
    view_.set_zones(std::make_shared<const ZoneIndex>(std::move(zones)));
  }

 private:
  void apply(std::string_view topic, const std::string& key, OptBytesView value) {
    const client::ConsumedRecord record{.offset = Offset(offset_++), .key = BytesView(key), .value = value};
    view_.apply({.partition = {std::string(topic), PartitionId(0)}, .records = std::span(&record, 1)});
  }

  MemoryRegistry registry_;
  const SerdeContext context_{.registry = &registry_};
  View view_;
  SerdeRef<VehicleState> states_ = default_serde<VehicleState>();
  SerdeRef<PartitionCounts> counts_ = default_serde<PartitionCounts>();
  int64_t offset_ = 0;
  int64_t received_ = 0;
};

}  // namespace muir::vts
