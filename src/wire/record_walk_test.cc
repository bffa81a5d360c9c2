// Records walked through without holding them: the same is found as by who holds the whole batch, wherever the walk is
// interrupted and wherever the batch ends.
#include "wire/record_walk.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>
#include <vector>

#include "wire/batch_builder.h"
#include "wire/block_writer.h"

namespace muir::wire {
namespace {

struct Outcome {
  std::vector<std::tuple<int64_t, int64_t, bool>> records;  // offset, timestamp, has a key
  bool ok = false;
  bool operator==(const Outcome&) const = default;
};

Outcome held(const BatchView& batch) {
  Outcome out;
  RecordIterator records;
  Record record;
  const Status status = records.reset(batch);
  while (status.ok() && records.next(record)) {
    out.records.emplace_back(record.offset.value(), record.timestamp, record.key.has_value());
  }
  out.ok = records.status().ok();
  return out;
}

Outcome walked(RecordWalk& walk, const BatchView& batch, size_t allowance) {
  Outcome out;
  walk.reset(batch);
  if (allowance > 0) walk.allow(allowance);
  RecordOutline record;
  for (;;) {
    while (walk.next(record)) out.records.emplace_back(record.offset.value(), record.timestamp, record.has_key);
    if (!walk.paused()) break;
    walk.allow(allowance);
  }
  out.ok = walk.status().ok();
  return out;
}

// With records that are larger than the window among them.
Bytes random_batch(std::mt19937_64& engine, Compression codec) {
  BatchBuilder builder({.base_offset = Offset(5), .compression = codec});
  const auto size = [&] {
    const size_t sizes[] = {0, 3, 500, 70'000, RecordWalk::kWindowBytes - 20, RecordWalk::kWindowBytes, 600'000};
    return sizes[engine() % (engine() % 3 == 0 ? 7 : 3)];
  };
  const auto text = [&] { return Bytes(size(), static_cast<char>('a' + engine() % 26)); };
  for (uint64_t left = 1 + engine() % 8; left > 0; --left) {
    std::vector<RecordHeaderView> headers;
    std::vector<Bytes> texts;
    for (uint64_t i = engine() % 3; i > 0; --i) texts.push_back(text());
    for (const Bytes& one : texts) headers.push_back({one, engine() % 2 == 0 ? OptBytesView() : OptBytesView(one)});
    const Bytes key = text();
    const Bytes value = text();
    builder.add(static_cast<int64_t>(engine() % 100'000), engine() % 4 == 0 ? OptBytesView() : OptBytesView(key),
                engine() % 4 == 0 ? OptBytesView() : OptBytesView(value), headers);
  }
  return builder.build();
}

TEST(RecordWalk, FindsWhatIsFoundInAWholeBatch) {
  constexpr uint64_t kSeed = 20261128;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::mt19937_64 engine(kSeed);
  RecordWalk walk;
  for (int i = 0; i < 120; ++i) {
    const auto codec = static_cast<Compression>(i % 5);
    const Bytes bytes = random_batch(engine, codec);
    const auto batch = BatchView::parse(bytes);
    SCOPED_TRACE(fmt::format("batch {}, {}", i, name_of(codec)));
    const Outcome want = held(*batch);
    ASSERT_TRUE(want.ok);
    EXPECT_EQ(walked(walk, *batch, 0), want);
    EXPECT_EQ(walked(walk, *batch, 1), want);
    EXPECT_EQ(walked(walk, *batch, 300'000), want);
  }
}

// Damage inside of the records, behind a codec: what is refused, and after how many records, is the same.
TEST(RecordWalk, RefusesWhatIsRefusedInAWholeBatch) {
  constexpr uint64_t kSeed = 4;
  SCOPED_TRACE(fmt::format("seed {}", kSeed));
  std::mt19937_64 engine(kSeed);
  RecordWalk walk;
  for (int i = 0; i < 400; ++i) {
    const Bytes plain = random_batch(engine, Compression::none);
    Bytes records = plain.substr(kBatchHeaderBytes);
    switch (i % 4) {
      case 0: records.resize(engine() % (records.size() + 1)); break;
      case 1: records.append(1 + engine() % 20, static_cast<char>(engine())); break;
      case 2: records[engine() % std::min<size_t>(records.size(), 40)] = static_cast<char>(engine()); break;
      default: records[engine() % records.size()] = static_cast<char>(engine()); break;
    }
    Bytes bytes = plain.substr(0, kBatchHeaderBytes);
    const auto codec = i % 3 == 0 ? Compression::none : i % 3 == 1 ? Compression::lz4 : Compression::zstd;
    ASSERT_TRUE(compress(codec, records, bytes).ok());
    finish_payload(bytes, codec);
    const auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch.ok());
    SCOPED_TRACE(fmt::format("batch {}, {}", i, name_of(codec)));
    const Outcome want = held(*batch);
    EXPECT_EQ(walked(walk, *batch, 0), want);
    EXPECT_EQ(walked(walk, *batch, 100), want);
  }
}

TEST(RecordWalk, ARecordOfAGigabyteIsSkippedNotHeld) {
  constexpr size_t kValueBytes = size_t{1} << 30;
  BatchBuilder small;
  small.add(7, "k", "v");
  Bytes bytes = small.build().substr(0, kBatchHeaderBytes);
  Bytes prefix;
  ByteWriter body(prefix);
  body.i8(0);
  body.varlong(0);
  body.varint(0);
  body.varint(1);
  body.bytes("k");
  body.varint(static_cast<int32_t>(kValueBytes));
  Bytes start;
  ByteWriter(start).varint(static_cast<int32_t>(prefix.size() + kValueBytes + 1));
  auto writer = BlockWriter::make(Compression::zstd);
  ASSERT_TRUE(writer.ok() && (*writer)->write(start + prefix, bytes).ok());
  const Bytes zeros(size_t{1} << 20, '\0');
  for (size_t i = 0; i < kValueBytes; i += zeros.size()) ASSERT_TRUE((*writer)->write(zeros, bytes).ok());
  ASSERT_TRUE((*writer)->write(BytesView("\0", 1), bytes).ok());  // no headers
  ASSERT_TRUE((*writer)->finish(bytes).ok());
  finish_payload(bytes, Compression::zstd);
  const auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch.ok());
  RecordWalk walk;
  walk.reset(*batch, kHistoryBytesUsual);
  RecordOutline record;
  size_t peak = 0;
  int pauses = -1;
  do {
    ++pauses;
    walk.allow(size_t{4} << 20);
    while (walk.next(record)) EXPECT_TRUE(record.has_key && record.timestamp == 7);
    peak = std::max(peak, walk.memory_bytes());
  } while (walk.paused());
  EXPECT_TRUE(walk.status().ok()) << walk.status().message();
  EXPECT_EQ(pauses, 256);
  EXPECT_LT(peak, size_t{4} << 20);
}

}  // namespace
}  // namespace muir::wire
