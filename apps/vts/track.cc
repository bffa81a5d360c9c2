#include "apps/vts/track.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

namespace muir::vts {
namespace {

// Whole km/h, and as many decimals as it takes to look above the limit that it is above.
std::string above(double speed, double limit) {
  for (int decimals = 0; decimals <= 6; ++decimals) {
    std::string text = fmt::format("{:.{}f}", speed, decimals);
    if (std::stod(text) > limit) return text;
  }
  return fmt::format("{}", speed);
}

// The same event always gets the same id, so that computing it again does not double it for anyone who keys by it.
std::string alert_id(std::string_view kind, const RawPosition& position, std::string_view zone) {
  std::string id = fmt::format("{}/{}/{}", position.vehicle_id, kind, *position.timestamp);
  if (!zone.empty()) id += fmt::format("/{}", zone);
  return id;
}

Alert zone_alert(std::string_view kind, const RawPosition& position, const std::string& zone_id,
                 const ZoneIndex& zones) {
  Alert alert{.alert_id = alert_id(kind, position, zone_id),
              .kind = std::string(kind),
              .vehicle_id = position.vehicle_id,
              .timestamp = *position.timestamp,
              .lat = position.lat,
              .lon = position.lon,
              .zone_id = zone_id};
  if (const ZoneMaster* zone = zones.zone(zone_id)) alert.zone_name = zone->name;
  return alert;
}

void follow_zones(NewestFix& newest, bool first, const RawPosition& position, const ZoneIndex& zones, TrackStep& step) {
  std::vector<std::string> now = zones.find(position.lon, position.lat);
  std::set_difference(now.begin(), now.end(), newest.zones.begin(), newest.zones.end(),
                      std::back_inserter(step.entered));
  std::set_difference(newest.zones.begin(), newest.zones.end(), now.begin(), now.end(), std::back_inserter(step.left));
  newest.zones = std::move(now);
  if (first) return;
  for (const std::string& zone : step.left) step.alerts.push_back(zone_alert("zone_exit", position, zone, zones));
  for (const std::string& zone : step.entered) step.alerts.push_back(zone_alert("zone_enter", position, zone, zones));
}

void follow_overspeed(std::optional<OverspeedEpisode>& episode, const RawPosition& position, double limit_kmh,
                      TrackStep& step) {
  if (!position.speed) return;
  if (*position.speed > limit_kmh) {
    if (!episode) episode = OverspeedEpisode{.start = *position.timestamp, .peak = *position.speed};
    episode->peak = std::max(episode->peak, *position.speed);
    episode->limit = limit_kmh;
    return;
  }
  if (!episode) return;
  step.alerts.push_back({.alert_id = alert_id("overspeed", position, {}),
                         .kind = "overspeed",
                         .vehicle_id = position.vehicle_id,
                         .timestamp = *position.timestamp,
                         .lat = position.lat,
                         .lon = position.lon,
                         .start = episode->start,
                         .end = position.timestamp,
                         .peak = episode->peak,
                         .limit = episode->limit,
                         .duration_ms = *position.timestamp - episode->start});
  episode.reset();
}

// Whether a fix that is too far from the newest one is where several were before it.
bool proves_elsewhere(std::optional<Elsewhere>& elsewhere, const RawPosition& position, const Limits& limits) {
  const int64_t timestamp = *position.timestamp;
  if (elsewhere && timestamp <= elsewhere->timestamp) return false;
  const bool follows =
      elsewhere && implied_speed_kmh(elsewhere->lat, elsewhere->lon, elsewhere->timestamp, position.lat, position.lon,
                                     timestamp) <= limits.implied_speed_kmh;
  elsewhere = Elsewhere{timestamp, position.lat, position.lon, follows ? elsewhere->fixes + 1 : 1};
  return elsewhere->fixes >= limits.elsewhere_fixes;
}

}  // namespace

TrackStep advance(VehicleTrack& track, const RawPosition& position, double speed_limit_kmh, const ZoneIndex& zones,
                  const Limits& limits) {
  TrackStep step;
  const int64_t timestamp = *position.timestamp;
  const bool first = !track.newest;
  if (!first) {
    const NewestFix& newest = *track.newest;
    if (timestamp <= newest.timestamp) {
      step.late = true;
      return step;
    }
    const double speed =
        implied_speed_kmh(newest.lat, newest.lon, newest.timestamp, position.lat, position.lon, timestamp);
    if (speed > limits.implied_speed_kmh && !proves_elsewhere(track.elsewhere, position, limits)) {
      step.rejection =
          Rejection{kImpliedSpeed,
                    fmt::format("{} km/h since the fix before, {:.1f} s ago; {} km/h are allowed",
                                above(speed, limits.implied_speed_kmh),
                                static_cast<double>(timestamp - newest.timestamp) / 1000, limits.implied_speed_kmh)};
      return step;
    }
  } else {
    track.newest.emplace();
  }
  track.elsewhere.reset();
  track.newest->timestamp = timestamp;
  track.newest->lat = position.lat;
  track.newest->lon = position.lon;
  follow_zones(*track.newest, first, position, zones, step);
  follow_overspeed(track.overspeed, position, speed_limit_kmh, step);
  return step;
}

std::optional<SpeedAverage> take_speed(VehicleTrack& track, const RawPosition& position) {
  if (!position.speed || !track.newest) return std::nullopt;
  const auto open = [&track](int64_t start) {
    return start + kSpeedWindowMs + kSpeedGraceMs > track.newest->timestamp;
  };
  std::erase_if(track.windows, [&open](const SpeedSum& window) { return !open(window.window_start); });
  const int64_t start = *position.timestamp - *position.timestamp % kSpeedWindowMs;
  if (!open(start)) return std::nullopt;
  auto at = std::lower_bound(track.windows.begin(), track.windows.end(), start,
                             [](const SpeedSum& window, int64_t from) { return window.window_start < from; });
  if (at == track.windows.end() || at->window_start != start) at = track.windows.insert(at, {.window_start = start});
  at->sum += *position.speed;
  ++at->count;
  return SpeedAverage{.vehicle_id = position.vehicle_id,
                      .window_start = start,
                      .window_end = start + kSpeedWindowMs,
                      .avg_speed = at->sum / static_cast<double>(at->count),
                      .count = at->count};
}

void remove(VehicleTrack& track, int64_t removed_at) {
  track = VehicleTrack{.removed_at = removed_at,
                       .accepted = track.accepted,
                       .late = track.late,
                       .duplicates = track.duplicates,
                       .dead_letters = track.dead_letters,
                       .alerts = track.alerts};
}

}  // namespace muir::vts
