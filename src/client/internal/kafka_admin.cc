#include "client/internal/kafka_admin.h"

#include "wire/messages/create_partitions.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/list_offsets.h"
#include "wire/messages/offset_fetch.h"

namespace muir::client::internal {
namespace {

constexpr int8_t kTopicResource = 2;

Status with_reason(wire::ErrorCode code, const std::string& what, const std::optional<std::string>& reason) {
  const Status status = wire::to_status(code, what);
  if (status.ok() || !reason || reason->empty()) return status;
  return status.with_message(fmt::format("{}: {}: {}", what, wire::name_of(code), *reason));
}

TopicDescription describe(const wire::MetadataResponse::Topic& topic) {
  TopicDescription description{topic.name.value_or(""), static_cast<int32_t>(topic.partitions.size()), 0,
                               topic.topic_id};
  if (!topic.partitions.empty())
    description.replication_factor = static_cast<int16_t>(topic.partitions[0].replica_nodes.size());
  return description;
}

// The entry for `topic` in a request's or response's list, appended when it is not the last.
template <class Topics>
auto& entry_for(Topics& topics, const std::string& topic) {
  if (topics.empty() || topics.back().name != topic) topics.push_back({.name = topic});
  return topics.back();
}

std::string where(std::string_view what, const std::string& topic, PartitionId partition) {
  return fmt::format("{} topic={} partition={}", what, topic, partition);
}

}  // namespace

Status KafkaAdmin::create_topic(const NewTopic& topic, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  wire::CreateTopicsRequest request;
  wire::CreateTopicsRequest::Topic& one = request.topics.emplace_back();
  one.name = topic.name;
  one.num_partitions = topic.partitions;
  one.replication_factor = topic.replication_factor;
  for (const auto& [name, value] : topic.configs) one.configs.push_back({.name = name, .value = value});
  const std::string what = fmt::format("create topic={}", topic.name);
  MUIR_RETURN_IF_ERROR(client_.retry(deadline, [&]() -> Status {
    BrokerConnection* controller = MUIR_TRY(client_.controller(deadline));
    request.timeout_ms = static_cast<int32_t>(client_.request_ms(deadline));
    const auto answer = MUIR_TRY(controller->call(request, client_.request_ms(deadline)));
    if (answer.topics.empty()) return error(Code::internal, "{}: the answer names no topic", what);
    return with_reason(answer.topics[0].error_code, what, answer.topics[0].error_message);
  }));
  return await_topic(topic.name, 1, deadline);
}

Status KafkaAdmin::create_partitions(const std::string& name, int32_t total, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  const std::string what = fmt::format("create partitions of topic={} total={}", name, total);
  MUIR_RETURN_IF_ERROR(client_.retry(deadline, [&]() -> Status {
    BrokerConnection* controller = MUIR_TRY(client_.controller(deadline));
    wire::CreatePartitionsRequest request;
    wire::CreatePartitionsRequest::Topic& one = request.topics.emplace_back();
    one.name = name;
    one.count = total;
    one.assignments.reset();  // where they go is the cluster's choice
    request.timeout_ms = static_cast<int32_t>(client_.request_ms(deadline));
    const auto answer = MUIR_TRY(controller->call(request, client_.request_ms(deadline)));
    if (answer.results.empty()) return error(Code::internal, "{}: the answer names no topic", what);
    const auto code = answer.results[0].error_code;
    if (code == wire::ErrorCode::unknown_topic_or_partition) return error(Code::not_found, "{}: no such topic", what);
    return with_reason(code, what, answer.results[0].error_message);
  }));
  return await_topic(name, total, deadline);
}

// The controller answers before every broker knows the topic; who creates one wants to use it.
Status KafkaAdmin::await_topic(const std::string& name, int32_t partitions_min, const Deadline& deadline) {
  return client_.retry(deadline, [&]() -> Status {
    const auto answer = MUIR_TRY(client_.metadata(std::vector<std::string>{name}, deadline));
    const std::string what = fmt::format("await topic={}", name);
    if (answer.topics.empty()) return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, what);
    MUIR_RETURN_IF_ERROR(wire::to_status(answer.topics[0].error_code, what));
    const auto& partitions = answer.topics[0].partitions;
    if (partitions.size() < static_cast<size_t>(partitions_min))
      return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, what);
    for (const auto& partition : partitions) {
      if (partition.leader_id < 0) return wire::to_status(wire::ErrorCode::leader_not_available, what);
    }
    return {};
  });
}

Status KafkaAdmin::delete_topic(const std::string& name, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  const std::string what = fmt::format("delete topic={}", name);
  return client_.retry(deadline, [&]() -> Status {
    BrokerConnection* controller = MUIR_TRY(client_.controller(deadline));
    wire::DeleteTopicsRequest request;
    request.topic_names = {name};
    request.topics.push_back({.name = name});
    request.timeout_ms = static_cast<int32_t>(client_.request_ms(deadline));
    const auto answer = MUIR_TRY(controller->call(request, client_.request_ms(deadline)));
    if (answer.responses.empty()) return error(Code::internal, "{}: the answer names no topic", what);
    // Retriable for those who produce to it, but nothing will bring it about here.
    const auto code = answer.responses[0].error_code;
    if (code == wire::ErrorCode::unknown_topic_or_partition) return error(Code::not_found, "{}: no such topic", what);
    return with_reason(code, what, answer.responses[0].error_message);
  });
}

Result<TopicDescription> KafkaAdmin::describe_topic(const std::string& name, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<TopicDescription> {
    const auto answer = MUIR_TRY(client_.metadata(std::vector<std::string>{name}, deadline));
    const std::string what = fmt::format("describe topic={}", name);
    if (answer.topics.empty() || answer.topics[0].error_code == wire::ErrorCode::unknown_topic_or_partition) {
      return error(Code::not_found, "{}: no such topic", what);
    }
    MUIR_RETURN_IF_ERROR(wire::to_status(answer.topics[0].error_code, what));
    return describe(answer.topics[0]);
  });
}

Result<std::vector<TopicDescription>> KafkaAdmin::list_topics(int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<std::vector<TopicDescription>> {
    const auto answer = MUIR_TRY(client_.metadata(std::nullopt, deadline));
    std::vector<TopicDescription> all;
    for (const auto& topic : answer.topics) {
      if (topic.error_code == wire::ErrorCode::none) all.push_back(describe(topic));
    }
    return all;
  });
}

Result<ClusterDescription> KafkaAdmin::describe_cluster(int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<ClusterDescription> {
    const auto answer = MUIR_TRY(client_.metadata(std::vector<std::string>(), deadline));
    ClusterDescription description{answer.cluster_id.value_or(""), answer.controller_id, {}};
    for (const auto& broker : answer.brokers)
      description.brokers.push_back(fmt::format("{}:{}", broker.host, broker.port));
    return description;
  });
}

Result<std::map<std::string, std::string>> KafkaAdmin::topic_configs(const std::string& name, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<std::map<std::string, std::string>> {
    BrokerConnection* connection = MUIR_TRY(client_.any(deadline));
    wire::DescribeConfigsRequest request;
    wire::DescribeConfigsRequest::Resource& resource = request.resources.emplace_back();
    resource.resource_type = kTopicResource;
    resource.resource_name = name;
    resource.configuration_keys.reset();
    const auto answer = MUIR_TRY(connection->call(request, client_.request_ms(deadline)));
    const std::string what = fmt::format("describe configs of topic={}", name);
    if (answer.results.empty()) return error(Code::internal, "{}: the answer names no topic", what);
    const auto& result = answer.results[0];
    if (result.error_code == wire::ErrorCode::unknown_topic_or_partition)
      return error(Code::not_found, "{}: no such topic", what);
    MUIR_RETURN_IF_ERROR(with_reason(result.error_code, what, result.error_message));
    std::map<std::string, std::string> configs;
    for (const auto& config : result.configs) configs[config.name] = config.value.value_or("");
    return configs;
  });
}

Result<KafkaAdmin::Leaders> KafkaAdmin::leaders(const std::vector<TopicPartition>& partitions,
                                                const Deadline& deadline) {
  std::vector<std::string> names;
  for (const TopicPartition& one : partitions) {
    if (std::find(names.begin(), names.end(), one.topic) == names.end()) names.push_back(one.topic);
  }
  const auto answer = MUIR_TRY(client_.metadata(names, deadline));
  std::map<int32_t, Endpoint> brokers;
  for (const auto& broker : answer.brokers) brokers[broker.node_id] = {broker.host, static_cast<uint16_t>(broker.port)};
  std::map<TopicPartition, int32_t> leader_of;
  for (const auto& topic : answer.topics) {
    const std::string what = fmt::format("metadata topic={}", topic.name.value_or(""));
    if (topic.error_code == wire::ErrorCode::unknown_topic_or_partition)
      return error(Code::not_found, "{}: no such topic", what);
    MUIR_RETURN_IF_ERROR(wire::to_status(topic.error_code, what));
    for (const auto& partition : topic.partitions)
      leader_of[{topic.name.value_or(""), PartitionId(partition.partition_index)}] = partition.leader_id;
  }
  Leaders leaders;
  for (const TopicPartition& one : partitions) {
    const auto leader = leader_of.find(one);
    if (leader == leader_of.end())
      return error(Code::not_found, "{}: no such partition", where("metadata", one.topic, one.partition));
    const auto broker = brokers.find(leader->second);
    if (broker == brokers.end())
      return wire::to_status(wire::ErrorCode::leader_not_available, where("metadata", one.topic, one.partition));
    leaders[broker->second].push_back(one);
  }
  return leaders;
}

Status KafkaAdmin::list_at(const Endpoint& leader, const std::vector<TopicPartition>& partitions, OffsetSpec at,
                           IsolationLevel isolation, const Deadline& deadline,
                           std::map<TopicPartition, Offset>& offsets) {
  BrokerConnection* connection = MUIR_TRY(client_.at(leader, deadline));
  wire::ListOffsetsRequest request;
  request.replica_id = -1;
  request.isolation_level = isolation == IsolationLevel::read_committed ? 1 : 0;
  for (const TopicPartition& one : partitions) {
    entry_for(request.topics, one.topic)
        .partitions.push_back({.partition_index = one.partition.value(), .timestamp = at.value()});
  }
  const auto answer = MUIR_TRY(connection->call(request, client_.request_ms(deadline)));
  for (const auto& topic : answer.topics) {
    for (const auto& partition : topic.partitions) {
      MUIR_RETURN_IF_ERROR(wire::to_status(partition.error_code,
                                           where("list offsets", topic.name, PartitionId(partition.partition_index))));
      offsets[{topic.name, PartitionId(partition.partition_index)}] = Offset(partition.offset);
    }
  }
  return {};
}

Result<std::map<TopicPartition, Offset>> KafkaAdmin::list_offsets(const std::vector<TopicPartition>& partitions,
                                                                  OffsetSpec at, IsolationLevel isolation,
                                                                  int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<std::map<TopicPartition, Offset>> {
    std::map<TopicPartition, Offset> offsets;
    const Leaders by_leader = MUIR_TRY(leaders(partitions, deadline));
    for (const auto& [leader, mine] : by_leader)
      MUIR_RETURN_IF_ERROR(list_at(leader, mine, at, isolation, deadline, offsets));
    std::vector<TopicPartition>
        beyond;  // no record is as young as that time: Kafka says -1 where a reader wants the end
    for (const auto& [partition, offset] : offsets) {
      if (offset == kNoOffset) beyond.push_back(partition);
    }
    if (beyond.empty()) return offsets;
    const Leaders again = MUIR_TRY(leaders(beyond, deadline));
    for (const auto& [leader, mine] : again)
      MUIR_RETURN_IF_ERROR(list_at(leader, mine, OffsetSpec::latest(), isolation, deadline, offsets));
    return offsets;
  });
}

Result<Offsets> KafkaAdmin::committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                              bool require_stable, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  return client_.retry(deadline, [&]() -> Result<Offsets> {
    const Endpoint coordinator = MUIR_TRY(client_.coordinator(group, deadline));
    BrokerConnection* connection = MUIR_TRY(client_.at(coordinator, deadline));
    wire::OffsetFetchRequest request;
    request.group_id = group;
    request.require_stable = require_stable;
    request.topics.emplace();
    wire::OffsetFetchRequest::Group& one = request.groups.emplace_back();
    one.group_id = group;
    one.topics.emplace();
    for (const TopicPartition& partition : partitions) {
      entry_for(*request.topics, partition.topic).partition_indexes.push_back(partition.partition.value());
      entry_for(*one.topics, partition.topic).partition_indexes.push_back(partition.partition.value());
    }
    const auto answer = MUIR_TRY(connection->call(request, client_.request_ms(deadline)));
    Offsets offsets;
    const std::string what = fmt::format("committed offsets of group={}", group);
    const auto take = [&](const auto& topics, wire::ErrorCode code) -> Status {
      MUIR_RETURN_IF_ERROR(wire::to_status(code, what));
      for (const auto& topic : topics) {
        for (const auto& partition : topic.partitions) {
          MUIR_RETURN_IF_ERROR(
              wire::to_status(partition.error_code, where(what, topic.name, PartitionId(partition.partition_index))));
          if (partition.committed_offset < 0) continue;
          offsets[{topic.name, PartitionId(partition.partition_index)}] = {
              Offset(partition.committed_offset), LeaderEpoch(partition.committed_leader_epoch),
              partition.metadata.value_or("")};
        }
      }
      return {};
    };
    if (answer.groups.empty()) {  // up to v7
      MUIR_RETURN_IF_ERROR(take(answer.topics, answer.error_code));
    } else {
      MUIR_RETURN_IF_ERROR(take(answer.groups[0].topics, answer.groups[0].error_code));
    }
    return offsets;
  });
}

Status KafkaAdmin::delete_at(const Endpoint& leader, const std::vector<TopicPartition>& partitions,
                             const std::map<TopicPartition, Offset>& before, const Deadline& deadline) {
  BrokerConnection* connection = MUIR_TRY(client_.at(leader, deadline));
  wire::DeleteRecordsRequest request;
  request.timeout_ms = static_cast<int32_t>(client_.request_ms(deadline));
  for (const TopicPartition& one : partitions) {
    entry_for(request.topics, one.topic)
        .partitions.push_back({.partition_index = one.partition.value(), .offset = before.at(one).value()});
  }
  const auto answer = MUIR_TRY(connection->call(request, client_.request_ms(deadline)));
  for (const auto& topic : answer.topics) {
    for (const auto& partition : topic.partitions) {
      MUIR_RETURN_IF_ERROR(wire::to_status(
          partition.error_code, where("delete records", topic.name, PartitionId(partition.partition_index))));
    }
  }
  return {};
}

Status KafkaAdmin::delete_records(const std::map<TopicPartition, Offset>& before, int64_t timeout_ms) {
  const std::lock_guard lock(mutex_);
  const Deadline deadline(timeout_ms);
  std::vector<TopicPartition> partitions;
  for (const auto& [one, offset] : before) partitions.push_back(one);
  return client_.retry(deadline, [&]() -> Status {
    const Leaders by_leader = MUIR_TRY(leaders(partitions, deadline));
    for (const auto& [leader, mine] : by_leader) MUIR_RETURN_IF_ERROR(delete_at(leader, mine, before, deadline));
    return {};
  });
}

}  // namespace muir::client::internal
