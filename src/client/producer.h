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

// Where a record was written; kNoPartition and kNoOffset when it was not, and then `code` is why.
struct Delivery {
  PartitionId partition = kNoPartition;
  Offset offset = kNoOffset;
  Code code = Code::ok;
};
// Called once per send(), when the last record of it has been acknowledged or has failed: the first error, and one
// Delivery per record in order. On a thread of the producer: must not block.
using DeliveryCallback = std::function<void(const Status&, std::span<const Delivery>)>;

// Thread-safe, except that the calls of one transaction come from one thread at a time.
class Producer {
 public:
  virtual ~Producer() = default;  // waits a bounded time for what is in flight

  // Queues the records, copying them. Fails with Code::resource_exhausted, having queued none, when the queue
  // (buffer.memory) is full. Without a callback a failure is reported by the next flush(), send() or commit.
  virtual Status send(std::span<const ProducedRecord> records, DeliveryCallback on_done = nullptr) = 0;
  // Waits until everything sent has been acknowledged; the first failure since the last flush that no callback was
  // told.
  virtual Status flush(int64_t timeout_ms) = 0;
  // Partitions of a topic as the producer knows them (asks the cluster when it does not).
  virtual Result<int32_t> partition_count(const std::string& topic) = 0;

  // Transactions. Code::fenced: a newer producer with this transactional id exists; this one is of no more use.
  // Code::aborted: the transaction must be aborted with abort_transaction() and may be tried again. When it is because
  // `group` is no longer the member it was, detail() is Kafka's ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or
  // FENCED_INSTANCE_ID.
  virtual Status init_transactions(int64_t timeout_ms) = 0;
  virtual Status begin_transaction() = 0;
  virtual Status send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group,
                                             int64_t timeout_ms) = 0;
  virtual Status commit_transaction(int64_t timeout_ms) = 0;  // flushes first
  virtual Status abort_transaction(int64_t timeout_ms) = 0;   // purges what was not sent
};

}  // namespace muir::client
