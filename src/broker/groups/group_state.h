// Group and Member: what the coordinator knows of a consumer group; the rules that need no clock, log or network.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "broker/groups/group_offsets.h"
#include "broker/internal/counted_state.h"
#include "broker/internal/held_bytes.h"
#include "broker/internal/scheduler.h"
#include "wire/error_code.h"
#include "wire/messages/join_group.h"
#include "wire/messages/sync_group.h"

namespace muir::broker {

enum class GroupState : unsigned char { empty, preparing_rebalance, completing_rebalance, stable, dead };

constexpr size_t kGroupStates = 5;
using GroupCounts = StateCounts<GroupState, kGroupStates>;

// "PreparingRebalance", as Kafka's tools print it.
std::string_view to_string(GroupState state);

struct MemberProtocol {
  std::string name;
  Bytes metadata;
  bool operator==(const MemberProtocol&) const = default;
};

struct Member {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  int32_t rebalance_timeout_ms = 0;
  int32_t session_timeout_ms = 0;
  std::vector<MemberProtocol> protocols;  // in order of preference
  Bytes assignment;

  // Set while the member waits for an answer.
  std::function<void(wire::JoinGroupResponse)> join_reply;
  std::function<void(wire::SyncGroupResponse)> sync_reply;
  bool is_new = false;              // has not yet been told its id by a completed join
  bool synced = false;              // in this generation
  int64_t deadline_ms = INT64_MAX;  // steady time at which it is taken for dead
  uint64_t join_order = 0;
  HeldBytes held{};  // kept by Group::count()

  [[nodiscard]] const Bytes* metadata_of(std::string_view protocol) const;
  [[nodiscard]] bool waits() const { return join_reply || sync_reply; }
};

// An id that was given out with MEMBER_ID_REQUIRED, and has not come back yet.
struct PendingMember {
  int64_t deadline_ms = 0;
  HeldBytes held{};
};

// Owned by the coordinator's strand.
class Group {
 public:
  // `counts` and `held_bytes`, what the members of all groups take, outlive the group.
  Group(std::string group_id, uint64_t group_serial, GroupCounts& counts, std::atomic<size_t>& held_bytes)
      : id(std::move(group_id)), serial(group_serial), state(counts, GroupState::empty), held_bytes_(held_bytes) {}

  // What a member takes, or an id that is given out, with their share of the group.
  [[nodiscard]] size_t bytes_of(const Member& member) const;
  [[nodiscard]] size_t bytes_of_id(const std::string& member_id) const;
  // After each change of the member's ids, protocols or assignment.
  void count(Member& member) { member.held.set(held_bytes_, bytes_of(member)); }
  void add_pending(const std::string& member_id, int64_t deadline_ms);

  [[nodiscard]] Member* member(const std::string& member_id);
  // Id of the static member that holds the instance id now.
  [[nodiscard]] const std::string* static_member(const std::string& instance_id) const;
  // NONE when the member exists and, with an instance id, is the one that holds it.
  [[nodiscard]] wire::ErrorCode check_member(const std::string& member_id,
                                             const std::optional<std::string>& instance_id);

  Member& add(Member member);
  void remove(const std::string& member_id);
  // Gives the static member of `old_id` another id; the old one's waiting requests are answered FENCED_INSTANCE_ID.
  Member& replace_static(const std::string& old_id, const std::string& new_id);

  // Whether someone with these protocols may join: with the group's type, and one name that all members know.
  [[nodiscard]] bool accepts(const std::string& type, const std::vector<MemberProtocol>& protocols) const;
  // The protocol that most members prefer among those all of them know.
  [[nodiscard]] std::optional<std::string> select_protocol() const;
  [[nodiscard]] bool has_joined_all() const;
  [[nodiscard]] size_t waiting_to_join() const;
  [[nodiscard]] int32_t rebalance_timeout_ms() const;
  // Keeps the leader if it has joined, else picks one that has. False when nobody has.
  bool elect_joined_leader();
  // Members with their metadata for the chosen protocol: what the leader is told.
  [[nodiscard]] std::vector<wire::JoinGroupResponse::Member> members_for_leader() const;
  // Topics of the members' subscriptions; nullopt when they cannot be known.
  [[nodiscard]] std::optional<std::set<std::string>> subscribed_topics() const;
  // It was made for a member that has not come: nothing of it is stored.
  [[nodiscard]] bool is_nothing() const;
  void set_state(GroupState next, int64_t now_ms);

  std::string id;
  uint64_t serial;  // tells this group from a later one with the same id
  CountedState<GroupState, kGroupStates> state;
  GroupState previous_state = GroupState::empty;
  int64_t state_timestamp_ms = -1;
  GenerationId generation;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  std::map<std::string, Member> members;
  std::map<std::string, std::string> static_members;  // instance id -> member id
  std::map<std::string, PendingMember> pending_members;
  GroupOffsets offsets;
  size_t commits_on_the_way = 0;  // appended, not yet durable

  // The join phase: steady time at which it ends, and, after Empty, how long it may still be extended.
  int64_t join_deadline_ms = INT64_MAX;
  bool initial_join = false;
  int64_t initial_left_ms = 0;
  int64_t initial_delay_ms = 0;
  bool member_added_since = false;
  int64_t sync_deadline_ms = INT64_MAX;

  Scheduler::TimerId timer = 0;
  int64_t timer_at_ms = INT64_MAX;
  uint64_t next_join_order = 1;

 private:
  std::atomic<size_t>& held_bytes_;
};

}  // namespace muir::broker
