#include "apps/vts/master_data.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "apps/vts/csv.h"
#include "apps/vts/ids.h"
#include "apps/vts/zone_geometry.h"
#include "apps/vts/zone_rings.h"
#include "base/config.h"
#include "base/utf8.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

using schema::Json;

constexpr size_t kPointsMax = 200'000;  // of one zone
constexpr const char* kNeedsRing = "a polygon needs a ring";
constexpr size_t kTextBytesMax = 256;  // of a name and the like
// Of the JSON of one: more than what its topic takes as a record. Each value takes many times its text's memory.
constexpr size_t kVehicleBytesMax = 256 * 1024;
constexpr size_t kZoneBytesMax = 4 * 1024 * 1024;

// Which of two members of the same name counts is open (RFC 8259, 4): a row must not depend on it.
Result<Json> parse_body(std::string_view text, size_t bytes_max) {
  if (text.size() > bytes_max)
    return error(Code::resource_exhausted, "{} bytes of JSON; at most {} are allowed", text.size(), bytes_max);
  return Json::parse(without_byte_order_mark(text), {.twice = schema::JsonParseOptions::Twice::refused});
}

std::string text_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->as_string() != nullptr) return *value->as_string();
  return value->is_number() ? value->as_number()->text : std::string();
}

Status too_many_positions(size_t positions) {
  return error(Code::resource_exhausted, "a ring of {} positions; at most {} are allowed", positions, kPointsMax);
}

bool is_closed(const std::vector<double>& ring) {
  return ring.size() >= 2 && ring[0] == ring[ring.size() - 2] && ring[1] == ring.back();
}

Result<std::vector<double>> parse_ring(const Json& json) {
  const Json::Array* points = json.as_array();
  if (points == nullptr) return error(Code::invalid_argument, "a ring is an array of positions");
  if (points->size() > kPointsMax) return too_many_positions(points->size());  // before memory is taken for them
  std::vector<double> ring;
  ring.reserve(points->size() * 2);
  for (const Json& point : *points) {
    const Json::Array* pair = point.as_array();
    const bool numbers =
        pair != nullptr && std::all_of(pair->begin(), pair->end(), [](const Json& n) { return n.is_number(); });
    if (!numbers || pair->size() < 2) {
      return error(Code::invalid_argument, "position {}: a position is [longitude, latitude]", ring.size() / 2);
    }
    ring.push_back(*(*pair)[0].as_double());
    ring.push_back(*(*pair)[1].as_double());
  }
  // As RFC 7946 has it, section 3.1.6.
  if (!ring.empty() && !is_closed(ring)) ring.insert(ring.end(), {double(ring[0]), double(ring[1])});
  return ring;
}

// What a ring's numbers must be, from wherever they come.
Status check_numbers(const std::vector<double>& ring) {
  if (ring.size() % 2 != 0)
    return error(Code::invalid_argument, "a ring of {} numbers; it is longitude and latitude in turn", ring.size());
  if (ring.size() / 2 > kPointsMax) return too_many_positions(ring.size() / 2);
  if (ring.size() / 2 < (is_closed(ring) ? 4 : 3))
    return error(Code::invalid_argument,
                 "a ring needs at least three positions, and the first of them again at its end (RFC 7946, 3.1.6)");
  return check_ring(ring);
}

Result<std::vector<std::vector<double>>> parse_polygon(const Json& json) {
  const Json::Array* rings = json.as_array();
  if (rings == nullptr) return error(Code::invalid_argument, kNeedsRing);
  std::vector<std::vector<double>> out;
  for (const Json& json_ring : *rings) {
    auto ring = parse_ring(json_ring);
    if (!ring.ok()) return ring.status().annotate(fmt::format("ring {}", out.size()));
    out.push_back(std::move(*ring));
  }
  return out;
}

Status check_rings(const std::vector<std::vector<double>>& rings) {
  if (rings.empty()) return error(Code::invalid_argument, kNeedsRing);
  for (size_t i = 0; i < rings.size(); ++i) {
    const Status status = check_numbers(rings[i]);
    if (!status.ok()) return status.annotate(fmt::format("ring {}", i));
  }
  return check_polygon(rings);
}

Status check_text(std::string_view what, std::string_view text) {
  if (!is_utf8(text)) return error(Code::invalid_argument, "{} is not UTF-8", what);
  if (text.size() <= kTextBytesMax) return {};
  return error(Code::invalid_argument, "{} has {} bytes, at most {} are allowed", what, text.size(), kTextBytesMax);
}

// What is no text must not be left out as if it had not been said.
Status check_properties(const Json& properties) {
  if (properties.as_object() == nullptr && !properties.is_null())
    return error(Code::invalid_argument, "properties: an object or null is needed");
  for (const char* name : {"zone_id", "name", "kind"}) {
    const Json* value = properties.find(name);
    const bool is_text = value == nullptr || value->is_null() || value->as_string() != nullptr;
    if (!is_text) return error(Code::invalid_argument, "properties.{}: a text is needed", name);
  }
  return {};
}

Result<ZoneMaster> parse_feature(const Json& feature, std::string zone_id) {
  if (const Json* kind = feature.find("type"); kind != nullptr && text_of(kind) != "Feature")
    return error(Code::invalid_argument, "type {}: a zone is a GeoJSON Feature with a geometry", kind->excerpt());
  const Json* geometry = feature.find("geometry");
  const Json* coordinates = geometry != nullptr ? geometry->find("coordinates") : nullptr;
  if (coordinates == nullptr) return error(Code::invalid_argument, "a zone is a GeoJSON Feature with a geometry");
  const std::string type = text_of(geometry->find("type"));
  ZoneMaster zone{.zone_id = std::move(zone_id)};
  if (const Json* properties = feature.find("properties")) {
    MUIR_RETURN_IF_ERROR(check_properties(*properties));
    if (zone.zone_id.empty()) zone.zone_id = text_of(properties->find("zone_id"));
    zone.name = text_of(properties->find("name"));
    zone.kind = text_of(properties->find("kind"));
  }
  if (zone.zone_id.empty()) return error(Code::invalid_argument, "property zone_id is missing");
  if (zone.name.empty()) zone.name = zone.zone_id;
  if (type == "Polygon") {
    zone.polygons.push_back(MUIR_TRY(parse_polygon(*coordinates)));
  } else if (type == "MultiPolygon" && coordinates->as_array() != nullptr) {
    for (const Json& json_polygon : *coordinates->as_array()) {
      auto polygon = parse_polygon(json_polygon);
      if (!polygon.ok()) return polygon.status().annotate(fmt::format("polygon {}", zone.polygons.size()));
      zone.polygons.push_back(std::move(*polygon));
    }
  } else {
    return error(Code::invalid_argument, "geometry '{}': a zone is a Polygon or a MultiPolygon", type);
  }
  MUIR_RETURN_IF_ERROR(check_zone(zone));
  return zone;
}

Status no_limit(std::string_view text) {
  return error(Code::invalid_argument, "speed limit '{}': a number of km/h above 0 and below 1000", text.substr(0, 32));
}

Result<std::optional<double>> parse_limit(std::string_view text) {
  if (text.empty()) return std::optional<double>();
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  if (!whole || !(value > 0 && value < 1000)) return no_limit(text);
  return std::optional(value);
}

// A misspelt or mistyped member must not silently leave the vehicle without it: a row is replaced as a whole.
Status check_vehicle_members(const Json& json) {
  static const std::vector<std::string> known{"line", "brigade", "name", "speedLimit"};
  for (const auto& [name, value] : *json.as_object()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = nearest(name, known);
      return error(Code::invalid_argument, "unknown member '{}'; {}", name.substr(0, 64),
                   near.empty() ? fmt::format("a vehicle has {}", fmt::join(known, ", "))
                                : fmt::format("did you mean '{}'?", near));
    }
    const bool is_limit = name == "speedLimit";
    if (!value.is_null() && !(is_limit ? value.is_number() : value.as_string() != nullptr))
      return error(Code::invalid_argument, "{}: {} is needed", name, is_limit ? "a number" : "a text");
  }
  return {};
}

std::optional<std::string> optional_text(std::string text) {
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<NamedVehicle> vehicle_of(const CsvText& csv) {
  const auto limit = parse_limit(csv.text("speed_limit"));
  if (!limit.ok()) return limit.status().annotate("speed_limit");
  VehicleMaster vehicle{.line = optional_text(csv.text("line")),
                        .brigade = optional_text(csv.text("brigade")),
                        .name = optional_text(csv.text("name")),
                        .speed_limit = *limit};
  std::string id = csv.text("vehicle_id");
  MUIR_RETURN_IF_ERROR(check_id("vehicle_id", id));
  MUIR_RETURN_IF_ERROR(check_vehicle(vehicle));
  return NamedVehicle(std::move(id), std::move(vehicle));
}

}  // namespace

Status check_vehicle(const VehicleMaster& vehicle) {
  MUIR_RETURN_IF_ERROR(check_text("line", vehicle.line.value_or("")));
  MUIR_RETURN_IF_ERROR(check_text("brigade", vehicle.brigade.value_or("")));
  MUIR_RETURN_IF_ERROR(check_text("name", vehicle.name.value_or("")));
  const std::optional<double>& limit = vehicle.speed_limit;
  return !limit || (*limit > 0 && *limit < 1000) ? Status{} : no_limit(fmt::to_string(*limit));  // NaN is none
}

Status check_zone(const ZoneMaster& zone) {
  MUIR_RETURN_IF_ERROR(check_id("zone_id", zone.zone_id));
  MUIR_RETURN_IF_ERROR(check_text("name", zone.name));
  MUIR_RETURN_IF_ERROR(check_text("kind", zone.kind));
  if (zone.polygons.empty()) return error(Code::invalid_argument, "a zone needs a polygon");
  for (size_t i = 0; i < zone.polygons.size(); ++i) {
    const Status status = check_rings(zone.polygons[i]);
    if (!status.ok()) return zone.polygons.size() == 1 ? status : status.annotate(fmt::format("polygon {}", i));
  }
  return {};
}

Result<std::vector<NamedVehicle>> parse_vehicles_csv(std::string_view text) {
  CsvText csv(text);
  MUIR_RETURN_IF_ERROR(csv.read_header());
  if (!csv.column("vehicle_id")) return error(Code::invalid_argument, "vehicles: no column vehicle_id");
  std::vector<NamedVehicle> out;
  while (csv.next()) {
    auto vehicle = vehicle_of(csv);
    if (!vehicle.ok()) return vehicle.status().annotate(fmt::format("vehicles line {}", csv.line()));
    out.push_back(std::move(*vehicle));
  }
  MUIR_RETURN_IF_ERROR(csv.status());
  return out;
}

Result<std::vector<ZoneMaster>> parse_zones_geojson(std::string_view text) {
  const Json json = MUIR_TRY(Json::parse(without_byte_order_mark(text)));
  const Json* features = json.find("features");
  if (features == nullptr || features->as_array() == nullptr)
    return error(Code::invalid_argument, "zones: no GeoJSON FeatureCollection");
  std::vector<ZoneMaster> out;
  for (const Json& feature : *features->as_array()) {
    auto zone = parse_feature(feature, {});
    if (!zone.ok()) return zone.status().annotate(fmt::format("zones: feature {}", out.size()));
    out.push_back(std::move(*zone));
  }
  return out;
}

Result<ZoneMaster> parse_zone(const std::string& zone_id, std::string_view text) {
  return parse_feature(MUIR_TRY(parse_body(text, kZoneBytesMax)), zone_id);
}

Result<VehicleMaster> parse_vehicle(std::string_view text) {
  const Json json = MUIR_TRY(parse_body(text, kVehicleBytesMax));
  if (json.as_object() == nullptr) return error(Code::invalid_argument, "a vehicle is a JSON object");
  MUIR_RETURN_IF_ERROR(check_vehicle_members(json));
  VehicleMaster vehicle{.line = optional_text(text_of(json.find("line"))),
                        .brigade = optional_text(text_of(json.find("brigade"))),
                        .name = optional_text(text_of(json.find("name"))),
                        .speed_limit = MUIR_TRY(parse_limit(text_of(json.find("speedLimit"))))};
  MUIR_RETURN_IF_ERROR(check_vehicle(vehicle));
  return vehicle;
}

int fuzz_master_data(BytesView input) {
  const auto vehicles = parse_vehicles_csv(input);
  const auto vehicle = parse_vehicle(input);
  const auto zone = parse_zone("z", input);
  if (zone.ok()) {
    for (const auto& polygon : zone->polygons) MUIR_CHECK(!polygon.empty(), "a polygon without a ring");
  }
  const auto zones = parse_zones_geojson(input);
  return vehicles.ok() || vehicle.ok() || zone.ok() || zones.ok() ? 1 : 0;
}

}  // namespace muir::vts
