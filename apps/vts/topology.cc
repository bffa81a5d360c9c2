#include "apps/vts/topology.h"

#include "apps/vts/tracker.h"
#include "streams/dsl.h"

namespace muir::vts {
namespace {

constexpr auto kWindow = std::chrono::minutes(5);
constexpr auto kGrace = std::chrono::minutes(1);

// Window stores' changelogs are kept by size instead of by time: a replay of an old recording must not expire on
// arrival.
const std::map<std::string, std::string> kBySize{{"retention.ms", "-1"}, {"retention.bytes", "268435456"}};

// What a window remembers.
struct SpeedSum {
  double sum = 0;
  int64_t count = 0;
};
void describe(Fields& f, SpeedSum& r) {
  f.name("muir.vts.SpeedSum");
  f("sum", r.sum)("count", r.count);
}

using Outcomes = streams::KStream<std::string, Outcome>;

// The stream of one member of the outcomes, where it is set.
template <class T>
auto select(const Outcomes& outcomes, std::optional<T> Outcome::*member, const std::string& name) {
  return outcomes
      .filter([member](const Outcome& out) { return (out.*member).has_value(); }, {.name = name + "-present"})
      .map_values([member](const Outcome& out) { return *(out.*member); }, {.name = name});
}

void add_average_speed(const Outcomes& outcomes) {
  outcomes.filter([](const Outcome& out) { return out.enriched && out.enriched->speed; }, {.name = "has-speed"})
      .map_values([](const Outcome& out) { return *out.enriched->speed; }, {.name = "speed"})
      .group_by_key({.name = "speed-by-vehicle"})
      .windowed_by({.size = kWindow, .grace = kGrace})
      .aggregate(SpeedSum{},
                 [](const double& speed, SpeedSum& sum) {
                   sum.sum += speed;
                   ++sum.count;
                 },
                 {.store = "vehicle-speed-5min", .topic_configs = kBySize})
      .to_stream()
      .map(
          [](const streams::Windowed<std::string>& window, const SpeedSum& sum) {
            return std::pair(window.key, SpeedAverage{.vehicle_id = window.key,
                                                      .window_start = window.window.start_ms,
                                                      .window_end = window.window.end_ms,
                                                      .avg_speed = sum.sum / static_cast<double>(sum.count),
                                                      .count = sum.count});
          },
          {.name = "speed-average"})
      .to(std::string(kSpeedTopic), {.name = "speed-averages"});
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
  SerdeRef<RawPosition> raw = default_serde<RawPosition>();
  MUIR_RETURN_IF_ERROR(raw.configure({.registry = &registry}, false));

  streams::StreamsBuilder builder;
  builder.add_state_store(streams::KeyValueStoreBuilder<std::string, VehicleTrack>{.name = kTrackStore});
  builder.add_state_store(streams::WindowStoreBuilder<std::string, bool>{.name = kSeenStore,
                                                                         .window_size = std::chrono::milliseconds(1),
                                                                         .retention = options.duplicate_retention,
                                                                         .topic_configs = kBySize,
                                                                         .format = store::ValueFormat::plain});
  // Rows have no time of their own: of what a task has at hand it takes them first, however old the positions are.
  const auto always_first = [](const streams::Record<std::string, VehicleMaster>&, int64_t) { return int64_t{0}; };
  const auto master = builder.table<std::string, VehicleMaster>(std::string(kVehicleMasterTopic),
                                                                {.timestamp = always_first, .name = "vehicle-master"},
                                                                {.store = "vehicle-master"});
  const Outcomes outcomes =
      builder
          .stream<std::string, Bytes>(std::string(kRawTopic),
                                      {.reset = streams::Reset::earliest,
                                       .invalid_timestamp = streams::InvalidTimestamp::use_partition_time,
                                       .name = "positions"})
          .left_join(master,
                     [](const Bytes& raw_bytes, const VehicleMaster* row) {
                       return Incoming{.raw = raw_bytes, .master = row != nullptr ? std::optional(*row) : std::nullopt};
                     },
                     {.name = "with-vehicle"})
          .process_values([options, raw, zones] { return std::make_unique<Tracker>(options, raw, zones); },
                          {.stores = {kTrackStore, kSeenStore}, .name = "tracker"});

  select(outcomes, &Outcome::enriched, "enriched").to(std::string(kEnrichedTopic), {.name = "enriched-positions"});
  select(outcomes, &Outcome::state, "state").to(std::string(kStateTopic), {.name = "states"});
  select(outcomes, &Outcome::dead_letter, "dead-letter").to(std::string(kDlqTopic), {.name = "dead-letters"});
  select(outcomes, &Outcome::counts, "count").to(std::string(kCountsTopic), {.name = "counts"});
  outcomes.flat_map_values([](const Outcome& out) { return out.alerts; }, {.name = "alert"})
      .to(std::string(kAlertsTopic), {.name = "alerts"});
  add_average_speed(outcomes);
  add_occupancy(outcomes);
  return builder.build();
}

}  // namespace muir::vts
