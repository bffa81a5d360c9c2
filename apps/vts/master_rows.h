// Rows of master data as they come from the topics, where any program may have written them: they are held to what the
// REST interface takes.
#pragma once

#include <optional>
#include <string>

#include "apps/vts/dead_letters.h"
#include "apps/vts/records.h"
#include "apps/vts/seen_fixes.h"
#include "apps/vts/topology.h"
#include "apps/vts/track.h"
#include "apps/vts/tracker.h"
#include "serde/serde.h"
#include "streams/processor.h"

namespace muir::vts {

inline constexpr const char* kVehicleRowsStore = "vehicle-master";

// Rows have hardly a member that must be there: what another record's schema wrote could be taken for an empty one.
template <class Row>
SerdeRef<Row> row_serde() {
  return avro<Row>({.same_name = true});
}

// A row of vehicle.master or zone.master, of the id that is its key. What is wrong with it is_of_record().
Result<VehicleMaster> read_vehicle_row(const SerdeRef<VehicleMaster>& serde, BytesView id, BytesView value);
Result<ZoneMaster> read_zone_row(const SerdeRef<ZoneMaster>& serde, BytesView id, BytesView value);

// Reads the changes of vehicle.master into their store. A row that is deleted takes its vehicle's state with it: the
// next fix is a first one. One that is none is a dead letter, and the one before it stays. Owned by its task's thread.
class VehicleRows final : public streams::FixedKeyProcessor<std::string, Bytes, Outcome> {
 public:
  VehicleRows(const TopologyOptions& options, SerdeRef<VehicleMaster> serde)
      : options_(options), serde_(std::move(serde)) {}

  Status init(Context& context) override;
  Status process(const streams::Record<std::string, Bytes>& record) override;

 private:
  using Record = streams::Record<std::string, Bytes>;
  Status remove(const Record& record);
  Status reject(const Record& record, std::string why);

  const TopologyOptions options_;
  const SerdeRef<VehicleMaster> serde_;
  streams::KeyValueStore<std::string, VehicleMaster> rows_;
  streams::KeyValueStore<std::string, VehicleTrack> tracks_;
  SeenFixes seen_;
};

// What becomes of a record of zone.master: one of these.
struct ZoneRow {
  std::optional<DeadLetter> dead_letter{};
  std::optional<Bytes> zone{};  // as it came
  bool removed = false;
};

// Takes the records of zone.master apart, once for all instances: those that are no zones are dead letters, the others
// go to zone.rows, where each zone's last row stays when the master topic is compacted to one that is none. The zones
// themselves are read by each instance (zone_directory.h). Owned by its task's thread.
class ZoneRows final : public streams::FixedKeyProcessor<std::string, Bytes, ZoneRow> {
 public:
  explicit ZoneRows(SerdeRef<ZoneMaster> serde) : serde_(std::move(serde)) {}

  Status process(const streams::Record<std::string, Bytes>& record) override;

 private:
  const SerdeRef<ZoneMaster> serde_;
};

// Fuzz entry: arbitrary bytes as a value of vehicle.master and of zone.master, for the id "z". What is taken as a zone
// can be asked where it is. Returns 1 when they were a row.
int fuzz_master_row(BytesView input);

}  // namespace muir::vts
