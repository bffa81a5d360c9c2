// Master data: vehicles and zones as files and requests hold them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/vts/records.h"
#include "base/bytes.h"
#include "base/status.h"

namespace muir::vts {

using NamedVehicle = std::pair<std::string, VehicleMaster>;  // by vehicle id

// CSV with a header that names vehicle_id, and any of line, brigade, name, speed_limit.
Result<std::vector<NamedVehicle>> parse_vehicles_csv(std::string_view text);
// A GeoJSON FeatureCollection of Polygons and MultiPolygons; properties zone_id, name, kind.
Result<std::vector<ZoneMaster>> parse_zones_geojson(std::string_view text);

// A GeoJSON Feature for the zone of that id; properties name and kind.
Result<ZoneMaster> parse_zone(const std::string& zone_id, std::string_view text);
// {"line":"189","brigade":"3","name":"...","speedLimit":50}, all optional.
Result<VehicleMaster> parse_vehicle(std::string_view text);

// What is taken as master data, from wherever it comes: files, requests and rows of the topics are held to it. Texts
// are UTF-8 and short, as each is in every state and on every page; a speed limit is above 0 and below 1000 km/h; rings
// are what check_ring() and check_polygon() take. A ring need not repeat its first position at its end.
Status check_vehicle(const VehicleMaster& vehicle);
Status check_zone(const ZoneMaster& zone);

// Fuzz entry: arbitrary bytes as each of these. Returns 1 when they were one.
int fuzz_master_data(BytesView input);

}  // namespace muir::vts
