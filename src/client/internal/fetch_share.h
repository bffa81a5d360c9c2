// FetchShare: what librdkafka may hold of each partition, so that all of them together stay within a budget of bytes.
//
// librdkafka's limits hold for each partition and are fixed when a consumer is made. So the budget is divided by the
// partitions that are assigned; when their number has outgrown it, or what is held turns out larger than was thought,
// the share becomes smaller and the consumer is made again.
#pragma once

#include <compare>
#include <cstddef>

namespace muir::client::internal {

// A queued record costs its key and value and about this much of librdkafka's own.
inline constexpr size_t kQueuedRecordBytes = 330;

struct FetchShare {
  size_t messages = 5'000;            // queued.min.messages
  size_t kbytes = 512;                // queued.max.messages.kbytes
  size_t fetch_bytes = 1024 * 1024;   // max.partition.fetch.bytes
  size_t answer_bytes = 4096 * 1024;  // fetch.max.bytes
  auto operator<=>(const FetchShare&) const = default;
};

// What a partition of which `share` is full takes, with records of 100 bytes as they were sent: a full queue and a
// fetch on top of it.
size_t partition_bytes(const FetchShare& share);

// The share, at most `most`, when `partitions` divide `budget` bytes. `halvings` makes it smaller, for records that
// take more. `fetch_bytes` is not divided: of a partition whose next batch is larger, brokers send nothing unless it is
// the first one that has anything. So a partition of which nothing waits may bring that much, whatever its share: how
// many are fetched at once is bounded as well (kafka_consumer_memory.cc).
FetchShare share_of(const FetchShare& most, size_t budget, size_t partitions, unsigned halvings);

}  // namespace muir::client::internal
