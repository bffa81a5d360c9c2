// How a KafkaProducer keeps to what its topics take: the lanes of topic_lane.h, fed and drained.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/clock.h"
#include "base/log.h"
#include "client/internal/kafka_producer.h"
#include "client/internal/rdkafka_status.h"
#include "wire/error_code.h"

namespace muir::client::internal {
namespace {

constexpr int kUrgeMs = 20;

// Refusals that may be the fault of some of the records of a batch.
bool is_divisible(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
         err == RD_KAFKA_RESP_ERR_INVALID_RECORD || err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP ||
         err == RD_KAFKA_RESP_ERR_INVALID_MSG;
}
bool is_too_large(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

// Kafka's code of a refusal that concerns the topic as a whole; 0: another one.
int refusal_of_topic(rd_kafka_resp_err_t err) {
  switch (err) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION: return err;
    default: return 0;
  }
}

// The record of a delivery report, of which librdkafka has no more need.
HeldRecord held(const rd_kafka_message_t& message, ProducerSlot* slot) {
  ProducedRecord record;
  record.partition = PartitionId(message.partition);
  if (message.key != nullptr) record.key = BytesView(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value = BytesView(static_cast<const char*>(message.payload), message.len);
  record.timestamp_ms = slot->timestamp_ms;
  std::vector<Header> headers;
  rd_kafka_headers_t* all = nullptr;
  if (rd_kafka_message_headers(&message, &all) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      headers.push_back(
          {name, value == nullptr ? std::nullopt : OptBytesView(BytesView(static_cast<const char*>(value), size))});
    }
  }
  record.headers = headers;
  return {record, slot};
}

}  // namespace

bool KafkaProducer::settle_refused(Slot* slot, Topic& to, const rd_kafka_message_s& message) {
  if (message.partition >= 0) {
    slot->batch->deliveries[static_cast<size_t>(slot - slot->batch->slots.data())].partition =
        PartitionId(message.partition);
  }
  const Status status = status_of_rdkafka(
      message.err, fmt::format("send topic={} partition={}", rd_kafka_topic_name(message.rkt), message.partition));
  const std::lock_guard lock(topics_mutex_);
  TopicLane& lane = to.lane;
  touched_.push_back(&to);
  const bool was_alone = slot->in_lane && lane.group_size() == 1;
  const bool in_lane = std::exchange(slot->in_lane, false);
  if (is_too_large(message.err)) lane.refused_as_too_large();
  if (is_divisible(message.err) && !was_alone && !limits_.transactional) {
    log::debug("{}; its batch is split", status.message());
    if (in_lane) {
      lane.settled(held(message, slot));
    } else {
      lane.take_back(held(message, slot));
    }
    return false;
  }
  if (const int error = refusal_of_topic(message.err); error != 0) {
    lane.refuse_all(error, system_clock().steady_us());
  }
  if (in_lane) lane.settled();
  if (is_divisible(message.err) && !was_alone) {
    // The transaction is lost with its batch. The next one is sent record by record.
    lane.be_careful();
    fail(slot, status.with(Code::aborted).with_message(status.message() + ": one of its batch"), false);
  } else {
    fail(slot, status, false);
  }
  return true;
}

void KafkaProducer::ask_limits(Topic& to) {
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, rd_kafka_topic_name(to.handle));
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(rk_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  std::array<char, 128> reason{};
  rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(limits_.ask_ms), reason.data(), reason.size());
  rd_kafka_AdminOptions_set_opaque(options, &to);
  rd_kafka_DescribeConfigs(rk_, &resource, 1, options, events_);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_ConfigResource_destroy(resource);
}

void KafkaProducer::take_limits(rd_kafka_op_s* event) {
  auto* to = static_cast<Topic*>(rd_kafka_event_opaque(event));
  rd_kafka_resp_err_t err = rd_kafka_event_error(event);
  const char* reason = rd_kafka_event_error_string(event);
  size_t count = 0;
  const rd_kafka_ConfigResource_t** resources =
      err == RD_KAFKA_RESP_ERR_NO_ERROR
          ? rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count)
          : nullptr;
  TopicLimits limits;
  if (count > 0) {
    err = rd_kafka_ConfigResource_error(resources[0]);
    reason = rd_kafka_ConfigResource_error_string(resources[0]);
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** configs = rd_kafka_ConfigResource_configs(resources[0], &entries);
    for (size_t i = 0; i < entries; ++i) {
      const std::string_view name = rd_kafka_ConfigEntry_name(configs[i]);
      const char* text = rd_kafka_ConfigEntry_value(configs[i]);
      const std::string_view value = text == nullptr ? "" : text;
      if (name == "max.message.bytes") std::from_chars(value.data(), value.data() + value.size(), limits.batch_bytes);
      if (name == "cleanup.policy") limits.needs_key = value.find("compact") != std::string_view::npos;
    }
  }
  const int64_t now_us = system_clock().steady_us();
  {
    const std::lock_guard lock(topics_mutex_);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0) {
      to->lane.answered(limits, now_us);
    } else {
      log::debug("limits of topic {}: {}", rd_kafka_topic_name(to->handle), reason == nullptr ? "no answer" : reason);
      to->lane.not_answered(err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, now_us);
    }
  }
  touched_.push_back(to);
}

void KafkaProducer::advance(Topic& to) {
  std::vector<Slot*> failed;
  bool ask = false;
  {
    const std::lock_guard lock(topics_mutex_);
    const int64_t now_us = system_clock().steady_us();
    const auto give_up = [&](Slot* slot, const Status& status) {
      fail(slot, status, true);
      failed.push_back(slot);
    };
    while (true) {
      TopicLane::Group group = to.lane.next(to.outside == 0, now_us);
      for (const auto& [record, code] : group.refused) {
        const auto error = static_cast<wire::ErrorCode>(code);
        give_up(record.slot, wire::to_status(error, fmt::format("send topic={}: a record of {} bytes",
                                                                rd_kafka_topic_name(to.handle), record.bytes)));
      }
      if (group.records.empty()) break;
      if (!group.alone) to.outside += static_cast<int64_t>(group.records.size());
      for (const HeldRecord& held : group.records) {
        std::vector<Header> headers;
        for (const auto& [name, value] : held.headers) headers.push_back({name, to_view(value)});
        const ProducedRecord record{.partition = held.partition,
                                    .key = to_view(held.key),
                                    .value = to_view(held.value),
                                    .timestamp_ms = held.timestamp_ms,
                                    .headers = headers};
        held.slot->in_lane = group.alone;
        const Status status = enqueue(record, to.handle, held.slot);
        if (status.ok()) continue;
        if (group.alone) {
          to.lane.settled();
        } else {
          --to.outside;
        }
        give_up(held.slot, status);
      }
    }
    ask = to.lane.wants_to_ask(now_us, limits_.metadata_age_us) && !to.lane.idle();
    if (ask) to.lane.asked(now_us);
    const bool busy = to.lane.group_in_flight();
    if (busy != std::exchange(to.busy, busy)) {
      busy_lanes_ += busy ? 1 : -1;
      if (busy && !urge_thread_.joinable()) urge_thread_ = std::thread([this] { urge(); });
      if (busy) urged_.notify_all();
    }
  }
  if (ask) ask_limits(to);
  for (Slot* slot : failed) count_down(slot->batch, 1);
}

// Groups follow one another as soon as they are answered; linger.ms, for which nothing is gathered then, would come
// between each two. librdkafka knows it for all topics alike and sets it aside only while somebody flushes.
void KafkaProducer::urge() {
  std::unique_lock lock(topics_mutex_);
  while (true) {
    urged_.wait(lock, [this] { return stop_ || busy_lanes_ > 0; });
    if (stop_) return;
    lock.unlock();
    rd_kafka_flush(rk_, kUrgeMs);
    lock.lock();
    // What has been acknowledged is with the delivery thread, which has the next group.
    if (busy_lanes_ > 0 && rd_kafka_outq_len(rk_) == 0) urged_.wait_for(lock, std::chrono::milliseconds(1));
  }
}

bool KafkaProducer::lanes_hold_records() {
  const std::lock_guard lock(topics_mutex_);
  return std::any_of(topics_.begin(), topics_.end(), [](const auto& entry) { return !entry.second.lane.idle(); });
}

void KafkaProducer::drop_lanes() {
  std::vector<Slot*> dropped;
  {
    const std::lock_guard lock(topics_mutex_);
    for (auto& [name, to] : topics_) {
      for (const HeldRecord& record : to.lane.drop()) {
        fail(record.slot, error(Code::aborted, "send topic={}: given up before it was sent", name), true);
        dropped.push_back(record.slot);
      }
    }
  }
  for (Slot* slot : dropped) count_down(slot->batch, 1);
}

}  // namespace muir::client::internal
