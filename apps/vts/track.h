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

// The last of the fixes in a row that were too far from the newest one, but not from each other.
struct Elsewhere {
  int64_t timestamp = 0;
  double lat = 0;
  double lon = 0;
  int64_t fixes = 0;
};

// The speeds of a window of time that is still open for the vehicle.
struct SpeedSum {
  int64_t window_start = 0;
  double sum = 0;  // km/h
  int64_t count = 0;
};

// Of the timestamps that store "vehicle-fixes" keeps for the vehicle: see seen_fixes.h.
struct SeenClock {
  int64_t received = 0;            // greatest time of receipt
  int64_t unswept = 0;             // timestamps taken since the last sweep
  int64_t sweep_from = 0;          // where the next sweep goes on
  std::optional<int64_t> skipped;  // the first timestamp behind that which may still be there
};

// The value of store "vehicle-track", under the vehicle's id. The counts of all vehicles of a partition add up to what
// became of its positions; those of undecodable records are kept under the empty id.
struct VehicleTrack {
  std::optional<NewestFix> newest;
  std::optional<OverspeedEpisode> overspeed;  // while it is open
  std::optional<int64_t> newest_seen;         // greatest timestamp that passed check_position()
  std::optional<Elsewhere> elsewhere;
  std::vector<SpeedSum> windows;  // oldest first; at most as many as can be open
  std::optional<SeenClock> seen;
  std::optional<int64_t> removed_at;  // the vehicle was deleted: what was received by then is history
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
inline void describe(Fields& f, Elsewhere& r) {
  f.name("muir.vts.Elsewhere");
  f("timestamp", r.timestamp)("lat", r.lat)("lon", r.lon)("fixes", r.fixes);
}
inline void describe(Fields& f, SpeedSum& r) {
  f.name("muir.vts.SpeedSum");
  f("windowStart", r.window_start)("sum", r.sum)("count", r.count);
}
inline void describe(Fields& f, SeenClock& r) {
  f.name("muir.vts.SeenClock");
  f("received", r.received)("unswept", r.unswept)("sweepFrom", r.sweep_from)("skipped", r.skipped);
}
inline void describe(Fields& f, VehicleTrack& r) {
  f.name("muir.vts.VehicleTrack");
  f("newest", r.newest)("overspeed", r.overspeed)("newestSeen", r.newest_seen)("elsewhere", r.elsewhere);
  f("windows", r.windows, {.default_json = "[]"})("seen", r.seen)("removedAt", r.removed_at);
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
//
// A fix that is too far from the newest one is rejected, unless it is the limits.elsewhere_fixes-th in a row of such
// fixes, each newer than the one before and not too far from it: then the newest one was wrong, and the vehicle is
// here.
TrackStep advance(VehicleTrack& track, const RawPosition& position, double speed_limit_kmh, const ZoneIndex& zones,
                  const Limits& limits);

inline constexpr int64_t kSpeedWindowMs = 300'000;
inline constexpr int64_t kSpeedGraceMs = 60'000;

// Takes the speed of an accepted fix into its window of kSpeedWindowMs; the window's mean so far. Nothing without a
// speed and for a window that ended kSpeedGraceMs or more before the vehicle's newest fix.
std::optional<SpeedAverage> take_speed(VehicleTrack& track, const RawPosition& position);

// Forgets everything but the counts. What was received up to `removed_at` stays history when it comes later.
void remove(VehicleTrack& track, int64_t removed_at);

}  // namespace muir::vts
