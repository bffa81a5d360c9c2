#include "apps/vts/rules.h"

#include <cmath>
#include <limits>

#include "apps/vts/timestamps.h"

namespace muir::vts {
namespace {

TEST(Timestamps, AreReadAsIso8601WithAZoneOrANumberSince1970) {
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
           {"2026-01-01T12:00Z", 1767268800000},  // reduced: no seconds, no minutes
           {"2026-01-01T12Z", 1767268800000},
           {"2026-01-01T12:00:00.12345678901234567890123456789Z", 1767268800123},
           {"2026-01-01T12:00:00+00", 1767268800000},
           {"2026-01-01T13:00+01", 1767268800000},
           {"2026-01-01T09-03", 1767268800000},
           {"2026-01-01T12:00.5Z", 1767268830000},  // a fraction of the last unit there is
           {"2026-01-01T12,25Z", 1767269700000},
           {"20260101T120000Z", 1767268800000},  // the basic form
           {"20260101T1200Z", 1767268800000},
           {"20260101T130000.25+0100", 1767268800250},
           {"1767268800", 1767268800000},  // the size tells the unit
           {"1767268800.25", 1767268800250},
           {"1767268800000", 1767268800000},
           {"1767268800000000", 1767268800000},
           {"1767268800000000000", 1767268800000},
           {"1970-01-01T00:00:00Z", 0},
           {"1969-12-31T23:59:59Z", -1000},
           {"2026-01-01T12:00:00", std::nullopt},   // which zone?
           {"2026-02-29T12:00:00Z", std::nullopt},  // no leap year
           {"2026-13-01T12:00:00Z", std::nullopt},
           {"2025-12-31T24:00:00Z", 1767225600000},  // the end of a day is the beginning of the next
           {"2025-12-31T24Z", 1767225600000},
           {"20260101T240000.000+1400", 1767261600000},
           {"2025-12-31T24:00:01Z", std::nullopt},
           {"2025-12-31T24:00:00.001Z", std::nullopt},
           {"2025-12-31T24:30Z", std::nullopt},
           {"2025-12-31T25:00Z", std::nullopt},
           {"2016-12-31T23:59:60Z", 1483228800000},  // a leap second, here and there
           {"2016-12-31T23:59:60.5Z", 1483228800500},
           {"2017-01-01T00:59:60+01:00", 1483228800000},
           {"2016-12-31T18:59:60-05", 1483228800000},
           {"2016-12-31T12:00:60Z", std::nullopt},  // none is there
           {"2016-12-31T23:59:60+01:00", std::nullopt},
           {"2016-12-31T24:00:60Z", std::nullopt},
           {"2016-12-31T23:59:61Z", std::nullopt},
           {"9999-12-31T23:59:59.999Z", 253402300799999},
           {"2026-W01-4T12:00:00Z", std::nullopt},  // dates of weeks, of days of the year, of long years
           {"2026-001T12:00:00Z", std::nullopt},
           {"+002026-01-01T12:00:00Z", std::nullopt},
           {"2026-01-01Z", std::nullopt},
           {"2026-01-01T12:00:00+1", std::nullopt},
           {"2026-01-01T1200Z", std::nullopt},  // half one form, half the other
           {"20260101T12:00Z", std::nullopt},
           {"2026-01-01T12:Z", std::nullopt},
           {"2026-01-01T12:00:00+19", std::nullopt},
           {"1767268800.1.2", std::nullopt},
           {"-1767268800", std::nullopt},
           {"1767268800s", std::nullopt},
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

TEST(Timestamps, AreTakenInTheUnitThatTheirSizeTells) {
  struct Row {
    int64_t number;
    std::optional<int64_t> expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {0, 0},
           {99'999'999'999, 99'999'999'999'000},  // seconds to the year 5138
           {100'000'000'000, 100'000'000'000},    // milliseconds from 1973
           {99'999'999'999'999, 99'999'999'999'999},
           {100'000'000'000'000, 100'000'000'000},  // microseconds
           {99'999'999'999'999'999, 99'999'999'999'999},
           {100'000'000'000'000'000, 100'000'000'000},  // nanoseconds
           {std::numeric_limits<int64_t>::max(), 9'223'372'036'854},
           {-1, std::nullopt},
           {std::numeric_limits<int64_t>::min(), std::nullopt},
       }) {
    EXPECT_EQ(epoch_ms(row.number), row.expected) << row.number;
  }
  EXPECT_EQ(epoch_ms(1767268800.123), 1767268800123);
  EXPECT_EQ(epoch_ms(1767268800000.9), 1767268800000);
  EXPECT_EQ(epoch_ms(1e300), std::nullopt);
  EXPECT_EQ(epoch_ms(std::nan("")), std::nullopt);
}

TEST(Timestamps, SayWhatIsWrongWithThem) {
  EXPECT_EQ(why_no_time(""), "timestamp is missing");
  EXPECT_EQ(why_no_time("2026-01-01T12:00:00"), "'2026-01-01T12:00:00' has no zone: add Z or +hh:mm");
  EXPECT_EQ(why_no_time("noon"),
            "'noon' is no time; wanted is an ISO 8601 calendar date and time with a zone, as 2026-01-01T12:00:00Z, or "
            "seconds, milliseconds, "
            "microseconds or nanoseconds since 1970");
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
           {kEarliestMs, 52, 21, ""},
           {kEarliestMs - 1, 52, 21, kPastTime},
           {0, 52, 21, kPastTime},
           {-1, 52, 21, kPastTime},
           {std::numeric_limits<int64_t>::min(), 52, 21, kPastTime},
           {std::numeric_limits<int64_t>::max(), 52, 21, kFutureTime},
           {kNow + 60'001, 52, 21, kFutureTime},
           {kNow, 90.0001, 21, kLatitude},
           {kNow, -90.0001, 21, kLatitude},
           {kNow, kNan, 21, kLatitude},
           {kNow, 52, 180.0001, kLongitude},
           {kNow, 52, kNan, kLongitude},
           {kNow, 0, 0, kNullIsland},
           {std::nullopt, 52, 21, kUnparseableTime},
           {std::nullopt, 0, 0, kUnparseableTime},  // the first rule that is broken is named
           {kNow + 60'001, 0, 0, kNullIsland},
       }) {
    const RawPosition position{.vehicle_id = "V1", .lat = row.lat, .lon = row.lon, .timestamp = row.timestamp};
    const auto rejection = check_position(position, kNow, {});
    EXPECT_EQ(rejection ? rejection->rule : "", row.rule) << row.lat << " " << row.lon;
  }
}

TEST(Rules, RejectSpeedsAndHeadingsThatCannotBe) {
  constexpr int64_t kNow = 1'700'000'000'000;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  struct Row {
    std::optional<double> speed;
    std::optional<double> heading;
    std::string_view rule;
  };
  for (const Row& row : std::initializer_list<Row>{
           {std::nullopt, std::nullopt, ""},
           {0, 0, ""},
           {1000, 360, ""},
           {-1, -1, ""},  // not known
           {-0.5, 0, kSpeed},
           {-5, 0, kSpeed},
           {1000.1, 0, kSpeed},
           {1e9, 0, kSpeed},
           {1e308, 0, kSpeed},
           {kInf, 0, kSpeed},
           {kNan, 0, kSpeed},
           {0, -90, kHeading},
           {0, 360.1, kHeading},
           {0, 720, kHeading},
           {0, kNan, kHeading},
           {1e9, 720, kSpeed},  // the first rule that is broken is named
       }) {
    const RawPosition position{
        .vehicle_id = "V1", .lat = 52, .lon = 21, .speed = row.speed, .heading = row.heading, .timestamp = kNow};
    const auto rejection = check_position(position, kNow, {});
    EXPECT_EQ(rejection ? rejection->rule : "", row.rule) << row.speed.value_or(-2) << " " << row.heading.value_or(-2);
  }
  // Who allows faster vehicles hears of faster ones.
  const RawPosition jet{.vehicle_id = "V1", .lat = 52, .lon = 21, .speed = 1500, .timestamp = kNow};
  EXPECT_FALSE(check_position(jet, kNow, {.implied_speed_kmh = 2000}));
  EXPECT_EQ(reported(-1), std::nullopt);
  EXPECT_EQ(reported(-2), -2);
  EXPECT_EQ(reported(std::nullopt), std::nullopt);
}

TEST(Rules, HoldWhateverTheTimeOfReceipt) {
  const RawPosition position{.vehicle_id = "V1", .lat = 52, .lon = 21, .timestamp = 1'700'000'000'000};
  EXPECT_EQ(check_position(position, std::numeric_limits<int64_t>::min(), {})->rule, kFutureTime);
  EXPECT_FALSE(check_position(position, std::numeric_limits<int64_t>::max(), {}));
}

TEST(Rules, BoundTheTimeOfReceipt) {
  constexpr int64_t kNow = 1'700'000'000'000;
  struct Row {
    int64_t received_at;
    int64_t now;
    std::string_view rule;  // empty: taken
  };
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  constexpr int64_t greatest = std::numeric_limits<int64_t>::max();
  for (const Row& row : std::initializer_list<Row>{
           {kNow, kNow, ""},
           {kEarliestMs, kNow, ""},
           {kEarliestMs - 1, kNow, kPastTime},
           {least, kNow, kPastTime},
           {kNow + kClockSkewMs, kNow, ""},
           {kNow + kClockSkewMs + 1, kNow, kFutureTime},
           {kNow * 1000, kNow, kFutureTime},
           {greatest, kNow, kFutureTime},
           {greatest, greatest, kFutureTime},
           {kNow, least, kFutureTime},
       }) {
    const auto rejection = check_receipt(row.received_at, row.now);
    EXPECT_EQ(rejection ? rejection->rule : "", row.rule) << row.received_at << " at " << row.now;
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
