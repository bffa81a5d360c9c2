// An exactly-once application in a process of its own, killed at random and started again, counts every record once:
// on Muir's broker, on Apache Kafka, and beside Kafka Streams in one group. The application is this very binary,
// running the disabled test ChildApp.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include "base/clock.h"
#include "base/file.h"
#include "broker/broker.h"
#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/child_process.h"
#include "testing/eventually.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using Text = std::string;
constexpr int32_t kPartitions = 3;
constexpr int kKeys = 40;

// in -> repartitioned by value -> counted -> out: two subtopologies, a repartition topic, a store.
Topology counting() {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by([](const Text& word) { return word; }, {.name = "by-word"})
      .count({.store = "counts"})
      .to_stream()
      .map_values([](const int64_t& count) { return std::to_string(count); })
      .to("out");
  auto topology = builder.build();
  CHECK(topology.ok(), "{}", topology.status().message());
  return *topology;
}

// Runs until its standard input ends, or it is killed.
TEST(ExactlyOnce, DISABLED_ChildApp) {
  const char* bootstrap = std::getenv("MUIR_TEST_BOOTSTRAP");
  const char* state = std::getenv("MUIR_TEST_STATE");
  const char* name = std::getenv("MUIR_TEST_INSTANCE");
  ASSERT_TRUE(bootstrap != nullptr && state != nullptr && name != nullptr);
  auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}});
  ASSERT_TRUE(client.ok()) << client.status().message();
  const auto config = StreamsConfig::parse({{"application.id", "app"},
                                            {"bootstrap.servers", bootstrap},
                                            {"state.dir", state},
                                            {"processing.guarantee", "exactly_once_v2"},
                                            {"num.stream.threads", "2"},
                                            // Static: a process that comes back has its place at once.
                                            {"group.instance.id", name},
                                            {"producer.transaction.timeout.ms", "5000"},
                                            {"session.timeout.ms", "6000"},
                                            {"heartbeat.interval.ms", "500"}});
  ASSERT_TRUE(config.ok()) << config.status().message();
  auto app = KafkaStreams::create(counting(), *config, **client);
  ASSERT_TRUE(app.ok()) << app.status().message();
  ASSERT_TRUE((*app)->start().ok());
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  EXPECT_TRUE((*app)->close(muir::testing::kPatienceMs).ok());
}

Result<testing::ChildProcess> start_app(const std::string& bootstrap, const std::string& folder,
                                        const Text& name = "one") {
  return testing::ChildProcess::start(
      {.command = {"/proc/self/exe", "--gtest_filter=ExactlyOnce.DISABLED_ChildApp", "--gtest_also_run_disabled_tests"},
       .environment = {{"MUIR_TEST_BOOTSTRAP", bootstrap},
                       {"MUIR_TEST_STATE", folder + "/" + name},
                       {"MUIR_TEST_INSTANCE", name},
                       {"MUIR_LOG_LEVEL", "info"}},
       .stderr_file = folder + "/app.log"});
}

// Reads `out` as a consumer of committed records does.
class Output {
 public:
  explicit Output(client::Client& client)
      : consumer_(std::move(*client.consumer({{"isolation.level", "read_committed"}}))) {
    std::vector<client::PartitionStart> starts;
    for (int32_t p = 0; p < kPartitions; ++p) starts.push_back({{"out", PartitionId(p)}, client::kOffsetEarliest});
    const Status assigned = consumer_->assign(starts);
    CHECK(assigned.ok(), "{}", assigned.message());
  }
  void read() {
    auto polled = consumer_->poll(50);
    if (!polled.ok()) return;
    for (const auto& part : (*polled)->partitions()) {
      for (const auto& record : part.records) {
        ++records;
        int64_t& count = counts[Text(*record.key)];
        if (std::stoll(Text(*record.value)) != count + 1) ++jumps;
        count = std::stoll(Text(*record.value));
      }
    }
  }
  std::map<Text, int64_t> counts;
  int64_t records = 0;
  int jumps = 0;  // a count that does not follow the one before it: a record lost, or counted twice

 private:
  std::unique_ptr<client::Consumer> consumer_;
};

// A producer of words, and what must come of them.
class Input {
 public:
  Input(client::Client& client, uint64_t seed) : producer_(std::move(*client.producer())), random_(seed) {}
  void send(int words) {
    for (int i = 0; i < words; ++i) {
      const Text word = "w" + std::to_string(random_() % kKeys);
      const Text key = "k" + std::to_string(random_() % 100);
      const client::ProducedRecord record{.topic = "in", .key = key, .value = word};
      ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
      ++expected[word];
    }
    ASSERT_TRUE(producer_->flush(muir::testing::kPatienceMs).ok());
  }
  int64_t up_to(int64_t limit) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit)); }
  std::map<Text, int64_t> expected;

 private:
  std::unique_ptr<client::Producer> producer_;
  std::mt19937_64 random_;
};

void make_topics(client::Client& client) {
  const auto admin = std::move(*client.admin());
  for (const char* topic : {"in", "out"}) {
    const Status created = admin->create_topic({.name = topic, .partitions = kPartitions, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
}

// Every word is counted, each once.
void expect_counts(const Input& input, Output& output) {
  const bool complete = testing::eventually([&] {
    output.read();
    return output.counts == input.expected;
  });
  int64_t missing = 0;
  for (const auto& [word, count] : input.expected) missing += count - output.counts[word];
  EXPECT_TRUE(complete) << missing << " records are not counted";
  EXPECT_EQ(output.jumps, 0);
}

void kill_and_count(const std::string& bootstrap, int kills, uint64_t seed) {
  SCOPED_TRACE(fmt::format("seed {}", seed));
  testing::TempDir folder;
  auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}});
  ASSERT_TRUE(client.ok()) << client.status().message();
  make_topics(**client);
  Input input(**client, seed);
  Output output(**client);
  auto app = start_app(bootstrap, folder.str());
  ASSERT_TRUE(app.ok()) << app.status().message();
  for (int kill = 0; kill <= kills; ++kill) {
    // Until the application has worked, and some more: it dies at any moment of its work.
    const int64_t began = system_clock().steady_ms();
    const int64_t seen = output.records;
    int64_t until = INT64_MAX;
    while (system_clock().steady_ms() < until && system_clock().steady_ms() < began + 40'000) {
      input.send(20);
      output.read();
      if (until == INT64_MAX && output.records > seen) until = system_clock().steady_ms() + input.up_to(1'500);
    }
    EXPECT_GT(output.records, seen) << "the application did nothing";
    if (kill == kills) break;
    app->signal(SIGKILL);
    (void)app->wait();
    app = start_app(bootstrap, folder.str());
    ASSERT_TRUE(app.ok()) << app.status().message();
  }
  expect_counts(input, output);
  app->close_stdin();
  const auto ended = app->wait();
  EXPECT_TRUE(ended.ok() && *ended == 0) << ended.status().message();
  if (::testing::Test::HasFailure()) {
    const auto log = testing::run({.command = {"tail", "-n", "60", folder.str() + "/app.log"}});
    if (log.ok()) ADD_FAILURE() << *log;
  }
}

TEST(ExactlyOnce, HoldsWhenTheApplicationIsKilledOnMuirsBroker) {
  testing::TempDir folder;
  auto broker = broker::Broker::start(
      {.port = 0, .data_dir = folder.str(), .properties = {{"group.initial.rebalance.delay.ms", "0"}}});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  kill_and_count(fmt::format("127.0.0.1:{}", (*broker)->port()), 4, 20261121);
  EXPECT_TRUE((*broker)->stop().ok());
}

// A process that stands still loses its transactions to their timeout, then its place in the group, and its tasks to
// another instance; when it wakes up it must not write another record of its old life.
TEST(ExactlyOnce, HoldsWhenAnInstanceFreezesAndWakesUpAsAZombie) {
  testing::TempDir folder;
  auto broker = broker::Broker::start(
      {.port = 0, .data_dir = folder.str() + "/broker", .properties = {{"group.initial.rebalance.delay.ms", "0"}}});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const std::string bootstrap = fmt::format("127.0.0.1:{}", (*broker)->port());
  auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}});
  ASSERT_TRUE(client.ok()) << client.status().message();
  make_topics(**client);
  Input input(**client, 20261125);
  Output output(**client);
  auto frozen = start_app(bootstrap, folder.str(), "frozen");
  auto other = start_app(bootstrap, folder.str(), "other");
  ASSERT_TRUE(frozen.ok() && other.ok());
  input.send(500);
  expect_counts(input, output);
  input.send(100);
  frozen->signal(SIGSTOP);
  input.send(500);
  expect_counts(input, output);  // the other one does it all
  frozen->signal(SIGCONT);
  for (int i = 0; i < 50; ++i) {
    input.send(20);
    output.read();
  }
  expect_counts(input, output);
  for (auto* app : {&*frozen, &*other}) app->close_stdin();
  for (auto* app : {&*frozen, &*other}) {
    const auto ended = app->wait();
    EXPECT_TRUE(ended.ok() && *ended == 0) << ended.status().message();
  }
  if (::testing::Test::HasFailure()) {
    const auto log = testing::run({.command = {"tail", "-n", "80", folder.str() + "/app.log"}});
    if (log.ok()) ADD_FAILURE() << *log;
  }
}

TEST(ExactlyOnce, HoldsWhenTheBrokerGoesAwayAndComesBack) {
  testing::TempDir folder;
  broker::BrokerConfig config{
      .port = 0, .data_dir = folder.str() + "/broker", .properties = {{"group.initial.rebalance.delay.ms", "0"}}};
  // Not a port that the system gives to outgoing connections: clients that try to reconnect would take it.
  std::random_device random;
  Result<std::unique_ptr<broker::Broker>> broker = error(Code::already_exists, "no port tried");
  for (int i = 0; i < 20 && broker.status().code() == Code::already_exists; ++i) {
    config.port = static_cast<uint16_t>(20'000 + random() % 12'000);
    broker = broker::Broker::start(config);
  }
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const std::string bootstrap = fmt::format("127.0.0.1:{}", config.port);
  auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}});
  ASSERT_TRUE(client.ok()) << client.status().message();
  make_topics(**client);
  Input input(**client, 20261124);
  Output output(**client);
  auto app = start_app(bootstrap, folder.str());
  ASSERT_TRUE(app.ok()) << app.status().message();
  for (int restart = 0; restart < 3; ++restart) {
    input.send(300);
    expect_counts(input, output);
    input.send(300);
    EXPECT_TRUE((*broker)->stop().ok());
    broker->reset();
    broker = broker::Broker::start(config);
    ASSERT_TRUE(broker.ok()) << broker.status().message();
  }
  input.send(300);
  expect_counts(input, output);
  app->close_stdin();
  const auto ended = app->wait();
  EXPECT_TRUE(ended.ok() && *ended == 0) << ended.status().message();
  if (::testing::Test::HasFailure()) {
    const auto log = testing::run({.command = {"tail", "-n", "60", folder.str() + "/app.log"}});
    if (log.ok()) ADD_FAILURE() << *log;
  }
}

TEST(ExactlyOnce, HoldsWhenTheApplicationIsKilledOnApacheKafka) {
  auto kafka = testing::KafkaCluster::start(1, {{"group.initial.rebalance.delay.ms", "0"}});
  ASSERT_TRUE(kafka.ok()) << kafka.status().message();
  kill_and_count(kafka->bootstrap_servers(), 3, 20261122);
}

// The same topology on the JVM, in the same group: either is the leader in turn, tasks move both ways, the JVM restores
// what we logged and we what it logged.
TEST(ExactlyOnce, HoldsInOneGroupWithKafkaStreamsOnTheJvm) {
  auto kafka = testing::KafkaCluster::start(1, {{"group.initial.rebalance.delay.ms", "0"}});
  ASSERT_TRUE(kafka.ok()) << kafka.status().message();
  testing::TempDir folder;
  auto client = client::connect_kafka({{"bootstrap.servers", kafka->bootstrap_servers()}});
  ASSERT_TRUE(client.ok()) << client.status().message();
  make_topics(**client);
  Input input(**client, 20261123);
  Output output(**client);
  const auto start_jvm = [&] {
    testing::ChildOptions options = testing::KafkaCluster::tool("src/streams/testdata/CountingApp.java",
                                                                {kafka->bootstrap_servers(), folder.str() + "/jvm"});
    options.stderr_file = folder.str() + "/jvm.log";
    return testing::ChildProcess::start(options);
  };
  auto jvm = start_jvm();
  ASSERT_TRUE(jvm.ok()) << jvm.status().message();
  input.send(500);
  expect_counts(input, output);  // the JVM alone; it leads

  auto app = start_app(kafka->bootstrap_servers(), folder.str());
  ASSERT_TRUE(app.ok()) << app.status().message();
  const auto ours = [&] {
    return testing::run({.command = {"grep", "-cE", "0 given up, [1-9]", folder.str() + "/app.log"}}).ok();
  };
  EXPECT_TRUE(testing::eventually([&] {
    input.send(20);
    output.read();
    return ours();
  })) << "no task came to us";
  expect_counts(input, output);

  jvm->signal(SIGKILL);
  (void)jvm->wait();
  input.send(500);
  expect_counts(input, output);  // we alone, with what the JVM left

  jvm = start_jvm();  // we lead
  ASSERT_TRUE(jvm.ok()) << jvm.status().message();
  EXPECT_TRUE(testing::eventually([&] {
    input.send(20);
    output.read();
    const auto line = jvm->read_line(std::chrono::milliseconds(1));
    return line.ok() && *line == "RUNNING";
  })) << "the JVM is not running";
  expect_counts(input, output);
  app->close_stdin();
  const auto ended = app->wait();
  EXPECT_TRUE(ended.ok() && *ended == 0) << ended.status().message();
  input.send(500);
  expect_counts(input, output);  // the JVM alone, with what we left
  if (::testing::Test::HasFailure()) {
    for (const char* name : {"/app.log", "/jvm.log"}) {
      const auto log = testing::run({.command = {"tail", "-n", "80", folder.str() + name}});
      if (log.ok()) ADD_FAILURE() << *log;
    }
  }
}

}  // namespace
}  // namespace muir::streams
