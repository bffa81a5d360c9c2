// Whoever appends, a network thread, never waits for the disk: not for its own partition's segments to be rolled, and
// not for what others make durable in the same partition.
#include <atomic>
#include <future>
#include <thread>

#include "log/internal/cleaner.h"
#include "log/internal/partition_fixture.h"
#include "testing/eventually.h"

namespace muir::storage {
namespace {

// While anything is being synced somebody else appends, enough to roll a segment, and is done before the disk is.
class SlowDisk {
 public:
  explicit SlowDisk(PartitionFixture& log) : log_(log) {
    log_.env.when_syncing([this] { sync(); });
  }
  ~SlowDisk() { log_.env.when_syncing(nullptr); }
  SlowDisk(const SlowDisk&) = delete;
  SlowDisk& operator=(const SlowDisk&) = delete;

  [[nodiscard]] int syncs() const { return syncs_; }
  [[nodiscard]] int syncs_of_appends() const { return syncs_of_appends_; }
  [[nodiscard]] int appends_that_waited() const { return waited_; }

  static void append(PartitionFixture& log, int count = 6) {
    appending_ = true;
    for (int i = 0; i < count; ++i) log.append_ok(test_batch({{log.clock.now_ms(), Bytes("key"), Bytes(200, 'v')}}));
    appending_ = false;
  }

 private:
  void sync() {
    if (appending_) {
      ++syncs_of_appends_;
      return;
    }
    ++syncs_;
    if (waited_ > 0) return;
    appends_.push_back(std::async(std::launch::async, [this] { append(log_); }));
    const auto patience = std::chrono::milliseconds(testing::kPatienceMs);
    if (appends_.back().wait_for(patience) != std::future_status::ready) ++waited_;
  }

  static thread_local bool appending_;
  PartitionFixture& log_;
  std::atomic<int> syncs_{0};
  std::atomic<int> syncs_of_appends_{0};
  std::atomic<int> waited_{0};
  std::vector<std::future<void>> appends_;  // of the thread that syncs
};

thread_local bool SlowDisk::appending_ = false;

TEST(SlowDisk, IsWaitedForByNobodyWhoAppends) {
  constexpr int64_t kRetentionMs = 1000;
  struct Row {
    const char* what;
    TopicConfig config;
    std::function<Status(PartitionFixture&)> run;
    int syncs_min;
  };
  const auto rolled = [](bool compact) {
    TopicConfig config;
    config.segment_bytes = 1000;
    config.compact = compact;
    config.remove = !compact;
    config.retention_ms = kRetentionMs;
    return config;
  };
  TopicConfig large;
  large.segment_bytes = 2 << 20;
  for (const Row& row : std::initializer_list<Row>{
           {"what was appended, and rolled, is made durable", rolled(false),
            [](PartitionFixture& log) { return log.partition->flush(); }, 2},
           {"retention rolls the active segment", rolled(false),
            [](PartitionFixture& log) {
              log.clock.advance_ms(10 * kRetentionMs);
              return log.partition->apply_retention();
            },
            1},
           {"DeleteRecords rolls the active segment", large,
            [](PartitionFixture& log) {
              for (int i = 0; i < 6000; ++i) SlowDisk::append(log, 1);
              return log.partition->delete_records_before(kNoOffset).status();
            },
            1},
           {"compaction puts a segment in the place of others", rolled(true),
            [](PartitionFixture& log) {
              MUIR_RETURN_IF_ERROR(log.partition->flush());
              return Cleaner(log.env, log.clock, {}).clean(*log.partition).status();
            },
            6},
       }) {
    SCOPED_TRACE(row.what);
    PartitionFixture log(row.config);
    const SlowDisk disk(log);
    SlowDisk::append(log, 50);
    const Offset end = log.partition->offsets().log_end;
    ASSERT_TRUE(row.run(log).ok());
    EXPECT_GE(disk.syncs(), row.syncs_min);
    EXPECT_EQ(disk.syncs_of_appends(), 0);
    EXPECT_EQ(disk.appends_that_waited(), 0);
    EXPECT_GE(log.partition->offsets().log_end, end + 6 * disk.syncs());
  }
}

}  // namespace
}  // namespace muir::storage
