#include "client/internal/kafka_producer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

#include "base/clock.h"
#include "base/log.h"
#include "client/internal/rdkafka_status.h"
#include "wire/error_code.h"
#include "wire/topic_name.h"

namespace muir::client::internal {
namespace {

constexpr int64_t kBufferMemoryDefault = 64LL << 20;
constexpr int64_t kRecordsMaxDefault = 1'000'000;
constexpr int64_t kBatchBytesDefault = 1'000'000;  // librdkafka's, of batch.size and max.request.size
constexpr int64_t kAskMs = 2'000;
// What a record costs beside its key and value: librdkafka's message and our slot.
constexpr size_t kRecordOverhead = 128;

int int_ms(int64_t ms) { return static_cast<int>(std::clamp<int64_t>(ms, 0, std::numeric_limits<int>::max())); }

size_t size_of(const ProducedRecord& record) {
  size_t bytes = kRecordOverhead + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const Header& header : record.headers)
    bytes += header.name.size() + (header.value ? header.value->size() : 0) + 32;
  return bytes;
}

rd_kafka_headers_t* copy_headers(std::span<const Header> headers) {
  rd_kafka_headers_t* copy = rd_kafka_headers_new(headers.size());
  for (const Header& header : headers) {
    rd_kafka_header_add(copy, header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value ? (header.value->data() ? header.value->data() : "") : nullptr,
                        header.value ? static_cast<ssize_t>(header.value->size()) : 0);
  }
  return copy;
}

struct OffsetsDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
struct GroupDeleter {
  void operator()(rd_kafka_consumer_group_metadata_t* group) const { rd_kafka_consumer_group_metadata_destroy(group); }
};

}  // namespace

Result<std::unique_ptr<Producer>> KafkaProducer::make(const Properties& properties, MetricsRegistry* metrics) {
  ProducerLimits limits{.close_ms = 5'000};
  limits.bytes_max = MUIR_TRY(number_of(properties, "buffer.memory", kBufferMemoryDefault, 1, INT64_MAX));
  limits.records_max =
      MUIR_TRY(number_of(properties, "queue.buffering.max.messages", kRecordsMaxDefault, 1, 9'000'000));
  limits.metadata_age_us = MUIR_TRY(number_of(properties, "metadata.max.age.ms", 300'000, 1, INT64_MAX / 1000)) * 1000;
  limits.batch_bytes = std::min(MUIR_TRY(number_of(properties, "batch.size", kBatchBytesDefault, 0, INT32_MAX)),
                                MUIR_TRY(number_of(properties, "max.request.size", kBatchBytesDefault, 0, INT32_MAX)));
  limits.ask_ms = std::min(kAskMs, MUIR_TRY(number_of(properties, "max.block.ms", 60'000, 1, INT64_MAX)));
  const auto codec = properties.find("compression.type");
  limits.compressed = codec != properties.end() && codec->second != "none";
  limits.transactional = properties.contains("transactional.id");
  Conf conf = MUIR_TRY(make_conf(Role::producer, properties));
  // Delivery reports arrive as events, many messages in one, and flush() leaves them to the delivery thread.
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR);
  std::array<char, 512> reason{};
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size());
  if (rk == nullptr) return error(Code::invalid_argument, "producer: {}", reason.data());
  (void)conf.release();  // rd_kafka_new() took it over
  std::unique_ptr<KafkaProducer> out(new KafkaProducer(rk, limits));
  const auto id = properties.find("client.id");
  out->watched_ =
      std::make_unique<MetricsGroup>(metrics, Labels{{"client", id == properties.end() ? "muir" : id->second}});
  out->watched_->collect([producer = out.get()](MetricSink& sink) { producer->collect(sink); });
  return std::unique_ptr<Producer>(std::move(out));
}

void KafkaProducer::collect(MetricSink& sink) {
  sink.counter("muir_client_acknowledged_records_total", "Records that the cluster has taken.", {},
               static_cast<double>(acknowledged_.value()));
  sink.counter("muir_client_failed_records_total", "Records that it has not, after all attempts.", {},
               static_cast<double>(failed_.value()));
  const std::lock_guard lock(mutex_);
  sink.gauge("muir_client_waiting_records", "Records that wait to be acknowledged.", {},
             static_cast<double>(records_in_flight_));
  sink.gauge("muir_client_waiting_bytes", "Their size.", {}, static_cast<double>(bytes_in_flight_));
  sink.gauge("muir_client_waiting_max_bytes", "Most that may wait (buffer.memory).", {},
             static_cast<double>(limits_.bytes_max));
}

KafkaProducer::KafkaProducer(rd_kafka_s* rk, const ProducerLimits& limits)
    : rk_(rk), events_(rd_kafka_queue_get_main(rk)), limits_(limits), delivery_thread_([this] { deliver(); }) {}

KafkaProducer::~KafkaProducer() {
  if (in_transaction_) {
    if (Status status = abort_transaction(limits_.close_ms); !status.ok())
      log::debug("close producer: {}", status.message());
  } else if (Status status = flush(limits_.close_ms); !status.ok()) {
    log::warn("close producer: {}", status.message());
  }
  drop_lanes();
  rd_kafka_purge(rk_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  {
    // The purged records still come back as delivery reports.
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, std::chrono::milliseconds(limits_.close_ms), [&] { return batches_in_flight_ == 0; });
  }
  {
    const std::lock_guard lock(topics_mutex_);
    stop_ = true;
  }
  urged_.notify_all();
  rd_kafka_queue_yield(events_);
  delivery_thread_.join();
  if (urge_thread_.joinable()) urge_thread_.join();
  for (auto& [name, topic] : topics_) {
    if (topic.handle != nullptr) rd_kafka_topic_destroy(topic.handle);
  }
  rd_kafka_queue_destroy(events_);
  rd_kafka_destroy(rk_);
}

KafkaProducer::Topic* KafkaProducer::topic(std::string_view name) {
  auto it = topics_.find(name);
  if (it == topics_.end()) {
    // librdkafka would look for it for half a minute.
    if (!wire::valid_topic_name(name)) return nullptr;
    it = topics_.try_emplace(std::string(name), limits_.batch_bytes, limits_.compressed).first;
  }
  Topic& found = it->second;
  if (found.handle == nullptr) {
    rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(rk_);
    rd_kafka_topic_conf_set_opaque(conf, &found);
    found.handle = rd_kafka_topic_new(rk_, it->first.c_str(), conf);
  }
  return found.handle == nullptr ? nullptr : &found;
}

KafkaProducer::Topic* KafkaProducer::known_topic(std::string_view name) {
  const std::lock_guard lock(topics_mutex_);
  return topic(name);
}

// A batch larger than the whole memory is let through when nothing else is queued: it could never be sent otherwise.
Status KafkaProducer::reserve(size_t records, size_t bytes) {
  const std::lock_guard lock(mutex_);
  const bool full = records_in_flight_ + static_cast<int64_t>(records) > limits_.records_max ||
                    bytes_in_flight_ + static_cast<int64_t>(bytes) > limits_.bytes_max;
  if (full && batches_in_flight_ != 0) {
    return error(Code::resource_exhausted,
                 "send {} records: {} of buffer.memory={} bytes and {} of {} records are in use", records,
                 bytes_in_flight_, limits_.bytes_max, records_in_flight_, limits_.records_max);
  }
  ++batches_in_flight_;
  records_in_flight_ += static_cast<int64_t>(records);
  bytes_in_flight_ += static_cast<int64_t>(bytes);
  return {};
}

Status KafkaProducer::take_failure() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, Status());
}

Status KafkaProducer::send(std::span<const ProducedRecord> records, DeliveryCallback on_done) {
  MUIR_RETURN_IF_ERROR(take_failure());
  if (records.empty()) {
    if (on_done) on_done(Status(), {});
    return {};
  }
  size_t bytes = 0;
  for (const ProducedRecord& record : records) {
    if (record.topic.empty()) return error(Code::invalid_argument, "send: a record without topic");
    if (record.partition && *record.partition < PartitionId(0)) {
      return error(Code::invalid_argument, "send topic={}: partition {} is negative", record.topic, *record.partition);
    }
    bytes += size_of(record);
  }
  MUIR_RETURN_IF_ERROR(reserve(records.size(), bytes));

  auto owned = std::make_unique<Batch>();
  Batch* batch = owned.release();  // freed by finish()
  // One count more than records: the batch lives until this loop has ended.
  batch->remaining = records.size() + 1;
  batch->bytes = bytes;
  batch->on_done = std::move(on_done);
  batch->slots.reserve(records.size());
  for (const ProducedRecord& record : records) batch->slots.push_back({batch, record.timestamp_ms});
  batch->deliveries.resize(records.size());

  const int64_t now_us = system_clock().steady_us();
  size_t failed = 0;
  for (size_t i = 0; i < records.size();) {
    size_t end = i + 1;
    while (end < records.size() && records[end].topic == records[i].topic) ++end;
    failed += send_run(records.subspan(i, end - i), &batch->slots[i], now_us);
    i = end;
  }
  count_down(batch, failed + 1);
  return {};
}

size_t KafkaProducer::send_run(std::span<const ProducedRecord> records, Slot* slots, int64_t now_us) {
  Topic* to = nullptr;
  bool open = false;
  bool ask = false;
  {
    const std::lock_guard lock(topics_mutex_);
    to = topic(records.front().topic);
    if (to != nullptr) {
      open = to->lane.open();
      ask = to->lane.wants_to_ask(now_us, limits_.metadata_age_us);
      if (ask) to->lane.asked(now_us);
      for (const ProducedRecord& record : records) open = open && !to->lane.suspicious(record, size_of(record));
      to->lane.count(records.size());
      // Counted before their reports can come.
      if (open) to->outside += static_cast<int64_t>(records.size());
      for (size_t i = 0; !open && i < records.size(); ++i) to->lane.hold(HeldRecord(records[i], &slots[i]));
    }
  }
  size_t failed = 0;
  if (to == nullptr) {
    const Status status = wire::to_status(wire::ErrorCode::invalid_topic_exception,
                                          fmt::format("send topic=\"{}\"", records.front().topic));
    for (size_t i = 0; i < records.size(); ++i) fail(&slots[i], status, true);
    return records.size();
  }
  for (size_t i = 0; open && i < records.size(); ++i) {
    const Status status = enqueue(records[i], to->handle, &slots[i]);
    if (status.ok()) continue;
    ++failed;
    fail(&slots[i], status, true);
  }
  if (failed > 0) to->outside -= static_cast<int64_t>(failed);
  if (ask) ask_limits(*to);
  if (!open) advance(*to);
  return failed;
}

Status KafkaProducer::enqueue(const ProducedRecord& record, rd_kafka_topic_s* handle, Slot* slot) {
  std::array<rd_kafka_vu_t, 8> fields;
  size_t count = 0;
  const auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    rd_kafka_vu_t& field = fields[count++];
    field.vtype = type;
    return field;
  };
  // A present but empty key or value must keep a non-null pointer: null would be written as Kafka's null.
  const auto set_bytes = [](rd_kafka_vu_t& field, OptBytesView bytes) {
    field.u.mem.ptr = bytes ? const_cast<char*>(bytes->data() != nullptr ? bytes->data() : "") : nullptr;
    field.u.mem.size = bytes ? bytes->size() : 0;
  };
  next(RD_KAFKA_VTYPE_RKT).u.rkt = handle;
  next(RD_KAFKA_VTYPE_PARTITION).u.i32 = record.partition.value_or(PartitionId(RD_KAFKA_PARTITION_UA)).value();
  set_bytes(next(RD_KAFKA_VTYPE_KEY), record.key);
  set_bytes(next(RD_KAFKA_VTYPE_VALUE), record.value);
  next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  // librdkafka reads 0 as "now"; the nearest timestamp it can write is 1.
  next(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms < 0 ? 0 : std::max<int64_t>(record.timestamp_ms, 1);
  next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = slot;
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = copy_headers(record.headers);
    next(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
  }
  rd_kafka_error_t* failure = rd_kafka_produceva(rk_, fields.data(), count);
  if (failure == nullptr) return {};
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  const std::string what = fmt::format("send topic={}", rd_kafka_topic_name(handle));
  Status status = take_error(rk_, failure, what);
  // A transaction that a refused record has ended takes no more.
  if (in_transaction_ && status.code() == Code::failed_precondition) {
    return status.with(Code::aborted);
  }
  return status;
}

void KafkaProducer::fail(Slot* slot, const Status& status, bool never_sent) {
  Batch* batch = slot->batch;
  Delivery& delivery = batch->deliveries[static_cast<size_t>(slot - batch->slots.data())];
  delivery.code = status.code();
  delivery.error = kafka_error_of(status);
  delivery.never_sent = never_sent;
  const std::lock_guard lock(mutex_);
  if (batch->failure.ok()) batch->failure = status;
}

bool KafkaProducer::settle(Slot* slot, const rd_kafka_message_s& message) {
  auto* to = static_cast<Topic*>(rd_kafka_topic_opaque(message.rkt));
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return settle_refused(slot, *to, message);
  Batch* batch = slot->batch;
  batch->deliveries[static_cast<size_t>(slot - batch->slots.data())] = {PartitionId(message.partition),
                                                                        Offset(message.offset)};
  if (slot->in_lane) {
    const std::lock_guard lock(topics_mutex_);
    to->lane.settled();
    touched_.push_back(to);
  }
  return true;
}

// The delivery thread finishes what its own reports complete; a batch completed by send() is handed to it.
void KafkaProducer::count_down(Batch* batch, size_t records) {
  if (batch->remaining.fetch_sub(records) != records) return;
  if (std::this_thread::get_id() == delivery_thread_.get_id()) {
    finish(batch);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    settled_.push_back(batch);
  }
  rd_kafka_queue_yield(events_);
}

void KafkaProducer::finish(Batch* raw) {
  const std::unique_ptr<Batch> batch(raw);
  const auto failed = static_cast<uint64_t>(std::count_if(batch->deliveries.begin(), batch->deliveries.end(),
                                                          [](const Delivery& one) { return one.code != Code::ok; }));
  failed_.add(failed);
  acknowledged_.add(batch->deliveries.size() - failed);
  if (batch->on_done) batch->on_done(batch->failure, batch->deliveries);
  const std::lock_guard lock(mutex_);
  if (!batch->on_done && failure_.ok()) failure_ = batch->failure;
  --batches_in_flight_;
  records_in_flight_ -= static_cast<int64_t>(batch->slots.size());
  bytes_in_flight_ -= static_cast<int64_t>(batch->bytes);
  if (batches_in_flight_ == 0) idle_.notify_all();
}

void KafkaProducer::take_deliveries(rd_kafka_op_s* event) {
  std::array<const rd_kafka_message_t*, 1000> messages{};
  while (const size_t count = rd_kafka_event_message_array(event, messages.data(), messages.size())) {
    for (size_t i = 0; i < count;) {
      // Neighbours mostly belong to one batch and one topic: one atomic operation each for the run.
      Batch* batch = static_cast<Slot*>(messages[i]->_private)->batch;
      rd_kafka_topic_t* handle = messages[i]->rkt;
      size_t settled = 0;
      int64_t outside = 0;
      for (; i < count && messages[i]->rkt == handle; ++i) {
        auto* slot = static_cast<Slot*>(messages[i]->_private);
        if (slot->batch != batch) break;
        if (!slot->in_lane) ++outside;
        settled += settle(slot, *messages[i]) ? 1 : 0;
      }
      auto* to = static_cast<Topic*>(rd_kafka_topic_opaque(handle));
      if (outside > 0 && to->outside.fetch_sub(outside) == outside) touched_.push_back(to);
      if (settled > 0) count_down(batch, settled);
    }
  }
}

void KafkaProducer::deliver() {
  std::vector<Batch*> settled;
  while (!stop_) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(events_, 200);
    const int type = event == nullptr ? RD_KAFKA_EVENT_NONE : rd_kafka_event_type(event);
    if (type == RD_KAFKA_EVENT_DR) {
      take_deliveries(event);
    } else if (type == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT) {
      take_limits(event);
    } else if (type == RD_KAFKA_EVENT_ERROR) {
      log::debug("{}: {}", rd_kafka_name(rk_), rd_kafka_event_error_string(event));
    }
    if (event != nullptr) rd_kafka_event_destroy(event);
    if (!touched_.empty()) {
      std::sort(touched_.begin(), touched_.end());
      touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
      for (Topic* to : touched_) advance(*to);
      touched_.clear();
    }
    {
      const std::lock_guard lock(mutex_);
      settled.swap(settled_);
    }
    for (Batch* batch : settled) finish(batch);
    settled.clear();
  }
}

Status KafkaProducer::flush(int64_t timeout_ms) {
  const int64_t deadline = system_clock().steady_ms() + timeout_ms;
  // Makes librdkafka forget its linger; the wait below is for our own counts, which end after the callbacks.
  rd_kafka_flush(rk_, int_ms(timeout_ms));
  std::unique_lock lock(mutex_);
  const auto left = std::chrono::milliseconds(std::max<int64_t>(deadline - system_clock().steady_ms(), 0));
  if (!idle_.wait_for(lock, left, [&] { return batches_in_flight_ == 0; })) {
    return error(Code::timed_out, "flush: {} records are not acknowledged after {} ms", records_in_flight_, timeout_ms);
  }
  return std::exchange(failure_, Status());
}

Result<int32_t> KafkaProducer::partition_count(const std::string& name) {
  Topic* found = known_topic(name);
  if (found == nullptr) {
    return wire::to_status(wire::ErrorCode::invalid_topic_exception, fmt::format("topic=\"{}\"", name));
  }
  const int64_t now = system_clock().steady_us();
  {
    const std::lock_guard lock(topics_mutex_);
    if (found->partitions > 0 && now - found->asked_at_us < limits_.metadata_age_us) return found->partitions;
  }
  const rd_kafka_metadata_t* metadata = nullptr;
  // The caller waits meanwhile, a stream thread for one: it is told soon, and asks again.
  const std::string what = fmt::format("metadata topic={}, asked for {} ms", name, limits_.ask_ms);
  MUIR_RETURN_IF_ERROR(
      status_of_rdkafka(rd_kafka_metadata(rk_, 0, found->handle, &metadata, int_ms(limits_.ask_ms)), what));
  const std::unique_ptr<const rd_kafka_metadata_t, decltype(&rd_kafka_metadata_destroy)> owner(
      metadata, rd_kafka_metadata_destroy);
  if (metadata->topic_cnt != 1) return error(Code::not_found, "{}: no such topic", what);
  MUIR_RETURN_IF_ERROR(status_of_rdkafka(metadata->topics[0].err, what));
  const int32_t partitions = metadata->topics[0].partition_cnt;
  if (partitions <= 0) return error(Code::unavailable, "{}: the topic has no partitions yet", what);
  const std::lock_guard lock(topics_mutex_);
  found->partitions = partitions;
  found->asked_at_us = now;
  return partitions;
}

Status KafkaProducer::retry(std::string_view what, int64_t timeout_ms,
                            const std::function<rd_kafka_error_t*(int)>& attempt) {
  const int64_t deadline = system_clock().steady_ms() + timeout_ms;
  while (true) {
    rd_kafka_error_t* failure = attempt(int_ms(std::max<int64_t>(deadline - system_clock().steady_ms(), 1)));
    if (failure == nullptr) return {};
    const bool again = rd_kafka_error_is_retriable(failure) != 0;
    Status status = take_error(rk_, failure, what);
    if (!again) return status;
    if (system_clock().steady_ms() >= deadline) {
      return status.with(Code::timed_out).with_message(fmt::format("{} (after {} ms)", status.message(), timeout_ms));
    }
  }
}

Status KafkaProducer::init_transactions(int64_t timeout_ms) {
  return retry("init transactions", timeout_ms, [&](int left_ms) { return rd_kafka_init_transactions(rk_, left_ms); });
}

Status KafkaProducer::begin_transaction() {
  MUIR_RETURN_IF_ERROR(take_error(rk_, rd_kafka_begin_transaction(rk_), "begin transaction"));
  (void)take_failure();  // of an earlier transaction
  in_transaction_ = true;
  return {};
}

Status KafkaProducer::send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group,
                                                  int64_t timeout_ms) {
  const std::unique_ptr<rd_kafka_topic_partition_list_t, OffsetsDeleter> list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_t* entry =
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition.value());
    entry->offset = offset.offset.value();
    if (!offset.metadata.empty()) {
      entry->metadata = ::malloc(offset.metadata.size());  // NOLINT: librdkafka frees it
      std::copy(offset.metadata.begin(), offset.metadata.end(), static_cast<char*>(entry->metadata));
      entry->metadata_size = offset.metadata.size();
    }
  }
  const std::unique_ptr<rd_kafka_consumer_group_metadata_t, GroupDeleter> identity(
      rd_kafka_consumer_group_metadata_new_with_genid(
          group.group_id.c_str(), group.generation_id.value(), group.member_id.c_str(),
          group.group_instance_id.empty() ? nullptr : group.group_instance_id.c_str()));
  return retry("send offsets to transaction", timeout_ms, [&](int left_ms) {
    return rd_kafka_send_offsets_to_transaction(rk_, list.get(), identity.get(), left_ms);
  });
}

// librdkafka tells why it will not go on only to calls of its transaction API. Of these, beginning another transaction
// changes nothing while one is open.
Status KafkaProducer::transaction_failure() {
  if (!in_transaction_) return {};
  const Status refused = take_error(rk_, rd_kafka_begin_transaction(rk_), "transaction");
  return refused.code() == Code::failed_precondition ? Status() : refused;
}

Status KafkaProducer::commit_transaction(int64_t timeout_ms) {
  const int64_t deadline = system_clock().steady_ms() + timeout_ms;
  // librdkafka flushes what it has; records may still wait in a lane.
  if (lanes_hold_records()) MUIR_RETURN_IF_ERROR(flush(timeout_ms));
  const int64_t left = std::max<int64_t>(deadline - system_clock().steady_ms(), 1);
  const Status status =
      retry("commit transaction", left, [&](int left_ms) { return rd_kafka_commit_transaction(rk_, left_ms); });
  if (!status.ok()) return status;
  in_transaction_ = false;
  const std::lock_guard lock(topics_mutex_);
  for (auto& [name, to] : topics_) to.lane.committed();
  return {};
}

Status KafkaProducer::abort_transaction(int64_t timeout_ms) {
  drop_lanes();
  const Status status =
      retry("abort transaction", timeout_ms, [&](int left_ms) { return rd_kafka_abort_transaction(rk_, left_ms); });
  if (!status.ok()) return status;
  in_transaction_ = false;
  // What was purged has failed, as the caller wanted.
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return batches_in_flight_ == 0; });
  failure_ = Status();
  lock.unlock();
  const std::lock_guard topics_lock(topics_mutex_);
  for (auto& [name, to] : topics_) to.lane.aborted();
  return {};
}

}  // namespace muir::client::internal
