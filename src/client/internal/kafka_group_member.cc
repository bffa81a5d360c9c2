#include "client/internal/kafka_group_member.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "wire/messages/leave_group.h"
#include "wire/messages/offset_commit.h"

// The owner's side: poll(), commits, leaving. The thread's side is in group_member_thread.cc.
namespace muir::client::internal {
namespace {

constexpr int64_t kLeaveTimeoutMs = 3'000;
constexpr int64_t kTopicAppearsMs = 2'000;

}  // namespace

KafkaGroupMember::KafkaGroupMember(ProtocolClientOptions client, GroupMemberOptions options, GroupProtocol& protocol)
    : options_(std::move(options)),
      protocol_(protocol),
      polled_at_ms_(system_clock().steady_ms()),
      identity_{options_.group_id, kNoGeneration, {}, options_.group_instance_id},
      thread_client_(client),
      owner_client_(std::move(client)),
      thread_([this] { run(); }) {}

KafkaGroupMember::~KafkaGroupMember() {
  std::string member_id;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    member_id = member_id_;
    if (in_use_ != nullptr) in_use_->abort();
    changed_.notify_all();
  }
  thread_.join();
  // A static member keeps its place until its session ends: that is what it is for.
  if (!options_.group_instance_id.empty() || member_id.empty() || !fenced_.ok()) return;
  if (Status status = send_leave(member_id, kLeaveTimeoutMs); !status.ok()) log::debug("{}", status.message());
}

void KafkaGroupMember::request_rejoin() {
  const std::lock_guard lock(mutex_);
  rejoin_ = true;
  changed_.notify_all();
}

bool KafkaGroupMember::stable() const {
  const std::lock_guard lock(mutex_);
  return stage_ == Stage::stable;
}

GroupMetadata KafkaGroupMember::metadata() const {
  const std::lock_guard lock(mutex_);
  return identity_;
}

Status KafkaGroupMember::poll(int64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  Lock lock(mutex_);
  polled_at_ms_ = system_clock().steady_ms();
  while (true) {
    const bool moved = MUIR_TRY(advance(lock));
    if (moved) {
      if (stage_ == Stage::stable && !rejoin_) return {};
      continue;
    }
    if (stage_ == Stage::stable) return {};
    if (deadline.passed()) return {};
    changed_.wait_for(lock, std::chrono::milliseconds(deadline.left_ms()));
  }
}

// One step that is the owner's to take; false when it is the thread's turn.
Result<bool> KafkaGroupMember::advance(Lock& lock) {
  MUIR_RETURN_IF_ERROR(std::exchange(failure_, Status()));
  switch (stage_) {
    case Stage::lost:
      tell_lost(lock);
      MUIR_RETURN_IF_ERROR(fenced_);
      return true;
    case Stage::left:
    case Stage::unjoined:
      MUIR_RETURN_IF_ERROR(fenced_);
      prepare(lock);
      return true;
    case Stage::leading: MUIR_RETURN_IF_ERROR(lead(lock)); return true;
    case Stage::assigned: MUIR_RETURN_IF_ERROR(take_assignment(lock)); return true;
    case Stage::stable:
      if (!rejoin_) return false;
      stage_ = Stage::unjoined;
      return true;
    case Stage::joining:
    case Stage::syncing: return false;
  }
  return false;
}

void KafkaGroupMember::tell_lost(Lock& lock) {
  stage_ = Stage::unjoined;
  identity_.generation_id = kNoGeneration;
  identity_.member_id.clear();
  lock.unlock();
  protocol_.on_lost();
  lock.lock();
}

// Heartbeats go on meanwhile: giving up partitions may take as long as the rebalance timeout.
void KafkaGroupMember::prepare(Lock& lock) {
  rejoin_ = false;
  stage_ = Stage::unjoined;
  const GroupMetadata identity = identity_;
  lock.unlock();
  protocol_.on_prepare(identity.generation_id, identity.member_id);
  std::vector<std::pair<std::string, Bytes>> metadata = protocol_.metadata();
  lock.lock();
  polled_at_ms_ = system_clock().steady_ms();
  if (stage_ != Stage::unjoined) return;  // lost meanwhile
  join_metadata_ = std::move(metadata);
  stage_ = Stage::joining;
  changed_.notify_all();
}

Status KafkaGroupMember::lead(Lock& lock) {
  const std::map<std::string, Bytes> members = members_;
  const std::string name = protocol_name_;
  lock.unlock();
  Result<std::map<std::string, Bytes>> assignments = protocol_.assign(name, members);
  lock.lock();
  polled_at_ms_ = system_clock().steady_ms();
  if (stage_ != Stage::leading) return {};
  if (!assignments.ok()) {
    stage_ = Stage::unjoined;
    return assignments.status();
  }
  assignments_ = std::move(assignments).value();
  stage_ = Stage::syncing;
  changed_.notify_all();
  return {};
}

Status KafkaGroupMember::take_assignment(Lock& lock) {
  stage_ = Stage::stable;
  identity_.generation_id = generation_;
  identity_.member_id = member_id_;
  const GroupMetadata identity = identity_;
  const Bytes assignment = std::move(assignment_);
  lock.unlock();
  const Status status = protocol_.on_assigned(identity.generation_id, identity.member_id, assignment);
  lock.lock();
  polled_at_ms_ = system_clock().steady_ms();
  if (!status.ok() && stage_ == Stage::stable) stage_ = Stage::unjoined;
  return status;
}

Status KafkaGroupMember::commit(const Offsets& offsets, int64_t timeout_ms) {
  const GroupMetadata identity = metadata();
  if (identity.generation_id < GenerationId(0))
    return error(Code::failed_precondition, "commit group={}: not a member", options_.group_id);
  if (offsets.empty()) return {};
  const Deadline deadline(timeout_ms);
  // The coordinator may hear of a new topic late. One that was deleted does not come back: all else has been committed.
  const Deadline appears(std::min(timeout_ms, kTopicAppearsMs));
  Status gone;
  const Status done = owner_client_.retry(deadline, [&]() -> Status {
    Status committed = commit_once(offsets, identity, deadline);
    if (wire::kafka_code_of(committed) != wire::ErrorCode::unknown_topic_or_partition || appears.left_ms() > 0)
      return committed;
    gone = std::move(committed);
    return {};
  });
  return gone.ok() ? done : gone;
}

Status KafkaGroupMember::commit_once(const Offsets& offsets, const GroupMetadata& identity, const Deadline& deadline) {
  if (!owner_coordinator_) owner_coordinator_ = MUIR_TRY(owner_client_.coordinator(options_.group_id, deadline));
  wire::OffsetCommitRequest request;
  request.group_id = identity.group_id;
  request.generation_id_or_member_epoch = identity.generation_id.value();
  request.member_id = identity.member_id;
  if (!identity.group_instance_id.empty()) request.group_instance_id = identity.group_instance_id;
  for (const auto& [one, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != one.topic)
      request.topics.push_back({.name = one.topic});
    request.topics.back().partitions.push_back({.partition_index = one.partition.value(),
                                                .committed_offset = offset.offset.value(),
                                                .committed_leader_epoch = offset.leader_epoch.value(),
                                                .committed_metadata = offset.metadata});
  }
  Result<BrokerConnection*> connection = owner_client_.at(*owner_coordinator_, deadline);
  Result<wire::OffsetCommitResponse> answer = connection.ok()
                                                  ? (*connection)->call(request, owner_client_.request_ms(deadline), 8)
                                                  : Result<wire::OffsetCommitResponse>(connection.status());
  if (!answer.ok()) {
    owner_coordinator_.reset();
    return answer.status().annotate(fmt::format("commit group={}", options_.group_id));
  }
  for (const auto& topic : answer->topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code == wire::ErrorCode::none) continue;
      return note_commit_error(partition.error_code,
                               fmt::format("commit group={} topic={} partition={}", options_.group_id, topic.name,
                                           partition.partition_index));
    }
  }
  return {};
}

// A refused commit also says where the membership stands.
Status KafkaGroupMember::note_commit_error(wire::ErrorCode code, const std::string& what) {
  const Status status = wire::to_status(code, what);
  switch (code) {
    case wire::ErrorCode::not_coordinator:
    case wire::ErrorCode::coordinator_not_available: owner_coordinator_.reset(); return status;
    case wire::ErrorCode::unknown_member_id:
    case wire::ErrorCode::illegal_generation:
    case wire::ErrorCode::rebalance_in_progress:
    case wire::ErrorCode::fenced_instance_id: {
      const std::lock_guard lock(mutex_);
      // Only while the refused generation is still the current one; the thread may already be on its way to the next.
      if (stage_ == Stage::stable && generation_ == identity_.generation_id) take_error(code, what);
      return code == wire::ErrorCode::fenced_instance_id ? status : status.with(Code::aborted);
    }
    default: return status;
  }
}

Status KafkaGroupMember::send_leave(const std::string& member_id, int64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  if (!owner_coordinator_) owner_coordinator_ = MUIR_TRY(owner_client_.coordinator(options_.group_id, deadline));
  BrokerConnection* connection = MUIR_TRY(owner_client_.at(*owner_coordinator_, deadline));
  wire::LeaveGroupRequest request;
  request.group_id = options_.group_id;
  request.member_id = member_id;
  wire::LeaveGroupRequest::Member& one = request.members.emplace_back();
  one.member_id = member_id;
  if (!options_.group_instance_id.empty()) one.group_instance_id = options_.group_instance_id;
  const auto answer = MUIR_TRY(connection->call(request, owner_client_.request_ms(deadline)));
  const std::string what = fmt::format("leave group={} member={}", options_.group_id, member_id);
  MUIR_RETURN_IF_ERROR(wire::to_status(answer.error_code, what));
  if (answer.members.empty() || answer.members[0].error_code == wire::ErrorCode::unknown_member_id) return {};
  return wire::to_status(answer.members[0].error_code, what);
}

Status KafkaGroupMember::leave() {
  std::string member_id;
  {
    const std::lock_guard lock(mutex_);
    member_id = std::exchange(member_id_, std::string());
    generation_ = kNoGeneration;
    identity_.generation_id = kNoGeneration;
    identity_.member_id.clear();
    heartbeating_ = false;
    stage_ = Stage::left;
    if (in_use_ != nullptr) in_use_->abort();
    changed_.notify_all();
  }
  if (member_id.empty()) return {};
  return send_leave(member_id, options_.request_timeout_ms);
}

}  // namespace muir::client::internal
