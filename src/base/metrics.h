// Metrics: counters, gauges and histograms, counted where things happen and collected when somebody asks.
//
//   MetricsGroup metrics(registry, {{"server", "vts"}});               // of one owner; its series go with it
//   Counter& shed = metrics.counter("muir_http_shed_total", "Connections closed for their memory.");
//   shed.add();                                                        // one relaxed atomic operation
//   metrics.collect([this](MetricSink& sink) { sink.gauge("muir_topics", "Topics.", {}, topic_count()); });
//
// Names and units are Prometheus': muir_<part>_<what>_<unit>, in seconds, bytes or ratios; counters end in _total. The
// labels of a series are fixed when it is made. Nothing is global: a registry is made by the program and injected; a
// group without one counts for its owner alone.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muir {

// Thread-safe, as gauges and histograms are. On a cache line of its own: neighbours are counted by other threads.
class alignas(64) Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class alignas(64) Gauge {
 public:
  void set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Upper bounds of histograms' buckets, without the last one, which has none.
inline constexpr std::array<double, 14> kSecondsBuckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                           0.1,    0.25,  0.5,    1,     2.5,  5,     10};
inline constexpr std::array<double, 8> kBytesBuckets = {256, 1024, 4096, 16384, 65536, 262144, 1048576, 16777216};

// What a histogram had counted at one moment; `buckets` are not cumulative, the last is above all bounds.
struct HistogramCounts {
  std::span<const double> bounds{};
  std::vector<uint64_t> buckets{};
  double sum = 0;
};

class Histogram {
 public:
  // `bounds` ascend and outlive the histogram.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);
  // A duration in microseconds, kept in seconds.
  void observe_us(int64_t us) { observe(static_cast<double>(us) * 1e-6); }
  [[nodiscard]] HistogramCounts counts() const;

 private:
  const std::span<const double> bounds_;
  std::unique_ptr<std::atomic<uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

using Labels = std::map<std::string, std::string>;

enum class MetricKind : unsigned char { counter, gauge, histogram };

// All series of one name, as collected.
struct MetricFamily {
  MetricKind kind = MetricKind::gauge;
  std::string help;
  std::map<Labels, double> values;               // of counters and gauges
  std::map<Labels, HistogramCounts> histograms;  // of histograms
};
// By name; counters without "_total".
using MetricFamilies = std::map<std::string, MetricFamily, std::less<>>;

// Takes the series of one collection. Series that are equal in name and labels are added up. A family has at most
// kSeriesMax series: of those beyond it the sum is shown, with "other" as every label's value.
class MetricSink {
 public:
  static constexpr size_t kSeriesMax = 2000;

  void counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  void histogram(std::string_view name, std::string_view help, const Labels& labels, const HistogramCounts& counts);
  MetricFamilies take() { return std::move(families_); }

 private:
  friend class MetricsRegistry;
  MetricFamily& family(std::string_view name, std::string_view help, MetricKind kind);
  Labels with_common(const Labels& labels) const;

  MetricFamilies families_;
  Labels common_;  // of the group that is being collected
};

class MetricsRegistry;

// The series of one owner. What it makes lives as long as it does; thread-safe. It is made and destroyed while no lock
// is held that a callback of it takes.
class MetricsGroup {
 public:
  // `common` are labels of all its series. The registry outlives the group; null: nobody collects it.
  explicit MetricsGroup(MetricsRegistry* registry, Labels common = {});
  // Waits for a collection that is under way; no callback runs afterwards.
  ~MetricsGroup();
  MetricsGroup(const MetricsGroup&) = delete;
  MetricsGroup& operator=(const MetricsGroup&) = delete;

  // The series of that name and those labels, made at the first call. A name keeps its kind and its first help text;
  // it has at most MetricSink::kSeriesMax series here, then all are one with "other" as every label's value.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       const Labels& labels = {});
  // Called at each collection, by one thread at a time, for series whose values are kept elsewhere or whose labels come
  // and go. Only what happens to be known is told: it may take short locks, and waits for nothing else.
  void collect(std::function<void(MetricSink&)> callback);
  // One gauge of that kind.
  void gauge_of(std::string name, std::string help, Labels labels, std::function<double()> value);
  void counter_of(std::string name, std::string help, Labels labels, std::function<double()> value);

 private:
  friend class MetricsRegistry;
  struct State;
  // Shared with a collection that has begun.
  const std::shared_ptr<State> state_;
  MetricsRegistry* const registry_;
};

// Thread-safe.
class MetricsRegistry {
 public:
  [[nodiscard]] MetricFamilies collect() const;

 private:
  friend class MetricsGroup;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<MetricsGroup::State>> groups_;  // guarded by mutex_
};

}  // namespace muir
