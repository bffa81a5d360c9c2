// BatchBuilder: writes record batches v2.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/record_batch.h"

namespace muir::wire {

struct BatchOptions {
  Offset base_offset;
  LeaderEpoch partition_leader_epoch = kNoLeaderEpoch;
  Compression compression = Compression::none;
  int compression_level = 0;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  int32_t base_sequence = kNoSequence;
  bool transactional = false;
  bool control = false;
  bool log_append_time = false;
};

// Records to one batch: add() them, then build(). Reusable after build(); owned by one thread.
class BatchBuilder {
 public:
  explicit BatchBuilder(BatchOptions options = {}) : options_(options) {}
  void reset(BatchOptions options);

  // The next record, at the next offset. Timestamps in milliseconds since the epoch.
  void add(int64_t timestamp, OptBytesView key, OptBytesView value, std::span<const RecordHeaderView> headers = {});
  // The same with encoded headers of another record.
  void add(int64_t timestamp, const Record& record);
  // A record at offset base + `offset_delta`, greater than the one before: what compaction leaves.
  void add_at(int32_t offset_delta, int64_t timestamp, OptBytesView key, OptBytesView value,
              std::span<const RecordHeaderView> headers = {});

  [[nodiscard]] int32_t record_count() const { return record_count_; }
  // Bytes of the batch as it stands, before compression.
  [[nodiscard]] size_t size_bytes() const { return kBatchHeaderBytes + records_.size(); }
  [[nodiscard]] bool empty() const { return record_count_ == 0; }

  // Appends the batch to `out` and starts anew with the same options.
  Status build(Bytes& out);
  // The batch in bytes of its own; for options without compression, which cannot fail.
  Bytes build();

 private:
  void add_encoded(int32_t offset_delta, int64_t timestamp, OptBytesView key, OptBytesView value, int32_t header_count,
                   size_t headers_bytes);

  BatchOptions options_;
  Bytes records_;
  int32_t record_count_ = 0;
  int32_t next_delta_ = 0;
  int64_t base_timestamp_ = kNoTimestamp;
  int64_t max_timestamp_ = kNoTimestamp;
};

// Control records end a transaction in a partition; consumers never see them.
enum class ControlType : int16_t { abort = 0, commit = 1, unknown = -1 };

// One batch with one control record. Producer id and epoch are the transaction's.
Bytes control_batch(ControlType type, ProducerId producer_id, ProducerEpoch producer_epoch,
                    LeaderEpoch coordinator_epoch, int64_t timestamp, Offset base_offset = {});
struct ControlRecord {
  ControlType type = ControlType::unknown;
  LeaderEpoch coordinator_epoch;
};
// What a control batch's only record says.
Result<ControlRecord> parse_control_record(const Record& record);

}  // namespace muir::wire
