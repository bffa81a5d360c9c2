// What a program's own functions throw: wherever the library calls them it is a failure with a name, and never the end
// of the process. In the test driver, and on the threads of a running application.
#include <gtest/gtest.h>

#include <stdexcept>

#include "client/cluster_memory.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "streams/test_driver.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using std::chrono_literals::operator""ms;
using testing::eventually;
using Text = std::string;
using Copies = FixedKeyProcessor<Text, Text, Text>;

[[noreturn]] void boom() { throw std::runtime_error("boom"); }

class Copy : public Copies {
 public:
  Status process(const Record<Text, Text>& record) override { return context().forward(record); }
};
class ThrowsAtInit final : public Copy {
 public:
  Status init(Context&) override { boom(); }
};
class ThrowsAtProcess final : public Copy {
 public:
  Status process(const Record<Text, Text>&) override { throw 7; }
};
class ThrowsInTimer final : public Copy {
 public:
  Status init(Context& context) override {
    context.schedule(1ms, PunctuationType::stream_time, [](int64_t) -> Status { boom(); });
    return {};
  }
};

class SchedulesWithoutInterval final : public Copy {
 public:
  Status init(Context& context) override {
    context.schedule(0ms, PunctuationType::wall_clock_time, [](int64_t) { return Status(); });
    return {};
  }
};
class SchedulesNothing final : public Copy {
 public:
  Status process(const Record<Text, Text>&) override {
    context().schedule(1ms, PunctuationType::stream_time, {});
    return {};
  }
};

class ThrowingWindows final : public Windows {
 public:
  Status validate() const override { return {}; }
  void starts(int64_t, std::vector<int64_t>&) const override { boom(); }
  int64_t size_ms() const override { return 10; }
  int64_t grace_ms() const override { return 0; }
};

enum class At : unsigned char { make, null, open, settings, usage };

class ThrowingStore final : public store::StateStore {
 public:
  static constexpr store::StoreFacet kFacet{"throwing"};
  explicit ThrowingStore(At at) : at_(at) {}
  const std::string& name() const override { return name_; }
  bool persistent() const override { return false; }
  Status open(const std::string&, Env&) override {
    if (at_ == At::open) boom();
    return {};
  }
  void set_changelog(store::ChangelogWriter*) override {}
  store::StoreUsage usage() override {
    if (at_ == At::usage) boom();
    return {};
  }
  Status restore(std::span<const store::ChangelogRecord>) override { return {}; }
  Status sync() override { return {}; }
  Status close() override { return {}; }

 private:
  void* facet(const store::StoreFacet& wanted) override { return &wanted == &kFacet ? this : nullptr; }
  const At at_;
  const std::string name_ = "s";
};

class ThrowingSupplier final : public store::StoreSupplier {
 public:
  explicit ThrowingSupplier(At at) : at_(at) {}
  const std::string& name() const override { return name_; }
  bool provides(const store::StoreFacet& facet) const override { return &facet == &ThrowingStore::kFacet; }
  std::map<std::string, std::string> changelog_configs(const store::ChangelogSettings&) const override {
    if (at_ == At::settings) boom();
    return {};
  }
  std::unique_ptr<store::StateStore> make() const override {
    if (at_ == At::make) boom();
    if (at_ == At::null) return nullptr;
    return std::make_unique<ThrowingStore>(at_);
  }

 private:
  const At at_;
  const std::string name_ = "s";
};

using Lines = KStream<Text, Text>;

Topology with_store(At at) {
  StreamsBuilder builder;
  builder.add_state_store(StoreBuilder{.supplier = std::make_shared<ThrowingSupplier>(at)});
  builder.stream<Text, Text>("in").process_values([] { return std::make_unique<Copy>(); }, {.stores = {"s"}}).to("out");
  return *builder.build();
}
Topology above(const std::function<void(const Lines&)>& use, Consumed<Text, Text> source = {}) {
  StreamsBuilder builder;
  use(builder.stream<Text, Text>("in", std::move(source)));
  return *builder.build();
}
template <class P>
Topology through() {
  return above(
      [](const Lines& in) { in.process_values([] { return std::make_unique<P>(); }, {.name = "mine"}).to("out"); });
}

struct Case {
  std::string name;
  Topology topology;
  std::vector<std::string> want;  // each is in the failure's message
};

std::vector<Case> cases() {
  return {
      {"a processor's supplier",
       above(
           [](const Lines& in) { in.process([]() -> std::unique_ptr<Copy> { boom(); }, {.name = "mine"}).to("out"); }),
       {"task 0_0 node=mine", "its supplier", "boom"}},
      {"a supplier of nothing",
       above([](const Lines& in) {
         in.process_values([] { return std::unique_ptr<Copy>(); }, {.name = "mine"}).to("out");
       }),
       {"task 0_0 node=mine", "its supplier made no processor"}},
      {"init()", through<ThrowsAtInit>(), {"task 0_0 node=mine: init", "boom"}},
      {"process()", through<ThrowsAtProcess>(), {"node=mine topic=in partition=0 offset=0", "no std::exception"}},
      {"a timer", through<ThrowsInTimer>(), {"node=mine", "boom"}},
      {"a timer without interval",
       through<SchedulesWithoutInterval>(),
       {"task 0_0 node=mine", "schedule in mine: the interval is 0 ms; it must be at least 1 ms"}},
      {"a timer without function",
       through<SchedulesNothing>(),
       {"node=mine topic=in partition=0 offset=0", "schedule in mine: there is no function"}},
      {"a timestamp extractor",
       above([](const Lines& in) { in.to("out"); },
             {.name = "source", .timestamp = [](const Record<Text, Text>&, int64_t) -> int64_t { boom(); }}),
       {"node=source topic=in partition=0 offset=0: the timestamp extractor: boom"}},
      {"a topic extractor",
       above([](const Lines& in) { in.to([](const Text&) -> std::string { boom(); }, {.name = "end"}); }),
       {"node=end topic=in partition=0 offset=0", "boom"}},
      {"a partitioner",
       above([](const Lines& in) {
         in.to("out", {.name = "end",
                       .partitioner = [](const Text&, const Record<Text, Text>&, int32_t) -> std::optional<int32_t> {
                         boom();
                       }});
       }),
       {"node=end topic=in partition=0 offset=0", "boom"}},
      {"windows",
       above([](const Lines& in) {
         in.group_by_key().windowed_by(std::make_shared<ThrowingWindows>()).count({.store = "counts"});
       }),
       {"topic=in partition=0 offset=0", "boom"}},
      {"a store's supplier", with_store(At::make), {"task 0_0 store=s", "boom"}},
      {"a store's supplier of nothing", with_store(At::null), {"task 0_0 store=s", "its supplier made no store"}},
      {"a store's open()", with_store(At::open), {"task 0_0 store=s", "boom"}},
      {"a store's settings", with_store(At::settings), {"boom"}},
  };
}

void expect_all(const Status& failure, const std::vector<std::string>& want) {
  EXPECT_FALSE(failure.ok());
  for (const auto& part : want) EXPECT_NE(failure.message().find(part), std::string::npos) << failure.message();
}

TEST(UserCode, WhatItThrowsInATestDriverIsAFailureWithAName) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const auto driver = TestDriver::create(c.topology);
    expect_all(driver.ok() ? (*driver)->pipe("in", {"k", "v", 1}) : driver.status(), c.want);
  }
}

class UserCodeOnThreads : public ::testing::Test {
 protected:
  UserCodeOnThreads() : cluster_(system_clock(), {.blocking = true}), client_(cluster_.client()) {
    admin_ = std::move(*client_->admin());
    producer_ = std::move(*client_->producer());
    for (const char* name : {"in", "out"})
      EXPECT_TRUE(admin_->create_topic({.name = name, .partitions = 1, .replication_factor = 1}).ok());
  }
  Result<std::unique_ptr<KafkaStreams>> make(const Topology& topology, StreamsEnvironment environment = {}) {
    const auto config = StreamsConfig::parse({{"application.id", fmt::format("app{}", ++apps_)},
                                              {"bootstrap.servers", "memory:1"},
                                              {"state.dir", folder_.str()},
                                              {"auto.offset.reset", "earliest"},
                                              {"poll.ms", "10"},
                                              {"commit.interval.ms", "20"}});
    return KafkaStreams::create(topology, *config, *client_, std::move(environment));
  }
  void produce(const std::string& value) {
    const client::ProducedRecord record{.topic = "in", .key = "k", .value = value, .timestamp_ms = 1'000};
    ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
  }
  static bool in_error(KafkaStreams& app) {
    return eventually([&] { return app.state() == StreamsState::error; });
  }

  client::MemoryCluster cluster_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  testing::TempDir folder_;
  int apps_ = 0;
};

TEST_F(UserCodeOnThreads, WhatItThrowsIsTheFailureOfTheApplication) {
  produce("v");
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const auto app = make(c.topology);
    if (!app.ok()) {
      expect_all(app.status(), c.want);
      continue;
    }
    ASSERT_TRUE((*app)->start().ok());
    EXPECT_TRUE(in_error(**app));
    expect_all((*app)->failure(), c.want);
  }
}

TEST_F(UserCodeOnThreads, AFailureHandlerThatThrowsIsFail) {
  produce("v");
  const auto app = *make(through<ThrowsAtProcess>(), {.on_failure = [](const auto&, auto&) -> Status { boom(); }});
  ASSERT_TRUE(app->start().ok());
  EXPECT_TRUE(in_error(*app));
  expect_all(app->failure(), {"node=mine", "no std::exception", "the failure handler threw: boom"});
}

TEST_F(UserCodeOnThreads, AStateListenerThatThrowsChangesNothing) {
  const auto app = *make(through<Copy>());
  app->set_state_listener([](StreamsState, StreamsState) { boom(); });
  ASSERT_TRUE(app->start().ok());
  ASSERT_TRUE(app->wait_until_running(muir::testing::kPatienceMs).ok());
  produce("v");
  EXPECT_TRUE(eventually([&] { return !cluster_.stored({"out", PartitionId(0)}).empty(); }));
  EXPECT_TRUE(app->close(muir::testing::kPatienceMs).ok());
  EXPECT_EQ(app->state(), StreamsState::not_running);
}

TEST_F(UserCodeOnThreads, AnUncaughtExceptionHandlerThatThrowsShutsTheClientDown) {
  produce("v");
  const auto app = *make(through<ThrowsAtInit>());
  app->set_uncaught_exception_handler([](const Status&) -> UncaughtResponse { throw 7; });
  ASSERT_TRUE(app->start().ok());
  EXPECT_TRUE(in_error(*app));
  expect_all(app->failure(), {"node=mine", "boom"});
}

TEST_F(UserCodeOnThreads, AStoreThatCannotTellItsUsageIsLeftOutOfTheMetrics) {
  MetricsRegistry metrics;
  const auto app = *make(with_store(At::usage), {.metrics = &metrics});
  ASSERT_TRUE(app->start().ok());
  ASSERT_TRUE(app->wait_until_running(muir::testing::kPatienceMs).ok());
  const auto shown = [&](std::string_view name, Labels labels) {
    labels["application"] = "app1";
    return testing::metric_value(metrics, name, labels);
  };
  EXPECT_EQ(shown("muir_streams_state", {{"state", "RUNNING"}}), 1);
  EXPECT_EQ(shown("muir_streams_store_entries", {{"store", "s"}}), -1);
  EXPECT_TRUE(app->close(muir::testing::kPatienceMs).ok());
}

}  // namespace
}  // namespace muir::streams
