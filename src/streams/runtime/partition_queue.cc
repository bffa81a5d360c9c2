#include "streams/runtime/partition_queue.h"

#include <algorithm>

namespace muir::streams::internal {
namespace {

// A record costs its key and value and about this much: the client's message and the views on it.
constexpr size_t kRecordBytes = 400;

size_t bytes_of(const client::ConsumedRecord& record) {
  return kRecordBytes + (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

}  // namespace

void PartitionQueue::add(std::shared_ptr<client::Records> owner, std::span<const client::ConsumedRecord> records) {
  if (records.empty()) return;
  chunks_.push_back({std::move(owner), records});
  size_ += records.size();
  for (const auto& record : records) bytes_ += bytes_of(record);
  if (head_ == nullptr) find_head();
}

void PartitionQueue::pop() {
  partition_time_ = std::max(partition_time_, head_timestamp_);
  next_offset_ = head_->offset + 1;
  head_ = nullptr;
  step();
  find_head();
}

void PartitionQueue::step() {
  bytes_ -= bytes_of(chunks_.front().records[index_]);
  ++index_;
  --size_;
}

// Steps over records that have no valid time.
void PartitionQueue::find_head() {
  while (!chunks_.empty()) {
    const Chunk& chunk = chunks_.front();
    if (index_ == chunk.records.size()) {
      chunks_.pop_front();
      index_ = 0;
      continue;
    }
    const client::ConsumedRecord& record = chunk.records[index_];
    const Result<int64_t> time = timestamp_of_(partition_.topic, record, partition_time_);
    // A record whose time cannot be read is processed next: processing it fails in the same way, and is handled there.
    head_timestamp_ = time.ok() ? *time : std::max<int64_t>(partition_time_, 0);
    if (head_timestamp_ >= 0) {
      head_ = &record;
      return;
    }
    ++dropped_;
    next_offset_ = record.offset + 1;
    step();
  }
}

PartitionGroup::PartitionGroup(const std::vector<client::TopicPartition>& partitions, TimestampOf timestamp_of)
    : timestamp_of_(std::move(timestamp_of)) {
  for (const auto& partition : partitions)
    queues_.push_back(std::make_unique<PartitionQueue>(partition, timestamp_of_, queues_.size()));
}

PartitionQueue* PartitionGroup::find(const client::TopicPartition& partition) {
  for (const auto& queue : queues_) {
    if (queue->partition() == partition) return queue.get();
  }
  return nullptr;
}

void PartitionGroup::add(PartitionQueue& queue, std::shared_ptr<client::Records> owner,
                         std::span<const client::ConsumedRecord> records) {
  const bool was_empty = queue.empty();
  queue.add(std::move(owner), records);
  if (was_empty && !queue.empty()) {
    heap_.push_back(&queue);
    sift_up(heap_.size() - 1);
  }
}

void PartitionGroup::pop() {
  PartitionQueue* queue = heap_.front();
  stream_time_ = std::max(stream_time_, queue->head_timestamp());
  if (heap_.size() == 1) {
    queue->pop();
    if (queue->empty()) heap_.clear();
    return;
  }
  // PriorityQueue.poll(), then offer() of the same queue when it has more: the order of the two decides ties.
  heap_.front() = heap_.back();
  heap_.pop_back();
  sift_down(0);
  queue->pop();
  if (!queue->empty()) {
    heap_.push_back(queue);
    sift_up(heap_.size() - 1);
  }
}

void PartitionGroup::set_partition_time(PartitionQueue& queue, int64_t time) {
  queue.set_partition_time(time);
  stream_time_ = std::max(stream_time_, time);
}

size_t PartitionGroup::buffered() const {
  size_t out = 0;
  for (const auto& queue : queues_) out += queue->size();
  return out;
}

uint64_t PartitionGroup::dropped() const {
  uint64_t out = 0;
  for (const auto& queue : queues_) out += queue->dropped();
  return out;
}

void PartitionGroup::sift_up(size_t index) {
  PartitionQueue* moving = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (moving->head_timestamp() >= heap_[parent]->head_timestamp()) break;
    heap_[index] = heap_[parent];
    index = parent;
  }
  heap_[index] = moving;
}

void PartitionGroup::sift_down(size_t index) {
  PartitionQueue* moving = heap_[index];
  while (index * 2 + 1 < heap_.size()) {
    size_t child = index * 2 + 1;
    if (child + 1 < heap_.size() && heap_[child]->head_timestamp() > heap_[child + 1]->head_timestamp()) ++child;
    if (moving->head_timestamp() <= heap_[child]->head_timestamp()) break;
    heap_[index] = heap_[child];
    index = child;
  }
  heap_[index] = moving;
}

}  // namespace muir::streams::internal
