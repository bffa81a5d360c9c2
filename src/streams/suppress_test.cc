// Holding back the changes of a table: timelines on virtual time, with Kafka Streams' semantics as the expectation.
// topologies_test.cc runs more of them beside the JVM.
#include <gtest/gtest.h>

#include <algorithm>

#include "streams/dsl.h"
#include "streams/nodes/suppress_buffer.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

// What a table tells: "key=value@time", "-" for a deletion.
template <class K, class V>
void told(const KTable<K, V>& table) {
  table.to_stream()
      .map([](const K* key, const V* value) {
        const Text text = value == nullptr ? "-" : fmt::format("{}", *value);
        if constexpr (std::is_same_v<K, Text>) {
          return std::pair(*key, text);
        } else {
          return std::pair(fmt::format("{}@{}", key->key, key->window.start_ms), text);
        }
      })
      .to("out");
}

std::string read_all(TestDriver& driver) {
  std::string out;
  while (const auto record = driver.read("out")) {
    out += fmt::format("{}{}={}@{}", out.empty() ? "" : " ", *record->key, *record->value, record->timestamp_ms);
  }
  return out;
}

struct Step {
  const char* key;
  const char* value;  // null: a deletion
  int64_t timestamp_ms;
  const char* want;
};

std::unique_ptr<TestDriver> driver_of(const std::function<void(StreamsBuilder&)>& build) {
  StreamsBuilder builder;
  build(builder);
  const auto topology = builder.build();
  EXPECT_TRUE(topology.ok()) << topology.status().message();
  return *TestDriver::create(*topology);
}

void follow(TestDriver& driver, const std::vector<Step>& steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    SCOPED_TRACE(fmt::format("row {}: {} @{}", i, step.key, step.timestamp_ms));
    const OptBytes value = step.value == nullptr ? OptBytes() : Bytes(step.value);
    ASSERT_TRUE(driver.pipe("in", {step.key, value, step.timestamp_ms}).ok());
    EXPECT_EQ(read_all(driver), step.want);
  }
}

KTable<Text, Text> rows(StreamsBuilder& builder) { return builder.table<Text, Text>("in"); }
KTable<Text, int64_t> value_counts(StreamsBuilder& builder) {
  return rows(builder).group_by([](const Text& k, const Text& v) { return std::pair(v, k); }).count();
}
KTable<Windowed<Text>, int64_t> window_counts(StreamsBuilder& builder) {
  const auto values = builder.stream<Text, Text>("in").group_by([](const Text&, const Text& v) { return v; });
  return values.windowed_by({.size = 2ms, .grace = 1ms}).count();
}

struct Timeline {
  std::string name;
  std::function<void(StreamsBuilder&)> build;
  std::vector<Step> steps;
};

// Those of Kafka's SuppressScenarioTest, where it has one.
const std::vector<Timeline>& timelines() {
  static const std::vector<Timeline> all{
      {"no time is waited for",
       [](auto& b) { told(value_counts(b).suppress(Suppressed::until_time_limit(0ms))); },
       {{"k1", "v1", 0, "v1=1@0"},
        {"k1", "v2", 1, "v1=0@1 v2=1@1"},
        {"k2", "v1", 2, "v1=1@2"},
        {"x", "x", 3, "x=1@3"}}},
      {"two milliseconds",
       [](auto& b) { told(value_counts(b).suppress(Suppressed::until_time_limit(2ms))); },
       {{"k1", "v1", 0, ""},
        {"k1", "v2", 1, ""},
        {"k2", "v1", 2, "v1=1@2"},  // it has waited since 0, with its newest value
        {"tick", "tick", 3, "v2=1@1"},
        {"tick", "tick", 4, ""},
        {"tick", "tick", 5, "tick=1@5"}}},
      {"one record",
       [](auto& b) { told(value_counts(b).suppress(Suppressed::until_time_limit(1min, {.max_records = 1}))); },
       {{"k1", "v1", 0, ""}, {"k1", "v2", 1, "v1=0@1"}, {"k2", "v1", 2, "v2=1@1"}, {"x", "x", 3, "v1=1@2"}}},
      {"so many bytes",
       [](auto& b) { told(rows(b).suppress(Suppressed::until_time_limit(1min, {.max_bytes = 80}))); },
       // A row is 8 for its time, 16 for its context and 6 for where it came from, and what its key and value take.
       {{"a", "1", 0, ""}, {"b", "2", 1, ""}, {"c", "12345678", 2, "a=1@0"}, {"c", "1", 3, ""}, {"d", "", 4, "b=2@1"}}},
      {"deletions are changes",
       [](auto& b) { told(rows(b).suppress(Suppressed::until_time_limit(2ms))); },
       {{"a", "1", 0, ""}, {"a", nullptr, 1, ""}, {"b", "1", 2, "a=-@1"}}},
      {"late records keep their place",
       [](auto& b) { told(rows(b).suppress(Suppressed::until_time_limit(5ms))); },
       {{"a", "1", 10, ""}, {"b", "1", 4, "b=1@4"}, {"a", "2", 3, ""}, {"c", "1", 14, ""}, {"c", "1", 15, "a=2@3"}}},
      {"windows close after their grace",
       [](auto& b) { told(window_counts(b).suppress(Suppressed::until_window_closes())); },
       {{"k1", "v1", 0, ""},
        {"k1", "v1", 1, ""},
        {"k1", "v1", 2, ""},
        {"k1", "v1", 1, ""},
        {"k1", "v1", 0, ""},
        {"k1", "v1", 5, "v1@0=4@1 v1@2=1@2"},
        {"k1", "v1", 0, ""}}},
      {"windows whose rows were filtered out tell nothing",
       [](auto& b) {
         const auto few = window_counts(b).filter([](int64_t n) { return n < 2; });
         told(few.suppress(Suppressed::until_window_closes()));
       },
       {{"k", "v1", 0, ""}, {"k", "v1", 1, ""}, {"k", "v2", 1, ""}, {"k", "v3", 9, "v2@0=1@1"}}},
  };
  return all;
}

TEST(Suppress, HoldsChangesBack) {
  for (const Timeline& line : timelines()) {
    SCOPED_TRACE(line.name);
    follow(*driver_of(line.build), line.steps);
  }
}

TEST(Suppress, WhatIsHeldSurvivesARestart) {
  for (const Timeline& line : timelines()) {
    for (size_t at = 1; at < line.steps.size(); ++at) {
      SCOPED_TRACE(fmt::format("{}, begun anew before row {}", line.name, at));
      const auto driver = driver_of(line.build);
      follow(*driver, {line.steps.begin(), line.steps.begin() + static_cast<ptrdiff_t>(at)});
      ASSERT_TRUE(driver->restart().ok());
      // The stream's time begins anew with the records, as in Kafka Streams: a late one tells nothing, and drops none.
      int64_t seen_ms = -1;
      for (size_t i = 0; i < at; ++i) seen_ms = std::max(seen_ms, line.steps[i].timestamp_ms);
      if (line.steps[at].timestamp_ms < seen_ms) continue;
      follow(*driver, {line.steps.begin() + static_cast<ptrdiff_t>(at), line.steps.end()});
    }
  }
}

TEST(Suppress, AFullBufferEndsTheTaskUnlessItMayEmitEarly) {
  const auto driver = driver_of([](auto& b) {
    told(rows(b).suppress(Suppressed::until_time_limit(1min, {.max_records = 2, .when_full = WhenFull::shut_down})));
  });
  follow(*driver, {{"a", "1", 0, ""}, {"b", "1", 1, ""}, {"a", "2", 2, ""}});
  const Status full = driver->pipe("in", {"c", "1", 3});
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.message().find("its buffer is full: it holds 3 records of at most 2"), std::string::npos)
      << full.message();
}

// Rows written by Kafka Streams 4.3.1's driver for one record k1=v1 at 7, its deletion and another one.
TEST(Suppress, TheChangelogHasWhatKafkaStreamsWrites) {
  const auto driver = driver_of([](auto& b) { told(rows(b).suppress(Suppressed::until_time_limit(1min))); });
  const std::string topic = "test-KTABLE-SUPPRESS-STATE-STORE-0000000004-changelog";
  for (const auto& [value, offset] : {std::pair(OptBytes("v1"), 0), std::pair(OptBytes("v2"), 1)}) {
    ASSERT_TRUE(driver->pipe("in", {"k1", value, 7}).ok());
    const auto row = driver->read(topic);
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(row->key, "k1");
    EXPECT_EQ(row->headers, (std::vector<OwnedHeader>{{"v", Bytes("\3")}}));
    std::string bytes = hex(*row->value);
    std::erase(bytes, ' ');
    EXPECT_EQ(bytes, fmt::format("0000000000000007000000000000000{}00000002696e0000000000000000"
                                 "ffffffff{}00000002{}0000000000000007",
                                 offset, offset == 0 ? "ffffffff" : "000000027631", offset == 0 ? "7631" : "7632"));
  }
}

TEST(Suppress, MistakesAreToldByBuild) {
  struct Mistake {
    std::string name;
    std::function<void(StreamsBuilder&)> build;
    std::string want;
  };
  for (const Mistake& c : {
           Mistake{"no windows", [](auto& b) { rows(b).suppress(Suppressed::until_window_closes()); },
                   "suppress behind KTABLE-SOURCE-0000000002: windows close only behind a windowed aggregation"},
           Mistake{
               "windows of another topology",
               [](auto& b) { b.template table<Windowed<Text>, Text>("w").suppress(Suppressed::until_window_closes()); },
               "windows close only behind a windowed aggregation"},
           Mistake{"early",
                   [](auto& b) {
                     window_counts(b).suppress(
                         Suppressed::until_window_closes({.max_records = 1, .when_full = WhenFull::emit_early}));
                   },
                   "cannot be emitted early"},
           Mistake{"negative time", [](auto& b) { rows(b).suppress(Suppressed::until_time_limit(-1ms)); },
                   "its time limit is negative"},
           Mistake{"negative records",
                   [](auto& b) { rows(b).suppress(Suppressed::until_time_limit(1ms, {.max_records = -1})); },
                   "a limit of its buffer is negative"},
           Mistake{"settings without a changelog",
                   [](auto& b) {
                     rows(b).suppress(Suppressed::until_time_limit(
                         1ms, {.logging = false, .topic_configs = {{"retention.ms", "1"}}}));
                   },
                   "without .logging there is no changelog"},
       }) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.build(builder);
    const auto built = builder.build();
    ASSERT_FALSE(built.ok());
    EXPECT_NE(built.status().message().find(c.want), std::string::npos) << built.status().message();
  }
}

TEST(Suppress, RowsOfOtherFormsAreRefusedAndDamagedOnesTold) {
  internal::SuppressBuffer buffer("s");
  Bytes context;
  internal::append_buffered_context({.timestamp_ms = 1, .offset = 2, .topic = "t", .partition = 0}, context);
  Bytes row;
  internal::append_buffered_change({context, "p", "p", "n"}, 5, row);
  const auto restored = [&](BytesView value, std::optional<uint8_t> form) {
    const store::ChangelogRecord record{.key = "k", .value = value, .timestamp_ms = 1, .form = form};
    return buffer.restore({&record, 1});
  };
  EXPECT_EQ(restored(row, 1).code(), Code::data_loss);
  EXPECT_EQ(restored(row, std::nullopt).code(), Code::data_loss);
  EXPECT_EQ(restored(row.substr(1), 3).code(), Code::data_loss);
  ASSERT_TRUE(buffer.empty());
  ASSERT_TRUE(restored(row, 2).ok());  // 2.4.0 called it so
  ASSERT_TRUE(restored(row, 3).ok());
  EXPECT_EQ(buffer.records(), 1);
  EXPECT_EQ(buffer.oldest_ms(), 5);
  EXPECT_EQ(buffer.oldest().before, OptBytesView("p"));
  buffer.erase_oldest();
  EXPECT_EQ(buffer.bytes(), 0);
}

}  // namespace
}  // namespace muir::streams
