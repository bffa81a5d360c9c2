#include "testing/metric_value.h"

#include <numeric>

namespace muir::testing {

double metric_value(const MetricsRegistry& registry, std::string_view name, const Labels& labels) {
  constexpr std::string_view kTotal = "_total";
  if (name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  const MetricFamilies all = registry.collect();
  const auto family = all.find(name);
  if (family == all.end()) return -1;
  if (const auto value = family->second.values.find(labels); value != family->second.values.end()) return value->second;
  const auto histogram = family->second.histograms.find(labels);
  if (histogram == family->second.histograms.end()) return -1;
  const auto& buckets = histogram->second.buckets;
  return static_cast<double>(std::accumulate(buckets.begin(), buckets.end(), uint64_t{0}));
}

}  // namespace muir::testing
