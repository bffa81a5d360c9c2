// Stats: the counters of the page and of GET /api/v1/stats.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "apps/vts/view.h"
#include "base/clock.h"
#include "base/metrics.h"

namespace muir::vts {

struct Percentiles {
  double p50 = 0;
  double p99 = 0;
};

struct Stats {
  bool demo = false;
  std::string attribution;
  ViewTotals totals;
  double positions_per_second = 0;
  std::optional<Percentiles> latency_ms;         // from receipt over HTTP to the feed
  std::optional<Percentiles> screen_latency_ms;  // as the last page reported it: to its screen
  int64_t uptime_ms = 0;
  int64_t now_ms = 0;  // epoch: for pages on machines whose clock is wrong
  std::string cluster;
};

// Gathers what the view does not know. Thread-safe.
class StatsBoard {
 public:
  StatsBoard(const Clock& clock, std::string cluster);

  void set_demo(std::string attribution);
  // A fix received at that time has become visible.
  void record_latency(int64_t received_at);
  void record_screen_latency(Percentiles latency);
  // From here on the totals grow by what arrives, and no more by what lay in the topics: the rate begins. Until then it
  // is 0.
  void begin_rate();
  [[nodiscard]] Stats stats(const ViewTotals& totals);
  // All that record_latency() was told of this process's time.
  [[nodiscard]] HistogramCounts latencies() const { return latency_seconds_.counts(); }

 private:
  static constexpr size_t kLatencies = 8192;  // the last ones count
  static constexpr int64_t kRateMs = 30'000;  // feeds come in bursts: the recorded one every 15 s
  static constexpr int64_t kRateLeastMs = 1000;
  struct Sample {
    int64_t at_ms;
    int64_t received;
  };

  const Clock& clock_;
  const int64_t started_ms_;
  const int64_t started_wall_ms_;
  const std::string cluster_;
  Histogram latency_seconds_{kSecondsBuckets};
  std::mutex mutex_;
  bool demo_ = false;
  std::string attribution_;
  std::vector<int64_t> latencies_;  // a ring
  size_t next_latency_ = 0;
  std::optional<Percentiles> screen_latency_;
  // Under mutex_.
  double rate(int64_t now, int64_t received);

  bool rate_begun_ = false;
  std::vector<Sample> samples_;  // of the last seconds, oldest first
};

}  // namespace muir::vts
