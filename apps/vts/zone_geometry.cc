#include "apps/vts/zone_geometry.h"

#include <algorithm>
#include <cmath>

namespace muir::vts {
namespace {

constexpr const char* kHowToCut =
    "A zone across the antimeridian is cut there into a MultiPolygon, one part that ends at 180 and one that begins at "
    "-180; one around a pole is closed along it, through [180, 90] and [-180, 90] (RFC 7946, section 3.1.9)";

struct Edge {
  double lon1, lat1, lon2, lat2;
  [[nodiscard]] double turn() const { return lon2 - lon1; }
  // All longitudes of a pole are one point.
  [[nodiscard]] bool at_pole() const { return std::abs(lat1) == 90 && lat1 == lat2; }
  [[nodiscard]] bool is_long() const { return std::abs(turn()) > 180 && !at_pole(); }
  // From one side of the antimeridian to the other: nothing, or once around the earth.
  [[nodiscard]] bool border_to_border() const { return std::abs(turn()) == 360; }
};

template <class F>
void for_each_edge(const std::vector<double>& ring, F f) {
  const size_t points = ring.size() / 2;
  for (size_t i = 0; i < points; ++i) {
    const size_t j = (i + 1) % points;
    f(Edge{ring[i * 2], ring[i * 2 + 1], ring[j * 2], ring[j * 2 + 1]});
  }
}

Status check_positions(const std::vector<double>& ring) {
  for (size_t i = 0; i + 1 < ring.size(); i += 2) {
    if (std::abs(ring[i]) <= 180 && std::abs(ring[i + 1]) <= 90) continue;
    const bool beyond = std::abs(ring[i]) <= 540 && std::abs(ring[i + 1]) <= 90;
    return error(Code::invalid_argument, "position [{}, {}] is not on the earth{}{}", ring[i], ring[i + 1],
                 beyond ? ". " : "", beyond ? kHowToCut : "");
  }
  return {};
}

// Whether the ring closes with some width when edges from border to border are nothing: then it only touches the
// antimeridian with them, and crosses it.
bool crosses_at_border(const std::vector<double>& ring) {
  double at = 0;
  double west = 0;
  double east = 0;
  bool touches = false;
  for_each_edge(ring, [&](const Edge& edge) {
    if (edge.is_long() && edge.border_to_border()) {
      touches = true;
      return;
    }
    at += edge.turn();
    west = std::min(west, at);
    east = std::max(east, at);
  });
  return touches && std::abs(at) < 1 && east - west > 0;
}

Status check_antimeridian(const std::vector<double>& ring) {
  Status status;
  for_each_edge(ring, [&status](const Edge& edge) {
    if (!status.ok() || !edge.is_long() || edge.border_to_border()) return;
    status =
        error(Code::invalid_argument,
              "the edge from [{}, {}] to [{}, {}] spans {} degrees of longitude. {}; an edge that is meant to go the "
              "long way needs a position on it",
              edge.lon1, edge.lat1, edge.lon2, edge.lat2, std::abs(edge.turn()), kHowToCut);
  });
  MUIR_RETURN_IF_ERROR(status);
  if (crosses_at_border(ring)) return error(Code::invalid_argument, "the ring goes on from 180 at -180. {}", kHowToCut);
  return {};
}

bool encloses_nothing(const std::vector<double>& ring) {
  const auto [low, high] = [&ring] {
    size_t first = 0;
    size_t last = 0;
    for (size_t i = 0; i + 1 < ring.size(); i += 2) {
      if (std::pair(ring[i], ring[i + 1]) < std::pair(ring[first], ring[first + 1])) first = i;
      if (std::pair(ring[i], ring[i + 1]) > std::pair(ring[last], ring[last + 1])) last = i;
    }
    return std::pair(first, last);
  }();
  for (size_t i = 0; i + 1 < ring.size(); i += 2) {
    const double cross = (ring[high] - ring[low]) * (ring[i + 1] - ring[low + 1]) -
                         (ring[high + 1] - ring[low + 1]) * (ring[i] - ring[low]);
    if (cross != 0) return false;
  }
  return true;
}

// Where the edge is at that latitude, which lies between its ends: reckoned from the lower end, so that it is the same
// for all rings that have the edge, whichever way they go along it.
double lon_at(double x1, double y1, double x2, double y2, double lat) {
  return y1 < y2 ? (x2 - x1) * (lat - y1) / (y2 - y1) + x1 : (x1 - x2) * (lat - y2) / (y1 - y2) + x2;
}

}  // namespace

Status check_ring(const std::vector<double>& ring) {
  MUIR_RETURN_IF_ERROR(check_positions(ring));
  MUIR_RETURN_IF_ERROR(check_antimeridian(ring));
  if (encloses_nothing(ring))
    return error(Code::invalid_argument, "the ring encloses nothing: all its positions lie on one line");
  return {};
}

bool encloses(const std::vector<double>& ring, double lon, double lat) {
  const size_t points = ring.size() / 2;
  if (points < 3) return false;
  bool inside = false;
  double x2 = ring[(points - 1) * 2];
  double y2 = ring[(points - 1) * 2 + 1];
  for (size_t i = 0; i < points; ++i) {
    const double x1 = ring[i * 2];
    const double y1 = ring[i * 2 + 1];
    if ((y1 > lat) != (y2 > lat) && lon < lon_at(x1, y1, x2, y2, lat)) inside = !inside;
    x2 = x1;
    y2 = y1;
  }
  return inside;
}

}  // namespace muir::vts
