#include "apps/vts/zone_rings.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/vts/zone_geometry.h"

namespace muir::vts {
namespace {

// Closer than this, in degrees, is touching: a tenth of a millimetre.
constexpr double kTouching = 1e-9;
// Edges compared with each other: a fraction of a second.
constexpr size_t kComparisonsMax = 50'000'000;

struct Point {
  double lon = 0;
  double lat = 0;
};

struct Edge {
  Point from;
  Point to;
  size_t ring = 0;

  [[nodiscard]] double south() const { return std::min(from.lat, to.lat); }
  [[nodiscard]] double north() const { return std::max(from.lat, to.lat); }
  [[nodiscard]] Point middle() const { return {(from.lon + to.lon) / 2, (from.lat + to.lat) / 2}; }
};

using Ring = std::vector<double>;

std::vector<Edge> edges_of(const Ring& ring, size_t number) {
  std::vector<Edge> out;
  const size_t points = ring.size() / 2;
  for (size_t i = 0; i < points; ++i) {
    const size_t j = (i + 1) % points;
    const Edge edge{{ring[i * 2], ring[i * 2 + 1]}, {ring[j * 2], ring[j * 2 + 1]}, number};
    if (edge.from.lon != edge.to.lon || edge.from.lat != edge.to.lat) out.push_back(edge);
  }
  return out;
}

// On which side of the edge's line the point is: -1, 1, or 0 for one that touches it.
int side(const Edge& edge, const Point& point) {
  const double x = edge.to.lon - edge.from.lon;
  const double y = edge.to.lat - edge.from.lat;
  const double distance = (x * (point.lat - edge.from.lat) - y * (point.lon - edge.from.lon)) / std::hypot(x, y);
  return distance > kTouching ? 1 : distance < -kTouching ? -1 : 0;
}

bool cross(const Edge& a, const Edge& b) {
  return side(a, b.from) * side(a, b.to) < 0 && side(b, a.from) * side(b, a.to) < 0;
}

bool touches(const Edge& edge, const Point& point) {
  const double x = edge.to.lon - edge.from.lon;
  const double y = edge.to.lat - edge.from.lat;
  const double along = ((point.lon - edge.from.lon) * x + (point.lat - edge.from.lat) * y) / (x * x + y * y);
  const double at = std::clamp(along, 0.0, 1.0);
  return std::hypot(edge.from.lon + at * x - point.lon, edge.from.lat + at * y - point.lat) <= kTouching;
}

// From south to north, each edge is compared with those of other rings that begin further south and have not ended.
Status check_crossings(const std::vector<Ring>& rings) {
  std::vector<Edge> edges;
  for (size_t i = 0; i < rings.size(); ++i) {
    const std::vector<Edge> more = edges_of(rings[i], i);
    edges.insert(edges.end(), more.begin(), more.end());
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.south() < b.south(); });
  std::vector<const Edge*> open;
  size_t compared = 0;
  for (const Edge& edge : edges) {
    std::erase_if(open, [&edge](const Edge* other) { return other->north() < edge.south(); });
    compared += open.size();
    if (compared > kComparisonsMax) return {};
    for (const Edge* other : open) {
      if (other->ring == edge.ring || !cross(*other, edge)) continue;
      const bool later = edge.ring > other->ring;
      const Edge& one = later ? edge : *other;
      const Edge& two = later ? *other : edge;
      return error(Code::invalid_argument,
                   "ring {}: its edge from [{}, {}] to [{}, {}] crosses that of ring {} from [{}, {}] to [{}, {}]",
                   one.ring, one.from.lon, one.from.lat, one.to.lon, one.to.lat, two.ring, two.from.lon, two.from.lat,
                   two.to.lon, two.to.lat);
    }
    open.push_back(&edge);
  }
  return {};
}

enum class Place : unsigned char { inside, border, outside };

Place place_of(const Point& point, const Ring& border, const std::vector<Edge>& edges) {
  if (std::any_of(edges.begin(), edges.end(), [&](const Edge& edge) { return touches(edge, point); }))
    return Place::border;
  return encloses(border, point.lon, point.lat) ? Place::inside : Place::outside;
}

// Where nothing crosses, the hole is outside as a whole, or where it touches the border on both ends of an edge.
Status check_hole(const Ring& border, const std::vector<Edge>& border_edges, const Ring& hole, size_t number) {
  const std::vector<Edge> edges = edges_of(hole, number);
  const size_t step = 1 + 2 * edges.size() * border_edges.size() / kComparisonsMax;
  bool covers = true;
  for (size_t i = 0; i < edges.size(); i += step) {
    for (const Point& point : {edges[i].from, edges[i].middle()}) {
      const Place place = place_of(point, border, border_edges);
      covers = covers && place == Place::border;
      if (place == Place::outside)
        return error(Code::invalid_argument, "ring {}: [{}, {}] is outside of ring 0, which it is to be a hole of",
                     number, point.lon, point.lat);
    }
  }
  if (covers) return error(Code::invalid_argument, "ring {}: the hole is all of ring 0", number);
  return {};
}

}  // namespace

Status check_polygon(const std::vector<std::vector<double>>& rings) {
  if (rings.size() < 2) return {};
  MUIR_RETURN_IF_ERROR(check_crossings(rings));
  const std::vector<Edge> border = edges_of(rings[0], 0);
  for (size_t i = 1; i < rings.size(); ++i) MUIR_RETURN_IF_ERROR(check_hole(rings[0], border, rings[i], i));
  return {};
}

}  // namespace muir::vts
