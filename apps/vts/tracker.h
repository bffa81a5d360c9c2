// Tracker: the processor at the heart of the topology. Decodes and judges one position at a time, with what it
// remembers of its vehicle, and says everything that follows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/vts/position_json.h"
#include "apps/vts/records.h"
#include "apps/vts/seen_fixes.h"
#include "apps/vts/topology.h"
#include "apps/vts/track.h"
#include "serde/serde.h"
#include "streams/processor.h"

namespace muir::vts {

inline constexpr const char* kTrackStore = "vehicle-track";

struct ZoneDelta {
  std::string zone_id;
  int64_t change = 0;
};

// What one record leads to.
struct Outcome {
  std::optional<EnrichedPosition> enriched;
  std::optional<VehicleState> state;
  bool removed = false;  // the vehicle has no state any more
  std::optional<SpeedAverage> speed;
  std::optional<DeadLetter> dead_letter;
  std::vector<Alert> alerts;
  std::vector<ZoneDelta> zone_deltas;
  std::optional<PartitionCounts> counts;
};

// Owned by its task's thread.
class Tracker final : public streams::FixedKeyProcessor<std::string, Bytes, Outcome> {
 public:
  Tracker(const TopologyOptions& options, SerdeRef<RawPosition> raw, ZoneSource zones)
      : options_(options), raw_(std::move(raw)), zones_(std::move(zones)) {}

  Status init(Context& context) override;
  Status process(const streams::Record<std::string, Bytes>& record) override;

 private:
  using Record = streams::Record<std::string, Bytes>;

  // A record that holds no position.
  Status reject_record(const Record& record, std::string why);
  Status reject(const Record& record, const RawPosition& position, VehicleTrack& track, const Rejection& rejection);
  Status judge(const Record& record, const RawPosition& position, VehicleTrack& track);
  Status accept(const Record& record, const RawPosition& position, VehicleTrack& track, TrackStep step,
                const VehicleMaster& row);
  Status save(const std::string& id, const VehicleTrack& track, const VehicleTrack& before);
  // What is known of the vehicle; nothing when it cannot be read.
  Result<VehicleTrack> track_of(const std::string& id) const;
  Result<VehicleMaster> row_of(const std::string& id);
  // The time of a result: topics refuse what is far ahead of the clock, however far fixes may be.
  [[nodiscard]] int64_t not_ahead(int64_t timestamp_ms);
  Status forward_counts();
  Status sweep_silent();

  const TopologyOptions options_;
  const SerdeRef<RawPosition> raw_;
  const ZoneSource zones_;
  streams::KeyValueStore<std::string, VehicleMaster> rows_;  // written by VehicleRows
  streams::KeyValueStore<std::string, VehicleTrack> tracks_;
  SeenFixes seen_;
  PartitionCounts counts_;
  std::optional<PartitionCounts> forwarded_;
  int64_t received_ = 0;    // greatest time of receipt
  std::string sweep_from_;  // the vehicle that the next sweep begins with
};

}  // namespace muir::vts
