// A disk that takes no more, as coordinators' requests meet it: clients are told to try again, nothing of a refused
// request counts, and everything goes on when there is space.
#include "broker/internal/core_fixture.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/incremental_alter_configs.h"

namespace muir::broker {
namespace {

using testing::eventually;
using wire::ErrorCode;

using DiskFull = CoreFixture;

TEST_F(DiskFull, OffsetsAreCommittedAgainWhenThereIsSpace) {
  env_.fail_writes_after(0);
  EXPECT_EQ(commit(2), ErrorCode::not_coordinator);
  EXPECT_EQ(commit(3), ErrorCode::not_coordinator);
  EXPECT_EQ(committed(), 1);
  env_.fail_writes_after(std::nullopt);
  EXPECT_EQ(commit(4), ErrorCode::none);
  EXPECT_EQ(committed(), 4);
  restart();
  EXPECT_TRUE(eventually([&] { return committed() == 4; }));
}

TEST_F(DiskFull, ATransactionGoesOnWhenThereIsSpace) {
  const auto producer = init("txn");
  ASSERT_EQ(producer.error_code, ErrorCode::none);
  env_.fail_writes_after(0);
  EXPECT_EQ(add_partition("txn", producer), ErrorCode::not_coordinator);
  EXPECT_EQ(init("another").error_code, ErrorCode::not_coordinator);
  env_.fail_writes_after(std::nullopt);
  EXPECT_EQ(end("txn", producer), ErrorCode::invalid_txn_state) << "the refused partition is not in it";
  EXPECT_EQ(add_partition("txn", producer), ErrorCode::none);
  env_.fail_writes_after(0);
  EXPECT_EQ(end("txn", producer), ErrorCode::not_coordinator);
  env_.fail_writes_after(std::nullopt);
  EXPECT_TRUE(eventually([&] { return end("txn", producer) == ErrorCode::none; }));
  EXPECT_EQ(init("another").error_code, ErrorCode::none);
}

// An idempotent producer's number is either given out of a block that is on the disk, or not at all.
TEST_F(DiskFull, ProducerIdsAreNotGivenTwice) {
  env_.fail_writes_after(0);
  int64_t last = -1;
  for (int i = 0; i < 2000; ++i) {
    const auto producer = init(std::nullopt);
    if (producer.error_code != ErrorCode::none) {
      EXPECT_EQ(producer.error_code, ErrorCode::coordinator_load_in_progress);
      break;
    }
    EXPECT_GT(producer.producer_id, last);
    last = producer.producer_id;
    ASSERT_LT(i, 1999) << "the block has no end";
  }
  env_.fail_writes_after(std::nullopt);
  restart();
  const auto producer = init(std::nullopt);
  EXPECT_EQ(producer.error_code, ErrorCode::none);
  EXPECT_GT(producer.producer_id, last);
}

TEST_F(DiskFull, TheLogSaysWhatClientsAreTold) {
  env_.fail_writes_after(0);
  const struct {
    const char* name;
    std::function<ErrorCode()> ask;
    const char* line;
  } cases[] = {
      {"a commit", [&] { return commit(2); }, "__consumer_offsets-0: "},
      {"a transaction", [&] { return init("another").error_code; }, "__transaction_state-0: "},
      {"a topic",
       [&] {
         wire::CreateTopicsRequest request;
         request.topics.push_back({"unlucky", 1, 1, {}, {}, {}});
         return ask(request, 7).topics.at(0).error_code;
       },
       "CreateTopics unlucky: "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ::testing::internal::CaptureStderr();
    const std::string told(wire::name_of(c.ask()));
    const std::string said = ::testing::internal::GetCapturedStderr();
    const size_t at = said.find(c.line);
    ASSERT_NE(at, std::string::npos) << said;
    EXPECT_NE(said.substr(at, said.find('\n', at) - at).find(told), std::string::npos) << told << " in: " << said;
  }
}

// What frees space is done on a disk without any, as often as it is asked for; what needs some is refused.
TEST_F(DiskFull, IsEmptiedByDeletions) {
  const Bytes batch = [] {
    wire::BatchBuilder builder;
    builder.add(1000, "k", Bytes(3'000'000, 'v'));
    return builder.build();
  }();
  storage::LogManager& logs = *core_->context().logs;
  const auto append = [&](const std::string& topic) {
    return logs.find_partition(topic, PartitionId(0))->append(*wire::BatchView::parse(batch)).ok();
  };
  const auto fill = [&](const std::string& topic) {
    env_.limit_bytes(env_.used_bytes() + 10'000'000);
    while (append(topic)) {
    }
    env_.limit_bytes(env_.used_bytes());
  };
  const auto create = [&](const std::string& topic) {
    wire::CreateTopicsRequest request;
    request.topics.push_back({topic, 1, 1, {}, {{"segment.bytes", "4000000", {}}}, {}});
    return ask(request, 7).topics.at(0).error_code;
  };
  const auto delete_topic = [&](const std::string& topic) {
    wire::DeleteTopicsRequest request;
    request.topics.push_back({topic, {}, {}});
    return ask(request, 6).responses.at(0).error_code;
  };
  const auto delete_records = [&](const std::string& topic) {
    wire::DeleteRecordsRequest request;
    request.topics.push_back({topic, {{0, -1, {}}}, {}});
    return ask(request, 2).topics.at(0).partitions.at(0).error_code;
  };
  const auto set_retention = [&](const std::string& topic) {
    wire::IncrementalAlterConfigsRequest request;
    request.resources.push_back({2, topic, {{"retention.bytes", 0, "1", {}}}, {}});
    const auto error = ask(request, 1).responses.at(0).error_code;
    (void)logs.apply_retention().ok();  // what follows in log.retention.check.interval.ms
    return error;
  };
  const struct {
    const char* name;
    std::function<ErrorCode(const std::string&)> ask;
  } cases[] = {
      {"DeleteTopics", delete_topic}, {"DeleteRecords", delete_records}, {"IncrementalAlterConfigs", set_retention}};
  for (const auto& c : cases) {
    for (int round = 0; round < 2; ++round) {
      SCOPED_TRACE(fmt::format("{}, {}", c.name, round));
      const std::string topic = fmt::format("{}-{}", c.name, round);
      ASSERT_EQ(create(topic), ErrorCode::none);
      fill(topic);
      const uint64_t full = env_.used_bytes();
      EXPECT_EQ(create("another"), ErrorCode::kafka_storage_error);
      EXPECT_EQ(c.ask(topic), ErrorCode::none);
      EXPECT_TRUE(eventually([&] { return env_.used_bytes() < full - 3'000'000; })) << env_.used_bytes();
      EXPECT_TRUE(eventually([&] { return append("t"); }));
      env_.limit_bytes(std::nullopt);
      // For the next time.
      EXPECT_TRUE(eventually([&] {
        const auto reserve = env_.open("/data/muir-reserve", OpenMode::read);
        return reserve.ok() && (*reserve)->size().value() == size_t{4} << 20;
      }));
    }
  }
  restart();
  EXPECT_EQ(core_->context().logs->find_topic("DeleteTopics-0"), nullptr);
  const auto partition = core_->context().logs->find_partition("DeleteRecords-0", PartitionId(0));
  EXPECT_EQ(partition->offsets().log_start, partition->offsets().log_end);
}

// Also the deletions need a broker that has been started.
class DiskFullAtTheStart : public CoreFixture, public ::testing::WithParamInterface<bool> {};

TEST_P(DiskFullAtTheStart, WhatIsThereIsServedAndCanBeDeleted) {
  const auto log = [&] { return core_->context().logs->find_partition("t", PartitionId(0)); };
  wire::BatchBuilder builder;
  builder.add(1000, "k", Bytes(100'000, 'v'));
  const Bytes batch = builder.build();
  const auto append = [&] { return log()->append(*wire::BatchView::parse(batch)).ok(); };
  env_.limit_bytes(env_.used_bytes() + 5'000'000);
  while (append()) {
  }
  env_.limit_bytes(env_.used_bytes());
  const auto end = log()->offsets().log_end;
  core_.reset();
  const bool killed = GetParam();
  if (killed) (void)env_.remove("/data/.kafka_cleanshutdown").ok();
  start();
  EXPECT_EQ(log()->offsets().log_end, end);
  EXPECT_EQ(committed(), 1);
  EXPECT_FALSE(append());
  wire::DeleteTopicsRequest request;
  request.topics.push_back({"t", {}, {}});
  EXPECT_EQ(ask(request, 6).responses.at(0).error_code, ErrorCode::none);
  EXPECT_TRUE(eventually([&] { return init("another").error_code == ErrorCode::none; }));
}

INSTANTIATE_TEST_SUITE_P(Killed, DiskFullAtTheStart, ::testing::Bool());

// The process ends when a topic is deleted and before its offsets are: the next start drops them.
TEST_F(DiskFull, OffsetsOfATopicDeletedBeforeTheEndAreGoneAfterwards) {
  ASSERT_EQ(committed(), 1);
  ASSERT_TRUE(core_->context().logs->delete_topic("t").ok());
  restart();
  EXPECT_TRUE(eventually([&] { return committed() == -1; }));
  ASSERT_TRUE(core_->context().logs->create_topic("t", 2, {}).ok());
  EXPECT_EQ(committed(), -1);
}

}  // namespace
}  // namespace muir::broker
