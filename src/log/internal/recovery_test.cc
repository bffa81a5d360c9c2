// What a partition is after a crash: everything confirmed is there, nothing is invented, and it goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "log/file_names.h"
#include "log/internal/cleaner.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"

namespace muir::storage {
namespace {

using Lines = std::vector<std::string>;

TopicConfig tiny_segments() {
  TopicConfig config;
  config.segment_bytes = 500;
  config.index_interval_bytes = 100;
  return config;
}

TEST(Recovery, EveryConfirmedRecordSurvivesALossOfPower) {
  const uint64_t first_seed = 20'261'121;
  for (uint64_t seed = first_seed; seed < first_seed + 150; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    PartitionFixture log(tiny_segments());
    Lines written;
    size_t confirmed = 0;
    Offset recovery_point;
    for (int life = 0; life < 4; ++life) {
      for (uint64_t steps = random() % 40; steps > 0; --steps) {
        if (random() % 4 == 0) {
          log.flush();
          confirmed = written.size();
          if (random() % 3 == 0) recovery_point = log.partition->recovery_point();
          continue;
        }
        const std::string value(random() % 120, static_cast<char>('a' + random() % 26));
        log.append_ok(test_batch(value, static_cast<int64_t>(random() % 1000)));
        written.push_back(std::to_string(written.size()) + ":" + value);
      }
      RecoveryHint hint;
      hint.recovery_point = recovery_point;
      log.crash(random(), hint);
      const Lines found = log.read_all();
      ASSERT_GE(found.size(), confirmed);
      ASSERT_LE(found.size(), written.size());
      ASSERT_TRUE(std::equal(found.begin(), found.end(), written.begin()));
      ASSERT_EQ(log.partition->offsets().high_watermark, Offset(static_cast<int64_t>(found.size())));
      written = found;
      confirmed = found.size();
    }
  }
}

TEST(Recovery, WhatWasReadableAfterACrashSurvivesTheNextOne) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    PartitionFixture log(tiny_segments());
    for (int i = 0; i < 20; ++i) log.append_ok(test_batch("value " + std::to_string(i)));
    log.flush();
    for (int i = 20; i < 40; ++i) log.append_ok(test_batch("value " + std::to_string(i)));
    log.crash(seed);
    const Lines first = log.read_all();
    log.crash(seed + 1000);
    EXPECT_EQ(log.read_all(), first) << "seed " << seed;
  }
}

TEST(Recovery, ACleanShutdownNeedsNoScanAndForgetsNothing) {
  PartitionFixture log(tiny_segments());
  Lines expected;
  for (int32_t i = 0; i < 30; ++i) {
    log.append_ok(
        test_batch({{i, std::nullopt, std::to_string(i)}}, from_producer(ProducerId(5), ProducerEpoch(0), i)));
    expected.push_back(std::to_string(i) + ":" + std::to_string(i));
  }
  log.close_and_reopen();
  EXPECT_EQ(log.read_all(), expected);
  EXPECT_EQ(log.partition->find_timestamp(17, Isolation::read_uncommitted)->offset, Offset(17));
  // The sequence goes on where it was, and the last batches may be repeated.
  for (int32_t i = 25; i < 30; ++i) {
    EXPECT_TRUE(log.append(test_batch({{i, std::nullopt, std::to_string(i)}},
                                      from_producer(ProducerId(5), ProducerEpoch(0), i)))
                    ->repeated)
        << i;
  }
  EXPECT_EQ(
      log.append(test_batch({{0, std::nullopt, "x"}}, from_producer(ProducerId(5), ProducerEpoch(0), 30)))->base_offset,
      Offset(30));
}

TEST(Recovery, MissingAndDamagedIndexesAreBuiltAnew) {
  PartitionFixture log(tiny_segments());
  for (int i = 0; i < 30; ++i) log.append_ok(test_batch("value " + std::to_string(i), i));
  log.flush();
  const Lines expected = log.read_all();
  ASSERT_TRUE(log.partition->close().ok());
  int changed = 0;
  const auto names = log.env.list("/data/t-0").value();
  for (const auto& name : names) {
    if (name.ends_with(kIndexSuffix) || name.ends_with(kTimeIndexSuffix)) {
      if (++changed % 2 == 0) {
        ASSERT_TRUE(log.env.remove("/data/t-0/" + name).ok());
      } else {
        ASSERT_TRUE(log.env.write_file("/data/t-0/" + name, "damaged").ok());
      }
    }
  }
  ASSERT_GT(changed, 4);
  RecoveryHint hint;
  hint.clean_shutdown = true;
  log.reopen(hint);
  EXPECT_EQ(log.read_all(), expected);
  EXPECT_EQ(log.partition->find_timestamp(22, Isolation::read_uncommitted)->offset, Offset(22));
}

TEST(Recovery, SequencesAndTransactionsAreKnownAfterACrash) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    PartitionFixture log(tiny_segments());
    for (int32_t i = 0; i < 20; ++i)
      log.append_ok(test_batch({{0, std::nullopt, "a value"}}, from_producer(ProducerId(5), ProducerEpoch(0), i)));
    log.append_ok(test_batch({{0, std::nullopt, "aborted"}}, from_producer(ProducerId(6), ProducerEpoch(0), 0, true)));
    ASSERT_TRUE(
        log.partition->append_end_txn(wire::ControlType::abort, ProducerId(6), ProducerEpoch(0), LeaderEpoch(0)).ok());
    log.append_ok(test_batch({{0, std::nullopt, "open"}}, from_producer(ProducerId(7), ProducerEpoch(0), 0, true)));
    log.flush();
    log.crash(seed);
    for (int32_t sequence = 15; sequence < 20; ++sequence) {
      EXPECT_TRUE(log.append(test_batch({{0, std::nullopt, "a value"}},
                                        from_producer(ProducerId(5), ProducerEpoch(0), sequence)))
                      ->repeated)
          << sequence;
    }
    EXPECT_EQ(
        kafka_code(log.append(test_batch({{0, std::nullopt, "x"}}, from_producer(ProducerId(5), ProducerEpoch(0), 21)))
                       .status()),
        wire::ErrorCode::out_of_order_sequence_number);
    EXPECT_EQ(log.partition->offsets().last_stable, Offset(22)) << "the open transaction";
    EXPECT_EQ(log.partition->read({Offset(20), 10'000, true, Isolation::read_committed})->aborted.size(), 1u);
    ASSERT_TRUE(
        log.partition->append_end_txn(wire::ControlType::commit, ProducerId(7), ProducerEpoch(0), LeaderEpoch(0)).ok());
    log.flush();
    EXPECT_EQ(log.partition->offsets().last_stable, Offset(24));
  }
}

// ---- leader epochs: consumers learn from them that the log has become shorter (KIP-320)

// The epochs of the batches as a reader gets them, each at the offset where it begins.
EpochEntries epochs_read(PartitionFixture& log) {
  EpochEntries out;
  const Offsets offsets = log.partition->offsets();
  for (Offset at = offsets.log_start; at < offsets.log_end;) {
    const auto result = log.partition->read({at, 500, true, Isolation::log_end});
    EXPECT_TRUE(result.ok()) << result.status().to_string();
    wire::BatchReader batches(result->records);
    while (const auto batch = *batches.next()) {
      const auto& header = batch->header();
      if (out.empty() || out.back().epoch != header.partition_leader_epoch)
        out.push_back({header.partition_leader_epoch, header.base_offset});
      at = header.next_offset();
    }
  }
  return out;
}

TEST(Recovery, WhoHasSeenMoreThanIsLeftAfterALossOfPowerIsToldSo) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    PartitionFixture log(tiny_segments());
    for (int i = 0; i < 10; ++i) log.append_ok(test_batch("confirmed"));
    log.flush();
    for (int i = 0; i < 5; ++i) log.append_ok(test_batch("seen"));
    log.crash(seed);
    const Offset left = log.partition->offsets().log_end;
    EXPECT_EQ(log.partition->leader_epoch(), LeaderEpoch(1));
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(0)), (EpochEntry{LeaderEpoch(0), left}));
    for (int i = 0; i < 7; ++i) log.append_ok(test_batch("others"));
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(0)), (EpochEntry{LeaderEpoch(0), left}));
    EXPECT_EQ(epochs_read(log), (EpochEntries{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), left}}));
    log.flush();
    log.close_and_reopen();
    EXPECT_EQ(log.partition->leader_epoch(), LeaderEpoch(1)) << "nothing can have been lost";
    log.crash(seed);
    EXPECT_EQ(log.partition->leader_epoch(), LeaderEpoch(2));
    log.crash(seed);  // an epoch without a record in it leaves nothing but its number
    EXPECT_EQ(log.partition->leader_epoch(), LeaderEpoch(3));
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(2)), (EpochEntry{LeaderEpoch(1), log.partition->offsets().log_end}));
  }
}

// A byte of each batch's, which is under no checksum.
void change_epochs(Env& env) {
  constexpr uint64_t kEpochAt = 12;
  const std::vector<std::string> names = env.list("/data/t-0").value();
  for (const auto& name : names) {
    if (!name.ends_with(kLogSuffix)) continue;
    const auto segment = env.open("/data/t-0/" + name, OpenMode::read_write).value();
    const Bytes bytes = env.read_file("/data/t-0/" + name).value();
    wire::BatchReader batches(bytes);
    uint64_t at = 0;
    while (const auto batch = batches.next().value()) {
      ASSERT_TRUE(segment->write_at(at + kEpochAt + at % 4, "\x07").ok());
      at += batch->bytes().size();
    }
  }
}

TEST(Recovery, EpochsAreKnownWhateverBecomesOfTheirFileAndOfTheBytesInTheBatches) {
  const std::string file = "/data/t-0/leader-epoch-checkpoint";
  using Harm = std::function<void(Env&)>;
  const std::pair<const char*, Harm> harms[] = {
      {"nothing", [](Env&) {}},
      {"the file is gone", [&](Env& env) { ASSERT_TRUE(env.remove(file).ok()); }},
      {"it is empty", [&](Env& env) { ASSERT_TRUE(env.write_file(file, {}).ok()); }},
      {"the last one begins behind the log",
       [&](Env& env) { ASSERT_TRUE(env.write_file(file, "0\n2\n0 0\n1 99\n").ok()); }},
      {"bytes in the batches", change_epochs},
  };
  for (const auto& [name, harm] : harms) {
    for (const bool clean : {true, false}) {
      SCOPED_TRACE(std::string(name) + (clean ? ", clean" : ", killed"));
      PartitionFixture log(tiny_segments());
      for (int i = 0; i < 10; ++i) log.append_ok(test_batch("0123456789"));
      log.flush();
      log.crash(1);
      for (int i = 0; i < 10; ++i) log.append_ok(test_batch("0123456789"));
      log.flush();
      RecoveryHint hint;
      hint.clean_shutdown = clean;
      ASSERT_TRUE(!clean || log.partition->close().ok());
      harm(log.env);
      log.reopen(hint);
      EXPECT_EQ(log.partition->leader_epoch(), LeaderEpoch(clean ? 1 : 2)) << "never lower than it was";
      if (std::string_view(name).starts_with("the last")) continue;
      EXPECT_EQ(epochs_read(log), (EpochEntries{{LeaderEpoch(0), Offset(0)}, {LeaderEpoch(1), Offset(10)}}));
    }
  }
}

TEST(Recovery, AnEpochWhoseRecordsAreRemovedEndedWhereTheLogBegins) {
  PartitionFixture log(tiny_segments());
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (int i = 0; i < 10; ++i) log.append_ok(test_batch("0123456789"));
    log.flush();
    log.crash(1);
  }
  ASSERT_TRUE(log.partition->delete_records_before(Offset(25)).ok());
  const auto expect_epochs = [&] {
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(0)), (EpochEntry{LeaderEpoch(0), Offset(25)}));
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(1)), (EpochEntry{LeaderEpoch(1), Offset(25)}));
    EXPECT_EQ(log.partition->epoch_end(LeaderEpoch(2)), (EpochEntry{LeaderEpoch(2), Offset(30)}));
  };
  expect_epochs();
  log.close_and_reopen();
  expect_epochs();
}

TEST(Recovery, DeletedRecordsStayDeleted) {
  PartitionFixture log(tiny_segments());
  for (int i = 0; i < 30; ++i) log.append_ok(test_batch("0123456789"));
  log.flush();
  ASSERT_TRUE(log.partition->delete_records_before(Offset(17)).ok());
  RecoveryHint hint;
  hint.log_start_offset = Offset(17);
  log.crash(1, hint);
  EXPECT_EQ(log.partition->offsets().log_start, Offset(17));
  EXPECT_EQ(log.partition->offsets().log_end, Offset(30));
}

// What compaction has emptied has no seal, and no record that would reach the next segment.
TEST(Recovery, NothingIsSetAsideBecauseOfADamagedMark) {
  struct Case {
    const char* name;
    std::function<Bytes(const Bytes& written)> damage;
  };
  const Case cases[] = {{"whole", [](const Bytes& written) { return written; }},
                        {"empty", [](const Bytes&) { return Bytes(); }},
                        {"zeros", [](const Bytes& written) { return Bytes(written.size(), '\0'); }},
                        {"without its end", [](const Bytes& written) { return written.substr(0, written.size() - 1); }},
                        {"another number", [](const Bytes& written) { return Bytes("1\n2") + written.substr(3); }},
                        {"of an earlier version", [](const Bytes&) { return Bytes("0\n3\n"); }}};
  for (const Case& damaged : cases) {
    SCOPED_TRACE(damaged.name);
    TopicConfig config = tiny_segments();
    config.compact = true;
    config.cleanable_dirty_ratio_min = 0;
    PartitionFixture log(config);
    for (int i = 0; i < 60; ++i) log.append_ok(test_batch({{1000, "k" + std::to_string(i % 3), Bytes(60, 'v')}}));
    log.flush();
    ASSERT_TRUE(*Cleaner(log.env, log.clock).clean(*log.partition));
    const Lines before = log.read_all();
    const auto end = log.partition->offsets().log_end;
    const std::string mark = "/data/t-0/" + std::string(kDurableMarkFile);
    ASSERT_TRUE(log.env.replace_file(mark, damaged.damage(*log.env.read_file(mark))).ok());
    for (int life = 0; life < 3; ++life) {
      log.crash(static_cast<uint64_t>(life));
      EXPECT_EQ(log.read_all(), before);
      EXPECT_EQ(log.partition->offsets().log_end, end);
      EXPECT_EQ(log.partition->damage().ranges, 0u);
    }
    log.append_ok(test_batch("next"));
    EXPECT_EQ(log.read_all(end), Lines{fmt::format("{}:next", end)});
  }
}

// A clean stop seals the newest segment, the next life goes on in it, and is killed before it has sealed it again.
TEST(Recovery, TheSealOfAnEarlierEndIsNoDamage) {
  PartitionFixture log(tiny_segments());
  Lines written;
  const auto append = [&](int batches) {
    for (; batches > 0; --batches) {
      const std::string value = fmt::format("value-{}", written.size());
      log.append_ok(test_batch(value));
      written.push_back(fmt::format("{}:{}", written.size(), value));
    }
  };
  append(3);
  log.flush();
  log.close_and_reopen();
  const std::string seal = "/data/t-0/" + segment_file(Offset(), kSealSuffix);
  const Bytes earlier = log.env.read_file(seal).value();
  append(40);
  log.flush();
  ASSERT_NE(log.env.read_file(seal).value(), earlier);
  ASSERT_TRUE(log.env.replace_file(seal, earlier).ok());
  for (int life = 0; life < 2; ++life) {
    log.crash(static_cast<uint64_t>(life));
    EXPECT_EQ(log.partition->damage().ranges, 0u);
    EXPECT_EQ(log.read_all(), written);
  }
}

// Where the newest segment's file was lost, the log goes on behind it, and what it takes then is as durable as ever.
TEST(Recovery, WhatIsWrittenBehindALostEndSurvivesEveryLaterCrash) {
  for (const bool compacted : {false, true}) {
    SCOPED_TRACE(compacted);
    TopicConfig config = tiny_segments();
    config.compact = compacted;
    PartitionFixture log(config);
    for (int i = 0; i < 30; ++i) log.append_ok(test_batch({{1000, "k" + std::to_string(i), "v"}}));
    log.flush();
    std::string newest;
    const auto names = log.env.list("/data/t-0").value();
    for (const std::string& name : names) {
      if (name.ends_with(kLogSuffix)) newest = std::max(newest, "/data/t-0/" + name);
    }
    log.partition.reset();
    ASSERT_TRUE(log.env.remove(newest).ok());
    ASSERT_TRUE(log.env.sync_folder("/data/t-0").ok());
    log.reopen({});
    Lines expected = log.read_all();
    for (int life = 0; life < 4; ++life) {
      SCOPED_TRACE(life);
      const Offset at = log.partition->offsets().log_end;
      log.append_ok(test_batch({{1000, "new", std::to_string(life)}}));
      expected.push_back(fmt::format("{}:new={}", at, life));
      log.flush();
      log.crash(static_cast<uint64_t>(life));
      EXPECT_EQ(log.read_all(), expected);
      EXPECT_EQ(log.partition->offsets().log_end, at + 1);
    }
  }
}

}  // namespace
}  // namespace muir::storage
