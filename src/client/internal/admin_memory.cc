#include "client/internal/admin_memory.h"

#include <algorithm>

#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

bool is_legal_name(std::string_view name) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), legal);
}

// The first record at or after the time; the end when there is none, as consumers of Kafka's answer (-1) mean it.
Offset offset_at_time(const MemoryPartition& log, int64_t time_ms, IsolationLevel isolation) {
  const Offset end = log.end(isolation);
  for (Offset offset = log.log_start; offset < end; ++offset) {
    const MemoryRecord& record = *log.at(offset);
    if (record.state != StoredRecord::State::control && record.timestamp_ms >= time_ms) return offset;
  }
  return end;
}

}  // namespace

Status MemoryAdmin::create_topic(const NewTopic& topic, int64_t) {
  const std::lock_guard lock(state_.mutex);
  const std::string what = fmt::format("create topic={}", topic.name);
  if (!is_legal_name(topic.name)) return wire::to_status(wire::ErrorCode::invalid_topic_exception, what);
  if (state_.topic(topic.name, false) != nullptr) return wire::to_status(wire::ErrorCode::topic_already_exists, what);
  const int32_t partitions = topic.partitions == -1 ? state_.options.default_partitions : topic.partitions;
  if (partitions <= 0) return wire::to_status(wire::ErrorCode::invalid_partitions, what);
  if (topic.replication_factor == 0 || topic.replication_factor > state_.options.brokers) {
    return wire::to_status(wire::ErrorCode::invalid_replication_factor, what);
  }
  MemoryTopic& made = state_.make_topic(topic.name);
  made.partitions.resize(static_cast<size_t>(partitions));
  made.configs = topic.configs;
  made.configs.try_emplace("cleanup.policy", "delete");
  state_.note("create {} partitions={}", topic.name, partitions);
  state_.changed.notify_all();
  return {};
}

Status MemoryAdmin::create_partitions(const std::string& name, int32_t total, int64_t) {
  const std::lock_guard lock(state_.mutex);
  const std::string what = fmt::format("create partitions of topic={} total={}", name, total);
  MemoryTopic* topic = state_.topic(name, false);
  if (topic == nullptr) return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, what);
  if (total <= static_cast<int32_t>(topic->partitions.size()))
    return wire::to_status(wire::ErrorCode::invalid_partitions, what);
  topic->partitions.resize(static_cast<size_t>(total));
  state_.changed.notify_all();
  return {};
}

Status MemoryAdmin::delete_topic(const std::string& name, int64_t) {
  const std::lock_guard lock(state_.mutex);
  if (state_.topics.erase(name) == 0)
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, fmt::format("delete topic={}", name));
  for (auto& [id, group] : state_.groups) {
    std::erase_if(group.committed, [&](const auto& one) { return one.first.topic == name; });
  }
  for (auto& [id, transaction] : state_.transactional) {
    for (auto& [group, offsets] : transaction.offsets)
      std::erase_if(offsets, [&](const auto& one) { return one.first.topic == name; });
  }
  return {};
}

Result<TopicDescription> MemoryAdmin::describe_topic(const std::string& name, int64_t) {
  const std::lock_guard lock(state_.mutex);
  const MemoryTopic* topic = state_.topic(name, false);
  if (topic == nullptr)
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, fmt::format("describe topic={}", name));
  return TopicDescription{name, static_cast<int32_t>(topic->partitions.size()), 1, topic->id};
}

Result<std::vector<TopicDescription>> MemoryAdmin::list_topics(int64_t) {
  const std::lock_guard lock(state_.mutex);
  std::vector<TopicDescription> all;
  for (const auto& [name, topic] : state_.topics)
    all.push_back({name, static_cast<int32_t>(topic.partitions.size()), 1, topic.id});
  return all;
}

Result<ClusterDescription> MemoryAdmin::describe_cluster(int64_t) {
  ClusterDescription description{"memory", 0, {}};
  for (int32_t i = 0; i < state_.options.brokers; ++i) description.brokers.push_back(fmt::format("memory-{}:9092", i));
  return description;
}

Result<std::map<std::string, std::string>> MemoryAdmin::topic_configs(const std::string& name, int64_t) {
  const std::lock_guard lock(state_.mutex);
  const MemoryTopic* topic = state_.topic(name, false);
  if (topic == nullptr)
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition,
                           fmt::format("describe configs of topic={}", name));
  return topic->configs;
}

Result<std::map<TopicPartition, Offset>> MemoryAdmin::list_offsets(const std::vector<TopicPartition>& partitions,
                                                                   OffsetSpec at, IsolationLevel isolation, int64_t) {
  const std::lock_guard lock(state_.mutex);
  state_.expire();
  std::map<TopicPartition, Offset> offsets;
  for (const TopicPartition& one : partitions) {
    const MemoryPartition& log = *MUIR_TRY(state_.partition(one));
    offsets[one] = at == OffsetSpec::earliest() ? log.log_start
                   : at == OffsetSpec::latest() ? log.end(isolation)
                                                : offset_at_time(log, at.value(), isolation);
  }
  return offsets;
}

Result<Offsets> MemoryAdmin::committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                               bool require_stable, int64_t timeout_ms) {
  const int64_t until = system_clock().steady_us() + timeout_ms * 1000;
  std::unique_lock lock(state_.mutex);
  state_.expire();
  const auto pending = [&] {
    return std::any_of(state_.transactional.begin(), state_.transactional.end(), [&](const auto& one) {
      const auto it = one.second.offsets.find(group);
      return it != one.second.offsets.end() &&
             std::any_of(partitions.begin(), partitions.end(),
                         [&](const TopicPartition& p) { return it->second.contains(p); });
    });
  };
  while (require_stable && pending()) {
    if (state_.wait(lock, until)) continue;
    return Status(Code::timed_out,
                  fmt::format("committed offsets of group={}: a transaction on them is pending", group),
                  wire::kafka(wire::ErrorCode::unstable_offset_commit));
  }
  Offsets found;
  const auto it = state_.groups.find(group);
  if (it == state_.groups.end()) return found;
  for (const TopicPartition& one : partitions) {
    if (const auto offset = it->second.committed.find(one); offset != it->second.committed.end())
      found[one] = offset->second;
  }
  return found;
}

Status MemoryAdmin::delete_records(const std::map<TopicPartition, Offset>& before, int64_t) {
  const std::lock_guard lock(state_.mutex);
  for (const auto& [one, offset] : before) {
    MemoryPartition& log = *MUIR_TRY(state_.partition(one));
    const Offset until = offset == kNoOffset ? log.end() : offset;
    if (until < Offset(0) || until > log.end()) {
      return wire::to_status(
          wire::ErrorCode::offset_out_of_range,
          fmt::format("delete records topic={} partition={} before={}", one.topic, one.partition, offset));
    }
    log.delete_before(until);
  }
  return {};
}

}  // namespace muir::client::internal
