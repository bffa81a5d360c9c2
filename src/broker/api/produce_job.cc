#include "broker/api/produce_job.h"

#include <atomic>
#include <mutex>

#include "base/log.h"
#include "broker/txns/txn_coordinator.h"
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
  out.error_code = storage::kafka_code(status);
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

// Kept between requests, as their windows and codecs' tables serve every batch that must be decompressed.
std::unique_ptr<wire::RecordWalk>& spare_walk() {
  thread_local std::unique_ptr<wire::RecordWalk> spare;
  return spare;
}

}  // namespace

struct ProduceJob::Current {
  std::shared_ptr<storage::Partition> partition;
  std::shared_ptr<const storage::TopicConfig> config;
  int64_t now_ms = 0;
  storage::AdmissionNotes notes;
  std::optional<storage::Admission> admission;
};

ProduceJob::ProduceJob(BrokerContext& context, RequestInfo info, ProduceRequest request, Reply<ProduceResponse> reply)
    : context_(context),
      info_(std::move(info)),
      request_(std::move(request)),
      reply_(std::move(reply)),
      history_max_(wire::kHistoryBytesUsual) {}

ProduceJob::~ProduceJob() { rest(); }

void ProduceJob::rest() {
  current_.reset();
  if (walk_ != nullptr) spare_walk() = std::move(walk_);
}

void ProduceJob::leave_the_frame() {
  rest();
  share_ = reply_.hold_up();
  for (size_t topic = topic_; topic < request_.topic_data.size(); ++topic) {
    for (auto& data : request_.topic_data[topic].partition_data) {
      if (data.records) data.records = copies_.emplace_back(*data.records);
    }
  }
}

// What a batch costs that is refused, or is small: as if so many bytes were decompressed.
constexpr size_t kBatchCost = 4096;

ProduceJob::State ProduceJob::run(size_t unpacked_max) {
  for (size_t allowance = unpacked_max; topic_ < request_.topic_data.size();) {
    const auto& topic = request_.topic_data[topic_];
    if (response_.responses.size() == topic_) response_.responses.emplace_back().name = topic.name;
    if (index_ == topic.partition_data.size()) {
      ++topic_;
      index_ = 0;
      continue;
    }
    if (allowance == 0) return State::more;
    if (current_ == nullptr) {
      allowance -= std::min(allowance, kBatchCost);
      begin_batch();
    }
    if (current_ == nullptr) continue;  // refused
    if (!current_->admission->run(allowance)) return State::more;
    if (current_->admission->needs_more_history()) return State::stuck;
    append_batch();
  }
  answer();
  return State::done;
}

Status ProduceJob::find_target(const ProduceRequest::Partition& data, Current& current) const {
  const std::string& topic = request_.topic_data[topic_].name;
  if (request_.acks < -1 || request_.acks > 1) {
    return storage::kafka_error(ErrorCode::invalid_required_acks, "acks={}: must be -1, 0 or 1", request_.acks);
  }
  current.partition = context_.logs->find_partition(topic, PartitionId(data.index));
  if (current.partition == nullptr) {
    return storage::kafka_error(ErrorCode::unknown_topic_or_partition, "{}-{} does not exist", topic, data.index);
  }
  if (is_internal_topic(topic) && info_.client_id != "__admin_client") {
    return storage::kafka_error(ErrorCode::invalid_topic_exception, "Cannot append to internal topic {}", topic);
  }
  if (info_.version < kZstdSince && has_codec(data.records, wire::Compression::zstd)) {
    return storage::kafka_error(ErrorCode::unsupported_compression_type,
                                "Produce requests with version {} are not allowed to use ZStandard compression",
                                info_.version);
  }
  return {};
}

void ProduceJob::begin_batch() {
  const auto& topic = request_.topic_data[topic_];
  const auto& data = topic.partition_data[index_];
  if (walk_ == nullptr) walk_ = std::move(spare_walk());
  if (walk_ == nullptr) walk_ = std::make_unique<wire::RecordWalk>();
  current_ = std::make_unique<Current>();
  if (const Status status = find_target(data, *current_); !status.ok()) return end_batch(status);
  current_->config = current_->partition->config();
  current_->now_ms = context_.clock->now_ms();
  current_->notes = {topic.name, current_->partition->index(), {}};
  current_->admission.emplace(data.records, *current_->config, current_->now_ms, *walk_, current_->notes, history_max_);
}

void ProduceJob::append_batch() {
  const auto admitted = current_->admission->take();
  if (!admitted.ok()) return end_batch(admitted.status());
  const std::string& topic = request_.topic_data[topic_].name;
  const auto& partition = current_->partition;
  const auto& header = admitted->batch.header();
  const auto in_transaction = [&]() -> Status {
    if (!header.transactional()) return {};
    const ErrorCode error =
        check_transaction(context_, info_, header.producer_id, header.producer_epoch, topic, partition->index());
    if (error == ErrorCode::none) return {};
    return storage::kafka_error(error, "producer {} has no transaction open on {}", header.producer_id,
                                partition->name());
  };
  const auto appended = partition->append(admitted->batch, {}, in_transaction);
  if (!appended.ok()) {
    log::debug("produce to {} by {}: {}", partition->name(), info_.client_address, appended.status().message());
    return end_batch(appended.status());
  }
  auto& out = response_.responses[topic_].partition_responses.emplace_back();
  out.index = request_.topic_data[topic_].partition_data[index_].index;
  out.base_offset = appended->base_offset.value();
  out.log_append_time_ms = appended->log_append_time_ms;
  out.log_start_offset = appended->log_start_offset.value();
  appends_.push_back({partition, appended->last_offset + 1, topic_, index_});
  current_.reset();
  ++index_;
}

void ProduceJob::end_batch(const Status& status) {
  auto& out = response_.responses[topic_].partition_responses.emplace_back();
  out.index = request_.topic_data[topic_].partition_data[index_].index;
  set_failure(out, status);
  for (auto& record : current_->notes.refused) out.record_errors.push_back({record.index, std::move(record.why), {}});
  failed_ = true;
  current_.reset();
  ++index_;
}

void ProduceJob::answer() {
  if (request_.acks == 0) {
    // There is no answer that could carry the failure.
    if (failed_) reply_.close_connection();
    return reply_.nothing();
  }
  const bool wait = request_.acks == -1 && context_.settings.flush_acks && !appends_.empty();
  if (!wait) return reply_(response_);
  const auto pending = std::make_shared<PendingProduce>(std::move(response_), reply_);
  pending->left += static_cast<int>(appends_.size());
  for (const Appending& append : appends_) {
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

}  // namespace muir::broker
