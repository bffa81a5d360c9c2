// SeenFixes: which fixes of a vehicle are known already. One row per vehicle and timestamp.
//
// A fix is remembered for as long as it is less than the retention older than the vehicle's newest one, or was received
// less than the retention ago: both by the vehicle's own clocks, which are in its track, so that no other vehicle can
// make it forget. The first keeps what a tracker sent before it was offline, whenever it sends that again; the second
// what it sends from long ago. What may be forgotten is swept away a little with every few fixes. A position that is
// received longer than the silent retention after a fix does not know it any more: so the rows of a vehicle that is
// heard of no more can go, and when they do does not matter.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "apps/vts/track.h"
#include "streams/stores.h"

namespace muir::vts {

inline constexpr const char* kFixesStore = "vehicle-fixes";

// Times of receipt by key: length of the vehicle's id in 4 bytes, the id, the timestamp in 8, big-endian.
using FixesStore = streams::KeyValueStore<Bytes, int64_t>;

// Owned by its task's thread.
class SeenFixes {
 public:
  // A sweep every so many fixes, over at most so many rows: it keeps up, and no fix waits long for it.
  static constexpr int64_t kSweepEvery = 64;
  static constexpr size_t kSweepRows = 256;

  SeenFixes() = default;
  SeenFixes(FixesStore rows, std::chrono::milliseconds retention, std::chrono::milliseconds silent)
      : rows_(std::move(rows)), retention_(retention), silent_(silent) {}

  // False when the vehicle has had a fix of that time; remembers it otherwise. Moves the clocks of `track`.
  Result<bool> take(const RawPosition& position, VehicleTrack& track);
  // Whether no position received from `received_at` on knows any of the vehicle's fixes.
  [[nodiscard]] bool is_silent(const VehicleTrack& track, int64_t received_at) const {
    return track.seen && track.seen->received < received_at - silent_.count();
  }
  // Forgets the vehicle.
  Status erase(const std::string& vehicle_id);

 private:
  Result<bool> remembered(const RawPosition& position, const VehicleTrack& track) const;
  Status sweep(const std::string& vehicle_id, const VehicleTrack& track, SeenClock& clock);
  // Older than the retention by one of the clocks.
  [[nodiscard]] bool passed(int64_t time_ms, int64_t clock_ms) const { return time_ms < clock_ms - retention_.count(); }

  FixesStore rows_;
  std::chrono::milliseconds retention_{0};
  std::chrono::milliseconds silent_{0};
};

}  // namespace muir::vts
