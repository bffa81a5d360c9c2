// The Processor API: forwarding, stores, timers, what a processor is told about its record.
#include "streams/processor.h"

#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;
using Text = Record<std::string, std::string>;
using TextProcessor = Processor<std::string, std::string, std::string, std::string>;

// Builds "in" -> processor -> "out".
template <class P, class... A>
Topology around(std::vector<std::string> stores, A... args) {
  StreamsBuilder builder;
  builder.add_state_store(KeyValueStoreBuilder<std::string, int64_t>{.name = "seen"});
  builder.add_state_store(
      WindowStoreBuilder<std::string, std::string>{.name = "history", .window_size = 10ms, .retention = 1h});
  builder.stream<std::string, std::string>("in")
      .process([=] { return std::make_unique<P>(args...); }, {.name = "p", .stores = stores})
      .to("out", {.name = "sink"});
  auto topology = builder.build();
  EXPECT_TRUE(topology.ok()) << topology.status().to_string();
  return *topology;
}

Status pipe(TestDriver& driver, const std::string& key, const std::string& value, int64_t timestamp_ms) {
  return driver.pipe("in", {key, value, timestamp_ms});
}

std::string out(TestDriver& driver) {
  std::string text;
  while (const auto r = driver.read("out")) {
    text += fmt::format("{}{}={}@{}", text.empty() ? "" : " ", r->key.value_or("-"), r->value.value_or("-"),
                        r->timestamp_ms);
  }
  return text;
}

// Forwards the first record of each key only.
class Deduplicate : public TextProcessor {
 public:
  Status init(Context& c) override {
    seen_ = MUIR_TRY((c.key_value_store<std::string, int64_t>("seen")));
    return {};
  }
  Status process(const Text& record) override {
    const auto before = MUIR_TRY(seen_.get(*record.key));
    MUIR_RETURN_IF_ERROR(seen_.put(*record.key, before.value_or(0) + 1));
    if (!before) return context().forward(record);
    context().drop_record();
    return {};
  }

 private:
  KeyValueStore<std::string, int64_t> seen_;
};

TEST(Processor, KeepsStateThatSurvivesARestart) {
  auto driver = *TestDriver::create(around<Deduplicate>({"seen"}));
  ASSERT_TRUE(pipe(*driver, "a", "1", 5).ok());
  ASSERT_TRUE(pipe(*driver, "a", "2", 6).ok());
  ASSERT_TRUE(pipe(*driver, "b", "3", 7).ok());
  EXPECT_EQ(out(*driver), "a=1@5 b=3@7");
  ASSERT_TRUE(driver->restart().ok());
  ASSERT_TRUE(pipe(*driver, "a", "4", 8).ok());
  EXPECT_EQ(out(*driver), "");
  EXPECT_EQ(driver->dropped_records(), 1u);
  // Writes carry the timestamp of the record under way.
  auto store = *driver->key_value_store<std::string, int64_t>("seen");
  EXPECT_EQ((**store.get_with_timestamp("a")), (ValueAndTimestamp<int64_t>{3, 8}));
}

class NeedsStore : public TextProcessor {
 public:
  Status init(Context& c) override {
    return ::muir::internal::status_of(c.key_value_store<std::string, std::string>("seen"));
  }
  Status process(const Text&) override { return {}; }
};

TEST(Processor, StoresMustBeNamedAndOfTheirTypes) {
  auto unnamed = TestDriver::create(around<Deduplicate>({}));
  ASSERT_FALSE(unnamed.ok());
  EXPECT_EQ(unnamed.status().message(),
            "begin task 0_0 node=p: init: processor p: state store seen is not among those it was added with");
  auto other_types = TestDriver::create(around<NeedsStore>({"seen"}));
  ASSERT_FALSE(other_types.ok());
  EXPECT_EQ(other_types.status().message(),
            "begin task 0_0 node=p: init: processor p: state store seen was declared with other types");
}

class Reports : public TextProcessor {
 public:
  Status process(const Text& record) override {
    const auto at = context().record_metadata();
    const std::string text = fmt::format("{}/{}/{} task={} app={} stream={} wall={}", at->topic, at->partition,
                                         at->offset, to_string(context().task_id()), context().application_id(),
                                         context().current_stream_time_ms(), context().current_system_time_ms());
    context().commit();
    const std::vector<Header> headers{{"by", BytesView("reports")}};
    return context().forward(record.with_value(text).with_timestamp(1).with_headers(headers), "sink");
  }
};

TEST(Processor, KnowsItsSurroundings) {
  TestDriverOptions options;
  options.wall_clock_ms = 77;
  auto driver = *TestDriver::create(around<Reports>({}), options);
  ASSERT_TRUE(pipe(*driver, "a", "", 50).ok());
  ASSERT_TRUE(pipe(*driver, "a", "", 40).ok());
  auto first = driver->read("out");
  EXPECT_EQ(first->value, "in/0/0 task=0_0 app=test stream=50 wall=77");
  EXPECT_EQ(first->headers, (std::vector<OwnedHeader>{{"by", "reports"}}));
  EXPECT_EQ(driver->read("out")->value, "in/0/1 task=0_0 app=test stream=50 wall=77");
  EXPECT_EQ(driver->commits_requested(), 2);
}

// Counts its init() and close() calls; init() fails when told to.
class Life : public TextProcessor {
 public:
  Life(std::pair<int, int>* calls, bool fails) : calls_(calls), fails_(fails) {}
  Status init(Context&) override {
    ++calls_->first;
    return fails_ ? error(Code::unavailable, "not today") : Status();
  }
  Status process(const Text&) override { return {}; }
  void close() override { ++calls_->second; }

 private:
  std::pair<int, int>* calls_;
  bool fails_;
};

TEST(Processor, IsClosedOnceForEachInit) {
  for (const bool fails : {false, true}) {
    std::pair<int, int> calls;
    {
      auto driver = TestDriver::create(around<Life>({}, &calls, fails));
      EXPECT_EQ(driver.ok(), !fails);
    }
    EXPECT_EQ(calls, std::pair(1, 1));
  }
}

// Forwards each firing of a timer; "stop" cancels it.
class Ticks : public TextProcessor {
 public:
  explicit Ticks(PunctuationType type) : type_(type) {}
  Status init(Context& c) override {
    timer_ = c.schedule(10ms, type_, [&c](int64_t now_ms) -> Status {
      EXPECT_FALSE(c.record_metadata().has_value());
      const std::string key = "tick";
      const std::string value = std::to_string(now_ms);
      return c.forward({&key, &value, now_ms, {}});
    });
    return {};
  }
  Status process(const Text& record) override {
    if (*record.value == "stop") timer_.cancel();
    return {};
  }

 private:
  PunctuationType type_;
  Cancellable timer_;
};

TEST(Punctuation, OnStreamTimeStartsWithTheFirstRecordAndSkipsWhatWasMissed) {
  auto driver = *TestDriver::create(around<Ticks>({}, PunctuationType::stream_time));
  struct Row {
    int64_t timestamp_ms;
    std::string want;
  };
  for (const auto& row : std::vector<Row>{{3, "tick=3@3"},
                                          {9, ""},
                                          {10, "tick=10@10"},
                                          {19, ""},
                                          {45, "tick=45@45"},
                                          {49, ""},
                                          {50, "tick=50@50"},
                                          {20, ""}}) {
    ASSERT_TRUE(pipe(*driver, "a", "", row.timestamp_ms).ok());
    EXPECT_EQ(out(*driver), row.want) << row.timestamp_ms;
  }
  ASSERT_TRUE(driver->advance_wall_clock(1h).ok());
  EXPECT_EQ(out(*driver), "");
}

TEST(Punctuation, OnWallClockStartsOneIntervalAfterItWasScheduled) {
  auto driver = *TestDriver::create(around<Ticks>({}, PunctuationType::wall_clock_time));
  struct Row {
    int64_t advance_ms;
    std::string want;
  };
  for (const auto& row : std::vector<Row>{{9, ""}, {1, "tick=10@10"}, {25, "tick=35@35"}, {4, ""}, {1, "tick=40@40"}}) {
    ASSERT_TRUE(driver->advance_wall_clock(std::chrono::milliseconds(row.advance_ms)).ok());
    EXPECT_EQ(out(*driver), row.want);
  }
  ASSERT_TRUE(pipe(*driver, "a", "stop", 1000).ok());
  ASSERT_TRUE(driver->advance_wall_clock(1h).ok());
  EXPECT_EQ(out(*driver), "");
}

// Keeps every value under its time, and tells what it has of the last 100 ms.
class History : public TextProcessor {
 public:
  Status init(Context& c) override {
    history_ = MUIR_TRY((c.window_store<std::string, std::string>("history")));
    return {};
  }
  Status process(const Text& record) override {
    MUIR_RETURN_IF_ERROR(history_.put(*record.key, *record.value, record.timestamp_ms));
    std::string all;
    MUIR_RETURN_IF_ERROR(history_.fetch(*record.key, record.timestamp_ms - 100, record.timestamp_ms,
                                        [&](const Window&, const std::string& v) { all += v; }));
    return context().forward(record.with_value(all));
  }

 private:
  WindowStore<std::string, std::string> history_;
};

TEST(Processor, WindowStoreFetchesByTime) {
  auto driver = *TestDriver::create(around<History>({"history"}));
  ASSERT_TRUE(pipe(*driver, "a", "1", 10).ok());
  ASSERT_TRUE(pipe(*driver, "a", "2", 60).ok());
  ASSERT_TRUE(pipe(*driver, "ab", "x", 70).ok());
  ASSERT_TRUE(pipe(*driver, "a", "3", 111).ok());
  EXPECT_EQ(out(*driver), "a=1@10 a=12@60 ab=x@70 a=23@111");
}

// Keeps iterators that stand in the middle of its stores.
class Holds : public TextProcessor {
 public:
  Status init(Context& c) override {
    seen_ = MUIR_TRY((c.key_value_store<std::string, int64_t>("seen")));
    history_ = MUIR_TRY((c.window_store<std::string, std::string>("history")));
    return {};
  }
  Status process(const Text& record) override {
    for (const char* key : {"a", "b"}) MUIR_RETURN_IF_ERROR(seen_.put(key, 1));
    for (const int64_t start : {0, 10}) MUIR_RETURN_IF_ERROR(history_.put("k", "v", start));
    rows_ = MUIR_TRY(seen_.bytes().all());
    windows_ = MUIR_TRY(history_.bytes().all());
    const bool both = rows_->next() && windows_->next();
    return both ? context().forward(record) : error(Code::internal, "no rows");
  }

 private:
  KeyValueStore<std::string, int64_t> seen_;
  WindowStore<std::string, std::string> history_;
  std::unique_ptr<store::KeyValueIterator> rows_;
  std::unique_ptr<store::WindowIterator> windows_;
};

TEST(Processor, MayHoldIteratorsToItsEndAndSoMayTheProgram) {
  auto driver = *TestDriver::create(around<Holds>({"seen", "history"}));
  ASSERT_TRUE(pipe(*driver, "k", "v", 1).ok());
  const auto rows = *(*driver->store<store::KeyValueStore>("seen"))->all();
  ASSERT_TRUE(rows->next());
  ASSERT_TRUE(driver->restart().ok());
  EXPECT_FALSE(rows->next());
  EXPECT_EQ(rows->status().code(), Code::failed_precondition);
  ASSERT_TRUE(pipe(*driver, "k", "v", 2).ok());
  const auto windows = *(*driver->store<store::WindowStore>("history"))->all();
  driver.reset();
  EXPECT_FALSE(windows->next());
  EXPECT_EQ(windows->status().code(), Code::failed_precondition);
}

class Doubles : public FixedKeyProcessor<std::string, std::string, std::string> {
 public:
  Status process(const Text& record) override {
    const std::string twice = *record.value + *record.value;
    return context().forward(record.with_value(twice));
  }
};

TEST(Processor, ProcessValuesNeedsNoRepartition) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .process_values([] { return std::make_unique<Doubles>(); })
      .group_by_key()
      .reduce([](const std::string&, const std::string& v) { return v; })
      .to_stream()
      .to("out");
  const Topology topology = *builder.build();
  EXPECT_EQ(topology.describe().find("repartition"), std::string::npos);
  auto driver = *TestDriver::create(topology);
  ASSERT_TRUE(pipe(*driver, "a", "x", 1).ok());
  EXPECT_EQ(out(*driver), "a=xx@1");
}

}  // namespace
}  // namespace muir::streams
