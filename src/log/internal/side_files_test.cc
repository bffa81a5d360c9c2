// The files beside the segments are worth nothing: whichever is damaged, and however, after a clean end and after a
// kill, the log starts, serves every record once, and knows its producers and transactions.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "log/file_names.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"

namespace muir::storage {
namespace {

TopicConfig small_segments() {
  TopicConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 200;
  return config;
}

constexpr ProducerId kPlain(7);
constexpr ProducerId kTransactional(8);
constexpr ProducerId kOpen(9);

// Rounds of an idempotent producer, of transactions that end in turns, and in the end one that is open.
void fill(PartitionFixture& log, int rounds) {
  int32_t sequence = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = std::to_string(i) + std::string(60, 'x');
    log.append_ok(test_batch({{10 * i, "k", text}}, from_producer(kPlain, ProducerEpoch(0), i)));
    log.append_ok(test_batch({{10 * i, "t", text}}, from_producer(kTransactional, ProducerEpoch(2), sequence++, true)));
    const auto end = i % 3 == 0 ? wire::ControlType::abort : wire::ControlType::commit;
    ASSERT_TRUE(log.partition->append_end_txn(end, kTransactional, ProducerEpoch(2), LeaderEpoch(0)).ok());
  }
  log.append_ok(test_batch({{10 * rounds, "o", "open"}}, from_producer(kOpen, ProducerEpoch(1), 0, true)));
  log.append_ok(test_batch("behind", 10 * rounds));
  log.flush();
}

// All that a client can find out.
struct State {
  std::vector<std::string> records;
  std::vector<std::string> committed;
  std::set<std::pair<int64_t, int64_t>> aborted;                   // producer, first offset
  std::map<int64_t, std::tuple<int, int32_t, int64_t>> producers;  // epoch, last sequence, begin of the transaction
  std::map<int64_t, int64_t> by_time;
  bool operator==(const State&) const = default;
};

State state_of(PartitionFixture& log, int rounds) {
  State out;
  out.records = log.read_all();
  out.committed = log.read_all({}, Isolation::read_committed);
  for (Offset offset; offset < log.partition->offsets().last_stable;) {
    const auto part = log.partition->read({offset, 1 << 20, true, Isolation::read_committed});
    if (!part.ok() || part->records.empty()) break;
    for (const auto& txn : part->aborted) out.aborted.emplace(txn.producer_id.value(), txn.first_offset.value());
    offset = part->next_offset;
  }
  for (const auto& [id, entry] : log.partition->producers()) {
    out.producers[id.value()] = {entry.epoch.value(), entry.last_sequence(), entry.txn_first_offset.value()};
  }
  for (int i = 0; i <= rounds; ++i) {
    const auto found = log.partition->find_timestamp(10 * i, Isolation::read_uncommitted);
    out.by_time[10 * i] = found.ok() ? found->offset.value() : -2;
  }
  return out;
}

constexpr int kRounds = 25;

struct Damage {
  const char* name;
  // nullopt: the file is gone.
  std::function<std::optional<Bytes>(const Bytes& whole, const Bytes& of_another)> apply;
};

const Damage kDamages[] = {
    {"missing", [](const Bytes&, const Bytes&) { return std::nullopt; }},
    {"empty", [](const Bytes&, const Bytes&) { return Bytes(); }},
    {"truncated", [](const Bytes& whole, const Bytes&) { return whole.substr(0, whole.size() / 2 + 1); }},
    {"zeroed", [](const Bytes& whole, const Bytes&) { return Bytes(whole.size(), '\0'); }},
    {"flipped at the start",
     [](Bytes whole, const Bytes&) {
       if (!whole.empty()) whole[0] = static_cast<char>(whole[0] ^ 0x10);
       return whole;
     }},
    {"flipped in the middle",
     [](Bytes whole, const Bytes&) {
       if (!whole.empty()) whole[whole.size() / 2] = static_cast<char>(whole[whole.size() / 2] ^ 0x04);
       return whole;
     }},
    {"flipped at the end",
     [](Bytes whole, const Bytes&) {
       if (!whole.empty()) whole.back() = static_cast<char>(whole.back() ^ 0x01);
       return whole;
     }},
    {"rubbish", [](const Bytes&, const Bytes&) { return Bytes("rubbish, and some more of it\n"); }},
    {"of another partition", [](const Bytes&, const Bytes& of_another) { return of_another; }},
};

std::vector<std::string> side_files(PartitionFixture& log) {
  std::vector<std::string> out;
  const auto names = log.env.list("/data/t-0").value();
  for (const auto& name : names) {
    if (!name.ends_with(kLogSuffix)) out.push_back(name);
  }
  return out;
}

void end(PartitionFixture& log, bool clean, RecoveryHint& hint) {
  hint.recovery_point = log.partition->recovery_point();
  if (!clean) return log.partition.reset();  // killed: what was written stays
  hint.clean_shutdown = true;
  ASSERT_TRUE(log.partition->close().ok());
  log.partition.reset();
}

TEST(SideFiles, WhicheverIsDamagedNothingIsLost) {
  for (const bool clean : {true, false}) {
    PartitionFixture other(small_segments());
    fill(other, 9);
    RecoveryHint unused;
    end(other, clean, unused);
    PartitionFixture pattern(small_segments());
    fill(pattern, kRounds);
    const State want = state_of(pattern, kRounds);
    ASSERT_EQ(want.aborted.size(), 9U);
    end(pattern, clean, unused);
    for (const std::string& name : side_files(pattern)) {
      const std::string path = "/data/t-0/" + name;
      const auto of_another = other.env.exists(path) ? other.env.read_file(path).value() : Bytes();
      for (const Damage& damage : kDamages) {
        SCOPED_TRACE(fmt::format("{}: {} is {}", clean ? "after a clean end" : "after a kill", name, damage.name));
        PartitionFixture log(small_segments());
        fill(log, kRounds);
        RecoveryHint hint;
        end(log, clean, hint);
        const auto damaged = damage.apply(log.env.read_file(path).value(), of_another);
        if (damaged) {
          ASSERT_TRUE(log.env.replace_file(path, *damaged).ok());
        } else {
          ASSERT_TRUE(log.env.remove(path).ok());
        }
        log.reopen(hint);
        if (log.partition == nullptr) continue;
        const State got = state_of(log, kRounds);
        EXPECT_EQ(got.records, want.records);
        EXPECT_EQ(got.committed, want.committed);
        EXPECT_EQ(got.aborted, want.aborted);
        EXPECT_EQ(got.producers, want.producers);
        EXPECT_EQ(got.by_time, want.by_time);
        log.close_and_reopen();
        EXPECT_EQ(state_of(log, kRounds), want) << "at the start after this one";
        // What was acknowledged is repeated, not written again; what follows is taken.
        const auto again =
            log.append(test_batch({{1, "k", "again"}}, from_producer(kPlain, ProducerEpoch(0), kRounds - 1)));
        EXPECT_TRUE(again.ok() && again->repeated);
        EXPECT_TRUE(log.append(test_batch({{1, "k", "next"}}, from_producer(kPlain, ProducerEpoch(0), kRounds))).ok());
      }
    }
  }
}

}  // namespace
}  // namespace muir::storage
