#include "log/internal/cleaner.h"

#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/compacted_batch.h"
#include "log/internal/large_batch.h"

namespace muir::storage {
namespace {

// Beside its key, what an entry of the map of newest offsets takes.
constexpr size_t kEntryBytes = 72;
// A batch that expands to more is read piece by piece: to hold it would take as much memory.
constexpr size_t kUnpackedMax = size_t{16} << 20;
// Output is written in pieces of this size.
constexpr size_t kWriteBytes = 1 << 20;

}  // namespace

Result<bool> Cleaner::clean(Partition& partition) {
  Pass pass;
  pass.now_ms = clock_.now_ms();
  if (!plan(partition, pass)) return false;
  MUIR_RETURN_IF_ERROR(find_newest(pass));
  // Segments at the end that the pass could not cover are left for the next.
  std::erase_if(pass.segments, [&](const SegmentPtr& segment) { return segment->base_offset() >= pass.end; });

  const auto limit = static_cast<uint64_t>(std::min<int64_t>(pass.config->segment_bytes, INT32_MAX));
  uint64_t before = 0;
  std::vector<SegmentPtr> group;
  uint64_t group_bytes = 0;
  for (const SegmentPtr& segment : pass.segments) {
    before += segment->size_bytes();
    if (pass.staying.contains(segment->base_offset())) {
      if (!group.empty()) MUIR_RETURN_IF_ERROR(rewrite_group(partition, pass, group));
      group.clear();
      group_bytes = 0;
      pass.older_left = true;
      continue;
    }
    const bool full = group_bytes + segment->size_bytes() > limit ||
                      (!group.empty() && segment->next_offset() - group.front()->base_offset() > INT32_MAX);
    if (!group.empty() && full) {
      MUIR_RETURN_IF_ERROR(rewrite_group(partition, pass, group));
      group.clear();
      group_bytes = 0;
    }
    group.push_back(segment);
    group_bytes += segment->size_bytes();
  }
  if (!group.empty()) MUIR_RETURN_IF_ERROR(rewrite_group(partition, pass, group));
  const std::lock_guard guard(partition.mutex_);
  partition.cleaned_to_ = pass.end;
  partition.left_whole_ = std::move(pass.left_whole);
  uint64_t after = 0;
  for (const auto& [base, segment] : partition.segments_) {
    if (base < pass.end) after += segment->size_bytes();
  }
  log::info("{}: compacted up to offset {}: {} bytes before, {} after", partition.name(), pass.end, before, after);
  return true;
}

// Decides whether there is enough to do, and takes what the pass needs to know of the partition.
bool Cleaner::plan(Partition& partition, Pass& pass) const {
  const std::lock_guard guard(partition.mutex_);
  if (partition.closed_ || partition.deleted_ || !partition.failure_.ok() || !partition.config_->compact) return false;
  pass.config = partition.config_;
  pass.name = partition.name();
  pass.log_start = partition.log_start_;
  pass.dirty_from = std::max(partition.cleaned_to_, partition.log_start_);
  pass.known_whole = partition.left_whole_;
  // A record must not give way to one that a loss of power could take back.
  const Offset stable = std::min(partition.last_stable_offset(), partition.durable_);
  uint64_t clean_bytes = 0;
  uint64_t dirty_bytes = 0;
  int64_t oldest_dirty = INT64_MAX;
  for (const auto& [base, segment] : partition.segments_) {
    const bool active = base == partition.segments_.rbegin()->first;
    const bool too_young = pass.config->compaction_lag_ms_min > 0 &&
                           segment->max_timestamp() > pass.now_ms - pass.config->compaction_lag_ms_min;
    if (active || segment->next_offset() > stable || too_young) break;
    pass.segments.push_back(segment);
    pass.end = segment->next_offset();
    if (segment->next_offset() <= pass.dirty_from) {
      clean_bytes += segment->size_bytes();
    } else {
      dirty_bytes += segment->size_bytes();
      oldest_dirty = std::min(oldest_dirty, segment->first_timestamp());
    }
  }
  if (pass.segments.empty() || pass.end <= pass.dirty_from || dirty_bytes == 0) return false;
  for (const auto& [base, segment] : partition.segments_) {
    pass.aborted.insert(pass.aborted.end(), segment->aborted().begin(), segment->aborted().end());
  }
  leave_undecided(partition, pass);
  for (const auto& [id, entry] : partition.producers_.producers()) {
    if (entry.batches.empty()) {
      pass.epoch_in_marker.emplace(id, entry.epoch);
    } else {
      pass.last_of_producer.insert(entry.batches.back().last_offset);
    }
  }
  const double ratio = static_cast<double>(dirty_bytes) / static_cast<double>(dirty_bytes + clean_bytes);
  const bool overdue = pass.config->compaction_lag_ms_max != INT64_MAX &&
                       pass.now_ms - oldest_dirty > pass.config->compaction_lag_ms_max;
  return ratio > pass.config->cleanable_dirty_ratio_min || overdue;
}

bool Cleaner::is_aborted(const Pass& pass, const wire::BatchHeader& header) {
  if (!header.transactional() || header.control()) return false;
  return std::any_of(pass.aborted.begin(), pass.aborted.end(), [&](const AbortedTxn& txn) {
    return txn.producer_id == header.producer_id && txn.first_offset <= header.base_offset &&
           header.base_offset < txn.last_offset;
  });
}

// Nobody knows whether what they hold of a transaction was committed. Until somebody does, it is neither removed nor
// does it take the place of anything; and the damaged place stays beside it, which readers are carried over.
void Cleaner::leave_undecided(const Partition& partition, Pass& pass) {
  for (const auto& [listed_with, by] : partition.segments_) {
    for (const UndecidedTxn& txn : by->undecided()) {
      pass.staying.insert(listed_with);
      for (const auto& [base, segment] : partition.segments_) {
        if (txn.first_offset < segment->next_offset() && base <= txn.end_offset) pass.staying.insert(base);
      }
    }
  }
}

// First reading: the newest offset of each key in the part that has not been compacted.
Status Cleaner::find_newest(Pass& pass) const {
  wire::RecordIterator records;
  wire::Record record;
  size_t bytes = 0;
  for (const SegmentPtr& segment : pass.segments) {
    if (segment->next_offset() <= pass.dirty_from) continue;
    SegmentScan scan = segment->scan();
    while (const auto batch = MUIR_TRY(scan.next())) {
      const auto& header = batch->header();
      if (header.last_offset() < pass.dirty_from || header.control() || is_aborted(pass, header)) continue;
      const Status unpacked = records.reset(batch->view, kUnpackedMax);
      if (unpacked.code() == Code::resource_exhausted) {
        if (!MUIR_TRY(note_large(pass, batch->view, bytes))) return {};
      }
      // What cannot be read takes the place of nothing, and nothing is lost.
      if (!unpacked.ok()) continue;
      while (records.next(record)) {
        if (!record.key) continue;
        const auto [it, added] = pass.newest.try_emplace(std::string(*record.key), record.offset);
        it->second = record.offset;
        if (added) bytes += record.key->size() + kEntryBytes;
      }
      if (bytes < limits_.key_bytes_max) continue;
      pass.end = header.next_offset();
      return {};
    }
  }
  return {};
}

// The same of a batch that expands to very much. False when its keys find no room behind those before it, where the
// pass ends then.
Result<bool> Cleaner::note_large(Pass& pass, const wire::BatchView& batch, size_t& bytes) const {
  wire::RecordStream stream;
  stream.reset(batch, limits_.key_bytes_max);
  wire::RecordStream::Head head;
  // Only when the whole batch can be read does it take the place of others.
  std::unordered_map<std::string, Offset> found;
  size_t found_bytes = 0;
  while (bytes + found_bytes < limits_.key_bytes_max && stream.next(head)) {
    if (!head.key) continue;
    const auto [it, added] = found.try_emplace(std::string(*head.key), head.offset);
    it->second = head.offset;
    if (added) found_bytes += head.key->size() + kEntryBytes;
  }
  const Offset base = batch.header().base_offset;
  if (bytes + found_bytes >= limits_.key_bytes_max || stream.status().code() == Code::resource_exhausted) {
    if (base > pass.dirty_from) {
      pass.end = base;
      return false;
    }
    return muir::error(Code::resource_exhausted,
                       "{}: the batch at offset {} has more keys than find room in {} bytes, so that nothing behind it "
                       "is compacted; raise log.cleaner.dedupe.buffer.size",
                       pass.name, base, limits_.key_bytes_max);
  }
  if (!stream.status().ok()) return true;
  for (auto& [key, offset] : found) pass.newest[key] = offset;
  bytes += found_bytes;
  return true;
}

// Second reading of some neighbouring segments: what is kept goes into one new segment in their place.
Status Cleaner::rewrite_group(Partition& partition, Pass& pass, const std::vector<SegmentPtr>& group) {
  const Offset base = group.front()->base_offset();
  const std::string name = partition.folder() + "/" + segment_file(base, kLogSuffix);
  const std::string cleaned_name = name + std::string(kCleanedSuffix);
  const auto file = MUIR_TRY(env_.open(cleaned_name, OpenMode::truncate));
  wire::RecordIterator records;
  Rewritten out;
  uint64_t written = 0;
  const auto write_out = [&]() -> Status {
    MUIR_RETURN_IF_ERROR(file->write_at(written, out.bytes));
    written += out.bytes.size();
    out.bytes.clear();
    return {};
  };
  for (const SegmentPtr& segment : group) {
    SegmentScan scan = segment->scan();
    while (const auto batch = MUIR_TRY(scan.next())) {
      MUIR_RETURN_IF_ERROR(rewrite_batch(pass, batch->view, records, out));
      if (out.bytes.size() >= kWriteBytes) MUIR_RETURN_IF_ERROR(write_out());
    }
    MUIR_RETURN_IF_ERROR(keep_damage(partition, *segment, scan.damaged(), out));
  }
  MUIR_RETURN_IF_ERROR(write_out());
  MUIR_RETURN_IF_ERROR(file->sync());
  const std::string suffix = std::string(kLogSuffix) + std::string(kCleanedSuffix);
  auto cleaned = MUIR_TRY(Segment::recover(env_, partition.folder(), base,
                                           {.next_offset = group.back()->next_offset(),
                                            .durable_to = {},
                                            .index_interval_bytes = pass.config->index_interval_bytes,
                                            .now_ms = pass.now_ms,
                                            .suffix = suffix}));
  if (!cleaned->damaged().empty())
    return muir::error(Code::data_loss, "compaction of {}: segment {} cannot be read back", partition.name(), base);
  cleaned->set_next_offset(group.back()->next_offset());
  for (const SegmentPtr& segment : group) {
    for (const AbortedTxn& txn : segment->aborted()) {
      if (out.markers.contains(txn.last_offset)) cleaned->add_aborted(txn);
    }
  }
  return install(partition, group, std::move(cleaned), out.aside);
}

// What the segment lacks is told by files of their own once it is replaced: the bytes found damaged, and the offsets
// of which there are none left.
Status Cleaner::keep_damage(Partition& partition, Segment& segment, const std::vector<DamagedRange>& found,
                            Rewritten& out) {
  partition.report_damage(segment, found);
  std::vector<DamagedRange> ranges = found;
  {
    const std::lock_guard guard(partition.mutex_);
    for (const DamagedRange& range : segment.damaged()) {
      const bool known = std::find(found.begin(), found.end(), range) != found.end();
      if (range.begin == range.end && !known) ranges.push_back(range);
    }
  }
  for (const DamagedRange& range : ranges) {
    out.aside.push_back(MUIR_TRY(keep_range_aside(env_, partition.folder(), segment.file(), range)));
  }
  return {};
}

Status Cleaner::rewrite_batch(Pass& pass, const wire::BatchView& batch, wire::RecordIterator& records,
                              Rewritten& out) const {
  const auto& header = batch.header();
  if (header.base_offset >= pass.end) {
    out.bytes += batch.bytes();  // the map of keys ends before
    return {};
  }
  if (header.control()) return rewrite_marker(pass, batch, records, out);
  // As in Apache Kafka, what this pass removes still counts: the marker's horizon is for the next one to set.
  if (header.transactional()) pass.producers_with_data.insert(header.producer_id);
  std::vector<wire::Record> kept;
  int32_t seen = 0;
  bool tombstones = false;
  // Tombstones wait for their horizon, which the first pass that meets them sets; and what is left as it is before them
  // may hold an older record of their key, which would be back without them.
  const bool horizon_over = header.has_delete_horizon() && header.base_timestamp < pass.now_ms && !pass.older_left;
  const auto stays = [&](OptBytesView key, Offset offset, bool has_value) {
    if (!key || offset < pass.log_start) return false;
    const auto newest = pass.newest.find(std::string(*key));
    if (newest != pass.newest.end() && offset < newest->second) return false;
    return has_value || !horizon_over;
  };
  if (!is_aborted(pass, header)) {
    const Status unpacked = records.reset(batch, kUnpackedMax);
    if (unpacked.code() == Code::resource_exhausted) return rewrite_large(pass, batch, stays, out);
    if (!unpacked.ok()) return keep_whole(pass, batch, unpacked, out);
    wire::Record record;
    while (records.next(record)) {
      ++seen;
      if (!stays(record.key, record.offset, record.value.has_value())) continue;
      tombstones = tombstones || !record.value;
      kept.push_back(record);
    }
    if (!records.status().ok()) return keep_whole(pass, batch, records.status(), out);
  }
  return put_batch(
      pass, batch, {static_cast<int32_t>(kept.size()), seen, tombstones}, out,
      [&](std::optional<int64_t> horizon) { return append_compacted_batch(header, kept, horizon, out.bytes); });
}

Status Cleaner::rewrite_large(Pass& pass, const wire::BatchView& batch, const Stays& stays, Rewritten& out) const {
  wire::RecordStream stream;
  LargeBatch large(batch, stream, limits_.key_bytes_max);
  const Status read =
      large.decide([&](const wire::RecordStream::Head& head) { return stays(head.key, head.offset, head.has_value); });
  if (!read.ok()) return keep_whole(pass, batch, read, out);
  return put_batch(pass, batch, {large.kept(), large.seen(), large.keeps_tombstones()}, out,
                   [&](std::optional<int64_t> horizon) {
                     return large.kept() > 0 ? large.append(horizon, out.bytes)
                                             : append_compacted_batch(batch.header(), {}, horizon, out.bytes);
                   });
}

// What is written in place of a batch of which so much stays.
Status Cleaner::put_batch(const Pass& pass, const wire::BatchView& batch, const Remains& remains, Rewritten& out,
                          const std::function<Status(std::optional<int64_t> horizon)>& append) {
  const auto& header = batch.header();
  if (remains.kept == 0) {
    return pass.last_of_producer.contains(header.last_offset()) ? append(std::nullopt) : Status();
  }
  const bool new_horizon = remains.tombstones && !header.has_delete_horizon();
  if (remains.kept == remains.seen && !new_horizon) {
    out.bytes += batch.bytes();
    return {};
  }
  std::optional<int64_t> horizon;
  if (header.has_delete_horizon() && remains.tombstones) horizon = header.base_timestamp;
  if (new_horizon) horizon = pass.now_ms + pass.config->delete_retention_ms;
  return append(horizon);
}

// Of a batch that cannot be read nothing is taken away.
Status Cleaner::keep_whole(Pass& pass, const wire::BatchView& batch, const Status& why, Rewritten& out) {
  pass.older_left = true;
  pass.left_whole.insert(batch.header().base_offset);
  if (!pass.known_whole.contains(batch.header().base_offset)) {
    log::warn("{}: compaction leaves the batch at offset {} as it is, and the tombstones and markers behind it: {}",
              pass.name, batch.header().base_offset, why.message());
  }
  out.bytes += batch.bytes();
  return {};
}

// A marker stays while records of its transaction do, or may; after that, until its horizon, or while its producer is
// known by nothing else.
Status Cleaner::rewrite_marker(Pass& pass, const wire::BatchView& batch, wire::RecordIterator& records,
                               Rewritten& out) const {
  const auto& header = batch.header();
  const bool has_data = pass.producers_with_data.erase(header.producer_id) > 0;
  if (!has_data && !pass.older_left && header.has_delete_horizon() && header.base_timestamp < pass.now_ms) {
    // A producer that has nothing but markers left is known by its epoch, which fences older ones.
    const auto epoch = pass.epoch_in_marker.find(header.producer_id);
    if (epoch == pass.epoch_in_marker.end() || epoch->second != header.producer_epoch) return {};
  }
  out.markers.insert(header.base_offset);
  if (has_data || header.has_delete_horizon()) {
    out.bytes += batch.bytes();
    return {};
  }
  std::vector<wire::Record> kept;
  MUIR_RETURN_IF_ERROR(records.reset(batch));
  wire::Record record;
  while (records.next(record)) kept.push_back(record);
  MUIR_RETURN_IF_ERROR(records.status());
  return append_compacted_batch(header, kept, pass.now_ms + pass.config->delete_retention_ms, out.bytes);
}

// Puts the new segment into the place of the old ones. PartitionOpener::finish_swaps() ends what a crash interrupts
// here.
Status Cleaner::install(Partition& partition, const std::vector<SegmentPtr>& group, SegmentPtr cleaned,
                        const std::vector<Quarantined>& aside) {
  const std::string name = partition.folder() + "/" + segment_file(cleaned->base_offset(), kLogSuffix);
  const std::string cleaned_name = name + std::string(kCleanedSuffix);
  const std::string swap_name = name + std::string(kSwapSuffix);
  // Under the lock. Removes what was made when the old segments are not all there any more.
  const auto check = [&](const std::string& made) -> Status {
    const bool there = std::all_of(group.begin(), group.end(), [&](const SegmentPtr& segment) {
      const auto it = partition.segments_.find(segment->base_offset());
      return it != partition.segments_.end() && it->second == segment;
    });
    if (there && !partition.closed_ && !partition.deleted_) return {};
    if (!partition.deleted_) MUIR_RETURN_IF_ERROR(env_.remove(made));
    return muir::error(Code::aborted, "compaction of {}: the segments changed meanwhile", partition.name());
  };
  {
    const std::lock_guard guard(partition.mutex_);
    MUIR_RETURN_IF_ERROR(check(cleaned_name));
    MUIR_RETURN_IF_ERROR(env_.rename(cleaned_name, swap_name));
  }
  // Whoever appends does not wait for the disk here.
  MUIR_RETURN_IF_ERROR(env_.sync_folder(partition.folder()));
  {
    const std::lock_guard guard(partition.mutex_);
    MUIR_RETURN_IF_ERROR(check(swap_name));
    for (const SegmentPtr& segment : group) {
      std::erase(partition.unsynced_, segment);
      MUIR_RETURN_IF_ERROR(segment->remove());
      partition.segments_.erase(segment->base_offset());
    }
    MUIR_RETURN_IF_ERROR(env_.rename(swap_name, name));
    MUIR_RETURN_IF_ERROR(cleaned->seal());
    partition.segments_[cleaned->base_offset()] = cleaned;
    partition.note_quarantined(aside);
  }
  MUIR_RETURN_IF_ERROR(cleaned->sync());
  return env_.sync_folder(partition.folder());
}

}  // namespace muir::storage
