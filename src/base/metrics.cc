#include "base/metrics.h"

#include <algorithm>
#include <deque>

#include "base/check.h"

namespace muir {
namespace {

constexpr std::string_view kTotal = "_total";
constexpr const char* kOther = "other";

bool is_name(std::string_view text, bool colons) {
  const auto good = [colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (colons && c == ':');
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::all_of(text.begin(), text.end(), good);
}

// The family that a series of that kind and name belongs to. All of this is written in the program, none comes from
// outside.
std::string_view checked_name(std::string_view name, MetricKind kind) {
  MUIR_CHECK(is_name(name, true), "\"{}\" cannot be a metric's name", name);
  const bool total = name.ends_with(kTotal);
  MUIR_CHECK(total == (kind == MetricKind::counter), "metric {}: counters, and they alone, end in _total", name);
  if (total) name.remove_suffix(kTotal.size());
  return name;
}

void check_labels(std::string_view name, const Labels& labels) {
  for (const auto& [label, value] : labels) {
    MUIR_CHECK(is_name(label, false) && !label.starts_with("__") && label != "le" && label != "quantile",
               "metric {}: \"{}\" cannot be a label's name", name, label);
  }
}

Labels others(Labels labels) {
  for (auto& [label, value] : labels) value = kOther;
  return labels;
}

void add(HistogramCounts& to, const HistogramCounts& more) {
  if (to.buckets.empty()) {
    to = more;
    return;
  }
  for (size_t i = 0; i < std::min(to.buckets.size(), more.buckets.size()); ++i) to.buckets[i] += more.buckets[i];
  to.sum += more.sum;
}

// The place of `labels`, or of all that found no place.
template <class Value>
Value& place_of(std::map<Labels, Value>& series, Labels labels) {
  const auto found = series.find(labels);
  if (found != series.end()) return found->second;
  if (series.size() >= MetricSink::kSeriesMax) labels = others(std::move(labels));
  return series[std::move(labels)];
}

}  // namespace

// ---- histogram

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds), buckets_(std::make_unique<std::atomic<uint64_t>[]>(bounds.size() + 1)) {}

void Histogram::observe(double value) {
  size_t at = 0;
  while (at < bounds_.size() && value > bounds_[at]) ++at;
  buckets_[at].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

HistogramCounts Histogram::counts() const {
  HistogramCounts out{.bounds = bounds_, .buckets = std::vector<uint64_t>(bounds_.size() + 1)};
  for (size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
  out.sum = sum_.load(std::memory_order_relaxed);
  return out;
}

// ---- sink

MetricFamily& MetricSink::family(std::string_view name, std::string_view help, MetricKind kind) {
  name = checked_name(name, kind);
  const auto found = families_.find(name);
  if (found == families_.end()) {
    MetricFamily& made = families_[std::string(name)];
    made.kind = kind;
    made.help = help;
    return made;
  }
  // Also a counter x_total beside a gauge x: OpenMetrics has one family for both.
  MUIR_CHECK(found->second.kind == kind, "metric {} is of two kinds", name);
  return found->second;
}

Labels MetricSink::with_common(const Labels& labels) const {
  Labels out = common_;
  for (const auto& [label, value] : labels) out.insert_or_assign(label, value);
  return out;
}

void MetricSink::counter(std::string_view name, std::string_view help, const Labels& labels, double value) {
  check_labels(name, labels);
  place_of(family(name, help, MetricKind::counter).values, with_common(labels)) += value;
}

void MetricSink::gauge(std::string_view name, std::string_view help, const Labels& labels, double value) {
  check_labels(name, labels);
  place_of(family(name, help, MetricKind::gauge).values, with_common(labels)) += value;
}

void MetricSink::histogram(std::string_view name, std::string_view help, const Labels& labels,
                           const HistogramCounts& counts) {
  check_labels(name, labels);
  add(place_of(family(name, help, MetricKind::histogram).histograms, with_common(labels)), counts);
}

// ---- group

struct MetricsGroup::State {
  struct Named {
    MetricKind kind;
    std::string help;
    std::map<Labels, Counter> counters;
    std::map<Labels, Gauge> gauges;
    std::map<Labels, std::unique_ptr<Histogram>> histograms;
  };

  Named& named(std::string_view name, std::string_view help, MetricKind kind, const Labels& labels) {
    (void)checked_name(name, kind);
    check_labels(name, labels);
    auto found = names.find(name);
    if (found == names.end())
      found = names.emplace(std::string(name), Named{.kind = kind, .help = std::string(help)}).first;
    MUIR_CHECK(found->second.kind == kind, "metric {} is of two kinds", name);
    return found->second;
  }

  void collect(MetricSink& sink) {
    const std::lock_guard guard(mutex);
    for (const auto& [name, all] : names) {
      for (const auto& [labels, one] : all.counters)
        sink.counter(name, all.help, labels, static_cast<double>(one.value()));
      for (const auto& [labels, one] : all.gauges) sink.gauge(name, all.help, labels, static_cast<double>(one.value()));
      for (const auto& [labels, one] : all.histograms) sink.histogram(name, all.help, labels, one->counts());
    }
    for (const auto& callback : callbacks) callback(sink);
  }

  const Labels common;
  std::mutex mutex;
  std::map<std::string, Named, std::less<>> names;
  std::deque<std::function<void(MetricSink&)>> callbacks;
};

MetricsGroup::MetricsGroup(MetricsRegistry* registry, Labels common)
    : state_(new State{.common = std::move(common), .mutex = {}, .names = {}, .callbacks = {}}), registry_(registry) {
  check_labels("of a group", state_->common);
  if (registry_ == nullptr) return;
  const std::lock_guard guard(registry_->mutex_);
  registry_->groups_.push_back(state_);
}

MetricsGroup::~MetricsGroup() {
  if (registry_ != nullptr) {
    const std::lock_guard guard(registry_->mutex_);
    std::erase(registry_->groups_, state_);
  }
  // A collection may have taken the group before: it finds nothing from here on.
  const std::lock_guard guard(state_->mutex);
  state_->callbacks.clear();
}

Counter& MetricsGroup::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard guard(state_->mutex);
  return place_of(state_->named(name, help, MetricKind::counter, labels).counters, labels);
}

Gauge& MetricsGroup::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard guard(state_->mutex);
  return place_of(state_->named(name, help, MetricKind::gauge, labels).gauges, labels);
}

Histogram& MetricsGroup::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                   const Labels& labels) {
  const std::lock_guard guard(state_->mutex);
  auto& place = place_of(state_->named(name, help, MetricKind::histogram, labels).histograms, labels);
  if (!place) place = std::make_unique<Histogram>(bounds);
  return *place;
}

void MetricsGroup::collect(std::function<void(MetricSink&)> callback) {
  const std::lock_guard guard(state_->mutex);
  state_->callbacks.push_back(std::move(callback));
}

void MetricsGroup::gauge_of(std::string name, std::string help, Labels labels, std::function<double()> value) {
  collect([name = std::move(name), help = std::move(help), labels = std::move(labels),
           value = std::move(value)](MetricSink& sink) { sink.gauge(name, help, labels, value()); });
}

void MetricsGroup::counter_of(std::string name, std::string help, Labels labels, std::function<double()> value) {
  collect([name = std::move(name), help = std::move(help), labels = std::move(labels),
           value = std::move(value)](MetricSink& sink) { sink.counter(name, help, labels, value()); });
}

// ---- registry

MetricFamilies MetricsRegistry::collect() const {
  std::vector<std::shared_ptr<MetricsGroup::State>> groups;
  {
    const std::lock_guard guard(mutex_);
    groups = groups_;
  }
  MetricSink sink;
  for (const auto& group : groups) {
    sink.common_ = group->common;
    group->collect(sink);
  }
  return sink.take();
}

}  // namespace muir
