// Topologies whose stores have a record cache: what reaches their sinks and changelogs between two commits and at them.
#include <gtest/gtest.h>

#include "client/cluster_memory.h"
#include "store/record_cache.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "streams/nodes/runner.h"
#include "streams/test_driver.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using Text = std::string;
using namespace std::chrono_literals;

class Sent final : public internal::RecordSink {
 public:
  Status send(std::string_view topic, std::optional<PartitionId>, OptBytesView key, OptBytesView value,
              int64_t timestamp_ms, std::span<const client::Header> headers) override {
    all += fmt::format("{}:{}={}@{}", topic, key.value_or("-"), value.value_or("-"), timestamp_ms);
    for (const auto& header : headers) all += fmt::format(" {}={}", header.name, header.value.value_or("-"));
    all += "\n";
    return {};
  }
  std::string take() { return std::exchange(all, {}); }
  std::string all;
};

// The only task of a topology, with a cache of `bytes`, committed by hand.
struct Running {
  explicit Running(const StreamsBuilder& builder, size_t bytes = 1 << 20) : cache(bytes) {
    internal::RunnerEnvironment environment{
        .application_id = "app", .state_dir = folder.str(), .sink = &sink, .clock = &clock};
    environment.cache = &cache;
    runner = *internal::make_runner(*builder.build()->plan("app"), 0, std::move(environment));
    EXPECT_TRUE(runner->open_stores().ok() && runner->init_processors().ok());
  }
  ~Running() { runner.reset(); }
  void pipe(BytesView key, OptBytesView value, int64_t timestamp_ms, BytesView header = "") {
    const client::Header one{"h", header};
    client::ConsumedRecord record{.offset = Offset(offset++), .timestamp_ms = timestamp_ms, .key = key, .value = value};
    if (!header.empty()) record.headers = std::span(&one, 1);
    const Status done = runner->process("in", PartitionId(0), record);
    ASSERT_TRUE(done.ok()) << done.message();
  }
  void commit() {
    const Status flushed = runner->flush();
    ASSERT_TRUE(flushed.ok()) << flushed.message();
  }

  testing::TempDir folder;
  store::CacheBudget cache;
  Sent sink;
  ManualClock clock;
  int64_t offset = 0;
  std::unique_ptr<internal::SubtopologyRunner> runner;
};

Text longest(const Text& now, const Text& value) { return value.size() > now.size() ? value : now; }

TEST(CachedTables, UpdatesOfAKeyBetweenTwoCommitsAreOne) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().reduce(longest, {.store = "s"}).to_stream().to("out");
  Running task(builder);
  task.pipe("b", "1", 1, "x");
  task.pipe("a", "1", 2);
  task.pipe("b", "22", 5, "y");
  task.pipe("b", "3", 3, "z");
  EXPECT_EQ(task.sink.take(), "");
  task.commit();
  // In the order of the last updates, each with the headers of its own.
  EXPECT_EQ(task.sink.take(),
            "app-s-changelog:a=1@2\nout:a=1@2\n"
            "app-s-changelog:b=22@5\nout:b=22@5 h=z\n");
  task.commit();
  EXPECT_EQ(task.sink.take(), "");
  EXPECT_EQ(task.cache.used(), 0U);
}

TEST(CachedTables, AreFlushedWhenTheirMemoryIsUsedUp) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().reduce(longest, {.store = "s"}).to_stream().to("out");
  Running task(builder, 1'000);
  int piped = 0;
  while (task.sink.all.empty() && piped < 100) task.pipe(std::to_string(piped++), Bytes(100, 'v'), 1);
  EXPECT_GT(piped, 2);
  EXPECT_LT(piped, 10);
}

TEST(CachedTables, OldValuesAreThoseOfTheLastCommit) {
  StreamsBuilder builder;
  builder.table<Text, Text>("in", {}, {.store = "t"})
      .group_by([](const Text& key, const Text& value) { return std::pair(value, key); })
      .count({.store = "n"})
      .to_stream()
      .to("out");
  Running task(builder);
  task.pipe("k", "x", 1);
  task.pipe("k", "y", 2);
  task.commit();
  // new, old, and which of them there are: docs/formats/store-keys.md.
  const std::string topic = "app-n-repartition";
  EXPECT_EQ(task.sink.take(), fmt::format("app-t-changelog:k=y@2\n{}:y={}@2\n", topic, Bytes("k\x01", 2)));
  task.pipe("k", "z", 3);
  task.pipe("k", std::nullopt, 4);
  task.commit();
  EXPECT_EQ(task.sink.take(), fmt::format("app-t-changelog:k=-@4\n{}:y={}@4\n", topic, Bytes("k\0", 2)));
  task.pipe("new", "x", 5);
  task.pipe("new", std::nullopt, 6);
  task.commit();
  EXPECT_EQ(task.sink.take(), "");
}

// Where the record came from that a processor works on.
class WhereFrom final : public FixedKeyProcessor<Text, Text, Text> {
 public:
  Status process(const Record<Text, Text>& record) override {
    const auto from = context().record_metadata();
    const Text text = from ? fmt::format("{}-{}@{}", from->topic, from->partition, from->offset) : "a timer";
    return context().forward(record.with_value(text));
  }
};

TEST(CachedTables, WhatIsForwardedLaterKnowsWhereItCameFrom) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .reduce(longest, {.store = "s", .logging = false})
      .to_stream()
      .process_values([] { return std::make_unique<WhereFrom>(); })
      .to("out");
  Running task(builder);
  for (const char* key : {"a", "b", "a"}) task.pipe(key, "v", 1);
  task.commit();
  EXPECT_EQ(task.sink.take(), "out:b=in-0@1@1\nout:a=in-0@2@1\n");
}

TEST(CachedTables, CachesBehindCachesAreEmptyAfterACommit) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .reduce(longest, {.store = "first", .logging = false})
      .to_stream()
      .group_by_key()
      .reduce(longest, {.store = "second", .logging = false})
      .to_stream()
      .to("out");
  Running task(builder);
  task.pipe("a", "1", 1);
  task.pipe("a", "22", 2);
  task.commit();
  EXPECT_EQ(task.sink.take(), "out:a=22@2\n");
}

struct Shape {
  std::string name;
  std::function<void(StreamsBuilder&)> build;
};
std::vector<Shape> shapes() {
  const auto in = [](StreamsBuilder& b) { return b.stream<Text, Text>("in"); };
  return {{"count", [=](StreamsBuilder& b) { in(b).group_by_key().count({.store = "s"}).to_stream().to("out"); }},
          {"windows",
           [=](StreamsBuilder& b) {
             in(b)
                 .group_by_key()
                 .windowed_by({.size = 10ms, .advance = 5ms, .grace = 5ms})
                 .count({.store = "s"})
                 .to_stream()
                 .to("out", {.key = windowed_serde<Text>(10ms)});
           }},
          {"closed windows",
           [=](StreamsBuilder& b) {
             in(b)
                 .group_by_key()
                 .windowed_by({.size = 10ms, .grace = 0ms, .emit = EmitStrategy::on_window_close})
                 .count({.store = "s"})
                 .to_stream()
                 .to("out", {.key = windowed_serde<Text>(10ms)});
           }},
          {"a table's filter",
           [](StreamsBuilder& b) {
             b.table<Text, Text>("in", {}, {.store = "s"})
                 .filter([](const Text& value) { return value != "1"; })
                 .to_stream()
                 .to("out");
           }},
          {"a table's groups",
           [](StreamsBuilder& b) {
             b.table<Text, Text>("in", {}, {.store = "t"})
                 .group_by([](const Text& key, const Text& value) { return std::pair(value, key); })
                 .count({.store = "s"})
                 .to_stream()
                 .to("out");
           }},
          {"a join", [=](StreamsBuilder& b) {
             const auto table = in(b).group_by_key().reduce(longest, {.store = "s"});
             b.stream<Text, Text>("other")
                 .join(table, [](const Text& left, const Text& right) { return left + right; })
                 .to("out");
           }}};
}

// A driver commits after each record, as Kafka's does: a cache shows in nothing but the order of topics.
TEST(CachedTables, ADriverWritesTheSameWithAndWithoutCaches) {
  for (const Shape& shape : shapes()) {
    SCOPED_TRACE(shape.name);
    const auto run = [&](int64_t bytes) {
      StreamsBuilder builder;
      shape.build(builder);
      auto driver = *TestDriver::create(*builder.build(), {.cache_max_bytes = bytes});
      const auto piped = [&](const std::string& topic, const RawRecord& record) {
        const Status done = driver->pipe(topic, record);
        EXPECT_TRUE(done.ok()) << done.message();
      };
      for (int i = 0; i < 60; ++i) {
        const Text key(1, static_cast<char>('a' + i % 3));
        RawRecord record{.key = key, .value = std::to_string(i % 4), .timestamp_ms = i * 3 - i % 5};
        if (i % 7 == 6 && shape.name.starts_with("a table")) record.value.reset();
        piped("in", record);
        if (shape.name == "a join") piped("other", record);
        if (i == 30) {
          EXPECT_TRUE(driver->restart().ok());
        }
      }
      std::string out;
      for (const char* topic : {"out", "test-s-changelog", "test-t-changelog"}) {
        while (const auto record = driver->read(topic)) {
          out += fmt::format("{} {}={}@{}\n", topic, hex(record->key.value_or("")), hex(record->value.value_or("-")),
                             record->timestamp_ms);
        }
      }
      return out;
    };
    const std::string without = run(0);
    EXPECT_FALSE(without.empty());
    EXPECT_EQ(run(1 << 20), without);
  }
}

TEST(CachedTables, ARunningApplicationAnswersFromThemAndCommitsThem) {
  client::MemoryCluster cluster(system_clock(), {.blocking = true});
  const auto client = cluster.client();
  const auto admin = *client->admin();
  for (const char* topic : {"in", "out"}) {
    ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = 1, .replication_factor = 1}).ok());
  }
  const testing::TempDir folder;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count({.store = "s"}).to_stream().to("out");
  const auto config = *StreamsConfig::parse({{"application.id", "app"},
                                             {"bootstrap.servers", "memory:1"},
                                             {"state.dir", folder.str()},
                                             {"poll.ms", "10"},
                                             {"commit.interval.ms", "3600000"},
                                             {"statestore.cache.max.bytes", "10000000"}});
  const auto app = *KafkaStreams::create(*builder.build(), config, *client);
  ASSERT_TRUE(app->start().ok());
  const auto producer = *client->producer();
  for (int i = 0; i < 100; ++i) {
    const client::ProducedRecord record{.topic = "in", .key = "k", .value = "v", .timestamp_ms = i};
    ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
  }
  const auto counts = app->key_value<Text, int64_t>("s");
  ASSERT_TRUE(counts.ok());
  EXPECT_TRUE(testing::eventually([&] {
    const auto found = counts->get("k");
    return found.ok() && *found && (*found)->value == 100;
  }));
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());  // commits
  // A start and a rebalance may commit as well; records do not.
  const auto out = cluster.stored({"out", PartitionId(0)});
  ASSERT_FALSE(out.empty());
  EXPECT_LT(out.size(), 20U);
  EXPECT_EQ(out.back().value, Bytes("\0\0\0\0\0\0\0\x64", 8));
  EXPECT_EQ(cluster.stored({"app-s-changelog", PartitionId(0)}).size(), out.size());
}

}  // namespace
}  // namespace muir::streams
