#include "apps/vts/rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/vts/timestamps.h"

namespace muir::vts {
namespace {

constexpr double kEarthRadiusM = 6'371'008.8;  // mean radius (IUGG)

double radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }

// Beyond any clock, so that sums of times stay numbers: the end of the year 9999.
constexpr int64_t kLatestMs = 253'402'300'799'999;

// Written so that NaN is out of range.
bool within(double value, double low, double high) { return value >= low && value <= high; }

std::optional<Rejection> check_time(int64_t timestamp, int64_t now_ms, const Limits& limits) {
  if (timestamp < kEarliestMs) {
    return Rejection{kPastTime,
                     fmt::format("{} is before {}: the clock of the tracker is not set, or the number is no time",
                                 format_timestamp(timestamp), format_timestamp(kEarliestMs))};
  }
  // The time of receipt comes from the topic, and may be anything.
  const int64_t now = std::clamp<int64_t>(now_ms, 0, kLatestMs);
  if (timestamp > now + limits.future_ms) {
    return Rejection{kFutureTime, fmt::format("{} is {} ms ahead of the clock; {} ms are allowed",
                                              format_timestamp(timestamp), timestamp - now, limits.future_ms)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> reported(std::optional<double> value) { return value && *value == -1 ? std::nullopt : value; }

std::optional<Rejection> check_position(const RawPosition& position, int64_t now_ms, const Limits& limits) {
  if (!position.timestamp) return Rejection{kUnparseableTime, why_no_time(position.timestamp_text.value_or(""))};
  if (!within(position.lat, -90, 90)) {
    return Rejection{kLatitude, fmt::format("latitude {} is not within -90 and 90", position.lat)};
  }
  if (!within(position.lon, -180, 180)) {
    return Rejection{kLongitude, fmt::format("longitude {} is not within -180 and 180", position.lon)};
  }
  if (position.lat == 0 && position.lon == 0) return Rejection{kNullIsland, "latitude and longitude are both 0"};
  const double speed_max = std::max(kReportedSpeedMaxKmh, limits.implied_speed_kmh);
  if (const auto speed = reported(position.speed); speed && !within(*speed, 0, speed_max)) {
    return Rejection{kSpeed,
                     fmt::format("speed {} is not within 0 and {} km/h, nor -1 for unknown", *speed, speed_max)};
  }
  if (const auto heading = reported(position.heading); heading && !within(*heading, 0, 360)) {
    return Rejection{kHeading, fmt::format("heading {} is not within 0 and 360 degrees, nor -1 for unknown", *heading)};
  }
  return check_time(*position.timestamp, now_ms, limits);
}

std::optional<Rejection> check_receipt(int64_t received_at_ms, int64_t now_ms) {
  if (received_at_ms < kEarliestMs) {
    return Rejection{kPastTime, fmt::format("receivedAt {} is before {}: no time of receipt in epoch milliseconds",
                                            format_timestamp(received_at_ms), format_timestamp(kEarliestMs))};
  }
  const int64_t now = std::clamp<int64_t>(now_ms, 0, kLatestMs);
  if (received_at_ms > now + kClockSkewMs) {
    return Rejection{kFutureTime,
                     fmt::format("receivedAt {} is {} ms ahead of the clock, {} ms are allowed: no time of receipt in "
                                 "epoch milliseconds, or clocks that differ",
                                 format_timestamp(received_at_ms), received_at_ms - now, kClockSkewMs)};
  }
  return std::nullopt;
}

double distance_m(double lat1, double lon1, double lat2, double lon2) {
  const double phi1 = radians(lat1);
  const double phi2 = radians(lat2);
  const double s = std::sin((phi2 - phi1) / 2);
  const double t = std::sin(radians(lon2 - lon1) / 2);
  const double a = s * s + std::cos(phi1) * std::cos(phi2) * t * t;
  return 2 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(a)));
}

double implied_speed_kmh(double lat1, double lon1, int64_t from_ms, double lat2, double lon2, int64_t to_ms) {
  return distance_m(lat1, lon1, lat2, lon2) / static_cast<double>(to_ms - from_ms) * 3600;
}

}  // namespace muir::vts
