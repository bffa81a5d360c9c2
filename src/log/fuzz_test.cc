// Mutations of everything this module reads from disk or from a producer.
#include <gtest/gtest.h>

#include "base/cursor.h"
#include "log/admission.h"
#include "log/file_names.h"
#include "log/internal/checkpoint.h"
#include "log/internal/offset_index.h"
#include "log/internal/partition_fixture.h"
#include "log/internal/segment.h"
#include "log/internal/topic_registry.h"
#include "log/internal/txn_index.h"
#include "log/producer_state.h"
#include "testing/mutations.h"
#include "wire/crc32c.h"

namespace muir::storage {
namespace {

Bytes batch_with(wire::Compression codec, int records = 3) {
  std::vector<TestRecord> rows;
  for (int i = 0; i < records; ++i) rows.push_back({500 + i, fmt::format("key {}", i), "value"});
  if (records > 1) rows.back().value = std::nullopt;
  wire::BatchOptions options;
  options.compression = codec;
  return test_batch(rows, options);
}

Bytes at_offset(Bytes batch, int64_t base_offset) {
  ByteWriter(batch).patch_be(0, base_offset);
  return batch;
}

std::vector<Bytes> batches_of_every_codec() {
  using wire::Compression;
  std::vector<Bytes> out;
  for (const auto codec :
       {Compression::none, Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd})
    out.push_back(batch_with(codec));
  return out;
}

TEST(FuzzFileName, SurvivesMutations) {
  const std::string longest(249, 'n');
  testing::survive_mutations("log_file_name", fuzz_file_name,
                             {"00000000000000000042.log", "00000000000000000000.timeindex", "positions-3",
                              partition_folder(longest, PartitionId(INT32_MAX)),
                              folder_name_aside("positions-3", wire::Uuid{}.to_string(), kDeleteSuffix)},
                             {.alphabet = "0123456789-.+ a"});
}

TEST(FuzzAdmission, SurvivesMutations) {
  testing::survive_mutations("log_admission", fuzz_admission, batches_of_every_codec());
}

TEST(FuzzAdmission, RefusesTheLargestOffsetDelta) {
  constexpr size_t kLastOffsetDeltaAt = 23;
  Bytes batch = batch_with(wire::Compression::none);
  ByteWriter(batch).patch_be(kLastOffsetDeltaAt, INT32_MAX);
  EXPECT_EQ(fuzz_admission(batch), 0);
}

TEST(FuzzSegment, SurvivesMutations) {
  std::vector<Bytes> valid = batches_of_every_codec();
  valid.push_back(batch_with(wire::Compression::none) + at_offset(batch_with(wire::Compression::lz4), 3) +
                  at_offset(batch_with(wire::Compression::none, 1), 1000));
  valid.push_back(test_batch({{INT64_MIN, "a", "oldest"}, {INT64_MAX, "b", "newest"}, {-1, "c", "none"}}));
  testing::survive_mutations("log_segment", fuzz_segment, valid, {.rounds = 5'000});
}

TEST(FuzzCheckpoints, SurviveMutations) {
  testing::survive_mutations(
      "log_checkpoints", fuzz_checkpoints,
      {"muir-checkpoints 1\nlog-start a 0 10\nrecovery-point t 1 20\n", "0\n1\n5 9 3 4\nundecided 7 3 3\n",
       "0\n2\na 0 10\nt 1 9223372036854775807\n", "0\n2\n3 41\n5 41\n",
       "version: 0\ntopic_id: 4L6g3nShT-eMCtK--X86sw\n", "#\ncluster.id=c\ndirectory.id=d\nnode.id=1\nversion=1\n"},
      {.alphabet = "0123456789 \n-:="});
}

TEST(FuzzSeal, SurvivesMutations) {
  const Bytes lines =
      "muir-segment 1\nlog 1048311 8641\nindex 2032 4083920113\ntimeindex 3060 911827465\ntxnindex 0 0\n";
  testing::survive_mutations("log_seal", fuzz_seal, {lines}, {.alphabet = "0123456789 \nloginde"});
}

TEST(FuzzIndexes, SurviveMutations) {
  const Bytes offsets("\0\0\0\x05\0\0\0\x64\0\0\0\x09\0\0\x10\0", 16);
  const Bytes times("\0\0\x01\x8c\xff\0\0\0\0\0\0\x02\0\0\x01\x8c\xff\0\0\x01\0\0\0\x07", 24);
  testing::survive_mutations("log_indexes", fuzz_indexes, {offsets, times, ""});
}

TEST(FuzzTxnIndex, SurvivesMutations) {
  Bytes entries;
  for (const int64_t first : {3, 9}) {
    ByteWriter writer(entries);
    writer.i16(0);
    for (const int64_t field : {int64_t{7}, first, first + 4, first}) writer.i64(field);
  }
  testing::survive_mutations("log_txn_index", fuzz_txn_index, {entries, ""});
}

TEST(FuzzProducerSnapshot, SurvivesMutations) {
  Bytes body;
  ByteWriter writer(body);
  writer.i32(2);
  for (const int64_t producer : {7, 8}) {
    writer.i64(producer);
    writer.i16(1);
    writer.i32(4);
    writer.i64(90);
    writer.i32(4);
    writer.i64(1'700'000'000'000);
    writer.i32(0);
    writer.i64(producer == 7 ? -1 : 86);
  }
  Bytes snapshot;
  ByteWriter whole(snapshot);
  whole.i16(1);
  whole.u32(wire::crc32c(body));
  whole.bytes(body);
  testing::survive_mutations("log_producer_snapshot", fuzz_producer_snapshot, {snapshot});
}

TEST(FuzzTopicRegistry, SurvivesMutations) {
  const Bytes lines =
      "muir-topics 1\ntopic vehicle.state 4L6g3nShT-eMCtK--X86sw 6\nconfig cleanup.policy compact\nconfig odd "
      "a\\\\b\\nc\n";
  testing::survive_mutations("log_topic_registry", fuzz_topic_registry,
                             {lines + fmt::format("end {:08x}\n", wire::crc32c(lines)),
                              "muir-topics 1\nend " + fmt::format("{:08x}\n", wire::crc32c("muir-topics 1\n"))},
                             {.alphabet = "topic config end\n\\0123456789abcdef"});
}

}  // namespace
}  // namespace muir::storage
