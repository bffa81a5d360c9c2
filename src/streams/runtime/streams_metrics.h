// What the threads of one instance count, and how it is shown: Kafka Streams' sensors, as Prometheus has them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "streams/task_id.h"

namespace muir::streams::internal {

class Instance;
class StoreRegistry;

// How often something was done, and how long it took in all: the rates of both are Kafka Streams' rate and ratio, their
// quotient its average latency.
struct Worked {
  Counter times;
  Counter us;
  void add(uint64_t count, int64_t took_us) {
    times.add(count);
    us.add(static_cast<uint64_t>(took_us));
  }
};

// Of one stream thread, and of those that replaced it.
struct ThreadCounters {
  explicit ThreadCounters(std::string thread) : name(std::move(thread)) {}
  const std::string name;
  Worked process;  // records
  Worked punctuate;
  Worked poll;
  Worked commit;
  Counter polled;  // records
  Counter tasks_created;
  Counter tasks_closed;
};

// Of one task, from its opening to its closing.
struct TaskCounters {
  explicit TaskCounters(ThreadCounters& its) : thread(its) {}
  ThreadCounters& thread;
  Worked process;  // records
  Counter dropped;
  Counter restored;
  Gauge restore_remaining;
  Gauge buffered;
};

// The above of all threads and tasks of an instance. Thread-safe.
class PartsCounters {
 public:
  // Lives as long as this.
  ThreadCounters& thread(const std::string& name);
  // Shown for as long as it is held, by the task.
  std::shared_ptr<TaskCounters> task(TaskId id, ThreadCounters& thread);
  void collect(MetricSink& sink) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ThreadCounters>> threads_;
  mutable std::map<TaskId, std::weak_ptr<TaskCounters>> tasks_;
};

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
  PartsCounters parts;
};

// Shows the above, the instance's state and the sizes of its stores, as long as the result lives; all of it outlives
// the result.
std::unique_ptr<MetricsGroup> watch_streams(MetricsRegistry* registry, const Instance& instance,
                                            const RuntimeCounters& counters, StoreRegistry& stores);

}  // namespace muir::streams::internal
