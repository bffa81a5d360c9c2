#include "base/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/metrics_text.h"
#include "base/process_metrics.h"
#include "testing/mutations.h"

namespace muir {
namespace {

std::string text_of(const MetricsRegistry& registry, MetricsFormat format = MetricsFormat::prometheus) {
  return metrics_text(registry.collect(), format);
}

TEST(Metrics, AreWrittenInBothFormats) {
  MetricsRegistry registry;
  MetricsGroup group(&registry, {{"server", "a"}});
  constexpr std::array<double, 2> kBounds = {0.5, 2};
  group.counter("muir_read_bytes_total", "Bytes \"read\".\nAll.", {{"topic", "a\"b\\c\nd"}}).add(3);
  group.gauge("muir_lag", "Records behind.").set(-2);
  Histogram& wait = group.histogram("muir_wait_seconds", "Waiting.", kBounds);
  wait.observe(0.5);
  wait.observe_us(1'000'000);
  wait.observe(3);
  group.gauge_of("muir_load_ratio", "Load.", {}, [] { return 0.25; });
  EXPECT_EQ(text_of(registry), R"(# TYPE muir_lag gauge
# HELP muir_lag Records behind.
muir_lag{server="a"} -2
# TYPE muir_load_ratio gauge
# HELP muir_load_ratio Load.
muir_load_ratio{server="a"} 0.25
# TYPE muir_read_bytes_total counter
# HELP muir_read_bytes_total Bytes "read".\nAll.
muir_read_bytes_total{server="a",topic="a\"b\\c\nd"} 3
# TYPE muir_wait_seconds histogram
# HELP muir_wait_seconds Waiting.
muir_wait_seconds_bucket{server="a",le="0.5"} 1
muir_wait_seconds_bucket{server="a",le="2"} 2
muir_wait_seconds_bucket{server="a",le="+Inf"} 3
muir_wait_seconds_sum{server="a"} 4.5
muir_wait_seconds_count{server="a"} 3
)");
  EXPECT_EQ(text_of(registry, MetricsFormat::openmetrics), R"(# TYPE muir_lag gauge
# HELP muir_lag Records behind.
muir_lag{server="a"} -2
# TYPE muir_load_ratio gauge
# UNIT muir_load_ratio ratio
# HELP muir_load_ratio Load.
muir_load_ratio{server="a"} 0.25
# TYPE muir_read_bytes counter
# UNIT muir_read_bytes bytes
# HELP muir_read_bytes Bytes \"read\".\nAll.
muir_read_bytes_total{server="a",topic="a\"b\\c\nd"} 3
# TYPE muir_wait_seconds histogram
# UNIT muir_wait_seconds seconds
# HELP muir_wait_seconds Waiting.
muir_wait_seconds_bucket{server="a",le="0.5"} 1
muir_wait_seconds_bucket{server="a",le="2.0"} 2
muir_wait_seconds_bucket{server="a",le="+Inf"} 3
muir_wait_seconds_sum{server="a"} 4.5
muir_wait_seconds_count{server="a"} 3
# EOF
)");
}

TEST(Metrics, TheFormatIsTheOneAskedFor) {
  using enum MetricsFormat;
  const struct {
    std::string_view accept;
    MetricsFormat expected;
  } cases[] = {
      {"", prometheus},
      {"*/*", prometheus},
      {"text/html", prometheus},
      {"text/plain", prometheus},
      {"text/plain;version=0.0.4;q=0.5", prometheus},
      {"application/openmetrics-text", openmetrics},
      {"application/openmetrics-text; version=1.0.0; charset=utf-8", openmetrics},
      {"Application/OpenMetrics-Text;Version=\"1.0.0\"", openmetrics},
      {"application/openmetrics-text;version=0.0.1", prometheus},
      {"application/openmetrics-text;version=2.0.0,*/*", prometheus},
      {"application/openmetrics-text;q=0", prometheus},
      {"application/openmetrics-text;q=0.4,text/plain;q=0.5", prometheus},
      {"application/openmetrics-text;q=nonsense", prometheus},
      // Prometheus 2.42's own.
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       openmetrics},
  };
  for (const auto& c : cases) EXPECT_EQ(metrics_format(c.accept), c.expected) << c.accept;
}

TEST(Metrics, NumbersAreWrittenAsTheFormatsHaveThem) {
  const struct {
    double value;
    std::string_view expected;
  } cases[] = {{0, "0"},          {-1, "-1"},   {1.5, "1.5"},       {123456789012, "123456789012"},
               {1e300, "1e+300"}, {NAN, "NaN"}, {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},
               {0.1, "0.1"}};
  for (const auto& c : cases) {
    MetricSink sink;
    sink.gauge("a", "A.", {}, c.value);
    EXPECT_EQ(metrics_text(sink.take(), MetricsFormat::prometheus),
              fmt::format("# TYPE a gauge\n# HELP a A.\na {}\n", c.expected));
  }
}

TEST(FuzzMetrics, AnyBytesMayBeALabelsValue) {
  testing::survive_mutations("base_metrics_text", fuzz_metrics_text, {"", "a\\n\n\"", "\xff\"\\", "g\xC3\xB3ra", "\\"},
                             {.alphabet = "\\\"\nn\xC3\xB3\xff"});
  MetricSink sink;
  sink.gauge("a", "A.", {{"b", "x\xffy"}}, 1);
  EXPECT_NE(metrics_text(sink.take(), MetricsFormat::prometheus).find("a{b=\"x\xEF\xBF\xBDy\"} 1\n"),
            std::string::npos);
}

TEST(Metrics, GoWithTheirOwner) {
  MetricsRegistry registry;
  MetricsGroup stays(&registry);
  stays.counter("a_total", "A.", {{"of", "stays"}}).add();
  {
    MetricsGroup goes(&registry);
    goes.counter("a_total", "A.", {{"of", "goes"}}).add();
    goes.gauge_of("b", "B.", {}, [] { return 1; });
    EXPECT_EQ(registry.collect().size(), 2U);
    EXPECT_EQ(registry.collect().at("a").values.size(), 2U);
  }
  EXPECT_EQ(registry.collect().size(), 1U);
  EXPECT_EQ(registry.collect().at("a").values, (std::map<Labels, double>{{{{"of", "stays"}}, 1}}));
}

TEST(Metrics, OfOneNameAndLabelsAreAddedUp) {
  MetricsRegistry registry;
  MetricsGroup one(&registry);
  MetricsGroup two(&registry);
  EXPECT_EQ(&one.counter("a_total", "A."), &one.counter("a_total", "Another text."));
  one.counter("a_total", "A.").add(2);
  two.counter("a_total", "A.").add(3);
  one.histogram("h_seconds", "H.", kSecondsBuckets).observe(1);
  two.histogram("h_seconds", "H.", kSecondsBuckets).observe(1);
  const MetricFamilies all = registry.collect();
  EXPECT_EQ(all.at("a").values.at({}), 5);
  EXPECT_EQ(all.at("h_seconds").histograms.at({}).sum, 2);
}

TEST(Metrics, AFamilyHasAsManySeriesAsItMay) {
  MetricsRegistry registry;
  MetricsGroup group(&registry);
  constexpr size_t kMore = 10;
  for (size_t i = 0; i < MetricSink::kSeriesMax + kMore; ++i)
    group.counter("a_total", "A.", {{"i", std::to_string(i)}}).add();
  group.collect([](MetricSink& sink) {
    for (size_t i = 0; i < MetricSink::kSeriesMax + kMore; ++i) sink.gauge("b", "B.", {{"i", std::to_string(i)}}, 2);
  });
  const MetricFamilies all = registry.collect();
  EXPECT_EQ(all.at("a").values.size(), MetricSink::kSeriesMax + 1);
  EXPECT_EQ(all.at("a").values.at({{"i", "other"}}), kMore);
  EXPECT_EQ(all.at("b").values.at({{"i", "other"}}), 2 * kMore);
}

TEST(Metrics, AreCountedAndCollectedByManyThreads) {
  MetricsRegistry registry;
  MetricsGroup group(&registry);
  Counter& counter = group.counter("a_total", "A.");
  Histogram& histogram = group.histogram("b_seconds", "B.", kSecondsBuckets);
  constexpr int kThreads = 4;
  constexpr int kTimes = 10'000;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTimes; ++i) {
        counter.add();
        histogram.observe(1);
        if (i % 1000 != 0) continue;
        MetricsGroup other(&registry);
        other.gauge_of("c", "C.", {}, [&] { return static_cast<double>(counter.value()); });
        EXPECT_LE(registry.collect().at("a").values.at({}), kThreads * kTimes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const MetricFamilies all = registry.collect();
  EXPECT_EQ(all.at("a").values.at({}), kThreads * kTimes);
  EXPECT_EQ(all.at("b_seconds").histograms.at({}).sum, kThreads * kTimes);
  EXPECT_FALSE(all.contains("c"));
}

TEST(Metrics, AGroupWithoutARegistryCountsForItsOwner) {
  MetricsGroup group(nullptr);
  group.counter("a_total", "A.").add();
  EXPECT_EQ(group.counter("a_total", "A.").value(), 1U);
}

TEST(ProcessMetrics, SayWhatTheSystemKnows) {
  MetricsRegistry registry;
  const auto process = process_metrics(registry, "1.2.3");
  const MetricFamilies all = registry.collect();
  EXPECT_EQ(all.at("muir_build_info").values, (std::map<Labels, double>{{{{"version", "1.2.3"}}, 1}}));
  for (const char* name : {"process_cpu_seconds", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                           "process_open_fds", "process_max_fds", "process_threads", "process_start_time_seconds"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_GT(all.at(name).values.at({}), 0) << name;
  }
  EXPECT_GT(all.at("process_start_time_seconds").values.at({}), 1.5e9);
}

}  // namespace
}  // namespace muir
