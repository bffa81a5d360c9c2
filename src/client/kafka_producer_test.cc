// The producer over librdkafka, against librdkafka's own mock cluster, whose answers can be scripted.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <string>
#include <vector>

#include "client/kafka_client.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr int16_t kProduce = 0;
constexpr int16_t kAddPartitionsToTxn = 24;
constexpr int16_t kEndTxn = 26;

class KafkaProducerTest : public ::testing::Test {
 protected:
  KafkaProducerTest() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", nullptr, 0);
    rk_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    mock_ = rd_kafka_mock_cluster_new(rk_, 1);
    rd_kafka_mock_topic_create(mock_, "t", 4, 1);
  }
  ~KafkaProducerTest() override {
    producer_.reset();
    rd_kafka_mock_cluster_destroy(mock_);
    rd_kafka_destroy(rk_);
  }
  void start(Properties properties = {}) {
    // The mock cluster knows no DescribeConfigs, and a new topic's records would wait for its answer.
    properties.try_emplace("max.block.ms", "20");
    properties["bootstrap.servers"] = rd_kafka_mock_cluster_bootstraps(mock_);
    client_ = connect_kafka(properties, &metrics_).value();
    producer_ = client_->producer({}).value();
  }
  void start_transactional() {
    start({{"transactional.id", "app"}});
    const Status status = producer_->init_transactions(kWaitMs);
    ASSERT_TRUE(status.ok()) << status.to_string();
    ASSERT_TRUE(producer_->begin_transaction().ok());
  }
  Status send(std::string_view value, DeliveryCallback on_done = nullptr) {
    const ProducedRecord one{.topic = "t", .partition = PartitionId(0), .key = "k", .value = value};
    return producer_->send({&one, 1}, std::move(on_done));
  }

  rd_kafka_t* rk_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  MetricsRegistry metrics_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(KafkaProducerTest, OneCallbackPerSendWithEveryDeliveryInOrder) {
  start();
  std::vector<ProducedRecord> records;
  for (int32_t i = 0; i < 100; ++i)
    records.push_back({.topic = "t", .partition = PartitionId(i % 4), .key = "k", .value = "v"});
  std::atomic<int> calls{0};
  std::vector<Delivery> deliveries;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(producer_
                    ->send(records,
                           [&](const Status& status, std::span<const Delivery> done) {
                             EXPECT_TRUE(status.ok()) << status.to_string();
                             ++calls;
                             deliveries.insert(deliveries.end(), done.begin(), done.end());
                           })
                    .ok());
    ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  }
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(deliveries.size(), 300u);
  for (size_t i = 0; i < deliveries.size(); ++i) {
    EXPECT_EQ(deliveries[i].partition, PartitionId(static_cast<int32_t>(i % 100 % 4)));
    EXPECT_EQ(deliveries[i].offset, Offset(static_cast<int64_t>(i / 4)));
  }
}

TEST_F(KafkaProducerTest, AFullBufferRefusesAWholeSendAndTakesItWhenThereIsRoom) {
  rd_kafka_mock_broker_set_down(mock_, 1);
  start({{"buffer.memory", "10000"}});
  const std::string large(6'000, 'x');
  std::atomic<int> acknowledged{0};
  const auto count = [&](const Status& status, std::span<const Delivery>) { acknowledged += status.ok() ? 1 : 0; };
  ASSERT_TRUE(send(large, count).ok());
  EXPECT_EQ(send(large, count).code(), Code::resource_exhausted);
  EXPECT_EQ(producer_->flush(50).code(), Code::timed_out);
  EXPECT_EQ(acknowledged, 0);
  rd_kafka_mock_broker_set_up(mock_, 1);
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  EXPECT_EQ(acknowledged, 1) << "the refused send left nothing behind";
  ASSERT_TRUE(send(large, count).ok());
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  ASSERT_TRUE(send(std::string(20'000, 'x'), count).ok()) << "one send larger than the buffer goes alone";
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  EXPECT_EQ(acknowledged, 3);
}

TEST_F(KafkaProducerTest, ARefusedRecordIsToldToItsCallbackWithKafkasCode) {
  start();
  rd_kafka_mock_push_request_errors(mock_, kProduce, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  Status told;
  ASSERT_TRUE(send("v", [&](const Status& status, std::span<const Delivery> done) {
                told = status;
                EXPECT_EQ(done[0].offset, kNoOffset);
              }).ok());
  EXPECT_TRUE(producer_->flush(kWaitMs).ok()) << "the callback knows";
  EXPECT_EQ(told.code(), Code::permission_denied) << told.to_string();
  EXPECT_EQ(told.number(Domain::kafka), 29);
}

TEST_F(KafkaProducerTest, RetriableAnswersAreRetriedInside) {
  start();
  rd_kafka_mock_push_request_errors(mock_, kProduce, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
  ASSERT_TRUE(send("v").ok());
  EXPECT_TRUE(producer_->flush(kWaitMs).ok());
}

TEST_F(KafkaProducerTest, ARecordTooLargeFailsAlone) {
  start({{"max.request.size", "1000"}});
  const std::string large(5'000, 'x');
  const ProducedRecord records[] = {{.topic = "t", .partition = PartitionId(0), .value = "small"},
                                    {.topic = "t", .partition = PartitionId(0), .value = large}};
  Status told;
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(producer_
                  ->send(records,
                         [&](const Status& status, std::span<const Delivery> done) {
                           told = status;
                           deliveries.assign(done.begin(), done.end());
                         })
                  .ok());
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  EXPECT_EQ(told.code(), Code::resource_exhausted) << told.to_string();
  ASSERT_EQ(deliveries.size(), 2u);
  EXPECT_EQ(deliveries[0].offset, Offset(0));
  EXPECT_EQ(deliveries[1].offset, kNoOffset);
}

TEST_F(KafkaProducerTest, ShowsWhatBecameOfItsRecords) {
  start({{"client.id", "a"}, {"buffer.memory", "1000000"}, {"max.request.size", "2000"}});
  const auto shown = [&](std::string_view name) { return testing::metric_value(metrics_, name, {{"client", "a"}}); };
  EXPECT_EQ(shown("muir_client_waiting_max_bytes"), 1'000'000);
  ASSERT_TRUE(send("fine").ok());
  ASSERT_TRUE(send("fine").ok());
  (void)send(Bytes(3000, 'x'), [](const Status& status, std::span<const Delivery>) { EXPECT_FALSE(status.ok()); });
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  EXPECT_EQ(shown("muir_client_acknowledged_records_total"), 2);
  EXPECT_EQ(shown("muir_client_failed_records_total"), 1);
  EXPECT_EQ(shown("muir_client_waiting_records"), 0);
  EXPECT_EQ(shown("muir_client_waiting_bytes"), 0);
  producer_.reset();
  EXPECT_EQ(shown("muir_client_waiting_bytes"), -1);
}

TEST_F(KafkaProducerTest, RecordsOutsideATransactionAreRefused) {
  start({{"transactional.id", "app"}});
  ASSERT_TRUE(producer_->init_transactions(kWaitMs).ok());
  ASSERT_TRUE(send("v").ok());
  EXPECT_EQ(producer_->flush(kWaitMs).code(), Code::failed_precondition);
}

TEST_F(KafkaProducerTest, CommitRetriesWhatMayBeRetried) {
  start_transactional();
  ASSERT_TRUE(send("v").ok());
  rd_kafka_mock_push_request_errors(mock_, kEndTxn, 2, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                                    RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
  const Status status = producer_->commit_transaction(kWaitMs);
  EXPECT_TRUE(status.ok()) << status.to_string();
}

TEST_F(KafkaProducerTest, AFencedCommitIsFinal) {
  start_transactional();
  ASSERT_TRUE(send("v").ok());
  rd_kafka_mock_push_request_errors(mock_, kEndTxn, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
  EXPECT_EQ(producer_->commit_transaction(kWaitMs).code(), Code::fenced);
  EXPECT_EQ(producer_->begin_transaction().code(), Code::fenced);
}

TEST_F(KafkaProducerTest, AFailedTransactionIsAbortedAndTheNextOneWorks) {
  start_transactional();
  rd_kafka_mock_push_request_errors(mock_, kAddPartitionsToTxn, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  ASSERT_TRUE(send("v").ok());
  const Status refused = producer_->commit_transaction(kWaitMs);
  EXPECT_EQ(refused.code(), Code::aborted) << refused.to_string();
  const Status aborted = producer_->abort_transaction(kWaitMs);
  ASSERT_TRUE(aborted.ok()) << aborted.to_string();
  ASSERT_TRUE(producer_->begin_transaction().ok());
  ASSERT_TRUE(send("w").ok());
  const Status committed = producer_->commit_transaction(kWaitMs);
  EXPECT_TRUE(committed.ok()) << committed.to_string();
}

TEST_F(KafkaProducerTest, ACommitThatGetsNoAnswerTimesOutAndMayBeAskedAgain) {
  start_transactional();
  ASSERT_TRUE(send("v").ok());
  ASSERT_TRUE(producer_->flush(kWaitMs).ok());
  rd_kafka_mock_broker_set_down(mock_, 1);
  EXPECT_EQ(producer_->commit_transaction(100).code(), Code::timed_out);
  rd_kafka_mock_broker_set_up(mock_, 1);
  const Status status = producer_->commit_transaction(kWaitMs);
  EXPECT_TRUE(status.ok()) << status.to_string();
}

struct BadProperties {
  const char* name;
  Properties properties;
  Code code;
  const char* says;
};

class RefusedProperties : public ::testing::TestWithParam<BadProperties> {};

TEST_P(RefusedProperties, AreNamed) {
  const auto client = connect_kafka(GetParam().properties);
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.status().code(), GetParam().code);
  EXPECT_NE(client.status().message().find(GetParam().says), std::string::npos) << client.status().message();
  EXPECT_EQ(client.status().message().find("hush"), std::string::npos) << "a secret in a message";
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedProperties,
    ::testing::Values(
        BadProperties{"NoServers", {}, Code::invalid_argument, "bootstrap.servers is missing"},
        BadProperties{
            "NoPort", {{"bootstrap.servers", "localhost"}}, Code::invalid_argument, "\"localhost\" is not host:port"},
        BadProperties{"BadPort", {{"bootstrap.servers", "a:1,b:99999"}}, Code::invalid_argument, "b:99999"},
        BadProperties{"Tls",
                      {{"bootstrap.servers", "a:1"}, {"security.protocol", "SASL_SSL"}},
                      Code::unsupported,
                      "security.protocol"},
        BadProperties{"BadAcks", {{"bootstrap.servers", "a:1"}, {"acks", "some"}}, Code::invalid_argument, "acks"},
        BadProperties{"BadIsolation",
                      {{"bootstrap.servers", "a:1"}, {"isolation.level", "x"}},
                      Code::invalid_argument,
                      "isolation.level"},
        BadProperties{"BadSecret",
                      {{"bootstrap.servers", "a:1"}, {"rdkafka.password.of.none", "hush"}},
                      Code::invalid_argument,
                      "password"}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace muir::client
