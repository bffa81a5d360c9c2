#include <atomic>

#include "base/log.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/handlers.h"
#include "broker/internal/txn_coordinator.h"
#include "log/admission.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;
using wire::ProduceRequest;
using wire::ProduceResponse;

// An acks=all request whose batches are appended and not yet on the disk.
struct PendingProduce {
  PendingProduce(ProduceResponse answer, Reply<ProduceResponse> to)
      : response(std::move(answer)), reply(std::move(to)) {}

  std::mutex mutex;
  ProduceResponse response;
  Reply<ProduceResponse> reply;
  std::atomic<int> left{1};  // one for the registration itself

  void finish_one() {
    if (left.fetch_sub(1) == 1) reply(response);
  }
};

void set_failure(ProduceResponse::Partition& out, const Status& status) {
  out.error_code = log::kafka_code(status);
  out.error_message = status.message();
  out.base_offset = -1;
}

// KIP-110: a client that speaks an older version has peers that cannot read zstd.
constexpr int16_t kZstdSince = 7;

bool has_codec(OptBytesView records, wire::Compression codec) {
  if (!records) return false;
  const auto header = wire::parse_batch_header_only(*records);
  return header.ok() && header->compression() == codec;
}

// From this version on a client understands that the transaction, not the producer, is lost (KIP-890).
constexpr int16_t kAbortableSince = 11;

ErrorCode check_transaction(BrokerContext& context, const RequestInfo& info, ProducerId producer_id,
                            ProducerEpoch epoch, const std::string& topic, PartitionId partition) {
  const ErrorCode error = context.txns->check_write(producer_id, epoch, topic, partition);
  const bool abortable = error == ErrorCode::invalid_txn_state && info.version >= kAbortableSince;
  return abortable ? ErrorCode::transaction_abortable : error;
}

ProduceResponse::Partition append(BrokerContext& context, const RequestInfo& info, const ProduceRequest& request,
                                  const std::string& topic, const ProduceRequest::Partition& data,
                                  std::shared_ptr<log::Partition>& appended_to, Offset& appended_end) {
  // Kept between requests: its buffer serves every batch that must be decompressed.
  thread_local wire::RecordIterator scratch;
  ProduceResponse::Partition out;
  out.index = data.index;
  if (request.acks < -1 || request.acks > 1) {
    set_failure(out, log::kafka_error(ErrorCode::invalid_required_acks, "acks={}: must be -1, 0 or 1", request.acks));
    return out;
  }
  const auto partition = context.logs->find_partition(topic, PartitionId(data.index));
  if (partition == nullptr) {
    set_failure(out,
                log::kafka_error(ErrorCode::unknown_topic_or_partition, "{}-{} does not exist", topic, data.index));
    return out;
  }
  if (is_internal_topic(topic) && info.client_id != "__admin_client") {
    set_failure(out, log::kafka_error(ErrorCode::invalid_topic_exception, "Cannot append to internal topic {}", topic));
    return out;
  }
  if (info.version < kZstdSince && has_codec(data.records, wire::Compression::zstd)) {
    set_failure(out, log::kafka_error(ErrorCode::unsupported_compression_type,
                                      "Produce requests with version {} are not allowed to use ZStandard compression",
                                      info.version));
    return out;
  }
  log::AdmissionNotes notes{topic, partition->index(), {}};
  const auto admitted = log::admit(data.records, *partition->config(), context.clock->now_ms(), scratch, notes);
  if (!admitted.ok()) {
    set_failure(out, admitted.status());
    for (auto& record : notes.refused) out.record_errors.push_back({record.index, std::move(record.why), {}});
    return out;
  }
  const auto& header = admitted->batch.header();
  const auto in_transaction = [&]() -> Status {
    if (!header.transactional()) return {};
    const ErrorCode error =
        check_transaction(context, info, header.producer_id, header.producer_epoch, topic, partition->index());
    if (error == ErrorCode::none) return {};
    return log::kafka_error(error, "producer {} has no transaction open on {}", header.producer_id, partition->name());
  };
  const auto appended = partition->append(admitted->batch, {}, in_transaction);
  if (!appended.ok()) {
    log::debug("produce to {} by {}: {}", partition->name(), info.client_address, appended.status().message());
    set_failure(out, appended.status());
    return out;
  }
  out.base_offset = appended->base_offset.value();
  out.log_append_time_ms = appended->log_append_time_ms;
  out.log_start_offset = appended->log_start_offset.value();
  appended_to = partition;
  appended_end = appended->last_offset + 1;
  return out;
}

struct Appending {
  std::shared_ptr<log::Partition> partition;
  Offset end;
  size_t topic = 0;
  size_t index = 0;
};

void answer_when_durable(ProduceResponse response, const std::vector<Appending>& appends,
                         Reply<ProduceResponse> reply) {
  const auto pending = std::make_shared<PendingProduce>(std::move(response), std::move(reply));
  pending->left += static_cast<int>(appends.size());
  for (const Appending& append : appends) {
    append.partition->when_durable(
        append.end, [pending, topic = append.topic, index = append.index](const Status& status) {
          if (!status.ok()) {
            const std::lock_guard guard(pending->mutex);
            set_failure(pending->response.responses[topic].partition_responses[index], status);
          }
          pending->finish_one();
        });
  }
  pending->finish_one();
}

}  // namespace

void handle_produce(BrokerContext& context, const RequestInfo& info, ProduceRequest request,
                    Reply<ProduceResponse> reply) {
  ProduceResponse response;
  std::vector<Appending> appends;
  bool failed = false;
  for (const auto& topic : request.topic_data) {
    auto& topic_out = response.responses.emplace_back();
    topic_out.name = topic.name;
    for (const auto& data : topic.partition_data) {
      Appending appending{nullptr, {}, response.responses.size() - 1, topic_out.partition_responses.size()};
      topic_out.partition_responses.push_back(
          append(context, info, request, topic.name, data, appending.partition, appending.end));
      failed = failed || topic_out.partition_responses.back().error_code != ErrorCode::none;
      if (appending.partition != nullptr) appends.push_back(std::move(appending));
    }
  }
  if (request.acks == 0) {
    // There is no answer that could carry the failure.
    if (failed) reply.close_connection();
    return reply.nothing();
  }
  const bool wait = request.acks == -1 && context.flag("log.flush.acks") && !appends.empty();
  if (!wait) return reply(response);
  answer_when_durable(std::move(response), appends, std::move(reply));
}

}  // namespace muir::broker
