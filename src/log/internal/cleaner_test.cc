#include "log/internal/cleaner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/memory.h"
#include "log/internal/compacted_batch.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"
#include "testing/peak_memory.h"

namespace muir::storage {
namespace {

using Lines = std::vector<std::string>;

TopicConfig compacted(int64_t segment_bytes = 200) {
  TopicConfig config;
  config.compact = true;
  config.remove = false;
  config.segment_bytes = segment_bytes;
  config.index_interval_bytes = 100;
  config.cleanable_dirty_ratio_min = 0;
  config.delete_retention_ms = 1000;
  return config;
}

Bytes put(const std::string& key, const OptBytes& value) { return test_batch({{5, key, value}}); }

// Ends the active segment, which compaction leaves alone, by filling it.
void roll(PartitionFixture& log) {
  const size_t segments = log.partition->size().segments;
  for (int i = 0; log.partition->size().segments == segments; ++i) log.append_ok(put("filler", "0123456789"));
  log.flush();
}

bool clean(PartitionFixture& log, CleanerLimits limits = {}) {
  const auto cleaned = Cleaner(log.env, log.clock, limits).clean(*log.partition);
  EXPECT_TRUE(cleaned.ok()) << cleaned.status().to_string();
  return cleaned.ok() && *cleaned;
}

Lines without_filler(const Lines& lines) {
  Lines out;
  for (const auto& line : lines) {
    if (line.find("filler") == std::string::npos) out.push_back(line);
  }
  return out;
}

struct Header {
  wire::BatchHeader header;
  size_t payload = 0;
  int64_t max_timestamp = -1;  // of its records
};

std::map<Offset, Header> headers_of(PartitionFixture& log) {
  std::map<Offset, Header> out;
  const auto names = log.env.list("/data/t-0").value();
  for (const std::string& name : names) {
    if (!name.ends_with(".log")) continue;
    const Bytes bytes = log.env.read_file("/data/t-0/" + name).value();
    wire::BatchReader batches(bytes);
    while (const auto batch = batches.next().value()) {
      EXPECT_TRUE(batch->check_crc().ok());
      Header one{batch->header(), batch->payload().size(), -1};
      wire::RecordIterator records;
      EXPECT_TRUE(records.reset(*batch).ok());
      wire::Record record;
      while (records.next(record)) one.max_timestamp = std::max(one.max_timestamp, record.timestamp);
      EXPECT_TRUE(records.status().ok());
      out[batch->header().base_offset] = one;
    }
  }
  return out;
}

std::vector<Offset> offsets_of_batches(PartitionFixture& log) {
  std::vector<Offset> out;
  const auto names = log.env.list("/data/t-0").value();
  for (const std::string& name : names) {
    if (!name.ends_with(".log")) continue;
    const Bytes bytes = log.env.read_file("/data/t-0/" + name).value();
    wire::BatchReader batches(bytes);
    while (const auto batch = batches.next().value()) out.push_back(batch->header().base_offset);
  }
  return out;
}

TEST(Cleaner, KeepsTheLastRecordOfEachKeyAtItsOffset) {
  PartitionFixture log(compacted());
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"a", "1"}, {"b", "1"}, {"a", "2"}, {"c", "1"}, {"a", "3"}, {"b", "2"}}) {
    log.append_ok(put(key, value));
  }
  roll(log);
  const Offset end = log.partition->offsets().log_end;
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), (Lines{"3:c=1", "4:a=3", "5:b=2"}));
  EXPECT_EQ(log.partition->offsets().log_end, end);
  EXPECT_FALSE(clean(log)) << "nothing new";
  log.close_and_reopen();
  EXPECT_EQ(without_filler(log.read_all()), (Lines{"3:c=1", "4:a=3", "5:b=2"}));
  for (Offset from; from <= end; ++from) (void)log.read_all(from);
}

// Of whatever codec, and however little of it stays: what is in memory is a part of it.
TEST(Cleaner, ABatchThatExpandsToVeryMuchIsCompactedPieceByPiece) {
  [[maybe_unused]] constexpr size_t kMemory = size_t{40} << 20;  // of the batch as it comes and goes, and of codecs
  const struct {
    wire::Compression codec;
    size_t mib;
  } cases[] = {{wire::Compression::gzip, 18},
               {wire::Compression::snappy, 18},
               {wire::Compression::lz4, 64},
               {wire::Compression::zstd, 64}};
  for (const auto& [codec, mib] : cases) {
    SCOPED_TRACE(wire::name_of(codec));
    const size_t large_bytes = mib << 20;
    wire::BatchOptions options;
    options.compression = codec;
    PartitionFixture log(compacted());
    log.append_ok(put("a", "1"));
    log.append_ok(put("b", "1"));
    log.append_ok(
        test_batch({{5, "a", "2"}, {7, "large", Bytes(large_bytes, 'x')}, {6, "c", "1"}, {9, "d", "1"}}, options));
    log.append_ok(test_batch({{5, "b", "2"}, {5, "d", "2"}}));
    roll(log);
    return_free_memory();
    [[maybe_unused]] const size_t before = resident_bytes();
    testing::forget_peak_memory();
    EXPECT_TRUE(clean(log));
#ifndef MUIR_SANITIZED  // which takes memory of its own
    EXPECT_LT(testing::peak_memory_bytes(), before + kMemory);
#endif
    const std::string large = "3:large=" + std::string(large_bytes, 'x');
    EXPECT_TRUE(without_filler(log.read_all()) == (Lines{"2:a=2", large, "4:c=1", "6:b=2", "7:d=2"}));
    const wire::BatchHeader header = headers_of(log).at(Offset(2)).header;
    EXPECT_EQ(header.record_count, 3);
    EXPECT_EQ(header.max_timestamp, 7);
    EXPECT_EQ(header.compression(), codec);
    EXPECT_EQ(log.partition->left_whole(), 0u);
    const Offset end = log.partition->offsets().log_end;
    log.append_ok(put("large", std::nullopt));  // takes the place of what was large
    roll(log);
    EXPECT_TRUE(clean(log));
    EXPECT_EQ(without_filler(log.read_all()),
              (Lines{"2:a=2", "4:c=1", "6:b=2", "7:d=2", fmt::format("{}:large=null", end)}));
  }
}

// A tombstone in it gets its horizon, and goes when that is over, as in any other.
TEST(Cleaner, TombstonesOfABatchThatExpandsToVeryMuchGoAfterTheirRetention) {
  wire::BatchOptions zstd;
  zstd.compression = wire::Compression::zstd;
  PartitionFixture log(compacted());
  log.append_ok(test_batch({{5, "k", "old"}}));
  log.append_ok(test_batch({{5, "k", std::nullopt}, {8, "large", Bytes(size_t{65} << 20, 'x')}}, zstd));
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_TRUE(headers_of(log).at(Offset(1)).header.has_delete_horizon());
  EXPECT_EQ(headers_of(log).at(Offset(1)).max_timestamp, 8) << "timestamps count from the horizon now";
  EXPECT_EQ(without_filler(log.read_all()).at(0), "1:k=null");
  log.clock.advance_ms(1100);
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()).at(0).substr(0, 8), "2:large=");
}

// More keys in one batch than a pass may hold: the pass ends before it, and one that begins with it says so.
TEST(Cleaner, ABatchWithMoreKeysThanFindRoomIsNamed) {
  wire::BatchOptions zstd;
  zstd.compression = wire::Compression::zstd;
  std::vector<TestRecord> records{{5, "large", Bytes(size_t{65} << 20, 'x')}};
  for (int i = 0; i < 1000; ++i) records.push_back({5, "key-" + std::to_string(i), "v"});
  PartitionFixture log(compacted());
  log.append_ok(put("a", "1"));
  log.append_ok(put("a", "2"));
  log.append_ok(test_batch(records, zstd));
  roll(log);
  CleanerLimits limits;
  limits.key_bytes_max = 10'000;
  EXPECT_TRUE(clean(log, limits));
  EXPECT_EQ(log.partition->cleaned_to(), Offset(2));
  EXPECT_EQ(log.read_all().at(0), "1:a=2");
  const auto again = Cleaner(log.env, log.clock, limits).clean(*log.partition);
  EXPECT_EQ(again.status().code(), Code::resource_exhausted);
  EXPECT_NE(again.status().message().find("log.cleaner.dedupe.buffer.size"), std::string::npos);
  EXPECT_TRUE(clean(log));
}

// A batch whose block is no block of its codec, though the checksum is right. `records` says what it held.
Bytes unreadable(const std::vector<TestRecord>& records) {
  Bytes out = test_batch(records);
  out[wire::kBatchHeaderBytes] = 'x';
  wire::finish_payload(out, wire::Compression::zstd);
  return out;
}

// The older record that nothing removes would be back when what deletes or aborts it went.
TEST(Cleaner, TombstonesAndMarkersStayBehindABatchThatIsLeftAsItIs) {
  for (const bool lost : {true, false}) {
    SCOPED_TRACE(lost ? "the old value is in a batch that cannot be read" : "in one that can");
    PartitionFixture log(compacted());
    const std::vector<TestRecord> old{{5, "k", "old"}, {5, "other", "x"}};
    log.append_ok(lost ? unreadable(old) : test_batch(old));
    log.append_ok(put("k", std::nullopt));
    log.append_ok(put("other", std::nullopt));
    log.append_ok(test_batch({{5, "t", "1"}}, from_producer(ProducerId(1), ProducerEpoch(0), 0, true)));
    ASSERT_TRUE(
        log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(0), LeaderEpoch(0)).ok());
    ::testing::internal::CaptureStderr();
    for (int pass = 0; pass < 4; ++pass) {
      log.clock.advance_ms(2000);  // more than delete.retention.ms
      log.partition->expire_producers(1000);
      roll(log);
      EXPECT_TRUE(clean(log));
    }
    const std::string said = ::testing::internal::GetCapturedStderr();
    std::set<Offset> left;
    for (const Offset offset : offsets_of_batches(log)) left.insert(offset);
    EXPECT_EQ(left.contains(Offset(0)), lost);
    EXPECT_EQ(left.contains(Offset(2)), lost) << "the tombstone of k";
    EXPECT_EQ(left.contains(Offset(5)), lost) << "the marker";
    EXPECT_EQ(log.partition->left_whole(), lost ? 1u : 0u);
    const std::string_view line = "leaves the batch at offset 0";
    const size_t first = said.find(line);
    EXPECT_EQ(first != std::string::npos, lost);
    EXPECT_TRUE(!lost || said.find(line, first + 1) == std::string::npos) << "said once, not in each pass: " << said;
  }
}

// Else a loss of power after the pass could take the newer record, and the older one would be gone already.
TEST(Cleaner, LeavesWhatIsNotDurableAlone) {
  PartitionFixture log(compacted());
  log.append_ok(put("a", "durable"));
  roll(log);
  const size_t segments = log.partition->size().segments;
  log.append_ok(put("a", "not yet"));
  while (log.partition->size().segments == segments) log.append_ok(put("filler", "0123456789"));
  (void)clean(log);
  EXPECT_EQ(without_filler(log.read_all()).front(), "0:a=durable");
  log.flush();
  EXPECT_TRUE(clean(log));
  const Lines left = without_filler(log.read_all());
  EXPECT_TRUE(left.size() == 1 && left.front().ends_with(":a=not yet")) << left.front();
}

TEST(Cleaner, KeepsWhatABatchStillHolds) {
  PartitionFixture log(compacted(400));
  for (const auto codec : {wire::Compression::none, wire::Compression::lz4, wire::Compression::zstd}) {
    wire::BatchOptions options;
    options.compression = codec;
    log.append_ok(test_batch(
        {{1, "x", "old"}, {2, "y" + std::to_string(static_cast<int>(codec)), "kept"}, {3, "z", "old"}}, options));
  }
  log.append_ok(test_batch({{4, "x", "new"}, {5, "z", "new"}}));
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), (Lines{"1:y0=kept", "4:y3=kept", "7:y4=kept", "9:x=new", "10:z=new"}));
}

TEST(Cleaner, TombstonesGoAfterTheirRetention) {
  PartitionFixture log(compacted());
  log.append_ok(put("a", "1"));
  log.append_ok(put("a", std::nullopt));
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), Lines{"1:a=null"});
  log.clock.advance_ms(500);
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), Lines{"1:a=null"}) << "delete.retention.ms has not passed";
  log.clock.advance_ms(600);
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), Lines{});
}

TEST(Cleaner, RemovesAbortedRecordsKeepsOpenTransactionsAndMarkersOfWhatIsKept) {
  PartitionFixture log(compacted());
  const auto in_txn = [](ProducerId id, const std::string& key, const std::string& value) {
    return test_batch({{5, key, value}}, from_producer(id, ProducerEpoch(0), 0, true));
  };
  log.append_ok(put("k", "before"));
  log.append_ok(in_txn(ProducerId(1), "k", "aborted"));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(0), LeaderEpoch(0)).ok());
  log.append_ok(in_txn(ProducerId(2), "c", "committed"));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::commit, ProducerId(2), ProducerEpoch(0), LeaderEpoch(0)).ok());
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), (Lines{"0:k=before", "2:abort", "3:c=committed", "4:commit"}));
  log.clock.advance_ms(2000);
  roll(log);
  EXPECT_TRUE(clean(log));
  // As in Apache Kafka: its producer is still known, and so is its last batch, which is empty now.
  EXPECT_EQ(without_filler(log.read_all()), (Lines{"0:k=before", "2:abort", "3:c=committed", "4:commit"}));

  log.append_ok(in_txn(ProducerId(3), "k", "open"));
  const Offset open = log.partition->offsets().log_end - 1;
  roll(log);
  (void)clean(log);
  EXPECT_EQ(log.read_all(open, Isolation::log_end).front(), std::to_string(open.value()) + ":k=open");
  EXPECT_EQ(without_filler(log.read_all()).front(), "0:k=before") << "the open transaction decides nothing yet";
}

// Its epoch fences older ones, and nothing else is left of it. As Apache Kafka keeps it, until the producer expires.
TEST(Cleaner, KeepsTheLastMarkerOfAProducerThatHasNothingElse) {
  PartitionFixture log(compacted());
  log.append_ok(test_batch({{5, "a", "1"}}, from_producer(ProducerId(1), ProducerEpoch(0), 0, true)));
  // The coordinator aborts with a higher epoch, as it does for a producer that is gone.
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(1), LeaderEpoch(0)).ok());
  const auto pass = [&] {
    log.clock.advance_ms(2000);  // more than delete.retention.ms
    roll(log);
    EXPECT_TRUE(clean(log));
    return without_filler(log.read_all());
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(pass(), Lines{"1:abort"}) << i;
  // Read anew from the log alone, the producer is known.
  const auto names = log.env.list("/data/t-0").value();
  for (const auto& name : names) {
    if (name.ends_with(".snapshot")) {
      ASSERT_TRUE(log.env.remove("/data/t-0/" + name).ok());
    }
  }
  log.reopen({});
  const auto old = log.append(test_batch({{5, "a", "2"}}, from_producer(ProducerId(1), ProducerEpoch(0), 1, true)));
  EXPECT_EQ(kafka_code(old.status()), wire::ErrorCode::invalid_producer_epoch);
  log.partition->expire_producers(1000);
  EXPECT_EQ(pass(), Lines{}) << "its horizon is long over";
}

// The pass that removes the last records of a transaction keeps its marker as it is; the next one gives it
// delete.retention.ms.
TEST(Cleaner, AMarkerGetsItsHorizonFromTheFirstPassThatFindsNothingOfItsTransaction) {
  PartitionFixture log(compacted());
  log.append_ok(test_batch({{5, "a", "1"}}, from_producer(ProducerId(1), ProducerEpoch(0), 0, true)));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::abort, ProducerId(1), ProducerEpoch(1), LeaderEpoch(0)).ok());
  const auto has_horizon = [&] {
    roll(log);
    EXPECT_TRUE(clean(log));
    return headers_of(log).at(Offset(1)).header.has_delete_horizon();
  };
  EXPECT_FALSE(has_horizon());
  EXPECT_TRUE(has_horizon());
}

TEST(Cleaner, KeepsTheSequenceOfEveryProducer) {
  PartitionFixture log(compacted());
  log.append_ok(test_batch({{5, "a", "1"}}, from_producer(ProducerId(9), ProducerEpoch(0), 0)));
  log.append_ok(test_batch({{5, "a", "2"}}, from_producer(ProducerId(9), ProducerEpoch(0), 1)));
  log.append_ok(put("a", "3"));
  roll(log);
  EXPECT_TRUE(clean(log));
  EXPECT_EQ(without_filler(log.read_all()), Lines{"2:a=3"});
  // Even when all is read anew, the empty batch says where the producer was.
  const auto names = log.env.list("/data/t-0").value();
  for (const auto& name : names) {
    if (name.ends_with(".snapshot")) {
      ASSERT_TRUE(log.env.remove("/data/t-0/" + name).ok());
    }
  }
  log.reopen({});
  EXPECT_TRUE(log.append(test_batch({{5, "a", "2"}}, from_producer(ProducerId(9), ProducerEpoch(0), 1)))->repeated);
  EXPECT_EQ(log.append(test_batch({{5, "a", "4"}}, from_producer(ProducerId(9), ProducerEpoch(0), 3))).ok(), false);
}

TEST(Cleaner, APassThatRunsOutOfMemoryIsContinuedByTheNext) {
  PartitionFixture log(compacted(1000));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) log.append_ok(put("key" + std::to_string(i), std::to_string(round)));
  }
  roll(log);
  int passes = 0;
  while (clean(log, {.key_bytes_max = 2000})) ++passes;
  EXPECT_GT(passes, 1);
  const Lines found = without_filler(log.read_all());
  ASSERT_EQ(found.size(), 50u);
  for (const auto& line : found) EXPECT_TRUE(line.ends_with("=2")) << line;
}

// Random batches of every codec: what compaction writes in place of one has a header that is true of what it holds, as
// Apache Kafka writes it.
TEST(Cleaner, HeadersAreTrueOfWhatIsLeft) {
  constexpr wire::Compression kCodecs[] = {wire::Compression::none, wire::Compression::gzip, wire::Compression::snappy,
                                           wire::Compression::lz4, wire::Compression::zstd};
  int emptied = 0;
  int rewritten = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    TopicConfig config = compacted(2000);
    config.log_append_time = seed % 2 == 0;
    PartitionFixture log(config);
    std::map<ProducerId, int32_t> sequences;
    for (int i = 0; i < 60; ++i) {
      std::vector<TestRecord> records;
      for (uint64_t n = 1 + random() % 4; n > 0; --n) {
        records.push_back(
            {static_cast<int64_t>(random() % 1000), "k" + std::to_string(random() % 6), Bytes(random() % 30, 'v')});
      }
      // Producers that stop early keep their last batch, emptied.
      const ProducerId producer(static_cast<int64_t>(random() % 8) + i / 10);
      wire::BatchOptions options = from_producer(producer, ProducerEpoch(3), sequences[producer]);
      options.compression = kCodecs[random() % std::size(kCodecs)];
      sequences[producer] += static_cast<int32_t>(records.size());
      log.append_ok(test_batch(records, options));
    }
    roll(log);
    const auto before = headers_of(log);
    ASSERT_TRUE(clean(log));
    for (const auto& [base, now] : headers_of(log)) {
      SCOPED_TRACE(base);
      ASSERT_TRUE(before.contains(base));
      const Header& was = before.at(base);
      EXPECT_EQ(now.header.last_offset_delta, was.header.last_offset_delta);
      EXPECT_EQ(now.header.partition_leader_epoch, was.header.partition_leader_epoch);
      EXPECT_EQ(now.header.producer_id, was.header.producer_id);
      EXPECT_EQ(now.header.producer_epoch, was.header.producer_epoch);
      EXPECT_EQ(now.header.base_sequence, was.header.base_sequence);
      EXPECT_EQ(now.header.log_append_time(), was.header.log_append_time());
      if (now.header.record_count > 0) {
        EXPECT_EQ(now.header.compression(), was.header.compression());
        EXPECT_EQ(now.header.max_timestamp, now.max_timestamp);
        rewritten += now.header.record_count < was.header.record_count ? 1 : 0;
        continue;
      }
      ++emptied;
      EXPECT_EQ(now.header.compression(), wire::Compression::none) << "there is no block";
      EXPECT_EQ(now.payload, 0u);
      EXPECT_EQ(now.header.base_timestamp, -1);
      EXPECT_EQ(now.header.max_timestamp, was.header.max_timestamp);
      EXPECT_FALSE(now.header.has_delete_horizon());
    }
  }
  EXPECT_GT(emptied, 50);
  EXPECT_GT(rewritten, 50);
}

// Left in a data folder by a compaction that kept the codec: readers get it without.
TEST(Cleaner, AnEmptiedBatchThatNamesACodecIsServedWithoutIt) {
  PartitionFixture log(compacted());
  wire::BatchOptions options = from_producer(ProducerId(5), ProducerEpoch(0), 0);
  options.compression = wire::Compression::gzip;
  log.append_ok(test_batch({{5, "k", "old"}}, options));
  log.append_ok(put("k", "new"));
  log.flush();
  const std::string path = "/data/t-0/00000000000000000000.log";
  Bytes file = log.env.read_file(path).value();
  const auto first = *wire::BatchView::parse(file);
  Bytes emptied;
  ASSERT_TRUE(append_compacted_batch(first.header(), {}, std::nullopt, emptied).ok());
  ASSERT_EQ(emptied.size(), wire::kBatchHeaderBytes);
  constexpr size_t kAttributesLowAt = 22;
  emptied[kAttributesLowAt] = 1;
  wire::set_max_timestamp(emptied, false, first.header().max_timestamp);  // and the checksum
  ASSERT_EQ(wire::BatchView::parse(emptied)->header().compression(), wire::Compression::gzip);
  ASSERT_TRUE(log.env.write_file(path, emptied + file.substr(first.bytes().size())).ok());
  log.reopen({});
  const auto result = log.partition->read({Offset(0)});
  ASSERT_TRUE(result.ok());
  const auto served = *wire::BatchView::parse(result->records);
  EXPECT_EQ(served.header().record_count, 0);
  EXPECT_EQ(served.header().compression(), wire::Compression::none);
  EXPECT_TRUE(served.check_crc().ok());
  EXPECT_EQ(log.read_all(), Lines{"1:k=new"});
  // Nor does it stop the next compaction.
  log.append_ok(put("k", "newest"));
  roll(log);
  EXPECT_TRUE(clean(log));
  log.reopen({});
  const auto left = log.read_all();
  EXPECT_EQ(std::count(left.begin(), left.end(), "2:k=newest"), 1);
  EXPECT_EQ(std::count(left.begin(), left.end(), "1:k=new"), 0);
}

TEST(Cleaner, ACrashAtAnyMomentLosesNothingThatCounts) {
  const uint64_t first_seed = 4711;
  for (uint64_t seed = first_seed; seed < first_seed + 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(compacted());
    std::map<std::string, std::string> newest;
    for (int i = 0; i < 60; ++i) {
      const std::string key = "k" + std::to_string(random() % 8);
      newest[key] = std::to_string(i);
      log.append_ok(put(key, newest[key]));
    }
    roll(log);
    log.env.fail_writes_after(random() % 12);
    (void)Cleaner(log.env, log.clock).clean(*log.partition).ok();
    log.env.fail_writes_after(std::nullopt);
    log.crash(random());
    std::map<std::string, std::string> found;
    for (const auto& line : log.read_all()) {
      const size_t colon = line.find(':');
      const size_t equals = line.find('=');
      found[line.substr(colon + 1, equals - colon - 1)] = line.substr(equals + 1);
    }
    found.erase("filler");
    ASSERT_EQ(found, newest);
  }
}

}  // namespace
}  // namespace muir::storage
