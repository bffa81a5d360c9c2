// What the log does from time to time, and what of it must not wait for the rest.
#include <gtest/gtest.h>

#include <future>

#include "base/file_fault.h"
#include "log/file_names.h"
#include "log/internal/partition_fixture.h"
#include "log/log_manager.h"
#include "testing/eventually.h"

namespace muir::storage {
namespace {

using testing::eventually;

// A disk on which compaction cannot begin to write before it is let go.
class SlowCompaction final : public Env {
 public:
  explicit SlowCompaction(Env& disk) : disk_(disk) {}

  std::promise<void> begun;
  std::promise<void> go;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (path.ends_with(kCleanedSuffix) && !std::exchange(met_, true)) {
      begun.set_value();
      go.get_future().wait();
    }
    return disk_.open(path, mode);
  }
  Result<std::vector<std::string>> list(const std::string& folder) override { return disk_.list(folder); }
  bool exists(const std::string& path) override { return disk_.exists(path); }
  Status make_folders(const std::string& path) override { return disk_.make_folders(path); }
  Status rename(const std::string& from, const std::string& to) override { return disk_.rename(from, to); }
  Status remove(const std::string& path) override { return disk_.remove(path); }
  Status remove_all(const std::string& folder) override { return disk_.remove_all(folder); }
  Status sync_folder(const std::string& folder) override { return disk_.sync_folder(folder); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return disk_.lock(path); }

 private:
  Env& disk_;
  bool met_ = false;  // by the compacting thread
};

TEST(LogHousekeeping, CheckpointsDeletionsAndRetentionDoNotWaitForCompaction) {
  FaultEnv disk;
  SlowCompaction env(disk);
  LogOptions options;
  options.folder = "/data";
  options.env = &env;
  options.housekeeping.compaction_check_ms = 1;
  options.housekeeping.checkpoint_ms = 1;
  options.housekeeping.retention_check_ms = 1;
  const auto logs = LogManager::open(options).value();
  const auto append = [&](const std::string& topic, const std::string& key) {
    const Bytes batch = test_batch({{5, key, "v"}});
    const auto partition = logs->find_partition(topic, PartitionId(0));
    ASSERT_TRUE(partition->append(*wire::BatchView::parse(batch)).ok());
    ASSERT_TRUE(partition->flush().ok());
  };
  ASSERT_TRUE(logs->create_topic("t", 1, {{"retention.bytes", "1"}, {"segment.bytes", "100"}}).ok());
  ASSERT_TRUE(logs->create_topic("gone", 1, {}).ok());
  ASSERT_TRUE(
      logs->create_topic("compacted", 1,
                         {{"cleanup.policy", "compact"}, {"segment.bytes", "100"}, {"min.cleanable.dirty.ratio", "0"}})
          .ok());
  for (int i = 0; i < 5; ++i) append("compacted", "k");
  env.begun.get_future().wait();
  for (int i = 0; i < 5; ++i) append("t", "k");
  EXPECT_TRUE(eventually([&] {
    const auto text = disk.read_file("/data/recovery-point-offset-checkpoint");
    return text.ok() && text->find("t 0 5\n") != std::string::npos;
  }));
  EXPECT_TRUE(eventually([&] { return logs->find_partition("t", PartitionId(0))->size().segments == 1; }));
  ASSERT_TRUE(logs->delete_topic("gone").ok());
  EXPECT_TRUE(eventually([&] {
    const auto names = disk.list("/data").value();
    return std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.starts_with("gone"); });
  }));
  env.go.set_value();
  EXPECT_TRUE(logs->close().ok());
}

// Below the recovery point, after a clean end, where no consumer has come by.
TEST(LogHousekeeping, ChangedBytesOfSealedSegmentsAreFoundAndReportedAfterAStart) {
  FaultEnv disk;
  LogOptions options;
  options.folder = "/data";
  options.env = &disk;
  auto logs = LogManager::open(options).value();
  ASSERT_TRUE(logs->create_topic("t", 1, {{"segment.bytes", "200"}}).ok());
  for (int i = 0; i < 10; ++i) {
    const Bytes batch = test_batch({{5, "k", Bytes(100, 'v')}});
    ASSERT_TRUE(logs->find_partition("t", PartitionId(0))->append(*wire::BatchView::parse(batch)).ok());
  }
  ASSERT_TRUE(logs->close().ok());
  logs.reset();
  {
    const auto file = disk.open("/data/t-0/" + segment_file(Offset(4), kLogSuffix), OpenMode::read_write).value();
    ASSERT_TRUE(file->write_at(file->size().value() - 20, "x").ok());
  }
  for (const int64_t rate : {0, 1 << 30}) {
    options.housekeeping.verify_bytes_per_second = rate;
    logs = LogManager::open(options).value();
    if (rate > 0) {
      EXPECT_TRUE(testing::eventually([&] { return logs->damage().offsets == 1; }));
      EXPECT_TRUE(disk.exists("/data/t-0/" + segment_file(Offset(4), kDamagedSuffix))) << "for the next start";
    } else {
      EXPECT_EQ(logs->damage().ranges, 0u) << "not read";
    }
    const auto partition = logs->find_partition("t", PartitionId(0));
    EXPECT_EQ(partition->offsets().log_end, Offset(10));
    ASSERT_TRUE(logs->close().ok());
    logs.reset();
  }
}

// Before the first checkpoint: only the folder tells that there was a log.
TEST(LogHousekeeping, ALogWhoseOnlySegmentIsGoneIsReportedAtTheStart) {
  for (const bool clean : {true, false}) {
    SCOPED_TRACE(clean ? "after a clean end" : "after a kill");
    FaultEnv disk;
    LogOptions options;
    options.folder = "/data";
    options.env = &disk;
    auto logs = LogManager::open(options).value();
    ASSERT_TRUE(logs->create_topic("t", 1, {}).ok());
    const Bytes batch = test_batch({{5, "k", "v"}});
    const auto partition = logs->find_partition("t", PartitionId(0));
    ASSERT_TRUE(partition->append(*wire::BatchView::parse(batch)).ok());
    ASSERT_TRUE(partition->flush().ok());
    if (clean) {
      ASSERT_TRUE(logs->close().ok());
    } else {
      disk.fail_writes_after(0);  // what the end would write
    }
    logs.reset();
    if (!clean) disk.crash(1);
    ASSERT_TRUE(disk.remove("/data/t-0/" + segment_file(Offset(0), kLogSuffix)).ok());
    logs = LogManager::open(options).value();
    EXPECT_EQ(logs->damage().offsets, 1u);
    EXPECT_GE(logs->find_partition("t", PartitionId(0))->offsets().log_end, Offset(1)) << "none is given out again";
  }
}

}  // namespace
}  // namespace muir::storage
