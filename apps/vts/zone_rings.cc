#include "apps/vts/zone_rings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>

#include "apps/vts/zone_geometry.h"

namespace muir::vts {
namespace {

// Closer than this, in degrees, is touching: a tenth of a millimetre.
constexpr double kTouching = 1e-9;
// Edges compared with each other, and those seen to be apart: a second or two. Those of 10,000 positions are always
// looked at, however they lie.
constexpr size_t kComparisonsMax = 50'000'000;
constexpr size_t kPairsMax = 200'000'000;

Status too_intricate() {
  return error(
      Code::invalid_argument,
      "its edges lie beside each other in so many ways that it cannot be seen in time whether they cross: make "
      "it of fewer positions, or of several polygons");
}

struct Point {
  double lon = 0;
  double lat = 0;
};

struct Edge {
  Point from;
  Point to;
  size_t ring = 0;
  Point before{};  // where the edge before it begins
  Point after{};   // where the edge after it ends

  [[nodiscard]] double south() const { return std::min(from.lat, to.lat); }
  [[nodiscard]] double north() const { return std::max(from.lat, to.lat); }
  [[nodiscard]] double west() const { return std::min(from.lon, to.lon); }
  [[nodiscard]] double east() const { return std::max(from.lon, to.lon); }
  [[nodiscard]] Point middle() const { return {(from.lon + to.lon) / 2, (from.lat + to.lat) / 2}; }
};

using Ring = std::vector<double>;

bool are_one(const Point& a, const Point& b) { return std::hypot(a.lon - b.lon, a.lat - b.lat) <= kTouching; }

// Positions that repeat the one before are none.
std::vector<Edge> edges_of(const Ring& ring, size_t number) {
  std::vector<Point> points;
  for (size_t i = 0; i + 1 < ring.size(); i += 2) {
    const Point point{ring[i], ring[i + 1]};
    if (points.empty() || !are_one(points.back(), point)) points.push_back(point);
  }
  while (points.size() > 1 && are_one(points.back(), points.front())) points.pop_back();
  std::vector<Edge> out;
  const size_t count = points.size();
  for (size_t i = 0; count > 1 && i < count; ++i)
    out.push_back(
        {points[i], points[(i + 1) % count], number, points[(i + count - 1) % count], points[(i + 2) % count]});
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

// Whether edges that lie on one line have more than a position in common.
bool overlap(const Edge& a, const Edge& b) {
  if (side(a, b.from) != 0 || side(a, b.to) != 0) return false;
  const double x = a.to.lon - a.from.lon;
  const double y = a.to.lat - a.from.lat;
  const double length = std::hypot(x, y);
  const auto along = [&](const Point& p) { return ((p.lon - a.from.lon) * x + (p.lat - a.from.lat) * y) / length; };
  const auto [first, last] = std::minmax({along(b.from), along(b.to)});
  return std::min(last, length) - std::max(first, 0.0) > kTouching;
}

// Counterclockwise from the direction to `first` to that to `then`, as seen from `at`.
double turn(const Point& at, const Point& first, const Point& then) {
  const double angle =
      std::atan2(then.lat - at.lat, then.lon - at.lon) - std::atan2(first.lat - at.lat, first.lon - at.lon);
  return angle < 0 ? angle + 2 * std::numbers::pi : angle;
}

// Whether who comes from `other.before` to `other.from` and goes on to `other.to` changes the side of the ring that has
// `one` there. At the end of `one` it is the edge after it that is asked.
bool crosses_at_its_begin(const Edge& other, const Edge& one) {
  const Point& at = other.from;
  if (!touches(one, at) || are_one(at, one.to)) return false;
  const Point& back = are_one(at, one.from) ? one.before : one.from;
  const double whole = turn(at, one.to, back);
  const double enters = turn(at, one.to, other.before);
  const double leaves = turn(at, one.to, other.to);
  constexpr double kSame = 1e-9;  // one lies on the other, which is another fault
  for (const double angle : {enters, leaves}) {
    if (angle < kSame || std::abs(angle - whole) < kSame || angle > 2 * std::numbers::pi - kSame) return false;
  }
  return (enters < whole) != (leaves < whole);
}

std::optional<Point> crossing(const Edge& a, const Edge& b) {
  if (a.ring == b.ring && crosses_at_its_begin(a, b)) return a.from;
  if (a.ring == b.ring && crosses_at_its_begin(b, a)) return b.from;
  if (!cross(a, b)) return std::nullopt;
  const double x = a.to.lon - a.from.lon;
  const double y = a.to.lat - a.from.lat;
  const double u = b.to.lon - b.from.lon;
  const double v = b.to.lat - b.from.lat;
  const double at = ((b.from.lon - a.from.lon) * v - (b.from.lat - a.from.lat) * u) / (x * v - y * u);
  return Point{a.from.lon + at * x, a.from.lat + at * y};
}

std::string text_of(const Edge& edge) {
  return fmt::format("from [{}, {}] to [{}, {}]", edge.from.lon, edge.from.lat, edge.to.lon, edge.to.lat);
}

// Edges that have a position in common, or nearly.
Status check_edges(const Edge& one, const Edge& two) {
  if (one.ring > two.ring) return check_edges(two, one);
  if (one.ring == two.ring && overlap(one, two))
    return error(Code::invalid_argument,
                 "ring {}: its edges {} and {} lie on each other: a ring goes each way once, or what it encloses is "
                 "outside again",
                 one.ring, text_of(one), text_of(two));
  const auto at = crossing(one, two);
  if (!at) return {};
  if (one.ring != two.ring)
    return error(Code::invalid_argument, "ring {}: its edge {} crosses that of ring {} {}, at [{:.10g}, {:.10g}]",
                 two.ring, text_of(two), one.ring, text_of(one), at->lon, at->lat);
  return error(
      Code::invalid_argument,
      "ring {}: it crosses itself at [{:.10g}, {:.10g}], its edges {} and {}: the rings of a polygon (RFC 7946, "
      "3.1.6) are simple (OGC 06-103r4, 6.1.11). Cut it there into the polygons of a MultiPolygon",
      one.ring, at->lon, at->lat, text_of(one), text_of(two));
}

// An edge's extent along an axis, and across it; and its line.
struct Swept {
  double begin, end, low, high;
  Point from, turn;  // where it begins, and how far from there it ends
  double near;       // touching, in terms of left_of()
  const Edge* edge;

  [[nodiscard]] double left_of(const Point& point) const {
    return turn.lon * (point.lat - from.lat) - turn.lat * (point.lon - from.lon);
  }
  // Whether all of the other is on one side of its line, and touches it nowhere.
  [[nodiscard]] bool passes(const Swept& other) const {
    const double a = left_of(other.from);
    const double b = a + turn.lon * other.turn.lat - turn.lat * other.turn.lon;
    return (a > near && b > near) || (a < -near && b < -near);
  }
};

// Along the axis along which fewer edges lie beside each other: edges that are long on one may be short on the other.
std::vector<Swept> order_of(const std::vector<Edge>& edges) {
  double lons = 0, lats = 0;
  double west = 180, east = -180, south = 90, north = -90;
  for (const Edge& edge : edges) {
    lons += edge.east() - edge.west();
    lats += edge.north() - edge.south();
    west = std::min(west, edge.west());
    east = std::max(east, edge.east());
    south = std::min(south, edge.south());
    north = std::max(north, edge.north());
  }
  const bool northwards = lats * (east - west) <= lons * (north - south);
  std::vector<Swept> out;
  out.reserve(edges.size());
  for (const Edge& edge : edges) {
    const Point turn{edge.to.lon - edge.from.lon, edge.to.lat - edge.from.lat};
    const double near = 2 * kTouching * std::hypot(turn.lon, turn.lat);  // and what rounding takes
    const double top = edge.north() + kTouching;
    const double right = edge.east() + kTouching;
    out.push_back(northwards ? Swept{edge.south(), top, edge.west(), right, edge.from, turn, near, &edge}
                             : Swept{edge.west(), right, edge.south(), top, edge.from, turn, near, &edge});
  }
  std::stable_sort(out.begin(), out.end(), [](const Swept& a, const Swept& b) { return a.begin < b.begin; });
  return out;
}

// Each edge is compared with those that begin before it and have not ended.
Status check_all_edges(const std::vector<Ring>& rings) {
  std::vector<Edge> edges;
  for (size_t i = 0; i < rings.size(); ++i) {
    const std::vector<Edge> more = edges_of(rings[i], i);
    edges.insert(edges.end(), more.begin(), more.end());
  }
  std::vector<Swept> open;
  size_t passed = 0;
  size_t compared = 0;
  for (const Swept& edge : order_of(edges)) {
    std::erase_if(open, [&edge](const Swept& other) { return other.end < edge.begin; });
    passed += open.size();
    for (const Swept& other : open) {
      if (other.low > edge.high || edge.low > other.high) continue;
      if (edge.passes(other) || other.passes(edge)) continue;
      if (++compared > kComparisonsMax) return too_intricate();
      MUIR_RETURN_IF_ERROR(check_edges(*other.edge, *edge.edge));
    }
    if (passed > kPairsMax) return too_intricate();
    open.push_back(edge);
  }
  return {};
}

enum class Place : unsigned char { inside, border, outside };

// A ring and what is asked of it again and again.
struct Outline {
  explicit Outline(const Ring& points, size_t number) : ring(&points), edges(edges_of(points, number)) {
    for (const Edge& edge : edges) {
      west = std::min({west, edge.from.lon});
      east = std::max({east, edge.from.lon});
      south = std::min({south, edge.from.lat});
      north = std::max({north, edge.from.lat});
    }
  }

  [[nodiscard]] Place place_of(const Point& point) const {
    if (std::any_of(edges.begin(), edges.end(), [&](const Edge& edge) { return touches(edge, point); }))
      return Place::border;
    return encloses(*ring, point.lon, point.lat) ? Place::inside : Place::outside;
  }
  [[nodiscard]] bool meets(const Outline& other) const {
    return south < other.north && other.south < north && west < other.east && other.west < east;
  }

  const Ring* ring;
  std::vector<Edge> edges;
  double west = 180, east = -180, south = 90, north = -90;
};

// Where what is left of a ring lies to another that no edge of it crosses.
struct Relation {
  std::optional<Point> inside;
  std::optional<Point> border;
  std::optional<Point> outside;
};

// An edge changes its side only where it touches a position of the other ring: between two of these it is on one.
Relation relation(const Outline& of, const Outline& to) {
  Relation out;
  const size_t step = 1 + 2 * of.edges.size() * to.edges.size() / kComparisonsMax;
  std::vector<double> cuts;
  for (size_t i = 0; i < of.edges.size(); i += step) {
    const Edge& edge = of.edges[i];
    const double x = edge.to.lon - edge.from.lon;
    const double y = edge.to.lat - edge.from.lat;
    cuts.assign({0, 1});
    for (const Edge& other : to.edges) {
      const Point& p = other.from;
      if (!touches(edge, p)) continue;
      cuts.push_back(std::clamp(((p.lon - edge.from.lon) * x + (p.lat - edge.from.lat) * y) / (x * x + y * y), 0., 1.));
    }
    std::sort(cuts.begin(), cuts.end());
    for (size_t k = 1; k < cuts.size(); ++k) {
      if ((cuts[k] - cuts[k - 1]) * std::hypot(x, y) <= 4 * kTouching) continue;
      const double at = (cuts[k] + cuts[k - 1]) / 2;
      const Point middle{edge.from.lon + at * x, edge.from.lat + at * y};
      const Place place = to.place_of(middle);
      (place == Place::inside ? out.inside : place == Place::border ? out.border : out.outside) = middle;
    }
  }
  return out;
}

// Where nothing crosses, the hole is outside as a whole, or where it touches the border on both ends of a piece.
Status check_hole(const Outline& border, const Outline& hole, size_t number) {
  const size_t step = 1 + hole.edges.size() * border.edges.size() / kComparisonsMax;
  for (size_t i = 0; i < hole.edges.size(); i += step) {
    for (const Point& point : {hole.edges[i].from, hole.edges[i].middle()}) {
      if (border.place_of(point) == Place::outside)
        return error(Code::invalid_argument, "ring {}: [{}, {}] is outside of ring 0, which it is to be a hole of",
                     number, point.lon, point.lat);
    }
  }
  const Relation place = relation(hole, border);
  if (place.outside)
    return error(Code::invalid_argument, "ring {}: [{}, {}] is outside of ring 0, which it is to be a hole of", number,
                 place.outside->lon, place.outside->lat);
  if (!place.inside) return error(Code::invalid_argument, "ring {}: the hole is all of ring 0", number);
  return {};
}

// Holes lie beside each other, or one wholly within another as an island, which shares no edge with it.
Status check_holes(const Outline& one, size_t first, const Outline& two, size_t second) {
  const Relation a = relation(one, two);
  const Relation b = relation(two, one);
  if (!a.inside && !a.outside && a.border)
    return error(Code::invalid_argument, "ring {}: the hole is ring {} again: what both enclose is inside again",
                 second, first);
  for (const auto& [inside, rest] : {std::pair(a.inside, a), std::pair(b.inside, b)}) {
    if (!inside || (!rest.border && !rest.outside)) continue;
    return error(Code::invalid_argument,
                 "ring {}: it overlaps ring {}, at [{}, {}]: holes lie beside each other, or an island within a hole, "
                 "of which it shares no edge",
                 second, first, inside->lon, inside->lat);
  }
  return {};
}

// Holes in the order of their west ends: each is compared with those that begin before it ends.
Status check_pairs_of_holes(const std::vector<Outline>& rings) {
  std::vector<size_t> order;
  for (size_t i = 1; i < rings.size(); ++i) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rings[a].west < rings[b].west; });
  size_t compared = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = i + 1; j < order.size() && rings[order[j]].west < rings[order[i]].east; ++j) {
      const auto [first, second] = std::minmax(order[i], order[j]);
      const bool meet = rings[first].meets(rings[second]);
      compared += meet ? rings[first].edges.size() * rings[second].edges.size() : 1;
      if (compared > kComparisonsMax) return too_intricate();
      if (meet) MUIR_RETURN_IF_ERROR(check_holes(rings[first], first, rings[second], second));
    }
  }
  return {};
}

}  // namespace

Status check_polygon(const std::vector<std::vector<double>>& rings) {
  MUIR_RETURN_IF_ERROR(check_all_edges(rings));
  std::vector<Outline> outlines;
  outlines.reserve(rings.size());
  for (size_t i = 0; i < rings.size(); ++i) outlines.emplace_back(rings[i], i);
  for (size_t i = 1; i < rings.size(); ++i) MUIR_RETURN_IF_ERROR(check_hole(outlines[0], outlines[i], i));
  return check_pairs_of_holes(outlines);
}

}  // namespace muir::vts
