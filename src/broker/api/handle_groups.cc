// Consumer groups: the coordinators do the work.
#include "broker/api/committed_records.h"
#include "broker/api/handlers.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/coordinator_error.h"
#include "broker/txns/txn_coordinator.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;
using wire::FindCoordinatorRequest;
using wire::FindCoordinatorResponse;

constexpr int8_t kGroupKey = 0;
constexpr int8_t kTransactionKey = 1;

GroupClient client_of(const RequestInfo& info) { return {info.client_id, "/" + info.client_host, info.version}; }

FindCoordinatorResponse::Coordinator find_coordinator(BrokerContext& context, const Listener& listener, int8_t key_type,
                                                      const std::string& key) {
  FindCoordinatorResponse::Coordinator out;
  out.key = key;
  out.node_id = -1;
  out.port = -1;
  if (key_type != kGroupKey && key_type != kTransactionKey) {
    out.error_code = ErrorCode::invalid_request;
    out.error_message = fmt::format("No coordinator of type {}", key_type);
    return out;
  }
  // Makes the topic that will hold the group or transaction, as Kafka does here.
  const auto partition = key_type == kGroupKey ? context.groups->partition_for(key) : context.txns->partition_for(key);
  if (!partition.ok()) {
    out.error_code = ErrorCode::coordinator_not_available;
    out.error_message = partition.status().message();
    return out;
  }
  out.node_id = context.node_id();
  out.host = listener.advertised_host;
  out.port = listener.advertised_port;
  return out;
}

}  // namespace

void handle_find_coordinator(BrokerContext& context, const RequestInfo& info, FindCoordinatorRequest request,
                             Reply<FindCoordinatorResponse> reply) {
  const bool there =
      context.logs->find_topic(request.key_type == kGroupKey ? kOffsetsTopic : kTransactionsTopic) != nullptr;
  const auto answer = [&context, info, request = std::move(request), reply = std::move(reply)] {
    FindCoordinatorResponse response;
    if (info.version >= 4) {
      for (const auto& key : request.coordinator_keys)
        response.coordinators.push_back(find_coordinator(context, *info.listener, request.key_type, key));
    } else {
      const auto found = find_coordinator(context, *info.listener, request.key_type, request.key);
      response.error_code = found.error_code;
      response.error_message = found.error_message;
      response.node_id = found.node_id;
      response.host = found.host;
      response.port = found.port;
    }
    reply(response);
  };
  // To make it waits for the disk.
  there ? answer() : context.coordination->post(answer);
}

void handle_join_group(BrokerContext& context, const RequestInfo& info, wire::JoinGroupRequest request,
                       Reply<wire::JoinGroupResponse> reply) {
  context.groups->join_group(client_of(info), std::move(request), std::move(reply));
}

void handle_sync_group(BrokerContext& context, const RequestInfo&, wire::SyncGroupRequest request,
                       Reply<wire::SyncGroupResponse> reply) {
  context.groups->sync_group(std::move(request), std::move(reply));
}

void handle_heartbeat(BrokerContext& context, const RequestInfo&, wire::HeartbeatRequest request,
                      Reply<wire::HeartbeatResponse> reply) {
  context.groups->heartbeat(std::move(request), std::move(reply));
}

void handle_leave_group(BrokerContext& context, const RequestInfo& info, wire::LeaveGroupRequest request,
                        Reply<wire::LeaveGroupResponse> reply) {
  context.groups->leave_group(info.version, std::move(request), std::move(reply));
}

void handle_offset_commit(BrokerContext& context, const RequestInfo& info, wire::OffsetCommitRequest request,
                          Reply<wire::OffsetCommitResponse> reply) {
  const auto positions = committed_positions(request);
  when_records_durable(context, positions,
                       [&context, version = info.version, request = std::move(request),
                        reply = std::move(reply)](const Status& status) mutable {
                         if (!status.ok()) return reply(refuse_commit(request, coordinator_error(status)));
                         context.groups->offset_commit(version, std::move(request), std::move(reply));
                       });
}

void handle_offset_fetch(BrokerContext& context, const RequestInfo& info, wire::OffsetFetchRequest request,
                         Reply<wire::OffsetFetchResponse> reply) {
  context.groups->offset_fetch(info.version, std::move(request), std::move(reply));
}

void handle_describe_groups(BrokerContext& context, const RequestInfo& info, wire::DescribeGroupsRequest request,
                            Reply<wire::DescribeGroupsResponse> reply) {
  context.groups->describe_groups(info.version, std::move(request), std::move(reply));
}

void handle_list_groups(BrokerContext& context, const RequestInfo&, wire::ListGroupsRequest request,
                        Reply<wire::ListGroupsResponse> reply) {
  context.groups->list_groups(std::move(request), std::move(reply));
}

void handle_delete_groups(BrokerContext& context, const RequestInfo&, wire::DeleteGroupsRequest request,
                          Reply<wire::DeleteGroupsResponse> reply) {
  context.groups->delete_groups(std::move(request), std::move(reply));
}

void handle_offset_delete(BrokerContext& context, const RequestInfo&, wire::OffsetDeleteRequest request,
                          Reply<wire::OffsetDeleteResponse> reply) {
  context.groups->offset_delete(std::move(request), std::move(reply));
}

}  // namespace muir::broker
