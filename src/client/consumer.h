// Consumer: reads partitions that its owner assigned. Group membership is GroupMember's business (group_member.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/poll_failure.h"
#include "client/records.h"

namespace muir::client {

enum class IsolationLevel : unsigned char { read_uncommitted, read_committed };

// Where a partition starts, instead of at an exact offset.
inline constexpr Offset kOffsetEarliest{-2};
inline constexpr Offset kOffsetLatest{-1};

struct PartitionStart {
  TopicPartition partition;
  Offset offset = kOffsetEarliest;
};

// Owned by one thread, except wakeup().
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Adds and removes partitions; the others keep their position and their fetched records.
  virtual Status assign(const std::vector<PartitionStart>& add) = 0;
  virtual Status unassign(const std::vector<TopicPartition>& remove) = 0;
  virtual Status seek(const PartitionStart& to) = 0;
  // Paused partitions stay assigned and return nothing; what was fetched of them is kept, bounded, and comes when they
  // are resumed.
  virtual Status pause(const std::vector<TopicPartition>& partitions) = 0;
  virtual Status resume(const std::vector<TopicPartition>& partitions) = 0;

  // Waits up to `timeout_ms` for records, at most `records_max`. Empty on timeout or wakeup(). A failure is told once,
  // after the records that lie before it.
  virtual Polled poll(int64_t timeout_ms, size_t records_max = 10'000) = 0;
  // How many partitions will be assigned when all are: they share the memory for what is fetched ahead
  // (fetch.buffer.memory), and what is said before the first is assigned need not be found out one by one.
  // `together`: of a partition that has more, a poll takes so many before it turns to the next one. Few, and records of
  // all partitions arrive about together; many, and what is made of them goes out in fewer and larger batches.
  static constexpr size_t kTogether = 64;
  virtual void expect(size_t /*partitions*/, size_t /*together*/ = kTogether) {}
  // The offset after the last record that poll() returned or skipped (control records move it too); error when unknown.
  virtual Result<Offset> position(const TopicPartition& partition) = 0;
  // The end of the partition as the last answers to fetches told it, without asking: equal to position() when there was
  // nothing more; absent before the first answer. With read_committed, records of open transactions may count.
  virtual std::optional<Offset> end_offset(const TopicPartition& partition) = 0;
  // Ends a poll() that waits. Thread-safe.
  virtual void wakeup() = 0;
};

}  // namespace muir::client
