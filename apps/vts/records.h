// What lies on the vehicle tracking topics: one described struct per topic, Avro with the registry.
//
// Names of records and members are the schemas': see docs/formats/vts-topics.md. Times are epoch milliseconds,
// speeds km/h, headings degrees clockwise from north, coordinates WGS84 degrees.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serde/fields.h"

namespace muir::vts {

// vehicle.location.raw: a position as it was received.
struct RawPosition {
  std::string vehicle_id;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
  std::optional<int64_t> timestamp;           // of the fix; null when it could not be read
  std::optional<std::string> timestamp_text;  // what could not be read
  int64_t received_at = 0;
};

// vehicle.location.enriched: an accepted fix with what is known of its vehicle.
struct EnrichedPosition {
  std::string vehicle_id;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
  int64_t timestamp = 0;
  int64_t received_at = 0;
  bool late = false;  // older than the vehicle's newest fix
  std::optional<std::string> line;
  std::optional<std::string> brigade;
  std::optional<std::string> name;
  double speed_limit = 0;
  std::vector<std::string> zones;  // of this fix; empty when late
};

// vehicle.state (compacted): the newest accepted fix of a vehicle.
struct VehicleState {
  std::string vehicle_id;
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
  int64_t timestamp = 0;
  int64_t received_at = 0;
  std::optional<std::string> line;
  std::optional<std::string> brigade;
  std::optional<std::string> name;
  double speed_limit = 0;
  bool overspeed = false;  // an episode is open
  std::vector<std::string> zones;
};

// vehicle.alerts
struct Alert {
  std::string alert_id;  // the same for the same event, however often it is computed
  std::string kind;      // zone_enter, zone_exit, overspeed
  std::string vehicle_id;
  int64_t timestamp = 0;  // of the fix that caused it
  double lat = 0;
  double lon = 0;
  std::optional<std::string> zone_id;
  std::optional<std::string> zone_name;
  std::optional<int64_t> start;  // overspeed: first fix above the limit
  std::optional<int64_t> end;    // and the first one at or below it
  std::optional<double> peak;
  std::optional<double> limit;
  std::optional<int64_t> duration_ms;
};

// vehicle.location.dlq
struct DeadLetter {
  std::optional<std::string> vehicle_id;
  std::string rule;
  std::string message;
  std::optional<int64_t> timestamp;
  std::optional<std::string> timestamp_text;
  std::string topic;  // where the rejected record lies
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t received_at = 0;
  std::string payload;  // the position as JSON, or the undecodable bytes in hexadecimal
};

// vehicle.speed.avg.5min
struct SpeedAverage {
  std::string vehicle_id;
  int64_t window_start = 0;
  int64_t window_end = 0;
  double avg_speed = 0;
  int64_t count = 0;
};

// zone.occupancy
struct ZoneOccupancy {
  std::string zone_id;
  int64_t vehicles = 0;
};

// vehicle.master
struct VehicleMaster {
  std::optional<std::string> line;
  std::optional<std::string> brigade;
  std::optional<std::string> name;
  std::optional<double> speed_limit;
};

// zone.master
struct ZoneMaster {
  std::string zone_id;
  std::string name;
  std::string kind;
  // Polygons of rings of lon, lat, lon, lat...
  std::vector<std::vector<std::vector<double>>> polygons;
};

// vehicle.location.counts (compacted): what became of the positions of one partition of vehicle.location.raw.
struct PartitionCounts {
  int32_t partition = 0;
  int64_t received = 0;
  int64_t accepted = 0;
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t dead_letters = 0;
  int64_t alerts = 0;
  bool operator==(const PartitionCounts&) const = default;
};

inline void describe(Fields& f, RawPosition& r) {
  f.name("muir.vts.RawPosition").doc("A position as it was received.");
  f("vehicleId", r.vehicle_id)("lat", r.lat)("lon", r.lon);
  f("speed", r.speed, {.doc = "km/h"})("heading", r.heading, {.doc = "degrees clockwise from north"});
  f("timestamp", r.timestamp, {.doc = "epoch ms of the fix; null when it could not be read"});
  f("timestampText", r.timestamp_text, {.doc = "the time as received, when it could not be read"});
  f("receivedAt", r.received_at, {.doc = "epoch ms"});
}
inline void describe(Fields& f, EnrichedPosition& r) {
  f.name("muir.vts.EnrichedPosition").doc("An accepted fix with what is known of its vehicle.");
  f("vehicleId", r.vehicle_id)("lat", r.lat)("lon", r.lon)("speed", r.speed)("heading", r.heading);
  f("timestamp", r.timestamp)("receivedAt", r.received_at);
  f("late", r.late, {.doc = "older than the vehicle's newest fix"});
  f("line", r.line)("brigade", r.brigade)("name", r.name)("speedLimit", r.speed_limit, {.doc = "km/h"});
  f("zones", r.zones, {.doc = "ids of the zones that contain the fix; empty when late"});
}
inline void describe(Fields& f, VehicleState& r) {
  f.name("muir.vts.VehicleState").doc("The newest accepted fix of a vehicle.");
  f("vehicleId", r.vehicle_id)("lat", r.lat)("lon", r.lon)("speed", r.speed)("heading", r.heading);
  f("timestamp", r.timestamp)("receivedAt", r.received_at);
  f("line", r.line)("brigade", r.brigade)("name", r.name)("speedLimit", r.speed_limit, {.doc = "km/h"});
  f("overspeed", r.overspeed, {.doc = "an overspeed episode is open"})("zones", r.zones);
}
inline void describe(Fields& f, Alert& r) {
  f.name("muir.vts.Alert").doc("A zone entered or left, or an overspeed episode that has ended.");
  f("alertId", r.alert_id)("kind", r.kind, {.doc = "zone_enter, zone_exit or overspeed"})("vehicleId", r.vehicle_id);
  f("timestamp", r.timestamp)("lat", r.lat)("lon", r.lon)("zoneId", r.zone_id)("zoneName", r.zone_name);
  f("start", r.start, {.doc = "epoch ms of the first fix above the limit"});
  f("end", r.end, {.doc = "epoch ms of the first fix at or below it"});
  f("peak", r.peak, {.doc = "km/h"})("limit", r.limit, {.doc = "km/h"})("durationMs", r.duration_ms);
}
inline void describe(Fields& f, DeadLetter& r) {
  f.name("muir.vts.DeadLetter").doc("A position that was rejected, and why.");
  f("vehicleId", r.vehicle_id)("rule", r.rule)("message", r.message);
  f("timestamp", r.timestamp)("timestampText", r.timestamp_text);
  f("topic", r.topic)("partition", r.partition)("offset", r.offset)("receivedAt", r.received_at);
  f("payload", r.payload, {.doc = "the position as JSON, or the undecodable bytes in hexadecimal"});
}
inline void describe(Fields& f, SpeedAverage& r) {
  f.name("muir.vts.SpeedAverage").doc("Mean speed of a vehicle in a tumbling window of five minutes.");
  f("vehicleId", r.vehicle_id)("windowStart", r.window_start)("windowEnd", r.window_end);
  f("avgSpeed", r.avg_speed, {.doc = "km/h"})("count", r.count, {.doc = "fixes that have a speed"});
}
inline void describe(Fields& f, ZoneOccupancy& r) {
  f.name("muir.vts.ZoneOccupancy").doc("How many vehicles have their newest fix in a zone.");
  f("zoneId", r.zone_id)("vehicles", r.vehicles);
}
inline void describe(Fields& f, VehicleMaster& r) {
  f.name("muir.vts.VehicleMaster").doc("What is known of a vehicle.");
  f("line", r.line)("brigade", r.brigade)("name", r.name);
  f("speedLimit", r.speed_limit, {.doc = "km/h; null: the default limit"});
}
inline void describe(Fields& f, ZoneMaster& r) {
  f.name("muir.vts.ZoneMaster").doc("A zone.");
  f("zoneId", r.zone_id)("name", r.name)("kind", r.kind);
  f("polygons", r.polygons, {.doc = "polygons of rings of lon, lat, lon, lat..."});
}
inline void describe(Fields& f, PartitionCounts& r) {
  f.name("muir.vts.PartitionCounts").doc("What became of the positions of one partition of vehicle.location.raw.");
  f("partition", r.partition)("received", r.received)("accepted", r.accepted)("late", r.late);
  f("duplicates", r.duplicates)("deadLetters", r.dead_letters)("alerts", r.alerts);
}

// On tombstones of vehicle.master: when the row was deleted, in epoch milliseconds as text. The record's own time is of
// no use to the topology, which takes rows before all positions.
inline constexpr std::string_view kRemovedAtHeader = "muir-removed-at";

// Topics.
inline constexpr std::string_view kRawTopic = "vehicle.location.raw";
inline constexpr std::string_view kDlqTopic = "vehicle.location.dlq";
inline constexpr std::string_view kEnrichedTopic = "vehicle.location.enriched";
inline constexpr std::string_view kCountsTopic = "vehicle.location.counts";
inline constexpr std::string_view kStateTopic = "vehicle.state";
inline constexpr std::string_view kAlertsTopic = "vehicle.alerts";
inline constexpr std::string_view kSpeedTopic = "vehicle.speed.avg.5min";
inline constexpr std::string_view kOccupancyTopic = "zone.occupancy";
inline constexpr std::string_view kVehicleMasterTopic = "vehicle.master";
inline constexpr std::string_view kZoneMasterTopic = "zone.master";
inline constexpr std::string_view kZoneRowsTopic = "zone.rows";

}  // namespace muir::vts
