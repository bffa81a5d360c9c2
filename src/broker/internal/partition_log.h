// PartitionLog: what the coordinators need of the broker's partitions. The broker implements it over its log; tests, in
// memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "log/producer_state.h"
#include "wire/batch_builder.h"

namespace muir::broker {

// Names of the coordinators' topics.
inline constexpr const char* kConsumerOffsets = "__consumer_offsets";
inline constexpr const char* kTransactionState = "__transaction_state";

// Thread-safe.
class PartitionLog {
 public:
  virtual ~PartitionLog() = default;

  // Number of the topic's partitions; 0 when it does not exist.
  [[nodiscard]] virtual int32_t partition_count(const std::string& topic) = 0;

  // The same for an internal topic (kConsumerOffsets, kTransactionState), which is created, compacted and with as many
  // partitions as the broker is configured for, when it does not exist.
  [[nodiscard]] virtual Result<int32_t> open_internal_topic(const std::string& topic) = 0;

  // Appends one whole batch, whose base offset the log assigns. `done` is called exactly once: with the base offset
  // when everything up to and including the batch is durable, or with the failure (with Kafka's code). It may be
  // called on this thread before append() returns, or later on any other. For one partition, in order of appends.
  using Done = std::function<void(const Status& status, Offset base_offset)>;
  virtual void append(const std::string& topic, PartitionId partition, Bytes batch, Done done) = 0;

  // Appends the control record that ends the producer's transaction in the partition; `done` as above.
  virtual void append_marker(const std::string& topic, PartitionId partition, wire::ControlType type,
                             ProducerId producer_id, ProducerEpoch producer_epoch, LeaderEpoch coordinator_epoch,
                             Done done) = 0;

  // Offset of the first record that is still there.
  [[nodiscard]] virtual Result<Offset> log_start_offset(const std::string& topic, PartitionId partition) = 0;

  // Whole batches from the one that holds `offset` on, about `bytes_max` of them; empty at the end of the log. Includes
  // control batches and what belongs to open transactions.
  [[nodiscard]] virtual Result<Bytes> read(const std::string& topic, PartitionId partition, Offset offset,
                                           size_t bytes_max) = 0;

  // What has become of the transaction in which `producer` wrote the record at `offset`; nullopt where the partition is
  // whole, and the markers in it say so.
  [[nodiscard]] virtual std::optional<storage::TxnFate> fate(const std::string& topic, PartitionId partition,
                                                             ProducerId producer, Offset offset) = 0;
};

// Shows every record of a coordinator's topic, partition by partition, also those of control batches and of open
// transactions. The first failure ends it.
using RecordVisitor =
    std::function<Status(PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record)>;
Status read_topic(PartitionLog& log, const std::string& topic, const RecordVisitor& visit);
Status read_partition(PartitionLog& log, const std::string& topic, PartitionId partition, const RecordVisitor& visit);

}  // namespace muir::broker
