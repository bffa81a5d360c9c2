// MemoryAdmin: the Admin of a MemoryCluster. Thread-safe.
#pragma once

#include "client/internal/state_memory.h"

namespace muir::client::internal {

class MemoryAdmin final : public Admin {
 public:
  explicit MemoryAdmin(MemoryCluster::State& state) : state_(state) {}

  Status create_topic(const NewTopic& topic, int64_t timeout_ms) override;
  Status create_partitions(const std::string& name, int32_t total, int64_t timeout_ms) override;
  Status delete_topic(const std::string& name, int64_t timeout_ms) override;
  Result<TopicDescription> describe_topic(const std::string& name, int64_t timeout_ms) override;
  Result<std::vector<TopicDescription>> list_topics(int64_t timeout_ms) override;
  Result<ClusterDescription> describe_cluster(int64_t timeout_ms) override;
  Result<std::map<std::string, std::string>> topic_configs(const std::string& name, int64_t timeout_ms) override;
  Result<std::map<TopicPartition, Offset>> list_offsets(const std::vector<TopicPartition>& partitions, OffsetSpec at,
                                                        IsolationLevel isolation, int64_t timeout_ms) override;
  Result<Offsets> committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                    bool require_stable, int64_t timeout_ms) override;
  Status delete_records(const std::map<TopicPartition, Offset>& before, int64_t timeout_ms) override;

 private:
  MemoryCluster::State& state_;
};

}  // namespace muir::client::internal
