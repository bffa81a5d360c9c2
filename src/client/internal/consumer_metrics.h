// ConsumerMetrics: what a consumer has fetched, what waits to be polled, and how far behind it is.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/metrics.h"

namespace muir::client::internal {

// The consumer's thread writes, collections read.
class ConsumerMetrics {
 public:
  // `registry`: null: nobody collects.
  ConsumerMetrics(MetricsRegistry* registry, const std::string& client_id, size_t waiting_max_bytes);

  void took(uint64_t records, uint64_t bytes) {
    records_.add(records);
    bytes_.add(bytes);
  }
  void waiting(size_t records, size_t bytes) {
    waiting_records_.set(static_cast<int64_t>(records));
    waiting_bytes_.set(static_cast<int64_t>(bytes));
  }
  // By topic: records between the positions and the ends as the last answers told them.
  void lags(std::map<std::string, int64_t> by_topic);
  void partitions(size_t count) { partitions_.set(static_cast<int64_t>(count)); }

 private:
  void collect(MetricSink& sink);

  const size_t waiting_max_bytes_;
  Counter records_;
  Counter bytes_;
  Gauge waiting_records_;
  Gauge waiting_bytes_;
  Gauge partitions_;
  std::mutex mutex_;
  std::map<std::string, int64_t> lags_;
  MetricsGroup group_;  // last: it reads what is above
};

}  // namespace muir::client::internal
