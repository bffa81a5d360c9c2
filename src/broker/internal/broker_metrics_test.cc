// What clients do, and what goes wrong, as the metrics show it.
#include "broker/internal/broker_metrics.h"

#include <gtest/gtest.h>

#include "base/file_fault.h"
#include "base/metrics_text.h"
#include "broker/internal/broker_core.h"
#include "broker/internal/broker_fixture.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/fetch.h"
#include "wire/messages/list_groups.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/produce.h"

namespace muir::broker {
namespace {

using testing::eventually;
using testing::metric_value;

Bytes batch_of(int records) {
  wire::BatchBuilder builder;
  for (int i = 0; i < records; ++i) builder.add(1000 + i, std::nullopt, "a value");
  Bytes out;
  EXPECT_TRUE(builder.build(out).ok());
  return out;
}

class BrokerMetricsTest : public ::testing::Test {
 protected:
  void produce(const std::string& topic, BytesView records) {
    wire::ProduceRequest request;
    request.acks = -1;
    auto& to = request.topic_data.emplace_back();
    to.name = topic;
    to.partition_data.push_back({0, records, {}});
    (void)client_.call(request, 9);
  }
  double value(std::string_view name, const Labels& labels = {}) const {
    return metric_value(broker_.metrics(), name, labels);
  }

  TestBroker broker_;
  TestClient client_{broker_->port()};
};

TEST_F(BrokerMetricsTest, RequestsAreCountedByApiAndTheirErrorsByName) {
  wire::CreateTopicsRequest create;
  create.topics.push_back({"t", 2, 1, {}, {}, {}});
  (void)client_.call(create);
  (void)client_.call(create);
  produce("t", batch_of(3));
  produce("missing", batch_of(1));
  EXPECT_EQ(value("muir_broker_requests_total", {{"api", "CreateTopics"}}), 2);
  EXPECT_EQ(value("muir_broker_request_duration_seconds", {{"api", "CreateTopics"}}), 2);
  EXPECT_EQ(value("muir_broker_request_errors_total", {{"api", "CreateTopics"}, {"error", "TOPIC_ALREADY_EXISTS"}}), 1);
  EXPECT_EQ(value("muir_broker_requests_total", {{"api", "Produce"}}), 2);
  EXPECT_EQ(value("muir_broker_request_errors_total", {{"api", "Produce"}, {"error", "UNKNOWN_TOPIC_OR_PARTITION"}}),
            1);
  EXPECT_EQ(value("muir_broker_request_errors_total", {{"api", "Produce"}, {"error", "NONE"}}), -1);
  EXPECT_EQ(value("muir_net_connections", {{"server", "broker:PLAINTEXT"}}), 1);
  EXPECT_GT(value("muir_broker_received_bytes_total"), 0);
  EXPECT_GT(value("muir_broker_sent_bytes_total"), 0);
  EXPECT_EQ(value("muir_broker_refused_requests_total"), 0);
  client_.send_bytes(Bytes("\0\0\0\4\x7f\xff\0\0", 8));
  EXPECT_FALSE(client_.receive());
  EXPECT_EQ(value("muir_broker_refused_requests_total"), 1);
}

TEST_F(BrokerMetricsTest, RecordsAndBytesAreCountedByTopic) {
  wire::CreateTopicsRequest create;
  create.topics.push_back({"t", 2, 1, {}, {}, {}});
  (void)client_.call(create);
  const Bytes batch = batch_of(3);
  produce("t", batch);
  produce("t", batch);
  wire::FetchRequest fetch;
  fetch.max_bytes = 1 << 20;
  auto& from = fetch.topics.emplace_back();
  from.topic = "t";
  wire::FetchRequest::Partition partition;
  partition.fetch_offset = 3;
  partition.partition_max_bytes = 1 << 20;
  from.partitions.push_back(partition);
  (void)client_.call(fetch, 11);
  const Labels topic = {{"topic", "t"}};
  const auto size = static_cast<double>(batch.size());
  EXPECT_EQ(value("muir_log_appended_records_total", topic), 6);
  EXPECT_EQ(value("muir_log_appended_bytes_total", topic), 2 * size);
  EXPECT_EQ(value("muir_log_fetched_records_total", topic), 3);
  EXPECT_EQ(value("muir_log_fetched_bytes_total", topic), size);
  EXPECT_EQ(value("muir_log_size_bytes", topic), 2 * size);
  EXPECT_EQ(value("muir_log_partitions", topic), 2);
  EXPECT_EQ(value("muir_log_segments", topic), 2);
  EXPECT_GE(value("muir_log_flush_duration_seconds"), 1);
  EXPECT_EQ(value("muir_log_topics"), 1);
}

TEST_F(BrokerMetricsTest, GroupsAreCountedByState) {
  EXPECT_EQ(value("muir_broker_groups", {{"state", "Empty"}}), 0);
  wire::CreateTopicsRequest create;
  create.topics.push_back({"t", 1, 1, {}, {}, {}});
  (void)client_.call(create);
  wire::OffsetCommitRequest commit;
  commit.group_id = "g";
  commit.generation_id_or_member_epoch = -1;
  auto& topic = commit.topics.emplace_back();
  topic.name = "t";
  topic.partitions.emplace_back();
  EXPECT_TRUE(eventually(
      [&] { return client_.call(commit, 8).topics.at(0).partitions.at(0).error_code == wire::ErrorCode::none; }));
  EXPECT_EQ(value("muir_broker_groups", {{"state", "Empty"}}), 1);
  EXPECT_EQ(value("muir_broker_groups", {{"state", "Stable"}}), 0);
}

TEST_F(BrokerMetricsTest, SeriesGoWithTheBroker) {
  ASSERT_TRUE(broker_->stop().ok());
  broker_.restart();
  EXPECT_EQ(value("muir_log_topics"), 0);
}

// ---- what goes wrong on the disk

class DiskMetrics : public ::testing::Test {
 protected:
  DiskMetrics() {
    config_.data_dir = "/data";
    config_.network_threads = 1;
    config_.metrics = &registry_;
    start();
    EXPECT_TRUE(core_->context().logs->create_topic("t", 1, {}).ok());
  }
  void start() { core_ = BrokerCore::open(config_, env_).value(); }
  [[nodiscard]] std::shared_ptr<storage::Partition> partition() const {
    return core_->context().logs->find_partition("t", PartitionId(0));
  }
  Status append() {
    const Bytes bytes = batch_of(2);
    return partition()->append(wire::BatchView::parse(bytes).value()).status();
  }
  double value(std::string_view name, const Labels& labels = {}) const { return metric_value(registry_, name, labels); }
  [[nodiscard]] bool shows(const std::string& line) const {
    return metrics_text(registry_.collect(), MetricsFormat::prometheus).find("\n" + line + "\n") != std::string::npos;
  }

  MetricsRegistry registry_;
  FaultEnv env_;
  BrokerConfig config_;
  std::unique_ptr<BrokerCore> core_;
};

TEST_F(DiskMetrics, AFullDiskIsShownAsLongAsItRefuses) {
  EXPECT_TRUE(append().ok());
  EXPECT_TRUE(shows("muir_log_refused_writes_total 0"));
  EXPECT_TRUE(shows("muir_log_refusing_partitions 0"));
  env_.fail_writes_after(0);
  EXPECT_FALSE(append().ok());
  EXPECT_FALSE(append().ok());
  EXPECT_TRUE(shows("muir_log_refused_writes_total 2"));
  EXPECT_TRUE(shows("muir_log_refusing_partitions 1"));
  env_.fail_writes_after(std::nullopt);
  EXPECT_TRUE(append().ok());
  EXPECT_TRUE(shows("muir_log_refused_writes_total 2"));
  EXPECT_TRUE(shows("muir_log_refusing_partitions 0"));
}

TEST_F(DiskMetrics, APartitionThatAFailedSyncTookOfflineIsShown) {
  EXPECT_EQ(value("muir_log_offline_partitions"), 0);
  EXPECT_TRUE(append().ok());
  env_.fail_syncs(true);
  EXPECT_FALSE(partition()->flush().ok());
  EXPECT_EQ(value("muir_log_offline_partitions"), 1);
  env_.fail_syncs(false);
  core_.reset();
  start();
  EXPECT_EQ(value("muir_log_offline_partitions"), 0);
}

TEST_F(DiskMetrics, ADamagedBatchIsShownWithItsPlace) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(append().ok());
  EXPECT_TRUE(partition()->flush().ok());
  EXPECT_TRUE(shows("muir_log_damaged_places 0"));
  EXPECT_EQ(value("muir_log_partition_damaged_bytes", {{"topic", "t"}, {"partition", "0"}}), -1);
  // In the payload of the second batch.
  const size_t size = batch_of(2).size();
  auto file = env_.open("/data/t-0/00000000000000000000.log", OpenMode::read_write).value();
  ASSERT_TRUE(file->write_at(2 * size - 1, Bytes("\xff")).ok());
  EXPECT_TRUE(partition()->read({.offset = Offset(2)}).ok());
  EXPECT_TRUE(shows("muir_log_damaged_places 1"));
  EXPECT_TRUE(shows("muir_log_damaged_offsets 2"));
  EXPECT_TRUE(shows("muir_log_damaged_bytes " + std::to_string(size)));
  EXPECT_TRUE(shows("muir_log_partition_damaged_bytes{partition=\"0\",topic=\"t\"} " + std::to_string(size)));
  ASSERT_TRUE(core_->context().logs->delete_topic("t").ok());
  EXPECT_TRUE(shows("muir_log_damaged_places 0"));
  EXPECT_EQ(value("muir_log_partition_damaged_bytes", {{"topic", "t"}, {"partition", "0"}}), -1);
}

}  // namespace
}  // namespace muir::broker
