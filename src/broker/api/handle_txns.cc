// Transactions: the coordinators do the work.
#include <algorithm>

#include "broker/api/committed_records.h"
#include "broker/api/handlers.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/coordinator_error.h"
#include "broker/txns/txn_coordinator.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::WriteTxnMarkersRequest;
using wire::WriteTxnMarkersResponse;

// The markers of one request, answered when the last is durable.
struct PendingMarkers {
  explicit PendingMarkers(Reply<WriteTxnMarkersResponse> to) : reply(std::move(to)) {}

  std::mutex mutex;
  WriteTxnMarkersResponse response;
  Reply<WriteTxnMarkersResponse> reply;
  size_t left = 1;  // one for the registration itself

  void finish_one() {
    const std::lock_guard guard(mutex);
    if (--left == 0) reply(response);
  }
  void set(size_t marker, size_t topic, size_t index, const Status& status) {
    {
      const std::lock_guard guard(mutex);
      response.markers[marker].topics[topic].partitions[index].error_code = storage::kafka_code(status);
    }
    finish_one();
  }
};

void write_marker(BrokerContext& context, const WriteTxnMarkersRequest::Marker& marker, const std::string& topic,
                  PartitionId partition, std::function<void(const Status&)> done) {
  const auto type = marker.transaction_result ? wire::ControlType::commit : wire::ControlType::abort;
  context.partition_log->append_marker(
      topic, partition, type, ProducerId(marker.producer_id), ProducerEpoch(marker.producer_epoch),
      LeaderEpoch(marker.coordinator_epoch),
      [&context, done = std::move(done), offsets = topic == kOffsetsTopic, partition,
       commit = marker.transaction_result, producer_id = ProducerId(marker.producer_id)](const Status& status, Offset) {
        if (!status.ok() || !offsets) return done(status);
        context.groups->complete_transaction(producer_id, {partition}, commit, [done] { done({}); });
      });
}

}  // namespace

void handle_init_producer_id(BrokerContext& context, const RequestInfo& info, wire::InitProducerIdRequest request,
                             Reply<wire::InitProducerIdResponse> reply) {
  // The first transactional id makes the topic, and every thousandth id the next block of ids: both wait for the disk.
  context.coordination->post(
      [&context, version = info.version, request = std::move(request), reply = std::move(reply)]() mutable {
        context.txns->init_producer_id(version, std::move(request), std::move(reply));
      });
}

void handle_add_partitions_to_txn(BrokerContext& context, const RequestInfo& info,
                                  wire::AddPartitionsToTxnRequest request,
                                  Reply<wire::AddPartitionsToTxnResponse> reply) {
  context.txns->add_partitions(info.version, std::move(request), std::move(reply));
}

void handle_add_offsets_to_txn(BrokerContext& context, const RequestInfo& info, wire::AddOffsetsToTxnRequest request,
                               Reply<wire::AddOffsetsToTxnResponse> reply) {
  context.txns->add_offsets(info.version, std::move(request), std::move(reply));
}

void handle_end_txn(BrokerContext& context, const RequestInfo& info, wire::EndTxnRequest request,
                    Reply<wire::EndTxnResponse> reply) {
  context.txns->end_txn(info.version, std::move(request), std::move(reply));
}

void handle_txn_offset_commit(BrokerContext& context, const RequestInfo& info, wire::TxnOffsetCommitRequest request,
                              Reply<wire::TxnOffsetCommitResponse> reply) {
  const auto partition = context.groups->partition_for(request.group_id);
  const wire::ErrorCode error =
      partition.ok() ? context.txns->check_write(ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch),
                                                 std::string(kOffsetsTopic), *partition)
                     : wire::ErrorCode::coordinator_not_available;
  if (error != wire::ErrorCode::none) {
    constexpr int16_t kAbortableSince = 4;  // KIP-890
    const bool abortable = error == wire::ErrorCode::invalid_txn_state && info.version >= kAbortableSince;
    return reply(refuse_commit(request, abortable ? wire::ErrorCode::transaction_abortable : error));
  }
  const auto positions = committed_positions(request);
  when_records_durable(
      context, positions,
      [&context, request = std::move(request), reply = std::move(reply)](const Status& status) mutable {
        if (!status.ok()) return reply(refuse_commit(request, coordinator_error(status)));
        context.groups->txn_offset_commit(std::move(request), std::move(reply));
      });
}

void handle_describe_transactions(BrokerContext& context, const RequestInfo&, wire::DescribeTransactionsRequest request,
                                  Reply<wire::DescribeTransactionsResponse> reply) {
  context.txns->describe_transactions(std::move(request), std::move(reply));
}

void handle_list_transactions(BrokerContext& context, const RequestInfo&, wire::ListTransactionsRequest request,
                              Reply<wire::ListTransactionsResponse> reply) {
  context.txns->list_transactions(std::move(request), std::move(reply));
}

// Sent by kafka-transactions to end a transaction that hangs.
void handle_write_txn_markers(BrokerContext& context, const RequestInfo&, WriteTxnMarkersRequest request,
                              Reply<WriteTxnMarkersResponse> reply) {
  const auto pending = std::make_shared<PendingMarkers>(std::move(reply));
  for (const auto& marker : request.markers) {
    auto& marker_out = pending->response.markers.emplace_back();
    marker_out.producer_id = marker.producer_id;
    for (const auto& topic : marker.topics) {
      auto& topic_out = marker_out.topics.emplace_back();
      topic_out.name = topic.name;
      for (const int32_t index : topic.partition_indexes)
        topic_out.partitions.push_back({index, wire::ErrorCode::none, {}});
      pending->left += topic.partition_indexes.size();
    }
  }
  for (size_t m = 0; m < request.markers.size(); ++m) {
    for (size_t t = 0; t < request.markers[m].topics.size(); ++t) {
      const auto& topic = request.markers[m].topics[t];
      for (size_t i = 0; i < topic.partition_indexes.size(); ++i) {
        write_marker(context, request.markers[m], topic.name, PartitionId(topic.partition_indexes[i]),
                     [pending, m, t, i](const Status& status) { pending->set(m, t, i, status); });
      }
    }
  }
  pending->finish_one();
}

}  // namespace muir::broker
