#include <algorithm>

#include "base/log.h"
#include "broker/api/handlers.h"
#include "broker/api/named_once.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/internal_topics.h"
#include "log/file_names.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;
using wire::MetadataResponse;

// Every operation that KIP-430 names for a topic and for the cluster: there is no authorizer.
constexpr int32_t kTopicOperations =
    (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8) | (1 << 10) | (1 << 11);
constexpr int32_t kClusterOperations = (1 << 5) | (1 << 7) | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12);

template <class Partition>
std::vector<Partition> describe_partitions(BrokerContext& context, const storage::Topic& topic, size_t begin,
                                           size_t end) {
  std::vector<Partition> out;
  for (size_t i = begin; i < end; ++i) {
    auto& partition = out.emplace_back();
    partition.partition_index = static_cast<int32_t>(i);
    partition.leader_id = context.node_id();
    partition.leader_epoch = topic.partitions[i]->leader_epoch().value();
    partition.replica_nodes = {context.node_id()};
    partition.isr_nodes = {context.node_id()};
  }
  return out;
}

MetadataResponse::Topic describe(BrokerContext& context, const storage::Topic& topic, bool with_operations) {
  MetadataResponse::Topic out;
  out.name = topic.name;
  out.topic_id = topic.id;
  out.is_internal = is_internal_topic(topic.name);
  out.partitions = describe_partitions<MetadataResponse::Partition>(context, topic, 0, topic.partitions.size());
  if (with_operations) out.topic_authorized_operations = kTopicOperations;
  return out;
}

MetadataResponse::Topic answer_topic(BrokerContext& context, const wire::MetadataRequest& request,
                                     const wire::MetadataRequest::Topic& wanted) {
  MetadataResponse::Topic missing;
  missing.name = wanted.name;
  missing.topic_id = wanted.topic_id;
  // Java's clients ask by id with an empty name, not with null.
  if (!wanted.name || !wanted.topic_id.is_zero()) {
    const auto topic = context.logs->find_topic(wanted.topic_id);
    if (topic != nullptr) return describe(context, *topic, request.include_topic_authorized_operations);
    missing.error_code = ErrorCode::unknown_topic_id;
    return missing;
  }
  auto topic = context.logs->find_topic(*wanted.name);
  if (topic == nullptr && request.allow_auto_topic_creation && context.settings.auto_create_topics) {
    const auto made = find_or_create_topic(context, *wanted.name);
    if (!made.ok()) log::info("topic {} was not made: {}", *wanted.name, made.status().message());
    if (made.ok()) topic = *made;
  }
  if (topic != nullptr) return describe(context, *topic, request.include_topic_authorized_operations);
  missing.error_code = storage::valid_topic_name(*wanted.name) ? ErrorCode::unknown_topic_or_partition
                                                               : ErrorCode::invalid_topic_exception;
  return missing;
}

void answer_metadata(BrokerContext& context, const RequestInfo& info, const wire::MetadataRequest& request,
                     const Reply<MetadataResponse>& reply) {
  MetadataResponse response;
  response.brokers.push_back(
      {context.node_id(), info.listener->advertised_host, info.listener->advertised_port, std::nullopt, {}});
  response.cluster_id = context.logs->cluster_id();
  response.controller_id = context.node_id();
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  // Version 0 had no null: an empty list asks for all topics.
  if (!request.topics || (info.version == 0 && request.topics->empty())) {
    for (const auto& topic : context.logs->topics()) {
      response.topics.push_back(describe(context, *topic, request.include_topic_authorized_operations));
    }
  } else {
    for (const auto& wanted : *request.topics) response.topics.push_back(answer_topic(context, request, wanted));
  }
  reply(response);
}

// Topics that the request would make.
int64_t missing_topics(BrokerContext& context, const wire::MetadataRequest& request) {
  if (!request.topics || !request.allow_auto_topic_creation || !context.settings.auto_create_topics) return 0;
  return std::count_if(request.topics->begin(), request.topics->end(), [&](const auto& wanted) {
    return wanted.name && wanted.topic_id.is_zero() && context.logs->find_topic(*wanted.name) == nullptr;
  });
}

}  // namespace

void handle_metadata(BrokerContext& context, const RequestInfo& info, wire::MetadataRequest request,
                     Reply<MetadataResponse> reply) {
  if (request.topics) {
    keep_named_once(*request.topics, [](const auto& wanted) {
      return std::make_pair(wanted.topic_id, wanted.name ? std::string_view(*wanted.name) : std::string_view());
    });
  }
  const int64_t missing = missing_topics(context, request);
  if (missing == 0) return answer_metadata(context, info, request, reply);
  if (missing * context.settings.num_partitions > kPartitionsPerRequestMax) {
    log::info("metadata for {}: {} topics are missing, too many to be made at a time", info.client_address, missing);
    request.allow_auto_topic_creation = false;
    return answer_metadata(context, info, request, reply);
  }
  context.admin->post([&context, info, request = std::move(request), reply = std::move(reply)] {
    answer_metadata(context, info, request, reply);
  });
}

void handle_describe_cluster(BrokerContext& context, const RequestInfo& info, wire::DescribeClusterRequest request,
                             Reply<wire::DescribeClusterResponse> reply) {
  wire::DescribeClusterResponse response;
  constexpr int8_t kBrokers = 1;
  response.endpoint_type = request.endpoint_type;
  response.cluster_id = context.logs->cluster_id();
  if (request.endpoint_type != kBrokers) {
    response.error_code = ErrorCode::mismatched_endpoint_type;
    response.error_message =
        "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
    return reply(response);
  }
  response.controller_id = context.node_id();
  response.brokers.push_back(
      {context.node_id(), info.listener->advertised_host, info.listener->advertised_port, std::nullopt, false, {}});
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  reply(response);
}

// KIP-966: the partitions of topics in order of name, a bounded number at a time.
void handle_describe_topic_partitions(BrokerContext& context, const RequestInfo&,
                                      wire::DescribeTopicPartitionsRequest request,
                                      Reply<wire::DescribeTopicPartitionsResponse> reply) {
  using Response = wire::DescribeTopicPartitionsResponse;
  Response response;
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.push_back(topic.name);
  if (names.empty()) {
    for (const auto& topic : context.logs->topics()) names.push_back(topic->name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  size_t left = static_cast<size_t>(std::clamp(request.response_partition_limit, 1, 2000));
  for (const auto& name : names) {
    if (request.cursor && name < request.cursor->topic_name) continue;
    size_t begin = request.cursor && name == request.cursor->topic_name
                       ? static_cast<size_t>(std::max(request.cursor->partition_index, 0))
                       : 0;
    if (left == 0) {
      response.next_cursor = Response::NextCursor{name, 0, {}};
      break;
    }
    auto& out = response.topics.emplace_back();
    out.name = name;
    const auto topic = context.logs->find_topic(name);
    if (topic == nullptr) {
      out.error_code =
          storage::valid_topic_name(name) ? ErrorCode::unknown_topic_or_partition : ErrorCode::invalid_topic_exception;
      continue;
    }
    out.topic_id = topic->id;
    out.is_internal = is_internal_topic(name);
    out.topic_authorized_operations = kTopicOperations;
    begin = std::min(begin, topic->partitions.size());
    const size_t end = std::min(topic->partitions.size(), begin + left);
    out.partitions = describe_partitions<Response::Partition>(context, *topic, begin, end);
    for (auto& partition : out.partitions) {
      // Empty rather than null: Kafka's own clients do not expect null here.
      partition.eligible_leader_replicas.emplace();
      partition.last_known_elr.emplace();
    }
    left -= end - begin;
    if (end < topic->partitions.size()) {
      response.next_cursor = Response::NextCursor{name, static_cast<int32_t>(end), {}};
      break;
    }
  }
  reply(response);
}

}  // namespace muir::broker
