// Applications of the DSL, running with threads of their own on the cluster in memory.
#include "streams/kafka_streams.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "client/cluster_memory.h"
#include "streams/dsl.h"
#include "streams/test_driver.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using testing::eventually;
using Text = std::string;

class KafkaStreamsTest : public ::testing::Test {
 protected:
  KafkaStreamsTest() : cluster_(system_clock(), {.blocking = true}), client_(cluster_.client()) {
    admin_ = std::move(*client_->admin());
    producer_ = std::move(*client_->producer());
  }
  void topic(const std::string& name, int32_t partitions = 3) {
    const Status created = admin_->create_topic({.name = name, .partitions = partitions, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.message();
  }
  void produce(const std::string& to, const std::string& key, const std::string& value) {
    const client::ProducedRecord record{.topic = to, .key = key, .value = value, .timestamp_ms = 1'000};
    ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
  }
  std::unique_ptr<KafkaStreams> start(const Topology& topology, std::map<std::string, std::string> more = {},
                                      const std::string& folder = "a") {
    std::map<std::string, std::string> properties = {{"application.id", "app"},
                                                     {"bootstrap.servers", "memory:1"},
                                                     {"state.dir", (folder_.path() / folder).string()},
                                                     {"processing.guarantee", "exactly_once_v2"},
                                                     {"num.stream.threads", "2"},
                                                     {"poll.ms", "10"},
                                                     {"commit.interval.ms", "20"}};
    for (auto& [key, value] : more) properties[key] = value;
    auto config = StreamsConfig::parse(properties);
    CHECK(config.ok(), "{}", config.status().message());
    auto app = KafkaStreams::create(topology, *config, *client_, {.metrics = &metrics_});
    CHECK(app.ok(), "{}", app.status().message());
    return std::move(*app);
  }
  double shown(std::string_view name, Labels labels = {}) const {
    labels["application"] = "app";
    return testing::metric_value(metrics_, name, labels);
  }
  // Committed records of a topic, newest per key.
  std::map<Text, Text> newest(const std::string& name, int32_t partitions = 3) {
    std::map<Text, Text> out;
    for (int32_t p = 0; p < partitions; ++p) {
      for (const auto& record : cluster_.stored({name, PartitionId(p)})) {
        if (record.state == client::StoredRecord::State::committed && record.value)
          out[record.key.value_or("")] = *record.value;
      }
    }
    return out;
  }

  MetricsRegistry metrics_;
  client::MemoryCluster cluster_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  testing::TempDir folder_;
};

struct Place {
  std::string name;
  double lat = 0;
};
void describe(Fields& fields, Place& place) { fields("name", place.name)("lat", place.lat); }

// Avro, which is what a described type gets, needs a registry: who has none is told before anything starts, by the
// operator's name. A serde named at the source goes as far as Kafka's would.
TEST_F(KafkaStreamsTest, ASerdeThatNeedsARegistryIsAMistakeBeforeTheStart) {
  using Places = KStream<Text, Place>;
  struct Case {
    std::string name;
    std::function<void(const Places&)> below;
    std::string want;  // empty: it runs without a registry
  };
  const auto same = [](const Place& place) { return place; };
  const auto pair = [](const Text& key, const Place& place) { return std::pair(key, place); };
  const std::vector<Case> cases{
      {"kept", [](const Places& in) { in.to("out"); }, ""},
      {"kept by filter", [](const Places& in) { in.filter([](const Place&) { return true; }).to("out"); }, ""},
      {"kept by a new key", [](const Places& in) { in.select_key([](const Place& p) { return p.name; }).to("out"); },
       ""},
      {"lost by map", [&](const Places& in) { in.map(pair).to("out"); },
       "KSTREAM-SINK-0000000002, which writes topic out"},
      {"lost by map_values", [&](const Places& in) { in.map_values(same, {.name = "m"}).to("out", {.name = "end"}); },
       "the value of end, which writes topic out"},
      {"lost by map, named again", [&](const Places& in) { in.map(pair).to("out", {.value = json<Place>()}); }, ""},
      {"a store's",
       [](const Places& in) {
         in.group_by_key().aggregate(Place(), [](const Place& p, const Place&) { return p; }, {.store = "s"});
       },
       "the value of state store s"},
      {"a reduction keeps it",
       [](const Places& in) {
         in.group_by_key().reduce([](const Place& p, const Place&) { return p; }, {.store = "s"});
       },
       ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    c.below(builder.stream<Text, Place>("in", {.value = json<Place>()}));
    const auto topology = builder.build();
    ASSERT_TRUE(topology.ok()) << topology.status().message();
    const auto config = StreamsConfig::parse(
        {{"application.id", "app"}, {"bootstrap.servers", "memory:1"}, {"state.dir", folder_.str()}});
    const auto app = KafkaStreams::create(*topology, *config, *client_);
    EXPECT_EQ(app.ok(), c.want.empty()) << app.status().message();
    EXPECT_EQ(TestDriver::create(*topology).ok(), c.want.empty());
    MemoryRegistry registry;
    EXPECT_TRUE(KafkaStreams::create(*topology, *config, *client_, {.registry = &registry}).ok());
    if (c.want.empty()) continue;
    const std::string message = app.status().message();
    EXPECT_NE(message.find(c.want), std::string::npos) << message;
    EXPECT_NE(message.find("schema.registry.url"), std::string::npos) << message;
    EXPECT_NE(message.find("such as json<"), std::string::npos) << message;
  }
}

Topology word_count() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("lines")
      .flat_map_values([](const Text& line) {
        std::vector<Text> words;
        for (size_t at = 0; at < line.size();) {
          const size_t end = std::min(line.find(' ', at), line.size());
          words.push_back(line.substr(at, end - at));
          at = end + 1;
        }
        return words;
      })
      .group_by([](const Text& word) { return word; }, {.name = "by-word"})
      .count({.store = "counts"})
      .to_stream()
      .map_values([](const int64_t& count) { return std::to_string(count); })
      .to("word-counts");
  auto topology = builder.build();
  CHECK(topology.ok(), "{}", topology.status().message());
  return *topology;
}

TEST_F(KafkaStreamsTest, CountsWordsThroughARepartitionTopicAndAnswersQueries) {
  topic("lines");
  topic("word-counts");
  auto app = start(word_count());
  EXPECT_EQ(app->state(), StreamsState::created);
  ASSERT_TRUE(app->start().ok());
  ASSERT_TRUE(app->wait_until_running(muir::testing::kPatienceMs).ok());
  produce("lines", "1", "bus tram bus");
  produce("lines", "2", "tram metro bus");
  const std::map<Text, Text> expected = {{"bus", "3"}, {"tram", "2"}, {"metro", "1"}};
  EXPECT_TRUE(eventually([&] { return newest("word-counts") == expected; }));

  const auto counts = app->key_value<Text, int64_t>("counts");
  ASSERT_TRUE(counts.ok()) << counts.status().message();
  const auto bus = counts->get("bus");
  ASSERT_TRUE(bus.ok() && bus->has_value()) << bus.status().message();
  EXPECT_EQ((*bus)->value, 3);
  EXPECT_EQ((*bus)->timestamp_ms, 1'000);
  EXPECT_FALSE(counts->get("train")->has_value());
  EXPECT_EQ(counts->all()->size(), 3U);
  EXPECT_EQ(counts->range("c", "n")->size(), 1U);
  const auto where = app->metadata_for_key("counts", "bus");
  ASSERT_TRUE(where.ok()) << where.status().message();
  EXPECT_TRUE(where->local);
  EXPECT_EQ((app->key_value<Text, int64_t>("nothing").status().code()), Code::not_found);

  EXPECT_GE(app->metrics().records_processed, 8U);
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());
  EXPECT_EQ(app->state(), StreamsState::not_running);
  EXPECT_EQ(counts->get("bus").status().code(), Code::unavailable);
}

TEST_F(KafkaStreamsTest, ASecondInstanceTakesItsShareAndGivesItBack) {
  topic("lines", 4);
  topic("word-counts");
  auto first = start(word_count(), {{"num.stream.threads", "1"}, {"application.server", "one:1"}}, "a");
  ASSERT_TRUE(first->start().ok());
  ASSERT_TRUE(first->wait_until_running(muir::testing::kPatienceMs).ok());
  for (int i = 0; i < 100; ++i) produce("lines", std::to_string(i), "w" + std::to_string(i % 10));
  auto second = start(word_count(), {{"num.stream.threads", "1"}, {"application.server", "two:2"}}, "b");
  ASSERT_TRUE(second->start().ok());
  for (int i = 0; i < 100; ++i) produce("lines", std::to_string(i), "w" + std::to_string(i % 10));
  std::map<Text, Text> expected;
  for (int i = 0; i < 10; ++i) expected["w" + std::to_string(i)] = "20";
  EXPECT_TRUE(eventually([&] { return newest("word-counts") == expected; }));
  EXPECT_TRUE(eventually([&] { return second->metrics().rebalances > 0 && second->state() == StreamsState::running; }));
  EXPECT_TRUE(eventually([&] {
    std::set<std::string> hosts;
    for (int i = 0; i < 10; ++i) {
      const auto where = first->metadata_for_key("counts", "w" + std::to_string(i));
      if (where.ok()) hosts.insert(where->host);
    }
    return hosts == std::set<std::string>{"one", "two"};
  }));
  ASSERT_TRUE(first->close(muir::testing::kPatienceMs).ok());
  for (int i = 0; i < 10; ++i) produce("lines", std::to_string(i), "w" + std::to_string(i));
  for (auto& [word, count] : expected) count = "21";
  EXPECT_TRUE(eventually([&] { return newest("word-counts") == expected; }));
  ASSERT_TRUE(second->close(muir::testing::kPatienceMs).ok());
}

Topology poisoned() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("lines")
      .map_values([](const Text& line) -> Text {
        if (line == "poison") throw std::runtime_error("poisoned");
        return line;
      })
      .to("copies");
  return *builder.build();
}

TEST_F(KafkaStreamsTest, AnUncaughtFailureStopsTheClientAndSaysWhy) {
  topic("lines");
  topic("copies");
  std::mutex mutex;
  std::vector<StreamsState> states;  // outlives the application, which tells its listener after it has changed
  auto app = start(poisoned());
  app->set_state_listener([&](StreamsState to, StreamsState) {
    const std::lock_guard guard(mutex);
    states.push_back(to);
  });
  ASSERT_TRUE(app->start().ok());
  ASSERT_TRUE(app->wait_until_running(muir::testing::kPatienceMs).ok());
  produce("lines", "k", "poison");
  EXPECT_TRUE(eventually([&] { return app->state() == StreamsState::error; }));
  EXPECT_NE(app->failure().message().find("poisoned"), std::string::npos) << app->failure().message();
  EXPECT_EQ(app->wait_until_running(0).message(), app->failure().message());
  const auto heard = [&](StreamsState state) {
    const std::lock_guard guard(mutex);
    return std::count(states.begin(), states.end(), state) == 1;
  };
  EXPECT_TRUE(eventually([&] { return heard(StreamsState::pending_error) && heard(StreamsState::error); }));
  const std::lock_guard guard(mutex);
  EXPECT_EQ(states.front(), StreamsState::rebalancing);
}

// The leader's answer to the other members has no room for the reason; the threads of one instance know it all the
// same.
TEST_F(KafkaStreamsTest, WhyTasksCannotBeAssignedIsSaidByWhicheverThreadEndsFirst) {
  topic("lines");
  topic("word-counts");
  topic("app-counts-changelog", 7);
  for (int attempt = 0; attempt < 5; ++attempt) {
    auto app = start(word_count(), {{"num.stream.threads", "4"}});
    ASSERT_TRUE(app->start().ok());
    const Status refused = app->wait_until_running(muir::testing::kPatienceMs);
    EXPECT_NE(refused.message().find("internal topic app-counts-changelog has 7 partitions"), std::string::npos)
        << refused.message();
    EXPECT_TRUE(eventually([&] { return app->state() == StreamsState::error; }));
    EXPECT_LE(app->metrics().rebalances, 4U);
  }
}

TEST_F(KafkaStreamsTest, AThreadMayBeReplaced) {
  topic("lines");
  topic("copies");
  std::atomic<int> failures = 0;
  auto app = start(poisoned(), {{"num.stream.threads", "1"}});  // of two, both might fail before the last answer counts
  app->set_uncaught_exception_handler([&](const Status&) {
    // A poisoned record comes back to the new thread; it gives up after some.
    return ++failures < 3 ? UncaughtResponse::replace_thread : UncaughtResponse::shutdown_client;
  });
  ASSERT_TRUE(app->start().ok());
  produce("lines", "k", "poison");
  EXPECT_TRUE(eventually([&] { return app->state() == StreamsState::error; }));
  EXPECT_GE(failures, 3);  // the poisoned task may have reached the other thread as well
}

TEST_F(KafkaStreamsTest, DeadLettersKeepWhatFailed) {
  topic("lines");
  topic("copies");
  topic("dead");
  auto app = start(poisoned(), {{"processing.exception.handler", "log_and_continue"},
                                {"errors.dead.letter.queue.topic.name", "dead"}});
  ASSERT_TRUE(app->start().ok());
  produce("lines", "k", "poison");
  produce("lines", "k", "fine");
  EXPECT_TRUE(eventually([&] { return newest("copies") == std::map<Text, Text>{{"k", "fine"}}; }));
  EXPECT_TRUE(eventually([&] { return newest("dead") == std::map<Text, Text>{{"k", "poison"}}; }));
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());
}

TEST_F(KafkaStreamsTest, MetricsCountEveryRecordThatIsDropped) {
  topic("numbers", 1);
  topic("names", 1);
  topic("out", 1);
  StreamsBuilder builder;
  const auto names = builder.global_table<Text, Text>("names", {}, {.store = "names-store"});
  const auto numbers = builder.stream<Text, int64_t>(
      "numbers", {.timestamp = [](const Record<Text, int64_t>& record,
                                  int64_t) { return record.value != nullptr ? *record.value : 0; },
                  .invalid_timestamp = InvalidTimestamp::skip});
  numbers.group_by_key().windowed_by({.size = std::chrono::seconds(1), .grace = std::chrono::seconds(0)}).count();
  numbers
      .join(
          names, [](const Text& key, const int64_t&) { return key; },
          [](const int64_t&, const Text& name) {
            if (name == "poison") throw std::runtime_error("poisoned");
            return name;
          })
      .to("out");
  const auto built = builder.build();
  ASSERT_TRUE(built.ok()) << built.status().message();
  const auto send = [&](OptBytesView key, OptBytesView value, const std::string& to = "numbers") {
    const client::ProducedRecord record{.topic = to, .key = key, .value = value, .timestamp_ms = 1};
    ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
  };
  const auto at = [](int64_t time_ms) {
    Bytes bytes;
    EXPECT_TRUE(default_serde<int64_t>().serialize("numbers", time_ms, bytes).ok());
    return bytes;
  };
  send("v1", "Bus 1", "names");
  send("v2", "poison", "names");
  send(std::nullopt, "nobody", "names");  // 1: a table needs a key
  send("v1", at(5'000));                  // the only one of which something comes
  send("v1", "no number");                // 2: cannot be read
  send("v1", at(-1));                     // 3: no valid time
  send(std::nullopt, at(5'000));          // 4, 5: neither operator takes a record without key
  send("v1", at(3'000));                  // 6: its window is closed
  send("v2", at(5'000));                  // 7: its processing fails
  send("v9", at(5'000));                  // not in the table: not a drop, as in Kafka Streams
  auto app = start(*built, {{"num.stream.threads", "1"},
                            {"deserialization.exception.handler", "log_and_continue"},
                            {"processing.exception.handler", "log_and_continue"}});
  ASSERT_TRUE(app->start().ok());
  EXPECT_TRUE(eventually([&] { return app->metrics().records_processed >= 6; }));
  EXPECT_TRUE(eventually([&] { return app->metrics().records_dropped >= 7; })) << app->metrics().records_dropped;
  // What comes of a record is sent, and the state told, a little after it has been counted.
  EXPECT_TRUE(eventually([&] { return newest("out", 1) == std::map<Text, Text>{{"v1", "Bus 1"}}; }));
  EXPECT_TRUE(eventually([&] { return shown("muir_streams_state", {{"state", "RUNNING"}}) == 1; }));
  EXPECT_EQ(shown("muir_streams_alive_threads"), 1);
  EXPECT_EQ(shown("muir_streams_tasks_created_total") - shown("muir_streams_tasks_closed_total"), 1);
  EXPECT_EQ(shown("muir_streams_restored_records_total"), 3);  // read for the global table
  EXPECT_GE(shown("muir_streams_polled_records_total"), 7);
  EXPECT_GE(shown("muir_streams_poll_duration_seconds"), 1);
  EXPECT_TRUE(eventually([&] { return shown("muir_streams_commit_duration_seconds") >= 1; }));
  // The same by thread and by task; Kafka's names are in docs/guide/metrics.md.
  const auto added_up = [&](const std::string& name, const std::string& label) {
    const MetricFamilies all = metrics_.collect();
    const auto family = all.find(name);
    double sum = family == all.end() ? -1 : 0;
    if (family == all.end()) return sum;
    for (const auto& [labels, value] : family->second.values) {
      EXPECT_TRUE(labels.at("thread").ends_with("-StreamThread-1")) << labels.at("thread");
      EXPECT_TRUE(label == "thread" || labels.at(label) == "1_0") << labels.at(label);
      sum += value;
    }
    return sum;
  };
  const auto processed = static_cast<double>(app->metrics().records_processed);
  EXPECT_EQ(added_up("muir_streams_thread_process", "thread"), processed);
  EXPECT_EQ(added_up("muir_streams_task_process", "task"), processed);
  EXPECT_GT(added_up("muir_streams_thread_process_seconds", "thread"), 0);
  EXPECT_GT(added_up("muir_streams_task_process_seconds", "task"), 0);
  EXPECT_GE(added_up("muir_streams_thread_commit", "thread"), 1);
  EXPECT_GE(added_up("muir_streams_thread_poll", "thread"), 1);
  EXPECT_GE(added_up("muir_streams_thread_poll_records", "thread"), 7);
  EXPECT_EQ(added_up("muir_streams_thread_task_created", "thread"), 1);
  EXPECT_EQ(added_up("muir_streams_thread_task_closed", "thread"), 0);
  EXPECT_EQ(added_up("muir_streams_thread_punctuate", "thread"), 0);
  EXPECT_EQ(added_up("muir_streams_task_dropped_records", "task"), 6) << "but for the global table's";
  EXPECT_EQ(added_up("muir_streams_task_restore", "task"), 0);
  EXPECT_EQ(added_up("muir_streams_task_restore_remaining_records", "task"), 0);
  EXPECT_EQ(added_up("muir_streams_task_active_buffer_records", "task"), 0);
  const auto entries_of_stores = [&] {
    const MetricFamilies all = metrics_.collect();
    const auto stores = all.find("muir_streams_store_entries");
    if (stores == all.end()) return std::string("none");
    std::string out;
    for (const auto& [labels, entries] : stores->second.values)
      out += fmt::format("{}={} ", labels.at("store"), entries);
    return out;
  };
  EXPECT_TRUE(entries_of_stores().starts_with("KSTREAM-AGGREGATE-STATE-STORE-")) << entries_of_stores();
  EXPECT_FALSE(entries_of_stores().ends_with("=0 ")) << entries_of_stores();
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());
  EXPECT_EQ(app->metrics().records_dropped, 7U);
  EXPECT_EQ(shown("muir_streams_dropped_records_total"), 7);
  EXPECT_EQ(shown("muir_streams_processed_records_total"), static_cast<double>(app->metrics().records_processed));
  EXPECT_EQ(shown("muir_streams_tasks_created_total"), shown("muir_streams_tasks_closed_total"));
  EXPECT_EQ(added_up("muir_streams_thread_task_closed", "thread"), 1);
  EXPECT_EQ(added_up("muir_streams_task_process", "task"), -1) << "series of a task go with it";
  EXPECT_EQ(shown("muir_streams_state", {{"state", "NOT_RUNNING"}}), 1);
  app.reset();
  EXPECT_EQ(shown("muir_streams_alive_threads"), -1) << "series go with the application";
}

TEST_F(KafkaStreamsTest, GlobalTablesAreReadBeforeAnythingIsJoined) {
  topic("lines");
  topic("copies");
  topic("names", 2);
  for (int i = 0; i < 50; ++i) produce("names", "v" + std::to_string(i), "Bus " + std::to_string(i));
  StreamsBuilder builder;
  const auto names = builder.global_table<Text, Text>("names", {}, {.store = "names-store"});
  builder.stream<Text, Text>("lines")
      .join(
          names, [](const Text& key, const Text&) { return key; },
          [](const Text& line, const Text& name) { return name + ": " + line; })
      .to("copies");
  const auto topology = builder.build();
  ASSERT_TRUE(topology.ok()) << topology.status().message();
  auto app = start(*topology);
  ASSERT_TRUE(app->start().ok());
  produce("lines", "v7", "late");
  EXPECT_TRUE(eventually([&] { return newest("copies") == std::map<Text, Text>{{"v7", "Bus 7: late"}}; }));
  produce("names", "v8", "Tram 8");
  EXPECT_TRUE(eventually([&] {
    const auto view = app->key_value<Text, Text>("names-store");
    if (!view.ok()) return false;
    const auto found = view->get("v8");
    return found.ok() && found->has_value() && (*found)->value == "Tram 8";
  }));
  ASSERT_TRUE(app->close(muir::testing::kPatienceMs).ok());
}

TEST_F(KafkaStreamsTest, MissingSourceTopicsAreNamed) {
  topic("word-counts");
  auto app = start(word_count());
  ASSERT_TRUE(app->start().ok());
  EXPECT_TRUE(eventually([&] { return app->state() == StreamsState::error; }));
  EXPECT_NE(app->failure().message().find("missing source topics of application app: lines"), std::string::npos)
      << app->failure().message();
}

}  // namespace
}  // namespace muir::streams
