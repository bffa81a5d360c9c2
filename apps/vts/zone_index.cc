#include "apps/vts/zone_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/vts/zone_geometry.h"

namespace muir::vts {
namespace {

constexpr size_t kCellsPerSideMax = 512;

using Ring = std::vector<double>;  // lon, lat, lon, lat...

// The antimeridian is one line: what was cut there must not have a gap.
double on_one_side(double lon) { return lon == 180 ? -180 : lon; }

// No edge is above the north pole: a ray through it would cross none.
double below_pole(double lat) { return lat == 90 ? std::nextafter(90.0, 0.0) : lat; }

template <class F>
void for_each_ring(const ZoneMaster& zone, F f) {
  for (const auto& polygon : zone.polygons) {
    for (const Ring& ring : polygon) f(ring);
  }
}

}  // namespace

bool contains(const ZoneMaster& zone, double lon, double lat) {
  const double x = on_one_side(lon);
  const double y = below_pole(lat);
  return std::any_of(zone.polygons.begin(), zone.polygons.end(), [x, y](const auto& polygon) {
    bool inside = false;
    for (const Ring& ring : polygon) inside ^= encloses(ring, x, y);
    return inside;
  });
}

ZoneIndex::ZoneIndex(std::vector<ZoneMaster> zones) : zones_(std::move(zones)) {
  std::sort(zones_.begin(), zones_.end(), [](const auto& a, const auto& b) { return a.zone_id < b.zone_id; });
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Box bounds{kInf, kInf, -kInf, -kInf};
  for (const ZoneMaster& zone : zones_) {
    Box box{kInf, kInf, -kInf, -kInf};
    for_each_ring(zone, [&box](const Ring& ring) {
      for (size_t i = 0; i + 1 < ring.size(); i += 2) {
        box = {std::min(box.west, ring[i]), std::min(box.south, ring[i + 1]), std::max(box.east, ring[i]),
               std::max(box.north, ring[i + 1])};
      }
    });
    boxes_.push_back(box);
    bounds = {std::min(bounds.west, box.west), std::min(bounds.south, box.south), std::max(bounds.east, box.east),
              std::max(bounds.north, box.north)};
  }
  grid_.bounds = bounds;
  if (bounds.west <= bounds.east) fill_grid();
}

void ZoneIndex::fill_grid() {
  size_t points = 0;
  for (const ZoneMaster& zone : zones_) for_each_ring(zone, [&points](const Ring& ring) { points += ring.size() / 2; });
  // About as many cells as there are edges, squared off.
  const auto side = static_cast<size_t>(std::sqrt(static_cast<double>(points) * 8)) + 1;
  grid_.columns = grid_.rows = std::min(kCellsPerSideMax, side);
  if (grid_.bounds.west == grid_.bounds.east) grid_.columns = 1;
  if (grid_.bounds.south == grid_.bounds.north) grid_.rows = 1;
  cells_.resize(grid_.columns * grid_.rows);
  for (uint32_t i = 0; i < zones_.size(); ++i) {
    if (boxes_[i].west > boxes_[i].east) continue;  // no ring at all
    ZoneRaster(zones_[i], grid_, boxes_[i]).for_each([&](size_t row, size_t column, ZoneRaster::Cell cell) {
      Cell& here = cells_[row * grid_.columns + column];
      (cell == ZoneRaster::Cell::edge ? here.ask : here.inside).push_back(i);
    });
  }
}

std::vector<std::string> ZoneIndex::find(double longitude, double lat) const {
  std::vector<std::string> out;
  const double lon = on_one_side(longitude);
  const Box& bounds = grid_.bounds;
  if (cells_.empty() || !(lon >= bounds.west && lon <= bounds.east && lat >= bounds.south && lat <= bounds.north))
    return out;
  const Cell& cell = cells_[grid_.row(lat) * grid_.columns + grid_.column(lon)];
  std::vector<uint32_t> found = cell.inside;
  for (const uint32_t zone : cell.ask) {
    const Box& box = boxes_[zone];
    if (lon < box.west || lon > box.east || lat < box.south || lat > box.north) continue;
    if (contains(zones_[zone], lon, lat)) found.push_back(zone);
  }
  std::sort(found.begin(), found.end());
  out.reserve(found.size());
  for (const uint32_t zone : found) out.push_back(zones_[zone].zone_id);
  return out;
}

const ZoneMaster* ZoneIndex::zone(std::string_view zone_id) const {
  const auto it = std::lower_bound(zones_.begin(), zones_.end(), zone_id,
                                   [](const ZoneMaster& zone, std::string_view id) { return zone.zone_id < id; });
  return it != zones_.end() && it->zone_id == zone_id ? &*it : nullptr;
}

}  // namespace muir::vts
