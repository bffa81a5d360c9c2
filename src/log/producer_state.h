// ProducerState: what a partition remembers of its idempotent and transactional producers.
//
// It decides whether a batch is next in sequence, a repetition, or an error, and which transactions are open. Rules
// are Apache Kafka's. Guarded by its partition's lock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"

namespace muir::storage {

// A batch as its producer numbered it. Sequences are -1 for batches of the coordinators, which have none.
struct ProducerBatch {
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
  int32_t first_sequence = -1;
  int32_t last_sequence = -1;
  Offset first_offset = kNoOffset;
  Offset last_offset = kNoOffset;
  int64_t timestamp = -1;
  bool transactional = false;
};

struct ProducerEntry {
  struct Batch {
    int32_t last_sequence = -1;
    Offset last_offset = kNoOffset;
    int32_t offset_delta = 0;
    int64_t timestamp = -1;
    bool operator==(const Batch&) const = default;
  };
  ProducerEpoch epoch = kNoProducerEpoch;
  LeaderEpoch coordinator_epoch = kNoLeaderEpoch;
  int64_t last_timestamp = -1;
  Offset txn_first_offset = kNoOffset;  // of the open transaction
  std::deque<Batch> batches;            // the newest kBatchesMax, oldest first

  static constexpr size_t kBatchesMax = 5;
  [[nodiscard]] int32_t last_sequence() const { return batches.empty() ? -1 : batches.back().last_sequence; }
  bool operator==(const ProducerEntry&) const = default;
};

// What has become of a transaction.
enum class TxnFate : unsigned char { open, committed, aborted, undecided };

class ProducerState {
 public:
  // The original offsets when `batch` repeats one of the producer's last batches; nullopt when it may be appended;
  // else an error that carries Kafka's code.
  [[nodiscard]] Result<std::optional<ProducerEntry::Batch>> check(const ProducerBatch& batch) const;
  // Remembers an appended batch.
  void append(const ProducerBatch& batch);

  // Whether the coordinator may end the transaction of this producer.
  [[nodiscard]] Status check_marker(ProducerId producer_id, ProducerEpoch epoch, LeaderEpoch coordinator_epoch) const;
  // Remembers an appended marker. Returns the first offset of the transaction it ended; nullopt when none was open.
  std::optional<Offset> append_marker(ProducerId producer_id, ProducerEpoch epoch, LeaderEpoch coordinator_epoch,
                                      Offset offset, int64_t timestamp);

  // First offset that belongs to a transaction which is open, or whose end is not below the high watermark.
  [[nodiscard]] std::optional<Offset> first_unstable_offset() const;
  // First offset of an open transaction.
  [[nodiscard]] std::optional<Offset> first_open_offset() const;
  // First offsets of the open transactions, with their producers.
  [[nodiscard]] const std::map<Offset, ProducerId>& open_transactions() const { return open_; }
  // Takes the producer's transaction for ended, without its marker.
  void forget_transaction(ProducerId producer_id);
  void on_high_watermark(Offset high_watermark);

  // Forgets producers without an open transaction that have been silent since before `timestamp`.
  void expire(int64_t timestamp);
  void clear();
  [[nodiscard]] const std::unordered_map<ProducerId, ProducerEntry>& producers() const { return producers_; }

  // The producer snapshot file, version 1, with the remembered batches of each producer.
  [[nodiscard]] Bytes encode_snapshot() const;
  static Result<ProducerState> decode_snapshot(BytesView bytes);

 private:
  std::unordered_map<ProducerId, ProducerEntry> producers_;
  std::map<Offset, ProducerId> open_;  // first offset -> producer id
  std::map<Offset, Offset> ending_;    // first offset -> offset of the marker, not yet below the high watermark
};

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_producer_snapshot(BytesView input);

}  // namespace muir::storage
