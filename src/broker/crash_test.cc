// SIGKILL of a broker that is being written to: what it has confirmed with acks=all is there afterwards, once.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "broker/broker.h"
#include "broker/internal/broker_fixture.h"
#include "testing/child_process.h"
#include "testing/temp_dir.h"
#include "wire/messages/fetch.h"

namespace muir::broker {
namespace {

constexpr const char* kFolderVariable = "MUIR_TEST_BROKER_FOLDER";
constexpr const char* kPortVariable = "MUIR_TEST_BROKER_PORT";

// Not a test of its own: the process that KilledBroker starts and kills.
TEST(BrokerProcess, ServesUntilItIsKilled) {
  const char* folder = std::getenv(kFolderVariable);
  if (folder == nullptr) GTEST_SKIP() << "started by KilledBroker only";
  BrokerConfig config;
  config.data_dir = folder;
  config.port = static_cast<uint16_t>(std::atoi(std::getenv(kPortVariable)));
  config.properties = {{"log.segment.bytes", "20000"}, {"num.partitions", "3"}, {"auto.create.topics.enable", "true"}};
  const auto broker = Broker::start(config);
  ASSERT_TRUE(broker.ok()) << broker.status().to_string();
  fmt::print("port {}\n", (*broker)->port());
  std::fflush(stdout);
  for (;;) ::pause();
}

class BrokerInAProcess {
 public:
  // Returns when the broker serves; port 0: any.
  void start(uint16_t port) {
    auto child = testing::ChildProcess::start(
        {.command = {"/proc/self/exe", "--gtest_filter=BrokerProcess.ServesUntilItIsKilled"},
         .environment = {
             {kFolderVariable, folder_.str()}, {kPortVariable, std::to_string(port)}, {"MUIR_LOG_LEVEL", "error"}}});
    ASSERT_TRUE(child.ok()) << child.status().to_string();
    child_ = *std::move(child);
    for (;;) {
      const auto line = child_->read_line();
      ASSERT_TRUE(line.ok()) << line.status().to_string();
      if (!line->starts_with("port ")) continue;
      port_ = static_cast<uint16_t>(std::stoi(line->substr(5)));
      return;
    }
  }
  void kill() {
    child_->signal(SIGKILL);
    ASSERT_TRUE(child_->wait().ok());
  }
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  testing::TempDir folder_;
  std::optional<testing::ChildProcess> child_;
  uint16_t port_ = 0;
};

struct Confirmed {
  std::set<int> values;
  int failed = 0;
};

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto* confirmed = static_cast<Confirmed*>(opaque);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    confirmed->values.insert(std::stoi(std::string(static_cast<const char*>(message->payload), message->len)));
  } else {
    ++confirmed->failed;
  }
}

rd_kafka_t* make_producer(uint16_t port, Confirmed& confirmed) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char problem[256];
  const std::pair<const char*, std::string> settings[] = {{"bootstrap.servers", "127.0.0.1:" + std::to_string(port)},
                                                          {"enable.idempotence", "true"},
                                                          {"linger.ms", "1"},
                                                          {"reconnect.backoff.max.ms", "200"},
                                                          {"log_level", "0"},
                                                          {"batch.num.messages", "100"}};
  for (const auto& [key, value] : settings) rd_kafka_conf_set(conf, key, value.c_str(), problem, sizeof(problem));
  rd_kafka_conf_set_opaque(conf, &confirmed);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, sizeof(problem));
  EXPECT_NE(producer, nullptr) << problem;
  return producer;
}

std::vector<int> read_partition(uint16_t port, int32_t index) {
  TestClient client(port);
  std::vector<int> out;
  for (int64_t offset = 0;;) {
    wire::FetchRequest request;
    request.max_bytes = 1 << 20;
    wire::FetchRequest::Partition partition;
    partition.partition = index;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = 1 << 20;
    request.topics.push_back({"t", {}, {partition}, {}});
    const auto response = client.call(request, 12);
    const auto& answer = response.responses.at(0).partitions.at(0);
    EXPECT_EQ(answer.error_code, wire::ErrorCode::none);
    if (!answer.records || answer.records->empty()) return out;
    wire::BatchReader batches(*answer.records);
    wire::RecordIterator records;
    wire::Record record;
    while (const auto batch = batches.next().value()) {
      EXPECT_TRUE(batch->check_crc().ok());
      EXPECT_TRUE(records.reset(*batch).ok());
      while (records.next(record)) out.push_back(std::stoi(std::string(record.value.value_or("-1"))));
      offset = batch->header().next_offset().value();
    }
  }
}

TEST(KilledBroker, KeepsWhatItConfirmedExactlyOnce) {
  BrokerInAProcess broker;
  broker.start(0);
  if (HasFatalFailure()) return;
  const uint16_t port = broker.port();
  Confirmed confirmed;
  rd_kafka_t* producer = make_producer(port, confirmed);
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  int next = 0;
  for (int kill = 0; kill < 4; ++kill) {
    // Enough to be in the middle of writing, segments rolling, whenever the kill comes.
    const size_t until = confirmed.values.size() + 200 + random() % 2000;
    while (confirmed.values.size() < until) {
      for (int i = 0; i < 50; ++i) {
        const std::string value = std::to_string(next);
        const auto taken = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_PARTITION(next % 3),
                                             RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        // While the broker starts the producer's queue may be full: then the value's turn is later.
        if (taken == RD_KAFKA_RESP_ERR_NO_ERROR) ++next;
      }
      rd_kafka_poll(producer, 1);
    }
    broker.kill();
    broker.start(port);
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(rd_kafka_flush(producer, 60'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_destroy(producer);
  EXPECT_EQ(confirmed.failed, 0);
  std::multiset<int> found;
  for (int32_t partition = 0; partition < 3; ++partition) {
    const auto values = read_partition(port, partition);
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end())) << "partition " << partition;
    found.insert(values.begin(), values.end());
  }
  size_t missing = 0;
  size_t repeated = 0;
  for (const int value : confirmed.values) {
    missing += found.count(value) == 0 ? 1 : 0;
    repeated += found.count(value) > 1 ? 1 : 0;
  }
  EXPECT_EQ(missing, 0u);
  EXPECT_EQ(repeated, 0u);
  EXPECT_EQ(found.size(), static_cast<size_t>(next));
}

}  // namespace
}  // namespace muir::broker
