// Positions as JSON: what devices post, and what dead letters keep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/vts/ids.h"
#include "apps/vts/records.h"
#include "base/bytes.h"
#include "base/status.h"

namespace muir::vts {

// One item of a request.
struct ParsedItem {
  RawPosition position;
  std::string error;  // not empty: the item has no usable structure, and says why
};

struct PositionLimits {
  size_t items_max = 10'000;
  size_t vehicle_id_bytes_max = kIdBytesMax;
};

// Whether a body of that type holds its items one per line: application/x-ndjson and its other names.
bool is_lines_type(std::string_view content_type);

// Parses one object, an array of objects, or (with `lines`) objects one per line:
//   {"vehicleId":"V123","lat":52.23,"lon":21.01,"speed":40,"heading":90,"timestamp":"2026-01-01T12:00:00Z"}
// The time is one that timestamps.h reads; one that cannot be read is kept as text, an absent one as an empty text.
// Unknown members are ignored. Fails when the whole is no JSON, or holds too many items (Code::resource_exhausted).
Result<std::vector<ParsedItem>> parse_positions(BytesView body, bool lines, int64_t received_at,
                                                const PositionLimits& limits);

// The object above.
std::string to_json(const RawPosition& position);

// Fuzz entry: arbitrary bytes as a body and as lines; what is read survives to_json(). Returns 1 for a position.
int fuzz_positions(BytesView input);

}  // namespace muir::vts
