#include "streams/runtime/record_collector.h"

#include <algorithm>

#include "base/log.h"
#include "streams/nodes/node.h"
#include "wire/error_code.h"

namespace muir::streams::internal {
namespace {

constexpr size_t kHeadersMax = 4096;
constexpr int kCommitRetries = 3;

// In Kafka's words, as far as it has any.
std::string describe(const client::Delivery& delivery, const Status& first) {
  if (delivery.error != 0) {
    const auto error = static_cast<wire::ErrorCode>(delivery.error);
    return fmt::format("{}: {}", wire::name_of(error), wire::message_of(error));
  }
  return delivery.code == first.code() ? first.message() : std::string(to_string(delivery.code));
}

}  // namespace

RecordCollector::RecordCollector(client::Client& client, CollectorOptions options)
    : client_(client), options_(std::move(options)) {
  arena_.reserve(options_.batch_bytes);
  records_.reserve(options_.batch_records);
  record_topics_.reserve(options_.batch_records);
  lineage_.reserve(options_.batch_records);
  headers_.reserve(kHeadersMax);
}

RecordCollector::~RecordCollector() { producer_.reset(); }

Status RecordCollector::open() {
  if (producer_) return {};
  Properties properties = options_.producer;
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
  Topic& interned = intern(topic);
  interned.written_in = epoch_;
  const Lineage lineage = lineage_of(key);
  if (any_known_ && !lineage.dead_letter) {
    KeptSource source;
    if (origin_ != nullptr) source.assign(*origin_, true);
    const Status* cause = known_refusal(identity_of(origin_ != nullptr ? &source : nullptr, lineage, interned.name));
    if (cause != nullptr) return ask(source.failed(interned.name, *cause));
  }
  size_t bytes = (key ? key->size() : 0) + (value ? value->size() : 0);
  for (const auto& header : headers) bytes += header.name.size() + (header.value ? header.value->size() : 0);
  // More than once: what push() has asked the handler about may have brought dead letters.
  while (!records_.empty() && (records_.size() >= options_.batch_records || arena_.size() + bytes > arena_.capacity() ||
                               headers_.size() + headers.size() > headers_.capacity())) {
    MUIR_RETURN_IF_ERROR(push());
  }
  if (bytes > arena_.capacity()) arena_.reserve(bytes);
  if (headers.size() > headers_.capacity()) headers_.reserve(headers.size());

  const auto keep = [this](BytesView view) {
    const size_t at = arena_.size();
    arena_.append(view);
    return BytesView(arena_.data() + at, view.size());
  };
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
  lineage_.push_back(lineage);
  if (origin_ != nullptr && !lineage.dead_letter) {
    lineage_.back().source = sources_.add(*origin_, options_.keep_sources);
  }
  return {};
}

void RecordCollector::set_origin(const RecordOrigin* origin) {
  origin_ = origin;
  ordinal_ = 0;
}

Lineage RecordCollector::lineage_of(OptBytesView key) {
  if (asking_) return {.dead_letter = true};
  if (origin_ != nullptr) return {.ordinal = ordinal_++};
  return {.ordinal = key ? std::hash<std::string_view>()(*key) : 0};
}

// A topic that is not there yet may come: Kafka's producer waits for it and then fails with an error that may pass.
Result<int32_t> RecordCollector::partition_count(std::string_view topic) {
  Topic& interned = intern(topic);
  if (interned.partitions > 0) return interned.partitions;
  if (!producer_) return error(Code::unavailable, "sink topic={}: the producer is closed", topic);
  const Result<int32_t> count = producer_->partition_count(interned.name);
  if (count.ok()) return interned.partitions = *count;
  const Status why = count.status();
  const bool may_pass = why.code() == Code::not_found || meaning_of(why) == ProductionError::retriable ||
                        meaning_of(why) == ProductionError::aborted;
  if (!may_pass) return why;
  return why.with(Code::unavailable)
      .with_message(
          fmt::format("sink topic={}: its partitions, by which keys are placed, are not known: {}; create the "
                      "topic if it is missing",
                      topic, why.message()));
}

Status RecordCollector::keep_failure(Status status) {
  if (status.ok()) return status;
  const std::lock_guard lock(mutex_);
  // What follows from a cause must not hide it.
  const bool final = !failure_.ok() && meaning_of(failure_) >= ProductionError::fenced;
  if (final && meaning_of(failure_) > meaning_of(status)) return failure_;
  if (status.code() == Code::aborted && status.number(Domain::kafka) <= 0 && failure_.domain_code().number != 0)
    return failure_;
  if (failure_.ok() || status.code() == Code::fenced) failure_ = status;
  return status;
}

// What no record was named for: it can only be said to which topics the transaction was to write.
Status RecordCollector::keep_transaction_failure(const Status& status, std::string_view what) {
  if (status.ok()) return status;
  std::string place = fmt::format("{} of transactional.id={}", what, options_.transactional_id);
  if (meaning_of(status) == ProductionError::fatal) {
    std::string_view separator = ", which writes to ";
    for (const auto& [name, topic] : topics_) {
      if (topic->written_in != epoch_) continue;
      place += fmt::format("{}{}", separator, name);
      separator = ", ";
    }
  }
  return keep_failure(status.annotate(place));
}

Status RecordCollector::failure_so_far() {
  const Status failure = producer_failure();
  if (failure.code() != Code::aborted || failure.number(Domain::kafka) > 0 || !in_transaction_) return failure;
  const Status cause = producer_->transaction_failure();
  if (cause.ok()) return failure;
  {
    const std::lock_guard lock(mutex_);
    failure_ = {};
  }
  return keep_transaction_failure(cause, "transaction");
}

Status RecordCollector::begin() {
  if (!producer_) return error(Code::failed_precondition, "send: the producer is closed");
  if (!options_.exactly_once || in_transaction_) return {};
  MUIR_RETURN_IF_ERROR(keep_transaction_failure(producer_->begin_transaction(), "begin"));
  in_transaction_ = true;
  return {};
}

Status RecordCollector::push() {
  MUIR_RETURN_IF_ERROR(failure_so_far());
  MUIR_RETURN_IF_ERROR(settle_refusals());
  if (records_.empty()) return {};
  MUIR_RETURN_IF_ERROR(begin());
  Status sent = hand_over();
  if (sent.code() == Code::resource_exhausted) {
    // The producer's buffer is full: the brokers are slower than we are, and waiting is the only way to slow down.
    MUIR_RETURN_IF_ERROR(keep_failure(producer_->flush(options_.timeout_ms)));
    sent = hand_over();
  }
  if (!sent.ok()) return keep_failure(sent);
  transaction_records_ += records_.size();
  clear_gathered();
  return {};
}

void RecordCollector::clear_gathered() {
  records_.clear();
  record_topics_.clear();
  lineage_.clear();
  sources_.clear();
  headers_.clear();
  arena_.clear();
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
  std::swap(flight->lineage, lineage_);
  std::swap(flight->sources, sources_);
  const Status sent = producer_->send(
      records_,
      [this, flight](const Status& status, std::span<const client::Delivery> d) { on_delivered(flight, status, d); });
  if (!sent.ok()) {
    std::swap(flight->lineage, lineage_);
    std::swap(flight->sources, sources_);
    const std::lock_guard lock(mutex_);
    idle_flights_.push_back(flight);
  }
  return sent;
}

void RecordCollector::on_delivered(Flight* flight, const Status& status, std::span<const client::Delivery> deliveries) {
  const std::lock_guard lock(mutex_);
  idle_flights_.push_back(flight);
  records_acknowledged_ += static_cast<uint64_t>(std::count_if(
      deliveries.begin(), deliveries.end(), [](const client::Delivery& one) { return one.code == Code::ok; }));
  // Of an aborted transaction only what teaches something is of interest.
  const bool past = flight->epoch != epoch_;
  for (size_t i = 0; !past && i < deliveries.size() && i < flight->topics.size(); ++i) {
    if (deliveries[i].offset == kNoOffset || deliveries[i].partition == kNoPartition) continue;
    auto& acknowledged = flight->topics[i]->acknowledged;
    const auto partition = static_cast<size_t>(deliveries[i].partition.value());
    if (acknowledged.size() <= partition) acknowledged.resize(partition + 1, kNoOffset);
    acknowledged[partition] = std::max(acknowledged[partition], deliveries[i].offset);
  }
  if (status.ok()) return;
  for (size_t i = 0; i < deliveries.size() && i < flight->topics.size(); ++i) {
    if (deliveries[i].code == Code::ok) continue;
    std::string topic = flight->topics[i]->name;
    if (deliveries[i].partition != kNoPartition) topic += fmt::format(" partition={}", deliveries[i].partition);
    on_refused(
        *flight, i, past, deliveries[i],
        Status(deliveries[i].code, fmt::format("produce to topic {}: {}", topic, describe(deliveries[i], status)),
               {Domain::kafka, deliveries[i].error}));
  }
}

void RecordCollector::on_refused(const Flight& flight, size_t record, bool past, const client::Delivery& delivery,
                                 const Status& cause) {
  const Lineage& lineage = flight.lineage[record];
  const KeptSource* source = lineage.source == KeptSources::kNone ? nullptr : &flight.sources.at(lineage.source);
  const ProductionError meaning = classify(delivery.code, delivery.error, options_.exactly_once);
  if (meaning == ProductionError::fatal || meaning == ProductionError::fenced) {
    if (past) return;
    // What nobody can mend, or somebody else has mended, outranks what the other records fail with.
    const bool outranked = failure_.ok() || meaning_of(failure_) < meaning;
    const std::string task = source == nullptr ? "of a timer" : "task " + streams::to_string(source->task);
    const Code code = meaning == ProductionError::fenced ? Code::fenced : delivery.code;
    if (outranked) failure_ = cause.with(code).annotate(task);
    return;
  }
  const bool refused = meaning == ProductionError::record;
  if (lineage.dead_letter && refused && !past) {
    // Nobody is left to be asked. It outlasts what a transaction's other records fail with.
    failure_ = cause.annotate("dead letter");
    return;
  }
  if (options_.exactly_once && !delivery.never_sent) {
    // The transaction is lost. The tasks begin anew, and when they come to this record again the handler decides.
    if (refused) {
      known_.emplace(identity_of(source, lineage, flight.topics[record]->name), cause);
      any_known_ = learned_ = true;
    } else if (delivery.code == Code::aborted && delivery.error > 0) {
      at_large_ = true;
    }
    if (past) return;
    const Status lost = cause.with(refused ? Code::aborted : delivery.code);
    if (failure_.ok()) failure_ = lost;
    return;
  }
  if (past) return;
  if (meaning == ProductionError::aborted) {
    if (failure_.ok()) failure_ = cause;
    return;
  }
  // As the handler is told: Code::timed_out may pass.
  refused_.push_back({source != nullptr ? *source : KeptSource(), flight.topics[record]->name,
                      refused ? cause : cause.with(Code::timed_out)});
  any_refused_ = true;
}

RecordIdentity RecordCollector::identity_of(const KeptSource* source, const Lineage& lineage,
                                            const std::string& target) const {
  if (source == nullptr) return {std::string(), kNoPartition, kNoOffset, lineage.ordinal, target};
  return {source->topic, source->partition, source->offset, lineage.ordinal, target};
}

const Status* RecordCollector::known_refusal(const RecordIdentity& identity) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(identity);
  return found == known_.end() ? nullptr : &found->second;
}

Status RecordCollector::ask(const FailedRecord& failed) {
  if (!options_.on_failure) return failed.cause;
  asking_ = true;
  const Status answer = guarded([&] { return options_.on_failure(failed, *this); });
  asking_ = false;
  if (answer.ok()) {
    // A transaction that is aborted meets them again.
    if (options_.exactly_once) {
      ++let_go_;
    } else {
      ++records_failed_;
    }
    return {};
  }
  const bool passing = failed.cause.code() == Code::timed_out || failed.cause.code() == Code::unavailable;
  // FAIL, though it may pass: said without what would have it tried again.
  if (passing && answer.code() == Code::timed_out) return Status(Code::invalid_argument, answer.message());
  if (!passing && (answer.code() == Code::timed_out || answer.code() == Code::unavailable)) {
    return answer.with(Code::invalid_argument)
        .with_message(answer.message() + " (RETRY is no answer to a failure that cannot pass)");
  }
  return answer;
}

Status RecordCollector::settle_refusals() {
  if (!any_refused_ || asking_) return {};
  std::vector<RefusedRecord> refused;
  {
    const std::lock_guard lock(mutex_);
    refused.swap(refused_);
    any_refused_ = false;
  }
  for (RefusedRecord& one : refused) {
    MUIR_RETURN_IF_ERROR(keep_failure(ask(one.source.failed(std::move(one.target), std::move(one.cause)))));
  }
  return {};
}

bool RecordCollector::take_learned() {
  const std::lock_guard lock(mutex_);
  return std::exchange(learned_, false);
}

Status RecordCollector::producer_failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void RecordCollector::forget() {
  clear_gathered();
  const std::lock_guard lock(mutex_);
  failure_ = {};
  refused_.clear();
  any_refused_ = false;
  ++epoch_;
}

Status RecordCollector::flush() {
  do {
    MUIR_RETURN_IF_ERROR(push());
    if (!producer_) return {};
    MUIR_RETURN_IF_ERROR(keep_failure(producer_->flush(options_.timeout_ms)));
    MUIR_RETURN_IF_ERROR(failure_so_far());
    MUIR_RETURN_IF_ERROR(settle_refusals());
  } while (!records_.empty());  // dead letters
  return {};
}

Status RecordCollector::commit(const client::Offsets& offsets, const client::GroupMetadata& group) {
  MUIR_RETURN_IF_ERROR(push());
  if (offsets.empty() && !in_transaction_) return {};
  MUIR_RETURN_IF_ERROR(begin());
  if (!offsets.empty()) {
    MUIR_RETURN_IF_ERROR(keep_transaction_failure(
        producer_->send_offsets_to_transaction(offsets, group, options_.timeout_ms), "offsets"));
  }
  // What is refused without harm to the transaction may leave dead letters, which belong to it.
  MUIR_RETURN_IF_ERROR(flush());
  Status committed = producer_->commit_transaction(options_.timeout_ms);
  // Without an answer the outcome is open; asking again is safe and settles it.
  for (int again = 0; again < kCommitRetries && committed.code() == Code::timed_out; ++again) {
    committed = producer_->commit_transaction(options_.timeout_ms);
  }
  if (!committed.ok()) return keep_transaction_failure(committed, "commit");
  in_transaction_ = false;
  records_failed_ += std::exchange(let_go_, 0);
  careful_records_ -= static_cast<int64_t>(std::exchange(transaction_records_, 0));
  const std::lock_guard lock(mutex_);
  known_.clear();
  any_known_ = false;
  return {};
}

Status RecordCollector::abort() {
  forget();
  const auto records = static_cast<int64_t>(std::exchange(transaction_records_, 0));
  let_go_ = 0;
  if (!producer_ || !in_transaction_) return {};
  in_transaction_ = false;
  const Status aborted = producer_->abort_transaction(options_.timeout_ms);
  forget();
  const std::lock_guard lock(mutex_);
  if (std::exchange(at_large_, false)) careful_records_ = records;
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
