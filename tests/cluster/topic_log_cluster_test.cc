// Logs of topics against each cluster: what topic_reader_test.cc says of the one in memory holds of real ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/topic_log.h"
#include "clusters.h"
#include "testing/eventually.h"

namespace muir::client {
namespace {

using Values = std::vector<std::string>;
constexpr int64_t kWaitMs = 60'000;

class TopicLogCluster : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    client_ = client_of(GetParam());
    ASSERT_NE(client_, nullptr);
    admin_ = client_->admin({}).value();
    static std::atomic<int> next{0};
    topic_ = fmt::format("log-{}-{}", GetParam(), next++);
    make(1);
  }
  void make(int32_t partitions) const {
    const Status created = admin_->create_topic({.name = topic_, .partitions = partitions, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  [[nodiscard]] ProducedRecord record(std::string_view value, int32_t partition = 0) const {
    return {.topic = topic_, .partition = PartitionId(partition), .key = "k", .value = value};
  }
  void send(const Values& values, int32_t partition = 0) const {
    auto producer = client_->producer({}).value();
    for (const std::string& value : values) {
      const ProducedRecord one = record(value, partition);
      ASSERT_TRUE(producer->send({&one, 1}).ok());
    }
    const Status flushed = producer->flush(kWaitMs);
    ASSERT_TRUE(flushed.ok()) << flushed.to_string();
  }
  void transaction(const Values& values, bool commit) const {
    auto producer = client_->producer({{"transactional.id", topic_ + "-writer"}}).value();
    ASSERT_TRUE(producer->init_transactions(kWaitMs).ok());
    ASSERT_TRUE(producer->begin_transaction().ok());
    for (const std::string& value : values) {
      const ProducedRecord one = record(value);
      ASSERT_TRUE(producer->send({&one, 1}).ok());
    }
    ASSERT_TRUE(producer->flush(kWaitMs).ok());
    const Status ended = commit ? producer->commit_transaction(kWaitMs) : producer->abort_transaction(kWaitMs);
    ASSERT_TRUE(ended.ok()) << ended.to_string();
  }
  std::unique_ptr<TopicLog> follow(IsolationLevel isolation = IsolationLevel::read_committed) {
    auto log = std::make_unique<TopicLog>(
        *client_,
        TopicLogOptions{.name = topic_,
                        .read = {.topics = {{topic_}}, .isolation = isolation, .look_every_ms = 200},
                        .producer = Properties{}},
        TopicHandlers{.on_records =
                          [this](const PartitionRecords& part) {
                            const std::lock_guard lock(mutex_);
                            for (const ConsumedRecord& one : part.records)
                              values_.emplace_back(one.value.value_or("<null>"));
                            return Status();
                          },
                      .on_reset =
                          [this](const PartitionReset& reset) {
                            const std::lock_guard lock(mutex_);
                            values_.push_back(fmt::format("({} from {}: {})", reset.partition.partition, reset.from,
                                                          to_string(reset.reason)));
                            return Status();
                          }});
    const Status started = log->start();
    EXPECT_TRUE(started.ok()) << started.to_string();
    const Status caught_up = log->wait_caught_up(kWaitMs);
    EXPECT_TRUE(caught_up.ok()) << caught_up.to_string();
    return log;
  }
  Values take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(values_, {});
  }
  bool comes(const Values& expected) {
    const bool came = muir::testing::eventually(
        [&] {
          const std::lock_guard lock(mutex_);
          return values_ == expected;
        },
        std::chrono::milliseconds(kWaitMs));
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(values_, expected);
    return came;
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
  std::string topic_;
  std::mutex mutex_;
  Values values_;
};

TEST_P(TopicLogCluster, EndsAreReachedBehindMarkersAndAbortedRecordsAndCuts) {
  send({"a", "b"});
  ASSERT_TRUE(admin_->delete_records({{{topic_, PartitionId(0)}, Offset(1)}}).ok());
  transaction({"c"}, true);
  transaction({"x", "y"}, false);
  {
    const auto log = follow();
    EXPECT_EQ(take(), (Values{"b", "c"}));
    // Nothing more comes, and the end is behind the last marker all the same.
    ASSERT_TRUE(log->read_to_end(kWaitMs).ok());
    // A commit is answered before its markers are written.
    transaction({"d"}, true);
    EXPECT_TRUE(comes({"d"}));
    take();
  }
  const auto all = follow(IsolationLevel::read_uncommitted);
  EXPECT_EQ(take(), (Values{"b", "c", "x", "y", "d"}));
}

TEST_P(TopicLogCluster, WritersReadTheirOwnAndEachOthersRecords) {
  const auto one = follow();
  const auto another = follow();
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 5; ++i) {
        const std::string value = fmt::format("{}-{}", w, i);
        const ProducedRecord record_of_it = record(value);
        const auto written = (w % 2 == 0 ? one : another)->write({&record_of_it, 1}, kWaitMs);
        ASSERT_TRUE(written.ok()) << written.status().to_string();
        const std::lock_guard lock(mutex_);
        EXPECT_NE(std::find(values_.begin(), values_.end(), value), values_.end()) << value;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(one->read_to_end(kWaitMs).ok());
  ASSERT_TRUE(another->read_to_end(kWaitMs).ok());
  EXPECT_EQ(take().size(), 2 * 4 * 5u);
}

TEST_P(TopicLogCluster, PartitionsThatAreAddedAreRead) {
  send({"a"});
  const auto log = follow();
  const Status added = admin_->create_partitions(topic_, 3);
  ASSERT_TRUE(added.ok()) << added.to_string();
  EXPECT_EQ(admin_->create_partitions(topic_, 3).code(), Code::invalid_argument);
  EXPECT_EQ(admin_->create_partitions(topic_ + "-none", 3).code(), Code::not_found);
  send({"b"}, 2);
  EXPECT_TRUE(comes({"a", "b"}));
}

// With as many records as the old one had, and more: no offset tells them apart.
TEST_P(TopicLogCluster, ATopicMadeAnewIsReadFromItsBeginning) {
  send({"a", "b"});
  const auto log = follow();
  EXPECT_EQ(take(), (Values{"a", "b"}));
  const auto before = admin_->describe_topic(topic_).value();
  ASSERT_TRUE(admin_->delete_topic(topic_).ok());
  ASSERT_TRUE(muir::testing::eventually([&] { return log->failure().has_value(); }));
  EXPECT_EQ(log->failure()->kind, TopicFailureKind::unknown_topic) << log->failure()->status.to_string();
  make(1);
  EXPECT_NE(admin_->describe_topic(topic_).value().id, before.id);
  send({"x", "y", "z"});
  EXPECT_TRUE(comes({"(0 from 0: the topic was made anew)", "x", "y", "z"}));
  const ProducedRecord more = record("more");
  const auto written = log->write({&more, 1}, kWaitMs);
  EXPECT_TRUE(written.ok()) << written.status().to_string();
}

INSTANTIATE_TEST_SUITE_P(Clusters, TopicLogCluster, kClusters,
                         [](const auto& cluster) { return std::string(cluster.param); });

}  // namespace
}  // namespace muir::client
