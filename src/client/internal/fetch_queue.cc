#include "client/internal/fetch_queue.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace muir::client::internal {
namespace {

// Called by librdkafka's threads with the queue locked.
void on_not_empty(rd_kafka_t*, void* signal) { static_cast<FetchSignal*>(signal)->set(); }

}  // namespace

void FetchSignal::set() {
  {
    const std::lock_guard lock(mutex_);
    set_ = true;
  }
  changed_.notify_one();
}

void FetchSignal::clear() {
  const std::lock_guard lock(mutex_);
  set_ = false;
}

bool FetchSignal::wait(int64_t timeout_us) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::microseconds(timeout_us), [this] { return set_; });
}

void watch(rd_kafka_queue_s* queue, FetchSignal& signal) {
  rd_kafka_queue_cb_event_enable(queue, on_not_empty, &signal);
}
void ignore(rd_kafka_queue_s* queue) { rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr); }

std::unique_ptr<FetchQueue> FetchQueue::make(rd_kafka_s* rk, const TopicPartition& partition, FetchSignal& signal) {
  rd_kafka_queue_t* queue = rd_kafka_queue_get_partition(rk, partition.topic.c_str(), partition.partition.value());
  if (queue == nullptr) return nullptr;
  rd_kafka_queue_forward(queue, nullptr);
  watch(queue, signal);
  return std::unique_ptr<FetchQueue>(new FetchQueue(queue));
}

FetchQueue::~FetchQueue() {
  ignore(queue_);
  drain();
  rd_kafka_queue_destroy(queue_);
}

size_t FetchQueue::take(rd_kafka_message_s** out, size_t limit) {
  return static_cast<size_t>(std::max<ssize_t>(rd_kafka_consume_batch_queue(queue_, 0, out, limit), 0));
}

size_t FetchQueue::size() const { return rd_kafka_queue_length(queue_); }

void FetchQueue::drain() {
  std::array<rd_kafka_message_t*, 256> messages{};
  while (const size_t count = take(messages.data(), messages.size())) {
    for (size_t i = 0; i < count; ++i) rd_kafka_message_destroy(messages[i]);
  }
}

}  // namespace muir::client::internal
