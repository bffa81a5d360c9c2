#include "apps/vts/zone_raster.h"

#include <cmath>

namespace muir::vts {

ZoneRaster::ZoneRaster(const ZoneMaster& zone, const Grid& grid, const Box& box)
    : grid_(grid),
      first_row_(grid.row(box.south)),
      first_column_(grid.column(box.west)),
      rows_(grid.row(box.north) - first_row_ + 1),
      columns_(grid.column(box.east) - first_column_ + 1),
      cells_(rows_ * columns_) {
  for (const auto& polygon : zone.polygons) {
    for (const auto& ring : polygon) mark_edges(ring);
  }
  for (const auto& polygon : zone.polygons) {
    for (size_t row = 0; row < rows_; ++row) fill_row(polygon, row);
  }
}

void ZoneRaster::mark_edges(const std::vector<double>& ring) {
  const size_t points = ring.size() / 2;
  for (size_t i = 0; i < points; ++i) {
    const size_t j = (i + 1) % points;
    mark_edge(ring[i * 2], ring[i * 2 + 1], ring[j * 2], ring[j * 2 + 1]);
  }
}

// Row by row: the part of the edge that lies in the row or in one beside it, and a column more on both sides.
void ZoneRaster::mark_edge(double lon1, double lat1, double lon2, double lat2) {
  if (lat1 > lat2) {
    std::swap(lat1, lat2);
    std::swap(lon1, lon2);
  }
  const size_t low = grid_.row(lat1);
  const size_t high = std::min(grid_.row(lat2) + 1, first_row_ + rows_ - 1);
  for (size_t row = std::max(low, first_row_ + 1) - 1; row <= high; ++row) {
    const auto lon_at = [&](double lat) {
      return lat <= lat1 ? lon1 : lat >= lat2 ? lon2 : lon1 + (lon2 - lon1) * (lat - lat1) / (lat2 - lat1);
    };
    const double a = lon_at(row == 0 ? lat1 : grid_.south_of(row - 1));
    const double b = lon_at(grid_.south_of(row + 2));
    const size_t left = std::max(grid_.column(std::min(a, b)), first_column_ + 1) - 1;
    const size_t right = std::min(grid_.column(std::max(a, b)) + 1, first_column_ + columns_ - 1);
    const auto begin = cells_.begin() + static_cast<std::ptrdiff_t>((row - first_row_) * columns_);
    for (size_t column = left; column <= right; ++column)
      *(begin + static_cast<std::ptrdiff_t>(column - first_column_)) = Cell::edge;
  }
}

// What contains() says of the middles: a ray to the east crosses an odd number of edges.
void ZoneRaster::fill_row(const std::vector<std::vector<double>>& polygon, size_t row) {
  const double lat = grid_.middle_lat(first_row_ + row);
  std::vector<double> crossings;
  for (const auto& ring : polygon) {
    const size_t points = ring.size() / 2;
    for (size_t i = 0, before = points - 1; points >= 3 && i < points; before = i++) {
      const double y1 = ring[i * 2 + 1];
      const double y2 = ring[before * 2 + 1];
      if ((y1 > lat) == (y2 > lat)) continue;
      const double lon = (ring[before * 2] - ring[i * 2]) * (lat - y1) / (y2 - y1) + ring[i * 2];
      if (!std::isnan(lon)) crossings.push_back(lon);  // nothing is west of that
    }
  }
  std::sort(crossings.begin(), crossings.end());
  size_t passed = 0;  // crossings that are not east of the middle
  for (size_t c = 0; c < columns_ && passed < crossings.size(); ++c) {
    const double lon = grid_.middle_lon(first_column_ + c);
    while (passed < crossings.size() && !(lon < crossings[passed])) ++passed;
    Cell& cell = cells_[row * columns_ + c];
    if (cell == Cell::outside && (crossings.size() - passed) % 2 == 1) cell = Cell::inside;
  }
}

}  // namespace muir::vts
