// GroupOffsets: the committed offsets of one group, and those that wait for a transaction to end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace muir::broker {

using TopicPartition = std::pair<std::string, int32_t>;

struct CommittedOffset {
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_timestamp_ms = -1;
  std::optional<int64_t> expire_timestamp_ms;  // asked for by old clients
  int64_t log_offset = -1;                     // where the record stands: the later one wins
  bool operator==(const CommittedOffset&) const = default;
};

// Owned by the coordinator's strand.
class GroupOffsets {
 public:
  void commit(const TopicPartition& partition, CommittedOffset offset);
  void remove(const TopicPartition& partition);
  [[nodiscard]] const CommittedOffset* find(const TopicPartition& partition) const;
  [[nodiscard]] const std::map<TopicPartition, CommittedOffset>& committed() const { return committed_; }

  // A transaction's offset: announced before it is appended, since from then on the partition is unstable.
  void announce(int64_t producer_id, const TopicPartition& partition);
  void stage(int64_t producer_id, const TopicPartition& partition, CommittedOffset offset);
  // Takes back an announcement whose append failed, unless something has been staged.
  void retract(int64_t producer_id, const TopicPartition& partition);
  void complete(int64_t producer_id, bool commit);
  [[nodiscard]] bool is_unstable(const TopicPartition& partition) const;
  [[nodiscard]] bool has_pending(int64_t producer_id) const { return pending_.contains(producer_id); }
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  [[nodiscard]] bool empty() const { return committed_.empty() && pending_.empty(); }

 private:
  std::map<TopicPartition, CommittedOffset> committed_;
  // producer id -> partition -> the offset, nullopt while it is only announced.
  std::map<int64_t, std::map<TopicPartition, std::optional<CommittedOffset>>> pending_;
};

}  // namespace muir::broker
