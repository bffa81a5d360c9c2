#include "apps/vts/zone_geometry.h"

#include "apps/vts/master_data.h"
#include "apps/vts/zone_index.h"

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
  EXPECT_EQ(message(R"({"type":"MultiPolygon","coordinates":[]})"), "a MultiPolygon needs a polygon");
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
