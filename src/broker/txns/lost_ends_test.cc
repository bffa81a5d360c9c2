// Transactions whose markers are damaged beyond repair in a segment that nobody had sealed: what was decided stands in
// __transaction_state, and holds.
#include "broker/txns/lost_ends.h"

#include "broker/internal/core_fixture.h"
#include "wire/batch_builder.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

class LostEnds : public CoreFixture {
 protected:
  LostEnds() {
    core_.reset();
    config_.clock = &clock_;
    start();
    producer_ = init("txn");
  }
  ~LostEnds() override { core_.reset(); }  // before the clock

  [[nodiscard]] std::shared_ptr<storage::Partition> partition(const std::string& topic, int index) {
    return core_->context().logs->find_partition(topic, PartitionId(index));
  }

  // A transaction of one record in t-1 and an offset of the group.
  void transaction(int64_t offset, bool commits) {
    clock_.advance_ms(1000);
    ASSERT_TRUE(testing::eventually([&] { return add_partition("txn", producer_) == ErrorCode::none; }));
    wire::BatchBuilder batch({.producer_id = ProducerId(producer_.producer_id),
                              .producer_epoch = ProducerEpoch(producer_.producer_epoch),
                              .base_sequence = sequence_++,
                              .transactional = true});
    batch.add(5, "k", "v");
    const Bytes bytes = batch.build();
    ASSERT_TRUE(partition("t", 1)->append(*wire::BatchView::parse(bytes)).ok());
    ASSERT_EQ(commit_in_txn("txn", producer_, offset), ErrorCode::none);
    clock_.advance_ms(1000);
    ASSERT_EQ(end("txn", producer_, commits), ErrorCode::none);
    // Until its markers are written.
    ASSERT_TRUE(testing::eventually([&] {
      for (const auto& p : {partition("t", 1), partition(kConsumerOffsets, 0)}) {
        const auto offsets = p->offsets();
        if (offsets.last_stable != offsets.log_end || p->recovery_point() != offsets.log_end) return false;
      }
      return true;
    }));
  }

  // Writes zeros over the markers with these places among all of the folder's, and makes it look as if the broker had
  // been killed: of what is written at the end, nothing is there.
  void kill_and_lose_markers(const std::vector<size_t>& which) {
    core_.reset();
    ASSERT_TRUE(env_.remove("/data/.kafka_cleanshutdown").ok());
    for (const std::string folder : {"/data/t-1", "/data/__consumer_offsets-0"}) {
      const std::vector<std::string> names = env_.list(folder).value();
      for (const std::string& name : names) {
        const std::string path = folder + "/" + name;
        if (name.ends_with(".log")) {
          lose_markers(path, which);
        } else if (name.ends_with(".seal") || name.ends_with("index") || name.ends_with(".snapshot")) {
          ASSERT_TRUE(env_.remove(path).ok());
        }
      }
    }
    start();
  }
  void lose_markers(const std::string& path, const std::vector<size_t>& which) {
    const Bytes bytes = env_.read_file(path).value();
    const auto file = env_.open(path, OpenMode::read_write).value();
    wire::BatchReader batches(bytes);
    uint64_t at = 0;
    size_t place = 0;
    while (const auto batch = batches.next().value()) {
      const size_t size = batch->bytes().size();
      if (batch->header().control() && std::find(which.begin(), which.end(), place++) != which.end()) {
        ASSERT_TRUE(file->write_at(at, Bytes(size, '\0')).ok());
      }
      at += size;
    }
  }

  // Whether each of the transactions' records in t-1 is shown to a consumer of committed ones.
  std::vector<bool> shown() {
    std::vector<bool> out;
    const auto log = partition("t", 1);
    for (Offset at; at < log->offsets().last_stable;) {
      const auto read = log->read({at, 1, true, storage::Isolation::read_committed});
      EXPECT_TRUE(read.ok()) << read.status().to_string();
      const auto header = wire::parse_batch_header_only(read->records).value();
      const bool aborted = std::any_of(read->aborted.begin(), read->aborted.end(), [&](const storage::AbortedTxn& txn) {
        return txn.first_offset <= header.base_offset;
      });
      if (!header.control() && header.record_count > 0) out.push_back(!aborted);
      at = header.next_offset();
    }
    EXPECT_EQ(log->offsets().last_stable, log->offsets().log_end);
    return out;
  }

  ManualClock clock_{1'700'000'000'000};
  wire::InitProducerIdResponse producer_;
  int32_t sequence_ = 0;
};

TEST_F(LostEnds, AreWhatTheCoordinatorHadDecided) {
  constexpr int64_t kBefore = 1;  // the group's offset
  struct Case {
    const char* name;
    std::vector<bool> commits;  // the transactions, in order
    std::vector<size_t> lost;   // whose markers
    std::vector<bool> shown;
    int64_t offset;  // 10 by the first transaction, 11 by the second...
    uint64_t undecided;
  };
  const Case cases[] = {
      {"a commit", {true}, {0}, {true}, 10, 0},
      {"an abort", {false}, {0}, {false}, kBefore, 0},
      {"a commit before an abort", {true, false}, {0}, {true, false}, 10, 0},
      {"an abort before a commit", {false, true}, {0}, {false, true}, 11, 0},
      {"a commit behind an abort", {false, true}, {1}, {false, true}, 11, 0},
      {"an abort behind a commit", {true, false}, {1}, {true, false}, 10, 0},
      {"an abort between commits", {true, false, true}, {1}, {true, false, true}, 12, 0},
      {"two commits", {true, true, false}, {0, 1}, {true, true, false}, 11, 0},
  };
  int number = 0;
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    if (number++ > 0) {  // a fresh disk
      core_.reset();
      ASSERT_TRUE(env_.remove_all("/data").ok());
      sequence_ = 0;
      start();
      ASSERT_TRUE(core_->context().logs->create_topic("t", 2, {}).ok());
      ASSERT_TRUE(testing::eventually([&] { return commit(kBefore) == ErrorCode::none; }));
      ASSERT_TRUE(testing::eventually([&] { return (producer_ = init("txn")).error_code == ErrorCode::none; }));
    }
    int64_t offset = 10;
    for (const bool commits : row.commits) transaction(offset++, commits);
    kill_and_lose_markers(row.lost);
    for (const bool again : {false, true}) {
      if (again) restart();
      EXPECT_EQ(shown(), row.shown) << again;
      EXPECT_EQ(committed(), row.offset) << again;
      EXPECT_EQ(partition("t", 1)->damage().undecided, row.undecided);
      EXPECT_EQ(partition(kConsumerOffsets, 0)->damage().undecided, row.undecided);
    }
    transaction(90, true);  // it goes on
    EXPECT_EQ(committed(), 90);
  }
}

// Without what the coordinator wrote down, nothing aborted is shown, no offset that may not count counts, and nothing
// waits.
TEST_F(LostEnds, StayUndecidedWhenTheCoordinatorsTopicIsLostToo) {
  transaction(10, true);
  core_.reset();
  ASSERT_TRUE(env_.remove("/data/__transaction_state-0/00000000000000000000.log").ok());
  start();
  core_.reset();
  start();
  kill_and_lose_markers({0});
  EXPECT_EQ(shown(), (std::vector<bool>{false}));
  EXPECT_EQ(committed(), 1);
  EXPECT_EQ(partition("t", 1)->damage().undecided, 1u);
}

}  // namespace
}  // namespace muir::broker
