// Admin: topics, configurations, offsets. Blocking; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/consumer.h"
#include "client/records.h"

namespace muir::client {

struct NewTopic {
  std::string name;
  int32_t partitions = -1;          // -1: the cluster's default
  int16_t replication_factor = -1;  // -1: the cluster's default
  std::map<std::string, std::string> configs{};
};

struct TopicDescription {
  std::string name;
  int32_t partitions = 0;
  int16_t replication_factor = 0;
};

struct ClusterDescription {
  std::string cluster_id;
  int32_t controller_id = -1;
  std::vector<std::string> brokers;  // "host:port"
};

class Admin {
 public:
  virtual ~Admin() = default;
  // Code::already_exists when it does.
  virtual Status create_topic(const NewTopic& topic, int64_t timeout_ms = 30'000) = 0;
  virtual Status delete_topic(const std::string& name, int64_t timeout_ms = 30'000) = 0;
  // Code::not_found when it does not exist.
  virtual Result<TopicDescription> describe_topic(const std::string& name, int64_t timeout_ms = 30'000) = 0;
  virtual Result<std::vector<TopicDescription>> list_topics(int64_t timeout_ms = 30'000) = 0;
  virtual Result<ClusterDescription> describe_cluster(int64_t timeout_ms = 30'000) = 0;
  virtual Result<std::map<std::string, std::string>> topic_configs(const std::string& name,
                                                                   int64_t timeout_ms = 30'000) = 0;
  // Earliest and end offsets; with read_committed the end is the last stable offset.
  virtual Result<std::map<TopicPartition, int64_t>> list_offsets(const std::vector<TopicPartition>& partitions,
                                                                 int64_t at, IsolationLevel isolation,
                                                                 int64_t timeout_ms = 30'000) = 0;
  // The group's committed offsets; with `require_stable`, waits while a transaction on them is pending
  // (UNSTABLE_OFFSET_COMMIT). A partition without a commit is absent from the answer.
  virtual Result<Offsets> committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                            bool require_stable, int64_t timeout_ms = 30'000) = 0;
  // DeleteRecords: drops everything before the offsets (Kafka Streams purges repartition topics so).
  virtual Status delete_records(const std::map<TopicPartition, int64_t>& before, int64_t timeout_ms = 30'000) = 0;
};

}  // namespace muir::client
