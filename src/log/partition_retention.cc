// Removing old records: retention by time and size, DeleteRecords, expiry of producers.
#include "base/log.h"
#include "log/file_names.h"
#include "log/kafka_error.h"
#include "log/partition.h"

namespace muir::storage {

Result<Offset> Partition::delete_records_before(Offset offset) {
  std::unique_lock guard(mutex_);
  MUIR_RETURN_IF_ERROR(usable());
  if (offset == kNoOffset) offset = high_watermark_;
  if (offset < Offset(0) || offset > high_watermark_) {
    return kafka_error(wire::ErrorCode::offset_out_of_range,
                       "delete records of {}: offset {} is above the high watermark {}", name(), offset,
                       high_watermark_);
  }
  if (offset > log_start_) log_start_ = offset;
  // The newest segment cannot go while it is written to; nor does it while there is little to gain.
  constexpr uint64_t kWorthRolling = 1 << 20;
  if (log_start_ >= active().next_offset() && active().size_bytes() >= kWorthRolling) {
    MUIR_RETURN_IF_ERROR(roll_before_removal(guard));
  }
  MUIR_RETURN_IF_ERROR(remove_segments_below(log_start_, "deleted records"));
  return log_start_;
}

// The new segment's name is on the disk before the old one's is gone: a folder without any has lost its log. Whoever
// appends does not wait for that.
Status Partition::roll_before_removal(std::unique_lock<std::mutex>& guard) {
  MUIR_RETURN_IF_ERROR(roll());
  guard.unlock();
  const Status synced = env_.env->sync_folder(folder_);
  guard.lock();
  MUIR_RETURN_IF_ERROR(usable());
  return synced;
}

// Removes segments that lie wholly below `offset`; the active one stays.
Status Partition::remove_segments_below(Offset offset, std::string_view why) {
  while (segments_.size() > 1 && segments_.begin()->second->next_offset() <= offset) {
    const SegmentPtr segment = segments_.begin()->second;
    std::erase(unsynced_, segment);
    log::info("{}: segment {} removed: {}", name(), segment->base_offset(), why);
    MUIR_RETURN_IF_ERROR(segment->remove());
    MUIR_RETURN_IF_ERROR(env_.env->remove(folder_ + "/" + segment_file(segment->base_offset(), kSnapshotSuffix)));
    segments_.erase(segments_.begin());
  }
  if (log_start_ < segments_.begin()->first) log_start_ = segments_.begin()->first;
  return {};
}

Status Partition::apply_retention() {
  std::unique_lock guard(mutex_);
  if (closed_ || deleted_ || !failure_.ok()) return {};
  MUIR_RETURN_IF_ERROR(remove_segments_below(log_start_, "below the log start offset"));
  if (!config_->remove) return {};
  const int64_t now = env_.clock->now_ms();
  const auto expired = [&](const Segment& segment) {
    const int64_t newest = segment.max_timestamp() >= 0 ? segment.max_timestamp() : segment.first_timestamp();
    return config_->retention_ms >= 0 && (!segment.empty() || &segment != &active()) &&
           now - newest > config_->retention_ms;
  };
  // On a full disk the others go all the same.
  Status rolled;
  if (expired(active()) && active().next_offset() <= high_watermark_) rolled = roll_before_removal(guard);
  if (closed_ || deleted_) return {};
  while (segments_.size() > 1 && segments_.begin()->second->next_offset() <= high_watermark_ &&
         expired(*segments_.begin()->second)) {
    MUIR_RETURN_IF_ERROR(remove_segments_below(segments_.begin()->second->next_offset(), "older than retention.ms"));
  }
  if (config_->retention_bytes < 0) return rolled;
  uint64_t total = 0;
  for (const auto& [base, segment] : segments_) total += segment->size_bytes();
  while (segments_.size() > 1 && segments_.begin()->second->next_offset() <= high_watermark_) {
    const uint64_t oldest = segments_.begin()->second->size_bytes();
    if (total < static_cast<uint64_t>(config_->retention_bytes) + oldest) break;
    total -= oldest;
    MUIR_RETURN_IF_ERROR(remove_segments_below(segments_.begin()->second->next_offset(), "above retention.bytes"));
  }
  return rolled;
}

void Partition::expire_producers(int64_t producer_expiration_ms) {
  const std::lock_guard guard(mutex_);
  producers_.expire(env_.clock->now_ms() - producer_expiration_ms);
}

}  // namespace muir::storage
