#include "broker/internal/partition_log.h"

#include <gtest/gtest.h>

#include "broker/internal/partition_log_memory.h"

namespace muir::broker {
namespace {

// What any batch of a coordinator's topic is read as: its records, however it is compressed and much it expands to.
TEST(PartitionLog, ReadsTheRecordsOfBatchesThatExpandToVeryMuch) {
  constexpr size_t kMib = size_t{1} << 20;
  const auto value = [](int i, size_t bytes) {
    return std::to_string(i) + Bytes(bytes, static_cast<char>('a' + i % 26));
  };
  for (const auto codec : {wire::Compression::none, wire::Compression::gzip, wire::Compression::snappy,
                           wire::Compression::lz4, wire::Compression::zstd}) {
    for (const size_t bytes : {size_t{10}, size_t{100'000}, 3 * kMib}) {
      SCOPED_TRACE(fmt::format("{} {}", static_cast<int>(codec), bytes));
      constexpr int kRecords = 30;
      MemoryPartitionLog log;
      (void)log.open_internal_topic(kConsumerOffsets);
      wire::BatchBuilder builder({.compression = codec});
      for (int i = 0; i < kRecords; ++i) builder.add(i, "k" + std::to_string(i), value(i, bytes));
      const auto append = [&] {
        Bytes batch;
        ASSERT_TRUE(builder.build(batch).ok());
        log.append(kConsumerOffsets, PartitionId(0), batch, [](const Status&, Offset) {});
      };
      append();
      builder.add(7, "behind", "it");
      append();
      int seen = 0;
      const Status status =
          read_partition(log, kConsumerOffsets, PartitionId(0),
                         [&](PartitionId, const wire::BatchHeader& batch, const wire::Record& record) -> Status {
                           EXPECT_EQ(record.offset, Offset(seen));
                           if (seen < kRecords) {
                             EXPECT_EQ(batch.record_count, kRecords);
                             EXPECT_EQ(record.timestamp, seen);
                             EXPECT_EQ(record.key, "k" + std::to_string(seen));
                             EXPECT_TRUE(record.value == value(seen, bytes));
                           }
                           ++seen;
                           return {};
                         });
      EXPECT_TRUE(status.ok()) << status.to_string();
      EXPECT_EQ(seen, kRecords + 1);
    }
  }
}

}  // namespace
}  // namespace muir::broker
