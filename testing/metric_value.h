// metric_value(): one number of what a registry collects.
#pragma once

#include "base/metrics.h"

namespace muir::testing {

// The value of a counter (with or without "_total") or gauge, or how often a histogram was given one; -1 when there is
// no such series.
double metric_value(const MetricsRegistry& registry, std::string_view name, const Labels& labels = {});

}  // namespace muir::testing
