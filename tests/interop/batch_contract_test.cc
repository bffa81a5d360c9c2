// Batches with strange headers and records: what a producer is told, on our broker as on Apache Kafka 4.3.1. Ours also
// refuses records whose offsets or lengths are no such, which consumers trip over, and what only a broker may write.
#include <gtest/gtest.h>

#include <optional>

#include "broker/internal/broker_fixture.h"
#include "brokers.h"
#include "wire/batch_builder.h"
#include "wire/crc32c.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/produce.h"
#include "wire/record_batch.h"

namespace muir::interop {
namespace {

using broker::TestClient;
using wire::ErrorCode;

// Where the fields of a header are.
constexpr size_t kBaseOffset = 0;
constexpr size_t kLength = 8;
constexpr size_t kLeaderEpoch = 12;
constexpr size_t kMagic = 16;
constexpr size_t kCrc = 17;
constexpr size_t kAttributes = 21;
constexpr size_t kLastOffsetDelta = 23;
constexpr size_t kBaseTimestamp = 27;
constexpr size_t kMaxTimestamp = 35;
constexpr size_t kProducerId = 43;
constexpr size_t kProducerEpoch = 51;
constexpr size_t kBaseSequence = 53;
constexpr size_t kRecordCount = 57;

constexpr int kRecords = 3;

struct OneRecord {
  int8_t attributes = 0;
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  int32_t key_length = 1;  // as it is said
  int32_t value_length = 1;
  int32_t headers = 0;
  int32_t more_length = 0;  // added to what the record says of its length
};

Bytes encoded(const OneRecord& record) {
  Bytes body;
  ByteWriter writer(body);
  writer.i8(record.attributes);
  writer.varlong(record.timestamp_delta);
  writer.varint(record.offset_delta);
  writer.varint(record.key_length);
  if (record.key_length >= 0) writer.bytes("k");
  writer.varint(record.value_length);
  if (record.value_length >= 0) writer.bytes("v");
  writer.varint(record.headers);
  Bytes out;
  ByteWriter(out).varint(static_cast<int32_t>(body.size()) + record.more_length);
  return out + body;
}

void close(Bytes& batch) {
  ByteWriter writer(batch);
  writer.patch_be(kLength, static_cast<int32_t>(batch.size() - wire::kBatchLengthEnd));
  writer.patch_be(kCrc, wire::crc32c(BytesView(batch).substr(kAttributes)));
}

Bytes plain() {
  wire::BatchBuilder builder;
  for (int i = 0; i < kRecords; ++i) builder.add(1000 + i, "k", "v");
  return builder.build();
}

// A batch that is right but for this field.
template <class T>
Bytes with(size_t at, T value) {
  Bytes batch = plain();
  ByteWriter(batch).patch_be(at, value);
  close(batch);
  return batch;
}
Bytes with_attributes(int attributes) { return with(kAttributes, static_cast<int16_t>(attributes)); }

// One that is right but for its second record.
Bytes with_second(OneRecord second) {
  Bytes batch = plain().substr(0, wire::kBatchHeaderBytes);
  batch += encoded({}) + encoded(second) + encoded({.offset_delta = 2});
  close(batch);
  return batch;
}

Bytes from_producer(int64_t id, int16_t epoch, int32_t sequence, int attributes = 0) {
  Bytes batch = plain();
  ByteWriter writer(batch);
  writer.patch_be(kProducerId, id);
  writer.patch_be(kProducerEpoch, epoch);
  writer.patch_be(kBaseSequence, sequence);
  writer.patch_be(kAttributes, static_cast<int16_t>(attributes));
  close(batch);
  return batch;
}

Bytes without_close(size_t at, int32_t value) {
  Bytes batch = plain();
  ByteWriter(batch).patch_be(at, value);
  return batch;
}

struct Case {
  const char* name;
  Bytes batch;
  ErrorCode expected;
  std::optional<ErrorCode> ours{};  // where our broker is stricter, or has a better word
};

std::vector<Case> cases() {
  const auto none = ErrorCode::none;
  const auto invalid = ErrorCode::invalid_record;
  const auto corrupt = ErrorCode::corrupt_message;
  const auto timestamp = ErrorCode::invalid_timestamp;
  const auto unknown = ErrorCode::unknown_server_error;
  const auto no_transaction = ErrorCode::invalid_txn_state;
  const auto unauthorized = ErrorCode::transactional_id_authorization_failed;
  return {
      {"as it should be", plain(), none},
      {"codec 5", with_attributes(5), unknown},
      {"codec 6", with_attributes(6), unknown},
      {"codec 7", with_attributes(7), unknown},
      {"gzip that is none", with_attributes(1), unknown, invalid},
      {"snappy that is none", with_attributes(2), unknown, invalid},
      {"lz4 that is none", with_attributes(3), unknown, invalid},
      {"zstd that is none", with_attributes(4), unknown, invalid},
      {"the broker's time", with_attributes(8), none},
      {"transactional without a producer", with_attributes(0x10), unauthorized, invalid},
      {"control", with_attributes(0x20), invalid},
      {"transactional control", with_attributes(0x30), unauthorized, invalid},
      {"delete horizon", with_attributes(0x40), none, invalid},
      {"bit 7", with_attributes(0x80), none},
      {"bit 8", with_attributes(0x100), none},
      {"bit 15", with_attributes(-32768), none},
      {"last offset delta -1", with(kLastOffsetDelta, int32_t{-1}), invalid},
      {"last offset delta 0", with(kLastOffsetDelta, int32_t{0}), invalid},
      {"last offset delta 1", with(kLastOffsetDelta, int32_t{1}), invalid},
      {"last offset delta 3", with(kLastOffsetDelta, int32_t{3}), invalid},
      {"last offset delta greatest", with(kLastOffsetDelta, INT32_MAX), invalid},
      {"last offset delta least", with(kLastOffsetDelta, INT32_MIN), invalid},
      {"count -1", with(kRecordCount, int32_t{-1}), invalid},
      {"count 0", with(kRecordCount, int32_t{0}), invalid},
      {"count 1", with(kRecordCount, int32_t{1}), invalid},
      {"count 4", with(kRecordCount, int32_t{4}), invalid},
      {"count greatest", with(kRecordCount, INT32_MAX), invalid},
      {"count least", with(kRecordCount, INT32_MIN), invalid},
      {"base offset 1", with(kBaseOffset, int64_t{1}), invalid},
      {"base offset -1", with(kBaseOffset, int64_t{-1}), invalid},
      {"base offset greatest", with(kBaseOffset, INT64_MAX), invalid},
      {"leader epoch 99", with(kLeaderEpoch, int32_t{99}), none},
      {"leader epoch -5", with(kLeaderEpoch, int32_t{-5}), none},
      {"magic 0", with(kMagic, int8_t{0}), invalid},
      {"magic 1", with(kMagic, int8_t{1}), invalid},
      {"magic 3", with(kMagic, int8_t{3}), corrupt},
      {"magic -1", with(kMagic, int8_t{-1}), corrupt},
      {"base timestamp -1", with(kBaseTimestamp, int64_t{-1}), none},
      {"base timestamp -2", with(kBaseTimestamp, int64_t{-2}), none},
      {"base timestamp -1000", with(kBaseTimestamp, int64_t{-1000}), none},
      {"base timestamp least", with(kBaseTimestamp, INT64_MIN), timestamp},
      {"base timestamp greatest", with(kBaseTimestamp, INT64_MAX), timestamp},
      {"max timestamp 0", with(kMaxTimestamp, int64_t{0}), none},
      {"max timestamp -1", with(kMaxTimestamp, int64_t{-1}), none},
      {"max timestamp -2", with(kMaxTimestamp, int64_t{-2}), none},
      {"max timestamp greatest", with(kMaxTimestamp, INT64_MAX), none},
      {"an idempotent producer", from_producer(7001, 0, 0), none},
      {"a producer without a sequence", from_producer(7002, 0, -1), invalid},
      {"a producer without an epoch", from_producer(7003, -1, 0), none, invalid},
      {"producer -2", from_producer(-2, 0, 0), none},
      {"sequence -2", from_producer(7004, 0, -2), invalid},
      {"a sequence without a producer", from_producer(-1, -1, 0), none},
      {"an epoch without a producer", from_producer(-1, 3, -1), none},
      {"a producer beginning with sequence 5", from_producer(7005, 0, 5), none},
      {"a transaction that nobody began", from_producer(7006, 0, 0, 0x10), unauthorized, no_transaction},
      {"a wrong checksum", without_close(kRecordCount, 2), corrupt},
      {"longer than it is", without_close(kLength, 10'000), invalid},
      {"shorter than a header", without_close(kLength, 10), corrupt},
      {"length 0", without_close(kLength, 0), corrupt},
      {"length -1", without_close(kLength, -1), corrupt},
      {"two batches", plain() + plain(), invalid},
      {"half a batch behind", plain() + plain().substr(0, 30), none},
      {"half a batch", plain().substr(0, 70), invalid},
      {"a header without records", plain().substr(0, wire::kBatchHeaderBytes), invalid},
      {"no bytes", Bytes(), invalid},
      {"12 bytes", plain().substr(0, 12), invalid},
      {"record attributes 1", with_second({.attributes = 1, .offset_delta = 1}), none},
      {"record attributes -1", with_second({.attributes = -1, .offset_delta = 1}), none},
      {"record timestamp least", with_second({.timestamp_delta = INT64_MIN, .offset_delta = 1}), timestamp},
      {"record timestamp greatest", with_second({.timestamp_delta = INT64_MAX, .offset_delta = 1}), timestamp},
      {"record timestamp before 1970", with_second({.timestamp_delta = -2000, .offset_delta = 1}), none},
      {"record offset again", with_second({.offset_delta = 0}), none, invalid},
      {"record offset too far", with_second({.offset_delta = 2}), none, invalid},
      {"record offset outside", with_second({.offset_delta = 77}), none, invalid},
      {"record offset -1", with_second({.offset_delta = -1}), none, invalid},
      {"no key", with_second({.offset_delta = 1, .key_length = -1}), none},
      {"key length -2", with_second({.offset_delta = 1, .key_length = -2}), none, invalid},
      {"key longer than the record", with_second({.offset_delta = 1, .key_length = 100}), invalid},
      {"no value", with_second({.offset_delta = 1, .value_length = -1}), none},
      {"value length -2", with_second({.offset_delta = 1, .value_length = -2}), none, invalid},
      {"value longer than the record", with_second({.offset_delta = 1, .value_length = 100}), invalid},
      {"headers -1", with_second({.offset_delta = 1, .headers = -1}), invalid},
      {"a header that is not there", with_second({.offset_delta = 1, .headers = 1}), invalid},
      {"headers greatest", with_second({.offset_delta = 1, .headers = INT32_MAX}), invalid},
      {"record shorter than it says", with_second({.offset_delta = 1, .more_length = 1}), invalid},
      {"record longer than it says", with_second({.offset_delta = 1, .more_length = -1}), invalid},
      {"record of length -1", with_second({.offset_delta = 1, .more_length = -8}), invalid},
  };
}

class BatchContract : public OnBothBrokers {};

TEST_P(BatchContract, StrangeBatchesAreAnsweredTheSame) {
  TestClient client(static_cast<uint16_t>(std::stoi(bootstrap().substr(bootstrap().rfind(':') + 1))));
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"strange-batches", 1, 1, {}, {}, {}}};
  ASSERT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
  const auto produced = [&](const Bytes& batch) {
    wire::ProduceRequest produce;
    produce.acks = -1;
    produce.timeout_ms = 5000;
    produce.topic_data.push_back({"strange-batches", {}, {{0, batch, {}}}, {}});
    return client.call(produce, 9).responses.at(0).partition_responses.at(0);
  };
  // A new topic of Kafka's has no leader at first.
  ASSERT_TRUE(testing::eventually([&] { return produced(plain()).error_code == ErrorCode::none; }));
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const auto answer = produced(c.batch);
    const ErrorCode expected = GetParam() == Vendor::muir ? c.ours.value_or(c.expected) : c.expected;
    EXPECT_EQ(wire::name_of(answer.error_code), wire::name_of(expected))
        << answer.error_message.value_or("") << ", " << answer.record_errors.size() << " records";
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, BatchContract, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
