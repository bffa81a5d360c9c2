#include "apps/vts/topology.h"

#include "apps/vts/master_rows.h"
#include "apps/vts/tracker.h"
#include "streams/dsl.h"

namespace muir::vts {
namespace {

using Outcomes = streams::KStream<std::string, Outcome>;

// The stream of one member of the outcomes, where it is set.
template <class T>
auto select(const Outcomes& outcomes, std::optional<T> Outcome::*member, const std::string& name) {
  return outcomes
      .filter([member](const Outcome& out) { return (out.*member).has_value(); }, {.name = name + "-present"})
      .map_values([member](const Outcome& out) { return *(out.*member); }, {.name = name});
}

// Rows have no time of their own: of what a task has at hand it takes them first, however old the positions are.
int64_t always_first(const streams::Record<std::string, Bytes>&, int64_t) { return 0; }

// Records of other programs need not have one, and may have any: what is written for them, to changelogs as well, has
// it too, and topics refuse what is far ahead of the clock.
int64_t possible_time(const streams::Record<std::string, Bytes>& record, int64_t partition_time_ms,
                      const Clock& clock) {
  const int64_t time = record.timestamp_ms >= 0 ? record.timestamp_ms : std::max<int64_t>(partition_time_ms, 0);
  return std::min(time, clock.now_ms());
}

// The states, and tombstones where vehicles are deleted.
class StateOf final : public streams::FixedKeyProcessor<std::string, Outcome, VehicleState> {
 public:
  Status process(const streams::Record<std::string, Outcome>& record) override {
    if (record.value->state) return context().forward(record.with_value(*record.value->state));
    if (record.value->removed) return context().forward({record.key, nullptr, record.timestamp_ms, record.headers});
    return {};
  }
};

// Rows that are zones, and tombstones of those that are deleted.
class RowOfZone final : public streams::FixedKeyProcessor<std::string, ZoneRow, Bytes> {
 public:
  Status process(const streams::Record<std::string, ZoneRow>& record) override {
    if (record.value->zone) return context().forward(record.with_value(*record.value->zone));
    if (record.value->removed) return context().forward({record.key, nullptr, record.timestamp_ms, record.headers});
    return {};
  }
};

void add_zone_rows(const streams::KStream<std::string, ZoneRow>& rows) {
  rows.filter([](const ZoneRow& row) { return row.dead_letter.has_value(); }, {.name = "zone-dead-letter-present"})
      .map_values([](const ZoneRow& row) { return *row.dead_letter; }, {.name = "zone-dead-letter"})
      .to(std::string(kDlqTopic), {.name = "zone-dead-letters"});
  rows.process_values([] { return std::make_unique<RowOfZone>(); }, {.name = "zone-row"})
      .to(std::string(kZoneRowsTopic), {.name = "zones"});
}

void add_occupancy(const Outcomes& outcomes) {
  outcomes
      .flat_map(
          [](const std::string&, const Outcome& out) {
            std::vector<std::pair<std::string, int64_t>> deltas;
            for (const ZoneDelta& delta : out.zone_deltas) deltas.emplace_back(delta.zone_id, delta.change);
            return deltas;
          },
          {.name = "zone-changes"})
      .group_by_key({.name = "zone-changes"})
      .aggregate(int64_t{0}, [](const int64_t& change, const int64_t& vehicles) { return vehicles + change; },
                 {.store = "zone-vehicles"})
      .to_stream()
      .map_values([](const std::string& zone,
                     const int64_t& vehicles) { return ZoneOccupancy{.zone_id = zone, .vehicles = vehicles}; },
                  {.name = "occupancy"})
      .to(std::string(kOccupancyTopic), {.name = "occupancies"});
}

}  // namespace

Result<streams::Topology> make_topology(const TopologyOptions& options, RegistryPort& registry, ZoneSource zones) {
  const SerdeContext serdes{.registry = &registry};
  SerdeRef<RawPosition> raw = default_serde<RawPosition>();
  SerdeRef<VehicleMaster> vehicle_row = row_serde<VehicleMaster>();
  SerdeRef<ZoneMaster> zone_row = row_serde<ZoneMaster>();
  MUIR_RETURN_IF_ERROR(raw.configure(serdes, false));
  MUIR_RETURN_IF_ERROR(vehicle_row.configure(serdes, false));
  MUIR_RETURN_IF_ERROR(zone_row.configure(serdes, false));

  streams::StreamsBuilder builder;
  builder.add_state_store(streams::KeyValueStoreBuilder<std::string, VehicleTrack>{.name = kTrackStore});
  builder.add_state_store(
      streams::KeyValueStoreBuilder<Bytes, int64_t>{.name = kFixesStore, .format = store::ValueFormat::plain});
  builder.add_state_store(streams::KeyValueStoreBuilder<std::string, VehicleMaster>{.name = kVehicleRowsStore});
  const std::vector<std::string> stores{kTrackStore, kFixesStore, kVehicleRowsStore};
  // All inputs are read as bytes: what they hold is decoded where there is something to do with what cannot be.
  const Outcomes judged =
      builder
          .stream<std::string, Bytes>(std::string(kRawTopic),
                                      {.name = "positions",
                                       .timestamp =
                                           [&clock = *options.clock](const auto& record, int64_t partition_time_ms) {
                                             return possible_time(record, partition_time_ms, clock);
                                           },
                                       .reset = streams::Reset::earliest})
          .process_values([options, raw, zones] { return std::make_unique<Tracker>(options, raw, zones); },
                          {.name = "tracker", .stores = stores});
  const Outcomes changed =
      builder
          .stream<std::string, Bytes>(
              std::string(kVehicleMasterTopic),
              {.name = "vehicle-master", .timestamp = always_first, .reset = streams::Reset::earliest})
          .process_values([options, vehicle_row] { return std::make_unique<VehicleRows>(options, vehicle_row); },
                          {.name = "vehicle-rows", .stores = stores});
  const Outcomes outcomes = judged.merge(changed, {.name = "outcomes"});

  select(outcomes, &Outcome::enriched, "enriched").to(std::string(kEnrichedTopic), {.name = "enriched-positions"});
  outcomes.process_values([] { return std::make_unique<StateOf>(); }, {.name = "state"})
      .to(std::string(kStateTopic), {.name = "states"});
  select(outcomes, &Outcome::speed, "speed").to(std::string(kSpeedTopic), {.name = "speed-averages"});
  select(outcomes, &Outcome::dead_letter, "dead-letter").to(std::string(kDlqTopic), {.name = "dead-letters"});
  select(outcomes, &Outcome::counts, "count").to(std::string(kCountsTopic), {.name = "counts"});
  outcomes.flat_map_values([](const Outcome& out) { return out.alerts; }, {.name = "alert"})
      .to(std::string(kAlertsTopic), {.name = "alerts"});
  add_occupancy(outcomes);
  add_zone_rows(
      builder
          .stream<std::string, Bytes>(
              std::string(kZoneMasterTopic),
              {.name = "zone-master", .timestamp = always_first, .reset = streams::Reset::earliest})
          .process_values([zone_row] { return std::make_unique<ZoneRows>(zone_row); }, {.name = "zone-rows"}));
  return builder.build();
}

}  // namespace muir::vts
