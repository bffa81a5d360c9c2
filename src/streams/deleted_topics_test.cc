// Topics that are deleted, made anew or grow while an application reads them: what it becomes of, and that nobody has
// to guess. What Kafka Streams 4.3.1 does was tried: it ends for source topics, makes its own topics anew, and keeps
// global tables as they are.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "client/cluster_memory.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using testing::eventually;
using Text = std::string;

class DeletedTopics : public ::testing::Test {
 protected:
  DeletedTopics() {
    for (const char* name : {"lines", "other", "names", "counts-of", "named"}) make(name);
  }
  ~DeletedTopics() override {
    if (app_) (void)app_->close(muir::testing::kPatienceMs);
  }
  void make(const std::string& name, int32_t partitions = 2) {
    const Status created = admin_->create_topic({.name = name, .partitions = partitions});
    ASSERT_TRUE(created.ok()) << created.message();
  }
  void produce(const std::string& to, const std::string& key, const std::string& value,
               std::optional<PartitionId> partition = {}) {
    const client::ProducedRecord record{
        .topic = to, .partition = partition, .key = key, .value = value, .timestamp_ms = 1'000};
    ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
  }
  // Counts the words of `lines`, and gives the keys of `other` their names.
  static Topology topology() {
    StreamsBuilder builder;
    builder.stream<Text, Text>("lines")
        .group_by([](const Text& word) { return word; }, {.name = "by-word"})
        .count({.store = "counts"})
        .to_stream()
        .map_values([](const int64_t& count) { return std::to_string(count); })
        .to("counts-of");
    builder.stream<Text, Text>("other")
        .join(
            builder.global_table<Text, Text>("names", {}, {.store = "names-store"}),
            [](const Text& key, const Text&) { return key; },
            [](const Text& value, const Text& name) { return name + ": " + value; })
        .to("named");
    auto built = builder.build();
    CHECK(built.ok(), "{}", built.status().message());
    return *built;
  }
  void start(std::map<std::string, std::string> more = {}) {
    std::map<std::string, std::string> properties = {{"application.id", "app"},
                                                     {"bootstrap.servers", "memory:1"},
                                                     {"state.dir", folder_.str()},
                                                     {"num.stream.threads", "2"},
                                                     {"poll.ms", "10"},
                                                     {"commit.interval.ms", "20"}};
    for (auto& [key, value] : more) properties[key] = value;
    const auto config = StreamsConfig::parse(properties);
    ASSERT_TRUE(config.ok()) << config.status().message();
    auto app = KafkaStreams::create(topology(), *config, *client_);
    ASSERT_TRUE(app.ok()) << app.status().message();
    app_ = std::move(*app);
    ASSERT_TRUE(app_->start().ok());
    ASSERT_TRUE(app_->wait_until_running(muir::testing::kPatienceMs).ok());
  }
  // Committed records of a topic, newest per key.
  std::map<Text, Text> newest(const std::string& name, int32_t partitions = 2) {
    std::map<Text, Text> out;
    for (int32_t p = 0; p < partitions; ++p) {
      for (const auto& record : cluster_.stored({name, PartitionId(p)})) {
        if (record.state == client::StoredRecord::State::committed && record.value)
          out[record.key.value_or("")] = *record.value;
      }
    }
    return out;
  }
  bool ends_with_error() {
    return eventually([&] { return app_->state() == StreamsState::error; });
  }

  client::MemoryCluster cluster_{system_clock(), {.blocking = true}};
  std::unique_ptr<client::Client> client_ = cluster_.client();
  std::unique_ptr<client::Admin> admin_ = client_->admin().value();
  std::unique_ptr<client::Producer> producer_ = client_->producer().value();
  testing::TempDir folder_;
  std::unique_ptr<KafkaStreams> app_;
};

TEST_F(DeletedTopics, ThatAreSourcesEndTheApplicationAndAreNamed) {
  struct Row {
    const char* name;
    const char* topic;
    const char* guarantee;
    const char* commit_interval_ms;  // what was processed before is committed, or not
  };
  for (const Row& row : {Row{"idle", "lines", "at_least_once", "20"},
                         Row{"with something to commit", "lines", "at_least_once", "3600000"},
                         Row{"idle, in transactions", "lines", "exactly_once_v2", "20"},
                         Row{"with something to commit, in a transaction", "lines", "exactly_once_v2", "9000"},
                         Row{"of another subtopology", "other", "exactly_once_v2", "20"}}) {
    SCOPED_TRACE(row.name);
    produce("names", "k", "K");
    start({{"processing.guarantee", row.guarantee}, {"commit.interval.ms", row.commit_interval_ms}});
    std::atomic<int> asked = 0;
    const uint64_t before = app_->metrics().records_processed;
    app_->set_uncaught_exception_handler([&](const Status& failure) {
      ++asked;
      EXPECT_EQ(failure.code(), Code::not_found) << failure.message();
      return UncaughtResponse::shutdown_client;
    });
    produce("lines", "1", "bus");
    produce("other", "k", "v");
    ASSERT_TRUE(eventually([&] { return app_->metrics().records_processed >= before + 2; }));
    ASSERT_TRUE(admin_->delete_topic(row.topic).ok());
    EXPECT_TRUE(ends_with_error());
    EXPECT_GE(asked, 1);
    EXPECT_NE(app_->failure().message().find(fmt::format("missing source topics of application app: {}", row.topic)),
              std::string::npos)
        << app_->failure().message();
    ASSERT_TRUE(app_->close(muir::testing::kPatienceMs).ok());
    app_.reset();
    make(row.topic);
  }
}

TEST_F(DeletedTopics, AreWaitedForByAHandlerThatReplacesThreads) {
  start();
  app_->set_uncaught_exception_handler([](const Status&) { return UncaughtResponse::replace_thread; });
  ASSERT_TRUE(admin_->delete_topic("lines").ok());
  ASSERT_TRUE(eventually([&] { return app_->metrics().threads_failed > 0; }));
  make("lines");
  produce("lines", "1", "bus");
  EXPECT_TRUE(eventually([&] { return newest("counts-of") == std::map<Text, Text>{{"bus", "1"}}; }));
  EXPECT_TRUE(eventually([&] { return app_->state() == StreamsState::running; }));
}

TEST_F(DeletedTopics, OfTheApplicationAreMadeAnew) {
  for (const char* guarantee : {"at_least_once", "exactly_once_v2"}) {
    SCOPED_TRACE(guarantee);
    start({{"processing.guarantee", guarantee}});
    const auto buses = [&] { return std::atoi(newest("counts-of")["bus"].c_str()); };
    const int before = buses();
    produce("lines", "1", "bus");
    ASSERT_TRUE(eventually([&] { return buses() == before + 1; }));
    ASSERT_TRUE(admin_->delete_topic("app-by-word-repartition").ok());
    EXPECT_TRUE(eventually([&] { return admin_->describe_topic("app-by-word-repartition").ok(); }));
    EXPECT_TRUE(eventually([&] {
      produce("lines", "1", "bus");
      return buses() > before + 1;
    })) << app_->failure().message();
    EXPECT_TRUE(eventually([&] { return app_->state() == StreamsState::running; }));
    ASSERT_TRUE(app_->close(muir::testing::kPatienceMs).ok());
    app_.reset();
  }
}

TEST_F(DeletedTopics, OfGlobalTablesLeaveThemAsTheyAre) {
  produce("names", "k", "K");
  start();
  ASSERT_TRUE(admin_->delete_topic("names").ok());
  produce("other", "k", "1");
  EXPECT_TRUE(eventually([&] { return newest("named")["k"] == "K: 1"; }));
  EXPECT_TRUE(eventually([&] { return app_->state() == StreamsState::running; }));
  // Another topic of that name holds something else: the tables that joins read at this moment do not fit it.
  make("names");
  produce("names", "k", "L");
  EXPECT_TRUE(ends_with_error());
  EXPECT_NE(app_->failure().message().find("global table topic=names"), std::string::npos) << app_->failure().message();
  ASSERT_TRUE(app_->close(muir::testing::kPatienceMs).ok());
  start();
  produce("other", "k", "2");
  EXPECT_TRUE(eventually([&] { return newest("named")["k"] == "L: 2"; }));
}

TEST_F(DeletedTopics, OfGlobalTablesAreMissedAtTheStart) {
  ASSERT_TRUE(admin_->delete_topic("names").ok());
  const auto config = StreamsConfig::parse(
      {{"application.id", "app"}, {"bootstrap.servers", "memory:1"}, {"state.dir", folder_.str()}});
  app_ = KafkaStreams::create(topology(), *config, *client_).value();
  const Status started = app_->start();
  EXPECT_EQ(started.code(), Code::not_found) << started.message();
  EXPECT_NE(started.message().find("names"), std::string::npos) << started.message();
}

TEST_F(DeletedTopics, PartitionsThatAreAddedAreRead) {
  produce("names", "k", "K");
  start();
  ASSERT_TRUE(admin_->create_partitions("other", 3).ok());
  produce("other", "k", "added", PartitionId(2));
  EXPECT_TRUE(eventually([&] { return newest("named")["k"] == "K: added"; })) << app_->failure().message();
}

}  // namespace
}  // namespace muir::streams
