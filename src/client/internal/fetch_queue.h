// FetchQueue: what librdkafka has fetched of one partition and nobody has taken yet. FetchSignal: that something came.
//
// A consumer of librdkafka puts the messages of all partitions into one queue, from which a partition can be held back
// only by throwing away what was fetched of it. Here each keeps its own queue: a partition that is not asked stays
// full, and librdkafka, whose limits (queued.*) then count per partition, fetches no more of it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "client/records.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace muir::client::internal {

// Set by librdkafka's threads, awaited by the consumer's owner. Thread-safe.
class FetchSignal {
 public:
  void set();
  void clear();
  // False when the time was over first.
  bool wait(int64_t timeout_us);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// Has `signal` set whenever `queue` is no longer empty, until it is ignored.
void watch(rd_kafka_queue_s* queue, FetchSignal& signal);
void ignore(rd_kafka_queue_s* queue);

// Owned by the consumer's thread.
class FetchQueue {
 public:
  // Before the partition is assigned, else its first messages go to the common queue. Null: librdkafka has none.
  static std::unique_ptr<FetchQueue> make(rd_kafka_s* rk, const TopicPartition& partition, FetchSignal& signal);
  ~FetchQueue();
  FetchQueue(const FetchQueue&) = delete;
  FetchQueue& operator=(const FetchQueue&) = delete;

  // Moves up to `limit` messages to `out` without waiting; how many.
  size_t take(rd_kafka_message_s** out, size_t limit);
  // Messages that wait.
  [[nodiscard]] size_t size() const;
  // Frees what is left; for a partition that was given up.
  void drain();

 private:
  explicit FetchQueue(rd_kafka_queue_s* queue) : queue_(queue) {}
  rd_kafka_queue_s* const queue_;
};

}  // namespace muir::client::internal
