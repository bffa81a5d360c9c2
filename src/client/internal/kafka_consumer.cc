#include "client/internal/kafka_consumer.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

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

int64_t rdkafka_offset(Offset offset) {
  if (offset == kOffsetEarliest) return RD_KAFKA_OFFSET_BEGINNING;
  if (offset == kOffsetLatest) return RD_KAFKA_OFFSET_END;
  return offset.value();
}

// pause and resume answer per partition.
Status first_failure(const rd_kafka_topic_partition_list_t& list, std::string_view what) {
  for (int i = 0; i < list.cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list.elems[i];
    if (one.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    return status_of_rdkafka(one.err, fmt::format("{} topic={} partition={}", what, one.topic, one.partition));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Consumer>> KafkaConsumer::make(const Properties& properties) {
  ProtocolClientOptions options = MUIR_TRY(protocol_options(properties));
  const auto isolation = properties.find("isolation.level");
  const bool committed = isolation != properties.end() && isolation->second == "read_committed";
  Conf conf = MUIR_TRY(make_conf(Role::consumer, properties));
  std::array<char, 512> reason{};
  rd_kafka_t* rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), reason.data(), reason.size());
  if (rk == nullptr) return error(Code::invalid_argument, "consumer: {}", reason.data());
  (void)conf.release();  // rd_kafka_new() took it over
  rd_kafka_poll_set_consumer(rk);
  return std::unique_ptr<Consumer>(new KafkaConsumer(
      rk, rd_kafka_queue_get_consumer(rk),
      committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted, std::move(options)));
}

KafkaConsumer::~KafkaConsumer() {
  rd_kafka_queue_destroy(queue_);
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

Status KafkaConsumer::assign(const std::vector<PartitionStart>& wanted) {
  if (wanted.empty()) return {};
  std::vector<PartitionStart> add = wanted;
  resolve(add, kOffsetEarliest);
  resolve(add, kOffsetLatest);
  const List list(rd_kafka_topic_partition_list_new(static_cast<int>(add.size())));
  for (const PartitionStart& start : add) {
    const TopicPartition& one = start.partition;
    if (assigned_.contains(one)) {
      return error(Code::already_exists, "assign topic={} partition={}: already assigned", one.topic, one.partition);
    }
    if (start.offset < kOffsetEarliest) {
      return error(Code::invalid_argument, "assign topic={} partition={}: no offset {}", one.topic, one.partition,
                   start.offset);
    }
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition.value())->offset =
        rdkafka_offset(start.offset);
  }
  MUIR_RETURN_IF_ERROR(take_error(rk_, rd_kafka_incremental_assign(rk_, list.get()), "assign"));
  for (const PartitionStart& start : add)
    assigned_[start.partition] = Assigned{.position = start.offset >= Offset(0) ? start.offset : kNoOffset};
  last_key_ = {nullptr, -1};
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
  last_key_ = {nullptr, -1};
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

Status KafkaConsumer::set_paused(const std::vector<TopicPartition>& partitions, bool paused) {
  if (partitions.empty()) return {};
  MUIR_RETURN_IF_ERROR(check_assigned(partitions));
  const List list = list_of(partitions);
  const std::string_view what = paused ? "pause" : "resume";
  const auto err = paused ? rd_kafka_pause_partitions(rk_, list.get()) : rd_kafka_resume_partitions(rk_, list.get());
  MUIR_RETURN_IF_ERROR(status_of_rdkafka(err, what));
  MUIR_RETURN_IF_ERROR(first_failure(*list, what));
  for (const TopicPartition& one : partitions) assigned_[one].paused = paused;
  return {};
}

Status KafkaConsumer::pause(const std::vector<TopicPartition>& partitions) { return set_paused(partitions, true); }
Status KafkaConsumer::resume(const std::vector<TopicPartition>& partitions) { return set_paused(partitions, false); }

// rd_kafka_consume_batch_queue() with a timeout waits until the whole batch is full. So: take what is there; only when
// there is nothing, wait for one message, then take what came with it.
size_t KafkaConsumer::take(int64_t timeout_ms, size_t records_max, std::vector<rd_kafka_message_s*>& messages) {
  messages.resize(records_max);
  auto count = rd_kafka_consume_batch_queue(queue_, 0, messages.data(), records_max);
  if (count <= 0 && timeout_ms > 0 && !woken_.exchange(false)) {
    rd_kafka_message_t* first =
        rd_kafka_consume_queue(queue_, static_cast<int>(std::min<int64_t>(timeout_ms, 3'600'000)));
    if (first == nullptr) {
      woken_ = false;
      messages.clear();
      return 0;
    }
    messages[0] = first;
    count = 1;
    if (records_max > 1) {
      const auto more = rd_kafka_consume_batch_queue(queue_, 0, messages.data() + 1, records_max - 1);
      count += std::max<ssize_t>(more, 0);
    }
  }
  messages.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return messages.size();
}

KafkaConsumer::Assigned* KafkaConsumer::find(const rd_kafka_message_s& message) {
  const std::pair<const void*, int32_t> key{message.rkt, message.partition};
  if (message.rkt == nullptr) return nullptr;
  if (key == last_key_) return last_;
  const auto it = assigned_.find(TopicPartition{rd_kafka_topic_name(message.rkt), PartitionId(message.partition)});
  last_key_ = key;
  last_ = it == assigned_.end() ? nullptr : &it->second;
  return last_;
}

void KafkaConsumer::note_failure(const rd_kafka_message_s& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (Assigned* one = find(message)) one->position = std::max(one->position, Offset(message.offset));
    return;
  }
  if (message.err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED || !failure_.ok()) return;
  const char* reason = rd_kafka_message_errstr(&message);
  std::string what = "fetch";
  failed_.reset();
  if (message.rkt != nullptr) {
    failed_ = TopicPartition{rd_kafka_topic_name(message.rkt), PartitionId(message.partition)};
    if (!assigned_.contains(*failed_)) return;  // given up meanwhile
    what = fmt::format("fetch topic={} partition={}", failed_->topic, failed_->partition);
  }
  failure_ = status_of_rdkafka(message.err, what, reason != nullptr ? reason : "");
}

void KafkaConsumer::sift(std::vector<rd_kafka_message_s*>& messages) {
  size_t kept = 0;
  for (rd_kafka_message_t* message : messages) {
    Assigned* one = nullptr;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      note_failure(*message);
    } else {
      one = find(*message);
    }
    if (one == nullptr) {
      rd_kafka_message_destroy(message);
      continue;
    }
    one->position = Offset(message->offset) + 1;
    messages[kept++] = message;
  }
  messages.resize(kept);
}

Result<std::unique_ptr<Records>> KafkaConsumer::poll(int64_t timeout_ms, size_t records_max) {
  std::vector<rd_kafka_message_s*> messages;
  if (failure_.ok() && records_max > 0) {
    take(timeout_ms, records_max, messages);
    sift(messages);
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

// The queue's own flag is spent by whichever call looks first, also by one that does not wait; woken_ outlives it.
void KafkaConsumer::wakeup() {
  woken_ = true;
  rd_kafka_queue_yield(queue_);
}

}  // namespace muir::client::internal
