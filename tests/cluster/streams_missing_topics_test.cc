// What an application does when a topic that it writes to is not there, or is deleted while it runs, alike on Muir's
// broker and on Apache Kafka without automatic creation. Kafka Streams 4.3.1 was run beside it: what its handlers are
// asked, and where it goes other ways, is in docs/guide/streams.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <tuple>
#include <vector>

#include "broker/broker.h"
#include "client/kafka_client.h"
#include "interop/brokers.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using interop::Vendor;
constexpr int64_t kWaitMs = 60'000;
constexpr int64_t kRecords = 20;  // two of which are for the topic in question

enum class Handler : unsigned char { proceeds, fails, built_in };
enum class Topic : unsigned char { missing, comes, deleted };
enum class Outcome : unsigned char { skipped, failed, waited_for, given_up };

struct MissingCase {
  const char* name;
  bool exactly_once;
  Handler handler;
  Topic topic;
  Outcome outcome;
};
constexpr MissingCase kMissingCases[] = {
    // Kafka Streams asks its handler, too, after max.block.ms.
    {"at least once, the handler proceeds", false, Handler::proceeds, Topic::missing, Outcome::skipped},
    {"at least once, the handler fails", false, Handler::fails, Topic::missing, Outcome::failed},
    // As its default handler, which answers RETRY; but it never gives up.
    {"at least once, retried", false, Handler::built_in, Topic::missing, Outcome::given_up},
    {"at least once, and it comes", false, Handler::built_in, Topic::comes, Outcome::waited_for},
    // Nobody is asked: the transaction is lost in any case. Kafka Streams asks, and ends whatever the answer.
    {"exactly once, the handler proceeds", true, Handler::proceeds, Topic::missing, Outcome::given_up},
    {"exactly once, and it comes", true, Handler::built_in, Topic::comes, Outcome::waited_for},
    {"exactly once, deleted", true, Handler::built_in, Topic::deleted, Outcome::given_up},
};

const std::string& bootstrap_of(Vendor vendor) {
  static const auto apache = muir::testing::KafkaCluster::start(1, {{"auto.create.topics.enable", "false"}});
  static const muir::testing::TempDir folder;
  static const auto muir = broker::Broker::start(
      {.port = 0,
       .data_dir = folder.str(),
       .properties = {{"group.initial.rebalance.delay.ms", "0"}, {"auto.create.topics.enable", "false"}}});
  static const std::string ours = fmt::format("127.0.0.1:{}", (*muir)->port());
  return vendor == Vendor::muir ? ours : apache->bootstrap_servers();
}

class StreamsMissingTopics : public ::testing::TestWithParam<std::tuple<Vendor, MissingCase>> {
 protected:
  [[nodiscard]] const MissingCase& of() const { return std::get<1>(GetParam()); }
  void SetUp() override {
    static int number = 0;
    id_ = fmt::format("missing-{}", number++);
    client_ = client::connect_kafka({{"bootstrap.servers", bootstrap_of(std::get<0>(GetParam()))}}).value();
    admin_ = client_->admin({}).value();
    create(id_ + "-in");
    create(id_ + "-out");
  }
  void create(const std::string& topic) const {
    const Status made = admin_->create_topic({.name = topic, .partitions = 1, .replication_factor = 1});
    ASSERT_TRUE(made.ok()) << made.to_string();
  }
  // Records of which the eighth and the thirteenth are for the other topic.
  void send() const {
    const auto producer = client_->producer({}).value();
    std::vector<client::ProducedRecord> records;
    for (int64_t i = 0; i < kRecords; ++i)
      records.push_back({.topic = id_ + "-in", .key = "k", .value = i == 7 || i == 12 ? "other" : "out"});
    ASSERT_TRUE(producer->send(records).ok());
    ASSERT_TRUE(producer->flush(kWaitMs).ok());
  }
  std::unique_ptr<KafkaStreams> start(std::atomic<int>& asked) const {
    StreamsBuilder builder;
    builder.stream<std::string, std::string>(id_ + "-in").to([id = id_](const std::string& v) { return id + "-" + v; });
    const auto config =
        StreamsConfig::parse({{"application.id", id_},
                              {"bootstrap.servers", bootstrap_of(std::get<0>(GetParam()))},
                              {"processing.guarantee", of().exactly_once ? "exactly_once_v2" : "at_least_once"},
                              {"state.dir", folder_.str()},
                              {"commit.interval.ms", "100"},
                              {"auto.offset.reset", "earliest"},
                              {"task.timeout.ms", of().topic == Topic::comes ? "60000" : "1500"},
                              {"producer.max.block.ms", "500"},
                              {"producer.request.timeout.ms", "1000"},
                              {"producer.delivery.timeout.ms", "1500"}});
    EXPECT_TRUE(config.ok()) << config.status().to_string();
    StreamsEnvironment environment;
    if (of().handler != Handler::built_in) {
      environment.on_failure = [&asked, proceeds = of().handler == Handler::proceeds](const FailedRecord& failed,
                                                                                      RecordSink&) {
        ++asked;
        return proceeds ? Status() : failed.cause;
      };
    }
    auto app = KafkaStreams::create(*builder.build(), *config, *client_, environment);
    EXPECT_TRUE(app.ok()) << app.status().to_string();
    EXPECT_TRUE((*app)->start().ok());
    return std::move(*app);
  }
  [[nodiscard]] int64_t written(const std::string& suffix) const {
    const client::TopicPartition tp{id_ + suffix, PartitionId(0)};
    const auto consumer = client_->consumer({{"isolation.level", "read_committed"}}).value();
    const client::PartitionStart start{tp, Offset(0)};
    const auto end = admin_->list_offsets({tp}, client::OffsetSpec::latest(), client::IsolationLevel::read_committed);
    if (!end.ok() || !consumer->assign({{start}}).ok()) return -1;
    int64_t count = 0;
    const bool read = muir::testing::eventually([&] {
      if (const auto at = consumer->position(tp); at.ok() && *at >= end->at(tp)) return true;
      if (const auto records = consumer->poll(50); records.ok()) count += static_cast<int64_t>((*records)->count());
      return false;
    });
    return read ? count : -1;
  }
  [[nodiscard]] bool committed_all(int64_t records) const {
    const auto at = admin_->committed_offsets(id_, {{id_ + "-in", PartitionId(0)}}, true);
    if (!at.ok() || at->empty()) return false;
    return of().exactly_once ? at->begin()->second.offset >= Offset(records)
                             : at->begin()->second.offset == Offset(records);
  }

  std::string id_;
  const muir::testing::TempDir folder_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
};

TEST_P(StreamsMissingTopics, AreNoRecordsFault) {
  SCOPED_TRACE(of().name);
  std::atomic<int> asked = 0;
  int64_t records = kRecords;
  if (of().topic == Topic::deleted) create(id_ + "-other");
  send();
  if (HasFatalFailure()) return;
  const auto app = start(asked);
  if (of().topic == Topic::deleted) {
    ASSERT_TRUE(muir::testing::eventually([&] { return committed_all(kRecords); }));
    ASSERT_TRUE(admin_->delete_topic(id_ + "-other").ok());
    send();
    records += kRecords;
  } else if (of().topic == Topic::comes) {
    // It has begun anew at least once before.
    ASSERT_TRUE(muir::testing::eventually([&] { return app->metrics().tasks_revived > 0; }));
    EXPECT_FALSE(committed_all(kRecords));
    create(id_ + "-other");
  }
  if (of().outcome == Outcome::failed || of().outcome == Outcome::given_up) {
    ASSERT_TRUE(muir::testing::eventually([&] { return app->state() == StreamsState::error; }));
    const std::string message = app->failure().message();
    // All partitions of a transaction fail with the one that is not there, and any of them may be named.
    const bool all = of().topic == Topic::deleted;
    EXPECT_NE(message.find(id_ + (all ? "-" : "-other")), std::string::npos) << message;
    EXPECT_EQ(message.find("task.timeout.ms=1500") != std::string::npos, of().outcome == Outcome::given_up) << message;
    EXPECT_FALSE(committed_all(records));
    EXPECT_EQ(asked > 0, of().outcome == Outcome::failed) << asked;
    return;
  }
  ASSERT_TRUE(muir::testing::eventually([&] { return committed_all(records) || app->state() == StreamsState::error; }));
  EXPECT_TRUE(app->failure().ok()) << app->failure().message();
  EXPECT_TRUE(app->close(kWaitMs).ok());
  const bool skipped = of().outcome == Outcome::skipped;
  EXPECT_EQ(asked, skipped ? 2 : 0);
  EXPECT_EQ(app->metrics().records_dropped, skipped ? 2U : 0U);
  if (of().exactly_once || skipped) {
    EXPECT_EQ(written("-out"), kRecords - 2);
  } else {
    EXPECT_GE(written("-out"), kRecords - 2);
  }
  if (!skipped) {
    EXPECT_GE(written("-other"), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, StreamsMissingTopics,
                         ::testing::Combine(interop::kBothVendors, ::testing::ValuesIn(kMissingCases)),
                         [](const auto& one) {
                           std::string name = std::get<1>(one.param).name;
                           std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
                           return (std::get<0>(one.param) == Vendor::muir ? "Muir_" : "ApacheKafka_") + name;
                         });

}  // namespace
}  // namespace muir::streams
