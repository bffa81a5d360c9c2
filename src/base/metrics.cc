#include "base/metrics.h"

#include <fmt/format.h>

#include <bit>

#include "base/check.h"

namespace muir {

size_t Histogram::bucket_of(uint64_t value) {
  constexpr uint64_t kSub = 1u << kSubBits;
  if (value < kSub) return value;
  // The highest bit chooses the power of two, the four bits below it the part of it.
  const auto power = static_cast<size_t>(63 - std::countl_zero(value));
  const size_t part = (value >> (power - kSubBits)) & (kSub - 1);
  return ((power - kSubBits + 1) << kSubBits) + part;
}

double Histogram::middle_of(size_t bucket) {
  constexpr size_t kSub = 1u << kSubBits;
  if (bucket < kSub) return static_cast<double>(bucket);
  const size_t power = (bucket >> kSubBits) + kSubBits - 1;
  const double width = static_cast<double>(uint64_t{1} << (power - kSubBits));
  return static_cast<double>((kSub + (bucket & (kSub - 1))) * (uint64_t{1} << (power - kSubBits))) + width / 2;
}

void Histogram::record(int64_t value) {
  const auto at_least_zero = static_cast<uint64_t>(value < 0 ? 0 : value);
  buckets_[bucket_of(at_least_zero)].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(static_cast<int64_t>(at_least_zero), std::memory_order_relaxed);
}

double Histogram::quantile(double q) const {
  const int64_t total = count();
  if (total == 0) return 0;
  const auto rank = static_cast<uint64_t>(q * static_cast<double>(total - 1)) + 1;
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen >= rank) return middle_of(i);
  }
  return middle_of(kBuckets - 1);
}

void Histogram::reset() {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
  count_.store(0, std::memory_order_relaxed);
  sum_.store(0, std::memory_order_relaxed);
}

MetricsRegistry::Metric& MetricsRegistry::find(const std::string& name, const std::string& help, const Labels& labels,
                                               char kind) {
  auto [family, made] = families_.try_emplace(name);
  if (made) {
    family->second.help = help;
    family->second.kind = kind;
  }
  CHECK(family->second.kind == kind, "metric {} is registered as two kinds", name);
  return family->second.metrics[labels];
}

Counter& MetricsRegistry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& metric = find(name, help, labels, 'c');
  if (!metric.counter) metric.counter = std::make_unique<Counter>();
  return *metric.counter;
}

Gauge& MetricsRegistry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& metric = find(name, help, labels, 'g');
  if (!metric.gauge) metric.gauge = std::make_unique<Gauge>();
  return *metric.gauge;
}

Histogram& MetricsRegistry::histogram(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& metric = find(name, help, labels, 'h');
  if (!metric.histogram) metric.histogram = std::make_unique<Histogram>();
  return *metric.histogram;
}

namespace {

// Prometheus text format 0.0.4: backslash and line feed everywhere, quotes in the values of labels only.
std::string escaped(const std::string& text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_text(const Labels& labels, const std::string& quantile = {}) {
  std::string inner;
  for (const auto& [name, value] : labels)
    inner += fmt::format("{}{}=\"{}\"", inner.empty() ? "" : ",", name, escaped(value, true));
  if (!quantile.empty()) inner += fmt::format("{}quantile=\"{}\"", inner.empty() ? "" : ",", quantile);
  return inner.empty() ? "" : "{" + inner + "}";
}

void render(std::string& out, const std::string& name, const Labels& labels, const Histogram& histogram) {
  for (const double q : {0.5, 0.9, 0.99}) {
    out += fmt::format("{}{} {}\n", name, label_text(labels, fmt::format("{}", q)), histogram.quantile(q));
  }
  out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, label_text(labels), histogram.sum(), name,
                     label_text(labels), histogram.count());
}

}  // namespace

std::string MetricsRegistry::prometheus_text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    const char* type = family.kind == 'c' ? "counter" : family.kind == 'g' ? "gauge" : "summary";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name, type);
    for (const auto& [labels, metric] : family.metrics) {
      if (metric.counter) out += fmt::format("{}{} {}\n", name, label_text(labels), metric.counter->value());
      if (metric.gauge) out += fmt::format("{}{} {}\n", name, label_text(labels), metric.gauge->value());
      if (metric.histogram) render(out, name, labels, *metric.histogram);
    }
  }
  return out;
}

}  // namespace muir
