// What compaction writes in place of a batch: some of its records, or none, at their offsets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/record_batch.h"

namespace muir::storage {

// Appends to `out` a batch with the header of `original` (offsets, producer, sequence, codec) and only `records`, which
// are some of its own. `delete_horizon_ms` (KIP-534) is when its tombstones and markers may go; it takes the place of
// the base timestamp. Without records the batch is an empty header without a codec, which preserves its producer's
// sequence.
Status append_compacted_batch(const wire::BatchHeader& original, const std::vector<wire::Record>& records,
                              std::optional<int64_t> delete_horizon_ms, Bytes& out);

}  // namespace muir::storage
