#include "apps/vts/zone_index.h"

#include <cmath>
#include <limits>
#include <random>

namespace muir::vts {
namespace {

ZoneMaster zone(std::string id, std::vector<std::vector<double>> rings) {
  return {.zone_id = id, .name = id, .kind = "test", .polygons = {std::move(rings)}};
}
std::vector<double> square(double west, double south, double east, double north) {
  return {west, south, east, south, east, north, west, north, west, south};
}

TEST(Zone, ContainsByTheEvenOddRule) {
  struct Row {
    const char* what;
    ZoneMaster zone;
    double lon;
    double lat;
    bool inside;
  };
  const ZoneMaster ring = zone("ring", {square(0, 0, 10, 10), square(4, 4, 6, 6)});
  const ZoneMaster twice = zone("twice", {square(0, 0, 10, 10), square(0, 0, 10, 10)});
  ZoneMaster overlap = zone("overlap", {square(0, 0, 6, 10)});
  overlap.polygons.push_back({square(4, 0, 10, 10), square(5, 4, 7, 6)});  // the hole is in the second part alone
  ZoneMaster cut = zone("cut", {square(170, -10, 180, 10)});
  cut.polygons.push_back({square(-180, -10, -170, 10)});
  const ZoneMaster antarctica = zone("antarctica", {{-180, -90, 180, -90, 180, -60, 0, -70, -180, -60}});
  const ZoneMaster arctic = zone("arctic", {{-180, 90, -180, 66, 0, 70, 180, 66, 180, 90}});
  ZoneMaster islands = zone("islands", {square(0, 0, 1, 1)});
  islands.polygons.push_back({square(5, 5, 6, 6)});
  for (const Row& row : std::initializer_list<Row>{
           {"middle", zone("z", {square(0, 0, 10, 10)}), 5, 5, true},
           {"outside", zone("z", {square(0, 0, 10, 10)}), 11, 5, false},
           {"above", zone("z", {square(0, 0, 10, 10)}), 5, 11, false},
           {"western edge belongs", zone("z", {square(0, 0, 10, 10)}), 0, 5, true},
           {"eastern edge does not", zone("z", {square(0, 0, 10, 10)}), 10, 5, false},
           {"southern edge belongs", zone("z", {square(0, 0, 10, 10)}), 5, 0, true},
           {"northern edge does not", zone("z", {square(0, 0, 10, 10)}), 5, 10, false},
           {"an open ring is closed", zone("z", {{0, 0, 10, 0, 10, 10, 0, 10}}), 5, 5, true},
           {"a hole is outside", ring, 5, 5, false},
           {"around the hole is inside", ring, 2, 5, true},
           {"two equal rings cancel out", twice, 5, 5, false},
           {"first island", islands, 0.5, 0.5, true},
           {"second island", islands, 5.5, 5.5, true},
           {"between the islands", islands, 3, 3, false},
           {"where two parts overlap", overlap, 4.5, 5, true},
           {"the first part alone", overlap, 2, 5, true},
           {"the second part alone", overlap, 9, 5, true},
           {"in the hole of the one, within the other", overlap, 5.5, 5, true},
           {"in the hole of the one, beyond the other", overlap, 6.5, 5, false},
           {"east of the cut", cut, 175, 0, true},
           {"west of the cut", cut, -175, 0, true},
           {"on the cut", cut, 180, 0, true},
           {"on the cut, from the other side", cut, -180, 0, true},
           {"the rest of the earth", cut, 0, 0, false},
           {"the pole", antarctica, 45, -90, true},
           {"the other pole", arctic, 45, 90, true},
           {"the other pole, wherever one stands", arctic, -180, 90, true},
           {"the other pole is not everywhere", antarctica, 45, 90, false},
           {"the northern edge of the world belongs", zone("world", {square(-180, -90, 180, 90)}), 12, 90, true},
           {"near the pole", antarctica, 180, -80, true},
           {"north of the ice", antarctica, 0, -65, false},
           {"against the clock", zone("z", {{0, 0, 0, 10, 10, 10, 10, 0}}), 5, 5, true},
           {"two points are no ring", zone("z", {{0, 0, 10, 10}}), 5, 5, false},
       }) {
    EXPECT_EQ(contains(row.zone, row.lon, row.lat), row.inside) << row.what;
    const ZoneIndex index({row.zone});
    EXPECT_EQ(!index.find(row.lon, row.lat).empty(), row.inside) << row.what;
  }
}

TEST(ZoneIndex, FindsWhatAskingEveryZoneFinds) {
  const unsigned seed = 52210;
  std::mt19937 random(seed);
  SCOPED_TRACE(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int round = 0; round < 20; ++round) {
    std::vector<ZoneMaster> zones;
    const int count = round == 0 ? 1 : 30;
    for (int i = 0; i < count; ++i) {
      // A star around a point: corners at growing angles and random distances.
      const double lon = 20 + unit(random);
      const double lat = 52 + unit(random);
      std::vector<double> ring;
      const int corners = 3 + static_cast<int>(unit(random) * 60);
      for (int c = 0; c < corners; ++c) {
        const double angle = 6.283185307 * c / corners;
        const double radius = 0.02 + unit(random) * 0.2;
        ring.push_back(lon + radius * std::cos(angle));
        ring.push_back(lat + radius * std::sin(angle));
      }
      if (i % 3 == 2) {
        zones.back().polygons.push_back({ring});  // a second part, which may overlap the first
      } else {
        zones.push_back(zone(fmt::format("z{:02}", i), {ring}));
      }
    }
    const ZoneIndex index(zones);
    for (int p = 0; p < 2000; ++p) {
      double lon = 19.7 + unit(random) * 1.6;
      double lat = 51.7 + unit(random) * 1.6;
      if (p % 10 == 0) {  // exactly on a corner
        const auto& ring = zones[random() % zones.size()].polygons[0][0];
        const size_t corner = random() % (ring.size() / 2);
        lon = ring[corner * 2];
        lat = ring[corner * 2 + 1];
      }
      std::vector<std::string> expected;
      for (const ZoneMaster& z : zones) {
        const bool inside = std::any_of(z.polygons.begin(), z.polygons.end(), [lon, lat](const auto& polygon) {
          return contains(zone("part", polygon), lon, lat);
        });
        if (inside) expected.push_back(z.zone_id);
      }
      ASSERT_EQ(index.find(lon, lat), expected) << lon << " " << lat;
    }
  }
}

// Edges over all of the zone, ten thousand times: what a grid of their boxes takes minutes for.
TEST(ZoneIndex, TakesRingsThatGoToAndFro) {
  const unsigned seed = 52211;
  std::mt19937 random(seed);
  SCOPED_TRACE(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  for (const bool diagonal : {true, false}) {
    std::vector<double> ring;
    for (int i = 0; i < 15'000; ++i) {
      const double along = i / 15'000.0;
      ring.push_back(20 + (i % 2 == 0 ? along / 10 : 5 - along / 10));
      ring.push_back(diagonal ? (i % 2 == 0 ? 50 + along : 55 - along) : 50 + 5 * unit(random));
    }
    std::vector<double> circle;
    for (int i = 0; i < 15'000; ++i) {
      circle.push_back(22.5 + std::cos(i / 15'000.0 * 6.283185307));
      circle.push_back(52.5 + std::sin(i / 15'000.0 * 6.283185307));
    }
    const std::vector<ZoneMaster> zones{zone("a", {ring}), zone("b", {circle}), zone("c", {ring, circle})};
    const ZoneIndex index(zones);
    for (int p = 0; p < 500; ++p) {
      const double lon = 19.9 + unit(random) * 5.2;
      const double lat = 49.9 + unit(random) * 5.2;
      std::vector<std::string> expected;
      for (const ZoneMaster& z : zones)
        if (contains(z, lon, lat)) expected.push_back(z.zone_id);
      ASSERT_EQ(index.find(lon, lat), expected) << lon << " " << lat;
    }
  }
}

TEST(ZoneIndex, OfNothingFindsNothing) {
  EXPECT_TRUE(ZoneIndex({}).find(21, 52).empty());
  EXPECT_TRUE(ZoneIndex({zone("empty", {})}).find(21, 52).empty());
  // Rows may come from other programs.
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(ZoneIndex({zone("endless", {square(-kInf, -kInf, kInf, kInf)})}).find(std::nan(""), 52).empty());
  EXPECT_TRUE(ZoneIndex({zone("none", {square(std::nan(""), std::nan(""), 1, std::nan(""))})}).find(21, 52).empty());
  EXPECT_TRUE(ZoneIndex({zone("point", {{21, 52, 21, 52, 21, 52}})}).find(21, 52).empty());
  EXPECT_TRUE(ZoneIndex({zone("a", {square(0, 0, 1, 1)})}).find(std::nan(""), 0.5).empty());
}

TEST(ZoneIndex, KnowsItsZonesById) {
  const ZoneIndex index({zone("b", {square(0, 0, 1, 1)}), zone("a", {square(0, 0, 1, 1)})});
  EXPECT_EQ(index.zone("b")->zone_id, "b");
  EXPECT_EQ(index.zone("c"), nullptr);
  EXPECT_EQ(index.find(0.5, 0.5), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace muir::vts
