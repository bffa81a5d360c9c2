// Admin: topics, configurations, offsets. Blocking; thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/consumer.h"
#include "client/records.h"
#include "wire/uuid.h"

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
  wire::Uuid id{};  // another one when the topic was deleted and made anew; zero: the cluster gives none
};

struct ClusterDescription {
  std::string cluster_id;
  int32_t controller_id = -1;
  std::vector<std::string> brokers;  // "host:port"
};

// Which offset list_offsets() asks for: either end of the log, or that of the first record at or after a time (the end
// when there is none).
class OffsetSpec {
 public:
  static constexpr OffsetSpec earliest() { return OffsetSpec(-2); }
  static constexpr OffsetSpec latest() { return OffsetSpec(-1); }
  static constexpr OffsetSpec at_time(int64_t time_ms) { return OffsetSpec(time_ms); }

  [[nodiscard]] constexpr int64_t value() const { return value_; }  // as ListOffsets has it
  friend constexpr bool operator==(OffsetSpec, OffsetSpec) = default;

 private:
  constexpr explicit OffsetSpec(int64_t value) : value_(value) {}
  int64_t value_;
};

class Admin {
 public:
  virtual ~Admin() = default;
  // Code::already_exists when it does.
  virtual Status create_topic(const NewTopic& topic, int64_t timeout_ms = 30'000) = 0;
  // Adds partitions until there are `total`; Code::invalid_argument when there are as many already.
  virtual Status create_partitions(const std::string& name, int32_t total, int64_t timeout_ms = 30'000) {
    (void)total;
    (void)timeout_ms;
    return error(Code::unsupported, "create partitions of topic={}: not offered here", name);
  }
  virtual Status delete_topic(const std::string& name, int64_t timeout_ms = 30'000) = 0;
  // Code::not_found when it does not exist.
  virtual Result<TopicDescription> describe_topic(const std::string& name, int64_t timeout_ms = 30'000) = 0;
  virtual Result<std::vector<TopicDescription>> list_topics(int64_t timeout_ms = 30'000) = 0;
  virtual Result<ClusterDescription> describe_cluster(int64_t timeout_ms = 30'000) = 0;
  virtual Result<std::map<std::string, std::string>> topic_configs(const std::string& name,
                                                                   int64_t timeout_ms = 30'000) = 0;
  // With read_committed the end is the last stable offset.
  virtual Result<std::map<TopicPartition, Offset>> list_offsets(const std::vector<TopicPartition>& partitions,
                                                                OffsetSpec at, IsolationLevel isolation,
                                                                int64_t timeout_ms = 30'000) = 0;
  // The group's committed offsets; with `require_stable`, waits while a transaction on them is pending
  // (UNSTABLE_OFFSET_COMMIT). A partition without a commit is absent from the answer.
  virtual Result<Offsets> committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                            bool require_stable, int64_t timeout_ms = 30'000) = 0;
  // DeleteRecords: drops everything before the offsets (Kafka Streams purges repartition topics so).
  virtual Status delete_records(const std::map<TopicPartition, Offset>& before, int64_t timeout_ms = 30'000) = 0;
};

}  // namespace muir::client
