// Records as they cross the client interfaces: batches of borrowed memory, never one allocation per record.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/topic_partition.h"

namespace muir::client {

using muir::TopicPartition;

struct Header {
  BytesView name;
  OptBytesView value;
};

// A record read from a partition. Every view is valid as long as the Records it came with.
struct ConsumedRecord {
  Offset offset;
  int64_t timestamp_ms = -1;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  OptBytesView key{};
  OptBytesView value{};
  std::span<const Header> headers{};
};

// Records of one partition in offset order.
struct PartitionRecords {
  TopicPartition partition;
  std::span<const ConsumedRecord> records;
};

// What one poll returned; owns the memory behind the views. Movable, owned by one thread.
class Records {
 public:
  virtual ~Records() = default;
  [[nodiscard]] virtual std::span<const PartitionRecords> partitions() const = 0;
  [[nodiscard]] virtual size_t count() const = 0;
  [[nodiscard]] bool empty() const { return count() == 0; }
};

// A record to be written; the producer copies what it needs before send() returns.
struct ProducedRecord {
  std::string_view topic;
  // Absent: murmur2 of the key as the Java client does it; a record without key goes to a sticky partition.
  std::optional<PartitionId> partition{};
  OptBytesView key{};
  OptBytesView value{};
  int64_t timestamp_ms = -1;  // -1: now
  std::span<const Header> headers{};
};

struct OffsetAndMetadata {
  Offset offset;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::string metadata{};
};
using Offsets = std::map<TopicPartition, OffsetAndMetadata>;

}  // namespace muir::client
