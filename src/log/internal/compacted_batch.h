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

// The same in parts, for records that come one by one: what differs from the original header, then the block of
// records, then the end. begin_compacted_batch() returns what end_compacted_batch() takes.
struct CompactedHeader {
  int32_t records = 0;
  int64_t base_timestamp = -1;
  int64_t max_timestamp = -1;
  bool has_delete_horizon = false;
};
size_t begin_compacted_batch(const wire::BatchHeader& original, const CompactedHeader& wanted, Bytes& out);
void end_compacted_batch(size_t start, Bytes& out);
// Producers choose timestamps: the difference of two may be more than an int64 holds, and wraps, as in reading.
inline int64_t timestamp_delta(int64_t timestamp, int64_t base_timestamp) {
  return static_cast<int64_t>(static_cast<uint64_t>(timestamp) - static_cast<uint64_t>(base_timestamp));
}

}  // namespace muir::storage
