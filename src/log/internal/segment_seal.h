// SegmentSeal: what a segment and its indexes were when they had reached the disk.
//
// Indexes have no checksums, and one that is cut short or gone looks like one of a log with less to say: of aborted
// transactions, that means that their records are shown.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"

namespace muir::storage {

struct FileSum {
  uint64_t bytes = 0;
  uint32_t crc = 0;
  static FileSum of(BytesView content);  // of a file that is missing: as of an empty one
  bool operator==(const FileSum&) const = default;
};

struct SegmentSeal {
  uint64_t log_bytes = 0;
  Offset next_offset;  // where the next segment begins
  FileSum index;
  FileSum time_index;
  FileSum txn_index;
  bool operator==(const SegmentSeal&) const = default;
};

// <base>.seal: "muir-segment 1\nlog <bytes> <next offset>\nindex <bytes> <crc>\ntimeindex ...\ntxnindex ...\nend
// <crc>\n".
Bytes encode_seal(const SegmentSeal& seal);
Result<SegmentSeal> decode_seal(BytesView text);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_seal(BytesView input);

}  // namespace muir::storage
