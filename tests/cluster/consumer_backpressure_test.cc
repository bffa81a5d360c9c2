// A reader that cannot keep up: what was fetched for it is bounded, and is neither fetched again nor lost. Bytes are
// those that the kernel has received on this process's connections to the broker.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clusters.h"
#include "testing/eventually.h"
#include "testing/received_bytes.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr int32_t kPartitions = 3;
constexpr int64_t kRecords = 90'000;  // of each partition
constexpr size_t kValueBytes = 100;
constexpr size_t kRecordBytesMax = kValueBytes + 12;  // in a batch, which takes 61 more for itself
// What may be ahead of the reader: of each partition a full queue of 512 KiB and one fetch of 1 MiB, and answers that
// are under way.
constexpr uint64_t kUnderWayMax = 2 * 1024 * 1024;
constexpr uint64_t kAheadMax = kPartitions * (512 + 1024) * 1024 + kUnderWayMax;

// Percent: Apache Kafka cuts an answer at its limit within a batch, which comes whole in the next one; the smaller the
// answers, the more of them there are. What is fetched again by pausing is several times the topic.
constexpr uint64_t kFetchedOnce = 130;

class ConsumerBackpressure : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    client_ = client_of(GetParam());
    ASSERT_NE(client_, nullptr);
    static std::atomic<int> next{0};
    topic_ = fmt::format("pressure-{}", next++);
    const auto admin = client_->admin({}).value();
    const Status created = admin->create_topic({.name = topic_, .partitions = kPartitions, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  [[nodiscard]] TopicPartition part(int32_t partition) const { return {topic_, PartitionId(partition)}; }
  // 0 for the cluster in memory, which sends nothing.
  [[nodiscard]] uint64_t received() const {
    return counts_bytes() ? muir::testing::received_bytes(port_of(GetParam())) : 0;
  }
  [[nodiscard]] bool counts_bytes() const { return GetParam() != "Memory"; }

  void fill(int32_t partition, int64_t from, int64_t to) const {
    const auto producer = client_->producer({}).value();
    const std::string value(kValueBytes, 'v');
    std::vector<ProducedRecord> batch;
    for (int64_t i = from; i < to; ++i) {
      batch.push_back({.topic = topic_, .partition = PartitionId(partition), .value = value});
      if (batch.size() < 1000 && i + 1 < to) continue;
      ASSERT_TRUE(producer->send(batch).ok());
      batch.clear();
    }
    ASSERT_TRUE(producer->flush(kWaitMs).ok());
  }

  // Reads what comes in one poll; records of a partition must follow each other without a gap.
  void read(Consumer& reader, size_t records_max) {
    const auto records = reader.poll(100, records_max);
    ASSERT_TRUE(records.ok()) << records.status().to_string();
    ASSERT_LE((*records)->count(), records_max);
    for (const PartitionRecords& some : (*records)->partitions()) {
      ASSERT_FALSE(paused_.contains(some.partition)) << "partition " << some.partition.partition << " is paused";
      for (const ConsumedRecord& one : some.records) {
        ASSERT_EQ(one.offset.value(), next_[some.partition]++) << "partition " << some.partition.partition;
        bytes_ += kRecordBytesMax;
      }
      ASSERT_EQ(reader.position(some.partition).value(), Offset(next_[some.partition]));
    }
  }
  [[nodiscard]] bool all_read() const {
    return next_.size() == kPartitions &&
           std::all_of(next_.begin(), next_.end(), [](const auto& entry) { return entry.second == kRecords; });
  }

  std::unique_ptr<Client> client_;
  std::string topic_;
  std::map<TopicPartition, int64_t> next_;
  std::map<TopicPartition, bool> paused_;
  uint64_t bytes_ = 0;  // at most what was read took on the wire
};

TEST_P(ConsumerBackpressure, APausingReaderOfALargeTopicFetchesEachRecordOnceAndLittleAhead) {
  for (int32_t partition = 0; partition < kPartitions; ++partition) fill(partition, 0, kRecords);
  const uint64_t before = received();
  const auto reader = client_->consumer({}).value();
  ASSERT_TRUE(reader->assign({{part(0), Offset(0)}, {part(1), Offset(0)}, {part(2), Offset(0)}}).ok());
  const uint32_t seed = 20261128;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const bool done = muir::testing::eventually([&] {
    read(*reader, 1 + random() % 2'000);
    EXPECT_LE(received() - before, bytes_ + kAheadMax);
    // As a task does whose buffers are full, or not any more.
    const TopicPartition one = part(static_cast<int32_t>(random() % kPartitions));
    if (paused_.erase(one) > 0) {
      EXPECT_TRUE(reader->resume({one}).ok());
    } else if (paused_.size() + 1 < kPartitions) {
      EXPECT_TRUE(reader->pause({one}).ok());
      paused_[one] = true;
    }
    return all_read() || HasFailure();
  });
  EXPECT_TRUE(done) << "not everything was read";
  if (!counts_bytes()) return;
  const uint64_t total = received() - before;
  EXPECT_LE(total, kPartitions * kRecords * kRecordBytesMax * kFetchedOnce / 100)
      << "records were fetched more than once";
  EXPECT_GE(total, kPartitions * kRecords * kValueBytes) << "the measure does not measure";
}

TEST_P(ConsumerBackpressure, AReaderThatIsPausedHoldsABoundedPartOfALargeTopicAndItsOthersGoOn) {
  fill(0, 0, kRecords);
  fill(1, 0, 1'000);
  const uint64_t before = received();
  const auto reader = client_->consumer({}).value();
  ASSERT_TRUE(reader->assign({{part(0), Offset(0)}, {part(1), Offset(0)}}).ok());
  while (next_[part(0)] == 0 && !HasFatalFailure()) read(*reader, 100);
  ASSERT_TRUE(reader->pause({part(0)}).ok());
  paused_[part(0)] = true;
  const int64_t paused_at = next_[part(0)];
  // Rounds through the broker, in each of which the paused partition could be fetched as well.
  for (int64_t end = 1'000; end <= 3'000 && !HasFatalFailure(); end += 100) {
    if (end > 1'000) fill(1, end - 100, end);
    while (next_[part(1)] < end && !HasFatalFailure()) read(*reader, 1'000);
  }
  EXPECT_EQ(reader->position(part(0)).value(), Offset(paused_at));
  EXPECT_LE(received() - before, bytes_ + (512 + 1024) * 1024 + kUnderWayMax);
  ASSERT_TRUE(reader->resume({part(0)}).ok());
  paused_.clear();
  while (next_[part(0)] < kRecords && !HasFatalFailure()) read(*reader, 5'000);
  EXPECT_LE(received() - before, (kRecords + 3'000) * kRecordBytesMax * kFetchedOnce / 100);
}

INSTANTIATE_TEST_SUITE_P(Clusters, ConsumerBackpressure, kClusters, [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace muir::client
