// What a consumer with isolation.level=read_committed gets when files of a partition are damaged or gone: never a
// record that was aborted; every committed one but those that are lost, or whose transaction is reported as undecided.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "log/file_names.h"
#include "log/internal/cleaner.h"
#include "log/internal/partition_fixture.h"

namespace muir::storage {
namespace {

constexpr uint64_t kMarkerBytes = 78;

struct Txn {
  int64_t producer = 0;
  Offset first;
  Offset marker;
  bool committed = false;
  std::vector<Offset> records;
};

// Two producers whose transactions overlap, over several segments; the last one of each is still open.
struct TxnLog {
  TxnLog() : log(config()) {
    std::map<int64_t, int32_t> sequences;
    std::map<int64_t, Txn> open;
    for (int step = 0; step < 60; ++step) {
      const int64_t producer = 1 + step % 2;
      Txn& txn = open[producer];
      if (txn.records.empty()) txn = {producer, log.partition->offsets().log_end, {}, false, {}};
      const auto options = from_producer(ProducerId(producer), ProducerEpoch(0), sequences[producer]++, true);
      const Bytes batch = test_batch({{step, "k", Bytes(30 + step, 'v')}}, options);
      txn.records.push_back(log.append(batch)->base_offset);
      if (step % 5 != 4 || step > 55) continue;
      const bool committed = step % 3 != 0;
      end(txn, committed);
      open.erase(producer);
    }
    for (auto& [producer, txn] : open) txns.push_back(txn);
    log.flush();
    end_offset = log.partition->offsets().log_end;
    const std::vector<std::string> names = log.env.list("/data/t-0").value();
    for (const std::string& name : names) {
      if (name.ends_with(kLogSuffix)) bases.push_back(*parse_segment_file(name, kLogSuffix));
    }
  }

  static TopicConfig config() {
    TopicConfig out;
    out.segment_bytes = 2500;
    out.index_interval_bytes = 300;
    out.retention_ms = -1;  // the records are old
    return out;
  }

  void end(Txn& txn, bool committed) {
    const auto type = committed ? wire::ControlType::commit : wire::ControlType::abort;
    txn.marker =
        log.partition->append_end_txn(type, ProducerId(txn.producer), ProducerEpoch(0), LeaderEpoch(0))->base_offset;
    txn.committed = committed;
    txns.push_back(txn);
  }

  [[nodiscard]] std::string path(Offset base, std::string_view suffix) const {
    return "/data/t-0/" + segment_file(base, suffix);
  }
  [[nodiscard]] Offset base_of(Offset offset) const {
    return *std::prev(std::upper_bound(bases.begin(), bases.end(), offset));
  }

  // The byte at which the batch with this offset begins.
  uint64_t position_of(Offset offset) {
    const Bytes bytes = log.env.read_file(path(base_of(offset), kLogSuffix)).value();
    wire::BatchReader batches(bytes);
    uint64_t at = 0;
    while (const auto batch = batches.next().value()) {
      if (batch->header().base_offset == offset) return at;
      at += batch->bytes().size();
    }
    ADD_FAILURE() << "no batch at " << offset;
    return 0;
  }

  struct Answer {
    Bytes records;
    std::vector<AbortedTxn> aborted;
  };

  // What is read from `at` on, which is moved; when `joined`, as much as the broker puts into one answer.
  Answer answer(Offset& at, bool joined) {
    Answer out;
    do {
      const auto part = log.partition->read({at, 700, true, Isolation::read_committed});
      EXPECT_TRUE(part.ok()) << part.status().to_string();
      if (!part.ok() || part->records.empty() || (part->behind_gap && !out.records.empty())) break;
      out.records += part->records;
      out.aborted.insert(out.aborted.end(), part->aborted.begin(), part->aborted.end());
      at = part->next_offset;
    } while (joined);
    return out;
  }

  // As clients do it: what a transaction that is listed as aborted wrote is dropped until its marker comes, or the
  // answer ends.
  std::set<Offset> read_committed(bool joined) {
    std::set<Offset> out;
    Offset at = log.partition->offsets().log_start;
    for (;;) {
      auto [bytes, aborted] = answer(at, joined);
      if (bytes.empty()) return out;
      std::set<ProducerId> dropped;
      wire::BatchReader batches(bytes);
      while (const auto batch = batches.next().value()) {
        const auto& header = batch->header();
        std::erase_if(aborted, [&](const AbortedTxn& txn) {
          const bool begins = txn.first_offset <= header.last_offset();
          if (begins) dropped.insert(txn.producer_id);
          return begins;
        });
        if (!header.control()) {
          if (!dropped.contains(header.producer_id) && header.record_count > 0) out.insert(header.base_offset);
          continue;
        }
        if (describe_records(batch->bytes()).front().ends_with("abort")) dropped.erase(header.producer_id);
      }
    }
  }

  RecoveryHint stop(bool clean) {
    RecoveryHint hint;
    if (clean) {
      EXPECT_TRUE(log.partition->close().ok());
      hint.clean_shutdown = true;
      hint.recovery_point = end_offset;
    }
    return hint;
  }

  // Offsets from `lost` up to `lost_end` are damaged.
  void expect_right(Offset lost, Offset lost_end, bool decided) {
    const std::set<Offset> served = read_committed(false);
    EXPECT_EQ(read_committed(true), served);
    const Damage damage = log.partition->damage();
    EXPECT_TRUE(!decided || damage.undecided == 0);
    for (const Txn& txn : txns) {
      // It may have ended, or gone on, in what is lost.
      const bool undecided = !decided && txn.first < lost_end && (txn.marker >= lost || txn.marker == Offset());
      for (const Offset record : txn.records) {
        const bool is_lost = lost <= record && record < lost_end;
        if (!txn.committed) {
          EXPECT_FALSE(served.contains(record)) << "not committed: " << record;
        } else if (!is_lost && !served.contains(record)) {
          EXPECT_TRUE(undecided && damage.undecided > 0) << "hidden without a word: " << record;
        }
      }
    }
  }

  PartitionFixture log;
  std::vector<Txn> txns;
  std::vector<Offset> bases;
  Offset end_offset;
};

void change(Env& env, const std::string& path, uint64_t at, uint64_t count, const std::function<char(char)>& to) {
  const auto file = env.open(path, OpenMode::read_write).value();
  Bytes bytes = file->read_exactly(at, count).value();
  for (char& byte : bytes) byte = to(byte);
  ASSERT_TRUE(file->write_at(at, bytes).ok());
}

TEST(TxnDamage, ALostMarkerShowsNothingAbortedAndHidesNothingUnreported) {
  struct Case {
    const char* name;
    uint64_t from;  // bytes of the marker
    uint64_t count;
    unsigned char mask;  // 0: they become zero
    bool decided;        // also after a kill
  };
  constexpr Case kCases[] = {
      {"a bit of the record", 66, 1, 0x01, true},        {"a bit of the producer's id", 45, 1, 0x10, true},
      {"a bit of the type", 69, 1, 0x01, true},          {"a byte of the checksum", 18, 1, 0xff, true},
      {"a bit of the length", 11, 1, 0x04, true},        {"a bit of the attributes", 22, 1, 0x20, true},
      {"all of it", 0, kMarkerBytes, 0, false},          {"the record", 61, 17, 0, false},
      {"the producer and all behind", 43, 35, 0, false},
  };
  const TxnLog shape;
  for (const Case& damage : kCases) {
    for (const bool clean : {true, false}) {
      for (const size_t which : {size_t{0}, size_t{1}, size_t{3}, size_t{4}, size_t{6}, size_t{9}}) {
        SCOPED_TRACE(fmt::format("{}, {}, transaction {}", damage.name, clean ? "clean" : "killed", which));
        TxnLog log;
        const Offset marker = log.txns[which].marker;
        const std::string file = log.path(log.base_of(marker), kLogSuffix);
        const uint64_t at = log.position_of(marker);
        const RecoveryHint hint = log.stop(clean);
        change(log.log.env, file, at + damage.from, damage.count,
               [&](char byte) { return damage.mask == 0 ? '\0' : static_cast<char>(byte ^ damage.mask); });
        log.log.reopen(hint);
        log.expect_right(marker, marker + 1, damage.decided || clean);
        // It stays so.
        log.log.close_and_reopen();
        log.expect_right(marker, marker + 1, damage.decided || clean);
      }
    }
  }
}

// Its end may become known later: from what the coordinator wrote down.
TEST(TxnDamage, AnUndecidedTransactionIsKeptUntilItsEndIsKnown) {
  constexpr int64_t kTime = 1'000'000'000;  // the clock's, so that no segment is rolled for its age
  for (const bool committed : {true, false}) {
    SCOPED_TRACE(committed ? "committed" : "aborted");
    TopicConfig config;
    config.segment_bytes = 500;
    config.compact = true;
    config.cleanable_dirty_ratio_min = 0;
    PartitionFixture log(config);
    const auto end = [&](int64_t producer) {
      log.clock.advance_ms(10);
      ASSERT_TRUE(
          log.partition
              ->append_end_txn(wire::ControlType::commit, ProducerId(producer), ProducerEpoch(0), LeaderEpoch(0))
              .ok());
    };
    log.append_ok(test_batch({{kTime, "k", "before"}}));
    log.append_ok(test_batch({{kTime, "other", "x"}}, from_producer(ProducerId(2), ProducerEpoch(0), 0, true)));
    end(2);
    log.append_ok(test_batch({{kTime, "k", "in"}}, from_producer(ProducerId(1), ProducerEpoch(0), 0, true)));
    end(1);
    const int64_t written_ms = log.clock.now_ms();
    log.append_ok(test_batch({{kTime, "other", "y"}}, from_producer(ProducerId(2), ProducerEpoch(0), 1, true)));
    log.flush();
    const std::string file = "/data/t-0/" + segment_file(Offset(0), kLogSuffix);
    const Bytes bytes = log.env.read_file(file).value();
    wire::BatchReader batches(bytes);
    uint64_t at = 0;
    while (const auto batch = batches.next().value()) {
      if (batch->header().base_offset == Offset(4)) break;
      at += batch->bytes().size();
    }
    change(log.env, file, at, kMarkerBytes, [](char) { return '\0'; });
    log.reopen({.recovery_point = Offset(6)});
    const auto hidden = [&] {
      return log.partition->read({Offset(3), 1, true, Isolation::read_committed})->aborted.size() == 1;
    };
    EXPECT_TRUE(hidden());
    EXPECT_EQ(log.partition->fate(ProducerId(1), Offset(3)), TxnFate::undecided);
    EXPECT_EQ(log.partition->fate(ProducerId(2), Offset(1)), TxnFate::committed);
    EXPECT_EQ(log.partition->fate(ProducerId(2), Offset(5)), TxnFate::open);
    end(2);
    for (int i = 0; i < 20; ++i) log.append_ok(test_batch({{kTime, "k", "after"}}));
    log.flush();
    ASSERT_TRUE(Cleaner(log.env, log.clock).clean(*log.partition).ok());
    EXPECT_EQ(log.read_all(Offset(3)).front(), "3:k=in") << "not removed while it may have been committed";
    EXPECT_TRUE(hidden());

    const auto lost = log.partition->lost_ends().value();
    ASSERT_EQ(lost.size(), 1u);
    EXPECT_EQ(lost[0].txn, (UndecidedTxn{ProducerId(1), Offset(3), Offset(4)}));
    EXPECT_LE(lost[0].after_ms, written_ms);
    EXPECT_GE(lost[0].before_ms, written_ms);
    EXPECT_FALSE(lost[0].after_own || lost[0].before_own);
    log.partition->decide(lost[0].txn, committed);
    for (const int start : {0, 1, 2}) {
      if (start == 1) log.close_and_reopen();
      if (start == 2) log.reopen({.recovery_point = log.partition->recovery_point()});
      EXPECT_EQ(hidden(), !committed) << start;
      EXPECT_EQ(log.partition->fate(ProducerId(1), Offset(3)), committed ? TxnFate::committed : TxnFate::aborted);
      EXPECT_EQ(log.partition->damage().undecided, 0u);
    }
  }
}

TEST(TxnDamage, TheListOfAbortedTransactionsIsBuiltAnewWhenItIsNotWhole) {
  using Harm = std::function<void(Env&, const std::string&)>;
  const std::pair<const char*, Harm> harms[] = {
      {"missing", [](Env& env, const std::string& path) { ASSERT_TRUE(env.remove(path).ok()); }},
      {"empty", [](Env& env, const std::string& path) { ASSERT_TRUE(env.write_file(path, {}).ok()); }},
      {"without its last entry",
       [](Env& env, const std::string& path) {
         const Bytes bytes = env.read_file(path).value();
         ASSERT_TRUE(env.write_file(path, bytes.substr(0, bytes.size() - 34)).ok());
       }},
      {"with another producer",
       [](Env& env, const std::string& path) {
         change(env, path, 9, 1, [](char byte) { return static_cast<char>(byte ^ 3); });
       }},
      {"with another offset", [](Env& env, const std::string& path) {
         change(env, path, 17, 1, [](char byte) { return static_cast<char>(byte ^ 2); });
       }}};
  for (const auto& [name, harm] : harms) {
    TxnLog log;
    const RecoveryHint hint = log.stop(true);
    int harmed = 0;
    for (const Offset base : log.bases) {
      const std::string path = log.path(base, kTxnIndexSuffix);
      if (!log.log.env.exists(path)) continue;
      harm(log.log.env, path);
      ++harmed;
    }
    ASSERT_GT(harmed, 1);
    SCOPED_TRACE(name);
    log.log.reopen(hint);
    log.expect_right(log.end_offset, log.end_offset, true);
    log.log.close_and_reopen();
    log.expect_right(log.end_offset, log.end_offset, true);
  }
}

TEST(TxnDamage, AfterAKillTheListsOfAllSegmentsSurviveTheNextCleanStart) {
  TxnLog log;
  log.log.reopen(log.stop(false));
  log.expect_right(log.end_offset, log.end_offset, true);
  log.log.close_and_reopen();
  log.expect_right(log.end_offset, log.end_offset, true);
}

TEST(TxnDamage, SegmentsThatAreGoneOrShorterAreCountedAndTheRestIsServed) {
  struct Case {
    const char* name;
    size_t segment;  // from the end when large
    bool all_files;
    bool to_nothing;  // or removed
  };
  constexpr size_t kLast = 99;
  constexpr Case kCases[] = {{"the first .log removed", 0, false, false},
                             {"a .log removed", 2, false, false},
                             {"a .log emptied", 2, false, true},
                             {"a segment removed", 2, true, false},
                             {"the last .log removed", kLast, false, false}};
  for (const Case& harm : kCases) {
    for (const bool clean : {true, false}) {
      SCOPED_TRACE(fmt::format("{}, {}", harm.name, clean ? "clean" : "killed"));
      TxnLog log;
      ASSERT_GE(log.bases.size(), 4u);
      const size_t which = std::min(harm.segment, log.bases.size() - 1);
      const Offset lost = log.bases[which];
      const Offset lost_end = which + 1 < log.bases.size() ? log.bases[which + 1] : log.end_offset;
      const RecoveryHint hint = log.stop(clean);
      Env& env = log.log.env;
      const std::string file = log.path(lost, kLogSuffix);
      ASSERT_TRUE((harm.to_nothing ? env.write_file(file, {}) : env.remove(file)).ok());
      for (const auto suffix : kSegmentSuffixes) {
        ASSERT_TRUE(!harm.all_files || env.remove(log.path(lost, suffix)).ok());
      }
      for (int start = 0; start < 2; ++start) {
        if (start == 0) {
          log.log.reopen(hint);
        } else {
          log.log.close_and_reopen();
        }
        const Damage damage = log.log.partition->damage();
        EXPECT_GT(damage.ranges, 0u);
        // After a kill nothing tells how far the last one reached.
        if (which + 1 < log.bases.size() || clean) {
          EXPECT_EQ(damage.offsets, static_cast<uint64_t>(lost_end - lost));
          EXPECT_EQ(log.log.partition->offsets().log_end, log.end_offset);
        }
        log.expect_right(lost, lost_end, false);
      }
    }
  }
}

// Nothing in the folder tells that there was a log; the recovery point does. Its offsets are not given out again.
TEST(TxnDamage, ALogOfWhichNothingIsLeftGoesOnWhereItWasDurable) {
  struct Case {
    const char* name;
    bool folder;  // lost as well
    bool clean;
    Offset log_start;
    Offset recovery_point;
    Offset goes_on_at;
    uint64_t lost;
  };
  const Offset far(99'999'999'999);
  const Case cases[] = {
      {"killed, the only .log", false, false, {}, Offset(300), Offset(300), 300},
      {"killed, the folder", true, false, {}, Offset(300), Offset(300), 300},
      {"clean, the only .log", false, true, {}, Offset(300), Offset(300), 300},
      {"clean, the folder", true, true, {}, Offset(300), Offset(300), 300},
      {"records were deleted before", true, false, Offset(100), Offset(300), Offset(300), 200},
      {"further than a segment reaches", true, false, {}, far, far, uint64_t{INT32_MAX}},
      {"all records were deleted", true, false, Offset(300), Offset(300), Offset(300), 0},
      {"nothing was durable", true, false, {}, {}, {}, 0},
  };
  for (const bool compact : {true, false}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(fmt::format("{}, {}", c.name, compact ? "compacted" : "not compacted"));
      TopicConfig config;
      config.compact = compact;
      PartitionFixture log(config);
      log.partition.reset();
      ASSERT_TRUE(c.folder ? log.env.remove_all("/data/t-0").ok()
                           : log.env.remove("/data/t-0/00000000000000000000.log").ok());
      RecoveryHint hint;
      hint.clean_shutdown = c.clean;
      hint.recovery_point = c.recovery_point;
      hint.log_start_offset = c.log_start;
      log.reopen(hint);
      for (const bool first : {true, false}) {
        const Damage damage = log.partition->damage();
        EXPECT_EQ(damage.offsets, c.lost);
        EXPECT_EQ(damage.ranges, c.lost > 0 ? 1u : 0u) << "also known at the next start";
        if (first) {
          EXPECT_EQ(log.partition->offsets().log_end, c.goes_on_at);
          const auto appended = log.append(test_batch("x"));
          ASSERT_TRUE(appended.ok()) << appended.status().to_string();
          EXPECT_EQ(appended->base_offset, c.goes_on_at);
          log.close_and_reopen();
        }
      }
      EXPECT_EQ(log.read_all(c.goes_on_at).size(), 1u);
    }
  }
}

TEST(TxnDamage, NumbersWithoutAChecksumNeitherRemoveNorSkipAnything) {
  const TxnLog shape;
  const Offset far(99'999'999'999);
  struct Case {
    const char* name;
    Offset recovery_point;
    Offset log_start;
    Offset mark;
  };
  const Case cases[] = {{"recovery point", far, {}, {}}, {"log start", {}, far, {}}, {"mark", {}, {}, Offset(99'999)}};
  for (const Case& wrong : cases) {
    for (const bool clean : {true, false}) {
      SCOPED_TRACE(fmt::format("{}, {}", wrong.name, clean ? "clean" : "killed"));
      TxnLog log;
      RecoveryHint hint = log.stop(clean);
      if (wrong.recovery_point > Offset()) hint.recovery_point = wrong.recovery_point;
      hint.log_start_offset = wrong.log_start;
      if (wrong.mark > Offset()) {
        ASSERT_TRUE(log.log.env.write_file("/data/t-0/durable-up-to", encode_durable_mark(wrong.mark)).ok());
      }
      log.log.reopen(hint);
      ASSERT_TRUE(log.log.partition->apply_retention().ok());
      EXPECT_EQ(log.log.partition->offsets().log_start, Offset());
      EXPECT_EQ(log.log.partition->offsets().log_end, log.end_offset);
      log.expect_right(log.end_offset, log.end_offset, true);
    }
  }
}

TEST(TxnDamage, AFolderInPlaceOfAnIndexIsSetAside) {
  for (const auto suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    TxnLog log;
    const RecoveryHint hint = log.stop(true);
    Env& env = log.log.env;
    ASSERT_TRUE(env.remove(log.path(log.bases[1], suffix)).ok());
    ASSERT_TRUE(env.make_folders(log.path(log.bases[1], suffix)).ok());
    log.log.reopen(hint);
    log.expect_right(log.end_offset, log.end_offset, true);
  }
}

}  // namespace
}  // namespace muir::storage
