// What is served when bytes on the disk have changed: every record that is whole, none that is not, at any place, after
// a clean end or a crash, met at the start, by a reader, or by compaction.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "log/file_names.h"
#include "log/internal/cleaner.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"

namespace muir::storage {
namespace {

using Lines = std::vector<std::string>;

TopicConfig small_segments(bool compact = false) {
  TopicConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 200;
  config.compact = compact;
  config.remove = !compact;
  config.cleanable_dirty_ratio_min = 0;
  return config;
}

// A batch of the log as it was written: where it lies, and what a reader makes of it.
struct Written {
  std::string file;
  uint64_t begin = 0;
  uint64_t end = 0;
  Lines lines;
};

std::vector<std::string> names(PartitionFixture& log) { return log.env.list("/data/t-0").value(); }

std::vector<std::string> segment_files(PartitionFixture& log) {
  std::vector<std::string> out;
  for (const std::string& name : names(log)) {
    if (name.ends_with(kLogSuffix)) out.push_back("/data/t-0/" + name);
  }
  return out;
}

std::vector<Written> batches_on_disk(PartitionFixture& log) {
  std::vector<Written> out;
  for (const auto& file : segment_files(log)) {
    const Bytes bytes = log.env.read_file(file).value();
    wire::BatchReader batches(bytes);
    uint64_t at = 0;
    while (const auto batch = batches.next().value()) {
      const auto size = batch->bytes().size();
      out.push_back({file, at, at + size, describe_records(batch->bytes())});
      at += size;
    }
  }
  return out;
}

void flip(PartitionFixture& log, const std::string& path, uint64_t at, unsigned char mask) {
  auto file = log.env.open(path, OpenMode::read_write).value();
  const Bytes byte = file->read_exactly(at, 1).value();
  ASSERT_TRUE(file->write_at(at, Bytes(1, static_cast<char>(byte[0] ^ mask))).ok());
  ASSERT_TRUE(file->sync().ok());
}

void fill(PartitionFixture& log, std::mt19937_64& random, int batches) {
  constexpr wire::Compression kCodecs[] = {wire::Compression::none, wire::Compression::gzip, wire::Compression::snappy,
                                           wire::Compression::lz4, wire::Compression::zstd};
  for (int i = 0; i < batches; ++i) {
    std::vector<TestRecord> records;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      records.push_back({static_cast<int64_t>(1000 + i), "k" + std::to_string(random() % 20),
                         Bytes(random() % 60, static_cast<char>('a' + random() % 26))});
    }
    wire::BatchOptions options;
    options.compression = kCodecs[random() % std::size(kCodecs)];
    log.append_ok(test_batch(records, options));
  }
  log.flush();
}

RecoveryHint hint_of(PartitionFixture& log) {
  RecoveryHint hint;
  hint.recovery_point = log.partition->recovery_point();
  hint.cleaned_to = log.partition->cleaned_to();
  return hint;
}

// What must be served, and what may be: a batch whose leader epoch was changed is served with the right one.
struct Expected {
  Lines whole;
  std::set<std::string> all;
};

Expected expect(const std::vector<Written>& written, const std::map<std::string, std::set<uint64_t>>& flipped) {
  Expected out;
  for (const Written& batch : written) {
    out.all.insert(batch.lines.begin(), batch.lines.end());
    bool whole = true;
    if (const auto in_file = flipped.find(batch.file); in_file != flipped.end()) {
      const auto first = in_file->second.lower_bound(batch.begin);
      whole = first == in_file->second.end() || *first >= batch.end;
    }
    if (whole) out.whole.insert(out.whole.end(), batch.lines.begin(), batch.lines.end());
  }
  return out;
}

void expect_served(const Lines& found, const Expected& expected, uint64_t seed) {
  std::set<std::string> seen(found.begin(), found.end());
  EXPECT_EQ(seen.size(), found.size()) << "served twice, seed " << seed;
  for (const auto& line : expected.whole) EXPECT_TRUE(seen.contains(line)) << "lost: " << line << ", seed " << seed;
  for (const auto& line : found) EXPECT_TRUE(expected.all.contains(line)) << "invented: " << line << ", seed " << seed;
}

enum class Life { killed, ended_cleanly, still_running, killed_without_checkpoint };

TEST(Damage, AnyFlippedBytesCostOnlyTheirBatches) {
  constexpr Life kLives[] = {Life::killed, Life::ended_cleanly, Life::still_running, Life::killed_without_checkpoint};
  const uint64_t first_seed = 20'261'128;
  for (uint64_t seed = first_seed; seed < first_seed + 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(small_segments());
    fill(log, random, 60);
    const Life life = kLives[seed % std::size(kLives)];
    const Offset end = log.partition->offsets().log_end;
    RecoveryHint hint = hint_of(log);
    if (life == Life::killed_without_checkpoint) hint = {};
    const auto written = batches_on_disk(log);
    if (life == Life::ended_cleanly) {
      ASSERT_TRUE(log.partition->close().ok());
      hint.clean_shutdown = true;
      hint.recovery_point = end;
    }
    std::map<std::string, std::set<uint64_t>> flipped;
    for (uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
      const Written& victim = written[random() % written.size()];
      // Often the header, where the length, the offset and the checksum are.
      const uint64_t span = random() % 2 == 0 ? 61 : victim.end - victim.begin;
      const uint64_t at = victim.begin + random() % span;
      if (flipped[victim.file].insert(at).second)
        flip(log, victim.file, at, static_cast<unsigned char>(1 + random() % 255));
    }
    if (life != Life::still_running) log.reopen(hint);
    const Expected expected = expect(written, flipped);
    const Lines found = log.read_all();
    expect_served(found, expected, seed);
    // Without a checkpoint, a damaged last batch cannot be told from a write that never ended.
    if (life != Life::killed_without_checkpoint) {
      EXPECT_EQ(log.partition->offsets().log_end, end);
    }
    // It stays so: another start, and new records behind.
    log.append_ok(test_batch("after"));
    log.flush();
    log.crash(seed, hint_of(log));
    Lines again = log.read_all();
    ASSERT_FALSE(again.empty());
    EXPECT_TRUE(again.back().ends_with(":after"));
    again.pop_back();
    EXPECT_EQ(again, found);
  }
}

TEST(Damage, ReadersReachTheEndFromEveryOffsetInPiecesOfEverySize) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(small_segments());
    fill(log, random, 40);
    const auto written = batches_on_disk(log);
    std::map<std::string, std::set<uint64_t>> flipped;
    // Also the last batch: nothing follows that would carry a reader over it.
    for (const size_t which : {random() % written.size(), written.size() - 1}) {
      const uint64_t at = written[which].begin + random() % (written[which].end - written[which].begin);
      if (flipped[written[which].file].insert(at).second) flip(log, written[which].file, at, 0x20);
    }
    const Offset end = log.partition->offsets().log_end;
    for (Offset from; from < end; from = from + 1 + static_cast<int64_t>(random() % 5)) {
      Offset at = from;
      for (int reads = 0; at < end; ++reads) {
        ASSERT_LT(reads, 1000);
        const size_t bytes_max = 1 + random() % 400;
        const auto result = log.partition->read({at, bytes_max, true, Isolation::read_uncommitted});
        ASSERT_TRUE(result.ok()) << result.status().to_string();
        ASSERT_FALSE(result->records.empty()) << "stuck at offset " << at;
        wire::BatchReader batches(result->records);
        while (const auto batch = batches.next().value()) at = batch->header().next_offset();
      }
    }
  }
}

TEST(Damage, IndexesThatLieAreFoundOut) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(small_segments());
    fill(log, random, 40);
    const Lines expected = log.read_all();
    const Offset end = log.partition->offsets().log_end;
    std::map<int64_t, Offset> by_time;
    for (int64_t time = 1000; time < 1040; time += 7)
      by_time[time] = log.partition->find_timestamp(time, Isolation::read_uncommitted)->offset;
    ASSERT_TRUE(log.partition->close().ok());
    std::vector<std::string> files;
    for (const std::string& name : names(log)) {
      const std::string path = "/data/t-0/" + name;
      const bool index = name.ends_with(kIndexSuffix) || name.ends_with(kTimeIndexSuffix);
      if (index && !log.env.read_file(path)->empty()) files.push_back(path);
    }
    const std::string& victim = files[random() % files.size()];
    flip(log, victim, random() % log.env.read_file(victim)->size(), static_cast<unsigned char>(1 + random() % 255));
    RecoveryHint hint;
    hint.clean_shutdown = true;
    hint.recovery_point = end;
    log.reopen(hint);
    for (const auto& [time, offset] : by_time)
      EXPECT_EQ(log.partition->find_timestamp(time, Isolation::read_uncommitted)->offset, offset) << time;
    EXPECT_EQ(log.read_all(), expected);
    for (Offset from; from < end; ++from) {
      const Lines tail = log.read_all(from, Isolation::read_uncommitted, 100);
      ASSERT_EQ(tail.size(), expected.size() - static_cast<size_t>(from.value())) << from;
    }
  }
}

TEST(Damage, CompactionLeavesTheDamageAndKeepsItsBytes) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(small_segments(true));
    fill(log, random, 80);
    const auto written = batches_on_disk(log);
    // Not in the active segment, which compaction leaves alone; behind the base offset, which gaps may hide.
    const auto files = segment_files(log);
    std::vector<Written> sealed;
    for (const auto& batch : written) {
      if (batch.file != files.back()) sealed.push_back(batch);
    }
    const Written& victim = sealed[random() % sealed.size()];
    const uint64_t at = victim.begin + 16 + random() % (victim.end - victim.begin - 16);
    flip(log, victim.file, at, static_cast<unsigned char>(1 + random() % 255));
    const Expected expected = expect(written, {{victim.file, {at}}});
    std::map<std::string, std::string> newest;
    for (const auto& line : expected.whole) {
      const size_t colon = line.find(':');
      newest[line.substr(colon + 1, line.find('=') - colon - 1)] = line;
    }
    const auto cleaned = Cleaner(log.env, log.clock).clean(*log.partition);
    ASSERT_TRUE(cleaned.ok()) << cleaned.status().to_string();
    ASSERT_TRUE(*cleaned);
    const auto expect_counted = [&](bool counted) {
      const Damage damage = log.partition->damage();
      EXPECT_EQ(damage.ranges, counted ? 1u : 0u);
      EXPECT_EQ(damage.bytes, counted ? victim.end - victim.begin : 0u);
      EXPECT_EQ(damage.offsets > 0, counted);
    };
    expect_counted(true);
    std::set<std::string> served;
    for (const auto& line : log.read_all()) served.insert(line);
    for (const auto& [key, line] : newest) EXPECT_TRUE(served.contains(line)) << line;
    for (const auto& line : served) EXPECT_TRUE(expected.all.contains(line)) << line;
    int kept = 0;
    for (const std::string& name : names(log)) kept += name.ends_with(kQuarantineSuffix) ? 1 : 0;
    EXPECT_EQ(kept, 1) << "the bytes of the damaged batch";
    log.close_and_reopen();
    for (const auto& [key, line] : newest) EXPECT_TRUE(served.contains(line)) << line;
    expect_counted(true);
    // Not counted twice by another pass, and until somebody removes the file.
    fill(log, random, 20);
    ASSERT_TRUE(Cleaner(log.env, log.clock).clean(*log.partition).ok());
    expect_counted(true);
    for (const std::string& name : names(log)) {
      if (!name.ends_with(kQuarantineSuffix)) continue;
      ASSERT_TRUE(log.env.remove("/data/t-0/" + name).ok());
    }
    expect_counted(false);
    log.close_and_reopen();
    expect_counted(false);
  }
}

// Of records whose file is gone, no bytes are left that tell of them.
TEST(Damage, WhatIsMissingIsCountedBehindACompaction) {
  PartitionFixture log(small_segments(true));
  std::mt19937_64 random(1);
  RecoveryHint hint;
  hint.recovery_point = Offset(300);
  ASSERT_TRUE(log.env.remove("/data/t-0/00000000000000000000.log").ok());
  log.reopen(hint);
  fill(log, random, 80);
  for (const bool compacted : {false, true}) {
    if (compacted) {
      ASSERT_TRUE(Cleaner(log.env, log.clock).clean(*log.partition).value());
    }
    for (const bool reopened : {false, true}) {
      SCOPED_TRACE(fmt::format("compacted {}, reopened {}", compacted, reopened));
      if (reopened) log.close_and_reopen();
      EXPECT_EQ(log.partition->damage().ranges, 1u);
      EXPECT_EQ(log.partition->damage().offsets, 300u);
    }
  }
  ASSERT_TRUE(log.env.remove("/data/t-0/00000000000000000000-00000000000000000300.quarantine").ok());
  EXPECT_EQ(log.partition->damage().ranges, 0u);
}

TEST(Damage, IsRememberedAndCounted) {
  PartitionFixture log(small_segments());
  std::mt19937_64 random(1);
  fill(log, random, 40);
  const auto written = batches_on_disk(log);
  EXPECT_EQ(log.partition->damage().ranges, 0u);
  flip(log, written[3].file, written[3].begin + 70, 1);
  flip(log, written[5].file, written[5].begin + 70, 1);
  log.reopen({});
  EXPECT_EQ(log.partition->damage().ranges, 2u);
  EXPECT_EQ(log.partition->damage().bytes, written[3].end - written[3].begin + written[5].end - written[5].begin);
  EXPECT_EQ(log.partition->damage().offsets, written[3].lines.size() + written[5].lines.size());
  log.close_and_reopen();
  EXPECT_EQ(log.partition->damage().ranges, 2u) << "known at a start that trusts the segments";
  // The right bytes are back.
  flip(log, written[3].file, written[3].begin + 70, 1);
  EXPECT_EQ(log.read_all().size(),
            static_cast<size_t>(log.partition->offsets().log_end.value()) - written[5].lines.size());
}

// A producer and its transaction as they were before a batch or marker of theirs was damaged.
TEST(Damage, ProducersAndTransactionsAreThoseOfTheSnapshotBehindTheDamage) {
  for (const bool clean : {true, false}) {
    SCOPED_TRACE(clean);
    PartitionFixture log(small_segments());
    log.append_ok(test_batch({{1, "k", "v"}}, from_producer(ProducerId(5), ProducerEpoch(0), 0)));
    log.append_ok(test_batch({{1, "k", "in"}}, from_producer(ProducerId(6), ProducerEpoch(0), 0, true)));
    const auto before = batches_on_disk(log).size();
    ASSERT_TRUE(
        log.partition->append_end_txn(wire::ControlType::commit, ProducerId(6), ProducerEpoch(0), LeaderEpoch(0)).ok());
    log.append_ok(test_batch({{1, "k", "w"}}, from_producer(ProducerId(5), ProducerEpoch(0), 1)));
    std::mt19937_64 random(1);
    fill(log, random, 40);
    const auto written = batches_on_disk(log);
    const Offset end = log.partition->offsets().log_end;
    RecoveryHint hint = hint_of(log);
    if (clean) {
      ASSERT_TRUE(log.partition->close().ok());
      hint.clean_shutdown = true;
    } else {
      hint = {};
    }
    flip(log, written[before].file, written[before].begin + 70, 1);
    flip(log, written[before + 1].file, written[before + 1].begin + 70, 1);
    log.reopen(hint);
    EXPECT_EQ(log.partition->offsets().last_stable, end) << "the transaction has ended";
    EXPECT_TRUE(log.append(test_batch({{1, "k", "x"}}, from_producer(ProducerId(5), ProducerEpoch(0), 2))).ok())
        << "the next in sequence";
  }
}

// A single changed byte of it is no loss: the checksum tells which one it was.
TEST(Damage, ATransactionWhoseMarkerIsDamagedEndsAsItDid) {
  PartitionFixture log;
  log.append_ok(test_batch({{5, "a", "1"}}, from_producer(ProducerId(1), ProducerEpoch(0), 0, true)));
  ASSERT_TRUE(
      log.partition->append_end_txn(wire::ControlType::commit, ProducerId(1), ProducerEpoch(0), LeaderEpoch(0)).ok());
  log.append_ok(test_batch("behind"));
  log.flush();
  const auto written = batches_on_disk(log);
  flip(log, written[1].file, written[1].begin + 70, 1);
  log.crash(1, {.recovery_point = log.partition->recovery_point()});
  EXPECT_EQ(log.partition->offsets().last_stable, Offset(3));
  EXPECT_EQ(log.read_all(Offset(0), Isolation::read_committed), (Lines{"0:a=1", "2:behind"}));
}

}  // namespace
}  // namespace muir::storage
