#include "apps/vts/stats.h"

#include <algorithm>
#include <cmath>

namespace muir::vts {
namespace {

double quantile(std::vector<int64_t>& values, double q) {
  const auto at = static_cast<size_t>(std::lround(q * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return static_cast<double>(values[at]);
}

}  // namespace

StatsBoard::StatsBoard(const Clock& clock, std::string cluster)
    : clock_(clock), started_ms_(clock.steady_ms()), started_wall_ms_(clock.now_ms()), cluster_(std::move(cluster)) {}

void StatsBoard::set_demo(std::string attribution) {
  const std::lock_guard lock(mutex_);
  demo_ = true;
  attribution_ = std::move(attribution);
}

void StatsBoard::record_latency(int64_t received_at) {
  // What lay in the topics before this process began says nothing about it.
  if (received_at < started_wall_ms_) return;
  const int64_t latency = std::max<int64_t>(0, clock_.now_ms() - received_at);
  latency_seconds_.observe_us(latency * 1000);
  const std::lock_guard lock(mutex_);
  if (latencies_.size() < kLatencies) {
    latencies_.push_back(latency);
  } else {
    latencies_[next_latency_++ % kLatencies] = latency;
  }
}

void StatsBoard::record_screen_latency(Percentiles latency) {
  const std::lock_guard lock(mutex_);
  screen_latency_ = latency;
}

void StatsBoard::begin_rate() {
  const std::lock_guard lock(mutex_);
  rate_begun_ = true;
}

// Between now and the oldest sample of the last seconds; asked often, it samples twice a second.
double StatsBoard::rate(int64_t now, int64_t received) {
  if (!rate_begun_) return 0;
  while (samples_.size() > 1 && samples_[1].at_ms <= now - kRateMs) samples_.erase(samples_.begin());
  // Nothing for so long, or since the start: the rate is of what begins now, not of the silence before it.
  const bool silent = !samples_.empty() && samples_.front().received == received;
  if (silent && samples_.size() > 1) samples_.erase(samples_.begin(), samples_.end() - 1);
  double out = 0;
  if (!samples_.empty()) {
    const int64_t passed = std::max(kRateLeastMs, now - samples_.front().at_ms);
    out = static_cast<double>(std::max<int64_t>(0, received - samples_.front().received)) * 1000 /
          static_cast<double>(passed);
  }
  if (silent) samples_.clear();
  if (samples_.empty() || now - samples_.back().at_ms >= 500) samples_.push_back({now, received});
  return out;
}

Stats StatsBoard::stats(const ViewTotals& totals) {
  const int64_t now = clock_.steady_ms();
  const std::lock_guard lock(mutex_);
  Stats out{.demo = demo_,
            .attribution = attribution_,
            .totals = totals,
            .screen_latency_ms = screen_latency_,
            .uptime_ms = now - started_ms_,
            .now_ms = clock_.now_ms(),
            .cluster = cluster_};
  out.positions_per_second = rate(now, totals.counts.received);
  if (!latencies_.empty()) {
    std::vector<int64_t> values = latencies_;
    out.latency_ms = Percentiles{.p50 = quantile(values, 0.5), .p99 = quantile(values, 0.99)};
  }
  return out;
}

}  // namespace muir::vts
