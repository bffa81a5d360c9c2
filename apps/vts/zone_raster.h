// ZoneRaster: the cells of a grid that a zone has to do with. What it costs grows with the zone's points and the grid's
// rows, not with the cells that an edge spans: a ring may go to and fro ten thousand times.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "apps/vts/records.h"

namespace muir::vts {

struct Box {
  double west = 0, south = 0, east = 0, north = 0;
};

// Rows and columns of equal cells over a box.
struct Grid {
  Box bounds;
  size_t columns = 0;
  size_t rows = 0;

  // The nearest one for what lies beyond.
  [[nodiscard]] size_t column(double lon) const { return at(lon, bounds.west, bounds.east, columns); }
  [[nodiscard]] size_t row(double lat) const { return at(lat, bounds.south, bounds.north, rows); }
  [[nodiscard]] double west_of(size_t column) const { return edge(column, bounds.west, bounds.east, columns); }
  [[nodiscard]] double south_of(size_t row) const { return edge(row, bounds.south, bounds.north, rows); }
  [[nodiscard]] double middle_lon(size_t column) const { return middle(column, bounds.west, bounds.east, columns); }
  [[nodiscard]] double middle_lat(size_t row) const { return middle(row, bounds.south, bounds.north, rows); }

 private:
  // Numbers that are none are in the first.
  static size_t at(double value, double low, double high, size_t count) {
    const double cell = (value - low) / (high - low) * static_cast<double>(count);
    return cell > 0 ? static_cast<size_t>(std::min(cell, static_cast<double>(count - 1))) : 0;
  }
  static double edge(size_t cell, double low, double high, size_t count) {
    return low + static_cast<double>(cell) * (high - low) / static_cast<double>(count);
  }
  static double middle(size_t cell, double low, double high, size_t count) {
    return low + (static_cast<double>(cell) + 0.5) * (high - low) / static_cast<double>(count);
  }
};

// Of the cells within the zone's box: those with an edge in or beside them, so that rounding cannot matter, and of the
// others those that are inside, as their middles are.
class ZoneRaster {
 public:
  enum class Cell : uint8_t { outside, edge, inside };

  // `box` is the zone's, not empty, and within the grid.
  ZoneRaster(const ZoneMaster& zone, const Grid& grid, const Box& box);

  // visit(row, column, Cell) for every cell that is not outside.
  template <class F>
  void for_each(F visit) const {
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t c = 0; c < columns_; ++c) {
        const Cell cell = cells_[r * columns_ + c];
        if (cell != Cell::outside) visit(first_row_ + r, first_column_ + c, cell);
      }
    }
  }

 private:
  void mark_edges(const std::vector<double>& ring);
  void mark_edge(double lon1, double lat1, double lon2, double lat2);
  void fill_row(const std::vector<std::vector<double>>& polygon, size_t row);

  const Grid& grid_;
  size_t first_row_ = 0;
  size_t first_column_ = 0;
  size_t rows_ = 0;
  size_t columns_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace muir::vts
