// The aborted transactions of one segment: what a read_committed consumer must skip.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"

namespace muir::storage {

struct AbortedTxn {
  ProducerId producer_id;
  Offset first_offset;
  Offset last_offset;         // of the ABORT marker
  Offset last_stable_offset;  // of the partition once this transaction had ended
  bool operator==(const AbortedTxn&) const = default;
};

// .txnindex: entries of 34 bytes {int16 version 0, producerId, firstOffset, lastOffset, lastStableOffset}.
Bytes encode_txn_index(const std::vector<AbortedTxn>& aborted);
Result<std::vector<AbortedTxn>> decode_txn_index(BytesView bytes);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_txn_index(BytesView input);

}  // namespace muir::storage
