#include "client/internal/state_memory.h"

#include <algorithm>
#include <chrono>

#include "wire/error_code.h"

namespace muir::client::internal {

Offset MemoryPartition::last_stable() const {
  Offset stable = end();
  for (const auto& [producer_id, first] : open_transactions) stable = std::min(stable, first);
  return stable;
}

Offset MemoryPartition::append(MemoryRecord record) {
  record.offset = end();
  if (record.state == StoredRecord::State::pending) open_transactions.try_emplace(record.producer_id, record.offset);
  records.push_back(std::make_shared<MemoryRecord>(std::move(record)));
  return end() - 1;
}

void MemoryPartition::complete(ProducerId producer_id, bool committed, int64_t now_ms) {
  open_transactions.erase(producer_id);
  for (auto it = records.rbegin(); it != records.rend(); ++it) {
    MemoryRecord& record = **it;
    if (record.producer_id != producer_id) continue;
    if (record.state != StoredRecord::State::pending) break;  // an earlier transaction of this producer
    record.state = committed ? StoredRecord::State::committed : StoredRecord::State::aborted;
  }
  MemoryRecord marker;
  marker.timestamp_ms = now_ms;
  marker.state = StoredRecord::State::control;
  marker.producer_id = producer_id;
  append(std::move(marker));
}

void MemoryPartition::delete_before(Offset offset) {
  while (log_start < offset && !records.empty()) {
    records.pop_front();
    ++log_start;
  }
}

Status check_identity(const MemoryGroup* group, const GroupMetadata& identity) {
  if (identity.generation_id < GenerationId(0) && identity.member_id.empty()) return {};
  const auto refuse = [&](wire::ErrorCode code) {
    const std::string what =
        fmt::format("group={} member={} generation={}", identity.group_id, identity.member_id, identity.generation_id);
    return wire::to_status(code, what).with(Code::aborted);
  };
  if (group == nullptr) return refuse(wire::ErrorCode::unknown_member_id);
  if (!identity.group_instance_id.empty()) {
    const auto it = group->static_members.find(identity.group_instance_id);
    if (it != group->static_members.end() && it->second != identity.member_id)
      return refuse(wire::ErrorCode::fenced_instance_id);
  }
  if (!group->members.contains(identity.member_id)) return refuse(wire::ErrorCode::unknown_member_id);
  if (group->generation != identity.generation_id) return refuse(wire::ErrorCode::illegal_generation);
  return {};
}

}  // namespace muir::client::internal

namespace muir::client {

using internal::MemoryGroup;
using internal::MemoryPartition;
using internal::MemoryTopic;
using internal::MemoryTransactional;

bool MemoryCluster::State::draw(double chance) {
  if (chance <= 0) return false;
  return static_cast<double>(random() >> 11) * 0x1.0p-53 < chance;
}

MemoryTopic& MemoryCluster::State::make_topic(const std::string& name) {
  MemoryTopic& made = topics[name];
  made.id = wire::Uuid::from_random(0, next_topic++);
  return made;
}

MemoryTopic* MemoryCluster::State::topic(std::string_view name, bool may_create) {
  const auto it = topics.find(std::string(name));
  if (it != topics.end()) return &it->second;
  if (!may_create || !options.auto_create_topics) return nullptr;
  MemoryTopic& made = make_topic(std::string(name));
  made.partitions.resize(static_cast<size_t>(options.default_partitions));
  return &made;
}

Result<MemoryPartition*> MemoryCluster::State::partition(const TopicPartition& partition) {
  MemoryTopic* found = topic(partition.topic, false);
  if (found == nullptr || partition.partition < PartitionId(0) ||
      static_cast<size_t>(partition.partition.value()) >= found->partitions.size()) {
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition,
                           fmt::format("topic={} partition={}", partition.topic, partition.partition));
  }
  return &found->partitions[static_cast<size_t>(partition.partition.value())];
}

void MemoryCluster::State::end_transaction(MemoryTransactional& transaction, bool committed) {
  for (const TopicPartition& one : transaction.partitions) {
    if (Result<MemoryPartition*> found = partition(one); found.ok())
      (*found)->complete(transaction.producer_id, committed, clock.now_ms());
  }
  if (committed) {
    for (const auto& [group, offsets] : transaction.offsets) {
      for (const auto& [one, offset] : offsets) groups[group].committed[one] = offset;
    }
  }
  note("{} producer={} partitions={} groups={}", committed ? "commit" : "abort", transaction.producer_id,
       transaction.partitions.size(), transaction.offsets.size());
  transaction.partitions.clear();
  transaction.offsets.clear();
  transaction.ongoing = false;
  changed.notify_all();
}

void MemoryCluster::State::expire() {
  const int64_t now = clock.now_ms();
  for (auto& [id, transaction] : transactional) {
    if (!transaction.ongoing || now - transaction.started_ms <= transaction.timeout_ms) continue;
    note("transaction of {} timed out", id);
    end_transaction(transaction, false);
    transaction.epoch = internal::next(transaction.epoch);  // whoever comes back with it is fenced
  }
  for (auto& [id, group] : groups) {
    std::vector<std::string> gone;
    for (const auto& [member_id, member] : group.members) {
      if (now - member.seen_ms > member.rebalance_timeout_ms) gone.push_back(member_id);
    }
    for (const std::string& member_id : gone) remove_member(group, member_id);
  }
}

void MemoryCluster::State::prepare_rebalance(MemoryGroup& group) {
  if (group.phase == MemoryGroup::Phase::preparing) return;
  group.phase = MemoryGroup::Phase::preparing;
  group.preparing_since_ms = clock.now_ms();
  for (auto& [id, member] : group.members) member.joined = false;
  changed.notify_all();
}

// The protocol is the first one of the leader's that every member supports.
void MemoryCluster::State::complete_rebalance(MemoryGroup& group) {
  if (group.phase != MemoryGroup::Phase::preparing) return;
  if (group.members.empty()) {
    group.phase = MemoryGroup::Phase::empty;
    group.generation = internal::next(group.generation);
    return;
  }
  const bool all =
      std::all_of(group.members.begin(), group.members.end(), [](const auto& one) { return one.second.joined; });
  if (!all) return;
  if (!group.members.contains(group.leader)) group.leader = group.members.begin()->first;
  group.protocol.clear();
  for (const auto& [name, bytes] : group.members[group.leader].metadata) {
    const bool common = std::all_of(group.members.begin(), group.members.end(), [&](const auto& one) {
      return std::any_of(one.second.metadata.begin(), one.second.metadata.end(),
                         [&](const auto& p) { return p.first == name; });
    });
    if (!common) continue;
    group.protocol = name;
    break;
  }
  group.generation = internal::next(group.generation);
  group.phase = MemoryGroup::Phase::completing;
  for (auto& [id, member] : group.members) member.assignment.clear();
  note("generation {} of {} members, leader {}", group.generation, group.members.size(), group.leader);
  changed.notify_all();
}

void MemoryCluster::State::remove_member(MemoryGroup& group, const std::string& member_id) {
  const auto it = group.members.find(member_id);
  if (it == group.members.end()) return;
  const auto instance = group.static_members.find(it->second.instance_id);
  if (instance != group.static_members.end() && instance->second == member_id) group.static_members.erase(instance);
  group.members.erase(it);
  note("member {} is gone", member_id);
  prepare_rebalance(group);
  complete_rebalance(group);
  changed.notify_all();
}

bool MemoryCluster::State::wait(std::unique_lock<std::mutex>& lock, int64_t until_us) {
  if (!options.blocking) return false;
  const int64_t left = until_us - system_clock().steady_us();
  if (left <= 0) return false;
  // Short waits, because sessions and transactions also end by the clock alone.
  changed.wait_for(lock, std::chrono::microseconds(std::min<int64_t>(left, 50'000)));
  expire();
  return true;
}

}  // namespace muir::client
