// What every generated message is made of: identifiers, tagged fields, nullable values.
//
// The generated headers are "wire/messages/<api>.h": one struct per request and response, with
//   void encode(const T&, int16_t version, ByteWriter&);   version in [kVersionMin, kVersionMax], else a CHECK
//   Status decode(ByteReader&, int16_t version, T&);       bounded by the input; replaces the whole message
// A field that the version does not carry keeps its default on decode and is left out on encode.
// Record data (OptBytesView) borrows: the input on decode, the caller's buffer until encode on encode.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/status.h"
#include "wire/api_keys.h"
#include "wire/error_code.h"
#include "wire/uuid.h"

namespace muir::wire {

// A tagged field that the table does not know; it survives a round trip.
struct TaggedField {
  uint32_t tag = 0;
  Bytes data;
  bool operator==(const TaggedField&) const = default;
};
// In ascending order of tag.
using TaggedFields = std::vector<TaggedField>;

}  // namespace muir::wire
