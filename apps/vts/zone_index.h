// ZoneIndex: which zones contain a point.
//
// A zone contains what one of its polygons contains: the parts of a MultiPolygon may overlap. A polygon contains a
// point by the even-odd rule over its rings, in longitude and latitude; longitude 180 is -180, and latitude 90
// is just below it, so that a zone around the pole contains it. A grid over the zones'
// boxes finds the few zones that come into question; most of its cells are settled without looking at an edge.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/vts/records.h"
#include "apps/vts/zone_raster.h"

namespace muir::vts {

// Even-odd over a polygon's rings: the point is inside when a ray to the east crosses an odd number of edges.
bool contains(const ZoneMaster& zone, double lon, double lat);

// Immutable; thread-safe.
class ZoneIndex {
 public:
  explicit ZoneIndex(std::vector<ZoneMaster> zones);

  // Ids of the zones that contain the point, sorted.
  [[nodiscard]] std::vector<std::string> find(double longitude, double lat) const;
  // Null when there is none of that id.
  [[nodiscard]] const ZoneMaster* zone(std::string_view zone_id) const;
  [[nodiscard]] const std::vector<ZoneMaster>& zones() const { return zones_; }  // sorted by id

 private:
  struct Cell {
    std::vector<uint32_t> inside;  // zones that cover the whole cell
    std::vector<uint32_t> ask;     // zones with an edge in it
  };
  void fill_grid();

  std::vector<ZoneMaster> zones_;
  std::vector<Box> boxes_;
  Grid grid_;
  std::vector<Cell> cells_;
};

}  // namespace muir::vts
