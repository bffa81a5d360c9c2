#include "client/internal/producer_memory.h"

#include "client/internal/kafka_config.h"
#include "client/internal/topic_lane.h"
#include "wire/error_code.h"
#include "wire/murmur2.h"
#include "wire/topic_name.h"

namespace muir::client::internal {

Result<std::unique_ptr<Producer>> MemoryProducer::make(MemoryCluster::State& state, const Properties& properties) {
  const int64_t timeout_ms = MUIR_TRY(number_of(properties, "transaction.timeout.ms", 60'000, 1, INT32_MAX));
  const auto id = properties.find("transactional.id");
  return std::unique_ptr<Producer>(
      new MemoryProducer(state, id == properties.end() ? std::string() : id->second, timeout_ms));
}

MemoryProducer::~MemoryProducer() {
  const std::lock_guard lock(state_.mutex);
  if ((phase_ == Phase::open || phase_ == Phase::must_abort) && check_epoch("close").ok()) end(false);
}

Status MemoryProducer::check_phase(Phase wanted, std::string_view what) {
  state_.expire();
  if (phase_ == Phase::uninitialized)
    return error(Code::failed_precondition, "{}: init_transactions() comes first", what);
  if (phase_ == Phase::plain) return error(Code::failed_precondition, "{}: the producer has no transactional.id", what);
  MUIR_RETURN_IF_ERROR(check_epoch(what));
  if (phase_ == Phase::must_abort)
    return error(Code::aborted, "{} transactional.id={}: the transaction must be aborted", what, transactional_id_);
  if (phase_ != wanted) {
    return error(Code::failed_precondition, "{} transactional.id={}: {}", what, transactional_id_,
                 wanted == Phase::open ? "no transaction is open" : "a transaction is open");
  }
  return {};
}

Status MemoryProducer::check_epoch(std::string_view what) {
  if (state_.transactional[transactional_id_].epoch != epoch_) phase_ = Phase::fenced;
  if (phase_ != Phase::fenced) return {};
  return wire::to_status(wire::ErrorCode::producer_fenced,
                         fmt::format("{} transactional.id={} epoch={}", what, transactional_id_, epoch_));
}

Result<PartitionId> MemoryProducer::choose_partition(const ProducedRecord& record, const MemoryTopic& topic) {
  const auto count = static_cast<int32_t>(topic.partitions.size());
  if (record.partition) {
    if (*record.partition >= PartitionId(0) && *record.partition < PartitionId(count)) return *record.partition;
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition,
                           fmt::format("send topic={} partition={}", record.topic, *record.partition));
  }
  return record.key ? wire::partition_for_key(*record.key, count) : PartitionId(sticky_ % count);
}

// What the topic's configuration says that it does not take; the producer of a real cluster knows it beforehand as
// well.
Status MemoryProducer::check_limits(const ProducedRecord& record, const MemoryTopic& topic, Delivery& delivery) {
  int64_t bytes_max = INT64_MAX;
  if (const auto found = topic.configs.find("max.message.bytes"); found != topic.configs.end()) {
    bytes_max = MUIR_TRY(number_of(topic.configs, "max.message.bytes", INT64_MAX, 0, INT64_MAX));
  }
  const auto policy = topic.configs.find("cleanup.policy");
  const bool compacted = policy != topic.configs.end() && policy->second.find("compact") != std::string::npos;
  const bool too_large = wire_bytes(record) + kBatchOverhead > bytes_max;
  if (!too_large && (record.key || !compacted)) return {};
  delivery.never_sent = true;
  const auto refusal = too_large ? wire::ErrorCode::message_too_large : wire::ErrorCode::invalid_record;
  return wire::to_status(refusal, fmt::format("send topic={}: a record of {} bytes", record.topic, wire_bytes(record)));
}

Status MemoryProducer::write(const ProducedRecord& record, Delivery& delivery) {
  if (!wire::valid_topic_name(record.topic)) {
    delivery.never_sent = true;
    return wire::to_status(wire::ErrorCode::invalid_topic_exception, fmt::format("send topic=\"{}\"", record.topic));
  }
  MemoryTopic* topic = state_.topic(record.topic, true);
  if (topic == nullptr)
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, fmt::format("send topic={}", record.topic));
  const PartitionId partition = MUIR_TRY(choose_partition(record, *topic));
  MUIR_RETURN_IF_ERROR(check_limits(record, *topic, delivery));
  if (const auto refused = state_.faults.refused_topics.find(std::string(record.topic));
      refused != state_.faults.refused_topics.end()) {
    delivery.partition = partition;
    return wire::to_status(static_cast<wire::ErrorCode>(refused->second),
                           fmt::format("send topic={} partition={}", record.topic, partition));
  }
  MemoryRecord stored;
  stored.timestamp_ms = record.timestamp_ms < 0 ? state_.clock.now_ms() : record.timestamp_ms;
  stored.key = to_owned(record.key);
  stored.value = to_owned(record.value);
  for (const Header& header : record.headers) stored.headers.emplace_back(Bytes(header.name), to_owned(header.value));
  if (phase_ == Phase::open) {
    MemoryTransactional& transaction = state_.transactional[transactional_id_];
    stored.state = StoredRecord::State::pending;
    stored.producer_id = transaction.producer_id;
    transaction.partitions.insert({std::string(record.topic), partition});
  }
  delivery.offset = topic->partitions[static_cast<size_t>(partition.value())].append(std::move(stored));
  delivery.partition = partition;
  state_.note("produce {}-{} offset={}", record.topic, partition, delivery.offset);
  return {};
}

Status MemoryProducer::send(std::span<const ProducedRecord> records, DeliveryCallback on_done) {
  std::vector<Delivery> deliveries(records.size());
  Status failure;
  bool harmed = false;  // an open transaction
  {
    const std::lock_guard lock(state_.mutex);
    if (!failure_.ok()) return std::exchange(failure_, Status());
    if (phase_ == Phase::uninitialized || phase_ == Phase::ready) return check_phase(Phase::open, "send");
    if (phase_ != Phase::plain) failure = check_phase(Phase::open, "send");
    if (failure.ok() && !records.empty() && state_.draw(state_.faults.send_fails)) {
      failure = wire::to_status(wire::ErrorCode::request_timed_out, fmt::format("send topic={}", records[0].topic));
    }
    if (failure.ok()) {
      for (size_t i = 0; i < records.size(); ++i) {
        const Status status = write(records[i], deliveries[i]);
        deliveries[i].code = status.code();
        deliveries[i].error = status.number(Domain::kafka);
        harmed = harmed || !(status.ok() || deliveries[i].never_sent);
        if (failure.ok()) failure = status;
      }
    } else {
      deliveries.assign(records.size(), {.code = failure.code()});
      harmed = true;
    }
    ++sticky_;
    if (harmed && phase_ == Phase::open) {
      phase_ = Phase::must_abort;
      lost_ = failure.with(Code::aborted);
    }
    if (!on_done && failure_.ok()) failure_ = failure;
    state_.changed.notify_all();
  }
  if (on_done) on_done(failure, deliveries);
  return {};
}

Status MemoryProducer::flush(int64_t) {
  const std::lock_guard lock(state_.mutex);
  return std::exchange(failure_, Status());
}

Result<int32_t> MemoryProducer::partition_count(const std::string& name) {
  const std::lock_guard lock(state_.mutex);
  const MemoryTopic* topic = state_.topic(name, true);
  if (topic == nullptr)
    return wire::to_status(wire::ErrorCode::unknown_topic_or_partition, fmt::format("metadata topic={}", name));
  return static_cast<int32_t>(topic->partitions.size());
}

// KIP-98: the newest producer of a transactional id aborts what its predecessor left open and fences it by a higher
// epoch.
Status MemoryProducer::init_transactions(int64_t) {
  const std::lock_guard lock(state_.mutex);
  if (phase_ == Phase::plain)
    return error(Code::failed_precondition, "init transactions: the producer has no transactional.id");
  if (phase_ != Phase::uninitialized) return error(Code::failed_precondition, "init transactions: called twice");
  MemoryTransactional& transaction = state_.transactional[transactional_id_];
  if (transaction.ongoing) state_.end_transaction(transaction, false);
  if (transaction.producer_id == kNoProducerId) transaction.producer_id = ProducerId(state_.next_producer_id++);
  transaction.timeout_ms = timeout_ms_;
  epoch_ = transaction.epoch = next(transaction.epoch);
  phase_ = Phase::ready;
  state_.note("init transactional.id={} epoch={}", transactional_id_, epoch_);
  return {};
}

Status MemoryProducer::begin_transaction() {
  const std::lock_guard lock(state_.mutex);
  if (epoch_ != kNoProducerEpoch && state_.draw(state_.faults.producer_fenced)) {
    ProducerEpoch& epoch = state_.transactional[transactional_id_].epoch;
    epoch = next(epoch);
  }
  MUIR_RETURN_IF_ERROR(check_phase(Phase::ready, "begin transaction"));
  MemoryTransactional& transaction = state_.transactional[transactional_id_];
  transaction.ongoing = true;
  transaction.started_ms = state_.clock.now_ms();
  phase_ = Phase::open;
  failure_ = Status();
  lost_ = Status();
  unanswered_ = false;
  return {};
}

Status MemoryProducer::send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group, int64_t) {
  const std::lock_guard lock(state_.mutex);
  MUIR_RETURN_IF_ERROR(check_phase(Phase::open, "send offsets to transaction"));
  const auto it = state_.groups.find(group.group_id);
  Status status = check_identity(it == state_.groups.end() ? nullptr : &it->second, group);
  if (status.ok() && state_.faults.refused_offsets != 0) {
    status = wire::to_status(static_cast<wire::ErrorCode>(state_.faults.refused_offsets), "group=" + group.group_id);
    status = status.with(Code::aborted);
  }
  if (!status.ok()) {
    phase_ = Phase::must_abort;
    lost_ = status.annotate("send offsets to transaction");
    return lost_;
  }
  Offsets& pending = state_.transactional[transactional_id_].offsets[group.group_id];
  for (const auto& [partition, offset] : offsets) pending[partition] = offset;
  return {};
}

void MemoryProducer::end(bool committed) {
  state_.end_transaction(state_.transactional[transactional_id_], committed);
  phase_ = Phase::ready;
}

Status MemoryProducer::transaction_failure() {
  const std::lock_guard lock(state_.mutex);
  return phase_ == Phase::must_abort ? lost_ : Status();
}

Status MemoryProducer::commit_transaction(int64_t) {
  const std::lock_guard lock(state_.mutex);
  if (std::exchange(unanswered_, false)) return check_epoch("commit transaction");
  MUIR_RETURN_IF_ERROR(check_phase(Phase::open, "commit transaction"));
  if (state_.draw(state_.faults.commit_aborted)) {
    phase_ = Phase::must_abort;
    return check_phase(Phase::open, "commit transaction");
  }
  end(true);
  if (!state_.draw(state_.faults.commit_unanswered)) return {};
  unanswered_ = true;
  return error(Code::timed_out, "commit transaction transactional.id={}: no answer", transactional_id_);
}

Status MemoryProducer::abort_transaction(int64_t) {
  const std::lock_guard lock(state_.mutex);
  if (phase_ == Phase::must_abort) {
    state_.expire();
    phase_ = Phase::open;
  }
  MUIR_RETURN_IF_ERROR(check_phase(Phase::open, "abort transaction"));
  failure_ = Status();
  end(false);
  return {};
}

}  // namespace muir::client::internal
