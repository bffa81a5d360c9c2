// Txn: the state of one transactional id, and the transitions that Kafka allows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "broker/groups/group_offsets.h"
#include "wire/error_code.h"
#include "wire/record_batch.h"

namespace muir::broker {

// Numbers are those of the log's record.
enum class TxnState : int8_t {
  empty = 0,
  ongoing = 1,
  prepare_commit = 2,
  prepare_abort = 3,
  complete_commit = 4,
  complete_abort = 5,
  dead = 6,
  prepare_epoch_fence = 7,
};
std::string_view to_string(TxnState state);
std::optional<TxnState> parse_txn_state(std::string_view name);

// What is stored of a transactional id.
struct TxnFields {
  TxnState state = TxnState::empty;
  ProducerId producer_id = kNoProducerId;
  ProducerId previous_producer_id = kNoProducerId;  // before the last rotation of ids
  ProducerEpoch epoch = kNoProducerEpoch;
  ProducerEpoch last_epoch =
      kNoProducerEpoch;  // the one a producer may still name when it repeats InitProducerId (KIP-360)
  int32_t timeout_ms = 0;
  std::set<TopicPartition> partitions;
  int64_t start_ms = -1;
  int64_t updated_ms = -1;
  bool operator==(const TxnFields&) const = default;
};

// Owned by the coordinator's strand.
struct Txn {
  std::string id;
  TxnFields fields;
  // A transition that is being stored: requests meanwhile are answered CONCURRENT_TRANSACTIONS.
  std::optional<TxnState> pending;
  std::set<TopicPartition> markers_left;
  // Requests that wait for the completion: called with NONE when it is over, or CONCURRENT_TRANSACTIONS when it is held
  // up.
  std::vector<std::function<void(wire::ErrorCode)>> waiting;

  // The decision is stored; markers and the final state are being written.
  [[nodiscard]] bool completing() const {
    return pending == TxnState::complete_commit || pending == TxnState::complete_abort;
  }

  // The state after InitProducerId by a producer that was told `expected_epoch` last (nullopt: a fresh one), or
  // PRODUCER_FENCED. The epoch must not be exhausted.
  [[nodiscard]] Result<TxnFields> with_bumped_epoch(std::optional<ProducerEpoch> expected_epoch, int32_t timeout_ms,
                                                    int64_t now_ms) const;
  [[nodiscard]] TxnFields with_new_producer_id(ProducerId producer_id, int32_t timeout_ms, bool remember_epoch,
                                               int64_t now_ms) const;
  // The state in which the producer that has it now is fenced and its transaction aborted.
  [[nodiscard]] TxnFields fenced(int64_t now_ms) const;
  // Whether a producer that was told this id and epoch may go on; the epoch is looked at by with_bumped_epoch().
  [[nodiscard]] bool knows(ProducerId producer_id, ProducerEpoch epoch) const;
  [[nodiscard]] bool epoch_exhausted() const { return is_exhausted(fields.epoch); }
  static bool is_exhausted(ProducerEpoch epoch) { return epoch.value() >= INT16_MAX - 1; }
};

// The records of __transaction_state, in Kafka's format.
Bytes txn_key(const std::string& id);
Bytes txn_value(const TxnFields& fields);
struct TxnRecord {
  std::string id;
  std::optional<TxnFields> fields;  // missing: a tombstone
};
// nullopt for a record of another kind.
Result<std::optional<TxnRecord>> parse_txn_record(const wire::Record& record);

// A byte that is the size of the key, the key, the value (none: null). Returns 1 for a record.
int fuzz_txn_record(BytesView bytes);

}  // namespace muir::broker
