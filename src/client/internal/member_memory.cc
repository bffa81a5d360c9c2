#include "client/internal/member_memory.h"

#include <algorithm>

#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

// A poll that goes through more states than this hands back to its owner; a protocol may ask for a rebalance in every
// generation.
constexpr int kTransitionsMax = 64;

bool share_a_protocol(const std::vector<std::pair<std::string, Bytes>>& metadata, const MemoryGroup& group) {
  return std::any_of(metadata.begin(), metadata.end(), [&](const auto& mine) {
    return std::all_of(group.members.begin(), group.members.end(), [&](const auto& member) {
      return std::any_of(member.second.metadata.begin(), member.second.metadata.end(),
                         [&](const auto& theirs) { return theirs.first == mine.first; });
    });
  });
}

}  // namespace

MemoryMember::~MemoryMember() {
  if (options_.group_instance_id.empty()) (void)leave();
}

void MemoryMember::request_rejoin() {
  const std::lock_guard lock(state_.mutex);
  rejoin_ = true;
  state_.changed.notify_all();
}

GroupMetadata MemoryMember::metadata() const {
  return {options_.group_id, generation_, member_id_, options_.group_instance_id};
}

Status MemoryMember::poll(int64_t timeout_ms) {
  const int64_t until = system_clock().steady_us() + timeout_ms * 1000;
  Lock lock(state_.mutex);
  MemoryGroup& group = state_.groups[options_.group_id];
  if (!member_id_.empty() && state_.draw(state_.faults.member_lost)) state_.remove_member(group, member_id_);
  if (const auto me = group.members.find(member_id_); me != group.members.end())
    me->second.seen_ms = state_.clock.now_ms();
  state_.expire();
  for (int i = 0; i < kTransitionsMax; ++i) {
    if (MUIR_TRY(advance(lock))) continue;
    if (phase_ == Phase::stable || !state_.wait(lock, until)) break;
    if (const auto me = group.members.find(member_id_); me != group.members.end())
      me->second.seen_ms = state_.clock.now_ms();
  }
  return {};
}

// Is this member still known? A static member that another process replaced is fenced for good.
Status MemoryMember::check_place(Lock& lock, MemoryGroup& group, bool& lost) {
  lost = false;
  MUIR_RETURN_IF_ERROR(fenced_);
  if (member_id_.empty()) return {};
  if (!options_.group_instance_id.empty()) {
    const auto it = group.static_members.find(options_.group_instance_id);
    if (it != group.static_members.end() && it->second != member_id_) {
      fenced_ = wire::to_status(wire::ErrorCode::fenced_instance_id,
                                fmt::format("group={} instance={}", options_.group_id, options_.group_instance_id));
    }
  }
  lost = !fenced_.ok() || !group.members.contains(member_id_);
  if (!lost) return {};
  member_id_.clear();
  generation_ = kNoGeneration;
  phase_ = Phase::unjoined;
  lock.unlock();
  protocol_.on_lost();
  lock.lock();
  return fenced_;
}

Result<bool> MemoryMember::advance(Lock& lock) {
  MemoryGroup& group = state_.groups[options_.group_id];
  bool lost = false;
  MUIR_RETURN_IF_ERROR(check_place(lock, group, lost));
  if (lost) return true;
  if (phase_ == Phase::unjoined) return join(lock);
  if (phase_ == Phase::joined) return follow(lock, group);
  if (rejoin_.exchange(false)) state_.prepare_rebalance(group);
  if (group.phase == MemoryGroup::Phase::stable && group.generation == generation_) return false;
  phase_ = Phase::unjoined;
  return true;
}

Result<bool> MemoryMember::join(Lock& lock) {
  rejoin_ = false;
  lock.unlock();
  protocol_.on_prepare(generation_, member_id_);
  const std::vector<std::pair<std::string, Bytes>> metadata = protocol_.metadata();
  lock.lock();
  MemoryGroup& group = state_.groups[options_.group_id];
  if (!member_id_.empty() && !group.members.contains(member_id_)) return true;  // lost meanwhile
  if (metadata.empty() || !share_a_protocol(metadata, group)) {
    return wire::to_status(wire::ErrorCode::inconsistent_group_protocol,
                           fmt::format("join group={}", options_.group_id));
  }
  if (member_id_.empty()) {
    member_id_ = fmt::format("{}-{}", options_.group_instance_id.empty() ? "member" : options_.group_instance_id,
                             state_.next_member++);
    if (take_over_static_place(group, metadata)) return true;
    if (group.members.empty()) group.phase = MemoryGroup::Phase::empty;
  }
  state_.prepare_rebalance(group);
  MemoryMemberState& me = group.members[member_id_];
  me.instance_id = options_.group_instance_id;
  me.metadata = metadata;
  me.joined = true;
  me.seen_ms = state_.clock.now_ms();
  me.rebalance_timeout_ms = options_.rebalance_timeout_ms;
  if (!options_.group_instance_id.empty()) group.static_members[options_.group_instance_id] = member_id_;
  phase_ = Phase::joined;
  state_.complete_rebalance(group);
  return true;
}

// KIP-345: a static member that comes back under a new id keeps its predecessor's place; without a change of its
// metadata the generation goes on.
bool MemoryMember::take_over_static_place(MemoryGroup& group,
                                          const std::vector<std::pair<std::string, Bytes>>& metadata) {
  const auto instance = group.static_members.find(options_.group_instance_id);
  if (options_.group_instance_id.empty() || instance == group.static_members.end()) return false;
  const std::string old_id = std::exchange(instance->second, member_id_);
  auto node = group.members.extract(old_id);
  if (node.empty()) return false;
  const bool same = node.mapped().metadata == metadata;
  node.key() = member_id_;
  node.mapped().seen_ms = state_.clock.now_ms();
  group.members.insert(std::move(node));
  if (group.leader == old_id) group.leader = member_id_;
  state_.changed.notify_all();
  if (!same || group.phase != MemoryGroup::Phase::stable) return false;
  phase_ = Phase::joined;
  return true;
}

Result<bool> MemoryMember::follow(Lock& lock, MemoryGroup& group) {
  switch (group.phase) {
    case MemoryGroup::Phase::stable: return take_assignment(lock, group);
    case MemoryGroup::Phase::completing:
      if (group.leader != member_id_) return false;
      return lead(lock, group);
    case MemoryGroup::Phase::preparing:
      if (group.members[member_id_].joined) return false;
      phase_ = Phase::unjoined;  // the next rebalance began before this one ended
      return true;
    case MemoryGroup::Phase::empty: break;
  }
  phase_ = Phase::unjoined;
  return true;
}

Result<bool> MemoryMember::lead(Lock& lock, MemoryGroup& group) {
  std::map<std::string, Bytes> metadata;
  for (const auto& [id, member] : group.members) {
    for (const auto& [name, bytes] : member.metadata) {
      if (name == group.protocol) metadata[id] = bytes;
    }
  }
  const GenerationId generation = group.generation;
  const std::string protocol = group.protocol;
  lock.unlock();
  Result<std::map<std::string, Bytes>> assigned = protocol_.assign(protocol, metadata);
  lock.lock();
  if (!assigned.ok()) return assigned.status();
  if (group.phase != MemoryGroup::Phase::completing || group.generation != generation) return true;
  for (auto& [id, member] : group.members) {
    const auto it = assigned->find(id);
    member.assignment = it == assigned->end() ? Bytes() : it->second;
  }
  group.phase = MemoryGroup::Phase::stable;
  state_.changed.notify_all();
  return true;
}

Result<bool> MemoryMember::take_assignment(Lock& lock, MemoryGroup& group) {
  generation_ = group.generation;
  const Bytes assignment = group.members[member_id_].assignment;
  phase_ = Phase::stable;
  lock.unlock();
  const Status status = protocol_.on_assigned(generation_, member_id_, assignment);
  lock.lock();
  if (status.ok()) return true;
  phase_ = Phase::unjoined;
  return status;
}

Status MemoryMember::commit(const Offsets& offsets, int64_t) {
  const std::lock_guard lock(state_.mutex);
  state_.expire();
  if (state_.draw(state_.faults.offset_commit_fails)) {
    return wire::to_status(wire::ErrorCode::coordinator_not_available,
                           fmt::format("commit group={}", options_.group_id));
  }
  MemoryGroup& group = state_.groups[options_.group_id];
  if (generation_ < GenerationId(0))
    return error(Code::failed_precondition, "commit group={}: not a member", options_.group_id);
  MUIR_RETURN_IF_ERROR(check_identity(&group, metadata()));
  if (group.phase == MemoryGroup::Phase::completing) {
    return wire::to_status(wire::ErrorCode::rebalance_in_progress, fmt::format("commit group={}", options_.group_id));
  }
  for (const auto& [partition, offset] : offsets) {
    group.committed[partition] = offset;
    state_.note("commit group={} {}-{} offset={}", options_.group_id, partition.topic, partition.partition,
                offset.offset);
  }
  return {};
}

Status MemoryMember::leave() {
  const std::lock_guard lock(state_.mutex);
  if (!member_id_.empty()) state_.remove_member(state_.groups[options_.group_id], member_id_);
  member_id_.clear();
  generation_ = kNoGeneration;
  phase_ = Phase::unjoined;
  return {};
}

}  // namespace muir::client::internal
