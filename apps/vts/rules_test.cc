#include "apps/vts/rules.h"

#include <limits>

#include "apps/vts/timestamps.h"

namespace muir::vts {
namespace {

TEST(Timestamps, AreReadAsIso8601WithAZoneOrEpochMilliseconds) {
  struct Row {
    const char* text;
    std::optional<int64_t> expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"2026-01-01T12:00:00Z", 1767268800000},
           {"2026-01-01t12:00:00z", 1767268800000},
           {"2026-01-01 12:00:00Z", 1767268800000},
           {"2026-01-01T12:00:00.25Z", 1767268800250},
           {"2026-01-01T12:00:00,123456789Z", 1767268800123},
           {"2026-01-01T13:00:00+01:00", 1767268800000},
           {"2026-01-01T06:30:00-0530", 1767268800000},
           {"2024-02-29T00:00:00Z", 1709164800000},
           {"1767268800000", 1767268800000},
           {"1970-01-01T00:00:00Z", 0},
           {"1969-12-31T23:59:59Z", -1000},
           {"2026-01-01T12:00:00", std::nullopt},   // which zone?
           {"2026-02-29T12:00:00Z", std::nullopt},  // no leap year
           {"2026-13-01T12:00:00Z", std::nullopt},
           {"2026-01-01T24:00:00Z", std::nullopt},
           {"2026-01-01T12:60:00Z", std::nullopt},
           {"2026-01-01T12:00:00.Z", std::nullopt},
           {"2026-01-01T12:00:00Zx", std::nullopt},
           {"20224-02-19 15:58:20", std::nullopt},  // from the real feed, as the next three
           {"2024-02-1916:30:08", std::nullopt},
           {"2024-02-19 17:9 17:01:18", std::nullopt},
           {"2024-02-14-02-19 17:21:13", std::nullopt},
           {"", std::nullopt},
           {"12", std::nullopt},
           {"99999999999999999999", std::nullopt},
       }) {
    EXPECT_EQ(parse_timestamp(row.text), row.expected) << row.text;
  }
  EXPECT_EQ(format_timestamp(1767268800250), "2026-01-01T12:00:00.250Z");
}

TEST(Rules, NameWhatIsWrongWithAPosition) {
  constexpr int64_t kNow = 1'700'000'000'000;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    std::optional<int64_t> timestamp;
    double lat;
    double lon;
    std::string_view rule;
  };
  for (const Row& row : std::initializer_list<Row>{
           {kNow, 52, 21, ""},
           {kNow, 90, 180, ""},
           {kNow, -90, -180, ""},
           {kNow, 0, 21, ""},
           {kNow, 52, 0, ""},
           {kNow + 60'000, 52, 21, ""},
           {0, 52, 21, ""},
           {kNow + 60'001, 52, 21, kFutureTime},
           {kNow, 90.0001, 21, kLatitude},
           {kNow, -90.0001, 21, kLatitude},
           {kNow, kNan, 21, kLatitude},
           {kNow, 52, 180.0001, kLongitude},
           {kNow, 52, kNan, kLongitude},
           {kNow, 0, 0, kNullIsland},
           {std::nullopt, 52, 21, kUnparseableTime},
           {-1, 52, 21, kUnparseableTime},
           {std::nullopt, 0, 0, kUnparseableTime},  // the first rule that is broken is named
           {kNow + 60'001, 0, 0, kNullIsland},
       }) {
    const RawPosition position{.vehicle_id = "V1", .lat = row.lat, .lon = row.lon, .timestamp = row.timestamp};
    const auto rejection = check_position(position, kNow, {});
    EXPECT_EQ(rejection ? rejection->rule : "", row.rule) << row.lat << " " << row.lon;
  }
}

TEST(Distance, FollowsTheHaversineFormula) {
  EXPECT_EQ(distance_m(52, 21, 52, 21), 0);
  // A degree of latitude is the radius times pi / 180, wherever it lies.
  EXPECT_NEAR(distance_m(52, 21, 53, 21), 111'195.08, 0.01);
  EXPECT_NEAR(distance_m(0, 21, 0, 22), 111'195.08, 0.01);
  EXPECT_NEAR(distance_m(0, -90, 0, 90), 20'015'114.4, 1);                   // half the earth
  EXPECT_NEAR(distance_m(52.2297, 21.0122, 50.0647, 19.945), 252'000, 500);  // Warsaw, Cracow
  EXPECT_NEAR(implied_speed_kmh(52, 21, 0, 53, 21, 3'600'000), 111.195, 0.001);
}

}  // namespace
}  // namespace muir::vts
