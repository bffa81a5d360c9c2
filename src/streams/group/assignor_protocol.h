// StreamsGroupProtocol: the "stream" protocol of a consumer group, as Kafka Streams members speak it.
//
// Cooperative: a member keeps what it runs through a rebalance. A task that moves is first taken from its owner; when
// the owner has given it up it joins again, and the next generation gives the task to its new owner.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/admin.h"
#include "client/group_member.h"
#include "streams/group/assignor_topics.h"
#include "streams/group/leader_failure.h"
#include "streams/group/subscription_info.h"
#include "streams/plan/subtopology.h"
#include "streams/streams_config.h"

namespace muir::streams::internal {

// One member's part of a generation.
struct TasksAssigned {
  GenerationId generation_id = kNoGeneration;
  std::string member_id;
  std::map<TaskId, std::vector<client::TopicPartition>> active;
  AssignmentInfo info;
};

// The runtime's half; called within GroupMember::poll(), on the thread that owns the member.
class AssignmentListener {
 public:
  virtual ~AssignmentListener() = default;
  [[nodiscard]] virtual std::map<TaskId, std::vector<client::TopicPartition>> owned_tasks() const = 0;
  // Of every task whose state this process has, running or on disk.
  [[nodiscard]] virtual std::vector<TaskOffsetSum> offset_sums() const = 0;
  // A rebalance begins: what is done so far is committed here, before the coordinator refuses this generation.
  virtual void on_rebalance() = 0;
  // Gives up what is not in `assigned` and begins what is new. True when something was given up.
  virtual Result<bool> on_tasks_assigned(const TasksAssigned& assigned) = 0;
  virtual void on_tasks_lost() = 0;
};

// Owned by its thread, except request_shutdown().
class StreamsGroupProtocol final : public client::GroupProtocol {
 public:
  StreamsGroupProtocol(std::shared_ptr<const TopologyPlan> plan, const StreamsConfig& config, ProcessId process_id,
                       client::Admin& admin, AssignmentListener& listener, LeaderFailure& leader_failure);

  std::vector<std::pair<std::string, Bytes>> metadata() override;
  Result<std::map<std::string, Bytes>> assign(const std::string& protocol_name,
                                              const std::map<std::string, Bytes>& member_metadata) override;
  void on_prepare(GenerationId generation_id, const std::string& member_id) override;
  Status on_assigned(GenerationId generation_id, const std::string& member_id, BytesView assignment) override;
  void on_lost() override;

  // True once after an assignment that needs another join soon: tasks were given up, or the leader asks for a version.
  [[nodiscard]] bool take_rejoin_request();
  // Wall-clock time at which the leader wants this member to join again; max: never.
  [[nodiscard]] int64_t next_rebalance_ms() const { return next_rebalance_ms_; }
  void forget_next_rebalance() { next_rebalance_ms_ = std::numeric_limits<int64_t>::max(); }
  // Whether a topic that tasks read was deleted, or has more partitions, since this member assigned the tasks as the
  // group's leader: then the group is to join again, and the assignment tells everybody what is missing. A cluster that
  // does not answer within `timeout_ms` has changed nothing; a topic is gone when two calls in a row do not find it.
  [[nodiscard]] bool sources_changed(int64_t timeout_ms);
  // The next subscription asks every instance of the application to stop. Thread-safe.
  void request_shutdown() { shutdown_requested_ = true; }

 private:
  struct Member;
  Result<ResolvedTopics> resolve() const;
  Result<std::vector<Member>> decode_members(const std::map<std::string, Bytes>& metadata) const;
  Result<std::map<std::string, Bytes>> assign_members(std::vector<Member>& members, const ResolvedTopics& topics) const;
  std::map<std::string, Bytes> refuse(const std::vector<Member>& members, AssignmentError code) const;

  // Shared with every thread that runs the topology.
  std::shared_ptr<const TopologyPlan> plan_;
  const StreamsConfig& config_;
  ProcessId process_id_;
  client::Admin& admin_;
  AssignmentListener& listener_;
  GenerationId generation_id_ = kNoGeneration;
  int32_t used_version_ = kAssignmentVersionLatest;
  int8_t unique_field_ = 0;
  bool rejoin_ = false;
  bool assigned_others_ = false;             // in the rebalance that is under way
  std::map<std::string, int32_t> led_with_;  // source and repartition topics; empty: not the leader
  std::string doubted_;                      // one of them that was not found
  int64_t next_rebalance_ms_ = std::numeric_limits<int64_t>::max();
  LeaderFailure& leader_failure_;
  std::atomic<bool> shutdown_requested_ = false;
};

}  // namespace muir::streams::internal
