// The state of a MemoryCluster and the operations of its brokers on it. Everything here is called with State::mutex
// held.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "client/cluster_memory.h"

namespace muir::client::internal {

// What lies in a partition; shared because Records keep what they returned alive while delete_records() drops it.
struct MemoryRecord : StoredRecord {
  ProducerId producer_id = kNoProducerId;
};

// One partition: an append-only log with a start that moves.
struct MemoryPartition {
  std::deque<std::shared_ptr<MemoryRecord>> records;  // offsets are contiguous, from log_start
  Offset log_start;
  std::map<ProducerId, Offset> open_transactions;  // with the first offset here

  [[nodiscard]] Offset end() const { return log_start + static_cast<int64_t>(records.size()); }
  // `offset` is between log_start and end().
  [[nodiscard]] const std::shared_ptr<MemoryRecord>& at(Offset offset) const {
    return records[static_cast<size_t>(offset - log_start)];
  }
  // Records from here on are not for read_committed readers yet.
  [[nodiscard]] Offset last_stable() const;
  [[nodiscard]] Offset end(IsolationLevel isolation) const {
    return isolation == IsolationLevel::read_committed ? last_stable() : end();
  }
  Offset append(MemoryRecord record);
  // The transaction's records get their outcome and a control record ends it.
  void complete(ProducerId producer_id, bool committed, int64_t now_ms);
  void delete_before(Offset offset);
};

struct MemoryTopic {
  wire::Uuid id;
  std::map<std::string, std::string> configs;
  std::vector<MemoryPartition> partitions;
};

// The next incarnation; the earlier ones are fenced.
inline ProducerEpoch next(ProducerEpoch epoch) { return ProducerEpoch(static_cast<int16_t>(epoch.value() + 1)); }
inline GenerationId next(GenerationId generation) { return GenerationId(generation.value() + 1); }

struct MemoryTransactional {
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch epoch = kNoProducerEpoch;
  bool ongoing = false;
  int64_t started_ms = 0;
  int64_t timeout_ms = 60'000;
  std::set<TopicPartition> partitions;
  std::map<std::string, Offsets> offsets;  // by group
};

struct MemoryMemberState {
  std::string instance_id;
  std::vector<std::pair<std::string, Bytes>> metadata;
  bool joined = false;  // in the rebalance under way
  Bytes assignment;
  int64_t seen_ms = 0;
  int64_t rebalance_timeout_ms = 300'000;
};

struct MemoryGroup {
  enum class Phase : unsigned char { empty, preparing, completing, stable };
  Phase phase = Phase::empty;
  GenerationId generation;
  std::string protocol;
  std::string leader;
  int64_t preparing_since_ms = 0;
  std::map<std::string, MemoryMemberState> members;
  std::map<std::string, std::string> static_members;  // instance id -> member id
  Offsets committed;
};

// Is the identity still that of a member of the current generation? A failure with Kafka's error code when not.
Status check_identity(const MemoryGroup* group, const GroupMetadata& identity);

}  // namespace muir::client::internal

namespace muir::client {

struct MemoryCluster::State {
  State(Clock& the_clock, MemoryClusterOptions the_options) : clock(the_clock), options(the_options) {}

  Clock& clock;
  const MemoryClusterOptions options;
  mutable std::mutex mutex;
  std::condition_variable changed;
  FaultPlan faults;
  std::mt19937_64 random{1};
  std::map<std::string, internal::MemoryTopic> topics;
  std::map<std::string, internal::MemoryGroup> groups;
  std::map<std::string, internal::MemoryTransactional> transactional;
  int64_t next_producer_id = 1;
  int64_t next_member = 1;
  uint64_t next_topic = 1;
  std::vector<std::string> history;

  template <class... A>
  void note(fmt::format_string<A...> format, A&&... args) {
    if (options.keep_history) history.push_back(fmt::format(format, std::forward<A>(args)...));
  }
  // True with the given chance.
  bool draw(double chance);
  internal::MemoryTopic& make_topic(const std::string& name);  // without partitions
  // nullptr when there is no such topic (and none is created).
  internal::MemoryTopic* topic(std::string_view name, bool may_create);
  Result<internal::MemoryPartition*> partition(const TopicPartition& partition);
  void end_transaction(internal::MemoryTransactional& transaction, bool committed);
  // Ends transactions and sessions whose time is over.
  void expire();

  // Groups. A member that joins or leaves starts a rebalance; it completes when all known members have joined.
  void prepare_rebalance(internal::MemoryGroup& group);
  void complete_rebalance(internal::MemoryGroup& group);
  void remove_member(internal::MemoryGroup& group, const std::string& member_id);
  // Waits for `changed` in blocking mode; false at once otherwise, or when the time is over.
  bool wait(std::unique_lock<std::mutex>& lock, int64_t until_us);
};

}  // namespace muir::client
