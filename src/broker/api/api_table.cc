#include "broker/api/api_table.h"

#include <algorithm>

#include "base/log.h"
#include "broker/api/handlers.h"
#include "broker/api/wide_requests.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/broker_metrics.h"

namespace muir::broker {
namespace {

using namespace wire;

// Ascending by key. Produce is listed from 0 and answered from 3 (see handle_api_versions). Produce ends at 11, and
// EndTxn and TxnOffsetCommit at 4: later ones are for transactions of the second version (KIP-890), which the broker
// does not announce.
constexpr ApiHandler kHandlers[] = {
    api<ProduceRequest, handle_produce>(3, 11),
    api<FetchRequest, handle_fetch>(),
    api<ListOffsetsRequest, handle_list_offsets>(),
    api<MetadataRequest, handle_metadata>(),
    api<OffsetCommitRequest, handle_offset_commit>(),
    api<OffsetFetchRequest, handle_offset_fetch>(),
    api<FindCoordinatorRequest, handle_find_coordinator>(),
    api<JoinGroupRequest, handle_join_group>(),
    api<HeartbeatRequest, handle_heartbeat>(),
    api<LeaveGroupRequest, handle_leave_group>(),
    api<SyncGroupRequest, handle_sync_group>(),
    api<DescribeGroupsRequest, handle_describe_groups>(),
    api<ListGroupsRequest, handle_list_groups>(),
    api<ApiVersionsRequest, handle_api_versions>(),
    api<CreateTopicsRequest, handle_create_topics>(),
    api<DeleteTopicsRequest, handle_delete_topics>(),
    api<DeleteRecordsRequest, handle_delete_records>(),
    api<InitProducerIdRequest, handle_init_producer_id>(),
    api<OffsetForLeaderEpochRequest, handle_offset_for_leader_epoch>(),
    api<AddPartitionsToTxnRequest, handle_add_partitions_to_txn>(),
    api<AddOffsetsToTxnRequest, handle_add_offsets_to_txn>(),
    api<EndTxnRequest, handle_end_txn>(0, 4),
    api<WriteTxnMarkersRequest, handle_write_txn_markers>(),
    api<TxnOffsetCommitRequest, handle_txn_offset_commit>(0, 4),
    api<DescribeConfigsRequest, handle_describe_configs>(),
    api<AlterConfigsRequest, handle_alter_configs>(),
    api<DescribeLogDirsRequest, handle_describe_log_dirs>(),
    api<CreatePartitionsRequest, handle_create_partitions>(),
    api<DeleteGroupsRequest, handle_delete_groups>(),
    api<IncrementalAlterConfigsRequest, handle_incremental_alter_configs>(),
    api<ListPartitionReassignmentsRequest, handle_list_partition_reassignments>(),
    api<OffsetDeleteRequest, handle_offset_delete>(),
    api<DescribeClusterRequest, handle_describe_cluster>(),
    api<DescribeProducersRequest, handle_describe_producers>(),
    api<DescribeTransactionsRequest, handle_describe_transactions>(),
    api<ListTransactionsRequest, handle_list_transactions>(),
    api<DescribeTopicPartitionsRequest, handle_describe_topic_partitions>(),
};

// "127.0.0.1:50312" -> "127.0.0.1".
std::string host_of(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

// The answer waits for what other members do, for as long as they like.
bool waits_for_others(wire::ApiKey key) { return key == ApiKey::join_group || key == ApiKey::sync_group; }

// A request that is on its way to the threads of those with many elements.
struct WideRequest {
  BrokerContext& context;
  const ApiHandler& handler;
  RequestInfo info;
  Bytes frame;
  size_t body_at;
  std::shared_ptr<ReplySlot> slot;
  net::ByteBudget::Share share;  // of the frame

  bool handle(size_t elements_max, std::shared_ptr<void> turn) const {
    if (!waits_for_others(handler.key)) slot->keep_until_answered(std::move(turn));
    // A partition of a fetch takes a kilobyte, and no broker has so many.
    if (handler.key == ApiKey::fetch) elements_max = std::min(elements_max, WideRequests::kFetchElementsMax);
    ByteReader reader(BytesView(frame).substr(body_at));
    const Status handled = handler.handle(context, info, reader, elements_max, slot);
    if (handled.ok()) return true;
    slot->keep_until_answered(nullptr);
    if (handled.code() == Code::resource_exhausted && elements_max <= WideRequests::kElementsOfFirstLane) return false;
    refused(context, info.client_address, handled);
    slot->close_connection();
    return true;
  }
};

// ApiVersions of a version that is not known is answered in version 0, which every client can read.
void refuse_api_versions(RequestInfo info, std::shared_ptr<ReplySlot> slot) {
  info.version = 0;
  ApiVersionsResponse response = api_versions_response();
  response.error_code = ErrorCode::unsupported_version;
  Reply<ApiVersionsResponse>(std::move(slot), info)(response);
}

}  // namespace

std::span<const ApiHandler> api_handlers() { return kHandlers; }

const ApiHandler* find_api_handler(int16_t key) {
  const auto it = std::lower_bound(
      std::begin(kHandlers), std::end(kHandlers), key,
      [](const ApiHandler& handler, int16_t wanted) { return static_cast<int16_t>(handler.key) < wanted; });
  return it != std::end(kHandlers) && static_cast<int16_t>(it->key) == key ? it : nullptr;
}

void refused(BrokerContext& context, const std::string& peer, const Status& why) {
  context.metrics->refused_request();
  log::warn("connection from {} closed: {}", peer, why.message());
}

Status dispatch(BrokerContext& context, const Listener& listener, const std::string& peer, Bytes frame,
                std::shared_ptr<ReplySlot> slot) {
  ByteReader reader(frame);
  RequestHeader header;
  const Status read = decode_request_header(reader, header);
  const ApiHandler* handler = find_api_handler(header.request_api_key);
  RequestInfo info{
      header.request_api_version, header.correlation_id, header.client_id.value_or(""), host_of(peer), peer, &listener};
  const bool version_known =
      handler != nullptr && info.version >= handler->version_min && info.version <= handler->version_max;
  if (!version_known && header.request_api_key == static_cast<int16_t>(ApiKey::api_versions)) {
    refuse_api_versions(std::move(info), std::move(slot));
    return {};
  }
  MUIR_RETURN_IF_ERROR(read);
  if (!version_known) {
    return error(Code::unsupported, "request for api key {} version {}: not served", header.request_api_key,
                 info.version);
  }
  const size_t body_at = reader.position();
  const Status handled = handler->handle(context, info, reader, WideRequests::kElementsAtOnce, slot);
  if (handled.code() != Code::resource_exhausted) return handled;
  net::ByteBudget::Share share = slot->hold_up();
  // std::function asks for what can be copied, hence the sharing.
  const auto wide = std::make_shared<WideRequest>(context, *handler, std::move(info), std::move(frame), body_at,
                                                  std::move(slot), std::move(share));
  context.wide_requests->take(
      [wide](size_t elements_max, std::shared_ptr<void> turn) { return wide->handle(elements_max, std::move(turn)); });
  return {};
}

}  // namespace muir::broker
