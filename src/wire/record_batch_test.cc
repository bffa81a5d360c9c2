#include "wire/record_walk.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "wire/batch_builder.h"
#include "wire/crc32c.h"
#include "wire/error_code.h"
#include "wire/message_table.h"
#include "wire/murmur2.h"

namespace muir::wire {
namespace {

struct Row {
  Offset offset;
  int64_t timestamp;
  OptBytes key;
  OptBytes value;
  std::vector<std::pair<Bytes, OptBytes>> headers;
  bool operator==(const Row&) const = default;
};

std::vector<Row> rows_of(BytesView bytes) {
  std::vector<Row> rows;
  const auto batch = BatchView::parse(bytes);
  EXPECT_TRUE(batch.ok()) << batch.status().message();
  if (!batch.ok()) return rows;
  EXPECT_TRUE(batch->check_crc().ok());
  RecordIterator records;
  EXPECT_TRUE(records.reset(*batch).ok());
  Record record;
  while (records.next(record)) {
    Row row{record.offset, record.timestamp, to_owned(record.key), to_owned(record.value), {}};
    RecordHeaders headers(record);
    RecordHeaderView header;
    while (headers.next(header)) row.headers.emplace_back(header.key, to_owned(header.value));
    rows.push_back(std::move(row));
  }
  EXPECT_TRUE(records.status().ok()) << records.status().message();
  return rows;
}

TEST(Crc32c, MatchesKnownVectors) {
  const struct {
    Bytes data;
    uint32_t crc;
  } cases[] = {
      {"", 0},  // RFC 3720, appendix B.4, for the next four
      {Bytes(32, '\0'), 0x8a9136aa},
      {Bytes(32, '\xff'), 0x62a8ab43},
      {"123456789", 0xe3069283},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(crc32c(c.data), c.crc);
    EXPECT_EQ(internal::crc32c_by_table(c.data, 0), c.crc);
  }
}

TEST(Crc32c, ContinuesFromAPreviousPieceAndBothWaysAgree) {
  std::mt19937_64 engine(3);
  Bytes data(1000, '\0');
  for (char& c : data) c = static_cast<char>(engine());
  for (size_t cut = 0; cut <= data.size(); cut += 37) {
    const BytesView all(data);
    EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), crc32c(all));
    EXPECT_EQ(internal::crc32c_by_table(all.substr(0, cut), 0), crc32c(all.substr(0, cut)));
  }
}

// Values of org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Kafka 4.0).
TEST(Murmur2, MatchesTheJavaClient) {
  const struct {
    BytesView key;
    int32_t hash;
  } cases[] = {{"21", -973932308},
               {"foobar", -790332482},
               {"a-little-bit-long-string", -985981536},
               {"a-little-bit-longer-string", -1486304829},
               {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
               {"abc", 479470107}};
  for (const auto& c : cases) EXPECT_EQ(murmur2(c.key), c.hash) << c.key;
  EXPECT_EQ(partition_for_key("21", 10), PartitionId((-973932308 & 0x7fffffff) % 10));
}

TEST(PartitionForId, IsJavasStringHashCode) {
  EXPECT_EQ(partition_for_id("", 50), PartitionId(0));
  EXPECT_EQ(partition_for_id("hello", 1 << 30), PartitionId(99162322));
  EXPECT_EQ(partition_for_id("\xc3\xa9", 1 << 30), PartitionId(233)) << "one UTF-16 unit, two bytes of UTF-8";
  EXPECT_EQ(partition_for_id("\xf0\x9f\x98\x80", 1 << 30), PartitionId(0xd83d * 31 + 0xde00)) << "a surrogate pair";
}

TEST(RecordBatch, LayoutIsKafkasByteForByte) {
  BatchBuilder builder({.base_offset = Offset(5), .partition_leader_epoch = LeaderEpoch(0)});
  builder.add(1000, "k", "v");
  builder.add(1003, std::nullopt, std::nullopt, std::vector<RecordHeaderView>{{"h", "x"}});
  const Bytes batch = builder.build();
  EXPECT_EQ(hex(BytesView(batch).substr(0, 17)), "00 00 00 00 00 00 00 05 00 00 00 45 00 00 00 00 02");
  EXPECT_EQ(hex(BytesView(batch).substr(21)),
            "00 00 00 00 00 01 00 00 00 00 00 00 03 e8 00 00 00 00 00 00 03 eb "  // attributes, delta, timestamps
            "ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00 00 00 02 "              // producer, records
            "10 00 00 00 02 6b 02 76 00 "                                         // 8 bytes, "k": "v"
            "14 00 06 02 01 01 02 02 68 02 78");                                  // 10 bytes, null: null, h=x
}

TEST(RecordBatch, RecordsSurviveEveryCodec) {
  for (const auto codec :
       {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    SCOPED_TRACE(name_of(codec));
    BatchBuilder builder({.base_offset = Offset(100), .compression = codec});
    std::vector<Row> want;
    for (int i = 0; i < 3000; ++i) {
      Row row{Offset(100 + i), 5000 - i, fmt::format("key-{}", i % 7), Bytes(static_cast<size_t>(i % 50), 'v'), {}};
      if (i % 3 == 0) row.key.reset();
      if (i % 5 == 0) row.value.reset();
      if (i % 4 == 0) row.headers = {{"trace", "1"}, {"none", std::nullopt}};
      std::vector<RecordHeaderView> headers;
      for (const auto& [k, v] : row.headers) headers.push_back({k, to_view(v)});
      builder.add(row.timestamp, to_view(row.key), to_view(row.value), headers);
      want.push_back(std::move(row));
    }
    Bytes batch;
    ASSERT_TRUE(builder.build(batch).ok());
    EXPECT_EQ(rows_of(batch), want);
    const auto header = parse_batch_header(batch);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->max_timestamp, 5000);
    EXPECT_EQ(header->next_offset(), Offset(3100));
    EXPECT_EQ(header->compression(), codec);
  }
}

TEST(RecordBatch, CopiedRecordsKeepTheirHeaders) {
  BatchBuilder builder;
  builder.add(1, "k", "v", std::vector<RecordHeaderView>{{"a", "b"}});
  const Bytes first = builder.build();
  RecordIterator records;
  ASSERT_TRUE(records.reset(*BatchView::parse(first)).ok());
  Record record;
  ASSERT_TRUE(records.next(record));
  BatchBuilder copy;
  copy.add(record.timestamp, record);
  EXPECT_EQ(rows_of(copy.build()), rows_of(first));
}

TEST(RecordBatch, RejectsBatchWhoseCrcDiffers) {
  BatchBuilder builder;
  builder.add(1, "k", "v");
  Bytes batch = builder.build();
  batch.back() = static_cast<char>(batch.back() ^ 1);
  const Status status = BatchView::parse(batch)->check_crc();
  EXPECT_EQ(error_code_of(status), ErrorCode::corrupt_message);
}

TEST(RecordBatch, OffsetAndLeaderEpochMayChangeWithoutTheCrc) {
  BatchBuilder builder;
  builder.add(1, "k", "v");
  Bytes batch = builder.build();
  set_base_offset(batch.data(), Offset(812));
  set_partition_leader_epoch(batch.data(), LeaderEpoch(4));
  const auto view = BatchView::parse(batch);
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view->check_crc().ok());
  EXPECT_EQ(view->header().base_offset, Offset(812));
  EXPECT_EQ(view->header().partition_leader_epoch, LeaderEpoch(4));
}

TEST(RecordBatch, LogAppendTimeGivesEveryRecordTheBrokersTime) {
  BatchBuilder builder;
  builder.add(1, "k", "v");
  builder.add(2, "k", "v");
  Bytes batch = builder.build();
  set_max_timestamp(batch, true, 9999);
  for (const Row& row : rows_of(batch)) EXPECT_EQ(row.timestamp, 9999);
}

TEST(RecordBatch, SequencesWrapAtTheLargestInteger) {
  EXPECT_EQ(add_sequence(INT32_MAX, 1), 0);
  EXPECT_EQ(add_sequence(INT32_MAX - 1, 3), 1);
  BatchHeader header;
  EXPECT_EQ(header.last_sequence(), kNoSequence);
  header.base_sequence = INT32_MAX;
  header.last_offset_delta = 2;
  EXPECT_EQ(header.last_sequence(), 1);
}

TEST(RecordBatch, ReaderLeavesAPartialBatchOver) {
  BatchBuilder builder;
  builder.add(1, "k", "v");
  const Bytes one = builder.build();
  const Bytes bytes = one + one + one.substr(0, 40);
  BatchReader batches(bytes);
  int count = 0;
  while (true) {
    auto batch = batches.next();
    ASSERT_TRUE(batch.ok());
    if (!batch->has_value()) break;
    ++count;
  }
  EXPECT_EQ(count, 2);
  EXPECT_EQ(batches.rest().size(), 40u);
}

TEST(RecordBatch, ControlBatchSaysHowATransactionEnded) {
  for (const auto type : {ControlType::abort, ControlType::commit}) {
    const Bytes batch = control_batch(type, ProducerId(42), ProducerEpoch(3), LeaderEpoch(7), 1000);
    const auto view = BatchView::parse(batch);
    ASSERT_TRUE(view.ok());
    EXPECT_TRUE(view->header().control() && view->header().transactional());
    EXPECT_EQ(view->header().producer_id, ProducerId(42));
    EXPECT_EQ(view->header().base_sequence, kNoSequence);
    RecordIterator records;
    ASSERT_TRUE(records.reset(*view).ok());
    Record record;
    ASSERT_TRUE(records.next(record));
    const auto control = parse_control_record(record);
    ASSERT_TRUE(control.ok());
    EXPECT_EQ(control->type, type);
    EXPECT_EQ(control->coordinator_epoch, LeaderEpoch(7));
  }
}

TEST(ProducedBatch, IsCheckedAsABrokerMust) {
  const auto build = [](BatchOptions options, std::vector<int32_t> deltas, OptBytesView key) {
    BatchBuilder builder(options);
    for (const int32_t delta : deltas) builder.add_at(delta, 10 + delta, key, "v");
    return builder.build();
  };
  const struct {
    const char* name;
    Bytes batch;
    ErrorCode want;
  } cases[] = {
      {"a plain batch", build({}, {0, 1, 2}, "k"), ErrorCode::none},
      {"idempotent",
       build({.producer_id = ProducerId(1), .producer_epoch = ProducerEpoch(0), .base_sequence = 0}, {0}, "k"),
       ErrorCode::none},
      {"a gap in the offsets", build({}, {0, 2}, "k"), ErrorCode::invalid_record},
      {"no records", build({}, {}, "k"), ErrorCode::invalid_record},
      {"a control batch", build({.control = true}, {0}, "k"), ErrorCode::invalid_record},
      {"a producer id without sequence", build({.producer_id = ProducerId(1)}, {0}, "k"), ErrorCode::invalid_record},
  };
  RecordWalk scratch;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto facts = validate_produced_batch(*BatchView::parse(c.batch), scratch);
    EXPECT_EQ(error_code_of(facts.status()), c.want) << facts.status().message();
  }
  const auto facts = validate_produced_batch(*BatchView::parse(build({}, {0, 1}, std::nullopt)), scratch);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->max_timestamp, 11);
  EXPECT_FALSE(facts->every_record_has_key);
}

TEST(BatchHeader, RefusesWhatCannotBeABatch) {
  BatchBuilder builder;
  builder.add(1, "k", "v");
  const Bytes good = builder.build();
  const struct {
    const char* name;
    size_t at;
    BytesView bytes;
  } cases[] = {{"magic 1", 16, "\x01"},
               {"a length below a header", 8, BytesView("\0\0\0\x10", 4)},
               {"a negative length", 8, "\xff\xff\xff\xff"},
               {"a length beyond the bytes", 8, BytesView("\0\x10\0\0", 4)},
               {"a negative count", 57, "\xff\xff\xff\xff"},
               {"a negative offset delta", 23, "\x80"},
               {"codec 7", 22, "\x07"}};
  for (const auto& c : cases) {
    Bytes bad = good;
    bad.replace(c.at, c.bytes.size(), c.bytes);
    EXPECT_FALSE(parse_batch_header(bad).ok()) << c.name;
  }
  EXPECT_FALSE(parse_batch_header(BytesView(good).substr(0, 60)).ok());
  EXPECT_TRUE(parse_batch_header_only(BytesView(good).substr(0, 61)).ok());
}

TEST(RecordBatch, MutatedBytesNeverBreakTheIterator) {
  constexpr uint64_t kSeed = 11;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::mt19937_64 engine(kSeed);
  for (const auto codec :
       {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    BatchBuilder builder({.compression = codec});
    for (int i = 0; i < 20; ++i) {
      builder.add(i, "some key", "a value", std::vector<RecordHeaderView>{{"h", std::nullopt}});
    }
    Bytes batch;
    ASSERT_TRUE(builder.build(batch).ok());
    for (int round = 0; round < 3000; ++round) {
      Bytes input = "\xff\x01" + batch;  // 0xff selects record batches
      for (uint64_t i = 0; i <= engine() % 3; ++i) {
        const size_t at = 2 + engine() % (input.size() - 2);
        if (engine() % 8 == 0) {
          input.resize(std::max<size_t>(at, 3));
        } else {
          input[at] = static_cast<char>(engine());
        }
      }
      fuzz_batches(BytesView(input).substr(2));
    }
  }
}

// librdkafka, franz-go and sarama stumble over such batches; a reader that does not, reads on.
TEST(RecordBatch, AnEmptyBatchIsEmptyWhateverItsCodec) {
  BatchBuilder builder;
  builder.add(0, "k", "v");
  const Bytes whole = builder.build();
  constexpr size_t kAttributesLowAt = 22;
  constexpr size_t kRecordCountAt = 57;
  for (char codec = 0; codec <= 4; ++codec) {
    Bytes bytes = whole.substr(0, kBatchHeaderBytes);
    ByteWriter writer(bytes);
    writer.patch_be(8, static_cast<int32_t>(kBatchHeaderBytes - kBatchLengthEnd));
    writer.patch_be(kRecordCountAt, int32_t{0});
    bytes[kAttributesLowAt] = codec;
    const auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.ok());
    RecordIterator records;
    Record record;
    EXPECT_TRUE(records.reset(*batch).ok()) << int{codec};
    EXPECT_FALSE(records.next(record));
    EXPECT_TRUE(records.status().ok()) << int{codec};
  }
}

}  // namespace
}  // namespace muir::wire
