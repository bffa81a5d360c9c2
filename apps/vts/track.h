// VehicleTrack: what the system remembers of a vehicle, and what a further fix does to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/vts/records.h"
#include "apps/vts/rules.h"
#include "apps/vts/zone_index.h"

namespace muir::vts {

// The newest accepted fix of a vehicle and what follows from it.
struct NewestFix {
  int64_t timestamp = 0;
  double lat = 0;
  double lon = 0;
  std::vector<std::string> zones;  // that contain it, sorted
};

struct OverspeedEpisode {
  int64_t start = 0;
  double peak = 0;
  double limit = 0;  // at the last fix above it
};

// The value of store "vehicle-track", under the vehicle's id. The counts of all vehicles of a partition add up to what
// became of its positions; those of undecodable records are kept under the empty id.
struct VehicleTrack {
  std::optional<NewestFix> newest;
  std::optional<OverspeedEpisode> overspeed;  // while it is open
  std::optional<int64_t> newest_seen;         // greatest timestamp that passed check_position()
  int64_t accepted = 0;
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t dead_letters = 0;
  int64_t alerts = 0;
};

inline void describe(Fields& f, NewestFix& r) {
  f.name("muir.vts.NewestFix");
  f("timestamp", r.timestamp)("lat", r.lat)("lon", r.lon)("zones", r.zones);
}
inline void describe(Fields& f, OverspeedEpisode& r) {
  f.name("muir.vts.OverspeedEpisode");
  f("start", r.start)("peak", r.peak)("limit", r.limit);
}
inline void describe(Fields& f, VehicleTrack& r) {
  f.name("muir.vts.VehicleTrack");
  f("newest", r.newest)("overspeed", r.overspeed)("newestSeen", r.newest_seen);
  f("accepted", r.accepted)("late", r.late)("duplicates", r.duplicates)("deadLetters", r.dead_letters)("alerts",
                                                                                                       r.alerts);
}

// What one fix that is no duplicate leads to.
struct TrackStep {
  std::optional<Rejection> rejection;  // when set, nothing else is
  bool late = false;                   // older than the newest: changes nothing
  std::vector<Alert> alerts;
  std::vector<std::string> entered;  // zones, for counting vehicles: also those of the first fix
  std::vector<std::string> left;
};

// Applies a fix that passed check_position() and is no duplicate to `track`. `speed_limit_kmh` is the vehicle's. Does
// not touch the counts.
//
// Zones: enter and exit are the difference between the zones of consecutive newest fixes; the first fix enters
// nothing. Overspeed: an episode opens at the first fix above the limit and closes, with its alert, at the first one
// at or below it; fixes without a speed do neither.
TrackStep advance(VehicleTrack& track, const RawPosition& position, double speed_limit_kmh, const ZoneIndex& zones,
                  const Limits& limits);

}  // namespace muir::vts
