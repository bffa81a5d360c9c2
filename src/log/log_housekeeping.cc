// What the log does beside reading and writing: deleting records, retention, compaction, checkpoints.
#include <pthread.h>

#include <algorithm>
#include <future>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/cleaner.h"
#include "log/log_manager.h"

namespace muir::storage {

namespace {

// What the reserve is, at least, for each partition: it stands in six files, with its topic's name.
constexpr uint64_t kReserveBytesOfPartition = 512;

}  // namespace

void LogManager::fill_reserve() {
  if (options_.reserve_bytes == 0) return;
  uint64_t partitions = 0;
  for (const TopicPtr& topic : topics()) partitions += topic->partitions.size();
  reserve_.fill(std::max(options_.reserve_bytes, partitions * kReserveBytesOfPartition));
}

// What frees space, or says what has been freed: it may use the space that is kept for it.
Status LogManager::write_on_full_disk(const std::function<Status()>& write) {
  Status status = write();
  if (status.code() != Code::resource_exhausted || !reserve_.give_up()) return status;
  log::warn("{}; it is written in the space of {}, which is kept for this", status.message(), path(kReserve));
  return write();
}

void LogManager::delete_records(std::vector<RecordDeletion>& deletions) {
  // A log that lost its end could not begin behind it.
  std::vector<std::promise<Status>> durable(deletions.size());
  for (size_t i = 0; i < deletions.size(); ++i) {
    Partition& partition = *deletions[i].partition;
    partition.when_durable(partition.offsets().log_end,
                           [&one = durable[i]](const Status& status) { one.set_value(status); });
  }
  bool any = false;
  for (size_t i = 0; i < deletions.size(); ++i) {
    RecordDeletion& deletion = deletions[i];
    deletion.status = durable[i].get_future().get();
    if (!deletion.status.ok()) continue;
    deletion.status = write_on_full_disk([&]() -> Status {
      deletion.start = MUIR_TRY(deletion.partition->delete_records_before(deletion.before));
      return {};
    });
    any = any || deletion.status.ok();
  }
  if (!any) return;
  const Status saved = write_on_full_disk([this] { return save_checkpoints(); });
  fill_reserve();
  if (saved.ok()) return;
  log::error("records were deleted, but {}: after a crash some of them may be back", saved.message());
  for (RecordDeletion& deletion : deletions) {
    if (deletion.status.ok()) deletion.status = saved;
  }
}

Status LogManager::save_checkpoints() {
  const std::lock_guard guard(checkpoint_mutex_);
  OffsetCheckpoint recovery;
  OffsetCheckpoint starts;
  OffsetCheckpoint cleaned;
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      recovery[{topic->name, partition->index()}] = partition->recovery_point();
      const Offset start = partition->offsets().log_start;
      if (start > Offset(0)) starts[{topic->name, partition->index()}] = start;
      if (topic->config->compact) cleaned[{topic->name, partition->index()}] = partition->cleaned_to();
    }
  }
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kCheckpoints), encode_checkpoints({recovery, starts, cleaned})));
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kRecoveryPoints), encode_offset_checkpoint(recovery)));
  MUIR_RETURN_IF_ERROR(env_.replace_file(path(kCleaned), encode_offset_checkpoint(cleaned)));
  return env_.replace_file(path(kLogStarts), encode_offset_checkpoint(starts));
}

Status LogManager::apply_retention() {
  Status first;
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      partition->expire_producers(options_.housekeeping.producer_expiration_ms);
      const Status status = write_on_full_disk([&] { return partition->apply_retention(); });
      if (first.ok()) first = status;
    }
  }
  fill_reserve();
  return first;
}

Result<int> LogManager::compact() {
  CleanerLimits limits;
  limits.key_bytes_max = static_cast<size_t>(std::max<int64_t>(options_.housekeeping.compaction_key_bytes_max, 1));
  int count = 0;
  uint64_t failures = 0;
  Status first;
  const int64_t began_us = clock_.steady_us();
  for (const TopicPtr& topic : topics()) {
    if (!topic->config->compact) continue;
    for (const auto& partition : topic->partitions) {
      const auto cleaned = Cleaner(env_, clock_, limits).clean(*partition);
      if (cleaned.ok() && *cleaned) ++count;
      if (!cleaned.ok()) ++failures;
      if (first.ok()) first = cleaned.status();
    }
  }
  metrics_.cleaned(clock_.steady_us() - began_us, static_cast<uint64_t>(count), failures);
  if (!first.ok()) return first;
  return count;
}

void LogManager::remove_deleted_folders() {
  const auto names = env_.list(options_.folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!is_deleted_folder(name)) continue;
    {  // thousands of them take a while, which nobody who closes waits for: the next start goes on
      const std::lock_guard lock(housekeeping_mutex_);
      if (stopping_) return;
    }
    if (const Status status = env_.remove_all(path(name)); !status.ok()) log::warn("{}", status.message());
  }
}

namespace {

// Longer is never, and must not overflow when it is added to now.
int64_t bounded(int64_t ms) { return std::min<int64_t>(ms, INT64_MAX / 4); }

void complain(std::string_view what, const Status& status) {
  if (!status.ok()) log::warn("{}: {}", what, status.message());
}

}  // namespace

// Until `time_ms`, or somebody wakes all; false when it is time to end.
bool LogManager::sleep_until(int64_t time_ms) {
  std::unique_lock lock(housekeeping_mutex_);
  const int64_t wait_ms = std::clamp<int64_t>(time_ms - clock_.steady_ms(), 1, 60'000);
  if (!stopping_) housekeeping_wake_.wait_for(lock, std::chrono::milliseconds(wait_ms));
  return !stopping_;
}

void LogManager::housekeeping() {
  pthread_setname_np(pthread_self(), "muir-logs");
  const int64_t retention_ms = bounded(options_.housekeeping.retention_check_ms);
  const int64_t checkpoint_ms = bounded(options_.housekeeping.checkpoint_ms);
  int64_t next_retention = clock_.steady_ms() + std::min<int64_t>(retention_ms, 30'000);
  int64_t next_checkpoint = clock_.steady_ms() + checkpoint_ms;
  remove_deleted_folders();  // what the end before left; a start does not wait for it
  while (sleep_until(std::min(next_retention, next_checkpoint))) {
    remove_deleted_folders();
    fill_reserve();
    const int64_t now = clock_.steady_ms();
    if (now >= next_retention) {
      complain("retention", apply_retention());
      next_retention = now + retention_ms;
    }
    if (now >= next_checkpoint) {
      complain("checkpoints", save_checkpoints());
      next_checkpoint = now + checkpoint_ms;
    }
  }
}

// A start looks at sizes, indexes and seals of what was on the disk, and at nothing else: to read it all takes hours.
// So that bytes that have changed are not first met by a consumer in a year, they are read once, slowly.
void LogManager::verify_once() {
  pthread_setname_np(pthread_self(), "muir-verify");
  constexpr int64_t kPieceBytes = 1 << 20;
  const int64_t rate = options_.housekeeping.verify_bytes_per_second;
  const int64_t began_ms = clock_.steady_ms();
  int64_t due_ms = began_ms;
  int64_t piece = 0;
  int64_t total = 0;
  const auto goes_on = [&](size_t bytes) {
    total += static_cast<int64_t>(bytes);
    piece += static_cast<int64_t>(bytes);
    if (piece < kPieceBytes) return true;
    due_ms += std::exchange(piece, 0) * 1000 / rate;
    while (clock_.steady_ms() < due_ms) {
      if (!sleep_until(due_ms)) return false;
    }
    return true;
  };
  for (const TopicPtr& topic : topics()) {
    for (const auto& partition : topic->partitions) {
      const auto all = partition->verify(goes_on);
      if (!all.ok()) complain("verification of " + partition->name(), all.status());
      if (all.ok() && !*all) return;
    }
  }
  if (total == 0) return;
  const Damage found = damage();
  log::info("{} bytes of sealed segments were verified in {} ms; {} damaged places are known", total,
            clock_.steady_ms() - began_ms, found.ranges);
}

// On a thread of its own: a pass over much data takes minutes, and retention and checkpoints do not wait for it.
void LogManager::compact_from_time_to_time() {
  pthread_setname_np(pthread_self(), "muir-compact");
  const int64_t every_ms = bounded(options_.housekeeping.compaction_check_ms);
  for (int64_t next = clock_.steady_ms() + every_ms; sleep_until(next);) {
    const int64_t now = clock_.steady_ms();
    if (now < next) continue;
    complain("compaction", compact().status());
    next = now + every_ms;
  }
}

}  // namespace muir::storage
