// DescribeGroups, ListGroups, DeleteGroups, OffsetDelete, and offsets that end: by time or with their topic.
#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/log.h"
#include "broker/api/named_once.h"
#include "broker/groups/group_coordinator.h"
#include "broker/groups/group_records.h"
#include "broker/internal/coordinator_error.h"
#include "wire/batch_builder.h"

namespace muir::broker {

using wire::ErrorCode;

namespace {

constexpr int16_t kDescribeUnknownSince = 6;  // older versions are told that the group is Dead, without an error

bool contains_ignoring_case(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& n) {
    return std::equal(n.begin(), n.end(), name.begin(), name.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  });
}

// No filter lets everything pass.
bool passes(const std::vector<std::string>& filter, std::string_view name) {
  return filter.empty() || contains_ignoring_case(filter, name);
}

}  // namespace

void GroupCoordinator::describe_groups(int16_t version, wire::DescribeGroupsRequest request,
                                       Reply<wire::DescribeGroupsResponse> reply) {
  keep_named_once(request.groups, [](const std::string& id) { return std::string_view(id); });
  strand_.run([this, version, request = std::move(request), reply = std::move(reply)] {
    wire::DescribeGroupsResponse response;
    for (const std::string& id : request.groups) response.groups.push_back(describe(version, id));
    reply(std::move(response));
  });
}

wire::DescribeGroupsResponse::Group GroupCoordinator::describe(int16_t version, const std::string& group_id) {
  wire::DescribeGroupsResponse::Group out{.group_id = group_id};
  const Group* group = find(group_id);
  if (group == nullptr) {
    out.group_state = to_string(GroupState::dead);
    if (version >= kDescribeUnknownSince) {
      out.error_code = ErrorCode::group_id_not_found;
      out.error_message = fmt::format("Group {} not found.", group_id);
    }
    return out;
  }
  out.group_state = to_string(group->state);
  out.protocol_type = group->protocol_type.value_or("");
  const bool stable = group->state == GroupState::stable;
  if (stable) out.protocol_data = group->protocol.value_or("");
  for (const auto& [id, member] : group->members) {
    const Bytes* metadata = stable && group->protocol ? member.metadata_of(*group->protocol) : nullptr;
    out.members.push_back({.member_id = id,
                           .group_instance_id = member.instance_id,
                           .client_id = member.client_id,
                           .client_host = member.client_host,
                           .member_metadata = metadata ? *metadata : Bytes{},
                           .member_assignment = stable ? member.assignment : Bytes{}});
  }
  return out;
}

void GroupCoordinator::list_groups(wire::ListGroupsRequest request, Reply<wire::ListGroupsResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)] {
    wire::ListGroupsResponse response;
    if (!passes(request.types_filter, "classic")) return reply(std::move(response));
    std::array<bool, kGroupStates> wanted{};
    for (size_t i = 0; i < kGroupStates; ++i) {
      wanted[i] = passes(request.states_filter, to_string(static_cast<GroupState>(i)));
    }
    for (const auto& [id, group] : groups_) {
      const GroupState state = group->state;
      if (!wanted[static_cast<size_t>(state)]) continue;
      response.groups.push_back({.group_id = id,
                                 .protocol_type = group->protocol_type.value_or(""),
                                 .group_state = std::string(to_string(group->state)),
                                 .group_type = "classic"});
    }
    reply(std::move(response));
  });
}

// ---- deletion

namespace {

// An answer that is complete when its last part is; shared by the callbacks of the parts.
template <class Response>
struct Gathering {
  Response response;
  size_t left = 0;
  std::function<void(Response)> reply;
  void one_done() {
    if (--left == 0) reply(std::move(response));
  }
};

}  // namespace

void GroupCoordinator::delete_groups(wire::DeleteGroupsRequest request, Reply<wire::DeleteGroupsResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)] {
    auto gathering = std::make_shared<Gathering<wire::DeleteGroupsResponse>>();
    gathering->reply = reply;
    gathering->left = request.groups_names.size() + 1;
    for (const std::string& id : request.groups_names) gathering->response.results.push_back({.group_id = id});
    for (size_t i = 0; i < request.groups_names.size(); ++i) {
      delete_group(request.groups_names[i], [gathering, i](ErrorCode error) {
        gathering->response.results[i].error_code = error;
        gathering->one_done();
      });
    }
    gathering->one_done();
  });
}

void GroupCoordinator::delete_group(const std::string& group_id, std::function<void(ErrorCode)> done) {
  Group* group = find(group_id);
  if (group == nullptr || group->state == GroupState::dead) return done(ErrorCode::group_id_not_found);
  if (group->state != GroupState::empty) return done(ErrorCode::non_empty_group);
  const auto offsets = group->offsets.partitions();
  forget(*group, {offsets.begin(), offsets.end()}, true,
         [done = std::move(done)](const Status& status) { done(coordinator_error(status)); });
}

void GroupCoordinator::forget(Group& group, std::vector<TopicPartition> offsets, bool group_too,
                              std::function<void(const Status&)> done) {
  const int64_t now = clock_.now_ms();
  wire::BatchBuilder builder;
  for (const TopicPartition& partition : offsets) builder.add(now, offset_key(group.id, partition), std::nullopt);
  if (group_too) {
    builder.add(now, group_key(group.id), std::nullopt);
    group.state = GroupState::dead;  // nobody joins meanwhile
  }
  append(group.id, builder.build(),
         [this, id = group.id, serial = group.serial, offsets = std::move(offsets), group_too, done = std::move(done)](
             const Status& status, Offset) {
           Group* forgotten = find(id);
           if (forgotten != nullptr && forgotten->serial == serial) {
             if (status.ok()) {
               for (const TopicPartition& partition : offsets) forgotten->offsets.remove(partition);
               if (group_too) groups_.erase(id);
             } else if (group_too) {
               forgotten->state = GroupState::empty;
             }
           }
           done(status);
         });
}

void GroupCoordinator::offset_delete(wire::OffsetDeleteRequest request, Reply<wire::OffsetDeleteResponse> reply) {
  strand_.run([this, request = std::move(request), reply = std::move(reply)]() mutable {
    delete_offsets(request, std::move(reply));
  });
}

void GroupCoordinator::delete_offsets(wire::OffsetDeleteRequest& request, Reply<wire::OffsetDeleteResponse> reply) {
  Group* group = find(request.group_id);
  if (group == nullptr || group->state == GroupState::dead) return reply({.error_code = ErrorCode::group_id_not_found});
  const auto subscribed = group->subscribed_topics();
  // What the members of another kind of group read is unknown, so that their offsets must stay.
  if (!subscribed) return reply({.error_code = ErrorCode::non_empty_group});
  wire::OffsetDeleteResponse response;
  std::vector<TopicPartition> offsets;
  for (const auto& topic : request.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    for (const auto& partition : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = partition.partition_index;
      const TopicPartition key(topic.name, PartitionId(partition.partition_index));
      if (subscribed->contains(topic.name)) {
        result.error_code = ErrorCode::group_subscribed_to_topic;
      } else if (group->offsets.find(key) != nullptr) {
        offsets.push_back(key);
      } else if (partition.partition_index < 0 || partition.partition_index >= log_.partition_count(topic.name)) {
        result.error_code = ErrorCode::unknown_topic_or_partition;
      }
    }
  }
  if (offsets.empty()) return reply(std::move(response));
  keep_named_once(offsets, std::identity());
  forget(*group, std::move(offsets), false,
         [response = std::move(response), reply = std::move(reply)](const Status& status) mutable {
           if (!status.ok()) response = {.error_code = coordinator_error(status)};
           reply(std::move(response));
         });
}

void GroupCoordinator::on_topics_deleted(std::vector<std::string> topics) {
  strand_.run([this, topics = std::move(topics)] {
    for (const auto& [id, group] : groups_) {
      std::vector<TopicPartition> gone;
      for (const TopicPartition& partition : group->offsets.partitions()) {
        if (std::find(topics.begin(), topics.end(), partition.first) != topics.end()) gone.push_back(partition);
      }
      if (gone.empty()) continue;
      forget(*group, std::move(gone), false, [group_id = id](const Status& status) {
        if (!status.ok()) log::warn("group {}: offsets of deleted topics: {}", group_id, status.message());
      });
    }
  });
}

void GroupCoordinator::forget_offsets_of_missing_topics() {
  strand_.run([this] {
    std::set<std::string> missing;
    for (const auto& [id, group] : groups_) {
      for (const TopicPartition& partition : group->offsets.partitions()) {
        if (log_.partition_count(partition.first) == 0) missing.insert(partition.first);
      }
    }
    if (!missing.empty()) on_topics_deleted({missing.begin(), missing.end()});
  });
}

// ---- expiry

namespace {

// Offsets whose time has come (KIP-211): the retention counts from when the group became empty; for topics that a
// stable group does not read any more, and for consumers outside of groups, from the commit.
std::vector<TopicPartition> expired_offsets(const Group& group, int64_t now, int64_t retention_ms) {
  std::vector<TopicPartition> out;
  const bool managed = group.protocol_type.has_value();
  std::optional<std::set<std::string>> subscribed;
  if (managed && group.state == GroupState::stable) subscribed = group.subscribed_topics();
  if (managed && group.state != GroupState::empty && !subscribed) return out;
  for (const auto& [partition, offset] : group.offsets.committed()) {
    if (group.offsets.is_unstable(partition)) continue;
    if (subscribed && subscribed->contains(partition.first)) continue;
    const bool since_empty = managed && group.state == GroupState::empty && group.state_timestamp_ms >= 0;
    const int64_t since = since_empty ? group.state_timestamp_ms : offset.commit_timestamp_ms;
    const bool over = offset.expire_timestamp_ms ? now >= *offset.expire_timestamp_ms : now - since >= retention_ms;
    if (over) out.push_back(partition);
  }
  return out;
}

}  // namespace

void GroupCoordinator::expire() {
  const int64_t now = clock_.now_ms();
  std::vector<Group*> all;
  for (const auto& [_, group] : groups_) all.push_back(group.get());
  for (Group* group : all) {
    // A tombstone behind a commit that is on its way would take the new offset with it.
    if (group->state == GroupState::dead || group->commits_on_the_way > 0) continue;
    auto expired = expired_offsets(*group, now, config_.offsets_retention_ms);
    const bool nothing_left = group->state == GroupState::empty && group->pending_members.empty() &&
                              !group->offsets.has_pending() && expired.size() == group->offsets.committed().size();
    if (expired.empty() && !nothing_left) continue;
    log::info("group {}: {} offsets expire{}", group->id, expired.size(), nothing_left ? ", and the group" : "");
    forget(*group, std::move(expired), nothing_left, [id = group->id](const Status& status) {
      if (!status.ok()) log::warn("group {}: expiry: {}", id, status.message());
    });
  }
}

}  // namespace muir::broker
