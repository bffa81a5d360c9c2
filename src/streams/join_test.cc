// Joins of streams with tables: timelines on virtual time, with Kafka's semantics as the expectation.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

// "topic key value@timestamp" in, "key=value@timestamp" out; "-" stands for null.
struct Step {
  std::string topic;
  std::string key;
  std::string value;
  int64_t timestamp_ms;
  std::string want;
};

std::optional<std::string> nullable(const std::string& text) {
  return text == "-" ? std::nullopt : std::optional<std::string>(text);
}

void expect_timeline(TestDriver& driver, const std::vector<Step>& steps) {
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    SCOPED_TRACE(fmt::format("row {}: {} {} {}", i, step.topic, step.key, step.value));
    ASSERT_TRUE(driver.pipe(step.topic, {nullable(step.key), nullable(step.value), step.timestamp_ms}).ok());
    std::string got;
    while (const auto record = driver.read("out")) {
      got += fmt::format("{}{}={}@{}", got.empty() ? "" : " ", record->key.value_or("-"), record->value.value_or("-"),
                         record->timestamp_ms);
    }
    EXPECT_EQ(got, step.want);
  }
}

std::string both(const std::string& left, const std::string& right) { return left + right; }
std::string left_and(const std::string& left, const std::string* right) {
  return left + (right != nullptr ? *right : "-");
}

using Text = KStream<std::string, std::string>;
using TextTable = KTable<std::string, std::string>;

Topology table_join(const std::function<Text(const Text&, const TextTable&)>& join) {
  StreamsBuilder builder;
  const auto table = builder.table<std::string, std::string>("table");
  join(builder.stream<std::string, std::string>("stream"), table).to("out");
  return *builder.build();
}

TEST(StreamTableJoin, InnerEmitsOnlyForStreamRecordsWhoseKeyIsInTheTable) {
  auto driver = *TestDriver::create(table_join([](const Text& s, const TextTable& t) { return s.join(t, both); }));
  expect_timeline(*driver, {
                               {"stream", "a", "1", 10, ""},
                               {"table", "a", "A", 20, ""},
                               {"stream", "a", "2", 15, "a=2A@15"},  // the latest value, whatever the times
                               {"table", "a", "B", 5, ""},           // the last offset wins
                               {"stream", "a", "3", 30, "a=3B@30"},
                               {"stream", "b", "4", 31, ""},
                               {"table", "a", "-", 32, ""},
                               {"stream", "a", "5", 33, ""},
                               {"stream", "-", "6", 34, ""},
                               {"stream", "a", "-", 35, ""},
                               {"table", "-", "X", 36, ""},
                           });
  EXPECT_EQ(driver->dropped_records(), 3u);
}

TEST(StreamTableJoin, LeftEmitsForEveryStreamRecordWithAValue) {
  auto driver =
      *TestDriver::create(table_join([](const Text& s, const TextTable& t) { return s.left_join(t, left_and); }));
  expect_timeline(*driver, {
                               {"stream", "a", "1", 10, "a=1-@10"},
                               {"table", "a", "A", 20, ""},
                               {"stream", "a", "2", 21, "a=2A@21"},
                               {"table", "a", "-", 22, ""},
                               {"stream", "a", "3", 23, "a=3-@23"},
                               {"stream", "-", "4", 24, "-=4-@24"},
                               {"stream", "a", "-", 25, ""},
                           });
  EXPECT_EQ(driver->dropped_records(), 1u);
}

TEST(StreamTableJoin, SeesTheTableThroughFilterAndMapValues) {
  auto driver = *TestDriver::create(table_join([](const Text& s, const TextTable& t) {
    return s.left_join(t.filter([](const std::string& v) {
                          return v != "hidden";
                        }).map_values([](const std::string& v) { return "<" + v + ">"; }),
                       left_and);
  }));
  expect_timeline(*driver, {
                               {"table", "a", "A", 1, ""},
                               {"stream", "a", "1", 2, "a=1<A>@2"},
                               {"table", "a", "hidden", 3, ""},
                               {"stream", "a", "2", 4, "a=2-@4"},
                           });
}

TEST(StreamTableJoin, WithAnAggregate) {
  StreamsBuilder builder;
  const auto counts = builder.stream<std::string, std::string>("table").group_by_key().count();
  builder.stream<std::string, std::string>("stream")
      .join(counts, [](const std::string& v, int64_t n) { return v + std::to_string(n); })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline(*driver,
                  {{"table", "a", "x", 1, ""}, {"table", "a", "x", 2, ""}, {"stream", "a", "n=", 3, "a=n=2@3"}});
}

TEST(StreamTableJoin, RepartitionsAStreamWhoseKeyChanged) {
  auto driver = *TestDriver::create(table_join([](const Text& s, const TextTable& t) {
    return s.select_key([](const std::string& v) { return v.substr(0, 1); }).join(t, both, {.name = "j"});
  }));
  expect_timeline(*driver, {{"table", "x", "A", 1, ""}, {"stream", "k", "x1", 2, "x=x1A@2"}});
  EXPECT_TRUE(driver->produced_topics().contains("test-j-repartition"));
}

TEST(StreamTableJoin, TwoJoinsWithOneTable) {
  auto driver =
      *TestDriver::create(table_join([](const Text& s, const TextTable& t) { return s.join(t, both).join(t, both); }));
  expect_timeline(*driver, {{"table", "a", "T", 1, ""}, {"stream", "a", "s", 2, "a=sTT@2"}});
}

TEST(StreamTableJoin, ToTableAndSurvivesARestart) {
  StreamsBuilder builder;
  const auto table = builder.stream<std::string, std::string>("table")
                         .map_values([](const std::string& v) { return v + "!"; })
                         .to_table({.store = "latest"});
  builder.stream<std::string, std::string>("stream").join(table, both).to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline(*driver, {{"table", "a", "A", 1, ""}, {"table", "b", "B", 1, ""}, {"table", "b", "-", 2, ""}});
  ASSERT_TRUE(driver->restart().ok());
  expect_timeline(*driver, {{"stream", "a", "1", 3, "a=1A!@3"}, {"stream", "b", "2", 4, ""}});
}

TEST(StreamGlobalTableJoin, LooksUpTheSelectedKey) {
  StreamsBuilder builder;
  const auto global = builder.global_table<std::string, std::string>("global");
  const auto stream = builder.stream<std::string, std::string>("stream");
  const auto first = [](const std::string& v) { return v.substr(0, 1); };
  stream.join(global, first, both).merge(stream.left_join(global, first, left_and)).to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline(*driver, {
                               {"stream", "k", "x1", 1, "k=x1-@1"},
                               {"global", "x", "G", 100, ""},
                               {"stream", "k", "x2", 2, "k=x2G@2 k=x2G@2"},
                               {"stream", "-", "x3", 3, "-=x3G@3 -=x3G@3"},  // the stream's own key does not matter
                               {"global", "x", "-", 101, ""},
                               {"stream", "k", "x4", 4, "k=x4-@4"},
                               {"stream", "k", "-", 5, ""},
                           });
  EXPECT_EQ(driver->dropped_records(), 2u);
  ASSERT_TRUE(driver->pipe("global", {"y", "Y", 1}).ok());
  ASSERT_TRUE(driver->restart().ok());
  expect_timeline(*driver, {{"stream", "k", "y", 6, "k=yY@6 k=yY@6"}});
}

TEST(Table, TellsUpdatesAndDeletions) {
  StreamsBuilder builder;
  builder.table<std::string, std::string>("table")
      .filter([](const std::string& v) { return v != "no"; })
      .map_values([](const std::string& v) { return v + v; })
      .to_stream()
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  expect_timeline(*driver, {
                               {"table", "a", "x", 1, "a=xx@1"},
                               {"table", "b", "no", 2, "b=-@2"},  // a row that never matched is deleted all the same
                               {"table", "a", "-", 3, "a=-@3"},
                               {"table", "-", "x", 4, ""},
                           });
}

}  // namespace
}  // namespace muir::streams
