// Fuzz entry of the rows of master data, with the index that is made of them.
#include "apps/vts/master_rows.h"
#include "apps/vts/zone_index.h"
#include "base/check.h"
#include "serde/registry_port.h"

namespace muir::vts {
namespace {

constexpr const char* kId = "z";

// Reads what row_serde() of both kinds writes to a registry that knows only them: a vehicle's schema has id 1, a zone's
// id 2.
struct RowSerdes {
  MemoryRegistry registry;
  SerdeRef<VehicleMaster> vehicles = row_serde<VehicleMaster>();
  SerdeRef<ZoneMaster> zones = row_serde<ZoneMaster>();

  RowSerdes() {
    CHECK(vehicles.configure({&registry}, false).ok() && zones.configure({&registry}, false).ok());
    Bytes ignored;
    CHECK(vehicles.serialize(kVehicleMasterTopic, {}, ignored).ok());
    CHECK(zones.serialize(kZoneMasterTopic, {}, ignored).ok());
  }
};

// The grid must answer as the rings do, at each position and about it.
void check_index(const ZoneMaster& zone) {
  constexpr double kBeside = 0.01;
  const ZoneIndex index({zone});
  for (const auto& polygon : zone.polygons) {
    for (const auto& ring : polygon) {
      for (size_t i = 0; i + 1 < ring.size(); i += 2) {
        for (const double by : {-kBeside, 0.0, kBeside}) {
          const double lon = ring[i] + by;
          const double lat = ring[i + 1] + by;
          if (lon < -180 || lon >= 180 || lat < -90 || lat >= 90) continue;
          CHECK(index.find(lon, lat).empty() != contains(zone, lon, lat), "the grid errs at {}, {}", lon, lat);
        }
      }
    }
  }
}

}  // namespace

int fuzz_master_row(BytesView input) {
  static RowSerdes serdes;
  const auto vehicle = read_vehicle_row(serdes.vehicles, kId, input);
  const auto zone = read_zone_row(serdes.zones, kId, input);
  if (zone.ok()) check_index(*zone);
  return vehicle.ok() || zone.ok() ? 1 : 0;
}

}  // namespace muir::vts
