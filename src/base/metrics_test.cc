#include "base/metrics.h"

#include <gtest/gtest.h>

namespace muir {
namespace {

TEST(Histogram, QuantilesAreWithinASixteenthOfTheTruth) {
  for (const int64_t top : std::initializer_list<int64_t>{10, 1000, 1'000'000, 4'000'000'000}) {
    Histogram h;
    for (int64_t i = 1; i <= 1000; ++i) h.record(top * i / 1000);
    for (const double q : {0.5, 0.9, 0.99}) {
      const double truth = static_cast<double>(top) * q;
      EXPECT_NEAR(h.quantile(q), truth, truth / 16 + 1) << top << " " << q;
    }
  }
}

TEST(Histogram, EmptyAndNegative) {
  Histogram h;
  EXPECT_EQ(h.quantile(0.99), 0);
  h.record(-5);
  EXPECT_EQ(h.quantile(0.5), 0);
  EXPECT_EQ(h.count(), 1);
}

TEST(MetricsRegistry, RendersPrometheusText) {
  MetricsRegistry registry;
  registry.counter("muir_records_total", "Records read.", {{"topic", "a\"b"}}).add(3);
  registry.gauge("muir_lag", "Records \"behind\".").set(-2);
  registry.histogram("muir_wait_ms", "Waiting.").record(4);
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP muir_lag Records \"behind\".\n# TYPE muir_lag gauge\nmuir_lag -2\n"
            "# HELP muir_records_total Records read.\n# TYPE muir_records_total counter\n"
            "muir_records_total{topic=\"a\\\"b\"} 3\n"
            "# HELP muir_wait_ms Waiting.\n# TYPE muir_wait_ms summary\n"
            "muir_wait_ms{quantile=\"0.5\"} 4\nmuir_wait_ms{quantile=\"0.9\"} 4\nmuir_wait_ms{quantile=\"0.99\"} 4\n"
            "muir_wait_ms_sum 4\nmuir_wait_ms_count 1\n");
}

TEST(MetricsRegistry, TheSameNameAndLabelsAreTheSameMetric) {
  MetricsRegistry registry;
  registry.counter("a", "").add();
  registry.counter("a", "").add();
  EXPECT_EQ(registry.counter("a", "").value(), 2);
}

}  // namespace
}  // namespace muir
