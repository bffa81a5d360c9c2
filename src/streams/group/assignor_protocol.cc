#include "streams/group/assignor_protocol.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "streams/group/assignor.h"
#include "streams/plan/plan.h"

namespace muir::streams::internal {
namespace {
constexpr char kProtocolName[] = "stream";
}  // namespace

struct StreamsGroupProtocol::Member {
  std::string id;
  ConsumerSubscription subscription;
  SubscriptionInfo info;
  [[nodiscard]] bool readable() const { return info.version <= kAssignmentVersionLatest; }
};

StreamsGroupProtocol::StreamsGroupProtocol(std::shared_ptr<const TopologyPlan> plan, const StreamsConfig& config,
                                           ProcessId process_id, client::Admin& admin, AssignmentListener& listener,
                                           LeaderFailure& leader_failure)
    : plan_(std::move(plan)),
      config_(config),
      process_id_(process_id),
      admin_(admin),
      listener_(listener),
      leader_failure_(leader_failure) {}

std::vector<std::pair<std::string, Bytes>> StreamsGroupProtocol::metadata() {
  ConsumerSubscription subscription;
  std::set<std::string> topics;
  for (const auto& sub : plan_->subtopologies()) {
    if (!sub.is_global) topics.insert(sub.source_topics.begin(), sub.source_topics.end());
  }
  subscription.topics.assign(topics.begin(), topics.end());
  for (const auto& [task, partitions] : listener_.owned_tasks()) {
    subscription.owned.insert(subscription.owned.end(), partitions.begin(), partitions.end());
  }
  std::sort(subscription.owned.begin(), subscription.owned.end());
  // With what is owned goes the generation in which it was given (KIP-792): a member that slept through a rebalance
  // claims what belongs to another by now.
  subscription.generation_id = generation_id_;

  SubscriptionInfo info;
  info.version = used_version_;
  info.process_id = process_id_;
  info.user_endpoint = config_.application_server;
  info.task_offset_sums = listener_.offset_sums();
  // Metadata that equals the last is no reason for the broker to rebalance; a member that asks for one must differ.
  info.unique_field = ++unique_field_;
  if (shutdown_requested_) info.error_code = static_cast<int32_t>(AssignmentError::shutdown_requested);
  subscription.user_data = encode(info);
  return {{kProtocolName, encode(subscription)}};
}

Result<std::vector<StreamsGroupProtocol::Member>> StreamsGroupProtocol::decode_members(
    const std::map<std::string, Bytes>& metadata) const {
  std::vector<Member> members;
  for (const auto& [id, bytes] : metadata) {
    Member member{.id = id, .subscription = {}, .info = {}};
    Result<ConsumerSubscription> subscription = decode_consumer_subscription(bytes);
    if (!subscription.ok()) return subscription.status().annotate("member " + id);
    member.subscription = std::move(*subscription);
    Result<SubscriptionInfo> info =
        decode_subscription_info(to_view(member.subscription.user_data).value_or(BytesView()));
    if (!info.ok()) return info.status().annotate("member " + id);
    member.info = std::move(*info);
    members.push_back(std::move(member));
  }
  return members;
}

std::map<std::string, Bytes> StreamsGroupProtocol::refuse(const std::vector<Member>& members,
                                                          AssignmentError code) const {
  std::map<std::string, Bytes> out;
  for (const auto& member : members) {
    AssignmentInfo info;
    info.version = std::clamp(member.info.version, kAssignmentVersionOldest, kAssignmentVersionLatest);
    info.error_code = static_cast<int32_t>(code);
    out[member.id] = encode(ConsumerAssignment{.partitions = {}, .user_data = encode(info)});
  }
  return out;
}

Result<std::map<std::string, Bytes>> StreamsGroupProtocol::assign(const std::string& protocol_name,
                                                                  const std::map<std::string, Bytes>& member_metadata) {
  leader_failure_.set({});
  if (protocol_name != kProtocolName) {
    return error(Code::unsupported, "assign: the group chose protocol {}, this application speaks {}", protocol_name,
                 kProtocolName);
  }
  std::vector<Member> members = MUIR_TRY(decode_members(member_metadata));
  for (const auto& member : members) {
    if (member.info.error_code == static_cast<int32_t>(AssignmentError::shutdown_requested)) {
      return refuse(members, AssignmentError::shutdown_requested);
    }
  }
  const Result<ResolvedTopics> topics = resolve();
  Status ready = topics.status();
  if (ready.ok()) ready = ensure_internal_topics(*topics, admin_);
  if (ready.ok()) {
    assigned_others_ = true;
    led_with_ = topics->sources;
    return assign_members(members, *topics);
  }
  // Brokers that do not answer are worth another rebalance; a topology that does not fit its topics is not.
  if (ready.code() == Code::unavailable || ready.code() == Code::timed_out) return ready;
  log::error("cannot assign tasks of application {}: {}", config_.application_id, ready.message());
  leader_failure_.set(ready);
  return refuse(members, ready.code() == Code::not_found ? AssignmentError::incomplete_source_topic_metadata
                                                         : AssignmentError::assignment_error);
}

Result<std::map<std::string, Bytes>> StreamsGroupProtocol::assign_members(std::vector<Member>& members,
                                                                          const ResolvedTopics& topics) const {
  std::map<client::TopicPartition, TaskId> task_of;
  std::map<TaskId, const PlannedTask*> planned;
  std::vector<AssignorTask> tasks;
  for (const auto& task : topics.tasks) {
    for (const auto& tp : task.partitions) task_of[tp] = task.id;
    planned[task.id] = &task;
    tasks.push_back({task.id, task.stateful});
  }
  // Who runs what now. Two claims on one task: the older generation's is that of a member which was thrown out.
  std::map<TaskId, const Member*> owner;
  for (const auto& member : members) {
    for (const auto& tp : member.subscription.owned) {
      const auto task = task_of.find(tp);
      if (task == task_of.end()) continue;
      const Member*& current = owner[task->second];
      if (current == nullptr || current->subscription.generation_id < member.subscription.generation_id)
        current = &member;
    }
  }
  std::vector<AssignorMember> candidates;
  int32_t version = kAssignmentVersionLatest;
  int32_t common = kAssignmentVersionLatest;
  for (const auto& member : members) {
    common = std::min(common, member.info.latest_supported);
    version = std::min(version, member.info.version);
    if (!member.readable()) continue;
    AssignorMember candidate{.id = member.id, .process = member.info.process_id};
    for (const auto& [task, claimant] : owner) {
      if (claimant == &member) candidate.owned.insert(task);
    }
    for (const auto& sum : member.info.task_offset_sums) candidate.offset_sums[sum.task] = sum.offset_sum;
    candidates.push_back(std::move(candidate));
  }
  const TaskAssignment assignment = assign_tasks(candidates, tasks);

  std::map<HostInfo, std::vector<client::TopicPartition>> hosts;
  std::map<std::string, AssignmentInfo> infos;
  std::map<std::string, ConsumerAssignment> assignments;
  size_t withheld = 0;
  for (const auto& member : members) {
    std::vector<std::pair<client::TopicPartition, TaskId>> pairs;
    const auto given = assignment.find(member.id);
    if (given != assignment.end()) {
      for (const auto& task : given->second) {
        const auto current = owner.find(task);
        // KIP-429: in this generation its owner gives it up, in the next, which that causes, the new one gets it. Two
        // members never have one task at a time, and all other tasks go on meanwhile.
        if (current != owner.end() && current->second != &member) {
          ++withheld;  // until its owner has given it up
          continue;
        }
        for (const auto& tp : planned.at(task)->partitions) pairs.emplace_back(tp, task);
      }
    }
    std::sort(pairs.begin(), pairs.end());
    AssignmentInfo& info = infos[member.id];
    info.version = std::max(version, kAssignmentVersionOldest);
    info.commonly_supported = common;
    const Result<HostInfo> host = parse_host(member.info.user_endpoint);
    for (auto& [tp, task] : pairs) {
      info.active.push_back(task);
      assignments[member.id].partitions.push_back(tp);
      if (host.ok() && !host->host.empty()) hosts[*host].push_back(tp);
    }
    if (!member.readable()) info.error_code = static_cast<int32_t>(AssignmentError::version_probing);
  }
  std::map<std::string, Bytes> out;
  for (const auto& member : members) {
    infos[member.id].partitions_by_host = hosts;
    assignments[member.id].user_data = encode(infos[member.id]);
    out[member.id] = encode(assignments[member.id]);
  }
  log::info("assigned {} tasks of application {} to {} threads, {} of them after their owners give them up",
            tasks.size(), config_.application_id, members.size(), withheld);
  return out;
}

Result<ResolvedTopics> StreamsGroupProtocol::resolve() const {
  return resolve_topics(*plan_, config_, [this](const std::string& topic) -> Result<int32_t> {
    return MUIR_TRY(admin_.describe_topic(topic)).partitions;
  });
}

// A broker that has just started may not know all topics yet: what is gone is looked for once more.
bool StreamsGroupProtocol::sources_changed(int64_t timeout_ms) {
  const std::string doubted = std::exchange(doubted_, {});
  for (const auto& [topic, partitions] : led_with_) {
    const Result<client::TopicDescription> now = admin_.describe_topic(topic, timeout_ms);
    if (now.ok() && now->partitions == partitions) continue;
    if (!now.ok() && now.status().code() != Code::not_found) return false;
    if (!now.ok() && doubted != topic) {
      doubted_ = topic;
      return false;
    }
    log::warn("topic {} of application {} {}; the group joins again", topic, config_.application_id,
              now.ok() ? fmt::format("has {} partitions instead of {}", now->partitions, partitions)
                       : std::string("is gone"));
    return true;
  }
  return false;
}

void StreamsGroupProtocol::on_prepare(GenerationId, const std::string&) { listener_.on_rebalance(); }

Status StreamsGroupProtocol::on_assigned(GenerationId generation_id, const std::string& member_id,
                                         BytesView assignment) {
  generation_id_ = generation_id;
  if (!std::exchange(assigned_others_, false)) led_with_.clear();
  next_rebalance_ms_ = std::numeric_limits<int64_t>::max();
  ConsumerAssignment partitions = MUIR_TRY(decode_consumer_assignment(assignment));
  TasksAssigned tasks{.generation_id = generation_id, .member_id = member_id, .active = {}, .info = {}};
  if (partitions.user_data) tasks.info = MUIR_TRY(decode_assignment_info(*partitions.user_data));
  switch (static_cast<AssignmentError>(tasks.info.error_code)) {
    case AssignmentError::none: break;
    case AssignmentError::incomplete_source_topic_metadata:
      MUIR_RETURN_IF_ERROR(leader_failure_.get());
      // The answer has no room for names: look for ourselves, so that every member's failure says what to create.
      if (const Status ours = resolve().status(); ours.code() == Code::not_found) return ours;
      return error(Code::not_found, "the leader of group {} misses source topics of the topology",
                   config_.application_id);
    case AssignmentError::version_probing:
      // The leader is older and could not read what this member sent: it says up to which version it can (KIP-268).
      used_version_ = std::clamp(tasks.info.commonly_supported, kAssignmentVersionOldest, kAssignmentVersionLatest);
      rejoin_ = true;
      return {};
    case AssignmentError::shutdown_requested:
      return error(Code::aborted, "an instance asked application {} to shut down", config_.application_id);
    default:
      MUIR_RETURN_IF_ERROR(leader_failure_.get());
      return error(Code::failed_precondition, "the leader of group {} could not assign tasks; its log says why",
                   config_.application_id);
  }
  used_version_ = std::clamp(tasks.info.commonly_supported, kAssignmentVersionOldest, kAssignmentVersionLatest);
  next_rebalance_ms_ = tasks.info.next_rebalance_ms;
  std::sort(partitions.partitions.begin(), partitions.partitions.end());
  if (partitions.partitions.size() != tasks.info.active.size()) {
    return error(Code::invalid_argument, "assignment: {} partitions but {} task ids", partitions.partitions.size(),
                 tasks.info.active.size());
  }
  for (size_t i = 0; i < partitions.partitions.size(); ++i) {
    tasks.active[tasks.info.active[i]].push_back(partitions.partitions[i]);
  }
  rejoin_ = MUIR_TRY(listener_.on_tasks_assigned(tasks));
  return {};
}

void StreamsGroupProtocol::on_lost() {
  led_with_.clear();
  generation_id_ = kNoGeneration;
  listener_.on_tasks_lost();
}

bool StreamsGroupProtocol::take_rejoin_request() { return std::exchange(rejoin_, false); }

}  // namespace muir::streams::internal
