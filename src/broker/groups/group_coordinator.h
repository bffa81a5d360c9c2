// GroupCoordinator: consumer groups (the classic protocol) and their committed offsets.
//
// All groups live here, on one node; their state is stored in __consumer_offsets in Kafka's format and loaded from
// there at start. One method per API takes the request and answers through a callback: at once, or when the group's
// other members, a timer or the disk allow. Callbacks run on the coordinator's strand: they must not block.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/groups/group_offsets.h"
#include "broker/groups/group_state.h"
#include "broker/internal/partition_log.h"
#include "broker/internal/scheduler.h"
#include "broker/internal/strand.h"
#include "wire/messages/coordinator_records.h"
#include "wire/messages/delete_groups.h"
#include "wire/messages/describe_groups.h"
#include "wire/messages/heartbeat.h"
#include "wire/messages/join_group.h"
#include "wire/messages/leave_group.h"
#include "wire/messages/list_groups.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/offset_delete.h"
#include "wire/messages/offset_fetch.h"
#include "wire/messages/sync_group.h"
#include "wire/messages/txn_offset_commit.h"
#include "wire/record_batch.h"

namespace muir::broker {

// Kafka's keys and defaults.
struct GroupConfig {
  int64_t session_timeout_ms_min = 6000;         // group.min.session.timeout.ms
  int64_t session_timeout_ms_max = 1'800'000;    // group.max.session.timeout.ms
  int64_t initial_rebalance_delay_ms = 3000;     // group.initial.rebalance.delay.ms
  size_t members_max = INT32_MAX;                // group.max.size
  size_t members_bytes_max = 128 << 20;          // group.members.max.bytes, Muir's own
  size_t offset_metadata_bytes_max = 4096;       // offset.metadata.max.bytes
  int64_t offsets_retention_ms = 604'800'000;    // offsets.retention.minutes
  int64_t offsets_retention_check_ms = 600'000;  // offsets.retention.check.interval.ms
};

// Who sent a request.
struct GroupClient {
  std::string client_id;
  std::string host;     // "/127.0.0.1", as Kafka shows it
  int16_t version = 0;  // of the request
};

struct OffsetRecord;

// Thread-safe. Destroy it after the log and the scheduler have stopped calling back.
class GroupCoordinator {
 public:
  template <class Response>
  using Reply = std::function<void(Response)>;

  // The references outlive the coordinator.
  GroupCoordinator(GroupConfig config, PartitionLog& log, Scheduler& scheduler, Clock& clock);
  GroupCoordinator(const GroupCoordinator&) = delete;
  GroupCoordinator& operator=(const GroupCoordinator&) = delete;

  // Reads __consumer_offsets, if it exists, and starts the timers. Before any request.
  Status load();

  // The partition of __consumer_offsets that holds the group; creates the topic.
  Result<PartitionId> partition_for(const std::string& group_id);

  void join_group(GroupClient client, wire::JoinGroupRequest request, Reply<wire::JoinGroupResponse> reply);
  void sync_group(wire::SyncGroupRequest request, Reply<wire::SyncGroupResponse> reply);
  void heartbeat(wire::HeartbeatRequest request, Reply<wire::HeartbeatResponse> reply);
  void leave_group(int16_t version, wire::LeaveGroupRequest request, Reply<wire::LeaveGroupResponse> reply);
  void offset_commit(int16_t version, wire::OffsetCommitRequest request, Reply<wire::OffsetCommitResponse> reply);
  void offset_fetch(int16_t version, wire::OffsetFetchRequest request, Reply<wire::OffsetFetchResponse> reply);
  // Offsets stay pending until complete_transaction().
  void txn_offset_commit(wire::TxnOffsetCommitRequest request, Reply<wire::TxnOffsetCommitResponse> reply);
  void describe_groups(int16_t version, wire::DescribeGroupsRequest request, Reply<wire::DescribeGroupsResponse> reply);
  void list_groups(wire::ListGroupsRequest request, Reply<wire::ListGroupsResponse> reply);
  void delete_groups(wire::DeleteGroupsRequest request, Reply<wire::DeleteGroupsResponse> reply);
  void offset_delete(wire::OffsetDeleteRequest request, Reply<wire::OffsetDeleteResponse> reply);

  // The producer's marker is in `partitions` of __consumer_offsets: its pending offsets there become the groups'
  // (commit) or are forgotten. `done` runs on the strand.
  void complete_transaction(ProducerId producer_id, std::vector<PartitionId> partitions, bool commit,
                            std::function<void()> done);
  // Forgets the offsets of topics that are gone.
  void on_topics_deleted(std::vector<std::string> topics);
  // The same for those that were deleted shortly before the broker was killed. Called after load().
  void forget_offsets_of_missing_topics();
  // Expires offsets and empty groups as the retention says; also runs by itself.
  void expire_offsets();

  // Any thread.
  [[nodiscard]] const GroupCounts& group_counts() const { return counts_; }
  // What the members of all groups take: subscriptions, assignments, names. Any thread.
  [[nodiscard]] size_t members_bytes() const { return members_bytes_; }

 private:
  using GroupPtr = std::unique_ptr<Group>;
  using JoinReply = Reply<wire::JoinGroupResponse>;
  using SyncReply = Reply<wire::SyncGroupResponse>;

  // Membership, in group_membership.cc and group_rebalance.cc. All of it on the strand.
  void join(const GroupClient& client, wire::JoinGroupRequest& request, JoinReply reply);
  void join_new_member(Group& group, const GroupClient& client, wire::JoinGroupRequest& request, JoinReply reply);
  void join_known_member(Group& group, const GroupClient& client, wire::JoinGroupRequest& request, JoinReply reply);
  void add_member(Group& group, const GroupClient& client, wire::JoinGroupRequest& request, std::string member_id,
                  JoinReply reply);
  void replace_static_member(Group& group, const GroupClient& client, wire::JoinGroupRequest& request,
                             const std::string& old_id, JoinReply reply);
  void update_and_rebalance(Group& group, Member& member, wire::JoinGroupRequest& request, JoinReply reply,
                            std::string_view why);
  void sync(wire::SyncGroupRequest& request, SyncReply reply);
  void store_assignment(Group& group, wire::SyncGroupRequest& request);
  wire::ErrorCode beat(const wire::HeartbeatRequest& request);
  wire::ErrorCode leave_one(Group& group, const std::string& member_id, const std::optional<std::string>& instance_id);

  void maybe_rebalance(Group& group, std::string_view why);
  void begin_rebalance(Group& group, std::string_view why);
  void maybe_complete_join(Group& group);
  void complete_join(Group& group);
  void initial_delay_over(Group& group);
  void remove_member(Group& group, const std::string& member_id, std::string_view why);
  void after_removal(Group& group, std::string_view why);
  void begin_again_later(const Group& group, wire::ErrorCode error);
  void propagate_assignment(Group& group, wire::ErrorCode error);
  void store_group(Group& group, const std::map<std::string, Bytes>* assignments,
                   std::function<void(const Status&)> done);
  void check_deadlines(Group& group);
  void arm_timer(Group& group);
  std::string new_member_id(const std::string& prefix);
  [[nodiscard]] bool has_room(const Group& group, const std::string& member_id) const;
  // Whether members may take `bytes` in place of `bytes_before`. Logs it when they may not.
  [[nodiscard]] bool may_hold(const Group& group, size_t bytes, size_t bytes_before);
  [[nodiscard]] bool may_hold(Group& group, const GroupClient& client, const wire::JoinGroupRequest& request);
  void drop_if_nothing(const Group& group);

  // Offsets, in group_offset_requests.cc.
  void commit(int16_t version, wire::OffsetCommitRequest& request, Reply<wire::OffsetCommitResponse> reply);
  void commit_in_txn(wire::TxnOffsetCommitRequest& request, Reply<wire::TxnOffsetCommitResponse> reply);
  wire::OffsetFetchResponse fetch(int16_t version, const wire::OffsetFetchRequest& request);
  wire::ErrorCode check_commit(Group* group, GenerationId generation, const std::string& member_id,
                               const std::optional<std::string>& instance_id, bool transactional);
  wire::ErrorCode check_offset(const TopicPartition& partition, const std::optional<std::string>& metadata);
  void complete_pending(ProducerId producer_id, const std::vector<PartitionId>& partitions, bool commit);

  // Administration and expiry, in group_admin.cc.
  wire::DescribeGroupsResponse::Group describe(int16_t version, const std::string& group_id);
  void delete_group(const std::string& group_id, std::function<void(wire::ErrorCode)> done);
  void delete_offsets(wire::OffsetDeleteRequest& request, Reply<wire::OffsetDeleteResponse> reply);
  void expire();
  void schedule_expiry();
  // Writes tombstones for offsets and, if asked, the group itself, and then forgets them.
  void forget(Group& group, std::vector<TopicPartition> offsets, bool group_too,
              std::function<void(const Status&)> done);

  Status load_record(PartitionId partition, const wire::BatchHeader& batch, const wire::Record& record);
  void load_in_txn(Group& group, PartitionId partition, ProducerId producer_id, OffsetRecord& record);
  void load_group(const std::string& group_id, const std::optional<wire::GroupMetadataValue>& value);
  void finish_load();
  Group* find(const std::string& group_id);
  Group& find_or_create(const std::string& group_id);
  // Appends records for the group; done on the strand.
  void append(const std::string& group_id, Bytes batch, std::function<void(const Status&, Offset)> done);
  std::function<void()> on_strand(std::function<void()> task);

  const GroupConfig config_;
  PartitionLog& log_;
  Scheduler& scheduler_;
  Clock& clock_;
  Strand strand_;
  GroupCounts counts_;
  std::atomic<size_t> members_bytes_{0};  // before the groups, which count in it
  int64_t full_told_ms_ = INT64_MIN;
  std::map<std::string, GroupPtr> groups_;
  std::map<ProducerId, std::set<std::string>> pending_groups_;  // producer id -> groups with offsets that wait for it
  uint64_t next_group_serial_ = 1;
  uint64_t member_ids_ = 0;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // timers outlive nobody: they hold it weakly
};

}  // namespace muir::broker
