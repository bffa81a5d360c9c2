// Metrics as text, for Prometheus and whatever reads its formats.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/metrics.h"

namespace muir {

enum class MetricsFormat : unsigned char {
  prometheus,   // text format 0.0.4
  openmetrics,  // OpenMetrics 1.0
};

// What the header Accept asks for: OpenMetrics when it is named (of version 1.0.0, or of none) and not less wanted than
// text/plain; the text format in every other case.
MetricsFormat metrics_format(std::string_view accept);
std::string_view metrics_content_type(MetricsFormat format);

// Label values may be any bytes: what is not UTF-8 is shown as U+FFFD.
std::string metrics_text(const MetricFamilies& families, MetricsFormat format);

// Writes a series with `input` as help and as a label's value in both formats, and checks that it reads the same. Takes
// any bytes; returns 1.
int fuzz_metrics_text(BytesView input);

}  // namespace muir
