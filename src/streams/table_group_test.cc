// Tables grouped anew: what is taken out of the old group and put into the new one, and the bytes in between (KIP-904).
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/nodes/change.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using Pair = std::pair<std::string, std::string>;

struct Step {
  std::string key;
  std::string value;  // "-": a deletion
  std::string want;   // "group=aggregate" of each update
};

template <class V>
void expect_timeline(TestDriver& driver, const std::vector<Step>& steps) {
  auto out = *driver.output<std::string, V>("out");
  int64_t time_ms = 0;
  for (const Step& step : steps) {
    SCOPED_TRACE(step.key + "=" + step.value);
    const auto value = step.value == "-" ? std::nullopt : std::optional<Bytes>(step.value);
    ASSERT_TRUE(driver.pipe("table", {step.key, value, ++time_ms}).ok());
    std::string got;
    while (!out.empty()) {
      const auto r = *out.read();
      got += fmt::format("{}{}={}", got.empty() ? "" : " ", *r.key, r.value ? fmt::format("{}", *r.value) : "-");
    }
    EXPECT_EQ(got, step.want);
  }
}

Pair by_value(const std::string& key, const std::string& value) { return {value, key}; }

TEST(KGroupedTable, CountFollowsRowsFromGroupToGroup) {
  StreamsBuilder builder;
  builder.table<std::string, std::string>("table")
      .group_by(by_value)
      .count({.store = "per-zone"})
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<int64_t>(*driver,
                           {
                               {"bus1", "north", "north=1"},
                               {"bus2", "north", "north=2"},
                               {"bus1", "south", "north=1 south=1"},
                               {"bus1", "south", "south=1"},  // the same group: one change, taken out and put in
                               {"bus2", "-", "north=0"},
                               {"bus2", "-", ""},
                           });
  ASSERT_TRUE(driver->restart().ok());
  expect_timeline<int64_t>(*driver, {{"bus1", "north", "south=0 north=1"}});
}

TEST(KGroupedTable, ReduceAndAggregateTakeOutWhatTheyPutIn) {
  const auto sum = [](const int64_t& a, const int64_t& v) { return a + v; };
  const auto minus = [](const int64_t& a, const int64_t& v) { return a - v; };
  const auto parity = [](const std::string& v) {
    return std::pair<std::string, int64_t>(v.size() % 2 == 0 ? "even" : "odd", v.size());
  };
  const auto swapped = [](const auto& f) { return [f](const int64_t& v, const int64_t& a) { return f(a, v); }; };
  for (const bool reduce : {true, false}) {
    StreamsBuilder builder;
    const auto group = builder.table<std::string, std::string>("table").group_by(parity);
    const auto sums = reduce ? group.reduce(sum, minus) : group.aggregate(int64_t{0}, swapped(sum), swapped(minus));
    sums.to_stream().to("out");
    auto driver = *TestDriver::create(*builder.build());
    expect_timeline<int64_t>(*driver, {
                                          {"a", "xx", "even=2"},
                                          {"b", "xxxx", "even=6"},
                                          {"a", "xxx", "even=4 odd=3"},
                                          {"b", "-", "even=0"},
                                      });
  }
}

TEST(KGroupedTable, GroupsFilteredAndMappedTables) {
  StreamsBuilder builder;
  builder.table<std::string, std::string>("table")
      .filter([](const std::string& v) { return v != "hidden"; })
      .map_values([](const std::string& v) { return "zone " + v; })
      .group_by(by_value)
      .count()
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<int64_t>(*driver, {
                                        {"a", "hidden", ""},
                                        {"a", "n", "zone n=1"},
                                        {"a", "hidden", "zone n=0"},
                                        {"a", "s", "zone s=1"},
                                    });
}

TEST(KGroupedTable, GroupsAggregates) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("table")
      .group_by_key()
      .reduce([](const std::string&, const std::string& v) { return v; })
      .group_by(by_value)
      .count()
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline<int64_t>(*driver, {{"a", "n", "n=1"}, {"b", "n", "n=2"}, {"a", "s", "n=1 s=1"}});
}

TEST(KGroupedTable, HasKafkasNames) {
  StreamsBuilder builder;
  builder.table<std::string, std::string>("table").group_by(by_value).reduce(
      [](const std::string& a, const std::string&) { return a; },
      [](const std::string& a, const std::string&) { return a; });
  const std::string text = builder.build()->describe();
  for (const char* want :
       {"Processor: KTABLE-SOURCE-0000000002 (stores: [table-STATE-STORE-0000000000])",
        "Processor: KTABLE-SELECT-0000000003 (stores: [])",
        "Sink: KSTREAM-SINK-0000000005 (topic: KTABLE-AGGREGATE-STATE-STORE-0000000004-repartition)",
        "Source: KSTREAM-SOURCE-0000000006 (topics: [KTABLE-AGGREGATE-STATE-STORE-0000000004-repartition])",
        "Processor: KTABLE-REDUCE-0000000007 (stores: [KTABLE-AGGREGATE-STATE-STORE-0000000004])"}) {
    EXPECT_NE(text.find(want), std::string::npos) << want << "\n" << text;
  }
}

struct ChangeCase {
  internal::Change change;
  std::string bytes;
};

// A filter tells deletions of rows that had passed; of others only where nobody knows what was there (Kafka Streams'
// KTableFilter asks a materialised parent for old values).
TEST(KTable, FilterDeletesWhatHadPassed) {
  using Text = std::string;
  const auto starts_with_a = [](const Text& v) { return v.starts_with("a"); };
  struct Case {
    Text name;
    std::function<KTable<Text, Text>(StreamsBuilder&)> table;
    Text want;
  };
  const auto latest = [](const Text&, const Text& now) { return now; };
  const std::vector<Case> cases{
      {"materialised", [](StreamsBuilder& b) { return b.table<Text, Text>("in", {}, {.store = "s"}); },
       "k=a1 k=null k=a3 k=null "},
      {"not materialised", [](StreamsBuilder& b) { return b.table<Text, Text>("in"); },
       "k=null k=a1 k=null k=null k=a3 k=null m=null "},
      {"aggregate", [&](StreamsBuilder& b) { return b.stream<Text, Text>("in").group_by_key().reduce(latest); },
       "k=a1 k=null k=a3 "},
      {"mapped",
       [](StreamsBuilder& b) {
         return b.table<Text, Text>("in", {}, {.store = "s"}).map_values([](const Text& v) { return v; });
       },
       "k=a1 k=null k=a3 k=null "},
      {"filtered twice",
       [&](StreamsBuilder& b) {
         return b.table<Text, Text>("in", {}, {.store = "s"}).filter([](const Text&) { return true; });
       },
       "k=a1 k=null k=a3 k=null "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.table(builder).filter(starts_with_a).to_stream().to("out");
    auto driver = *TestDriver::create(*builder.build());
    int64_t time_ms = 0;
    for (const auto& [key, value] : std::vector<std::pair<Text, std::optional<Text>>>{{"k", "b1"},
                                                                                      {"k", "a1"},
                                                                                      {"k", "b2"},
                                                                                      {"k", "b3"},
                                                                                      {"k", "a3"},
                                                                                      {"k", std::nullopt},
                                                                                      {"m", std::nullopt}}) {
      ASSERT_TRUE(driver->pipe("in", RawRecord{.key = key, .value = value, .timestamp_ms = ++time_ms}).ok());
    }
    Text got;
    while (const auto record = driver->read("out")) got += *record->key + "=" + record->value.value_or("null") + " ";
    EXPECT_EQ(got, c.want);
  }
}

TEST(Change, IsWrittenAsKafkaWritesIt) {
  for (const auto& c : std::vector<ChangeCase>{{{"ab", "c"}, "04 61 62 63 02"},
                                               {{"ab", std::nullopt}, "61 62 01"},
                                               {{std::nullopt, "c"}, "63 00"},
                                               {{"", ""}, "00 02"},
                                               {{"", std::nullopt}, "01"}}) {
    Bytes bytes;
    internal::append_change(c.change, bytes);
    EXPECT_EQ(hex(bytes), c.bytes);
    const auto parsed = *internal::parse_change(bytes);
    EXPECT_EQ(parsed.now, c.change.now);
    EXPECT_EQ(parsed.before, c.change.before);
  }
  const auto versioned =
      *internal::parse_change(BytesView("\x04"
                                        "abc\x01\x05",
                                        6));
  EXPECT_EQ(versioned.now, "ab");
  EXPECT_EQ(versioned.before, "c");
}

TEST(Change, RefusesDamage) {
  for (const BytesView bytes : {BytesView(""), BytesView("ab\x06", 3), BytesView("\x03", 1),
                                BytesView("\x7f"
                                          "a\x02",
                                          3),
                                BytesView("\x01"
                                          "a\x02",
                                          3),
                                BytesView("\x02", 1)}) {
    EXPECT_FALSE(internal::parse_change(bytes).ok()) << hex(bytes);
  }
}

}  // namespace
}  // namespace muir::streams
