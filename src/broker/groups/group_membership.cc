// JoinGroup, SyncGroup, Heartbeat and LeaveGroup: what one member asks for.
#include <algorithm>

#include "base/log.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/coordinator_error.h"

namespace muir::broker {

using wire::ErrorCode;
using wire::JoinGroupRequest;
using wire::JoinGroupResponse;

namespace {

// A new member waits for its first answer without being able to send heartbeats, and may be gone: it is given up then.
constexpr int64_t kNewMemberTimeoutMs = 300'000;
// So long a group whose assignment could not be stored waits for its next rebalance.
constexpr int64_t kStoreAgainMs = 1000;
// Larger ones leave a quarter of the memory to those up to this size.
constexpr size_t kSmallMemberBytes = 64 * 1024;
// Between two warnings that members are refused for the memory they take.
constexpr int64_t kFullToldEveryMs = 10'000;
// From this version on a member without id is told one and must come back with it (KIP-394)...
constexpr int16_t kMemberIdRequiredSince = 4;
// ...and from this one on a static leader may be told to skip the assignment (KIP-814).
constexpr int16_t kSkipAssignmentSince = 9;

std::vector<MemberProtocol> protocols_of(const JoinGroupRequest& request) {
  std::vector<MemberProtocol> out;
  out.reserve(request.protocols.size());
  for (const auto& p : request.protocols) out.push_back({p.name, p.metadata});
  return out;
}

JoinGroupResponse refusal(ErrorCode error, std::string member_id) {
  return {.error_code = error, .member_id = std::move(member_id)};
}

// What a member is told that need not wait for a rebalance.
JoinGroupResponse current_generation(const Group& group, const Member& member) {
  JoinGroupResponse response{.generation_id = group.generation.value(),
                             .protocol_type = group.protocol_type,
                             .protocol_name = group.protocol,
                             .leader = group.leader.value_or(""),
                             .member_id = member.id};
  return response;
}

}  // namespace

// Member ids are the client's name and a UUID; ids of one coordinator differ by the counter, those of others by time.
std::string GroupCoordinator::new_member_id(const std::string& prefix) {
  const auto mix = [](uint64_t v) {  // splitmix64's finaliser
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9ULL;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebULL;
    return v ^ (v >> 31);
  };
  const uint64_t counter = ++member_ids_;
  const wire::Uuid id = wire::Uuid::from_random(mix(static_cast<uint64_t>(clock_.now_ms())), mix(counter));
  const auto part = [&](size_t from, size_t to) {
    std::string out;
    for (size_t i = from; i < to; ++i) out += fmt::format("{:02x}", id.bytes[i]);
    return out;
  };
  return fmt::format("{}-{}-{}-{}-{}-{}", prefix, part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 16));
}

bool GroupCoordinator::has_room(const Group& group, const std::string& member_id) const {
  const auto at = group.members.find(member_id);
  switch (group.state) {
    case GroupState::empty:
    case GroupState::dead: return true;
    case GroupState::preparing_rebalance:
      return (at != group.members.end() && at->second.join_reply) || group.waiting_to_join() < config_.members_max;
    default: return at != group.members.end() || group.members.size() < config_.members_max;
  }
}

bool GroupCoordinator::may_hold(const Group& group, size_t bytes, size_t bytes_before) {
  const size_t most = config_.members_bytes_max - (bytes > kSmallMemberBytes ? config_.members_bytes_max / 4 : 0);
  if (bytes <= bytes_before || members_bytes_ - bytes_before + bytes <= most) return true;
  const int64_t now = clock_.steady_ms();
  if (full_told_ms_ != INT64_MIN && now - full_told_ms_ < kFullToldEveryMs) return false;
  full_told_ms_ = now;
  log::warn(
      "group {}: a member that takes {} bytes is refused, as those of all groups take {}, and group.members.max.bytes "
      "is {}; others of this kind without a word",
      group.id, bytes, members_bytes_.load(), config_.members_bytes_max);
  return false;
}

bool GroupCoordinator::may_hold(Group& group, const GroupClient& client, const JoinGroupRequest& request) {
  const bool is_told_its_id =
      request.member_id.empty() && !request.group_instance_id && client.version >= kMemberIdRequiredSince;
  if (is_told_its_id) return may_hold(group, group.bytes_of_id(client.client_id), 0);
  const std::string* holder = request.group_instance_id ? group.static_member(*request.group_instance_id) : nullptr;
  const Member* known = group.member(holder != nullptr ? *holder : request.member_id);
  const auto pending = group.pending_members.find(request.member_id);
  const size_t before = known != nullptr                         ? known->held.bytes()
                        : pending != group.pending_members.end() ? pending->second.held.bytes()
                                                                 : 0;
  const Member asked{.id = request.member_id.empty() ? client.client_id : request.member_id,
                     .instance_id = request.group_instance_id,
                     .client_id = client.client_id,
                     .client_host = client.host,
                     .protocols = protocols_of(request),
                     .assignment = known != nullptr ? known->assignment : Bytes{}};
  return may_hold(group, group.bytes_of(asked), before);
}

void GroupCoordinator::join(const GroupClient& client, JoinGroupRequest& request, JoinReply reply) {
  if (request.group_id.empty()) return reply(refusal(ErrorCode::invalid_group_id, request.member_id));
  if (client.version == 0) request.rebalance_timeout_ms = request.session_timeout_ms;
  if (request.session_timeout_ms < config_.session_timeout_ms_min ||
      request.session_timeout_ms > config_.session_timeout_ms_max) {
    return reply(refusal(ErrorCode::invalid_session_timeout, request.member_id));
  }
  Group* group = find(request.group_id);
  if (group == nullptr) {
    if (!request.member_id.empty()) return reply(refusal(ErrorCode::unknown_member_id, request.member_id));
    if (request.protocol_type.empty() || request.protocols.empty()) {
      return reply(refusal(ErrorCode::inconsistent_group_protocol, request.member_id));
    }
    group = &find_or_create(request.group_id);
  }
  if (group->state == GroupState::dead) return reply(refusal(ErrorCode::coordinator_not_available, request.member_id));
  if (!has_room(*group, request.member_id) || !may_hold(*group, client, request)) {
    drop_if_nothing(*group);
    return reply(refusal(ErrorCode::group_max_size_reached, ""));
  }
  if (!group->accepts(request.protocol_type, protocols_of(request))) {
    return reply(refusal(ErrorCode::inconsistent_group_protocol, request.member_id));
  }
  if (request.member_id.empty()) {
    join_new_member(*group, client, request, std::move(reply));
  } else {
    join_known_member(*group, client, request, std::move(reply));
  }
  arm_timer(*group);
  drop_if_nothing(*group);
}

void GroupCoordinator::join_new_member(Group& group, const GroupClient& client, JoinGroupRequest& request,
                                       JoinReply reply) {
  std::string id = new_member_id(request.group_instance_id.value_or(client.client_id));
  if (request.group_instance_id) {
    const std::string* holder = group.static_member(*request.group_instance_id);
    if (holder == nullptr) return add_member(group, client, request, std::move(id), std::move(reply));
    const std::string old_id = *holder;
    request.member_id = std::move(id);
    return replace_static_member(group, client, request, old_id, std::move(reply));
  }
  if (client.version < kMemberIdRequiredSince) {
    return add_member(group, client, request, std::move(id), std::move(reply));
  }
  // KIP-394: a client that gives up waiting for its first answer and asks again would be two members, one of them dead
  // until its session ends. It is a member only when it comes with the id that it was told.
  group.add_pending(id, clock_.steady_ms() + request.session_timeout_ms);
  reply(refusal(ErrorCode::member_id_required, std::move(id)));
}

void GroupCoordinator::join_known_member(Group& group, const GroupClient& client, JoinGroupRequest& request,
                                         JoinReply reply) {
  if (!request.group_instance_id && group.pending_members.erase(request.member_id) > 0) {
    return add_member(group, client, request, request.member_id, std::move(reply));
  }
  const ErrorCode error = group.check_member(request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return reply(refusal(error, request.member_id));
  Member& member = *group.member(request.member_id);
  const bool same_protocols = member.protocols == protocols_of(request);
  switch (group.state) {
    case GroupState::preparing_rebalance:
      return update_and_rebalance(group, member, request, std::move(reply), "a member joins again");
    case GroupState::completing_rebalance:
      // The answer to the first request may have been lost: the same question gets the same answer.
      if (!same_protocols) {
        return update_and_rebalance(group, member, request, std::move(reply), "a member's metadata changed");
      }
      break;
    case GroupState::stable:
      // A leader joins again when partitions have changed: it alone watches them for all.
      if (group.leader == member.id) {
        return update_and_rebalance(group, member, request, std::move(reply), "the leader joins again");
      }
      if (!same_protocols) {
        return update_and_rebalance(group, member, request, std::move(reply), "a member's metadata changed");
      }
      break;
    default: return reply(refusal(ErrorCode::unknown_member_id, request.member_id));
  }
  JoinGroupResponse response = current_generation(group, member);
  if (group.leader == member.id) response.members = group.members_for_leader();
  if (!member.waits()) member.deadline_ms = clock_.steady_ms() + member.session_timeout_ms;
  reply(std::move(response));
}

void GroupCoordinator::add_member(Group& group, const GroupClient& client, JoinGroupRequest& request,
                                  std::string member_id, JoinReply reply) {
  if (!group.protocol_type || group.state == GroupState::empty) group.protocol_type = request.protocol_type;
  Member& member = group.add({.id = std::move(member_id),
                              .instance_id = request.group_instance_id,
                              .client_id = client.client_id,
                              .client_host = client.host,
                              .rebalance_timeout_ms = request.rebalance_timeout_ms,
                              .session_timeout_ms = request.session_timeout_ms,
                              .protocols = protocols_of(request),
                              .join_reply = std::move(reply),
                              .is_new = true,
                              .deadline_ms = clock_.steady_ms() + kNewMemberTimeoutMs});
  log::info("group {}: member {} joins", group.id, member.id);
  maybe_rebalance(group, "a member joins");
}

void GroupCoordinator::update_and_rebalance(Group& group, Member& member, JoinGroupRequest& request, JoinReply reply,
                                            std::string_view why) {
  member.protocols = protocols_of(request);
  group.count(member);
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  // A second request while the first waits: only the later one gets the generation.
  if (auto previous = std::exchange(member.join_reply, std::move(reply))) {
    previous(refusal(ErrorCode::rebalance_in_progress, member.id));
  }
  if (!member.is_new) member.deadline_ms = INT64_MAX;  // waiting counts as alive
  maybe_rebalance(group, why);
}

void GroupCoordinator::replace_static_member(Group& group, const GroupClient& client, JoinGroupRequest& request,
                                             const std::string& old_id, JoinReply reply) {
  const std::optional<std::string> leader_before = group.leader;
  Member& member = group.replace_static(old_id, request.member_id);
  log::info("group {}: static member {} comes back as {}", group.id, *member.instance_id, member.id);
  member.client_id = client.client_id;
  member.client_host = client.host;
  if (group.state != GroupState::stable) {
    member.is_new = true;
    member.deadline_ms = clock_.steady_ms() + kNewMemberTimeoutMs;
    return update_and_rebalance(group, member, request, std::move(reply), "a static member comes back");
  }
  member.protocols = protocols_of(request);
  group.count(member);
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.deadline_ms = clock_.steady_ms() + member.session_timeout_ms;
  if (group.select_protocol() != group.protocol) {
    member.join_reply = std::move(reply);
    member.deadline_ms = INT64_MAX;
    return maybe_rebalance(group, "a static member changed the common protocols");
  }
  JoinGroupResponse response = current_generation(group, member);
  if (client.version >= kSkipAssignmentSince) {
    // A leader that lost its state needs the members, but must not assign again (KIP-814).
    response.skip_assignment = group.leader == member.id;
    if (response.skip_assignment) response.members = group.members_for_leader();
  } else {
    // Under the old leader's id, the returned leader takes itself for a follower and does not assign.
    response.leader = leader_before.value_or("");
  }
  store_group(group, nullptr, [reply = std::move(reply), response = std::move(response)](const Status& status) mutable {
    if (!status.ok()) response = refusal(coordinator_error(status), response.member_id);
    reply(std::move(response));
  });
}

// ---- SyncGroup

void GroupCoordinator::sync(wire::SyncGroupRequest& request, SyncReply reply) {
  const auto refuse = [&](ErrorCode error) { reply({.error_code = error}); };
  Group* group = find(request.group_id);
  if (group == nullptr) return refuse(ErrorCode::unknown_member_id);
  if (group->state == GroupState::dead) return refuse(ErrorCode::coordinator_not_available);
  const ErrorCode error = group->check_member(request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return refuse(error);
  if (GenerationId(request.generation_id) != group->generation) return refuse(ErrorCode::illegal_generation);
  if ((request.protocol_type && request.protocol_type != group->protocol_type) ||
      (request.protocol_name && request.protocol_name != group->protocol)) {
    return refuse(ErrorCode::inconsistent_group_protocol);
  }
  Member& member = *group->member(request.member_id);
  if (group->state == GroupState::empty) return refuse(ErrorCode::unknown_member_id);
  if (group->state == GroupState::preparing_rebalance) return refuse(ErrorCode::rebalance_in_progress);

  member.synced = true;
  // Members that never ask for their assignment are thrown out at the deadline: they hold partitions that nobody reads.
  const bool all_synced =
      std::all_of(group->members.begin(), group->members.end(), [](const auto& m) { return m.second.synced; });
  if (all_synced) group->sync_deadline_ms = INT64_MAX;
  if (group->state == GroupState::stable) {
    member.deadline_ms = clock_.steady_ms() + member.session_timeout_ms;
    reply({.protocol_type = group->protocol_type, .protocol_name = group->protocol, .assignment = member.assignment});
    return arm_timer(*group);
  }
  if (auto previous = std::exchange(member.sync_reply, std::move(reply))) {
    previous({.error_code = ErrorCode::rebalance_in_progress});
  }
  member.deadline_ms = INT64_MAX;
  if (group->leader == member.id) store_assignment(*group, request);
}

void GroupCoordinator::store_assignment(Group& group, wire::SyncGroupRequest& request) {
  auto assignments = std::make_shared<std::map<std::string, Bytes>>();  // shared with the callback
  size_t bytes = 0;
  size_t bytes_before = 0;
  for (auto& a : request.assignments) {
    if (group.member(a.member_id) != nullptr) (*assignments)[a.member_id] = std::move(a.assignment);
  }
  for (const auto& [_, assignment] : *assignments) bytes += assignment.size();
  for (const auto& [_, member] : group.members) bytes_before += member.assignment.size();
  if (!may_hold(group, bytes, bytes_before)) return begin_again_later(group, ErrorCode::unknown_server_error);
  store_group(
      group, assignments.get(),
      [this, id = group.id, serial = group.serial, generation = group.generation, assignments](const Status& status) {
        Group* stored = find(id);
        if (stored == nullptr || stored->serial != serial || stored->generation != generation ||
            stored->state != GroupState::completing_rebalance) {
          return;  // another rebalance has begun
        }
        if (!status.ok()) {
          log::warn("group {}: the assignment cannot be stored: {}", id, status.message());
          return begin_again_later(*stored, coordinator_error(status));
        }
        for (auto& [member_id, member] : stored->members) {
          const auto at = assignments->find(member_id);
          member.assignment = at == assignments->end() ? Bytes{} : at->second;
          stored->count(member);
        }
        stored->set_state(GroupState::stable, clock_.now_ms());
        propagate_assignment(*stored, ErrorCode::none);
        log::info("group {}: generation {} of {} members is stable", id, generation, stored->members.size());
      });
}

// Members come back at once, and what could not be written, on a full disk for one, will not be written at once.
void GroupCoordinator::begin_again_later(const Group& group, ErrorCode error) {
  const auto begin_again = [this, id = group.id, serial = group.serial, generation = group.generation, error] {
    Group* found = find(id);
    if (found == nullptr || found->serial != serial || found->generation != generation ||
        found->state != GroupState::completing_rebalance) {
      return;
    }
    propagate_assignment(*found, error);
    maybe_rebalance(*found, "the assignment could not be stored");
  };
  scheduler_.schedule(kStoreAgainMs, on_strand(begin_again));
}

void GroupCoordinator::propagate_assignment(Group& group, ErrorCode error) {
  const int64_t now = clock_.steady_ms();
  for (auto& [_, member] : group.members) {
    if (error != ErrorCode::none) {
      member.assignment = Bytes();
      group.count(member);
    }
    const auto reply = std::exchange(member.sync_reply, nullptr);
    if (!reply) continue;
    member.deadline_ms = now + member.session_timeout_ms;
    if (error != ErrorCode::none) {
      reply({.error_code = error});
    } else {
      reply({.protocol_type = group.protocol_type, .protocol_name = group.protocol, .assignment = member.assignment});
    }
  }
  arm_timer(group);
}

// ---- Heartbeat and LeaveGroup

ErrorCode GroupCoordinator::beat(const wire::HeartbeatRequest& request) {
  Group* group = find(request.group_id);
  if (group == nullptr) return ErrorCode::unknown_member_id;
  if (group->state == GroupState::dead) return ErrorCode::coordinator_not_available;
  const ErrorCode error = group->check_member(request.member_id, request.group_instance_id);
  if (error != ErrorCode::none) return error;
  if (GenerationId(request.generation_id) != group->generation) return ErrorCode::illegal_generation;
  if (group->state == GroupState::empty) return ErrorCode::unknown_member_id;
  Member& member = *group->member(request.member_id);
  // Later than before: the group's timer, if it fires in between, sees that and sleeps on.
  if (!member.waits()) member.deadline_ms = clock_.steady_ms() + member.session_timeout_ms;
  return group->state == GroupState::preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

void GroupCoordinator::leave_group(int16_t version, wire::LeaveGroupRequest request,
                                   Reply<wire::LeaveGroupResponse> reply) {
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)] {
    wire::LeaveGroupResponse response;
    Group* group = find(request.group_id);
    if (group != nullptr && group->state == GroupState::dead) {
      response.error_code = ErrorCode::coordinator_not_available;
      return reply(std::move(response));
    }
    if (version < 3) {
      response.error_code = group ? leave_one(*group, request.member_id, {}) : ErrorCode::unknown_member_id;
    }
    for (const auto& m : request.members) {
      response.members.push_back(
          {.member_id = m.member_id,
           .group_instance_id = m.group_instance_id,
           .error_code = group ? leave_one(*group, m.member_id, m.group_instance_id) : ErrorCode::unknown_member_id});
    }
    if (group != nullptr) {
      after_removal(*group, "members left");
      drop_if_nothing(*group);
    }
    reply(std::move(response));
  });
}

ErrorCode GroupCoordinator::leave_one(Group& group, const std::string& member_id,
                                      const std::optional<std::string>& instance_id) {
  if (member_id.empty() && instance_id) {  // an administrator removes whoever holds the instance id
    const std::string* holder = group.static_member(*instance_id);
    if (holder == nullptr) return ErrorCode::unknown_member_id;
    remove_member(group, std::string(*holder), "removed by an administrator");
    return ErrorCode::none;
  }
  if (!instance_id && group.pending_members.erase(member_id) > 0) return ErrorCode::none;
  const ErrorCode error = group.check_member(member_id, instance_id);
  if (error == ErrorCode::none) remove_member(group, member_id, "left");
  return error;
}

}  // namespace muir::broker
