// Cleaner: compaction of a partition, by Apache Kafka's rules.
//
// Keeps the last record of each key at its offset, tombstones and transaction markers for delete.retention.ms after
// the first pass that saw them, removes what aborted transactions wrote, and never touches the active segment or
// anything at or above the first open transaction. Owned by one thread; one cleaner per partition at a time.
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "log/partition.h"

namespace muir::log {

class Cleaner {
 public:
  Cleaner(Env& env, Clock& clock) : env_(env), clock_(clock) {}

  // Compacts when the dirty share exceeds min.cleanable.dirty.ratio, or a record is older than max.compaction.lag.ms,
  // or a tombstone has become removable. Returns whether it did.
  Result<bool> clean(Partition& partition);

 private:
  Env& env_;
  Clock& clock_;
};

}  // namespace muir::log
