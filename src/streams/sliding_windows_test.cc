// Aggregation by sliding windows: timelines on virtual time, with Kafka Streams' semantics as the expectation, and
// random records against what the windows mean. topologies_test.cc runs more of them beside the JVM.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

// What a table of windows tells: "[start,end]=value@time".
template <class V>
void told(const KTable<Windowed<Text>, V>& table) {
  table.to_stream()
      .map([](const Windowed<Text>* key, const V* value) {
        return std::pair(key->key, fmt::format("[{},{}]={}", key->window.start_ms, key->window.end_ms,
                                               value == nullptr ? "-" : fmt::format("{}", *value)));
      })
      .to("out");
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out"))
    out += fmt::format("{}{}@{}", out.empty() ? "" : " ", *record->value, record->timestamp_ms);
  return out;
}

auto grouped(StreamsBuilder& builder) { return builder.stream<Text, Text>("in").group_by_key(); }
Text plus(const Text& all, const Text& more) { return all + more; }

struct Step {
  int64_t timestamp_ms;
  const char* want;
};

// The records' values are a, b, c, ...
void expect(const std::function<void(StreamsBuilder&)>& build, const std::vector<Step>& steps, uint64_t dropped) {
  for (const StoreKind kind : {StoreKind::in_memory, StoreKind::rocksdb}) {
    StreamsBuilder builder;
    build(builder);
    const auto topology = builder.build();
    ASSERT_TRUE(topology.ok()) << topology.status().message();
    auto driver = *TestDriver::create(*topology, {.stores = {.kind = kind}});
    for (size_t i = 0; i < steps.size(); ++i) {
      SCOPED_TRACE(fmt::format("row {}: @{}", i, steps[i].timestamp_ms));
      ASSERT_TRUE(driver->pipe("in", {"k", Bytes(1, static_cast<char>('a' + i)), steps[i].timestamp_ms}).ok());
      EXPECT_EQ(read_all(*driver), steps[i].want);
    }
    EXPECT_EQ(driver->dropped_records(), dropped);
  }
}

// Records and final windows of Kafka's KStreamSlidingWindowAggregateTest.
TEST(SlidingWindowsTest, EndWithEachRecordAndBeginBehindIt) {
  expect([](auto& b) { told(grouped(b).windowed_by({.difference = 10ms, .grace = 50ms}).reduce(plus)); },
         {{10, "[0,10]=a@10"},
          {14, "[11,21]=b@14 [4,14]=ab@14"},
          {15, "[11,21]=bc@15 [15,25]=c@15 [5,15]=abc@15"},
          {22, "[15,25]=cd@22 [16,26]=d@22 [12,22]=bcd@22"},
          {26, "[16,26]=de@26 [23,33]=e@26"},
          {30, "[23,33]=ef@30 [27,37]=f@30 [20,30]=def@30"}},
         0);
}

TEST(SlidingWindowsTest, TakeLateRecordsUntilTheirGraceIsOver) {
  expect([](auto& b) { told(grouped(b).windowed_by({.difference = 10ms, .grace = 10ms}).count()); },
         {{100, "[90,100]=1@100"},
          {120, "[110,120]=1@120"},
          {101, "[101,111]=1@101"},  // its own window is over; the one behind 100 is not
          {100, ""},                 // one of this time has made its windows, and that is over
          {99, ""}},
         3);
}

TEST(SlidingWindowsTest, AreToldOnceWhenTheyAreClosedIfAsked) {
  expect(
      [](auto& b) {
        told(grouped(b)
                 .windowed_by({.difference = 10ms, .grace = 5ms, .emit = EmitStrategy::on_window_close})
                 .reduce(plus));
      },
      {{20, ""},
       {25, ""},
       {30, "[10,20]=a@20"},
       {35, "[15,25]=ab@25"},
       {36, "[20,30]=abc@30"},
       {41, "[21,31]=bc@30 [25,35]=bcd@35"}},
      0);
}

TEST(SlidingWindowsTest, RecordsWithoutKeyOrValueAreDropped) {
  StreamsBuilder builder;
  told(grouped(builder).windowed_by({.difference = 10ms, .grace = 5ms}).count());
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("in", {"k", std::nullopt, 10}).ok());
  ASSERT_TRUE(driver->pipe("in", {std::nullopt, "v", 10}).ok());
  EXPECT_EQ(read_all(*driver), "");
  EXPECT_EQ(driver->dropped_records(), 2U);
}

// A window ends with every record, and one begins behind it if others are in that; the records before `difference`
// share the one that begins at 0. Each holds the records of its time.
std::map<int64_t, int64_t> windows_of(const std::multiset<int64_t>& times_ms, int64_t difference_ms) {
  std::map<int64_t, int64_t> out;
  const auto count = [&](int64_t start_ms) {
    return std::distance(times_ms.lower_bound(start_ms), times_ms.upper_bound(start_ms + difference_ms));
  };
  for (const int64_t at_ms : times_ms) {
    for (const int64_t start_ms : {std::max<int64_t>(0, at_ms - difference_ms), at_ms + 1}) {
      if (const auto held = count(start_ms); held > 0) out[start_ms] = held;
    }
  }
  return out;
}

TEST(SlidingWindowsTest, HoldWhatTheyMeanWhateverTheOrderOfRecords) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    const int64_t difference_ms = random() % 30;
    const int64_t base_ms = random() % 2 == 0 ? 0 : 1000;
    StreamsBuilder builder;
    grouped(builder)
        .windowed_by({.difference = std::chrono::milliseconds(difference_ms), .grace = 1h})
        .count({.store = "s"});
    auto driver = *TestDriver::create(*builder.build(), {.stores = {.kind = StoreKind::in_memory}});
    std::multiset<int64_t> times_ms;
    for (int i = 0; i < 40; ++i) {
      times_ms.insert(base_ms + random() % 100);
      const int64_t at_ms = *std::next(times_ms.begin(), random() % times_ms.size());
      times_ms.insert(at_ms);
    }
    std::vector<int64_t> shuffled(times_ms.begin(), times_ms.end());
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    for (const int64_t at_ms : shuffled) ASSERT_TRUE(driver->pipe("in", {"k", "v", at_ms}).ok());
    std::map<int64_t, int64_t> found;
    const auto kept = *driver->window_store<Text, int64_t>("s");
    const auto visit = [&](const Windowed<Text>& key, const int64_t& n) { found[key.window.start_ms] = n; };
    ASSERT_TRUE(kept.fetch_all(0, INT64_MAX, visit).ok());
    EXPECT_EQ(found, windows_of(times_ms, difference_ms));
  }
}

TEST(SlidingWindowsTest, MistakesAreToldByBuild) {
  for (const auto& [windows, want] :
       {std::pair(SlidingWindows{.difference = 5ms}, "no grace is given"),
        std::pair(SlidingWindows{.difference = -1ms, .grace = 0ms}, "difference -1 ms"),
        std::pair(SlidingWindows{.difference = std::chrono::milliseconds::max(), .grace = 0ms}, "must be from 0 to"),
        std::pair(SlidingWindows{.difference = 5ms, .grace = -1ms}, "grace -1 ms is negative")}) {
    StreamsBuilder builder;
    grouped(builder).windowed_by(windows).count();
    EXPECT_NE(builder.build().status().message().find(want), std::string::npos) << builder.build().status().message();
  }
}

}  // namespace
}  // namespace muir::streams
