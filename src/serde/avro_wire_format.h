// Confluent's wire format: how a datum says which schema wrote it. docs/formats/avro-wire.md
#pragma once

#include "base/bytes.h"
#include "base/status.h"

namespace muir {

inline constexpr char kWireMagic = '\0';
inline constexpr size_t kWirePrefixBytes = 5;

// Appends the magic byte and the id, big-endian.
void append_wire_prefix(int schema_id, Bytes& out);

struct WireDatum {
  int schema_id = 0;
  BytesView datum;
};
// Splits a record's key or value; invalid_argument when it is no such thing.
Result<WireDatum> split_wire_prefix(BytesView bytes);

// Reads arbitrary bytes as a record's value, by the struct's own schema (id 1) or an older one (id 2) into a struct of
// every kind of member; what it could read must read back the same. Returns 1 for what it could read.
int fuzz_avro_serde(BytesView input);

}  // namespace muir
