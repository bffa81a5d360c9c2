// RecordWalk: what a broker needs to know of the records of a batch, without holding them. Of a batch that expands to
// gigabytes no more than a window of it is in memory, and the walk can be interrupted at any byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/block_stream.h"
#include "wire/record_batch.h"

namespace muir::wire {

// A record without its contents.
struct RecordOutline {
  Offset offset;
  int64_t timestamp = kNoTimestamp;
  bool has_key = false;
};

// Owned by one thread at a time; keep it no longer on a batch than the batch's bytes.
//   walk.reset(batch);  RecordOutline record;
//   while (walk.next(record)) ...;   if (walk.paused()) ... else MUIR_RETURN_IF_ERROR(walk.status());
class RecordWalk {
 public:
  static constexpr size_t kWindowBytes = size_t{256} << 10;

  // Starts on a batch. `history_max`: see BlockStream.
  void reset(const BatchView& batch, size_t history_max = kHistoryBytesMax);
  // False at the end, on damage, and when the allowance is spent: then the next call goes on.
  bool next(RecordOutline& record);
  // What may be decompressed, give or take a window, before the walk pauses; unlimited after reset().
  void allow(size_t bytes) { allowance_ = bytes; }
  [[nodiscard]] size_t allowance() const { return allowance_; }
  [[nodiscard]] bool paused() const { return paused_; }
  // Damage found, records fewer or more than the header says, or resource_exhausted for too much history.
  [[nodiscard]] const Status& status() const { return status_; }

  // The decompressor, for another reading of the batch when the walk is over.
  [[nodiscard]] BlockStream& stream() { return stream_; }
  // Gives back what a batch has taken beyond the window.
  void release_large() { stream_.release_large(); }
  // What it holds.
  [[nodiscard]] size_t memory_bytes() const { return (window_ ? kWindowBytes : 0) + stream_.memory_bytes(); }

 private:
  // Where in a record that is larger than the window.
  enum class Part : unsigned char { none, start, value, headers, header_key, header_value, end };

  bool fail(const char* why);
  bool at_end();
  bool fill();
  bool skip();
  bool walk_large(RecordOutline& record);
  bool read_numbers();
  bool finish_large(RecordOutline& record);

  BatchHeader header_;
  BlockStream stream_;
  std::unique_ptr<char[]> window_;
  // What has been decompressed and not yet walked: in the window, or in a batch that is not compressed.
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  bool ended_ = true;  // nothing follows what is there
  bool paused_ = false;
  int32_t left_ = 0;
  size_t allowance_ = SIZE_MAX;
  Status status_;

  Part part_ = Part::none;
  size_t body_left_ = 0;  // of the large record, behind what is being skipped
  size_t skip_left_ = 0;
  int64_t timestamp_delta_ = 0;
  int32_t offset_delta_ = 0;
  int32_t headers_left_ = 0;
  bool has_key_ = false;
};

// What a broker wants to know of a producer's records, which must have contiguous offsets.
struct BatchFacts {
  int64_t max_timestamp = kNoTimestamp;  // over the records
  bool every_record_has_key = true;
  int32_t records = 0;  // seen so far

  // Takes the next record in; false when its offset is not the next one.
  bool add(const BatchHeader& header, const RecordOutline& record) {
    if (record.offset != header.base_offset + records) return false;
    ++records;
    max_timestamp = std::max(max_timestamp, record.timestamp);
    every_record_has_key = every_record_has_key && record.has_key;
    return true;
  }
};

// What can be said of a producer's batch before its records are read: CRC, no control batch, counts that fit.
Status check_produced_header(const BatchView& batch);
// What a producer's batch must be, as a broker checks it before it appends: header, CRC, every record, offset deltas
// contiguous from 0, no control batch. Compressed batches are decompressed for it, piece by piece.
Result<BatchFacts> validate_produced_batch(const BatchView& batch, RecordWalk& scratch);
Status offsets_not_contiguous();

}  // namespace muir::wire
