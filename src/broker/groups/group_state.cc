#include "broker/groups/group_state.h"

#include <algorithm>

#include "base/check.h"
#include "wire/messages/consumer_protocol.h"

namespace muir::broker {

using wire::ErrorCode;

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::empty: return "Empty";
    case GroupState::preparing_rebalance: return "PreparingRebalance";
    case GroupState::completing_rebalance: return "CompletingRebalance";
    case GroupState::stable: return "Stable";
    case GroupState::dead: return "Dead";
  }
  return "Unknown";
}

const Bytes* Member::metadata_of(std::string_view protocol) const {
  const auto at = std::find_if(protocols.begin(), protocols.end(), [&](const auto& p) { return p.name == protocol; });
  return at == protocols.end() ? nullptr : &at->metadata;
}

Member* Group::member(const std::string& member_id) {
  const auto at = members.find(member_id);
  return at == members.end() ? nullptr : &at->second;
}

const std::string* Group::static_member(const std::string& instance_id) const {
  const auto at = static_members.find(instance_id);
  return at == static_members.end() ? nullptr : &at->second;
}

ErrorCode Group::check_member(const std::string& member_id, const std::optional<std::string>& instance_id) {
  if (instance_id) {
    const std::string* holder = static_member(*instance_id);
    if (holder == nullptr) return ErrorCode::unknown_member_id;
    // KIP-345: the instance id is the identity; whoever came last under it has it, and the one before is told for good.
    if (*holder != member_id) return ErrorCode::fenced_instance_id;
    return ErrorCode::none;
  }
  return members.contains(member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

size_t Group::bytes_of_id(const std::string& member_id) const {
  constexpr size_t kNodeBytes = 512;  // of a member and of its group, about
  return kNodeBytes + id.size() + 2 * member_id.size();
}

size_t Group::bytes_of(const Member& member) const {
  constexpr size_t kProtocolBytes = 64;
  size_t out = bytes_of_id(member.id) + member.client_id.size() + member.client_host.size() + member.assignment.size();
  if (member.instance_id) out += 2 * member.instance_id->size() + member.id.size();
  for (const MemberProtocol& p : member.protocols) out += kProtocolBytes + p.name.size() + p.metadata.size();
  return out;
}

void Group::add_pending(const std::string& member_id, int64_t deadline_ms) {
  PendingMember& pending = pending_members[member_id];
  pending.deadline_ms = deadline_ms;
  pending.held.set(held_bytes_, bytes_of_id(member_id));
}

bool Group::is_nothing() const {
  return state == GroupState::empty && members.empty() && pending_members.empty() && offsets.empty() &&
         commits_on_the_way == 0 && generation == GenerationId(0);
}

Member& Group::add(Member added) {
  added.join_order = next_join_order++;
  if (!leader) leader = added.id;
  if (added.instance_id) static_members[*added.instance_id] = added.id;
  // Whoever comes while the group's first rebalance waits prolongs the wait (KIP-134).
  if (state == GroupState::preparing_rebalance && initial_join) member_added_since = true;
  const std::string member_id = added.id;
  Member& member = members.insert_or_assign(member_id, std::move(added)).first->second;
  count(member);
  return member;
}

void Group::remove(const std::string& member_id) {
  const auto at = members.find(member_id);
  if (at == members.end()) return;
  if (at->second.instance_id) {
    const auto mapped = static_members.find(*at->second.instance_id);
    if (mapped != static_members.end() && mapped->second == member_id) static_members.erase(mapped);
  }
  members.erase(at);
  // Kafka takes any other member; the oldest is as good, and no hash decides.
  if (leader != member_id) return;
  leader.reset();
  const auto first = std::min_element(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return a.second.join_order < b.second.join_order;
  });
  if (first != members.end()) leader = first->first;
}

Member& Group::replace_static(const std::string& old_id, const std::string& new_id) {
  auto node = members.extract(old_id);
  CHECK(!node.empty(), "group {}: static member {} is not there", id, old_id);
  Member& replaced = node.mapped();
  // The process before may still wait on its connection: answered with anything else it would join again, and the two
  // would throw each other out in turn.
  if (auto reply = std::exchange(replaced.join_reply, nullptr)) {
    reply({.error_code = ErrorCode::fenced_instance_id, .member_id = old_id});
  }
  if (auto reply = std::exchange(replaced.sync_reply, nullptr)) reply({.error_code = ErrorCode::fenced_instance_id});
  node.key() = new_id;
  replaced.id = new_id;
  static_members[*replaced.instance_id] = new_id;
  if (leader == old_id) leader = new_id;
  Member& member = members.insert(std::move(node)).position->second;
  count(member);
  return member;
}

bool Group::accepts(const std::string& type, const std::vector<MemberProtocol>& protocols) const {
  if (state == GroupState::empty) return !type.empty() && !protocols.empty();
  return protocol_type == type && std::any_of(protocols.begin(), protocols.end(), [&](const MemberProtocol& p) {
           return std::all_of(members.begin(), members.end(),
                              [&](const auto& m) { return m.second.metadata_of(p.name) != nullptr; });
         });
}

std::optional<std::string> Group::select_protocol() const {
  // Each member votes for the first of its protocols that all know: that is how a group changes its assignor in a
  // rolling restart, with both listed for a while.
  std::map<std::string_view, int> votes;
  for (const auto& [_, voter] : members) {
    for (const MemberProtocol& p : voter.protocols) {
      const bool known_to_all = std::all_of(members.begin(), members.end(),
                                            [&](const auto& m) { return m.second.metadata_of(p.name) != nullptr; });
      if (!known_to_all) continue;
      ++votes[p.name];
      break;
    }
  }
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == votes.end()) return std::nullopt;
  return std::string(most->first);
}

size_t Group::waiting_to_join() const {
  return static_cast<size_t>(
      std::count_if(members.begin(), members.end(), [](const auto& m) { return m.second.join_reply != nullptr; }));
}

bool Group::has_joined_all() const { return waiting_to_join() == members.size() && pending_members.empty(); }

int32_t Group::rebalance_timeout_ms() const {
  int32_t largest = 0;
  for (const auto& [_, m] : members) largest = std::max(largest, m.rebalance_timeout_ms);
  return largest;
}

bool Group::elect_joined_leader() {
  if (leader) {
    const Member* current = member(*leader);
    if (current != nullptr && current->join_reply) return true;
  }
  const Member* first = nullptr;
  for (const auto& [_, m] : members) {
    if (m.join_reply && (first == nullptr || m.join_order < first->join_order)) first = &m;
  }
  if (first == nullptr) return false;
  leader = first->id;
  return true;
}

std::vector<wire::JoinGroupResponse::Member> Group::members_for_leader() const {
  std::vector<wire::JoinGroupResponse::Member> out;
  out.reserve(members.size());
  for (const auto& [_, m] : members) {
    const Bytes* metadata = protocol ? m.metadata_of(*protocol) : nullptr;
    out.push_back({.member_id = m.id, .group_instance_id = m.instance_id, .metadata = metadata ? *metadata : Bytes{}});
  }
  return out;
}

std::optional<std::set<std::string>> Group::subscribed_topics() const {
  if (members.empty()) return std::set<std::string>{};
  // Asked by OffsetDelete, which must not take the offsets of a topic that is being read (KIP-496).
  if (protocol_type != "consumer" || !protocol) return std::nullopt;
  std::set<std::string> topics;
  for (const auto& [_, m] : members) {
    const Bytes* metadata = m.metadata_of(*protocol);
    if (metadata == nullptr) return std::nullopt;
    ByteReader reader(*metadata);
    const int16_t version = std::min(reader.i16(), wire::ConsumerProtocolSubscription::kVersionMax);
    wire::ConsumerProtocolSubscription subscription;
    // Other assignors may put anything here: then nothing is known.
    if (!reader.ok() || !decode(reader, version, subscription).ok()) return std::nullopt;
    topics.insert(subscription.topics.begin(), subscription.topics.end());
  }
  return topics;
}

void Group::set_state(GroupState next, int64_t now_ms) {
  previous_state = state;
  state = next;
  state_timestamp_ms = now_ms;
}

}  // namespace muir::broker
