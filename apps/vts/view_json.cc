#include "apps/vts/view_json.h"

#include <cmath>

#include "apps/vts/json_number.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

// Writes the members of one object.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  std::string& raw(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  void text(std::string_view name, std::string_view value) { schema::append_json_string(raw(name), value); }
  void number(std::string_view name, double value) { append_json_number(raw(name), value); }
  void integer(std::string_view name, int64_t value) { fmt::format_to(std::back_inserter(raw(name)), "{}", value); }
  void boolean(std::string_view name, bool value) { raw(name) += value ? "true" : "false"; }
  void null(std::string_view name) { raw(name) += "null"; }

  void text_or_null(std::string_view name, const std::optional<std::string>& value) {
    value ? text(name, *value) : null(name);
  }
  void number_or_null(std::string_view name, std::optional<double> value) { value ? number(name, *value) : null(name); }
  void text_if(std::string_view name, const std::optional<std::string>& value) {
    if (value) text(name, *value);
  }
  void number_if(std::string_view name, std::optional<double> value) {
    if (value) number(name, *value);
  }
  void integer_if(std::string_view name, std::optional<int64_t> value) {
    if (value) integer(name, *value);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_percentiles(std::string& out, const Percentiles& value) {
  ObjectWriter o(out);
  o.number("p50", value.p50);
  o.number("p99", value.p99);
}

// One place after the point is all that these figures are worth.
double tenths(double value) { return std::round(value * 10) / 10; }

}  // namespace

void append_json(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    schema::append_json_string(out, texts[i]);
  }
  out += ']';
}

void append_json(std::string& out, const std::vector<ShownVehiclePtr>& vehicles) {
  size_t bytes = 2;
  for (const ShownVehiclePtr& vehicle : vehicles) bytes += vehicle->json.size() + 1;
  out.reserve(out.size() + bytes);
  out += '[';
  for (size_t i = 0; i < vehicles.size(); ++i) {
    if (i > 0) out += ',';
    out += vehicles[i]->json;
  }
  out += ']';
}

void append_json(std::string& out, const VehicleState& state) {
  ObjectWriter o(out);
  o.text("vehicleId", state.vehicle_id);
  o.number("lat", state.lat);
  o.number("lon", state.lon);
  o.number_or_null("speed", state.speed);
  o.number_or_null("heading", state.heading);
  o.integer("timestamp", state.timestamp);
  o.integer("receivedAt", state.received_at);
  o.text_or_null("line", state.line);
  o.text_or_null("brigade", state.brigade);
  o.text_if("name", state.name);
  o.number("speedLimit", state.speed_limit);
  o.boolean("overspeed", state.overspeed);
  append_json(o.raw("zones"), state.zones);
}

void append_json(std::string& out, const Alert& alert) {
  ObjectWriter o(out);
  o.text("alertId", alert.alert_id);
  o.text("kind", alert.kind);
  o.text("vehicleId", alert.vehicle_id);
  o.integer("timestamp", alert.timestamp);
  o.number("lat", alert.lat);
  o.number("lon", alert.lon);
  o.text_if("zoneId", alert.zone_id);
  o.text_if("zoneName", alert.zone_name);
  o.number_if("limit", alert.limit);
  o.number_if("peak", alert.peak);
  o.integer_if("start", alert.start);
  o.integer_if("end", alert.end);
  o.integer_if("durationMs", alert.duration_ms);
}

void append_json(std::string& out, const DeadLetter& letter) {
  ObjectWriter o(out);
  o.text_or_null("vehicleId", letter.vehicle_id);
  o.text("rule", letter.rule);
  o.text("message", letter.message);
  o.text("topic", letter.topic);
  o.integer("partition", letter.partition);
  o.integer("offset", letter.offset);
  letter.timestamp ? o.integer("timestamp", *letter.timestamp) : o.null("timestamp");
  o.integer("receivedAt", letter.received_at);
  o.text("payload", letter.payload);
}

void append_json(std::string& out, const SpeedAverage& average) {
  ObjectWriter o(out);
  o.integer("start", average.window_start);
  o.integer("end", average.window_end);
  o.number("avgSpeed", average.avg_speed);
  o.integer("count", average.count);
}

void append_json(std::string& out, const TrailFix& fix) {
  ObjectWriter o(out);
  o.number("lat", fix.lat);
  o.number("lon", fix.lon);
  o.number_or_null("speed", fix.speed);
  o.integer("timestamp", fix.timestamp);
}

void append_json(std::string& out, const ZoneOccupancy& occupancy) {
  ObjectWriter o(out);
  o.text("zoneId", occupancy.zone_id);
  o.integer("vehicles", occupancy.vehicles);
}

void append_json(std::string& out, const ZoneMaster& zone, int64_t vehicles) {
  ObjectWriter o(out);
  o.text("zoneId", zone.zone_id);
  o.text("name", zone.name);
  o.text("kind", zone.kind);
  o.integer("vehicles", vehicles);
  std::string& to = o.raw("polygons");
  to += '[';
  for (size_t p = 0; p < zone.polygons.size(); ++p) {
    to += p > 0 ? ",[" : "[";
    for (size_t r = 0; r < zone.polygons[p].size(); ++r) {
      to += r > 0 ? ",[" : "[";
      const std::vector<double>& ring = zone.polygons[p][r];
      for (size_t i = 0; i + 1 < ring.size(); i += 2) {
        to += i > 0 ? ",[" : "[";
        append_json_number(to, ring[i]);
        to += ',';
        append_json_number(to, ring[i + 1]);
        to += ']';
      }
      to += ']';
    }
    to += ']';
  }
  to += ']';
}

void append_json(std::string& out, const Stats& stats) {
  ObjectWriter o(out);
  o.boolean("demo", stats.demo);
  o.text("attribution", stats.attribution);
  o.integer("vehicles", stats.totals.vehicles);
  o.integer("received", stats.totals.counts.received);
  o.integer("accepted", stats.totals.counts.accepted);
  o.integer("duplicates", stats.totals.counts.duplicates);
  o.integer("late", stats.totals.counts.late);
  o.integer("deadLetters", stats.totals.counts.dead_letters);
  o.integer("alerts", stats.totals.counts.alerts);
  o.number("positionsPerSecond", tenths(stats.positions_per_second));
  if (stats.latency_ms) {
    append_percentiles(o.raw("latencyMs"), *stats.latency_ms);
  } else {
    o.null("latencyMs");
  }
  if (stats.screen_latency_ms) append_percentiles(o.raw("screenLatencyMs"), *stats.screen_latency_ms);
  o.integer("uptimeMs", stats.uptime_ms);
  o.integer("now", stats.now_ms);
  o.text("cluster", stats.cluster);
}

}  // namespace muir::vts
