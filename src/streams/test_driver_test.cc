#include "streams/test_driver.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "streams/dsl.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""ms;

Topology copy_topology() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in").to("out");
  return *builder.build();
}

TEST(TestDriver, GivesTimestampsThatAdvance) {
  auto driver = *TestDriver::create(copy_topology());
  auto in = *driver->input("in", default_serde<std::string>(), default_serde<std::string>(), 100, 10);
  ASSERT_TRUE(in.pipe("a", "1").ok());
  ASSERT_TRUE(in.pipe("a", "2").ok());
  in.advance_time(1000ms);
  ASSERT_TRUE(in.pipe("a", "3").ok());
  ASSERT_TRUE(in.pipe("a", "4", 7).ok());
  auto out = *driver->output<std::string, std::string>("out");
  EXPECT_EQ(out.size(), 4u);
  std::vector<int64_t> times;
  const auto all = *out.read_all();
  for (const auto& record : all) times.push_back(record.timestamp_ms);
  EXPECT_EQ(times, (std::vector<int64_t>{100, 110, 1120, 7}));
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.read().status().code(), Code::out_of_range);
}

TEST(TestDriver, ReadsTheLastValueOfEachKey) {
  auto driver = *TestDriver::create(copy_topology());
  auto in = *driver->input<std::string, std::string>("in");
  ASSERT_TRUE(in.pipe("a", "1", 1).ok());
  ASSERT_TRUE(in.pipe("b", "2", 2).ok());
  ASSERT_TRUE(in.pipe("a", "3", 3).ok());
  ASSERT_TRUE(in.pipe_null("b", 4).ok());
  auto out = *driver->output<std::string, std::string>("out");
  EXPECT_EQ(*out.read_to_map(), (std::map<std::string, std::optional<std::string>>{{"a", "3"}, {"b", std::nullopt}}));
}

TEST(TestDriver, ATopicThatNobodyReadsTakesNoRecords) {
  auto driver = *TestDriver::create(copy_topology());
  EXPECT_EQ(driver->pipe("elsewhere", {"k", "v", 1}).message(),
            "input topic=elsewhere: the topology does not read it; it reads in");
  EXPECT_EQ((driver->input<std::string, std::string>("elsewhere").status().message()),
            "input topic=elsewhere: the topology does not read it; it reads in");
  EXPECT_TRUE(driver->produced_topics().empty());
  EXPECT_EQ(driver->state_store("none"), nullptr);
  EXPECT_FALSE((driver->key_value_store<std::string, std::string>("none").ok()));
}

TEST(TestDriver, ATopicThatNobodyWritesGivesNoRecords) {
  const auto told = [](const auto& build, const std::string& topic, TestDriverOptions options = {}) {
    StreamsBuilder builder;
    build(builder.stream<std::string, std::string>("in"));
    auto driver = *TestDriver::create(*builder.build(), std::move(options));
    return driver->output<std::string, std::string>(topic).status().message();
  };
  const auto copied = [](const auto& in) { in.to("out"); };
  const auto counted = [](const auto& in) { in.repartition({.name = "r"}).group_by_key().count({.store = "counts"}); };
  const auto chosen = [](const auto& in) { in.to([](const std::string& value) { return value; }); };
  const std::string no_in = "output topic=in: the topology does not write it; it writes ";
  EXPECT_EQ(told(copied, "out"), "");
  EXPECT_EQ(told(copied, "in"), no_in + "out");
  EXPECT_EQ(told(counted, "test-counts-changelog"), "");
  EXPECT_EQ(told(counted, "test-r-repartition"), "");
  EXPECT_EQ(told(counted, "in"), no_in + "test-counts-changelog, test-r-repartition");
  EXPECT_EQ(told(chosen, "anything"), "");
  EXPECT_EQ(told(copied, "dead", {.errors = {.dead_letter_topic = "dead"}}), "");
}

TEST(TestDriver, GoesOnAfterARecordThatFailed) {
  struct Case {
    std::string name;
    RawRecord record;
    std::string want;
  };
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in", {.name = "source"})
      .map_values([](const std::string& value) {
        if (value == "bad") throw std::runtime_error("a bad value");
        return value;
      })
      .to("out");
  auto driver = *TestDriver::create(*builder.build());
  for (const Case& c : {Case{"no timestamp", {"k", "v", -1}, "topic=in partition=0 offset=0: timestamp -1 is negative"},
                        Case{"and how to have it skipped", {"k", "v", -1}, ".invalid_timestamp"},
                        Case{"a function throws", {"k", "bad", 1}, "a bad value"}}) {
    SCOPED_TRACE(c.name);
    const Status failed = driver->pipe("in", c.record);
    EXPECT_NE(failed.message().find(c.want), std::string::npos) << failed.message();
    EXPECT_TRUE(driver->pipe("in", {"k", c.name, 5}).ok());
    EXPECT_EQ(driver->read("out")->value, c.name);
    EXPECT_FALSE(driver->read("out"));
  }
}

TEST(TestDriver, ALoopThroughATopicRunsToItsEnd) {
  StreamsBuilder builder;
  auto countdown = builder.stream<std::string, int64_t>("in").map_values([](int64_t v) { return v - 1; });
  countdown.filter([](int64_t v) { return v > 0; }).to("in");
  countdown.to("out");
  auto driver = *TestDriver::create(*builder.build());
  auto in = *driver->input<std::string, int64_t>("in");
  ASSERT_TRUE(in.pipe("k", 4, 1).ok());
  EXPECT_EQ(driver->queue_size("out"), 4u);
}

TEST(TestDriver, RecordsOfInternalTopicsAreTakenInTheOrderOfTheirTimes) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .flat_map([](const std::string&) {
        return std::vector<std::pair<std::string, std::string>>{{"a", "late"}, {"b", "early"}};
      })
      .process([] {
        // Gives "early" an earlier timestamp.
        struct P : Processor<std::string, std::string, std::string, std::string> {
          Status process(const Record<std::string, std::string>& r) override {
            return context().forward(r.with_timestamp(*r.value == "early" ? 1 : 9));
          }
        };
        return std::make_unique<P>();
      })
      .to([](const std::string& v) { return v; });
  builder.stream<std::string, std::string>("late").merge(builder.stream<std::string, std::string>("early")).to("out");
  auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("in", {"k", "v", 5}).ok());
  EXPECT_EQ(driver->read("out")->value, "early");
  EXPECT_EQ(driver->read("out")->value, "late");
}

}  // namespace
}  // namespace muir::streams
