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

}  // namespace

std::optional<Rejection> check_position(const RawPosition& position, int64_t now_ms, const Limits& limits) {
  if (!position.timestamp || *position.timestamp < 0) {
    return Rejection{kUnparseableTime, fmt::format("'{}' is no time", position.timestamp_text.value_or(""))};
  }
  // Written so that NaN is out of range.
  if (!(position.lat >= -90 && position.lat <= 90)) {
    return Rejection{kLatitude, fmt::format("latitude {} is not within -90 and 90", position.lat)};
  }
  if (!(position.lon >= -180 && position.lon <= 180)) {
    return Rejection{kLongitude, fmt::format("longitude {} is not within -180 and 180", position.lon)};
  }
  if (position.lat == 0 && position.lon == 0) return Rejection{kNullIsland, "latitude and longitude are both 0"};
  if (*position.timestamp > now_ms + limits.future_ms) {
    return Rejection{kFutureTime, fmt::format("{} is {} ms ahead of the clock; {} ms are allowed",
                                              format_timestamp(*position.timestamp), *position.timestamp - now_ms,
                                              limits.future_ms)};
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
