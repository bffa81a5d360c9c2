#include "log/internal/segment.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/checkpoint.h"
#include "log/internal/quarantine.h"

namespace muir::storage {

Segment::Segment(Env& env, std::string folder, Offset base_offset, std::unique_ptr<File> file, int64_t now_ms)
    : env_(&env),
      folder_(std::move(folder)),
      base_offset_(base_offset),
      file_(std::move(file)),
      created_ms_(now_ms),
      next_offset_(base_offset),
      offset_index_(base_offset),
      time_index_(base_offset) {}

std::string Segment::path(std::string_view suffix) const { return folder_ + "/" + segment_file(base_offset_, suffix); }

Result<std::shared_ptr<Segment>> Segment::create(Env& env, const std::string& folder, Offset base_offset,
                                                 int64_t now_ms) {
  auto file = MUIR_TRY(env.open(folder + "/" + segment_file(base_offset, kLogSuffix), OpenMode::truncate));
  return std::shared_ptr<Segment>(new Segment(env, folder, base_offset, std::move(file), now_ms));
}

Result<std::shared_ptr<Segment>> Segment::open(Env& env, const std::string& folder, Offset base_offset,
                                               std::optional<Offset> next_offset, int64_t index_interval_bytes,
                                               int64_t now_ms) {
  auto file = MUIR_TRY(env.open(folder + "/" + segment_file(base_offset, kLogSuffix), OpenMode::read_write));
  std::shared_ptr<Segment> out(new Segment(env, folder, base_offset, std::move(file), now_ms));
  out->size_ = MUIR_TRY(out->file_->size());
  out->load_stored();
  MUIR_RETURN_IF_ERROR(out->load_indexes());
  MUIR_RETURN_IF_ERROR(out->check_seal());
  out->aborted_ = out->evidence_.aborted;
  out->apply_listed();
  if (out->size_ > 0) {
    const Bytes first = MUIR_TRY(out->file_->read_exactly(0, std::min<uint64_t>(out->size_, wire::kBatchHeaderBytes)));
    // Damaged, it is skipped like any other; the segment then counts as made now.
    if (const auto header = wire::parse_batch_header_only(first); header.ok()) {
      out->first_timestamp_ = header->max_timestamp;
    }
  }
  if (!out->time_index_.entries().empty()) {
    const auto& last = out->time_index_.entries().back();
    out->max_timestamp_ = last.timestamp;
    out->max_timestamp_offset_ = base_offset + last.relative_offset;
  }
  MUIR_RETURN_IF_ERROR(out->check_against_log());
  if (next_offset) {
    out->next_offset_ = *next_offset;
    out->sealed_ = true;
    out->indexes_loaded_ = false;
    out->offset_index_ = OffsetIndex(base_offset);
    out->time_index_ = TimeIndex(base_offset);
  } else {
    MUIR_RETURN_IF_ERROR(out->scan_tail(index_interval_bytes));
  }
  return out;
}

// What an earlier life has left beside the log. None of it is needed to open the segment by reading all of it.
void Segment::load_stored() {
  if (const auto text = env_->read_file(path(kSealSuffix)); text.ok()) {
    if (const auto seal = decode_seal(*text); seal.ok()) {
      stored_seal_ = *seal;
      seal_saved_ = *text;
    }
  }
  if (const auto text = env_->read_file(path(kDamagedSuffix)); text.ok()) {
    if (auto known = decode_damage(*text); known.ok()) {
      damaged_ = std::exchange(known->ranges, {});
      listed_ = *std::move(known);
    } else {
      log::warn("{} is ignored: {}", path(kDamagedSuffix), known.status().message());
    }
  }
  const auto stored = env_->read_file(path(kTxnIndexSuffix));
  const BytesView bytes = stored.ok() ? BytesView(*stored) : BytesView();
  auto aborted = decode_txn_index(bytes);
  if (!aborted.ok()) return;
  evidence_.aborted = *std::move(aborted);
  // Sealed before they were known to be committed.
  std::erase_if(evidence_.aborted,
                [&](const AbortedTxn& txn) { return was_committed(txn.producer_id, txn.first_offset); });
  if (stored_seal_ && FileSum::of(bytes) == stored_seal_->txn_index) evidence_.complete_to = stored_seal_->next_offset;
}

// The sizes and checksums of an untouched segment's files.
Status Segment::check_seal() {
  if (size_ == 0 && !stored_seal_ && !env_->exists(path(kSealSuffix))) return {};
  const auto sum = [&](std::string_view suffix) -> Result<FileSum> {
    if (suffix == kTxnIndexSuffix && !env_->exists(path(suffix))) return FileSum::of({});
    return FileSum::of(MUIR_TRY(env_->read_file(path(suffix))));
  };
  if (!stored_seal_) return muir::error(Code::data_loss, "{}: missing or damaged", path(kSealSuffix));
  const std::pair<std::string_view, FileSum> files[] = {{kIndexSuffix, stored_seal_->index},
                                                        {kTimeIndexSuffix, stored_seal_->time_index},
                                                        {kTxnIndexSuffix, stored_seal_->txn_index}};
  for (const auto& [suffix, expected] : files) {
    const FileSum found = MUIR_TRY(sum(suffix));
    if (found == expected) continue;
    log::warn("{} is not as it was written ({} bytes, not {}); it is built anew from the log", path(suffix),
              found.bytes, expected.bytes);
    return muir::error(Code::data_loss, "{}: not as it was written", path(suffix));
  }
  if (size_ != stored_seal_->log_bytes)
    return muir::error(Code::data_loss, "{}: {} bytes, not {}", path(kLogSuffix), size_, stored_seal_->log_bytes);
  return {};
}

// Index files have no checksums, and two of them decide what is removed and what is shown: the largest timestamp, and
// the transactions that were aborted. Both name batches, which must be what they say.
Status Segment::check_against_log() const {
  if (!time_index_.entries().empty()) {
    const auto newest = header_ending_at(max_timestamp_offset_);
    if (!newest.ok() || newest->max_timestamp != max_timestamp_)
      return muir::error(Code::data_loss, "{}: the last entry is not of the log", path(kTimeIndexSuffix));
  }
  for (const AbortedTxn& txn : aborted_) {
    const bool lost = std::any_of(damaged_.begin(), damaged_.end(), [&](const DamagedRange& range) {
      return range.first_offset <= txn.last_offset && txn.last_offset < range.next_offset;
    });
    if (lost) continue;
    const auto marker = header_ending_at(txn.last_offset);
    if (!marker.ok() || !marker->control() || marker->producer_id != txn.producer_id ||
        txn.first_offset > txn.last_offset)
      return muir::error(Code::data_loss, "{}: an entry is not of the log", path(kTxnIndexSuffix));
  }
  return {};
}

Result<wire::BatchHeader> Segment::header_ending_at(Offset offset) const {
  for (uint64_t at = offset_index_.floor_position(offset); at + wire::kBatchHeaderBytes <= size_;) {
    if (const auto damage = damage_at(at)) {
      at = damage->end;
      continue;
    }
    const Bytes bytes = MUIR_TRY(file_->read_exactly(at, wire::kBatchHeaderBytes));
    const auto header = wire::parse_batch_header_only(bytes);
    if (!header.ok() || header->last_offset() > offset) break;
    if (header->last_offset() == offset) return header;
    at += header->size_bytes();
  }
  return muir::error(Code::data_loss, "{}: no batch ends with offset {}", path(kLogSuffix), offset);
}

// Finds the end of the log behind the last index entry.
Status Segment::scan_tail(int64_t index_interval_bytes) {
  const auto entry = offset_index_.floor_entry(Offset(INT64_MAX / 2));
  const uint32_t from = entry ? entry->position : 0;
  SegmentScan tail = scan(from);
  bool first = true;
  while (const auto batch = MUIR_TRY(tail.next())) {
    if (first && entry && batch->header().last_offset() != base_offset_ + entry->relative_offset)
      return muir::error(Code::data_loss, "{}: the last entry is not of the log", path(kIndexSuffix));
    first = false;
    next_offset_ = batch->header().next_offset();
    if (batch->position != from || from == 0) index(batch->header(), batch->position, index_interval_bytes);
  }
  if (!tail.damaged().empty() || (first && from > 0)) {
    return muir::error(Code::data_loss, "{}: damaged behind byte {}", path(kLogSuffix), from);
  }
  return {};
}

SegmentScan Segment::scan(uint64_t begin) const {
  // While the newest segment is being opened, its end is not known.
  const bool ends = next_offset_ > base_offset_;
  return {*file_, begin, size_, {base_offset_, base_offset_, ends ? next_offset_ : kNoOffset, ends}};
}

Result<std::shared_ptr<Segment>> Segment::recover(Env& env, const std::string& folder, Offset base_offset,
                                                  const Recovery& how) {
  auto file = MUIR_TRY(env.open(folder + "/" + segment_file(base_offset, how.suffix), OpenMode::read_write));
  std::shared_ptr<Segment> out(new Segment(env, folder, base_offset, std::move(file), how.now_ms));
  out->size_ = MUIR_TRY(out->file_->size());
  const bool newest = how.next_offset == kNoOffset;
  if (how.suffix == kLogSuffix) out->load_stored();
  SegmentScan scan(*out->file_, 0, out->size_, {base_offset, base_offset, how.next_offset, !newest});
  while (const auto batch = MUIR_TRY(scan.next())) {
    out->index(batch->header(), batch->position, how.index_interval_bytes);
    out->next_offset_ = batch->header().next_offset();
  }
  const auto known = std::exchange(out->damaged_, scan.damaged());
  if (out->damaged_.empty() || out->damaged_.back().end < out->size_ || !newest) {
    out->keep_lost(known);
    return out;
  }
  DamagedRange& tail = out->damaged_.back();
  // The seal was written when everything before it was on the disk.
  const Offset durable_to = std::max(how.durable_to, out->stored_seal_ ? out->stored_seal_->next_offset : Offset());
  if (tail.first_offset < durable_to) {
    // A number that is far off comes from a file without a checksum.
    if (durable_to - tail.first_offset <= INT32_MAX) tail.next_offset = durable_to;
    return out;
  }
  MUIR_RETURN_IF_ERROR(out->cut_unfinished(tail.begin));
  out->damaged_.pop_back();
  return out;
}

// Records whose bytes are gone leave no trace in the file. They are missing until a whole file is back.
void Segment::keep_lost(const std::vector<DamagedRange>& known) {
  for (const DamagedRange& range : known) {
    if (range.begin != range.end) continue;
    if (range.next_offset <= base_offset_)
      damaged_.insert(damaged_.begin(), range);
    else if (range.begin == size_ && range.first_offset >= next_offset_)
      damaged_.push_back(range);
  }
}

// A batch that is there from its first to its last byte may have been more than an unfinished write: its bytes are
// kept.
Status Segment::cut_unfinished(uint64_t begin) {
  cut_bytes_ = size_ - begin;
  const Bytes front = MUIR_TRY(file_->read_exactly(begin, std::min<uint64_t>(cut_bytes_, wire::kBatchHeaderBytes)));
  const auto header = wire::parse_batch_header_only(front);
  if (header.ok() && header->base_offset == next_offset_ && header->size_bytes() <= cut_bytes_)
    MUIR_RETURN_IF_ERROR(keep_aside(*env_, folder_, next_offset_, *file_, begin, size_));
  size_ = begin;
  return trim();
}

std::optional<DamagedRange> Segment::damage_at(uint64_t position) const {
  for (const DamagedRange& range : damaged_) {
    if (range.begin <= position && position < range.end) return range;
  }
  return std::nullopt;
}

std::vector<DamagedRange> Segment::add_damage(const std::vector<DamagedRange>& found) {
  std::vector<DamagedRange> added;
  for (const DamagedRange& range : found) {
    const auto touches = [&](const DamagedRange& known) { return known.begin < range.end && range.begin < known.end; };
    if (std::find(damaged_.begin(), damaged_.end(), range) != damaged_.end()) continue;
    std::erase_if(damaged_, touches);
    damaged_.push_back(range);
    added.push_back(range);
  }
  if (added.empty()) return added;
  std::sort(damaged_.begin(), damaged_.end(),
            [](const DamagedRange& a, const DamagedRange& b) { return a.begin < b.begin; });
  save_damage();
  return added;
}

bool Segment::add_undecided(const UndecidedTxn& txn) {
  for (const auto* list : {&listed_.undecided, &listed_.committed, &listed_.aborted}) {
    if (std::find(list->begin(), list->end(), txn) != list->end()) return false;
  }
  listed_.undecided.push_back(txn);
  save_damage();
  return true;
}

void Segment::decide(const UndecidedTxn& txn, bool committed) {
  std::erase(listed_.undecided, txn);
  (committed ? listed_.committed : listed_.aborted).push_back(txn);
  if (committed) {
    std::erase_if(aborted_, [&](const AbortedTxn& known) {
      return known.producer_id == txn.producer_id && known.first_offset == txn.first_offset;
    });
  }
  save_damage();
}

bool Segment::was_committed(ProducerId producer, Offset first) const {
  return std::any_of(listed_.committed.begin(), listed_.committed.end(),
                     [&](const UndecidedTxn& txn) { return txn.producer_id == producer && txn.first_offset == first; });
}

// Those that were found after the segment was sealed.
void Segment::apply_listed() {
  for (const auto* list : {&listed_.undecided, &listed_.aborted}) {
    for (const UndecidedTxn& txn : *list) {
      const bool known = std::any_of(aborted_.begin(), aborted_.end(), [&](const AbortedTxn& one) {
        return one.producer_id == txn.producer_id && one.last_offset == txn.end_offset;
      });
      // Where the log was stable behind it is not known: the lowest offset ends no search.
      if (!known) aborted_.push_back({txn.producer_id, txn.first_offset, txn.end_offset, txn.first_offset});
    }
  }
  std::stable_sort(aborted_.begin(), aborted_.end(),
                   [](const AbortedTxn& a, const AbortedTxn& b) { return a.last_offset < b.last_offset; });
}

void Segment::save_damage() {
  DamageList list = listed_;
  list.ranges = damaged_;
  const Status status = env_->replace_file(path(kDamagedSuffix), encode_damage(list));
  if (!status.ok()) log::warn("{} cannot be written: {}", path(kDamagedSuffix), status.message());
}

void Segment::index(const wire::BatchHeader& header, uint64_t position, int64_t index_interval_bytes) {
  if (first_timestamp_ < 0) first_timestamp_ = header.max_timestamp;
  if (header.max_timestamp > max_timestamp_) {
    max_timestamp_ = header.max_timestamp;
    max_timestamp_offset_ = header.last_offset();
  }
  if (position > 0 && bytes_since_index_ > static_cast<uint64_t>(index_interval_bytes)) {
    // As in Kafka, the entry says "the batch here ends at this offset": a lookup of that offset or later starts here.
    offset_index_.append(header.last_offset(), static_cast<uint32_t>(position));
    time_index_.append(max_timestamp_, max_timestamp_offset_);
    bytes_since_index_ = 0;
  }
  bytes_since_index_ += header.size_bytes();
}

Status Segment::append(std::span<const BytesView> pieces, const wire::BatchHeader& header,
                       int64_t index_interval_bytes) {
  MUIR_RETURN_IF_ERROR(file_->write_at(size_, pieces));
  sealed_ = false;  // rolling has failed behind seal(): the index files miss what comes now
  index(header, size_, index_interval_bytes);
  size_ += header.size_bytes();
  next_offset_ = header.next_offset();
  return {};
}

Status Segment::seal() {
  if (sealed_) return {};
  if (max_timestamp_offset_ >= base_offset_) time_index_.append(max_timestamp_, max_timestamp_offset_);
  const Bytes offsets = offset_index_.encode();
  const Bytes times = time_index_.encode();
  const Bytes aborted = encode_txn_index(aborted_);
  MUIR_RETURN_IF_ERROR(write_index(kIndexSuffix, offsets));
  MUIR_RETURN_IF_ERROR(write_index(kTimeIndexSuffix, times));
  MUIR_RETURN_IF_ERROR(write_index(kTxnIndexSuffix, aborted));
  const std::lock_guard guard(seal_mutex_);
  seal_ = size_ == 0
              ? Bytes()
              : encode_seal({size_, next_offset_, FileSum::of(offsets), FileSum::of(times), FileSum::of(aborted)});
  sealed_ = true;
  return {};
}

// What is no file stands in the way, and is set aside. Without aborted transactions there is no file.
Status Segment::write_index(std::string_view suffix, const Bytes& content) {
  const auto write = [&] {
    return suffix == kTxnIndexSuffix && content.empty() ? env_->remove(path(suffix))
                                                        : env_->write_file(path(suffix), content);
  };
  Status status = write();
  if (status.ok() || !env_->list(path(suffix)).ok()) return status;
  const std::string aside = free_name(*env_, folder_, segment_file(base_offset_, suffix), kQuarantineSuffix);
  log::warn("{} is a folder; renamed to {}, and the index is built anew", path(suffix), aside);
  MUIR_RETURN_IF_ERROR(env_->rename(path(suffix), folder_ + "/" + aside));
  return write();
}

Status Segment::sync() {
  // Only what was sealed before: bytes appended meanwhile may not be on the disk.
  const Bytes seal = current_seal();
  const bool sealed = sealed_;
  MUIR_RETURN_IF_ERROR(file_->sync());
  if (!sealed || !sealed_) return {};
  for (const auto suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    // Retention or compaction may remove it meanwhile; opening it for writing would then make it anew.
    const auto file = env_->open(path(suffix), OpenMode::read);
    if (!file.ok() && file.status().code() == Code::not_found) continue;
    MUIR_RETURN_IF_ERROR(file);
    MUIR_RETURN_IF_ERROR((*file)->sync());
  }
  const Status saved = save_seal(seal);
  if (saved.code() != Code::resource_exhausted) return saved;
  // The disk is full, and what was to be synced is: without a seal the next start reads all of the segment.
  log::warn("{} cannot be written: {}", path(kSealSuffix), saved.message());
  return {};
}

Bytes Segment::current_seal() {
  const std::lock_guard guard(seal_mutex_);
  return sealed_ ? seal_ : Bytes();
}

// Last of all: it vouches for the others.
Status Segment::save_seal(const Bytes& seal) {
  const std::lock_guard guard(seal_mutex_);
  if (removed_ || seal.empty() || seal == seal_saved_) return {};
  MUIR_RETURN_IF_ERROR(env_->replace_file(path(kSealSuffix), seal));
  seal_saved_ = seal;
  return {};
}

Status Segment::load_indexes() {
  const Bytes offsets = MUIR_TRY(env_->read_file(path(kIndexSuffix)));
  offset_index_ = MUIR_TRY(OffsetIndex::decode(base_offset_, offsets, size_));
  const Bytes times = MUIR_TRY(env_->read_file(path(kTimeIndexSuffix)));
  time_index_ = MUIR_TRY(TimeIndex::decode(base_offset_, times));
  indexes_loaded_ = true;
  indexes_from_file_ = true;
  return {};
}

Status Segment::rebuild_indexes() {
  constexpr int64_t kIntervalBytes = 4096;
  log::warn("{}: an index does not fit the log and is built anew", path(kLogSuffix));
  offset_index_ = OffsetIndex(base_offset_);
  time_index_ = TimeIndex(base_offset_);
  max_timestamp_ = first_timestamp_ = -1;
  max_timestamp_offset_ = kNoOffset;
  bytes_since_index_ = 0;
  SegmentScan all = scan();
  while (const auto batch = MUIR_TRY(all.next())) index(batch->header(), batch->position, kIntervalBytes);
  time_index_.append(max_timestamp_, max_timestamp_offset_);
  indexes_loaded_ = true;
  indexes_from_file_ = false;
  return {};
}

Result<uint32_t> Segment::floor_position(Offset offset) {
  if (!indexes_loaded_ && !load_indexes().ok()) MUIR_RETURN_IF_ERROR(rebuild_indexes());
  const auto entry = offset_index_.floor_entry(offset);
  if (!entry) return uint32_t{0};
  if (!indexes_from_file_) return entry->position;
  const auto header = header_ending_at(base_offset_ + entry->relative_offset);
  if (header.ok() || damage_at(entry->position)) return entry->position;
  MUIR_RETURN_IF_ERROR(rebuild_indexes());
  return offset_index_.floor_position(offset);
}

Result<uint64_t> Segment::ceiling_position(Offset offset) {
  if (!indexes_loaded_ && !load_indexes().ok()) MUIR_RETURN_IF_ERROR(rebuild_indexes());
  return offset_index_.ceiling_position(offset).value_or(size_);
}

Result<uint32_t> Segment::floor_position_of_time(int64_t timestamp) {
  if (!indexes_loaded_ && !load_indexes().ok()) MUIR_RETURN_IF_ERROR(rebuild_indexes());
  const auto entry = time_index_.floor_entry(timestamp);
  if (!entry) return uint32_t{0};
  const Offset offset = base_offset_ + entry->relative_offset;
  if (indexes_from_file_) {
    const auto header = header_ending_at(offset);
    if (!header.ok() || header->max_timestamp != entry->timestamp) {
      MUIR_RETURN_IF_ERROR(rebuild_indexes());
      return floor_position_of_time(timestamp);
    }
  }
  return floor_position(offset);
}

Status Segment::remove() {
  const std::lock_guard guard(seal_mutex_);
  removed_ = true;
  for (const auto suffix : kSegmentSuffixes) {
    MUIR_RETURN_IF_ERROR(env_->remove(path(suffix)));
  }
  return {};
}

}  // namespace muir::storage
