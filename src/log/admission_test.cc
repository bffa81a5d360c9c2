// What is refused of a producer's batch, and how it is said. Codes and messages are Apache Kafka 4.3.1's.
#include "log/admission.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"
#include "wire/block_writer.h"

namespace muir::storage {
namespace {

using wire::ErrorCode;
constexpr int64_t kNow = 1'000'000;

TEST(Admission, RecordsToBlameAreNamedOneByOne) {
  const std::string keyless = "Compacted topic cannot accept message without key in topic partition t-0";
  const auto range = [](int64_t timestamp, int offset) {
    return fmt::format(
        "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]", timestamp,
        offset, kNow - 500, kNow + 100);
  };
  using Refused = std::vector<std::pair<int32_t, std::string>>;
  const struct {
    const char* name;
    bool compact;
    std::vector<TestRecord> records;
    ErrorCode code;
    Refused refused;
  } cases[] = {
      {"all good", true, {{kNow, "a", "1"}, {kNow, "b", "2"}}, ErrorCode::none, {}},
      {"keys do not matter here", false, {{kNow, std::nullopt, "1"}}, ErrorCode::none, {}},
      {"one of three without a key",
       true,
       {{kNow, "a", "1"}, {kNow, std::nullopt, "2"}, {kNow, "c", "3"}},
       ErrorCode::invalid_record,
       {{1, keyless}}},
      {"all without a key",
       true,
       {{kNow, std::nullopt, "1"}, {kNow, std::nullopt, "2"}},
       ErrorCode::invalid_record,
       {{0, keyless}, {1, keyless}}},
      {"too late",
       false,
       {{kNow, "a", "1"}, {kNow + 101, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{1, range(kNow + 101, 1)}}},
      {"too early",
       false,
       {{kNow - 501, "a", "1"}, {kNow, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{0, range(kNow - 501, 0)}}},
      {"at the limits", false, {{kNow - 500, "a", "1"}, {kNow + 100, "b", "2"}}, ErrorCode::none, {}},
      {"no timestamp", false, {{-1, "a", "1"}}, ErrorCode::none, {}},
      {"a key and a timestamp",
       true,
       {{kNow, std::nullopt, "1"}, {kNow + 101, "b", "2"}},
       ErrorCode::invalid_timestamp,
       {{0, keyless}, {1, range(kNow + 101, 1)}}},
  };
  for (const auto& c : cases) {
    TopicConfig config;
    config.compact = c.compact;
    config.timestamp_after_ms_max = 100;
    config.timestamp_before_ms_max = 500;
    wire::RecordWalk scratch;
    AdmissionNotes notes{"t", PartitionId(0), {}};
    const Bytes batch = test_batch(c.records);
    const auto admitted = admit(batch, config, kNow, scratch, notes);
    EXPECT_EQ(kafka_code(admitted.status()), c.code) << c.name;
    Refused refused;
    for (const auto& record : notes.refused) refused.emplace_back(record.index, record.why);
    EXPECT_EQ(refused, c.refused) << c.name;
  }
}

TEST(Admission, TheMessageShowsTheFirstThree) {
  TopicConfig config;
  config.compact = true;
  wire::RecordWalk scratch;
  AdmissionNotes notes{"t", PartitionId(7), {}};
  const Bytes batch = test_batch(std::vector<TestRecord>(5, {kNow, std::nullopt, "x"}));
  const std::string why = "Compacted topic cannot accept message without key in topic partition t-7";
  const auto one = [&](int i) { return fmt::format("RecordError(batchIndex={}, message='{}')", i, why); };
  EXPECT_EQ(admit(batch, config, kNow, scratch, notes).status().message(),
            fmt::format("One or more records have been rejected due to 5 record errors in total, and only showing the "
                        "first three errors at most: [{}, {}, {}]",
                        one(0), one(1), one(2)));
}

// One record whose value is so many zeros, compressed.
Bytes bomb(wire::Compression codec, size_t zeros, OptBytesView key = "k") {
  wire::BatchBuilder builder;
  builder.add(kNow, key, "v");
  Bytes bytes = builder.build().substr(0, wire::kBatchHeaderBytes);
  Bytes body;
  ByteWriter writer(body);
  writer.i8(0);
  writer.varlong(0);
  writer.varint(0);
  writer.varint(key ? static_cast<int32_t>(key->size()) : -1);
  writer.bytes(key.value_or(""));
  writer.varint(static_cast<int32_t>(zeros));
  Bytes start;
  ByteWriter(start).varint(static_cast<int32_t>(body.size() + zeros + 1));
  const auto block = *wire::BlockWriter::make(codec);
  EXPECT_TRUE(block->write(start + body, bytes).ok());
  const Bytes piece(size_t{1} << 20, '\0');
  for (size_t i = 0; i < zeros; i += piece.size()) EXPECT_TRUE(block->write(piece, bytes).ok());
  EXPECT_TRUE(block->write(BytesView("\0", 1), bytes).ok() && block->finish(bytes).ok());
  wire::finish_payload(bytes, codec);
  return bytes;
}

// A few kB that would be 256 MB are taken, as Apache Kafka takes them; they cost a few hundred kB, and can wait
// anywhere.
TEST(Admission, ABatchThatHoldsFarMoreThanItsBytesIsWalkedThrough) {
  constexpr size_t kZeros = size_t{256} << 20;
  const struct {
    const char* name;
    bool keyless = false;
    std::optional<wire::Compression> stored_as{};
    ErrorCode want = ErrorCode::none;
  } cases[] = {
      {"as it is"},
      {"without the key that it needs", true, {}, ErrorCode::invalid_record},
      {"stored in another codec", false, wire::Compression::gzip},
      {"stored without a codec", false, wire::Compression::none, ErrorCode::message_too_large},
  };
  for (const auto codec : {wire::Compression::lz4, wire::Compression::zstd}) {
    const Bytes with_key = bomb(codec, kZeros);
    const Bytes without_key = bomb(codec, kZeros, std::nullopt);
    for (const auto& c : cases) {
      SCOPED_TRACE(fmt::format("{}, {}", wire::name_of(codec), c.name));
      TopicConfig config;
      config.compact = true;
      config.message_bytes_max = 2 << 20;
      config.compression = c.stored_as;
      wire::RecordWalk walk;
      AdmissionNotes notes{"t", PartitionId(0), {}};
      Admission admission(c.keyless ? without_key : with_key, config, kNow, walk, notes, wire::kHistoryBytesUsual);
      size_t peak = 0;
      int runs = 0;
      for (bool done = false; !done; ++runs) {
        size_t allowance = size_t{4} << 20;
        done = admission.run(allowance);
        peak = std::max(peak, walk.memory_bytes());
      }
      const auto admitted = admission.take();
      EXPECT_EQ(kafka_code(admitted.status()), c.want) << admitted.status().message();
      EXPECT_EQ(notes.refused.size(), c.keyless ? 1U : 0U);
      EXPECT_GE(runs, 64);
      EXPECT_LT(peak, size_t{4} << 20);
      if (!admitted.ok()) continue;
      EXPECT_EQ(admitted->batch.header().compression(), c.stored_as.value_or(codec));
      EXPECT_TRUE(wire::validate_produced_batch(admitted->batch, walk).ok());
    }
  }
}

TEST(Admission, AWindowThatIsNotUsualWaitsForMemory) {
  wire::BatchOptions options;
  options.compression = wire::Compression::snappy;
  Bytes batch = test_batch({{kNow, "k", "v"}}, options).substr(0, wire::kBatchHeaderBytes);
  const Bytes records = test_batch({{kNow, "k", Bytes(size_t{9} << 20, 'x')}}).substr(wire::kBatchHeaderBytes);
  Bytes raw;
  snappy::Compress(records.data(), records.size(), &raw);
  batch += raw;
  wire::finish_payload(batch, wire::Compression::snappy);
  wire::RecordWalk walk;
  AdmissionNotes notes{"t", PartitionId(0), {}};
  size_t allowance = SIZE_MAX;
  const TopicConfig config;
  Admission little(batch, config, kNow, walk, notes, wire::kHistoryBytesUsual);
  EXPECT_TRUE(little.run(allowance) && little.needs_more_history());
  Admission much(batch, config, kNow, walk, notes);
  EXPECT_TRUE(much.run(allowance) && !much.needs_more_history());
  EXPECT_TRUE(much.take().ok());
}

// Records that are refused are named, but not without end.
TEST(Admission, OfVeryManyRefusedRecordsTheFirstAreNamed) {
  TopicConfig config;
  config.compact = true;
  wire::RecordWalk walk;
  AdmissionNotes notes{"t", PartitionId(0), {}};
  wire::BatchOptions options;
  options.compression = wire::Compression::zstd;
  const Bytes batch = test_batch(std::vector<TestRecord>(50'000, {kNow, std::nullopt, "x"}), options);
  const auto admitted = admit(batch, config, kNow, walk, notes);
  EXPECT_EQ(kafka_code(admitted.status()), ErrorCode::invalid_record);
  EXPECT_NE(admitted.status().message().find("due to 50000 record errors in total"), std::string::npos);
  EXPECT_EQ(notes.refused.size(), AdmissionNotes::kRefusedMax);
}

// Whatever the codec, the records are the same in the topic's.
TEST(Admission, RecordsKeepTheirBytesInTheTopicsCodec) {
  const std::vector<TestRecord> records = {
      {kNow + 5, "a", "1"}, {kNow, std::nullopt, "2"}, {kNow - 5, "c", std::nullopt}};
  const Bytes plain = test_batch(records).substr(wire::kBatchHeaderBytes);
  for (int from = 0; from < 5; ++from) {
    for (int to = 0; to < 5; ++to) {
      SCOPED_TRACE(fmt::format("{} to {}", from, to));
      wire::BatchOptions options;
      options.compression = static_cast<wire::Compression>(from);
      TopicConfig config;
      config.compression = static_cast<wire::Compression>(to);
      wire::RecordWalk walk;
      AdmissionNotes notes{"t", PartitionId(0), {}};
      const Bytes batch = test_batch(records, options);
      const auto admitted = admit(batch, config, kNow, walk, notes);
      ASSERT_TRUE(admitted.ok()) << admitted.status().message();
      const auto& header = admitted->batch.header();
      EXPECT_TRUE(admitted->batch.check_crc().ok());
      EXPECT_EQ(header.max_timestamp, kNow + 5);
      Bytes unpacked;
      ASSERT_TRUE(wire::decompress(header.compression(), admitted->batch.payload(), 10'000, unpacked).ok());
      EXPECT_EQ(header.compression(), static_cast<wire::Compression>(to));
      EXPECT_EQ(unpacked, plain);
    }
  }
}

}  // namespace
}  // namespace muir::storage
