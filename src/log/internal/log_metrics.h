// What the logs of one data folder count, and what is read off them when metrics are collected.
#pragma once

#include <memory>

#include "base/metrics.h"

namespace muir::storage {

class LogManager;

// Thread-safe.
class LogMetrics {
 public:
  explicit LogMetrics(MetricsRegistry* registry);

  // Of one partition's appended bytes, by an fsync.
  [[nodiscard]] Histogram& flush_seconds() { return flush_seconds_; }
  void opened(int64_t took_ms) { open_ms_ = took_ms; }
  // A pass of compaction over all topics.
  void cleaned(int64_t took_us, uint64_t partitions, uint64_t failures);

 private:
  MetricsGroup group_;
  std::atomic<int64_t> open_ms_{0};
  Histogram& flush_seconds_;
  Histogram& cleaner_seconds_;
  Counter& cleaned_partitions_;
  Counter& cleaner_failures_;
};

// Sizes, traffic, damage and refused writes of the partitions, as long as the result lives.
std::unique_ptr<MetricsGroup> watch_logs(const LogManager& logs);

}  // namespace muir::storage
