// Aggregations: timelines of records in and updates out, on virtual time.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""ms;

auto text_in(TestDriver& driver, const std::string& topic = "in") {
  return *driver.input<std::string, std::string>(topic);
}

// "key=value@timestamp" for each record of "out"; windows as [key@start/end].
template <class V>
std::string updates(TestDriver& driver) {
  std::string out;
  auto topic = *driver.output<std::string, V>("out");
  while (!topic.empty()) {
    const auto r = *topic.read();
    out += fmt::format("{}{}={}@{}", out.empty() ? "" : " ", *r.key, r.value ? fmt::format("{}", *r.value) : "-",
                       r.timestamp_ms);
  }
  return out;
}

// One row of a timeline: a record in, the updates it causes.
struct Step {
  std::string key;
  std::optional<std::string> value;
  int64_t timestamp_ms;
  std::string want;
};

template <class V>
void expect_timeline(TestDriver& driver, const std::vector<Step>& steps) {
  int row = 0;
  for (const Step& step : steps) {
    SCOPED_TRACE(fmt::format("row {}: {} at {}", row++, step.key, step.timestamp_ms));
    const TestRecord<std::string, std::string> record{
        step.key == "null" ? std::nullopt : std::optional<std::string>(step.key), step.value, step.timestamp_ms};
    ASSERT_TRUE(text_in(driver).pipe(record).ok());
    EXPECT_EQ(updates<V>(driver), step.want);
  }
}

TEST(Count, CountsPerKeyAndKeepsTheGreatestTimestamp) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in").group_by_key().count({.store = "counts"}).to_stream().to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<int64_t>(*driver, {
                                        {"a", "x", 10, "a=1@10"},
                                        {"b", "x", 11, "b=1@11"},
                                        {"a", "x", 5, "a=2@10"},
                                        {"a", std::nullopt, 20, ""},  // no value: dropped
                                        {"null", "x", 21, ""},        // no key: dropped
                                        {"a", "x", 22, "a=3@22"},
                                    });
  EXPECT_EQ(driver->dropped_records(), 2u);
  auto store = *driver->key_value_store<std::string, int64_t>("counts");
  EXPECT_EQ(**store.get("a"), 3);
  EXPECT_EQ((**store.get_with_timestamp("b")), (ValueAndTimestamp<int64_t>{1, 11}));
  EXPECT_FALSE(store.get("none")->has_value());
}

TEST(Count, SurvivesARestartThroughItsChangelog) {
  for (const auto kind : {StoreKind::rocksdb, StoreKind::in_memory}) {
    StreamsBuilder builder;
    builder.stream<std::string, std::string>("in")
        .group_by_key()
        .count({.store = "counts", .kind = kind})
        .to_stream()
        .to("out");
    auto driver = *TestDriver::create(*builder.build());
    expect_timeline<int64_t>(*driver, {{"a", "x", 10, "a=1@10"}, {"a", "x", 12, "a=2@12"}});
    ASSERT_TRUE(driver->restart().ok());
    expect_timeline<int64_t>(*driver, {{"a", "x", 11, "a=3@12"}});
    // The changelog has the bare value; the timestamp is the record's.
    const auto first = driver->read("test-counts-changelog");
    EXPECT_EQ(hex(*first->value), "00 00 00 00 00 00 00 01");
    EXPECT_EQ(first->timestamp_ms, 10);
  }
}

TEST(Reduce, FirstValueStandsAsItIs) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .group_by_key()
      .reduce([](const std::string& a, const std::string& v) { return a + v; })
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<std::string>(*driver, {{"a", "x", 1, "a=x@1"}, {"a", "y", 2, "a=xy@2"}, {"b", "z", 3, "b=z@3"}});
}

TEST(Aggregate, TakesTheFormsOfFunctions) {
  const auto build =
      [](const std::function<KTable<std::string, std::string>(KGroupedStream<std::string, std::string>)>& agg) {
        StreamsBuilder builder;
        agg(builder.stream<std::string, std::string>("in").group_by_key()).to_stream().to("out");
        return *builder.build();
      };
  const std::string start = "0";
  const std::vector<Topology> forms{
      build(
          [&](auto g) { return g.aggregate(start, [](const std::string& v, const std::string& a) { return a + v; }); }),
      build([&](auto g) {
        return g.aggregate(start, [](const std::string&, const std::string& v, std::string a) { return a + v; });
      }),
      build([&](auto g) { return g.aggregate(start, [](const std::string& v, std::string& a) { a += v; }); }),
  };
  for (const Topology& topology : forms) {
    auto driver = *TestDriver::create(topology);
    expect_timeline<std::string>(*driver, {{"a", "x", 1, "a=0x@1"}, {"a", "y", 2, "a=0xy@2"}});
  }
}

TEST(GroupBy, RepartitionsByTheNewKey) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .group_by([](const std::string& v) { return v; }, {.name = "by-value"})
      .count()
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<int64_t>(*driver, {{"a", "x", 1, "x=1@1"}, {"b", "x", 2, "x=2@2"}, {"null", "y", 3, "y=1@3"}});
  EXPECT_TRUE(driver->produced_topics().contains("test-by-value-repartition"));
}

// ---- windows
Topology windowed_count(TimeWindows windows, StoreKind kind = StoreKind::rocksdb) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .group_by_key()
      .windowed_by(windows)
      .count({.store = "w", .kind = kind})
      .to_stream()
      .map([](const Windowed<std::string>& k, const int64_t& v) { return std::pair(to_string(k), v); })
      .to("out");
  return *builder.build();
}

TEST(TimeWindows, TumblingWithGraceDropsWhatIsLaterThanItsWindowsEndAndGrace) {
  for (const auto kind : {StoreKind::rocksdb, StoreKind::in_memory}) {
    auto driver = *TestDriver::create(windowed_count({.size = 10ms, .grace = 5ms}, kind));
    expect_timeline<int64_t>(*driver, {
                                          {"a", "x", 0, "[a@0/10]=1@0"},
                                          {"a", "x", 9, "[a@0/10]=2@9"},
                                          {"a", "x", 10, "[a@10/20]=1@10"},  // the end is not in the window
                                          {"a", "x", 4, "[a@0/10]=3@9"},     // out of order, within grace
                                          {"b", "x", 14, "[b@10/20]=1@14"},  // stream time 14: [0,10) closes at 15
                                          {"a", "x", 3, "[a@0/10]=4@9"},
                                          {"a", "x", 15, "[a@10/20]=2@15"},  // now it is closed
                                          {"a", "x", 9, ""},
                                          {"null", "x", 16, ""},
                                          {"a", std::nullopt, 16, "[a@10/20]=3@16"},  // a null value counts
                                      });
    EXPECT_EQ(driver->dropped_records(), 2u);
  }
}

TEST(TimeWindows, HoppingPutsARecordIntoEveryWindowThatHoldsIt) {
  auto driver = *TestDriver::create(windowed_count({.size = 10ms, .advance = 4ms, .grace = 0ms}));
  expect_timeline<int64_t>(*driver, {
                                        {"a", "x", 1, "[a@0/10]=1@1"},
                                        {"a", "x", 9, "[a@0/10]=2@9 [a@4/14]=1@9 [a@8/18]=1@9"},
                                        {"a", "x", 12, "[a@4/14]=2@12 [a@8/18]=2@12 [a@12/22]=1@12"},
                                        // One window is still open for it, one has closed.
                                        {"a", "x", 7, "[a@4/14]=3@12"},
                                    });
  EXPECT_EQ(driver->dropped_records(), 1u);
}

// Outside of windows Kafka Streams drops records without value; in windows it calls the reducer with them.
TEST(Reduce, InWindowsAFunctionWithPointersSeesNulls) {
  using Text = std::string;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by({.size = 10ms, .grace = 0ms})
      .reduce([](const Text& all, const Text* value) { return all + (value != nullptr ? *value : "-"); })
      .to_stream()
      .select_key([](const Windowed<Text>& key, const Text&) { return key.key; })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  for (const std::optional<Text>& value :
       {std::optional<Text>(), std::optional<Text>("a"), std::optional<Text>(), std::optional<Text>("b")}) {
    ASSERT_TRUE(driver->pipe("in", RawRecord{.key = "k", .value = value, .timestamp_ms = 1}).ok());
  }
  Text got;
  while (const auto record = driver->read("out")) got += *record->value + " ";
  EXPECT_EQ(got, "a a- a-b ");
}

TEST(TimeWindows, FirstStart) {
  struct Case {
    int64_t size, advance, timestamp, want;
  };
  for (const auto& c : std::vector<Case>{{10, 10, 0, 0},
                                         {10, 10, 9, 0},
                                         {10, 10, 10, 10},
                                         {10, 4, 9, 0},
                                         {10, 4, 12, 4},
                                         {10, 3, 100, 93},
                                         {5, 5, 4999, 4995},
                                         {7, 7, 6, 0}}) {
    const TimeWindows windows{
        .size = std::chrono::milliseconds(c.size), .advance = std::chrono::milliseconds(c.advance), .grace = 0ms};
    std::vector<int64_t> starts;
    windows.erased()->starts(c.timestamp, starts);
    EXPECT_EQ(starts.front(), c.want) << c.size << " " << c.advance << " " << c.timestamp;
  }
}

TEST(TimeWindows, EmitOnCloseTellsEachWindowOnce) {
  const TimeWindows windows{.size = 10ms, .grace = 5ms, .emit = EmitStrategy::on_window_close};
  auto driver = *TestDriver::create(windowed_count(windows));
  expect_timeline<int64_t>(*driver, {
                                        {"b", "x", 1, ""},
                                        {"a", "x", 2, ""},
                                        {"a", "x", 9, ""},
                                        {"a", "x", 14, ""},  // closes at 15
                                        {"a", "x", 15, "[a@0/10]=2@9 [b@0/10]=1@1"},
                                        {"a", "x", 3, ""},                      // late
                                        {"a", "x", 1000000, "[a@10/20]=2@15"},  // far ahead: nothing is lost
                                    });
  ASSERT_TRUE(driver->restart().ok());
  expect_timeline<int64_t>(*driver, {{"a", "x", 1000001, ""}, {"c", "x", 2000000, "[a@1000000/1000010]=2@1000001"}});
}

TEST(TimeWindows, StoreAndChangelogHaveKafkasKeys) {
  auto driver = *TestDriver::create(windowed_count({.size = 5ms, .grace = 0ms}));
  ASSERT_TRUE(text_in(*driver).pipe("k", "x", 7).ok());
  const auto record = driver->read("test-w-changelog");
  EXPECT_EQ(hex(*record->key), "6b 00 00 00 00 00 00 00 05 00 00 00 00");
  EXPECT_EQ(hex(*record->value), "00 00 00 00 00 00 00 01");
  EXPECT_EQ(record->timestamp_ms, 7);
  auto store = *driver->window_store<std::string, int64_t>("w");
  EXPECT_EQ((**store.fetch("k", 5)), (ValueAndTimestamp<int64_t>{1, 7}));
}

TEST(TimeWindows, WindowedKeysOnTopicsAreKeyAndStart) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .group_by_key()
      .windowed_by({.size = 5ms, .grace = 0ms})
      .count()
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(text_in(*driver).pipe("k", "x", 7).ok());
  EXPECT_EQ(hex(*driver->read("out")->key), "6b 00 00 00 00 00 00 00 05");

  ASSERT_TRUE(text_in(*driver).pipe("k", "x", 8).ok());
  using Key = Windowed<std::string>;
  auto sized = *driver->output<Key, int64_t>("out", windowed_serde<std::string>(5ms));
  EXPECT_EQ(*sized.read()->key, (Key{"k", {5, 10}}));
}

TEST(TimeWindows, MistakesAreToldByBuild) {
  struct Case {
    TimeWindows windows;
    std::optional<std::chrono::milliseconds> retention;
    std::string want;
  };
  for (const auto& c : std::vector<Case>{
           {{.size = 0ms}, {}, "size 0 ms must be positive"},
           {{.size = 5ms, .advance = 6ms, .grace = 0ms},
            {},
            "advance 6 ms must be positive and at most the size, 5 ms"},
           {{.size = 5ms, .grace = -1ms}, {}, "grace -1 ms is negative"},
           {{.size = 5ms, .grace = 2ms}, 6ms, "retention 6 ms below window size and grace, 7 ms"},
       }) {
    StreamsBuilder builder;
    builder.stream<std::string, std::string>("in").group_by_key().windowed_by(c.windows).count(
        {.retention = c.retention});
    const auto built = builder.build();
    ASSERT_FALSE(built.ok());
    EXPECT_NE(built.status().message().find(c.want), std::string::npos) << built.status().message();
  }
}

}  // namespace
}  // namespace muir::streams
