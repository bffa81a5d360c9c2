// BrokerPartitionLog: the coordinators' view of the broker's partitions, over its log.
#pragma once

#include "broker/internal/broker_context.h"
#include "broker/internal/partition_log.h"

namespace muir::broker {

// Thread-safe. The context outlives it.
class BrokerPartitionLog final : public PartitionLog {
 public:
  explicit BrokerPartitionLog(BrokerContext& context) : context_(context) {}

  int32_t partition_count(const std::string& topic) override;
  Result<int32_t> open_internal_topic(const std::string& topic) override;
  void append(const std::string& topic, PartitionId partition, Bytes batch, Done done) override;
  void append_marker(const std::string& topic, PartitionId partition, wire::ControlType type, ProducerId producer_id,
                     ProducerEpoch producer_epoch, LeaderEpoch coordinator_epoch, Done done) override;
  Result<Offset> log_start_offset(const std::string& topic, PartitionId partition) override;
  Result<Bytes> read(const std::string& topic, PartitionId partition, Offset offset, size_t bytes_max) override;
  std::optional<storage::TxnFate> fate(const std::string& topic, PartitionId partition, ProducerId producer,
                                       Offset offset) override;

 private:
  Result<std::shared_ptr<storage::Partition>> find(const std::string& topic, PartitionId partition) const;

  BrokerContext& context_;
};

}  // namespace muir::broker
