// GroupOffsets: the committed offsets of one group, and those that wait for a transaction to end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/kafka_ids.h"

namespace muir::broker {

using TopicPartition = std::pair<std::string, PartitionId>;

struct CommittedOffset {
  Offset offset = kNoOffset;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::string metadata;
  int64_t commit_timestamp_ms = -1;
  std::optional<int64_t> expire_timestamp_ms;  // asked for by old clients
  Offset log_offset = kNoOffset;               // where the record stands: the later one wins
  bool operator==(const CommittedOffset&) const = default;
};

// Owned by the coordinator's strand.
class GroupOffsets {
 public:
  void commit(const TopicPartition& partition, CommittedOffset offset);
  // Those of transactions too, as Kafka's coordinator does when it reads a tombstone.
  void remove(const TopicPartition& partition);
  [[nodiscard]] const CommittedOffset* find(const TopicPartition& partition) const;
  [[nodiscard]] const std::map<TopicPartition, CommittedOffset>& committed() const { return committed_; }

  // A transaction's offset: announced before it is appended, since from then on the partition is unstable.
  void announce(ProducerId producer_id, const TopicPartition& partition);
  void stage(ProducerId producer_id, const TopicPartition& partition, CommittedOffset offset);
  // Takes back an announcement whose append failed, unless something has been staged.
  void retract(ProducerId producer_id, const TopicPartition& partition);
  void complete(ProducerId producer_id, bool commit);
  // Those that have an offset or wait for one.
  [[nodiscard]] std::set<TopicPartition> partitions() const;
  [[nodiscard]] bool is_unstable(const TopicPartition& partition) const;
  [[nodiscard]] bool has_pending(ProducerId producer_id) const { return pending_.contains(producer_id); }
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  [[nodiscard]] bool empty() const { return committed_.empty() && pending_.empty(); }

 private:
  std::map<TopicPartition, CommittedOffset> committed_;
  // producer id -> partition -> the offset, nullopt while it is only announced.
  std::map<ProducerId, std::map<TopicPartition, std::optional<CommittedOffset>>> pending_;
};

}  // namespace muir::broker
