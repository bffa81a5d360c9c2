#include "client/internal/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "client/internal/fetched_records.h"
#include "client/internal/rdkafka_status.h"

namespace muir::client::internal {
namespace {

constexpr int64_t kResolveTimeoutMs = 2'000;
constexpr int64_t kWaitMaxMs = 3'600'000;
constexpr int64_t kBudgetDefault = 64LL << 20;

std::string client_id_of(const Properties& properties) {
  const auto id = properties.find("client.id");
  return id == properties.end() ? std::string() : id->second;
}

}  // namespace

Result<std::unique_ptr<Consumer>> KafkaConsumer::make(const Properties& properties, MetricsRegistry* metrics) {
  ProtocolClientOptions options = MUIR_TRY(protocol_options(properties));
  const auto isolation = properties.find("isolation.level");
  const bool committed = isolation != properties.end() && isolation->second == "read_committed";
  const auto budget =
      static_cast<size_t>(MUIR_TRY(number_of(properties, "fetch.buffer.memory", kBudgetDefault, 1, INT64_MAX)));
  const FetchShare most = MUIR_TRY(FetchHandle::configured_share(properties));
  SharedHandle handle = MUIR_TRY(FetchHandle::make(properties, share_of(most, budget, 1, 0)));
  return std::unique_ptr<Consumer>(new KafkaConsumer(
      properties, std::move(handle), most, budget,
      committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted, std::move(options), metrics));
}

KafkaConsumer::KafkaConsumer(Properties properties, SharedHandle handle, const FetchShare& most, size_t budget,
                             IsolationLevel isolation, ProtocolClientOptions options, MetricsRegistry* metrics)
    : properties_(std::move(properties)),
      most_(most),
      budget_(budget),
      isolation_(isolation),
      offsets_(std::move(options)),
      handle_(std::move(handle)),
      metrics_(metrics, client_id_of(properties_), budget) {
  begin_together_ = std::max<size_t>(1, budget / partition_bytes(most));
  watch(handle_->events(), signal_);
}

KafkaConsumer::~KafkaConsumer() {
  assigned_.clear();
  ignore(handle_->events());
}

Status KafkaConsumer::check_assigned(const std::vector<TopicPartition>& partitions) const {
  for (const TopicPartition& one : partitions) {
    if (!assigned_.contains(one)) {
      return error(Code::failed_precondition, "topic={} partition={} is not assigned to this consumer", one.topic,
                   one.partition);
    }
  }
  return {};
}

// Logical starts become offsets here when the cluster answers quickly: librdkafka asks for them only half a second
// later when it has no connection to the leader yet, and the position is known at once. Otherwise librdkafka resolves
// them in its own time.
void KafkaConsumer::resolve(std::vector<PartitionStart>& starts, Offset logical) {
  std::vector<TopicPartition> wanted;
  for (const PartitionStart& start : starts) {
    if (start.offset == logical) wanted.push_back(start.partition);
  }
  if (wanted.empty()) return;
  const auto offsets =
      offsets_.list_offsets(wanted, logical == kOffsetEarliest ? OffsetSpec::earliest() : OffsetSpec::latest(),
                            isolation_, kResolveTimeoutMs);
  if (!offsets.ok()) {
    log::debug("{}", offsets.status().message());
    return;
  }
  for (PartitionStart& start : starts) {
    if (const auto it = offsets->find(start.partition); it != offsets->end() && start.offset == logical)
      start.offset = it->second;
  }
}

Status KafkaConsumer::assign(const std::vector<PartitionStart>& wanted) {
  if (wanted.empty()) return {};
  for (const auto& [one, offset] : wanted) {
    if (assigned_.contains(one)) {
      return error(Code::already_exists, "assign topic={} partition={}: already assigned", one.topic, one.partition);
    }
    if (offset < kOffsetEarliest) {
      return error(Code::invalid_argument, "assign topic={} partition={}: no offset {}", one.topic, one.partition,
                   offset);
    }
  }
  std::vector<PartitionStart> add = wanted;
  resolve(add, kOffsetEarliest);
  resolve(add, kOffsetLatest);
  std::map<TopicPartition, Assigned> added;
  for (const auto& [one, offset] : add)
    added[one] = Assigned{.start = offset, .position = offset >= Offset(0) ? offset : kNoOffset};
  MUIR_RETURN_IF_ERROR(fit(added.size()));
  return begin(add, std::move(added));
}

// The queues before the assignment, or the first messages would go to the common one.
Status KafkaConsumer::begin(const std::vector<PartitionStart>& starts, std::map<TopicPartition, Assigned> assigned) {
  for (auto& [one, state] : assigned) {
    state.queue = FetchQueue::make(handle_->rk(), one, signal_);
    if (!state.queue) return error(Code::internal, "assign topic={} partition={}: no queue", one.topic, one.partition);
  }
  MUIR_RETURN_IF_ERROR(handle_->assign(starts));
  hold_some(assigned);
  assigned_.merge(assigned);
  return {};
}

Status KafkaConsumer::unassign(const std::vector<TopicPartition>& remove) {
  if (remove.empty()) return {};
  MUIR_RETURN_IF_ERROR(check_assigned(remove));
  MUIR_RETURN_IF_ERROR(handle_->unassign(remove));
  for (const TopicPartition& one : remove) {
    held_ -= assigned_[one].held ? 1 : 0;
    assigned_.erase(one);
    if (failed_ == one) failure_ = Status();  // what ails a partition concerns its owner only
  }
  return {};
}

// rd_kafka_seek_partitions() refuses a partition that has not started to fetch; leaving and coming back always works,
// and drops what was fetched from the old position.
Status KafkaConsumer::seek(const PartitionStart& to) {
  MUIR_RETURN_IF_ERROR(check_assigned({to.partition}));
  const bool paused = assigned_[to.partition].paused;
  MUIR_RETURN_IF_ERROR(unassign({to.partition}));
  MUIR_RETURN_IF_ERROR(assign({to}));
  return paused ? pause({to.partition}) : Status();
}

// A paused partition is not asked. What was fetched of it waits in its queue; librdkafka, which would drop it if it was
// told to pause, fetches on until that queue is full.
Status KafkaConsumer::set_paused(const std::vector<TopicPartition>& partitions, bool paused) {
  MUIR_RETURN_IF_ERROR(check_assigned(partitions));
  for (const TopicPartition& one : partitions) assigned_[one].paused = paused;
  return {};
}

Status KafkaConsumer::pause(const std::vector<TopicPartition>& partitions) { return set_paused(partitions, true); }
Status KafkaConsumer::resume(const std::vector<TopicPartition>& partitions) { return set_paused(partitions, false); }

void KafkaConsumer::note_failure(const rd_kafka_message_s& message, const TopicPartition* partition) {
  if (message.err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED || !failure_.ok()) return;
  const char* reason = rd_kafka_message_errstr(&message);
  std::string what = "fetch";
  failed_.reset();
  if (partition != nullptr) {
    failed_ = *partition;
    what = fmt::format("fetch topic={} partition={}", failed_->topic, failed_->partition);
  }
  failure_ = status_of_rdkafka(message.err, what, reason != nullptr ? reason : "");
  if (partition != nullptr) failure_ = failure_.at(*partition);
}

void KafkaConsumer::take_events() {
  while (rd_kafka_message_t* message = rd_kafka_consume_queue(handle_->events(), 0)) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::optional<TopicPartition> of;
      if (message->rkt != nullptr) of = {rd_kafka_topic_name(message->rkt), PartitionId(message->partition)};
      if (!of || assigned_.contains(*of)) note_failure(*message, of ? &*of : nullptr);  // else given up meanwhile
    }
    rd_kafka_message_destroy(message);
  }
}

bool KafkaConsumer::take_from(const TopicPartition& partition, Assigned& one, size_t limit, Messages& messages) {
  if (one.queue->size() == 0) return false;
  const size_t first = messages.size();
  messages.resize(first + limit);
  const size_t end = first + one.queue->take(messages.data() + first, limit);
  const Offset before = one.position;
  size_t bytes = 0;
  size_t kept = first;
  for (size_t i = first; i < end; ++i) {
    rd_kafka_message_t* message = messages[i];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      bytes += message->len + message->key_len;
      one.position = Offset(message->offset) + 1;
      messages[kept++] = message;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      one.position = one.at_end = std::max(one.position, Offset(message->offset));
    } else {
      note_failure(*message, &partition);
    }
    rd_kafka_message_destroy(message);
  }
  messages.resize(kept);
  taken_messages_ += end - first;
  taken_bytes_ += bytes;
  metrics_.took(kept - first, bytes);
  seen_records_ += kept - first;
  seen_bytes_ += bytes;
  return one.position != before;
}

// Each partition has an equal share, then each that has more another one: a full poll starves nobody, and inputs that
// are to be processed by time arrive together. Hundreds of partitions are asked in turns, not all of them for one
// record.
bool KafkaConsumer::take(size_t records_max, Messages& messages) {
  take_events();
  const auto active = static_cast<size_t>(
      std::count_if(assigned_.begin(), assigned_.end(), [](const auto& entry) { return !entry.second.paused; }));
  if (active == 0) return !failure_.ok();
  const size_t share = std::max(std::min(together_, records_max), records_max / active);
  bool changed = false;
  for (bool more = true; more;) {
    more = false;
    auto it = assigned_.upper_bound(served_);
    for (size_t i = 0; i < assigned_.size() && messages.size() < records_max; ++i, ++it) {
      if (it == assigned_.end()) it = assigned_.begin();
      if (it->second.paused) continue;
      const size_t limit = std::min(share, records_max - messages.size());
      const size_t before = messages.size();
      changed |= take_from(it->first, it->second, limit, messages);
      more |= messages.size() - before == limit;
      served_ = it->first;
    }
    more = more && messages.size() < records_max;
  }
  report_room();
  return changed || !failure_.ok();
}

// Half of a queue at a time: the fetch is under way before the rest has been taken.
void KafkaConsumer::report_room() {
  const FetchShare& share = handle_->share();
  if (taken_messages_ < share.messages / 2 && taken_bytes_ < share.kbytes * 1024 / 2) return;
  taken_messages_ = 0;
  taken_bytes_ = 0;
  handle_->report_room();
}

Polled KafkaConsumer::poll(int64_t timeout_ms, size_t records_max) {
  Messages messages;
  watch_memory();
  bool starved = false;
  if (failure_.ok() && records_max > 0) {
    const int64_t until_us = system_clock().steady_us() + std::min(timeout_ms, kWaitMaxMs) * 1000;
    while (true) {
      signal_.clear();  // before looking: what comes afterwards sets it again
      if (take(records_max, messages) || timeout_ms <= 0 || woken_.exchange(false)) break;
      if (held_ > 0 && !std::exchange(starved, true)) release_some();
      if (!signal_.wait(std::max<int64_t>(0, until_us - system_clock().steady_us()))) break;
    }
  }
  if (messages.empty() && !failure_.ok()) return PollFailure::of(std::exchange(failure_, Status()));
  return std::unique_ptr<Records>(new FetchedRecords(handle_, std::move(messages)));
}

Result<Offset> KafkaConsumer::position(const TopicPartition& partition) {
  const auto it = assigned_.find(partition);
  if (it == assigned_.end()) return check_assigned({partition});
  if (it->second.position >= Offset(0)) return it->second.position;
  return error(Code::unavailable, "position topic={} partition={}: nothing has been fetched yet", partition.topic,
               partition.partition);
}

// An answer without records says where the end is; one with records, how far it is. Both are librdkafka's to remember.
std::optional<Offset> KafkaConsumer::end_offset(const TopicPartition& partition) {
  const auto it = assigned_.find(partition);
  if (it == assigned_.end()) return std::nullopt;
  const Assigned& one = it->second;
  int64_t low = -1;
  int64_t high = -1;
  const auto err =
      rd_kafka_get_watermark_offsets(handle_->rk(), partition.topic.c_str(), partition.partition.value(), &low, &high);
  // The high watermark counts open transactions, which a reader of committed records does not wait for.
  const bool met_end = one.at_end >= Offset(0) && one.at_end == one.position && one.queue->size() == 0;
  if (met_end && isolation_ == IsolationLevel::read_committed) return one.at_end;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
  return std::max(Offset(high), one.position);
}

// signal_ is spent by whichever call looks first, also by one that does not wait; woken_ outlives it.
void KafkaConsumer::wakeup() {
  woken_ = true;
  signal_.set();
}

}  // namespace muir::client::internal
