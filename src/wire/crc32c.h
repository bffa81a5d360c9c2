// CRC-32C (Castagnoli), the checksum of record batches.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace muir::wire {

// The checksum of `data`, or, given the checksum of what precedes it, of both together.
// Uses the processor's CRC instruction where there is one.
uint32_t crc32c(BytesView data, uint32_t previous = 0);

namespace internal {
// The portable way, by tables.
uint32_t crc32c_by_table(BytesView data, uint32_t previous);
}  // namespace internal

}  // namespace muir::wire
