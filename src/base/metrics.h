// Metrics: counters, gauges and latency histograms, registered by name and labels, rendered as Prometheus text.
//
// Updating is one relaxed atomic operation; objects live as long as their registry. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace muir {

class Counter {
 public:
  void add(int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Values from 0 in log-linear buckets: 16 per power of two, so that a quantile is off by at most 1/16 of itself.
class Histogram {
 public:
  void record(int64_t value);
  [[nodiscard]] int64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  // The value below which a share `q` of the recorded values lie, 0 <= q <= 1; 0 when nothing was recorded.
  [[nodiscard]] double quantile(double q) const;
  // Forgets everything: for figures of "the last interval". Values recorded meanwhile may be lost.
  void reset();

 private:
  static constexpr size_t kSubBits = 4;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) << kSubBits;
  static size_t bucket_of(uint64_t value);
  static double middle_of(size_t bucket);

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> sum_{0};
};

using Labels = std::map<std::string, std::string>;

class MetricsRegistry {
 public:
  // The metric of that name and those labels, made at the first call. A name keeps one kind and the first help text.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {});

  // Prometheus text format 0.0.4; histograms as summaries with quantiles 0.5, 0.9, 0.99.
  [[nodiscard]] std::string prometheus_text() const;

 private:
  struct Metric {
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
  };
  struct Family {
    std::string help;
    char kind = 'c';
    std::map<Labels, Metric> metrics;
  };
  Metric& find(const std::string& name, const std::string& help, const Labels& labels, char kind);

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;  // guarded by mutex_
};

}  // namespace muir
