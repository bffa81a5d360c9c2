#include "client/internal/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "client/internal/fetched_records.h"
#include "client/internal/rdkafka_status.h"

namespace muir::client::internal {
namespace {

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using List = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

List list_of(const std::vector<TopicPartition>& partitions) {
  List list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& one : partitions)
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition.value());
  return list;
}

constexpr int64_t kResolveTimeoutMs = 2'000;
constexpr int64_t kWaitMaxMs = 3'600'000;

int64_t rdkafka_offset(Offset offset) {
  if (offset == kOffsetEarliest) return RD_KAFKA_OFFSET_BEGINNING;
  if (offset == kOffsetLatest) return RD_KAFKA_OFFSET_END;
  return offset.value();
}

// What the configuration came to, whoever decided it.
size_t number_in(const rd_kafka_conf_t* conf, const char* key) {
  std::array<char, 32> text{};
  size_t size = text.size();
  size_t number = 0;
  const auto found = rd_kafka_conf_get(conf, key, text.data(), &size);
  CHECK(found == RD_KAFKA_CONF_OK && size > 0, "librdkafka has no {}", key);
  std::from_chars(text.data(), text.data() + size - 1, number);
  return number;
}

}  // namespace

Result<std::unique_ptr<Consumer>> KafkaConsumer::make(const Properties& properties) {
  ProtocolClientOptions options = MUIR_TRY(protocol_options(properties));
  const auto isolation = properties.find("isolation.level");
  const bool committed = isolation != properties.end() && isolation->second == "read_committed";
  Conf conf = MUIR_TRY(make_conf(Role::consumer, properties));
  std::array<char, 512> reason{};
  const QueueLimits limits{.messages = number_in(conf.get(), "queued.min.messages"),
                           .bytes = number_in(conf.get(), "queued.max.messages.kbytes") * 1024};
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  if (rk == nullptr) return error(Code::invalid_argument, "consumer: {}", reason.data());
  (void)conf.release();  // rd_kafka_new() took it over
  rd_kafka_poll_set_consumer(rk);
  return std::unique_ptr<Consumer>(new KafkaConsumer(
      rk, limits, committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted, std::move(options)));
}

KafkaConsumer::KafkaConsumer(rd_kafka_s* rk, QueueLimits limits, IsolationLevel isolation,
                             ProtocolClientOptions options)
    : rk_(rk),
      events_(rd_kafka_queue_get_consumer(rk)),
      limits_(limits),
      isolation_(isolation),
      offsets_(std::move(options)) {
  watch(events_, signal_);
}

KafkaConsumer::~KafkaConsumer() {
  assigned_.clear();
  ignore(events_);
  rd_kafka_queue_destroy(events_);
  // No group to leave: closing would only wait for the coordinator.
  rd_kafka_destroy_flags(rk_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
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

// librdkafka looks for leaders of topics it has just met only once a second: it is made to ask now. When the cluster
// does not answer it goes on trying by itself.
void KafkaConsumer::learn_leaders(const std::vector<PartitionStart>& starts) {
  bool any_new = false;
  for (const PartitionStart& start : starts) any_new |= topics_.insert(start.partition.topic).second;
  if (!any_new) return;
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto err = rd_kafka_metadata(rk_, 0, nullptr, &metadata, static_cast<int>(kResolveTimeoutMs));
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  } else {
    log::debug("{}: leaders of the assigned topics: {}", rd_kafka_name(rk_), rd_kafka_err2str(err));
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
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(add.size())));
  std::map<TopicPartition, Assigned> added;
  for (const auto& [one, offset] : add) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition.value())->offset =
        rdkafka_offset(offset);
    auto queue = FetchQueue::make(rk_, one, signal_);
    if (!queue) return error(Code::internal, "assign topic={} partition={}: no queue", one.topic, one.partition);
    added[one] = Assigned{.queue = std::move(queue), .position = offset >= Offset(0) ? offset : kNoOffset};
  }
  learn_leaders(add);
  MUIR_RETURN_IF_ERROR(take_error(rk_, rd_kafka_incremental_assign(rk_, list.get()), "assign"));
  assigned_.merge(added);
  return {};
}

Status KafkaConsumer::unassign(const std::vector<TopicPartition>& remove) {
  if (remove.empty()) return {};
  MUIR_RETURN_IF_ERROR(check_assigned(remove));
  const List list = list_of(remove);
  MUIR_RETURN_IF_ERROR(take_error(rk_, rd_kafka_incremental_unassign(rk_, list.get()), "unassign"));
  for (const TopicPartition& one : remove) {
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
  while (rd_kafka_message_t* message = rd_kafka_consume_queue(events_, 0)) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::optional<TopicPartition> of;
      if (message->rkt != nullptr) of = {rd_kafka_topic_name(message->rkt), PartitionId(message->partition)};
      if (!of || assigned_.contains(*of)) note_failure(*message, of ? &*of : nullptr);  // else given up meanwhile
    }
    rd_kafka_message_destroy(message);
  }
}

bool KafkaConsumer::take_from(const TopicPartition& partition, Assigned& one, size_t limit, Messages& messages) {
  const size_t first = messages.size();
  messages.resize(first + limit);
  const size_t end = first + one.queue->take(messages.data() + first, limit);
  const Offset before = one.position;
  size_t kept = first;
  for (size_t i = first; i < end; ++i) {
    rd_kafka_message_t* message = messages[i];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      taken_bytes_ += message->len + message->key_len;
      one.position = Offset(message->offset) + 1;
      messages[kept++] = message;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      one.position = std::max(one.position, Offset(message->offset));
    } else {
      note_failure(*message, &partition);
    }
    rd_kafka_message_destroy(message);
  }
  messages.resize(kept);
  taken_messages_ += end - first;
  return one.position != before;
}

// Each partition has an equal share, then each that has more another one: a full poll starves nobody, and inputs that
// are to be processed by time arrive together.
bool KafkaConsumer::take(size_t records_max, Messages& messages) {
  take_events();
  const auto active = static_cast<size_t>(
      std::count_if(assigned_.begin(), assigned_.end(), [](const auto& entry) { return !entry.second.paused; }));
  if (active == 0) return !failure_.ok();
  const size_t share = std::max<size_t>(1, records_max / active);
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

// librdkafka looks again at a partition whose queue was full when something wakes the thread of its broker, at the
// latest after a second. Of all its calls this one does that and nothing else: there is no SASL here whose credentials
// it could change. Half of a queue at a time: the fetch is under way before the rest has been taken.
void KafkaConsumer::report_room() {
  if (taken_messages_ < limits_.messages / 2 && taken_bytes_ < limits_.bytes / 2) return;
  taken_messages_ = 0;
  taken_bytes_ = 0;
  if (rd_kafka_error_t* refused = rd_kafka_sasl_set_credentials(rk_, "", "")) rd_kafka_error_destroy(refused);
}

Result<std::unique_ptr<Records>> KafkaConsumer::poll(int64_t timeout_ms, size_t records_max) {
  Messages messages;
  if (failure_.ok() && records_max > 0) {
    const int64_t until_us = system_clock().steady_us() + std::min(timeout_ms, kWaitMaxMs) * 1000;
    while (true) {
      signal_.clear();  // before looking: what comes afterwards sets it again
      if (take(records_max, messages) || timeout_ms <= 0 || woken_.exchange(false)) break;
      if (!signal_.wait(std::max<int64_t>(0, until_us - system_clock().steady_us()))) break;
    }
  }
  if (messages.empty() && !failure_.ok()) return std::exchange(failure_, Status());
  return std::unique_ptr<Records>(new FetchedRecords(std::move(messages)));
}

Result<Offset> KafkaConsumer::position(const TopicPartition& partition) {
  const auto it = assigned_.find(partition);
  if (it == assigned_.end()) return check_assigned({partition});
  if (it->second.position >= Offset(0)) return it->second.position;
  return error(Code::unavailable, "position topic={} partition={}: nothing has been fetched yet", partition.topic,
               partition.partition);
}

// signal_ is spent by whichever call looks first, also by one that does not wait; woken_ outlives it.
void KafkaConsumer::wakeup() {
  woken_ = true;
  signal_.set();
}

}  // namespace muir::client::internal
