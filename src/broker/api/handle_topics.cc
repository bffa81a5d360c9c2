#include <algorithm>
#include <map>
#include <set>

#include "base/config_def.h"
#include "broker/api/disk_trouble.h"
#include "broker/api/handlers.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/broker_context.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;
using wire::ErrorCode;

// Names that occur more than once in a request: Kafka refuses them all.
template <class Items>
std::set<std::string> repeated_names(const Items& items) {
  std::set<std::string> seen;
  std::set<std::string> repeated;
  for (const auto& item : items) {
    if (!seen.insert(item.name).second) repeated.insert(item.name);
  }
  return repeated;
}

// The replicas that a client gives to one partition: here they can only be this broker. As Kafka's controller refuses.
Status check_assignment(const std::vector<int32_t>& broker_ids, int32_t node_id) {
  constexpr auto kRefused = ErrorCode::invalid_replica_assignment;
  if (broker_ids.empty())
    return storage::kafka_error(kRefused, "The manual partition assignment includes an empty replica list.");
  std::set<int32_t> seen;
  for (const int32_t id : broker_ids) {
    if (!seen.insert(id).second)
      return storage::kafka_error(kRefused, "The manual partition assignment includes the broker {} more than once.",
                                  id);
    if (id != node_id)
      return storage::kafka_error(
          kRefused, "The manual partition assignment includes broker {}, but no such broker is registered.", id);
  }
  return {};
}

Status check_replication(const CreateTopicsRequest::Topic& wanted, int32_t node_id) {
  if (!wanted.assignments.empty()) {
    if (wanted.num_partitions != -1 || wanted.replication_factor != -1) {
      return storage::kafka_error(ErrorCode::invalid_request,
                                  "Both numPartitions or replicationFactor and replicasAssignments were set.");
    }
    std::set<int32_t> indexes;
    for (const auto& assignment : wanted.assignments) {
      if (!indexes.insert(assignment.partition_index).second)
        return storage::kafka_error(ErrorCode::invalid_replica_assignment,
                                    "Found multiple manual partition assignments for partition {}",
                                    assignment.partition_index);
      MUIR_RETURN_IF_ERROR(check_assignment(assignment.broker_ids, node_id));
    }
    const bool from_zero = *indexes.begin() == 0 && *indexes.rbegin() + 1 == static_cast<int32_t>(indexes.size());
    if (!from_zero || indexes.size() != wanted.assignments.size()) {
      return storage::kafka_error(ErrorCode::invalid_replica_assignment,
                                  "partitions should be a consecutive 0-based integer sequence");
    }
    return {};
  }
  if (wanted.replication_factor == -1 || wanted.replication_factor == 1) return {};
  if (wanted.replication_factor < 1) {
    return storage::kafka_error(ErrorCode::invalid_replication_factor,
                                "Replication factor must be larger than 0, or -1 to use the default value.");
  }
  return storage::kafka_error(
      ErrorCode::invalid_replication_factor,
      "Unable to replicate the partition {} time(s): The target replication factor of {} cannot be "
      "reached because only 1 broker(s) are registered.",
      wanted.replication_factor, wanted.replication_factor);
}

int32_t partitions_of(BrokerContext& context, const CreateTopicsRequest::Topic& wanted) {
  if (!wanted.assignments.empty()) return static_cast<int32_t>(wanted.assignments.size());
  return wanted.num_partitions == -1 ? static_cast<int32_t>(context.settings.num_partitions) : wanted.num_partitions;
}

Result<storage::TopicPtr> create(BrokerContext& context, const CreateTopicsRequest::Topic& wanted, bool validate_only,
                                 Properties& settings) {
  // Apache Kafka's controllers keep their log under this name.
  if (wanted.name == "__cluster_metadata") {
    return storage::kafka_error(ErrorCode::invalid_request, "Creation of internal topic {} is prohibited.",
                                wanted.name);
  }
  MUIR_RETURN_IF_ERROR(check_replication(wanted, context.node_id()));
  for (const auto& config : wanted.configs) {
    if (!config.value)
      return storage::kafka_error(ErrorCode::invalid_config, "Null value not supported for topic configs: {}",
                                  config.name);
    settings[config.name] = *config.value;
  }
  return context.logs->create_topic(wanted.name, partitions_of(context, wanted), settings, validate_only);
}

std::vector<CreateTopicsResponse::Config> settings_of_new_topic(BrokerContext& context, const Properties& settings) {
  constexpr int8_t kTopicSource = 1;
  constexpr int8_t kStaticBrokerSource = 4;
  constexpr int8_t kDefaultSource = 5;
  std::vector<CreateTopicsResponse::Config> out;
  for (const ConfigKey& key : storage::topic_config().keys()) {
    auto& config = out.emplace_back();
    config.name = key.name;
    config.value = storage::topic_config_value(key, settings, context.config.properties);
    config.config_source = settings.contains(config.name)                                 ? kTopicSource
                           : storage::broker_config_value(key, context.config.properties) ? kStaticBrokerSource
                                                                                          : kDefaultSource;
  }
  return out;
}

CreateTopicsResponse::Topic answer_create(BrokerContext& context, const RequestInfo& info,
                                          const CreateTopicsRequest& request, const CreateTopicsRequest::Topic& wanted,
                                          bool repeated) {
  CreateTopicsResponse::Topic out;
  out.name = wanted.name;
  Properties settings;
  const auto made =
      repeated ? Result<storage::TopicPtr>(storage::kafka_error(ErrorCode::invalid_request, "Duplicate topic name."))
               : create(context, wanted, request.validate_only, settings);
  if (!made.ok()) {
    out.error_code = answered_code("CreateTopics", wanted.name, made.status());
    out.error_message = made.status().message();
    return out;
  }
  if (*made != nullptr) out.topic_id = (*made)->id;
  if (info.version < 5) return out;
  out.num_partitions = partitions_of(context, wanted);
  out.replication_factor = 1;
  out.configs = settings_of_new_topic(context, settings);
  return out;
}

Status add_partitions(BrokerContext& context, const wire::CreatePartitionsRequest::Topic& wanted, bool validate_only) {
  const auto topic = context.logs->find_topic(wanted.name);
  if (topic != nullptr && wanted.assignments) {
    const int64_t more = int64_t{wanted.count} - static_cast<int64_t>(topic->partitions.size());
    if (more > 0 && more != static_cast<int64_t>(wanted.assignments->size()))
      return storage::kafka_error(
          ErrorCode::invalid_replica_assignment,
          "Attempted to add {} additional partition(s), but only {} assignment(s) were specified.", more,
          wanted.assignments->size());
    if (more > 0) {
      for (const auto& one : *wanted.assignments)
        MUIR_RETURN_IF_ERROR(check_assignment(one.broker_ids, context.node_id()));
    }
  }
  return context.logs->add_partitions(wanted.name, wanted.count, validate_only);
}

int64_t partitions_added(BrokerContext& context, const wire::CreatePartitionsRequest& request) {
  int64_t out = 0;
  for (const auto& wanted : request.topics) {
    const auto topic = context.logs->find_topic(wanted.name);
    if (topic == nullptr) continue;
    out += std::max<int64_t>(wanted.count - static_cast<int64_t>(topic->partitions.size()), 0);
  }
  return out;
}

}  // namespace

void handle_create_topics(BrokerContext& context, const RequestInfo& info, CreateTopicsRequest request,
                          Reply<CreateTopicsResponse> reply) {
  context.admin->post([&context, info, request = std::move(request), reply = std::move(reply)] {
    CreateTopicsResponse response;
    int64_t partitions = 0;
    for (const auto& wanted : request.topics) partitions += std::max(partitions_of(context, wanted), 0);
    if (partitions > kPartitionsPerRequestMax) {
      for (const auto& wanted : request.topics) {
        auto& out = response.topics.emplace_back();
        out.name = wanted.name;
        out.error_code = ErrorCode::policy_violation;
        out.error_message = fmt::format("Excessively large number of partitions per request: {}, at most {} at a time.",
                                        partitions, kPartitionsPerRequestMax);
      }
      return reply(response);
    }
    const auto repeated = repeated_names(request.topics);
    std::set<std::string> answered;
    for (const auto& wanted : request.topics) {
      if (!answered.insert(wanted.name).second) continue;
      response.topics.push_back(answer_create(context, info, request, wanted, repeated.contains(wanted.name)));
    }
    reply(response);
  });
}

void handle_delete_topics(BrokerContext& context, const RequestInfo& info, wire::DeleteTopicsRequest request,
                          Reply<wire::DeleteTopicsResponse> reply) {
  if (info.version < 6) {
    for (auto& name : request.topic_names) request.topics.push_back({std::move(name), {}, {}});
  }
  context.admin->post([&context, request = std::move(request), reply = std::move(reply)] {
    wire::DeleteTopicsResponse response;
    for (const auto& wanted : request.topics) {
      auto& out = response.responses.emplace_back();
      out.name = wanted.name;
      out.topic_id = wanted.topic_id;
      const auto topic =
          wanted.name ? context.logs->find_topic(*wanted.name) : context.logs->find_topic(wanted.topic_id);
      if (topic == nullptr) {
        out.error_code = wanted.name ? ErrorCode::unknown_topic_or_partition : ErrorCode::unknown_topic_id;
        continue;
      }
      out.name = topic->name;
      out.topic_id = topic->id;
      const Status status = context.settings.delete_topics ? context.logs->delete_topic(topic->name)
                                                           : storage::kafka_error(ErrorCode::topic_deletion_disabled,
                                                                                  "delete.topic.enable is false");
      if (status.ok()) {
        context.groups->on_topics_deleted({topic->name});
        continue;
      }
      out.error_code = answered_code("DeleteTopics", topic->name, status);
      out.error_message = status.message();
    }
    reply(response);
  });
}

void handle_create_partitions(BrokerContext& context, const RequestInfo&, wire::CreatePartitionsRequest request,
                              Reply<wire::CreatePartitionsResponse> reply) {
  context.admin->post([&context, request = std::move(request), reply = std::move(reply)] {
    wire::CreatePartitionsResponse response;
    if (const int64_t more = partitions_added(context, request); more > kPartitionsPerRequestMax) {
      for (const auto& wanted : request.topics) {
        auto& out = response.results.emplace_back();
        out.name = wanted.name;
        out.error_code = ErrorCode::policy_violation;
        out.error_message =
            fmt::format("Unable to perform excessively large batch operation: {} partitions, at most {} at a time.",
                        more, kPartitionsPerRequestMax);
      }
      return reply(response);
    }
    const auto repeated = repeated_names(request.topics);
    std::set<std::string> answered;
    for (const auto& wanted : request.topics) {
      if (!answered.insert(wanted.name).second) continue;
      auto& out = response.results.emplace_back();
      out.name = wanted.name;
      const Status status = repeated.contains(wanted.name)
                                ? storage::kafka_error(ErrorCode::invalid_request, "Duplicate topic in request.")
                                : add_partitions(context, wanted, request.validate_only);
      out.error_code = answered_code("CreatePartitions", wanted.name, status);
      if (!status.ok()) out.error_message = status.message();
    }
    reply(response);
  });
}

void handle_delete_records(BrokerContext& context, const RequestInfo&, wire::DeleteRecordsRequest request,
                           Reply<wire::DeleteRecordsResponse> reply) {
  context.admin->post([&context, request = std::move(request), reply = std::move(reply)] {
    wire::DeleteRecordsResponse response;
    std::vector<storage::LogManager::RecordDeletion> deletions;
    std::vector<std::pair<size_t, size_t>> places;  // of their answers
    for (const auto& topic : request.topics) {
      auto& topic_out = response.topics.emplace_back();
      topic_out.name = topic.name;
      for (const auto& wanted : topic.partitions) {
        auto& out = topic_out.partitions.emplace_back();
        out.partition_index = wanted.partition_index;
        out.low_watermark = -1;
        const auto partition = context.logs->find_partition(topic.name, PartitionId(wanted.partition_index));
        if (partition == nullptr || is_internal_topic(topic.name)) {
          out.error_code =
              partition == nullptr ? ErrorCode::unknown_topic_or_partition : ErrorCode::invalid_topic_exception;
          continue;
        }
        if (!partition->config()->remove) {
          out.error_code = ErrorCode::policy_violation;
          continue;
        }
        deletions.push_back({partition, Offset(wanted.offset), {}, {}});
        places.emplace_back(response.topics.size() - 1, topic_out.partitions.size() - 1);
      }
    }
    context.logs->delete_records(deletions);
    for (size_t i = 0; i < deletions.size(); ++i) {
      auto& out = response.topics[places[i].first].partitions[places[i].second];
      out.error_code = answered_code("DeleteRecords", deletions[i].partition->name(), deletions[i].status);
      if (deletions[i].status.ok()) out.low_watermark = deletions[i].start.value();
    }
    reply(response);
  });
}

}  // namespace muir::broker
