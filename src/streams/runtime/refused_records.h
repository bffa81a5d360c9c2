// What is kept of a record that was given to the producer, so that the failure handler can be asked about it when it is
// refused: the source record that it comes from, and what tells it from the others of that source record.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status.h"
#include "streams/plan/subtopology.h"

namespace muir::streams::internal {

// A source record; of its bytes only what a handler may want. Reused, so that keeping costs no allocation.
class KeptSource {
 public:
  // With `bytes` also key, value and headers.
  void assign(const RecordOrigin& origin, bool bytes);
  [[nodiscard]] bool is(const RecordOrigin& origin) const {
    return offset == origin.record->offset && partition == origin.partition && topic == origin.topic;
  }
  // As the handler is asked; borrows from this object.
  [[nodiscard]] FailedRecord failed(std::string target, Status cause) const;

  TaskId task{};
  std::string topic;
  PartitionId partition = kNoPartition;
  Offset offset = kNoOffset;

 private:
  int64_t timestamp_ms_ = -1;
  OptBytes key_;
  OptBytes value_;
  std::vector<std::pair<Bytes, OptBytes>> headers_;
  mutable std::vector<client::Header> views_;
};

// The source records of a batch, by index.
class KeptSources {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t add(const RecordOrigin& origin, bool bytes);
  [[nodiscard]] const KeptSource& at(uint32_t index) const { return sources_[index]; }
  void clear() { size_ = 0; }

 private:
  std::vector<KeptSource> sources_;
  size_t size_ = 0;
};

// A record of a batch: the `ordinal`th of its source record; of a timer's, a hash of its key tells which.
struct Lineage {
  uint32_t source = KeptSources::kNone;
  uint64_t ordinal = 0;
  bool dead_letter = false;
};

// Which record of the topology it is, whenever it is made again: source topic (empty: a timer), partition, offset,
// ordinal and target.
using RecordIdentity = std::tuple<std::string, PartitionId, Offset, uint64_t, std::string>;
// Those that a broker has refused within a transaction, and why.
using KnownRefusals = std::map<RecordIdentity, Status>;

struct RefusedRecord {
  KeptSource source;  // offset kNoOffset: a timer's
  std::string target;
  Status cause;
};

}  // namespace muir::streams::internal
