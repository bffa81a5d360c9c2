#include "streams/internal/record_collector.h"

#include <algorithm>

#include "base/log.h"
#include "wire/murmur2.h"

namespace muir::streams::internal {
namespace {

constexpr size_t kHeadersMax = 4096;
constexpr int kCommitRetries = 3;

// Failures that concern the record alone: the producer goes on without it.
bool only_this_record(Code code) {
  return code == Code::invalid_argument || code == Code::out_of_range || code == Code::not_found ||
         code == Code::permission_denied || code == Code::resource_exhausted;
}

}  // namespace

RecordCollector::RecordCollector(client::Client& client, CollectorOptions options)
    : client_(client), options_(std::move(options)) {
  arena_.reserve(options_.batch_bytes);
  records_.reserve(options_.batch_records);
  record_topics_.reserve(options_.batch_records);
  headers_.reserve(kHeadersMax);
}

RecordCollector::~RecordCollector() { producer_.reset(); }

Status RecordCollector::open() {
  if (producer_) return {};
  client::Properties properties = options_.producer;
  if (options_.exactly_once) properties["transactional.id"] = options_.transactional_id;
  auto producer = MUIR_TRY(client_.producer(properties));
  if (options_.exactly_once) {
    const Status ready = producer->init_transactions(options_.timeout_ms);
    if (!ready.ok()) return ready.annotate("init transactions of " + options_.transactional_id);
  }
  forget();
  producer_ = std::move(producer);
  return {};
}

void RecordCollector::close() {
  forget();
  in_transaction_ = false;
  producer_.reset();
  forget();
}

RecordCollector::Topic& RecordCollector::intern(std::string_view topic) {
  if (last_topic_ != nullptr && last_topic_->name == topic) return *last_topic_;
  auto found = topics_.find(topic);
  if (found == topics_.end()) {
    auto made = std::make_unique<Topic>();
    made->name = std::string(topic);
    found = topics_.emplace(made->name, std::move(made)).first;
  }
  last_topic_ = found->second.get();
  return *last_topic_;
}

Status RecordCollector::send(std::string_view topic, std::optional<PartitionId> partition, OptBytesView key,
                             OptBytesView value, int64_t timestamp_ms, std::span<const client::Header> headers) {
  size_t bytes = (key ? key->size() : 0) + (value ? value->size() : 0);
  for (const auto& header : headers) bytes += header.name.size() + (header.value ? header.value->size() : 0);
  const bool full = records_.size() == options_.batch_records || arena_.size() + bytes > arena_.capacity() ||
                    headers_.size() + headers.size() > headers_.capacity();
  if (full && !records_.empty()) MUIR_RETURN_IF_ERROR(push());
  if (bytes > arena_.capacity()) arena_.reserve(bytes);
  if (headers.size() > headers_.capacity()) headers_.reserve(headers.size());

  const auto keep = [this](BytesView view) {
    const size_t at = arena_.size();
    arena_.append(view);
    return BytesView(arena_.data() + at, view.size());
  };
  Topic& interned = intern(topic);
  const size_t first_header = headers_.size();
  for (const auto& header : headers) {
    const BytesView name = keep(header.name);
    headers_.push_back({name, header.value ? OptBytesView(keep(*header.value)) : std::nullopt});
  }
  client::ProducedRecord record;
  record.topic = interned.name;
  record.partition = partition;
  if (key) record.key = keep(*key);
  if (value) record.value = keep(*value);
  record.timestamp_ms = timestamp_ms;
  record.headers = std::span(headers_.data() + first_header, headers.size());
  records_.push_back(record);
  record_topics_.push_back(&interned);
  return {};
}

std::optional<PartitionId> RecordCollector::partition_for(std::string_view topic, BytesView key) {
  Topic& interned = intern(topic);
  if (interned.partitions == 0 && producer_) {
    const Result<int32_t> count = producer_->partition_count(interned.name);
    if (count.ok() && *count > 0) interned.partitions = *count;
  }
  if (interned.partitions == 0) return std::nullopt;
  return wire::partition_for_key(key, interned.partitions);
}

Status RecordCollector::keep_failure(Status status) {
  if (status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (failure_.ok() || status.code() == Code::fenced) failure_ = status;
  return status;
}

Status RecordCollector::begin() {
  if (!producer_) return error(Code::failed_precondition, "send: the producer is closed");
  if (!options_.exactly_once || in_transaction_) return {};
  MUIR_RETURN_IF_ERROR(keep_failure(producer_->begin_transaction()));
  in_transaction_ = true;
  return {};
}

Status RecordCollector::push() {
  MUIR_RETURN_IF_ERROR(producer_failure());
  if (records_.empty()) return {};
  MUIR_RETURN_IF_ERROR(begin());
  Status sent = hand_over();
  if (sent.code() == Code::resource_exhausted) {
    // The producer's buffer is full: the brokers are slower than we are, and waiting is the only way to slow down.
    MUIR_RETURN_IF_ERROR(keep_failure(producer_->flush(options_.timeout_ms)));
    sent = hand_over();
  }
  if (!sent.ok()) return keep_failure(sent);
  records_sent_ += records_.size();
  records_.clear();
  record_topics_.clear();
  headers_.clear();
  arena_.clear();
  return {};
}

Status RecordCollector::hand_over() {
  Flight* flight = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (idle_flights_.empty()) {
      flights_.push_back(std::make_unique<Flight>());
      idle_flights_.push_back(flights_.back().get());
    }
    flight = idle_flights_.back();
    idle_flights_.pop_back();
    flight->epoch = epoch_;
  }
  flight->topics.assign(record_topics_.begin(), record_topics_.end());
  const Status sent = producer_->send(
      records_,
      [this, flight](const Status& status, std::span<const client::Delivery> d) { on_delivered(flight, status, d); });
  if (!sent.ok()) {
    const std::lock_guard lock(mutex_);
    idle_flights_.push_back(flight);
  }
  return sent;
}

void RecordCollector::on_delivered(Flight* flight, const Status& status, std::span<const client::Delivery> deliveries) {
  const std::lock_guard lock(mutex_);
  idle_flights_.push_back(flight);
  if (flight->epoch != epoch_) return;
  for (size_t i = 0; i < deliveries.size() && i < flight->topics.size(); ++i) {
    if (deliveries[i].offset == kNoOffset || deliveries[i].partition == kNoPartition) continue;
    auto& acknowledged = flight->topics[i]->acknowledged;
    const auto partition = static_cast<size_t>(deliveries[i].partition.value());
    if (acknowledged.size() <= partition) acknowledged.resize(partition + 1, kNoOffset);
    acknowledged[partition] = std::max(acknowledged[partition], deliveries[i].offset);
  }
  if (status.ok()) return;
  // The status is that of the first failure; each record has its own reason, and one may be that the brokers are gone.
  bool may_skip = options_.on_error == ErrorPolicy::resume && only_this_record(status.code());
  for (const auto& delivery : deliveries) {
    if (delivery.code == Code::ok) continue;
    ++records_failed_;
    may_skip = may_skip && only_this_record(delivery.code);
  }
  const std::string& topic = flight->topics.empty() ? options_.transactional_id : flight->topics.front()->name;
  if (may_skip) {
    log::warn("a record for topic {} was refused and is skipped: {}", topic, status.message());
    return;
  }
  if (failure_.ok()) failure_ = status.annotate("produce to topic " + topic);
}

Status RecordCollector::producer_failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void RecordCollector::forget() {
  records_.clear();
  record_topics_.clear();
  headers_.clear();
  arena_.clear();
  const std::lock_guard lock(mutex_);
  failure_ = {};
  ++epoch_;
}

Status RecordCollector::flush() {
  MUIR_RETURN_IF_ERROR(push());
  if (!producer_) return {};
  const Status flushed = producer_->flush(options_.timeout_ms);
  MUIR_RETURN_IF_ERROR(producer_failure());
  // A failure that the policy lets pass is not ours to report again.
  if (options_.on_error == ErrorPolicy::resume && only_this_record(flushed.code())) return {};
  return keep_failure(flushed);
}

Status RecordCollector::commit(const client::Offsets& offsets, const client::GroupMetadata& group) {
  MUIR_RETURN_IF_ERROR(push());
  if (offsets.empty() && !in_transaction_) return {};
  MUIR_RETURN_IF_ERROR(begin());
  if (!offsets.empty()) {
    MUIR_RETURN_IF_ERROR(
        keep_failure(producer_->send_offsets_to_transaction(offsets, group, options_.timeout_ms).annotate("offsets")));
  }
  Status committed = producer_->commit_transaction(options_.timeout_ms);
  // Without an answer the outcome is open; asking again is safe and settles it.
  for (int again = 0; again < kCommitRetries && committed.code() == Code::timed_out; ++again) {
    committed = producer_->commit_transaction(options_.timeout_ms);
  }
  if (!committed.ok()) return keep_failure(committed);
  in_transaction_ = false;
  return {};
}

Status RecordCollector::abort() {
  forget();
  if (!producer_ || !in_transaction_) return {};
  in_transaction_ = false;
  const Status aborted = producer_->abort_transaction(options_.timeout_ms);
  forget();
  return aborted;
}

Offset RecordCollector::acknowledged_offset(const std::string& topic, PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end() || partition < PartitionId(0)) return kNoOffset;
  const auto& acknowledged = found->second->acknowledged;
  const auto index = static_cast<size_t>(partition.value());
  return index < acknowledged.size() ? acknowledged[index] : kNoOffset;
}

}  // namespace muir::streams::internal
