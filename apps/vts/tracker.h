// Tracker: the processor at the heart of the topology. Decodes and judges one position at a time, with what it
// remembers of its vehicle, and says everything that follows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/vts/position_json.h"
#include "apps/vts/records.h"
#include "apps/vts/topology.h"
#include "apps/vts/track.h"
#include "serde/serde.h"
#include "streams/processor.h"

namespace muir::vts {

inline constexpr const char* kTrackStore = "vehicle-track";
inline constexpr const char* kSeenStore = "vehicle-seen";

// A record of vehicle.location.raw, not yet decoded, beside its vehicle's row of vehicle.master.
struct Incoming {
  Bytes raw;
  std::optional<VehicleMaster> master;
};

struct ZoneDelta {
  std::string zone_id;
  int64_t change = 0;
};

// What one record leads to.
struct Outcome {
  std::optional<EnrichedPosition> enriched;
  std::optional<VehicleState> state;
  std::optional<DeadLetter> dead_letter;
  std::vector<Alert> alerts;
  std::vector<ZoneDelta> zone_deltas;
  std::optional<PartitionCounts> counts;
};

// Owned by its task's thread.
class Tracker final : public streams::FixedKeyProcessor<std::string, Incoming, Outcome> {
 public:
  Tracker(const TopologyOptions& options, SerdeRef<RawPosition> raw, ZoneSource zones)
      : options_(options), raw_(std::move(raw)), zones_(std::move(zones)) {}

  Status init(Context& context) override;
  Status process(const streams::Record<std::string, Incoming>& record) override;

 private:
  using Record = streams::Record<std::string, Incoming>;

  Status reject(const Record& record, const RawPosition* position, VehicleTrack& track, const Rejection& rejection);
  // False when the vehicle has had a fix of that time; remembers it otherwise.
  Result<bool> first_of_its_time(const RawPosition& position, VehicleTrack& track);
  Status accept(const Record& record, const RawPosition& position, VehicleTrack& track, TrackStep step,
                double speed_limit);
  Status save(const std::string& id, const VehicleTrack& track, const VehicleTrack& before);
  Status forward_counts();

  const TopologyOptions options_;
  const SerdeRef<RawPosition> raw_;
  const ZoneSource zones_;
  streams::KeyValueStore<std::string, VehicleTrack> tracks_;
  streams::WindowStore<std::string, bool> seen_;
  PartitionCounts counts_;
  std::optional<PartitionCounts> forwarded_;
};

}  // namespace muir::vts
