#include "broker/groups/group_offsets.h"

namespace muir::broker {

void GroupOffsets::commit(const TopicPartition& partition, CommittedOffset offset) {
  const auto at = committed_.find(partition);
  if (at == committed_.end()) {
    committed_.emplace(partition, std::move(offset));
  } else if (offset.log_offset >= at->second.log_offset) {
    at->second = std::move(offset);
  }
}

void GroupOffsets::remove(const TopicPartition& partition) {
  committed_.erase(partition);
  for (auto& [_, partitions] : pending_) partitions.erase(partition);
  std::erase_if(pending_, [](const auto& producer) { return producer.second.empty(); });
}

std::set<TopicPartition> GroupOffsets::partitions() const {
  std::set<TopicPartition> out;
  for (const auto& [partition, _] : committed_) out.insert(partition);
  for (const auto& [_, partitions] : pending_) {
    for (const auto& [partition, offset] : partitions) out.insert(partition);
  }
  return out;
}

const CommittedOffset* GroupOffsets::find(const TopicPartition& partition) const {
  const auto at = committed_.find(partition);
  return at == committed_.end() ? nullptr : &at->second;
}

void GroupOffsets::announce(ProducerId producer_id, const TopicPartition& partition) {
  pending_[producer_id].try_emplace(partition);
}

void GroupOffsets::stage(ProducerId producer_id, const TopicPartition& partition, CommittedOffset offset) {
  pending_[producer_id][partition] = std::move(offset);
}

void GroupOffsets::retract(ProducerId producer_id, const TopicPartition& partition) {
  const auto producer = pending_.find(producer_id);
  if (producer == pending_.end()) return;
  const auto at = producer->second.find(partition);
  if (at != producer->second.end() && !at->second) producer->second.erase(at);
  if (producer->second.empty()) pending_.erase(producer);
}

void GroupOffsets::complete(ProducerId producer_id, bool commit_them) {
  const auto producer = pending_.find(producer_id);
  if (producer == pending_.end()) return;
  auto staged = std::move(producer->second);
  pending_.erase(producer);
  if (!commit_them) return;
  for (auto& [partition, offset] : staged) {
    if (offset) commit(partition, std::move(*offset));
  }
}

bool GroupOffsets::is_unstable(const TopicPartition& partition) const {
  for (const auto& [_, partitions] : pending_) {
    if (partitions.contains(partition)) return true;
  }
  return false;
}

}  // namespace muir::broker
