// PartitionQueue and PartitionGroup: the records a task has fetched and not processed, and which of them comes next.
//
// The next record is the one with the lowest timestamp among the heads of the partitions. Equal timestamps are ordered
// as Kafka Streams orders them: by the shape of java.util.PriorityQueue's heap. Records stay in the memory of the
// fetch; nothing is copied. Owned by the task's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"

namespace muir::streams::internal {

// Gives a record its time; negative: the record is to be dropped. `partition_time` is -1 before the first record.
using TimestampOf = std::function<Result<int64_t>(const std::string& topic, const client::ConsumedRecord& record,
                                                  int64_t partition_time)>;

class PartitionQueue {
 public:
  // `index`: its place among the partitions of the task.
  PartitionQueue(client::TopicPartition partition, const TimestampOf& timestamp_of, size_t index = 0)
      : partition_(std::move(partition)), timestamp_of_(timestamp_of), index_in_task_(index) {}

  [[nodiscard]] const client::TopicPartition& partition() const { return partition_; }
  [[nodiscard]] size_t index() const { return index_in_task_; }
  // `owner` keeps the memory of `records` alive.
  void add(std::shared_ptr<client::Records> owner, std::span<const client::ConsumedRecord> records);
  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  [[nodiscard]] size_t size() const { return size_; }
  // What they take in memory, about.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] int64_t head_timestamp() const { return head_timestamp_; }
  [[nodiscard]] const client::ConsumedRecord* head() const { return head_; }
  // Steps over the head; its memory may be gone afterwards.
  void pop();

  // The greatest timestamp of a record that was popped; -1 before the first.
  [[nodiscard]] int64_t partition_time() const { return partition_time_; }
  void set_partition_time(int64_t time) { partition_time_ = time; }
  // Offset after the last record that was popped or dropped; -1 before the first.
  [[nodiscard]] Offset next_offset() const { return next_offset_; }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Chunk {
    // Shared with the queues of the other partitions of the same fetch.
    std::shared_ptr<client::Records> owner;
    std::span<const client::ConsumedRecord> records;
  };
  void find_head();
  void step();

  client::TopicPartition partition_;
  const TimestampOf& timestamp_of_;
  const size_t index_in_task_;
  std::deque<Chunk> chunks_;
  size_t index_ = 0;  // of the head in the first chunk
  size_t size_ = 0;
  size_t bytes_ = 0;
  const client::ConsumedRecord* head_ = nullptr;
  int64_t head_timestamp_ = -1;
  int64_t partition_time_ = -1;
  Offset next_offset_ = kNoOffset;
  uint64_t dropped_ = 0;
};

class PartitionGroup {
 public:
  PartitionGroup(const std::vector<client::TopicPartition>& partitions, TimestampOf timestamp_of);

  [[nodiscard]] PartitionQueue* find(const client::TopicPartition& partition);
  [[nodiscard]] const std::vector<std::unique_ptr<PartitionQueue>>& queues() const { return queues_; }
  void add(PartitionQueue& queue, std::shared_ptr<client::Records> owner,
           std::span<const client::ConsumedRecord> records);

  // The queue whose head is next; null when all are empty. Valid until pop().
  [[nodiscard]] PartitionQueue* next() const { return heap_.empty() ? nullptr : heap_.front(); }
  // Steps over the head of next().
  void pop();

  [[nodiscard]] bool all_buffered() const { return heap_.size() == queues_.size(); }
  // The greatest partition time; -1 before the first record.
  [[nodiscard]] int64_t stream_time() const { return stream_time_; }
  void set_partition_time(PartitionQueue& queue, int64_t time);
  [[nodiscard]] size_t buffered() const;
  [[nodiscard]] uint64_t dropped() const;

 private:
  void sift_up(size_t index);
  void sift_down(size_t index);

  const TimestampOf timestamp_of_;
  std::vector<std::unique_ptr<PartitionQueue>> queues_;
  std::vector<PartitionQueue*> heap_;  // those that are not empty
  int64_t stream_time_ = -1;
};

}  // namespace muir::streams::internal
