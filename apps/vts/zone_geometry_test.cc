#include "apps/vts/zone_geometry.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "apps/vts/master_data.h"
#include "apps/vts/zone_index.h"
#include "apps/vts/zone_rings.h"

namespace muir::vts {
namespace {

TEST(Ring, IsRefusedWhereThePlaneAndTheEarthDiffer) {
  struct Row {
    const char* what;
    std::vector<double> ring;
    const char* message;  // part of it; empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a square", {0, 0, 1, 0, 1, 1, 0, 1, 0, 0}, ""},
           {"not closed", {0, 0, 1, 0, 1, 1, 0, 1}, ""},
           {"clockwise", {0, 0, 0, 1, 1, 1, 1, 0}, ""},
           {"half the earth", {-90, -10, 90, -10, 90, 10, -90, 10}, ""},
           {"more than half, with positions on the way", {-170, -10, 0, -10, 170, -10, 170, 10, 0, 10, -170, 10}, ""},
           {"up to the antimeridian", {170, -10, 180, -10, 180, 10, 170, 10}, ""},
           {"from the antimeridian", {-180, -10, -170, -10, -170, 10, -180, 10}, ""},
           {"the earth", {-180, -90, 180, -90, 180, 90, -180, 90}, ""},
           {"all that a web map shows", {-180, -85, 180, -85, 180, 85, -180, 85}, ""},
           {"the same with a position on one side", {-180, -85, 0, -85, 180, -85, 180, 85, -180, 85}, ""},
           {"a belt", {-180, 10, 180, 10, 180, 20, -180, 20}, ""},
           {"the south, closed along the pole", {-180, -90, 180, -90, 180, -60, 0, -70, -180, -60}, ""},
           {"the north, closed along the pole", {-180, 70, 0, 60, 180, 70, 180, 90, -180, 90}, ""},
           {"across", {170, -10, -170, -10, -170, 10, 170, 10}, "the edge from [170, -10] to [-170, -10] spans 340"},
           {"across, clockwise", {170, -10, 170, 10, -170, 10, -170, -10}, "RFC 7946, section 3.1.9"},
           {"across with its closing edge alone",
            {-170, 0, -175, 5, -179, 9, 179, 8},
            "the edge from [-179, 9] to [179, 8]"},
           {"the long way", {-170, -10, 170, -10, 170, 10, -170, 10}, "needs a position on it"},
           {"across, with a seam",
            {170, 0, 180, 0, -180, 0, -170, 0, -170, 10, -180, 10, 180, 10, 170, 10},
            "the ring goes on from 180 at -180"},
           {"around the pole, not closed along it", {0, 60, 90, 60, 180, 60, -90, 60}, "closed along it"},
           {"beyond 180", {170, 0, 190, 0, 190, 10, 170, 10}, "position [190, 0] is not on the earth. A zone across"},
           {"beyond the pole", {0, 80, 10, 80, 10, 91, 0, 91}, "position [10, 91] is not on the earth"},
           {"a point", {1, 1, 1, 1, 1, 1, 1, 1}, "encloses nothing"},
           {"a line", {0, 0, 1, 1, 2, 2, 0, 0}, "encloses nothing"},
           {"a bow tie", {0, 0, 2, 2, 2, 0, 0, 2}, ""},
       }) {
    const Status status = check_ring(row.ring);
    if (*row.message == 0) {
      EXPECT_TRUE(status.ok()) << row.what << ": " << status.message();
    } else {
      EXPECT_NE(status.message().find(row.message), std::string::npos) << row.what << ": " << status.message();
    }
  }
}

TEST(Ring, IsNamedByItsPlaceInTheZone) {
  const auto message = [](const std::string& geometry) {
    const auto zone = parse_zone("z", R"({"type":"Feature","properties":{},"geometry":)" + geometry + "}");
    return zone.ok() ? "" : zone.status().message();
  };
  EXPECT_EQ(message(R"({"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],)"
                    R"([[[2,2],[3,2],[3,3],[2,2]],[[2,2],[3,3],[3,3],[2,2]]]]})"),
            "polygon 1: ring 1: the ring encloses nothing: all its positions lie on one line");
  EXPECT_EQ(message(R"({"type":"MultiPolygon","coordinates":[]})"), "a zone needs a polygon");
}

TEST(Polygons, HaveHolesThatLieWithin) {
  const std::string square = "[[0,0],[4,0],[4,4],[0,4],[0,0]]";
  const std::string notched = "[[0,0],[4,0],[4,4],[2,1],[0,4],[0,0]]";  // from the north, down to [2,1]
  struct Row {
    const char* what;
    std::string rings;
    const char* message;  // part of it; empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a hole", square + ",[[1,1],[2,1],[2,2],[1,1]]", ""},
           {"two", square + ",[[1,1],[2,1],[2,2],[1,1]],[[3,3],[3.5,3],[3.5,3.5],[3,3]]", ""},
           {"one within another", square + ",[[1,1],[3,1],[3,3],[1,3],[1,1]],[[1.5,1.5],[2,1.5],[2,2],[1.5,1.5]]", ""},
           {"one that touches the border with a position", square + ",[[0,2],[1,1],[1,3],[0,2]]", ""},
           {"with an edge", square + ",[[0,1],[1,1],[1,2],[0,2],[0,1]]", ""},
           {"with a position that rounding puts beside it",
            "[[0,0],[3,1],[0,4],[0,0]],[[0.3,0.1],[1,1],[0.5,2],[0.3,0.1]]", ""},
           {"two that touch", square + ",[[1,1],[2,1],[2,2],[1,1]],[[2,2],[3,2],[3,3],[2,2]]", ""},
           {"elsewhere", square + ",[[5,5],[6,5],[6,6],[5,5]]", "ring 1: [5, 5] is outside of ring 0"},
           {"the second elsewhere", square + ",[[1,1],[2,1],[2,2],[1,1]],[[5,1],[6,1],[6,2],[5,1]]",
            "ring 2: [5, 1] is outside of ring 0"},
           {"around it", square + ",[[-1,-1],[5,-1],[5,5],[-1,5],[-1,-1]]", "ring 1: [-1, -1] is outside of ring 0"},
           {"across its border", square + ",[[3,1],[5,1],[5,2],[3,2],[3,1]]",
            "ring 1: its edge from [3, 1] to [5, 1] crosses that of ring 0 from [4, 0] to [4, 4]"},
           {"all of it", square + "," + square, "ring 1: the hole is all of ring 0"},
           {"all of it, the other way", square + ",[[0,0],[0,4],[4,4],[4,0],[0,0]]",
            "ring 1: the hole is all of ring 0"},
           {"two that overlap", square + ",[[1,1],[3,1],[3,3],[1,3],[1,1]],[[2,2],[3.5,2],[3.5,2.5],[2,2.5],[2,2]]",
            "ring 2: its edge from [2, 2] to [3.5, 2] crosses that of ring 1 from [3, 1] to [3, 3]"},
           {"two that share an edge", square + ",[[1,1],[2,1],[2,2],[1,2],[1,1]],[[2,1],[3,1],[3,2],[2,2],[2,1]]", ""},
           {"the same twice", square + ",[[1,1],[2,1],[2,2],[1,1]],[[1,1],[2,1],[2,2],[1,1]]",
            "ring 2: the hole is ring 1 again"},
           {"the same, begun elsewhere, the other way",
            square + ",[[1,1],[2,1],[2,2],[1,1]],[[2,2],[2,1],[1.5,1],[1,1],[2,2]]",
            "ring 2: the hole is ring 1 again"},
           {"the same thrice",
            square + ",[[1,1],[2,1],[2,2],[1,1]],[[1,1],[2,1],[2,2],[1,1]],[[1,1],[2,1],[2,2],[1,1]]",
            "the hole is ring"},
           {"two that overlap along an edge",
            square + ",[[1,1],[2.5,1],[2.5,2],[1,2],[1,1]],[[2,1],[3,1],[3,2],[2,2],[2,1]]",
            "ring 2: it overlaps ring 1"},
           {"two that overlap through positions",
            square + ",[[1,1],[2,1],[3,2],[2,3],[1,3],[1,1]],[[2,1],[3,1],[3,3],[2,3],[2,1]]",
            "ring 2: it overlaps ring 1"},
           {"one in a corner of another", square + ",[[1,1],[3,1],[3,3],[1,3],[1,1]],[[1,1],[2,1],[2,2],[1,2],[1,1]]",
            "ring 2: it overlaps ring 1"},
           {"the greater one later", square + ",[[1,1],[2,1],[2,2],[1,2],[1,1]],[[1,1],[3,1],[3,3],[1,3],[1,1]]",
            "ring 2: it overlaps ring 1"},
           {"an island that touches with a position",
            square + ",[[1,1],[3,1],[3,3],[1,3],[1,1]],[[1,2],[2,1.5],[2,2.5],[1,2]]", ""},
           {"out and in again through positions of the border",
            "[[0,0],[4,0],[4,4],[3,4],[2,1],[1,4],[0,4],[0,0]],[[0.2,4],[3.5,4],[3.5,0.5],[0.2,0.5],[0.2,4]]",
            "ring 1: "},
           {"a hole that goes round twice", square + ",[[1,1],[2,1],[2,2],[1,1],[2,1],[2,2],[1,1]]",
            "ring 1: its edges from [1, 1] to [2, 1] and"},
           {"in the notch", notched + ",[[2,2],[2.2,3],[1.8,3],[2,2]]", "ring 1: [2, 2] is outside of ring 0"},
           {"from tip to tip, outside", notched + ",[[0,4],[2,1],[4,4],[0,4]]", "ring 1: [2, 4] is outside of ring 0"},
           {"across the antimeridian", square + ",[[170,1],[-170,1],[-170,2],[170,1]]", "spans 340 degrees"},
       }) {
    const auto zone = parse_zone(
        "z", R"({"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[)" + row.rings + "]}}");
    EXPECT_EQ(zone.ok(), *row.message == 0) << row.what << ": " << zone.status().message();
    EXPECT_NE(zone.status().message().find(row.message), std::string::npos)
        << row.what << ": " << zone.status().message();
  }
}

// By the even-odd rule what such a ring encloses is outside, in whole or in part.
TEST(Rings, GoEachWayOnce) {
  struct Row {
    const char* what;
    const char* ring;
    const char* message;  // part of it; empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {"once", "[[0,0],[1,0],[1,1],[0,1],[0,0]]", ""},
           {"with positions on its edges", "[[0,0],[0.5,0],[1,0],[1,0.5],[1,1],[0,1],[0,0]]", ""},
           {"with a position repeated", "[[0,0],[1,0],[1,0],[1,1],[0,1],[0,0]]", ""},
           {"twice", "[[0,0],[1,0],[1,1],[0,1],[0,0],[1,0],[1,1],[0,1],[0,0]]",
            "ring 0: its edges from [0, 0] to [1, 0] and from [0, 0] to [1, 0] lie on each other"},
           {"thrice", "[[0,0],[1,0],[1,1],[0,0],[1,0],[1,1],[0,0],[1,0],[1,1],[0,0]]", "lie on each other"},
           {"twice, not closed", "[[0,0],[1,0],[1,1],[0,1],[0,0],[1,0],[1,1],[0,1]]", "lie on each other"},
           {"twice, with other positions", "[[0,0],[1,0],[1,1],[0,1],[0,0],[0.5,0],[1,0],[1,0.5],[1,1],[0,1],[0,0]]",
            "lie on each other"},
           {"there and back", "[[0,0],[1,0],[1,1],[0,1],[0,0],[0,1],[1,1],[1,0],[0,0]]", "lie on each other"},
           {"with a spike", "[[0,0],[2,0],[1,0],[1,1],[0,0]]",
            "ring 0: its edges from [0, 0] to [2, 0] and from [2, 0] to [1, 0] lie on each other"},
           {"two squares on one edge", "[[0,0],[1,0],[1,1],[2,1],[2,0],[1,0],[1,1],[0,1],[0,0]]", "lie on each other"},
           {"two that touch with a position", "[[0,0],[1,0],[1,1],[2,1],[2,2],[1,2],[1,1],[0,1],[0,0]]", ""},
       }) {
    const auto zone = parse_zone(
        "z", std::string(R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[)") + row.ring + "]}}");
    EXPECT_EQ(zone.ok(), *row.message == 0) << row.what << ": " << zone.status().message();
    EXPECT_NE(zone.status().message().find(row.message), std::string::npos)
        << row.what << ": " << zone.status().message();
  }
}

// A ring that crosses itself is refused with the place; one that only touches itself is taken.
TEST(Rings, DoNotCrossThemselves) {
  struct Row {
    const char* what;
    const char* ring;
    const char* message;  // part of it; empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a bow tie", "[[0,0],[2,2],[2,0],[0,2],[0,0]]",
            "ring 0: it crosses itself at [1, 1], its edges from [0, 0] to [2, 2] and from [2, 0] to [0, 2]: the rings "
            "of "
            "a polygon (RFC 7946, 3.1.6) are simple"},
           {"not closed", "[[0,0],[2,2],[2,0],[0,2]]", "crosses itself at [1, 1]"},
           {"the other way", "[[0,2],[2,0],[2,2],[0,0],[0,2]]", "crosses itself at [1, 1]"},
           {"upright", "[[0,0],[2,0],[0,2],[2,2],[0,0]]", "crosses itself at [1, 1]"},
           {"where the first and the last edge meet others", "[[1,1],[2,2],[2,0],[0,2],[0,0],[1,1]]",
            "crosses itself at [1, 1]"},
           {"through a position on one of its edges", "[[0,0],[2,2],[2,0],[1,1],[0,2],[0,0]]",
            "crosses itself at [1, 1]"},
           {"through a position of both", "[[0,0],[1,1],[2,2],[2,0],[1,1],[0,2],[0,0]]", "crosses itself at [1, 1]"},
           {"through a position that is there twice", "[[0,0],[1,1],[1,1],[2,2],[2,0],[1,1],[1,1],[0,2],[0,0]]",
            "crosses itself at [1, 1]"},
           {"through a position that is nearly one", "[[0,0],[2,2],[2,0],[1,1.0000000001],[0,2],[0,0]]",
            "crosses itself at [1, 1]"},
           {"a star", "[[0,3],[2,-3],[-3,1],[3,1],[-2,-3],[0,3]]", "crosses itself at ["},
           {"a loop inside", "[[0,0],[4,0],[4,4],[2,4],[2,1],[3,1],[3,2],[1,2],[1,4],[0,4],[0,0]]",
            "crosses itself at [2, 2]"},
           {"a loop outside", "[[0,0],[4,0],[4,5],[3,5],[3,3],[5,3],[5,4],[0,4],[0,0]]", "crosses itself at ["},
           {"a corner that reaches over an edge", "[[0,0],[4,0],[4,4],[2,-1],[0,4],[0,0]]", "crosses itself at ["},
           {"tiny", "[[21,52],[21.00002,52.00002],[21.00002,52],[21,52.00002],[21,52]]",
            "crosses itself at [21.00001, 52.00001]"},
           {"within the border from side to side", "[[-180,-80],[180,80],[180,-80],[-180,80],[-180,-80]]", "["},
           {"around the pole", "[[-180,60],[-90,65],[0,60],[90,65],[180,60],[180,90],[-180,90],[-180,60]]", ""},
           {"a corner that touches an edge", "[[0,0],[4,0],[4,4],[2,0],[0,4],[0,0]]", ""},
           {"two corners that touch", "[[0,0],[4,0],[4,4],[2,2],[4,5],[0,5],[2,2],[0,1],[0,0]]", ""},
           {"a hole by way of a position", "[[0,0],[4,0],[4,4],[0,4],[0,0],[1,2],[2,1],[0,0]]", ""},
           {"a spiral", "[[0,0],[9,0],[9,9],[1,9],[1,2],[7,2],[7,7],[6,7],[6,3],[2,3],[2,8],[8,8],[8,1],[0,1],[0,0]]",
            ""},
       }) {
    const auto zone = parse_zone(
        "z", std::string(R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[)") + row.ring + "]}}");
    EXPECT_EQ(zone.ok(), *row.message == 0) << row.what << ": " << zone.status().message();
    EXPECT_NE(zone.status().message().find(row.message), std::string::npos)
        << row.what << ": " << zone.status().message();
  }
}

// A star-shaped ring is simple; with a position moved to the other side, and beyond, it is not.
TEST(Rings, AreSeenToCrossWhereverItIsAmongManyPositions) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  for (const size_t points : {12U, 100U, 3000U, 10'000U}) {
    for (int i = 0; i < (points > 1000 ? 2 : 50); ++i) {
      SCOPED_TRACE(fmt::format("seed {}, {} positions, {}", seed, points, i));
      std::vector<double> ring;
      const auto put = [&ring](size_t at, double angle, double radius) {
        ring.resize(std::max(ring.size(), at * 2 + 2));
        ring[at * 2] = 20 + radius * std::cos(angle);
        ring[at * 2 + 1] = 40 + radius * std::sin(angle);
      };
      const auto angle_of = [points](size_t k) {
        return 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(points);
      };
      for (size_t k = 0; k < points; ++k) put(k, angle_of(k), std::uniform_real_distribution(5.0, 10.0)(random));
      EXPECT_TRUE(check_polygon({ring}).ok()) << check_polygon({ring}).message();
      const size_t moved = random() % points;
      put(moved, angle_of(moved) + std::numbers::pi, 30);
      const Status status = check_polygon({ring});
      EXPECT_NE(status.message().find("ring 0: it crosses itself at ["), std::string::npos) << status.message();
    }
  }
}

// As each edge is compared with each other, by the signs of four triangles.
TEST(Rings, CrossThemselvesWhenTwoOfTheirEdgesDo) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  int crossed = 0;
  for (int i = 0; i < 5000; ++i) {
    const size_t points = 3 + random() % 6;
    std::vector<double> ring;
    for (size_t k = 0; k < points * 2; ++k) ring.push_back(std::uniform_real_distribution(0.0, 10.0)(random));
    const auto left = [&](size_t a, size_t b, size_t c) {
      const auto x = [&](size_t k) { return ring[k % points * 2]; };
      const auto y = [&](size_t k) { return ring[k % points * 2 + 1]; };
      return (x(b) - x(a)) * (y(c) - y(a)) - (y(b) - y(a)) * (x(c) - x(a)) > 0;
    };
    bool crosses = false;
    for (size_t a = 0; a < points; ++a) {
      for (size_t b = a + 2; b < points; ++b) {
        if ((b + 1) % points == a) continue;  // neighbours
        crosses |= left(a, a + 1, b) != left(a, a + 1, b + 1) && left(b, b + 1, a) != left(b, b + 1, a + 1);
      }
    }
    crossed += crosses ? 1 : 0;
    ASSERT_EQ(check_polygon({ring}).ok(), !crosses)
        << "seed " << seed << ", " << i << ": " << fmt::format("{}", fmt::join(ring, ", "));
  }
  EXPECT_GT(crossed, 1000);
  EXPECT_LT(crossed, 4500);
}

// Edges that all lie beside each other, whichever way they go: each pair is looked at, or the ring is refused.
TEST(Rings, OfManyLongEdgesAreLookedAtOrRefused) {
  for (const auto& [slope, teeth] : {std::pair(0.0, 4990U), {1.0, 4990U}, {30.0, 4990U}, {1.0, 60'000U}}) {
    SCOPED_TRACE(fmt::format("slope {}, {} teeth", slope, teeth));
    std::vector<double> comb;
    for (size_t i = 0; i < teeth; ++i) {
      const double x = static_cast<double>(i) * 1e-4;
      comb.insert(comb.end(), {x, 1, x + 5e-5 + slope, 30});
    }
    comb.insert(comb.end(), {60, 40, -60, 40, -60, 0});
    const Status simple = check_polygon({comb});
    const bool refused = simple.message().find("of fewer positions") != std::string::npos;
    EXPECT_TRUE(simple.ok() || (refused && teeth > 5000)) << simple.message();
    std::swap(comb[100], comb[104]);  // one tooth stands over its neighbour
    std::swap(comb[101], comb[105]);
    EXPECT_FALSE(check_polygon({comb}).ok());
  }
}

TEST(Zones, AreFeatures) {
  const std::string geometry = R"("geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]})";
  struct Row {
    std::string body;
    const char* message;  // empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {R"({"type":"Feature",)" + geometry + "}", ""},
           {"{" + geometry + "}", ""},
           {R"({"type":"Feature","properties":null,)" + geometry + "}", ""},
           {R"({"type":"Feature","properties":{"name":"7","kind":null,"colour":[1]},"bbox":[0,0,1,1],)" + geometry +
                "}",
            ""},
           {R"({"type":"FeatureCollection",)" + geometry + "}",
            "type \"FeatureCollection\": a zone is a GeoJSON Feature with a geometry"},
           {R"({"type":["Feature"],)" + geometry + "}",
            "type [\"Feature\"]: a zone is a GeoJSON Feature with a geometry"},
           {R"({"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]})",
            "type \"Polygon\": a zone is a GeoJSON Feature with a geometry"},
           {R"({"type":"Feature","geometry":null})", "a zone is a GeoJSON Feature with a geometry"},
           {R"([)" + geometry.substr(11) + "]", "a zone is a GeoJSON Feature with a geometry"},
           {R"({"properties":7,)" + geometry + "}", "properties: an object or null is needed"},
           {R"({"properties":{"name":{}},)" + geometry + "}", "properties.name: a text is needed"},
           {R"({"properties":{"kind":[]},)" + geometry + "}", "properties.kind: a text is needed"},
           {R"({"properties":{"name":true},)" + geometry + "}", "properties.name: a text is needed"},
           {R"({"properties":{"name":5},)" + geometry + "}", "properties.name: a text is needed"},
           {R"({"properties":{"kind":1.5},)" + geometry + "}", "properties.kind: a text is needed"},
       }) {
    const auto zone = parse_zone("z", row.body);
    EXPECT_EQ(zone.ok() ? "" : zone.status().message(), row.message) << row.body;
  }
}

TEST(Rings, AreClosedWhenTheyAreNot) {
  struct Row {
    const char* what;
    const char* ring;
    const char* message;  // part of it; empty: taken
  };
  for (const Row& row : std::initializer_list<Row>{
           {"closed", "[[0,0],[1,0],[1,1],[0,0]]", ""},
           {"three positions, not closed", "[[0,0],[1,0],[1,1]]", ""},
           {"four, not closed", "[[0,0],[1,0],[1,1],[0,1]]", ""},
           {"three, closed: two of them", "[[0,0],[1,0],[0,0]]", "ring 0: a ring needs at least three positions, and"},
           {"two", "[[0,0],[1,0]]", "a ring needs at least three positions"},
           {"one", "[[0,0]]", "a ring needs at least three positions"},
           {"none", "[]", "a ring needs at least three positions"},
           {"the same three times", "[[0,0],[0,0],[0,0]]", "needs at least three positions"},
           {"one twice", "[[0,0],[0,0],[1,1]]", "ring 0: the ring encloses nothing"},
           {"no array", "7", "ring 0: a ring is an array of positions"},
           {"no positions", "[1,2,3]", "ring 0: position 0: a position is [longitude, latitude]"},
           {"a number too large", "[[0,0],[1e400,0],[1,1],[0,0]]", "ring 0: position [inf, 0] is not on the earth"},
           {"an altitude that is none", "[[0,0,\"5\"],[1,0],[1,1],[0,0]]",
            "position 0: a position is [longitude, latitude]"},
           {"an altitude", "[[0,0,5],[1,0,5],[1,1,5],[0,0,5]]", ""},
       }) {
    const auto zone = parse_zone(
        "z", std::string(R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[)") + row.ring + "]}}");
    EXPECT_EQ(zone.ok(), *row.message == 0) << row.what << ": " << zone.status().message();
    EXPECT_NE(zone.status().message().find(row.message), std::string::npos)
        << row.what << ": " << zone.status().message();
  }
}

// Zones that tile an area share their edges, each going its own way along them: S2 and the even-odd rule give every
// point to exactly one.
TEST(Rings, ThatShareAnEdgeShareNoPoint) {
  std::mt19937 random(52'210);
  const auto draw = [&random](double low, double high) { return std::uniform_real_distribution(low, high)(random); };
  int on_edge = 0;
  for (int i = 0; i < 2000; ++i) {
    const double a[] = {draw(20.0, 21.0), draw(52.0, 52.4)};
    const double b[] = {draw(20.0, 21.0), draw(52.6, 53.0)};
    const std::vector<double> west{a[0], a[1], b[0], b[1], 19, 52.5};
    const std::vector<double> east{b[0], b[1], a[0], a[1], 22, 52.5};
    for (const double part : {0.25, 1.0 / 3, 0.5, draw(0, 1), draw(0, 1)}) {
      const double lat = a[1] + part * (b[1] - a[1]);
      const double lon = a[0] + part * (b[0] - a[0]);
      for (const double near : {lon, std::nextafter(lon, 0.0), std::nextafter(lon, 90.0)}) {
        ASSERT_EQ(encloses(west, near, lat) + encloses(east, near, lat), 1)
            << fmt::format("edge from [{}, {}] to [{}, {}], point [{}, {}]", a[0], a[1], b[0], b[1], near, lat);
        ++on_edge;
      }
    }
  }
  EXPECT_EQ(on_edge, 30'000);
}

TEST(Ring, CutAsAdvisedContainsWhatWasMeant) {
  const auto zone =
      parse_zone("fiji", R"({"type":"Feature","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[
      [[[177,-20],[180,-20],[180,-15],[177,-15],[177,-20]]],[[[-180,-20],[-178,-20],[-178,-15],[-180,-15],[-180,-20]]]]}})");
  ASSERT_TRUE(zone.ok()) << zone.status().to_string();
  const ZoneIndex index({*zone});
  for (const double lon : {177.5, 179.999, 180.0, -180.0, -179.0}) EXPECT_FALSE(index.find(lon, -17).empty()) << lon;
  for (const double lon : {0.0, 176.9, -177.9, 90.0}) EXPECT_TRUE(index.find(lon, -17).empty()) << lon;
}

}  // namespace
}  // namespace muir::vts
