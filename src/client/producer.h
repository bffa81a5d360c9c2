// Producer: writes batches of records; idempotent and, with a transactional id, transactional.
//
// Every producer runs with acks=all and enable.idempotence=true unless configured otherwise, and partitions as the
// Java client does (murmur2).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"

namespace muir::client {

// Identity of a group member, for KIP-447 fencing of offsets committed in a transaction.
struct GroupMetadata {
  std::string group_id;
  GenerationId generation_id = kNoGeneration;
  std::string member_id{};
  std::string group_instance_id{};  // empty: dynamic member
};

// Where a record was written; kNoOffset when it was not, and then `code` is why.
struct Delivery {
  PartitionId partition = kNoPartition;  // of a record that was not written: where it was to go, as far as is known
  Offset offset = kNoOffset;
  Code code = Code::ok;
  int error = 0;            // Kafka's error code, when there is one
  bool never_sent = false;  // refused before it reached a broker: an open transaction is as good as before
};
// Whether a record that failed so was refused: the same record will not be written another time, others may be.
// Code::aborted means that it was given up with others, or with its transaction.
[[nodiscard]] constexpr bool is_refusal(Code code) {
  return code == Code::invalid_argument || code == Code::out_of_range || code == Code::not_found ||
         code == Code::permission_denied || code == Code::resource_exhausted;
}
// Whether a send() failed because a record is larger than its topic takes (Kafka's MESSAGE_TOO_LARGE).
[[nodiscard]] inline bool is_too_large(const Status& status) { return status.number(Domain::kafka) == 10; }
// Called once per send(), when the last record of it has been acknowledged or has failed: the first error, and one
// Delivery per record in order. On a thread of the producer: must not block.
using DeliveryCallback = std::function<void(const Status&, std::span<const Delivery>)>;

// Thread-safe, except that the calls of one transaction come from one thread at a time.
class Producer {
 public:
  virtual ~Producer() = default;  // waits a bounded time for what is in flight

  // Queues the records, copying them. Batches keep to the topics' max.message.bytes; one that is refused as too large,
  // or for a record that is not valid, is split until only the records at fault fail. In a transaction that was open
  // then, all of the batch are Code::aborted, and the transactions that follow find those at fault. Fails with
  // Code::resource_exhausted, having queued none, when the queue (buffer.memory) is full. Without a callback a failure
  // is reported by the next flush(), send() or commit.
  virtual Status send(std::span<const ProducedRecord> records, DeliveryCallback on_done = nullptr) = 0;
  // Waits until everything sent has been acknowledged; the first failure since the last flush that no callback was
  // told.
  virtual Status flush(int64_t timeout_ms) = 0;
  // Partitions of a topic as the producer knows them (asks the cluster when it does not).
  virtual Result<int32_t> partition_count(const std::string& topic) = 0;

  // Transactions. Code::fenced: a newer producer with this transactional id exists; this one is of no more use.
  // Code::aborted: the transaction must be aborted with abort_transaction() and may be tried again. When it is because
  // `group` is no longer the member it was, it carries Kafka's ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or
  // FENCED_INSTANCE_ID.
  virtual Status init_transactions(int64_t timeout_ms) = 0;
  virtual Status begin_transaction() = 0;
  virtual Status send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group,
                                             int64_t timeout_ms) = 0;
  // OK while the open transaction can go on; else why it has to be aborted. Costs no request.
  virtual Status transaction_failure() = 0;
  virtual Status commit_transaction(int64_t timeout_ms) = 0;  // flushes first
  virtual Status abort_transaction(int64_t timeout_ms) = 0;   // purges what was not sent
};

}  // namespace muir::client
