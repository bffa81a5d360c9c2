// What the threads of one instance count, and how it is shown: Kafka Streams' sensors, as Prometheus has them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/metrics.h"

namespace muir::streams::internal {

class Instance;
class StoreRegistry;

// Of all threads of an instance. Thread-safe.
struct RuntimeCounters {
  std::atomic<uint64_t> records_processed{0};
  std::atomic<uint64_t> records_dropped{0};  // Kafka Streams' dropped-records-total, over all tasks
  std::atomic<uint64_t> records_restored{0};
  std::atomic<uint64_t> records_produced{0};
  Histogram commit_seconds{kSecondsBuckets};
  std::atomic<uint64_t> commit_us_max{0};
  Histogram poll_seconds{kSecondsBuckets};
  std::atomic<uint64_t> records_polled{0};
  std::atomic<uint64_t> rebalances{0};
  std::atomic<uint64_t> tasks_created{0};
  std::atomic<uint64_t> tasks_closed{0};
  std::atomic<uint64_t> tasks_revived{0};  // begun anew after an aborted transaction or a lost membership
};

// Shows the above, the instance's state and the sizes of its stores, as long as the result lives; all of it outlives
// the result.
std::unique_ptr<MetricsGroup> watch_streams(MetricsRegistry* registry, const Instance& instance,
                                            const RuntimeCounters& counters, StoreRegistry& stores);

}  // namespace muir::streams::internal
