// SegmentScan: walks a segment's file in order, reading it in large pieces, and tells whole batches from damage.
//
// A batch counts when its checksum fits and its offsets follow those before it. Behind bytes that are none, the scan
// looks for the next one that does: what lies behind a damaged batch is not lost with it. Owned by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/file.h"
#include "wire/record_batch.h"

namespace muir::storage {

// A stretch of a segment's file without a whole batch, and the offsets that are missing there.
struct DamagedRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  Offset first_offset;
  Offset next_offset;  // as far as known: behind the range
  bool operator==(const DamagedRange&) const = default;
};

// What surrounds the batches of a scan.
struct ScanBounds {
  Offset segment_base;
  // The first batch begins here or, with `gaps_before`, later.
  Offset first;
  // Where the next segment begins, or the log ends; kNoOffset when nobody knows.
  Offset next = kNoOffset;
  // Compaction may have left gaps. The newest segment has none.
  bool gaps = true;
};

// Whether the base offset of a batch, which no checksum covers, is known to be wrong: it lies below `expected`, or the
// batch behind it begins (`next_base`) exactly where it would if this one began at `expected`.
inline bool base_offset_is_wrong(const wire::BatchHeader& header, Offset expected, std::optional<Offset> next_base) {
  if (header.base_offset <= expected) return header.base_offset < expected;
  return next_base && *next_base == expected + header.last_offset_delta + 1;
}

class SegmentScan {
 public:
  // From byte `begin`, where a batch starts, to byte `end` of `file`, which must outlive the scan.
  SegmentScan(const File& file, uint64_t begin, uint64_t end, ScanBounds bounds);

  struct Batch {
    wire::BatchView view;  // the whole batch; valid until the next call
    uint64_t position;
    [[nodiscard]] const wire::BatchHeader& header() const { return view.header(); }
  };
  // The next whole batch, nullopt at the end. Fails only when the file cannot be read.
  Result<std::optional<Batch>> next();
  // Met so far, in order; the last may reach to the end of the file.
  [[nodiscard]] const std::vector<DamagedRange>& damaged() const { return damaged_; }
  // Behind the last batch.
  [[nodiscard]] uint64_t position() const { return position_; }
  [[nodiscard]] Offset next_offset() const { return expected_; }

 private:
  // Makes `size` bytes from `at` available in the buffer; false when the file ends before.
  Result<bool> fill(uint64_t at, size_t size);
  [[nodiscard]] BytesView buffered(uint64_t at) const { return BytesView(buffer_).substr(at - buffer_begin_); }
  Result<std::optional<wire::BatchHeader>> header_at(uint64_t at);
  Result<bool> checksum_fits(uint64_t at, const wire::BatchHeader& header);
  Result<bool> offsets_fit(uint64_t at, const wire::BatchHeader& header);
  Result<bool> is_batch(uint64_t at, const wire::BatchHeader& header);
  // The first byte from `at` on where a whole batch begins; end_ when there is none.
  Result<uint64_t> find_batch(uint64_t at);

  const File* file_;
  const uint64_t end_;
  const ScanBounds bounds_;
  uint64_t position_;
  Offset expected_;
  bool after_damage_;
  std::vector<DamagedRange> damaged_;
  Bytes buffer_;
  uint64_t buffer_begin_ = 0;
};

}  // namespace muir::storage
