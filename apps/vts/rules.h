// The rules by which positions are rejected. Pure functions; their order is the order in which they are asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/vts/records.h"

namespace muir::vts {

struct Limits {
  int64_t future_ms = 60'000;
  double implied_speed_kmh = 250;
  double default_speed_limit_kmh = 50;
  // So many fixes in a row that are impossibly far from the newest one, but not from each other, win over it.
  int64_t elsewhere_fixes = 3;
};

// Before 2000-01-01: the clock of the tracker was never set.
inline constexpr int64_t kEarliestMs = 946'684'800'000;
// No ground vehicle reports more; a higher limit of implied speed raises it.
inline constexpr double kReportedSpeedMaxKmh = 1000;

struct Rejection {
  std::string_view rule;  // one of the names below
  std::string message;
};

inline constexpr std::string_view kUndecodable = "undecodable";
inline constexpr std::string_view kNotProcessed = "not_processed";  // by none of the rules below: see dead_letters.h
inline constexpr std::string_view kUnparseableTime = "unparseable_time";
inline constexpr std::string_view kLatitude = "latitude_out_of_range";
inline constexpr std::string_view kLongitude = "longitude_out_of_range";
inline constexpr std::string_view kNullIsland = "null_island";
inline constexpr std::string_view kSpeed = "speed_out_of_range";
inline constexpr std::string_view kHeading = "heading_out_of_range";
inline constexpr std::string_view kPastTime = "past_time";
inline constexpr std::string_view kFutureTime = "future_time";
inline constexpr std::string_view kImpliedSpeed = "implied_speed";

// A speed or heading as it counts: devices write -1 for one that they do not know.
std::optional<double> reported(std::optional<double> value);

// The rules that need nothing but the position itself. A fix may be `limits.future_ms` ahead of `now_ms`.
std::optional<Rejection> check_position(const RawPosition& position, int64_t now_ms, const Limits& limits);

// So far apart the clocks of instances may be.
inline constexpr int64_t kClockSkewMs = 60'000;

// The time of receipt of a record that any program may have written: `now_ms` is the clock of the instance that
// processes it. Only the future is bounded, as records may be processed long after their receipt, and again.
std::optional<Rejection> check_receipt(int64_t received_at_ms, int64_t now_ms);

// Great-circle distance in metres by the haversine formula, on a sphere of radius 6,371,008.8 m.
double distance_m(double lat1, double lon1, double lat2, double lon2);

// Speed from one fix to a later one, in km/h; to_ms > from_ms.
double implied_speed_kmh(double lat1, double lon1, int64_t from_ms, double lat2, double lon2, int64_t to_ms);

}  // namespace muir::vts
