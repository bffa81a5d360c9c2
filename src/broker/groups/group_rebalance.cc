// The join phase, removal of members and deadlines: what happens to a group as a whole.
#include <algorithm>

#include "base/log.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_records.h"
#include "wire/batch_builder.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {

// After the last one comes 1: 0 is the generation of a group that never had members, and negative ones mean none.
GenerationId generation_after(GenerationId generation) {
  return GenerationId(generation.value() == INT32_MAX ? 1 : generation.value() + 1);
}

}  // namespace

void GroupCoordinator::maybe_rebalance(Group& group, std::string_view why) {
  if (group.state == GroupState::preparing_rebalance) return maybe_complete_join(group);
  if (group.state != GroupState::dead) begin_rebalance(group, why);
}

void GroupCoordinator::begin_rebalance(Group& group, std::string_view why) {
  if (group.state == GroupState::completing_rebalance) {
    propagate_assignment(group, ErrorCode::rebalance_in_progress);
  }
  log::info("group {}: generation {} rebalances: {}", group.id, group.generation, why);
  const int64_t now = clock_.steady_ms();
  const bool from_empty = group.state == GroupState::empty;
  group.sync_deadline_ms = INT64_MAX;
  group.member_added_since = false;
  group.initial_join = from_empty;
  group.set_state(GroupState::preparing_rebalance, clock_.now_ms());
  if (!from_empty) {
    group.join_deadline_ms = now + group.rebalance_timeout_ms();
    return maybe_complete_join(group);
  }
  // Members of a new group tend to start together: wait a little for more of them (KIP-134).
  group.initial_delay_ms = config_.initial_rebalance_delay_ms;
  group.initial_left_ms = std::max<int64_t>(group.rebalance_timeout_ms() - group.initial_delay_ms, 0);
  if (group.initial_delay_ms == 0) return complete_join(group);
  group.join_deadline_ms = now + group.initial_delay_ms;
  arm_timer(group);
}

void GroupCoordinator::initial_delay_over(Group& group) {
  if (!group.member_added_since || group.initial_left_ms == 0) return complete_join(group);
  group.member_added_since = false;
  const int64_t delay = std::min(config_.initial_rebalance_delay_ms, group.initial_left_ms);
  group.initial_left_ms = std::max<int64_t>(group.initial_left_ms - group.initial_delay_ms, 0);
  group.initial_delay_ms = delay;
  group.join_deadline_ms = clock_.steady_ms() + delay;
  arm_timer(group);
}

void GroupCoordinator::maybe_complete_join(Group& group) {
  if (group.state == GroupState::preparing_rebalance && !group.initial_join && group.has_joined_all()) {
    complete_join(group);
  }
}

void GroupCoordinator::complete_join(Group& group) {
  std::vector<std::string> missing;  // static members may come back until their session ends
  for (const auto& [id, member] : group.members) {
    if (!member.join_reply && !member.instance_id) missing.push_back(id);
  }
  for (const std::string& id : missing) remove_member(group, id, "did not join again in time");

  const int64_t now = clock_.steady_ms();
  if (!group.members.empty() && !group.elect_joined_leader()) {
    // Only absent static members: nobody could lead. Wait until their sessions end or they are back.
    group.initial_join = false;
    group.join_deadline_ms = now + group.rebalance_timeout_ms();
    return arm_timer(group);
  }
  group.initial_join = false;
  group.join_deadline_ms = INT64_MAX;
  group.generation = generation_after(group.generation);
  if (group.members.empty()) {
    group.protocol.reset();
    group.leader.reset();
    group.set_state(GroupState::empty, clock_.now_ms());
    log::info("group {}: generation {} is empty", group.id, group.generation);
    return store_group(group, nullptr, [id = group.id](const Status& status) {
      if (!status.ok()) log::warn("group {}: its becoming empty cannot be stored: {}", id, status.message());
    });
  }
  group.protocol = group.select_protocol();
  group.set_state(GroupState::completing_rebalance, clock_.now_ms());
  group.sync_deadline_ms = now + group.rebalance_timeout_ms();
  const auto for_leader = group.members_for_leader();
  for (auto& [id, member] : group.members) {
    member.is_new = false;
    member.synced = false;
    const auto reply = std::exchange(member.join_reply, nullptr);
    if (!reply) continue;
    member.deadline_ms = now + member.session_timeout_ms;
    wire::JoinGroupResponse response{.generation_id = group.generation.value(),
                                     .protocol_type = group.protocol_type,
                                     .protocol_name = group.protocol,
                                     .leader = *group.leader,
                                     .member_id = id};
    if (id == *group.leader) response.members = for_leader;
    reply(std::move(response));
  }
  arm_timer(group);
}

void GroupCoordinator::remove_member(Group& group, const std::string& member_id, std::string_view why) {
  Member* member = group.member(member_id);
  if (member == nullptr) return;
  log::info("group {}: member {} {}", group.id, member_id, why);
  const auto join_reply = std::exchange(member->join_reply, nullptr);
  const auto sync_reply = std::exchange(member->sync_reply, nullptr);
  group.remove(member_id);
  if (join_reply) join_reply({.error_code = ErrorCode::unknown_member_id, .member_id = member_id});
  if (sync_reply) sync_reply({.error_code = ErrorCode::unknown_member_id});
}

void GroupCoordinator::after_removal(Group& group, std::string_view why) {
  const bool someone_is_missing = group.state == GroupState::stable || group.state == GroupState::completing_rebalance;
  if (someone_is_missing) {
    begin_rebalance(group, why);
  } else {
    maybe_complete_join(group);
  }
  arm_timer(group);
}

void GroupCoordinator::store_group(Group& group, const std::map<std::string, Bytes>* assignments,
                                   std::function<void(const Status&)> done) {
  wire::BatchBuilder builder;
  builder.add(clock_.now_ms(), group_key(group.id), group_value(group, assignments));
  append(group.id, builder.build(), [done = std::move(done)](const Status& status, Offset) { done(status); });
}

// ---- deadlines

void GroupCoordinator::arm_timer(Group& group) {
  int64_t earliest = std::min(group.join_deadline_ms, group.sync_deadline_ms);
  for (const auto& [_, member] : group.members) earliest = std::min(earliest, member.deadline_ms);
  for (const auto& [_, pending] : group.pending_members) earliest = std::min(earliest, pending.deadline_ms);
  // A timer that fires too early finds nothing to do and is armed again: cheaper than to move it at every heartbeat.
  if (earliest >= group.timer_at_ms) return;
  if (group.timer_at_ms != INT64_MAX) scheduler_.cancel(group.timer);
  group.timer_at_ms = earliest;
  group.timer = scheduler_.schedule(std::max<int64_t>(earliest - clock_.steady_ms(), 0),
                                    on_strand([this, id = group.id, serial = group.serial, earliest] {
                                      Group* due = find(id);
                                      if (due == nullptr || due->serial != serial || due->timer_at_ms != earliest)
                                        return;
                                      due->timer_at_ms = INT64_MAX;
                                      check_deadlines(*due);
                                    }));
}

void GroupCoordinator::check_deadlines(Group& group) {
  const int64_t now = clock_.steady_ms();
  const size_t pending =
      std::erase_if(group.pending_members, [&](const auto& p) { return p.second.deadline_ms <= now; });
  std::vector<std::string> dead;
  for (const auto& [id, member] : group.members) {
    if (member.deadline_ms <= now) dead.push_back(id);
  }
  for (const std::string& id : dead) remove_member(group, id, "was silent for its session timeout");
  if (pending + dead.size() > 0) after_removal(group, "members' sessions ended");

  if (group.state == GroupState::preparing_rebalance && group.join_deadline_ms <= now) {
    group.initial_join ? initial_delay_over(group) : complete_join(group);
  }
  if (group.sync_deadline_ms <= now) {
    group.sync_deadline_ms = INT64_MAX;
    std::vector<std::string> late;
    for (const auto& [id, member] : group.members) {
      if (!member.synced) late.push_back(id);
    }
    for (const std::string& id : late) remove_member(group, id, "did not send SyncGroup in time");
    if (!late.empty()) after_removal(group, "members did not sync");
  }
  arm_timer(group);
  drop_if_nothing(group);
}

void GroupCoordinator::drop_if_nothing(const Group& group) {
  if (group.is_nothing()) groups_.erase(std::string(group.id));
}

}  // namespace muir::broker
