// MemoryConsumer: the Consumer of a MemoryCluster. Owned by one thread, except wakeup().
#pragma once

#include <map>

#include "client/internal/state_memory.h"

namespace muir::client::internal {

class MemoryConsumer final : public Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> make(MemoryCluster::State& state, const Properties& properties);

  Status assign(const std::vector<PartitionStart>& add) override;
  Status unassign(const std::vector<TopicPartition>& remove) override;
  Status seek(const PartitionStart& to) override;
  Status pause(const std::vector<TopicPartition>& partitions) override;
  Status resume(const std::vector<TopicPartition>& partitions) override;
  Polled poll(int64_t timeout_ms, size_t records_max) override;
  Result<Offset> position(const TopicPartition& partition) override;
  std::optional<Offset> end_offset(const TopicPartition& partition) override;
  void wakeup() override;

 private:
  struct Assigned {
    Offset position = kOffsetEarliest;  // or a start that is resolved when the partition is first looked at
    bool paused = false;
  };
  using Taken = std::map<TopicPartition, std::vector<std::shared_ptr<MemoryRecord>>>;

  MemoryConsumer(MemoryCluster::State& state, IsolationLevel isolation) : state_(state), isolation_(isolation) {}
  // With the cluster's mutex held:
  Status check_assigned(const std::vector<TopicPartition>& partitions) const;
  void resolve(const MemoryPartition& log, Assigned& one) const;
  Status take(const TopicPartition& partition, Assigned& one, size_t limit, Taken& taken);
  Result<size_t> take_all(size_t limit, Taken& taken);

  MemoryCluster::State& state_;
  const IsolationLevel isolation_;
  std::map<TopicPartition, Assigned> assigned_;
  TopicPartition served_;  // the last one served; the next poll starts behind it
  bool woken_ = false;
};

}  // namespace muir::client::internal
