#include "apps/vts/zone_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace muir::vts {
namespace {

constexpr size_t kCellsPerSideMax = 512;

using Ring = std::vector<double>;  // lon, lat, lon, lat...

bool crosses_odd(const Ring& ring, double lon, double lat) {
  const size_t points = ring.size() / 2;
  if (points < 3) return false;
  bool inside = false;
  double x2 = ring[(points - 1) * 2];
  double y2 = ring[(points - 1) * 2 + 1];
  for (size_t i = 0; i < points; ++i) {
    const double x1 = ring[i * 2];
    const double y1 = ring[i * 2 + 1];
    if ((y1 > lat) != (y2 > lat) && lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1) inside = !inside;
    x2 = x1;
    y2 = y1;
  }
  return inside;
}

// The antimeridian is one line: what was cut there must not have a gap.
double on_one_side(double lon) { return lon == 180 ? -180 : lon; }

template <class F>
void for_each_ring(const ZoneMaster& zone, F f) {
  for (const auto& polygon : zone.polygons) {
    for (const Ring& ring : polygon) f(ring);
  }
}

}  // namespace

bool contains(const ZoneMaster& zone, double lon, double lat) {
  const double x = on_one_side(lon);
  return std::any_of(zone.polygons.begin(), zone.polygons.end(), [x, lat](const auto& polygon) {
    bool inside = false;
    for (const Ring& ring : polygon) inside ^= crosses_odd(ring, x, lat);
    return inside;
  });
}

ZoneIndex::ZoneIndex(std::vector<ZoneMaster> zones) : zones_(std::move(zones)) {
  std::sort(zones_.begin(), zones_.end(), [](const auto& a, const auto& b) { return a.zone_id < b.zone_id; });
  constexpr double kInf = std::numeric_limits<double>::infinity();
  bounds_ = {kInf, kInf, -kInf, -kInf};
  for (const ZoneMaster& zone : zones_) {
    Box box{kInf, kInf, -kInf, -kInf};
    for_each_ring(zone, [&box](const Ring& ring) {
      for (size_t i = 0; i + 1 < ring.size(); i += 2) {
        box = {std::min(box.west, ring[i]), std::min(box.south, ring[i + 1]), std::max(box.east, ring[i]),
               std::max(box.north, ring[i + 1])};
      }
    });
    boxes_.push_back(box);
    bounds_ = {std::min(bounds_.west, box.west), std::min(bounds_.south, box.south), std::max(bounds_.east, box.east),
               std::max(bounds_.north, box.north)};
  }
  if (bounds_.west <= bounds_.east) fill_grid();
}

size_t ZoneIndex::column(double lon) const {
  const double at = (lon - bounds_.west) / (bounds_.east - bounds_.west) * static_cast<double>(columns_);
  return std::min(columns_ - 1, static_cast<size_t>(std::max(0.0, at)));
}

size_t ZoneIndex::row(double lat) const {
  const double at = (lat - bounds_.south) / (bounds_.north - bounds_.south) * static_cast<double>(rows_);
  return std::min(rows_ - 1, static_cast<size_t>(std::max(0.0, at)));
}

void ZoneIndex::fill_grid() {
  size_t points = 0;
  for (const ZoneMaster& zone : zones_) for_each_ring(zone, [&points](const Ring& ring) { points += ring.size() / 2; });
  // About as many cells as there are edges, squared off.
  const auto side = static_cast<size_t>(std::sqrt(static_cast<double>(points) * 8)) + 1;
  columns_ = rows_ = std::min(kCellsPerSideMax, side);
  if (bounds_.west == bounds_.east) columns_ = 1;
  if (bounds_.south == bounds_.north) rows_ = 1;
  cells_.resize(columns_ * rows_);
  for (uint32_t i = 0; i < zones_.size(); ++i) fill_cells(i);
}

// A cell without an edge of the zone is wholly inside or wholly outside of it, as its middle is. A cell counts as
// having an edge when the edge's box touches it or one of its neighbours, so that rounding cannot matter.
void ZoneIndex::fill_cells(uint32_t zone) {
  std::set<size_t> edges;
  for_each_ring(zones_[zone], [&](const Ring& ring) {
    const size_t n = ring.size() / 2;
    for (size_t i = 0; i < n; ++i) {
      const size_t j = (i + 1) % n;
      const size_t left = column(std::min(ring[i * 2], ring[j * 2]));
      const size_t right = column(std::max(ring[i * 2], ring[j * 2]));
      const size_t low = row(std::min(ring[i * 2 + 1], ring[j * 2 + 1]));
      const size_t high = row(std::max(ring[i * 2 + 1], ring[j * 2 + 1]));
      for (size_t r = low == 0 ? 0 : low - 1; r <= std::min(high + 1, rows_ - 1); ++r) {
        for (size_t c = left == 0 ? 0 : left - 1; c <= std::min(right + 1, columns_ - 1); ++c)
          edges.insert(r * columns_ + c);
      }
    }
  });
  const Box& box = boxes_[zone];
  if (box.west > box.east) return;  // no ring at all
  for (size_t r = row(box.south); r <= row(box.north); ++r) {
    for (size_t c = column(box.west); c <= column(box.east); ++c) {
      const size_t cell = r * columns_ + c;
      if (edges.contains(cell)) {
        cells_[cell].ask.push_back(zone);
        continue;
      }
      const double lon =
          bounds_.west + (static_cast<double>(c) + 0.5) * (bounds_.east - bounds_.west) / static_cast<double>(columns_);
      const double lat =
          bounds_.south + (static_cast<double>(r) + 0.5) * (bounds_.north - bounds_.south) / static_cast<double>(rows_);
      if (contains(zones_[zone], lon, lat)) cells_[cell].inside.push_back(zone);
    }
  }
}

std::vector<std::string> ZoneIndex::find(double longitude, double lat) const {
  std::vector<std::string> out;
  const double lon = on_one_side(longitude);
  if (cells_.empty() || !(lon >= bounds_.west && lon <= bounds_.east && lat >= bounds_.south && lat <= bounds_.north))
    return out;
  const Cell& cell = cells_[row(lat) * columns_ + column(lon)];
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
