// KafkaAdmin: the Admin over our own protocol client. Thread-safe: one call at a time.
#pragma once

#include <mutex>

#include "client/admin.h"
#include "client/internal/protocol_client.h"

namespace muir::client::internal {

class KafkaAdmin final : public Admin {
 public:
  explicit KafkaAdmin(ProtocolClientOptions options) : client_(std::move(options)) {}

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
  // With mutex_ held:
  using Leaders = std::map<Endpoint, std::vector<TopicPartition>>;
  Result<Leaders> leaders(const std::vector<TopicPartition>& partitions, const Deadline& deadline);
  Status await_topic(const std::string& name, int32_t partitions_min, const Deadline& deadline);
  Status list_at(const Endpoint& leader, const std::vector<TopicPartition>& partitions, OffsetSpec at,
                 IsolationLevel isolation, const Deadline& deadline, std::map<TopicPartition, Offset>& offsets);
  Status delete_at(const Endpoint& leader, const std::vector<TopicPartition>& partitions,
                   const std::map<TopicPartition, Offset>& before, const Deadline& deadline);

  std::mutex mutex_;
  ProtocolClient client_;
};

}  // namespace muir::client::internal
