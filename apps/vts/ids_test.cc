#include "apps/vts/ids.h"

#include <gtest/gtest.h>

#include <string>

#include "apps/vts/master_data.h"
#include "apps/vts/position_json.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

struct Row {
  const char* name;
  std::string id;
  const char* why;  // nothing: it is an id
};

const Row kRows[]{
    {"letters and digits", "V123", ""},
    {"of another script", "автобус 7", ""},
    {"above U+FFFF", "\U0001F68C", ""},
    {"with what stands for itself in no path", "a/b?c#d%2F;e", ""},
    {"dots among others", "..a", ""},
    {"three dots", "...", ""},
    {"a space within", "bus 7", ""},
    {"a space", " ", "has nothing that can be seen"},
    {"spaces of other kinds", "\u00A0\u2003\u3000\u200B", "has nothing that can be seen"},
    {"the longest", std::string(128, 'x'), ""},
    {"one byte more", std::string(129, 'x'), "has 129 bytes, at most 128 are allowed"},
    {"none", "", "is empty"},
    {"the folder itself", ".", "'.' cannot stand in a path"},
    {"the one above", "..", "'..' cannot stand in a path"},
    {"a zero byte", std::string("a\0b", 3), "has a control character"},
    {"a line feed", "a\n", "has a control character"},
    {"delete", "\x7f", "has a control character"},
    {"a control character of Latin 1", "a\u0085", "has a control character"},
};

TEST(Ids, AreWhatAPathCanName) {
  for (const Row& row : kRows) {
    const Status status = check_id("id", row.id);
    EXPECT_EQ(status.ok() ? "" : status.message(), *row.why == 0 ? "" : std::string("id ") + row.why) << row.name;
  }
  EXPECT_EQ(check_id("id", "\xC3(").message(), "id is not UTF-8");
}

TEST(Ids, AreTheSameInPositionsAndInFiles) {
  for (const Row& row : kRows) {
    const schema::Json position{{"vehicleId", row.id}, {"lat", 52}, {"lon", 21}, {"timestamp", 1}};
    const auto items = parse_positions(position.to_string(), false, 1, {});
    ASSERT_TRUE(items.ok()) << row.name;
    EXPECT_EQ((*items)[0].error, *row.why == 0 ? "" : std::string("vehicleId ") + row.why) << row.name;

    const schema::Json ring = schema::Json::parse("[[[21,52],[22,52],[22,53],[21,52]]]").value();
    const schema::Json zone{{"geometry", {{"type", "Polygon"}, {"coordinates", ring}}},
                            {"properties", {{"zone_id", row.id}}}};
    const schema::Json zones{{"features", schema::Json::Array{zone}}};
    EXPECT_EQ(parse_zones_geojson(zones.to_string()).ok(), *row.why == 0) << row.name;

    const std::string csv = "vehicle_id,line\n\"" + row.id + "\",1\n";
    EXPECT_EQ(parse_vehicles_csv(csv).ok(), *row.why == 0) << row.name;
  }
}

}  // namespace
}  // namespace muir::vts
