// PositionFile: recorded positions, one after the other, from CSV (plain or gzip) or an Avro container file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::vts {

struct RecordedFix {
  std::string vehicle_id;
  int64_t timestamp = 0;  // epoch ms
  double lat = 0;
  double lon = 0;
  std::optional<double> speed;
  std::optional<double> heading;
};

// Owned by one thread.
class PositionFile {
 public:
  // A name that ends with .avro is an Avro file, of records with vehicleId, lat, lon, timestamp (ms) and optional speed
  // and heading, as vehicle.location.raw has them; anything else is CSV with the header
  // vehicle_id,ts_ms,lat,lon,speed_kmh,heading (the last two may be absent or empty). Times are of the years 1970 to
  // 9999.
  static Result<std::unique_ptr<PositionFile>> open(const std::string& path);
  virtual ~PositionFile() = default;
  // Nothing at the end.
  virtual Result<std::optional<RecordedFix>> next() = 0;
};

// Reads arbitrary bytes as a CSV recording, plain or gzip. Returns 1 when it held a position.
int fuzz_position_file(BytesView input);

}  // namespace muir::vts
