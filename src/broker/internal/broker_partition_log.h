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
  void append(const std::string& topic, int32_t partition, Bytes batch, Done done) override;
  void append_marker(const std::string& topic, int32_t partition, wire::ControlType type, int64_t producer_id,
                     int16_t producer_epoch, int32_t coordinator_epoch, Done done) override;
  Result<int64_t> log_start_offset(const std::string& topic, int32_t partition) override;
  Result<Bytes> read(const std::string& topic, int32_t partition, int64_t offset, size_t bytes_max) override;

 private:
  Result<std::shared_ptr<log::Partition>> find(const std::string& topic, int32_t partition) const;

  BrokerContext& context_;
};

}  // namespace muir::broker
