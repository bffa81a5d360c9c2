// The thread's side of KafkaGroupMember: JoinGroup, SyncGroup, heartbeats, and what the coordinator's errors mean.
#include <chrono>

#include "base/log.h"
#include "client/internal/kafka_group_member.h"
#include "wire/messages/heartbeat.h"
#include "wire/messages/leave_group.h"
#include "wire/messages/sync_group.h"

namespace muir::client::internal {
namespace {

using wire::ErrorCode;

// The coordinator answers a JoinGroup at the latest when the rebalance timeout is over.
constexpr int64_t kJoinGraceMs = 5'000;

bool is_coordinator_trouble(ErrorCode code) {
  return code == ErrorCode::not_coordinator || code == ErrorCode::coordinator_not_available ||
         code == ErrorCode::coordinator_load_in_progress || code == ErrorCode::request_timed_out;
}

}  // namespace

void KafkaGroupMember::run() {
  Lock lock(mutex_);
  Deadline next_heartbeat(0);
  bool was_heartbeating = false;
  while (!stop_) {
    if (stage_ == Stage::joining) {
      join(lock);
    } else if (stage_ == Stage::syncing) {
      sync(lock);
    } else if (!heartbeating_) {
      changed_.wait(lock);
    } else if (!was_heartbeating) {
      next_heartbeat = Deadline(options_.heartbeat_interval_ms);
    } else if (!next_heartbeat.passed()) {
      changed_.wait_for(lock, std::chrono::milliseconds(next_heartbeat.left_ms()));
    } else {
      next_heartbeat = Deadline(options_.heartbeat_interval_ms);
      const bool overdue = system_clock().steady_ms() - polled_at_ms_ > options_.rebalance_timeout_ms;
      if (overdue && options_.group_instance_id.empty()) {
        leave_overdue(lock);
      } else {
        heartbeat(lock);
      }
    }
    was_heartbeating = heartbeating_;
  }
}

void KafkaGroupMember::pause(Lock& lock, int64_t ms) {
  const Deadline deadline(ms);
  while (!stop_ && !deadline.passed()) changed_.wait_for(lock, std::chrono::milliseconds(deadline.left_ms()));
}

void KafkaGroupMember::forget_coordinator() { coordinator_.reset(); }

Result<BrokerConnection*> KafkaGroupMember::coordinator(int64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  if (!coordinator_) coordinator_ = MUIR_TRY(thread_client_.coordinator(options_.group_id, deadline));
  return thread_client_.at(*coordinator_, deadline);
}

// One request to the coordinator with the lock released; in_use_ lets leave() and the destructor end the wait.
template <class Request>
Result<typename Request::Response> KafkaGroupMember::ask(Lock& lock, const Request& request, int64_t timeout_ms,
                                                         int16_t cap) {
  using Answer = Result<typename Request::Response>;
  lock.unlock();
  Result<BrokerConnection*> connection = coordinator(std::min(options_.request_timeout_ms, timeout_ms));
  lock.lock();
  if (stop_) return error(Code::aborted, "the member is being closed");
  if (!connection.ok()) return connection.status();
  in_use_ = *connection;
  lock.unlock();
  Answer answer = (*connection)->call(request, timeout_ms, cap);
  lock.lock();
  in_use_ = nullptr;
  return answer;
}

void KafkaGroupMember::take_error(ErrorCode code, const std::string& what) {
  const Status status = wire::to_status(code, what);
  switch (code) {
    case ErrorCode::fenced_instance_id:
      fenced_ = status;
      heartbeating_ = false;
      stage_ = Stage::lost;
      break;
    case ErrorCode::unknown_member_id:
    case ErrorCode::illegal_generation:
      log::info("{}", status.message());
      if (code == ErrorCode::unknown_member_id) member_id_.clear();
      generation_ = kNoGeneration;
      heartbeating_ = false;
      stage_ = Stage::lost;
      break;
    case ErrorCode::rebalance_in_progress:
      rejoin_ = true;
      if (stage_ != Stage::stable) stage_ = Stage::unjoined;
      break;
    default:
      failure_ = status;
      stage_ = Stage::unjoined;
      break;
  }
  changed_.notify_all();
}

void KafkaGroupMember::join(Lock& lock) {
  heartbeating_ = false;
  wire::JoinGroupRequest request;
  request.group_id = options_.group_id;
  request.session_timeout_ms = static_cast<int32_t>(options_.session_timeout_ms);
  request.rebalance_timeout_ms = static_cast<int32_t>(options_.rebalance_timeout_ms);
  request.member_id = member_id_;
  if (!options_.group_instance_id.empty()) request.group_instance_id = options_.group_instance_id;
  request.protocol_type = options_.protocol_type;
  for (const auto& [name, bytes] : join_metadata_) request.protocols.push_back({.name = name, .metadata = bytes});

  const auto answer = ask(lock, request, options_.rebalance_timeout_ms + kJoinGraceMs, INT16_MAX);
  if (stop_ || stage_ != Stage::joining) return;  // the owner left meanwhile
  if (!answer.ok()) {
    log::debug("join group={}: {}", options_.group_id, answer.status().message());
    forget_coordinator();
    if (answer.status().code() == Code::unsupported || answer.status().code() == Code::permission_denied) {
      failure_ = answer.status();
      stage_ = Stage::unjoined;
      changed_.notify_all();
    }
    pause(lock, options_.retry_backoff_ms);
    return;
  }
  take_join_answer(*answer);
  if (is_coordinator_trouble(answer->error_code)) {
    forget_coordinator();
    pause(lock, options_.retry_backoff_ms);
  }
}

void KafkaGroupMember::take_join_answer(const wire::JoinGroupResponse& answer) {
  if (is_coordinator_trouble(answer.error_code)) return;  // asked again
  if (answer.error_code == ErrorCode::member_id_required) {
    member_id_ = answer.member_id;  // KIP-394: the next attempt carries it
    return;
  }
  if (answer.error_code != ErrorCode::none) {
    take_error(answer.error_code, fmt::format("join group={} member={}", options_.group_id, member_id_));
    return;
  }
  member_id_ = answer.member_id;
  generation_ = GenerationId(answer.generation_id);
  protocol_name_ = answer.protocol_name.value_or("");
  members_.clear();
  assignments_.clear();
  for (const auto& member : answer.members) members_[member.member_id] = member.metadata;
  // KIP-814: a static leader that came back does not assign anew.
  const bool leads = answer.leader == answer.member_id && !answer.skip_assignment;
  stage_ = leads ? Stage::leading : Stage::syncing;
  heartbeating_ = leads;  // an assignment may take long
  changed_.notify_all();
}

void KafkaGroupMember::sync(Lock& lock) {
  wire::SyncGroupRequest request;
  request.group_id = options_.group_id;
  request.generation_id = generation_.value();
  request.member_id = member_id_;
  if (!options_.group_instance_id.empty()) request.group_instance_id = options_.group_instance_id;
  request.protocol_type = options_.protocol_type;
  request.protocol_name = protocol_name_;
  for (const auto& [id, bytes] : assignments_) request.assignments.push_back({.member_id = id, .assignment = bytes});

  const auto answer = ask(lock, request, options_.rebalance_timeout_ms + kJoinGraceMs, INT16_MAX);
  if (stop_ || stage_ != Stage::syncing) return;
  if (!answer.ok() || is_coordinator_trouble(answer->error_code)) {
    // Whether the coordinator took the assignment is not known: joining again settles it.
    forget_coordinator();
    stage_ = Stage::unjoined;
    changed_.notify_all();
    pause(lock, options_.retry_backoff_ms);
    return;
  }
  if (answer->error_code != ErrorCode::none) {
    take_error(answer->error_code,
               fmt::format("sync group={} member={} generation={}", options_.group_id, member_id_, generation_));
    return;
  }
  assignment_ = answer->assignment;
  stage_ = Stage::assigned;
  heartbeating_ = true;
  changed_.notify_all();
}

void KafkaGroupMember::heartbeat(Lock& lock) {
  wire::HeartbeatRequest request;
  request.group_id = options_.group_id;
  request.generation_id = generation_.value();
  request.member_id = member_id_;
  if (!options_.group_instance_id.empty()) request.group_instance_id = options_.group_instance_id;
  const auto answer = ask(lock, request, std::min(options_.request_timeout_ms, options_.session_timeout_ms), INT16_MAX);
  if (stop_ || !heartbeating_ || generation_.value() != request.generation_id) return;
  if (!answer.ok() || is_coordinator_trouble(answer->error_code)) {
    log::debug("heartbeat group={}: {}", options_.group_id,
               answer.ok() ? std::string(wire::name_of(answer->error_code)) : answer.status().message());
    forget_coordinator();
    return;  // the next heartbeat finds the coordinator again
  }
  if (answer->error_code == ErrorCode::none || stage_ == Stage::joining) return;
  const std::string what =
      fmt::format("heartbeat group={} member={} generation={}", options_.group_id, member_id_, generation_);
  if (answer->error_code == ErrorCode::rebalance_in_progress) {
    rejoin_ = true;  // the owner rejoins at its next poll; heartbeats keep the session until then
    changed_.notify_all();
    return;
  }
  take_error(answer->error_code, what);
}

// KIP-62: an owner that has not polled for max.poll.interval.ms is stuck; its partitions go to others.
void KafkaGroupMember::leave_overdue(Lock& lock) {
  log::warn("group={} member={}: no poll for {} ms; leaving the group", options_.group_id, member_id_,
            options_.rebalance_timeout_ms);
  wire::LeaveGroupRequest request;
  request.group_id = options_.group_id;
  request.member_id = member_id_;
  request.members.push_back({.member_id = member_id_});
  (void)ask(lock, request, options_.request_timeout_ms, INT16_MAX);
  if (stop_) return;
  take_error(ErrorCode::unknown_member_id, fmt::format("group={} member={}", options_.group_id, member_id_));
}

}  // namespace muir::client::internal
