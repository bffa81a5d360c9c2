#include "log/partition.h"

#include <gtest/gtest.h>

#include "log/file_names.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"

namespace muir::storage {
namespace {

using Lines = std::vector<std::string>;
using wire::ErrorCode;

TopicConfig small_segments(int64_t bytes = 400) {
  TopicConfig config;
  config.segment_bytes = bytes;
  config.index_interval_bytes = 100;
  return config;
}

TEST(Partition, WhatIsAppendedIsSeenAtOnceAndConfirmedWhenDurable) {
  PartitionFixture log;
  bool confirmed = false;
  log.append_ok(test_batch("a"));
  log.partition->when_durable(Offset(1), [&](const Status& status) { confirmed = status.ok(); });
  EXPECT_EQ(log.flushes_asked, 1);
  EXPECT_EQ(log.read_all(), Lines{"0:a"});
  EXPECT_EQ(log.partition->offsets().high_watermark, Offset(1));
  EXPECT_EQ(log.partition->offsets().last_stable, Offset(1));
  EXPECT_FALSE(confirmed);
  log.flush();
  EXPECT_TRUE(confirmed);
}

TEST(Partition, AfterAFailedSyncNothingIsSeenThatTheDiskMayNotHave) {
  PartitionFixture log;
  log.append_ok(test_batch("a"));
  log.flush();
  log.append_ok(test_batch("b"));
  log.env.fail_syncs(true);
  EXPECT_FALSE(log.partition->flush().ok());
  EXPECT_EQ(log.read_all(), Lines{"0:a"});
  EXPECT_EQ(log.partition->offsets().high_watermark, Offset(1));
}

TEST(Partition, OneFlushConfirmsAllAppendsBeforeItInOrder) {
  PartitionFixture log;
  std::vector<int> confirmed;
  for (int i = 0; i < 3; ++i) {
    const Bytes bytes = test_batch("x");
    ASSERT_TRUE(log.partition
                    ->append(*wire::BatchView::parse(bytes),
                             [&confirmed, i](const Status& status) {
                               EXPECT_TRUE(status.ok());
                               confirmed.push_back(i);
                             })
                    .ok());
  }
  EXPECT_EQ(log.flushes_asked, 1) << "asked for once, until it runs";
  EXPECT_TRUE(confirmed.empty());
  log.flush();
  EXPECT_EQ(confirmed, (std::vector<int>{0, 1, 2}));
}

TEST(Partition, AFailedSyncFailsWaitersAndAllLaterAppends) {
  PartitionFixture log;
  Status outcome;
  const Bytes bytes = test_batch("x");
  ASSERT_TRUE(
      log.partition->append(*wire::BatchView::parse(bytes), [&](const Status& status) { outcome = status; }).ok());
  log.env.fail_syncs(true);
  EXPECT_FALSE(log.partition->flush().ok());
  EXPECT_EQ(kafka_code(outcome), ErrorCode::kafka_storage_error);
  log.env.fail_syncs(false);
  EXPECT_EQ(kafka_code(log.append(bytes).status()), ErrorCode::kafka_storage_error);
}

TEST(Partition, AFullDiskFailsTheAppendAndLeavesTheLogWhole) {
  PartitionFixture log;
  log.append_ok(test_batch("a"));
  log.env.fail_writes_after(0);
  EXPECT_FALSE(log.append(test_batch("b")).ok());
  log.env.fail_writes_after(std::nullopt);
  log.append_ok(test_batch("c"));
  log.flush();
  EXPECT_EQ(log.read_all(), (Lines{"0:a", "1:c"}));
}

TEST(Partition, ARollThatFailedLeavesNoStaleIndexes) {
  // Rolling writes two index files, the producers' snapshot and the next segment: any of them may meet the full disk.
  for (uint64_t writes = 0; writes < 4; ++writes) {
    SCOPED_TRACE(writes);
    PartitionFixture log(small_segments());
    int64_t time = 1000;
    while (log.partition->size().bytes < 320) log.append_ok(test_batch("0123456789", ++time));
    log.env.fail_writes_after(writes);
    EXPECT_FALSE(log.append(test_batch(std::string(100, 'x'), ++time)).ok());
    log.env.fail_writes_after(std::nullopt);
    log.append_ok(test_batch("0", ++time));
    const Offset last = log.partition->offsets().log_end - 1;
    log.append_ok(test_batch(std::string(300, 'y'), 5));
    log.flush();
    EXPECT_GT(log.partition->size().segments, 1u);
    log.close_and_reopen();
    EXPECT_EQ(log.partition->find_timestamp(time, Isolation::read_uncommitted)->offset, last);
  }
}

TEST(Partition, AGateThatRefusesKeepsTheBatchOut) {
  PartitionFixture log;
  const Bytes bytes = test_batch("x");
  const auto batch = wire::BatchView::parse(bytes);
  const auto refused = log.partition->append(
      *batch, [](const Status&) { ADD_FAILURE() << "nothing was appended"; },
      [] { return kafka_error(ErrorCode::invalid_txn_state, "no"); });
  EXPECT_EQ(kafka_code(refused.status()), ErrorCode::invalid_txn_state);
  EXPECT_EQ(log.partition->offsets().log_end, Offset(0));
  ASSERT_TRUE(log.partition->append(*batch, {}, [] { return Status(); }).ok());
  log.flush();
  EXPECT_EQ(log.read_all(), Lines{"0:x"});
}

TEST(Partition, TheRecoveryPointStaysBelowASegmentWhoseIndexesAreNotDurable) {
  PartitionFixture log(small_segments());
  Offset rolled_at;
  while (log.partition->size().segments == 1) {
    log.append_ok(test_batch("0123456789"));
    if (log.partition->size().segments == 1) log.flush();
  }
  rolled_at = log.partition->offsets().log_end - 1;
  EXPECT_EQ(log.partition->recovery_point(), Offset(0)) << "all records below " << rolled_at << " are, its indexes not";
  log.flush();
  EXPECT_EQ(log.partition->recovery_point(), rolled_at + 1);
}

TEST(Partition, ReadsStartInsideBatchesAndCrossSegments) {
  PartitionFixture log(small_segments());
  Lines expected;
  for (int i = 0; i < 40; ++i) {
    log.append_ok(test_batch({{i, "k" + std::to_string(i), "v"}, {i, std::nullopt, std::to_string(i)}}));
    expected.push_back(std::to_string(2 * i) + ":k" + std::to_string(i) + "=v");
    expected.push_back(std::to_string(2 * i + 1) + ":" + std::to_string(i));
  }
  log.flush();
  EXPECT_GT(log.partition->size().segments, 5u);
  for (Offset from; from < Offset(80); ++from) {
    const Lines rest(expected.begin() + from.value(), expected.end());
    EXPECT_EQ(log.read_all(from), rest) << from;
    EXPECT_EQ(log.read_all(from, Isolation::read_uncommitted, 1), rest) << from << ", one batch at a time";
  }
}

TEST(Partition, ReadsReturnWholeBatchesWithinTheLimitOrOneThatIsLarger) {
  PartitionFixture log;
  const Bytes batch = test_batch(std::string(10'000, 'x'));
  for (int i = 0; i < 5; ++i) log.append_ok(batch);
  log.flush();
  const auto bytes_read = [&](size_t limit, bool at_least_one) {
    return log.partition->read({Offset(1), limit, at_least_one, Isolation::read_uncommitted})->records.size();
  };
  EXPECT_EQ(bytes_read(3 * batch.size() + 5, true), 3 * batch.size());
  EXPECT_EQ(bytes_read(100, true), batch.size());
  EXPECT_EQ(bytes_read(100, false), 0u);
  EXPECT_EQ(bytes_read(0, true), batch.size());
}

TEST(Partition, OffsetsOutsideOfTheLogAreRefused) {
  PartitionFixture log(small_segments());
  for (int i = 0; i < 30; ++i) log.append_ok(test_batch("0123456789"));
  log.flush();
  ASSERT_EQ(log.partition->delete_records_before(Offset(12)).value(), Offset(12));
  for (const auto& [offset, expected] :
       std::vector<std::pair<int64_t, ErrorCode>>{{-1, ErrorCode::offset_out_of_range},
                                                  {11, ErrorCode::offset_out_of_range},
                                                  {12, ErrorCode::none},
                                                  {30, ErrorCode::none},
                                                  {31, ErrorCode::offset_out_of_range}}) {
    EXPECT_EQ(kafka_code(log.partition->read({Offset(offset), 100, true, {}}).status()), expected) << offset;
  }
  EXPECT_EQ(kafka_code(log.partition->delete_records_before(Offset(31)).status()), ErrorCode::offset_out_of_range);
}

TEST(Partition, FindsTheFirstRecordAtOrAfterATimestamp) {
  PartitionFixture log(small_segments());
  for (int i = 0; i < 30; ++i)
    log.append_ok(test_batch({{1000 + i * 10, std::nullopt, "a"}, {1005 + i * 10, std::nullopt, "b"}}));
  log.flush();
  const struct {
    int64_t timestamp;
    Offset expected_offset;
    int64_t expected_timestamp;
  } cases[] = {{0, Offset(0), 1000},    {1000, Offset(0), 1000},  {1001, Offset(1), 1005},  {1005, Offset(1), 1005},
               {1006, Offset(2), 1010}, {1155, Offset(31), 1155}, {1295, Offset(59), 1295}, {1296, kNoOffset, -1}};
  for (const auto& c : cases) {
    const auto found = log.partition->find_timestamp(c.timestamp, Isolation::read_uncommitted).value();
    EXPECT_EQ(found.offset, c.expected_offset) << c.timestamp;
    EXPECT_EQ(found.timestamp, c.expected_timestamp) << c.timestamp;
  }
  EXPECT_EQ(log.partition->find_max_timestamp()->offset, Offset(59));
}

TEST(Partition, TimestampsNeedNotAscend) {
  PartitionFixture log(small_segments());
  const int64_t times[] = {50, 10, 90, 20, 30, 90, 70};
  for (const int64_t time : times) log.append_ok(test_batch("0123456789", time));
  log.flush();
  for (const auto& [wanted, expected] :
       std::vector<std::pair<int64_t, Offset>>{{10, Offset(0)}, {51, Offset(2)}, {90, Offset(2)}, {91, kNoOffset}}) {
    EXPECT_EQ(log.partition->find_timestamp(wanted, Isolation::read_uncommitted)->offset, expected) << wanted;
  }
  EXPECT_EQ(log.partition->find_max_timestamp()->offset, Offset(2));
}

TEST(Partition, LogAppendTimeIsGivenToAllRecordsOfABatch) {
  TopicConfig config;
  config.log_append_time = true;
  PartitionFixture log(config);
  const auto appended = log.append(test_batch({{1, std::nullopt, "a"}, {2, std::nullopt, "b"}}));
  ASSERT_TRUE(appended.ok());
  EXPECT_EQ(appended->log_append_time_ms, 1'000'000'000);
  log.flush();
  const auto result = log.partition->read({Offset(0), 1000, true, {}});
  const auto batch = wire::BatchView::parse(result->records);
  EXPECT_TRUE(batch->check_crc().ok());
  EXPECT_TRUE(batch->header().log_append_time());
  EXPECT_EQ(batch->header().max_timestamp, 1'000'000'000);
  EXPECT_EQ(log.partition->find_timestamp(500, Isolation::read_uncommitted)->timestamp, 1'000'000'000);
}

TEST(Partition, ARepeatedBatchIsConfirmedWithItsOldOffset) {
  PartitionFixture log;
  log.append_ok(test_batch("other"));
  const Bytes first =
      test_batch({{0, std::nullopt, "a"}, {0, std::nullopt, "b"}}, from_producer(ProducerId(9), ProducerEpoch(0), 0));
  EXPECT_EQ(log.append(first)->base_offset, Offset(1));
  const auto again = log.append(first);
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->base_offset, Offset(1));
  EXPECT_EQ(
      kafka_code(
          log.append(test_batch({{0, std::nullopt, "c"}}, from_producer(ProducerId(9), ProducerEpoch(0), 5))).status()),
      ErrorCode::out_of_order_sequence_number);
  log.flush();
  EXPECT_EQ(log.read_all(), (Lines{"0:other", "1:a", "2:b"}));
}

TEST(Partition, ReadCommittedStopsAtTheFirstOpenTransactionAndListsAbortedOnes) {
  PartitionFixture log(small_segments());
  const auto in_txn = [](ProducerId id, int32_t sequence, const std::string& value) {
    return test_batch({{0, std::nullopt, value}}, from_producer(id, ProducerEpoch(0), sequence, true));
  };
  log.append_ok(in_txn(ProducerId(1), 0, "one"));
  log.append_ok(in_txn(ProducerId(2), 0, "two"));
  log.append_ok(test_batch("plain"));
  log.flush();
  EXPECT_EQ(log.partition->offsets().last_stable, Offset(0));
  EXPECT_EQ(log.read_all(Offset(0), Isolation::read_committed), Lines{});

  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(0), LeaderEpoch(0)).ok());
  log.flush();
  EXPECT_EQ(log.partition->offsets().last_stable, Offset(1));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::commit, ProducerId(2), ProducerEpoch(0), LeaderEpoch(0)).ok());
  EXPECT_EQ(log.partition->offsets().last_stable, Offset(5)) << "the decision is durable before any marker is written";
  EXPECT_EQ(log.read_all(Offset(0), Isolation::read_committed),
            (Lines{"0:one", "1:two", "2:plain", "3:abort", "4:commit"}));
  const auto all = log.partition->read({Offset(0), 10'000, true, Isolation::read_committed});
  EXPECT_EQ(all->aborted, (std::vector<AbortedTxn>{{ProducerId(1), Offset(0), Offset(3), Offset(1)}}));
  EXPECT_TRUE(log.partition->read({Offset(4), 10'000, true, Isolation::read_committed})->aborted.empty());
}

TEST(Partition, AbortedTransactionsAreFoundFromEverySegment) {
  PartitionFixture log(small_segments(200));
  for (int32_t i = 0; i < 20; ++i)
    log.append_ok(test_batch({{0, std::nullopt, "value"}}, from_producer(ProducerId(1), ProducerEpoch(0), i, true)));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(0), LeaderEpoch(0)).ok());
  log.flush();
  log.close_and_reopen();
  for (Offset from; from < Offset(20); ++from) {
    const auto result = log.partition->read({from, 100, true, Isolation::read_committed});
    ASSERT_EQ(result->aborted.size(), 1u) << from;
    EXPECT_EQ(result->aborted[0].first_offset, Offset(0));
  }
}

TEST(Partition, RetentionRemovesOldSegmentsAndThenTheActiveOne) {
  TopicConfig config = small_segments(150);
  config.retention_ms = 1000;
  PartitionFixture log(config);
  const int64_t now = log.clock.now_ms();
  for (int i = 0; i < 10; ++i) log.append_ok(test_batch("0123456789", now + i * 100));
  log.flush();
  log.clock.advance_ms(1450);
  ASSERT_TRUE(log.partition->apply_retention().ok());
  const Offset start = log.partition->offsets().log_start;
  EXPECT_GE(start, Offset(4));
  EXPECT_LE(start, Offset(5));
  log.clock.advance_ms(10'000);
  ASSERT_TRUE(log.partition->apply_retention().ok());
  EXPECT_EQ(log.partition->offsets().log_start, Offset(10));
  EXPECT_EQ(log.partition->size().bytes, 0u);
  log.append_ok(test_batch("next", log.clock.now_ms()));
  log.flush();
  EXPECT_EQ(log.read_all(Offset(10)), Lines{"10:next"});
}

TEST(Partition, RetentionByBytesNeverGoesBelowTheLimit) {
  TopicConfig config = small_segments(150);
  config.retention_bytes = 400;
  PartitionFixture log(config);
  for (int i = 0; i < 20; ++i) log.append_ok(test_batch("0123456789", log.clock.now_ms()));
  log.flush();
  ASSERT_TRUE(log.partition->apply_retention().ok());
  EXPECT_GE(log.partition->size().bytes, 400u);
  EXPECT_LT(log.partition->size().bytes, 400u + 150u);
}

TEST(Partition, WatchersAreWokenOnceWhenMoreCanBeRead) {
  PartitionFixture log;
  int woken = 0;
  log.partition->watch([&] { ++woken; });
  const auto taken_back = log.partition->watch([&] { woken += 100; });
  log.partition->unwatch(taken_back);
  log.append_ok(test_batch("a"));
  EXPECT_EQ(woken, 1) << "before the flush";
  log.append_ok(test_batch("b"));
  log.flush();
  EXPECT_EQ(woken, 1);
  log.partition->watch([&] { ++woken; });
  log.partition->mark_deleted();
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(kafka_code(log.append(test_batch("c")).status()), ErrorCode::unknown_topic_or_partition);
}

// Said at once, nothing half written, and over as soon as there is space.
TEST(Partition, AFullDiskRefusesAndTakesUpAgain) {
  TopicConfig config;
  config.segment_bytes = 300;
  for (uint64_t writes = 0; writes < 6; ++writes) {
    SCOPED_TRACE(writes);
    PartitionFixture log(config);
    std::vector<std::string> expected;
    const auto append = [&](const std::string& value) {
      const auto appended = log.append(test_batch(value));
      if (appended.ok()) expected.push_back(std::to_string(expected.size()) + ":" + value);
      return appended.status();
    };
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(append("before").ok());
    log.env.fail_writes_after(writes);
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
      const Status status = append("meanwhile");
      if (status.ok()) continue;
      ++refused;
      EXPECT_EQ(kafka_code(status), wire::ErrorCode::kafka_storage_error);
      EXPECT_NE(status.message().find("no space left"), std::string::npos) << status.message();
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(kafka_code(log.partition
                             ->append_end_txn(wire::ControlType::abort, ProducerId(6), ProducerEpoch(0), LeaderEpoch(0))
                             .status()),
              wire::ErrorCode::kafka_storage_error);
    log.env.fail_writes_after(std::nullopt);
    ASSERT_TRUE(append("after").ok());
    log.flush();
    EXPECT_EQ(log.read_all(), expected);
    log.crash(writes);
    EXPECT_EQ(log.read_all(), expected);
  }
}

// Hundreds of producers try again and again meanwhile: the log of the program says it once in a while.
TEST(Partition, AFullDiskIsLoggedOnce) {
  const struct {
    const char* name;
    bool some_fit;  // small batches find room between large ones
  } cases[] = {{"nothing fits", false}, {"some fit", true}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    PartitionFixture log;
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 20; ++i) {
      log.env.fail_writes_after(0);
      EXPECT_FALSE(log.append(test_batch("x")).ok());
      log.env.fail_writes_after(std::nullopt);
      if (c.some_fit) {
        EXPECT_TRUE(log.append(test_batch("x")).ok());
      }
    }
    const std::string said = ::testing::internal::GetCapturedStderr();
    size_t refusals = 0;
    for (size_t at = said.find("until there is space"); at != std::string::npos;
         at = said.find("until there is space", at + 1))
      ++refusals;
    EXPECT_EQ(refusals, 1u) << said;
    size_t lines = 0;
    for (size_t at = said.find("t-0: "); at != std::string::npos; at = said.find("t-0: ", at + 1)) ++lines;
    EXPECT_EQ(lines, c.some_fit ? 2u : 1u) << said;
  }
}

}  // namespace
}  // namespace muir::storage
