// Tables that know what each key had at any time (KIP-889, KIP-914), and streams that wait for them (KIP-923):
// timelines with Kafka Streams' semantics as the expectation. The same beside the JVM:
// tests/interop/topologies_versioned.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "streams/dsl.h"
#include "streams/plan/plan.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using TextTable = KTable<Text, Text>;

std::shared_ptr<const store::StoreSupplier> history(const Text& name, std::chrono::milliseconds retention = 100ms) {
  return Stores::persistent_versioned_key_value_store(name, retention, std::max(retention / 10, 1ms));
}
TextTable versioned(StreamsBuilder& b, const Text& topic = "rows") {
  return b.table<Text, Text>(topic, {}, {.supplier = history(topic + "-store")});
}
Text join(const Text& value, const Text& row) { return value + "+" + row; }
Text left_join(const Text& value, const Text* row) { return value + "+" + (row == nullptr ? "-" : *row); }
Text outer_join(const Text* left, const Text* right) {
  return (left == nullptr ? "-" : *left) + "+" + (right == nullptr ? "-" : *right);
}

// A record, and what is written to "out" for it: "key=value@timestamp", "-" for no value. Value "-" deletes.
struct Step {
  const char* topic;
  const char* key;
  const char* value;
  int64_t timestamp_ms;
  const char* out;
};

std::unique_ptr<TestDriver> driven(const std::function<void(StreamsBuilder&)>& build) {
  StreamsBuilder builder;
  build(builder);
  const auto topology = builder.build();
  EXPECT_TRUE(topology.ok()) << topology.status().to_string();
  auto driver = TestDriver::create(*topology);
  EXPECT_TRUE(driver.ok()) << driver.status().to_string();
  return std::move(*driver);
}
Text written(TestDriver& driver, const Text& topic = "out") {
  Text out;
  while (const auto record = driver.read(topic)) {
    out += fmt::format("{}{}={}@{}", out.empty() ? "" : " ", record->key.value_or("~"), record->value.value_or("-"),
                       record->timestamp_ms);
  }
  return out;
}
void follow(TestDriver& driver, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    SCOPED_TRACE(fmt::format("{} {}={}@{}", step.topic, step.key, step.value, step.timestamp_ms));
    RawRecord record{.key = Bytes(step.key), .timestamp_ms = step.timestamp_ms};
    if (step.value != Text("-")) record.value = step.value;
    const Status piped = driver.pipe(step.topic, record);
    ASSERT_TRUE(piped.ok()) << piped.to_string();
    EXPECT_EQ(written(driver), step.out);
  }
}

TEST(VersionedTables, TellOlderVersionsAndDropWhatIsPastTheirHistory) {
  const auto driver = driven([](StreamsBuilder& b) { versioned(b).to_stream().to("out"); });
  follow(*driver, {{"rows", "k", "a", 200, "k=a@200"},
                   {"rows", "k", "b", 150, "k=b@150"},  // older, and told all the same
                   {"rows", "k", "-", 170, "k=-@170"},
                   {"rows", "k", "late", 99, ""},
                   {"rows", "k", "in time", 100, "k=in time@100"}});
  const auto store = *driver->versioned_key_value_store<Text, Text>("rows-store");
  EXPECT_EQ(store.get("k")->value(), (VersionedValue<Text>{"a", 200, std::nullopt}));
  EXPECT_EQ(store.get("k", 160)->value(), (VersionedValue<Text>{"b", 150, 170}));
  EXPECT_FALSE(store.get("k", 180)->has_value());
  const auto all = *store.get("k", 0, 1000, store::Order::descending);
  EXPECT_EQ(all, (std::vector<VersionedValue<Text>>{{"a", 200, std::nullopt}, {"b", 150, 170}, {"in time", 100, 150}}));
}

TEST(VersionedTables, GroupsAreOfTheLatestVersions) {
  const auto driver = driven([](StreamsBuilder& b) {
    versioned(b)
        .filter([](const Text& value) { return value != "x"; })
        .group_by([](const Text& value) { return std::pair(Text("all"), value); })
        .reduce([](const Text& all, const Text& value) { return all + "+" + value; },
                [](const Text& all, const Text& value) { return all + "-" + value; })
        .to_stream()
        .to("out");
  });
  follow(*driver, {{"rows", "k", "a", 20, "all=a@20"},
                   {"rows", "k", "b", 15, ""},  // older
                   {"rows", "k", "c", 30, "all=a-a+c@30"},
                   {"rows", "k", "x", 25, ""},
                   {"rows", "k", "x", 35, "all=a-a+c-c@35"}});
}

TEST(VersionedTables, JoinedTablesFollowTheLatestVersions) {
  const auto driver = driven([](StreamsBuilder& b) {
    const auto left = versioned(b);
    left.outer_join(b.table<Text, Text>("others"), outer_join).to_stream().to("out");
  });
  follow(*driver, {{"rows", "k", "a", 20, "k=a+-@20"},
                   {"rows", "k", "b", 15, ""},  // older, of a versioned table
                   {"others", "k", "1", 30, "k=a+1@30"},
                   {"others", "k", "2", 25, "k=a+2@25"},  // of one that is not: the last offset wins
                   {"rows", "k", "-", 18, ""},
                   {"rows", "k", "-", 40, "k=-+2@40"}});
}

TEST(VersionedTables, AreJoinedAsTheyWereAtTheRecordsTime) {
  const auto driver = driven([](StreamsBuilder& b) {
    const auto rows = versioned(b);
    const auto marked = rows.filter([](const Text& value) { return value != "x"; }).map_values([](const Text& value) {
      return value + "!";
    });
    b.stream<Text, Text>("in").left_join(marked, left_join).to("out");
  });
  follow(*driver, {{"rows", "k", "a", 20, ""},
                   {"rows", "k", "x", 30, ""},
                   {"rows", "k", "b", 40, ""},
                   {"in", "k", "1", 45, "k=1+b!@45"},
                   {"in", "k", "2", 39, "k=2+-@39"},
                   {"in", "k", "3", 29, "k=3+a!@29"},
                   {"in", "k", "4", 19, "k=4+-@19"},
                   {"rows", "k", "c", 15, ""},
                   {"in", "k", "5", 19, "k=5+c!@19"}});
}

TEST(VersionedTables, AreRestoredFromTheirChangelogs) {
  const auto build = [](StreamsBuilder& b) { b.stream<Text, Text>("in").left_join(versioned(b), left_join).to("out"); };
  const auto driver = driven(build);
  follow(*driver, {{"rows", "k", "a", 20, ""}, {"rows", "k", "b", 40, ""}, {"rows", "k", "-", 30, ""}});
  EXPECT_EQ(written(*driver, "test-rows-store-changelog"), "k=a@20 k=b@40 k=-@30");
  ASSERT_TRUE(driver->restart().ok());
  follow(*driver,
         {{"in", "k", "1", 25, "k=1+a@25"}, {"in", "k", "2", 35, "k=2+-@35"}, {"in", "k", "3", 45, "k=3+b@45"}});
}

TEST(VersionedTables, TheirChangelogsKeepTheHistory) {
  StreamsBuilder builder;
  builder.table<Text, Text>("rows", {}, {.topic_configs = {{"segment.ms", "1000"}}, .supplier = history("kept", 1h)});
  const auto plan = *builder.build()->plan("app");
  ASSERT_EQ(plan->internal_topics().size(), 1U);
  EXPECT_EQ(plan->internal_topics()[0].name, "app-kept-changelog");
  EXPECT_EQ(plan->internal_topics()[0].configs,
            (std::map<std::string, std::string>{{"cleanup.policy", "compact"},
                                                {"message.timestamp.type", "CreateTime"},
                                                {"min.compaction.lag.ms", "90000000"},
                                                {"segment.ms", "1000"}}));
}

TEST(VersionedTables, AProcessorUsesTheStoreItDeclared) {
  struct Remember final : Processor<Text, Text, Text, Text> {
    Status init(Context& context) override {
      store = MUIR_TRY((context.versioned_key_value_store<Text, Text>("versions")));
      return {};
    }
    Status process(const Record<Text, Text>& record) override {
      const auto before = MUIR_TRY(store.get(*record.key, record.timestamp_ms));
      const int64_t to = MUIR_TRY(store.put(*record.key, *record.value, record.timestamp_ms));
      const Text said = fmt::format("{}->{} to {}", before ? before->value : "-", *record.value,
                                    to == kStillValid ? "now"
                                    : to == kNotPut   ? "never"
                                                      : std::to_string(to));
      return context().forward(record.with_value(said));
    }
    VersionedKeyValueStore<Text, Text> store;
  };
  const auto driver = driven([](StreamsBuilder& b) {
    b.add_state_store(VersionedKeyValueStoreBuilder<Text, Text>{.name = "versions", .history_retention = 50ms});
    b.stream<Text, Text>("in").process([] { return std::make_unique<Remember>(); }, {.stores = {"versions"}}).to("out");
  });
  follow(*driver, {{"in", "k", "a", 100, "k=-->a to now@100"},
                   {"in", "k", "b", 60, "k=-->b to 100@60"},
                   {"in", "k", "c", 70, "k=b->c to 100@70"},
                   {"in", "k", "d", 49, "k=-->d to never@49"}});
}

TEST(JoinsWithGrace, WaitForRowsOfTheirTime) {
  const auto driver = driven([](StreamsBuilder& b) {
    const auto rows = versioned(b);
    b.stream<Text, Text>("in").left_join(rows, left_join, {.grace = 10ms}).to("out");
  });
  follow(*driver, {{"in", "k", "1", 20, ""},
                   {"rows", "k", "a", 25, ""},
                   {"in", "k", "2", 26, ""},
                   {"rows", "k", "late", 18, ""},        // and in time for the first one
                   {"in", "k", "3", 30, "k=1+late@20"},  // 20 is past its grace
                   {"in", "k", "too late", 19, "k=too late+late@19"},
                   {"in", "k", "just", 20, "k=just+late@20"},  // held, and over at once
                   {"in", "a", "4", 40, "k=2+a@26 k=3+a@30"},
                   {"in", "b", "5", 40, ""},
                   {"in", "a", "6", 40, ""},
                   {"in", "z", "7", 60, "a=4+-@40 a=6+-@40 b=5+-@40"}});
}

TEST(JoinsWithGrace, WhatWaitsIsRestoredAsItCame) {
  StreamsBuilder builder;
  const auto rows = versioned(builder);
  builder.stream<Text, Text>("in").join(rows, join, {.name = "patient", .grace = 10ms}).to("out");
  const auto driver = *TestDriver::create(*builder.build());
  ASSERT_TRUE(driver->pipe("rows", {.key = "k", .value = "a", .timestamp_ms = 5}).ok());
  ASSERT_TRUE(
      driver->pipe("in", {.key = "k", .value = "1", .timestamp_ms = 20, .headers = {{"trace", Bytes("x")}}}).ok());
  ASSERT_TRUE(driver->pipe("in", {.key = "k", .value = "2", .timestamp_ms = 20}).ok());
  ASSERT_TRUE(driver->restart().ok());
  ASSERT_TRUE(driver->pipe("in", {.key = "k", .value = "3", .timestamp_ms = 30}).ok());
  const auto first = driver->read("out");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->value, "1+a");
  EXPECT_EQ(first->timestamp_ms, 20);
  ASSERT_EQ(first->headers.size(), 1u);
  EXPECT_EQ(first->headers[0].name, "trace");
  EXPECT_EQ(written(*driver), "k=2+a@20");
  size_t logged = 0;
  while (const auto record = driver->read("test-patient-Buffer-changelog")) {
    ++logged;
    EXPECT_EQ(record->key->front(), '\0');
  }
  EXPECT_EQ(logged, 5u) << "three are held, two are over";
}

TEST(JoinsWithGrace, LeftJoinsTellAtOnceWhatHasNoKey) {
  const auto driver = driven([](StreamsBuilder& b) {
    const auto rows = versioned(b);
    b.stream<Text, Text>("in").left_join(rows, left_join, {.grace = 10ms}).to("out");
  });
  ASSERT_TRUE(driver->pipe("in", {.value = "1", .timestamp_ms = 20}).ok());
  EXPECT_EQ(written(*driver), "~=1+-@20");
}

TEST(VersionedTables, MistakesAreToldByBuild) {
  struct Case {
    const char* name;
    std::function<void(StreamsBuilder&)> build;
    const char* why;
  };
  const std::vector<Case> cases{
      {"a global table", [](auto& b) { b.template global_table<Text, Text>("t", {}, {.supplier = history("h")}); },
       "its store h is versioned, and a global table has the latest values alone"},
      {"suppress", [](auto& b) { versioned(b).suppress(Suppressed::until_time_limit(1ms)); },
       "the table is versioned, or made from one that is"},
      {"suppress behind a filter",
       [](auto& b) {
         versioned(b).filter([](const Text&) { return true; }).suppress(Suppressed::until_time_limit(1ms));
       },
       "the table is versioned, or made from one that is"},
      {"grace without versions",
       [](auto& b) {
         const auto rows = b.template table<Text, Text>("t");
         b.template stream<Text, Text>("in").join(rows, join, {.grace = 1ms});
       },
       "is not versioned, and knows the latest values alone"},
      {"grace behind a store without versions",
       [](auto& b) {
         const auto rows = versioned(b).filter([](const Text&) { return true; }, {.store = "plain"});
         b.template stream<Text, Text>("in").join(rows, join, {.grace = 1ms});
       },
       "is not versioned, and knows the latest values alone"},
      {"grace behind a join of versioned tables",
       [](auto& b) {
         const auto left = versioned(b, "a");
         const auto both = left.join(versioned(b, "b"), join);
         b.template stream<Text, Text>("in").join(both, join, {.grace = 1ms});
       },
       "is not versioned, and knows the latest values alone"},
      {"grace past the history",
       [](auto& b) {
         const auto rows = versioned(b);
         b.template stream<Text, Text>("in").join(rows, join, {.grace = 101ms});
       },
       "store rows-store keeps a history of 100 ms; it needs at least the grace"},
      {"negative grace",
       [](auto& b) {
         const auto rows = versioned(b);
         b.template stream<Text, Text>("in").join(rows, join, {.grace = -1ms});
       },
       "its grace of -1 ms is negative"},
      {"negative history", [](auto& b) { b.template table<Text, Text>("t", {}, {.supplier = history("h", -1ms)}); },
       "history retention -1 ms must not be negative"},
      {"no segments",
       [](auto& b) {
         b.template table<Text, Text>("t", {},
                                      {.supplier = Stores::persistent_versioned_key_value_store("h", 1h, 0ms)});
       },
       "segment interval"},
      {"windows",
       [](auto& b) {
         b.template stream<Text, Text>("t")
             .group_by_key()
             .windowed_by({.size = 1s, .grace = 0ms})
             .count({.supplier = history("h")});
       },
       "its supplier makes no window store"},
      {"a retention beside it",
       [](auto& b) { b.template table<Text, Text>("t", {}, {.retention = 1h, .supplier = history("h")}); },
       "its supplier decides its retention"},
  };
  for (const Case& c : cases) {
    StreamsBuilder builder;
    c.build(builder);
    const auto topology = builder.build();
    ASSERT_FALSE(topology.ok()) << c.name;
    EXPECT_NE(topology.status().message().find(c.why), std::string::npos)
        << c.name << ": " << topology.status().message();
  }
}

}  // namespace
}  // namespace muir::streams
