#include "log/segment.h"

#include "log/batch_cursor.h"
#include "log/file_names.h"

namespace muir::log {

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
  MUIR_RETURN_IF_ERROR(out->load_indexes());
  if (env.exists(out->path(kTxnIndexSuffix))) {
    const Bytes stored = MUIR_TRY(env.read_file(out->path(kTxnIndexSuffix)));
    out->aborted_ = MUIR_TRY(decode_txn_index(stored));
  }
  if (out->size_ > 0) {
    const Bytes first = MUIR_TRY(out->file_->read_exactly(0, std::min<uint64_t>(out->size_, wire::kBatchHeaderBytes)));
    const wire::BatchHeader header = MUIR_TRY(wire::parse_batch_header_only(first));
    out->first_timestamp_ = header.max_timestamp;
  }
  if (!out->time_index_.entries().empty()) {
    const auto& last = out->time_index_.entries().back();
    out->max_timestamp_ = last.timestamp;
    out->max_timestamp_offset_ = base_offset + last.relative_offset;
  }
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

// Finds the end of the log behind the last index entry.
Status Segment::scan_tail(int64_t index_interval_bytes) {
  const uint32_t from = offset_index_.floor_position(Offset(INT64_MAX / 2));
  BatchCursor cursor(*file_, from, size_);
  while (const auto batch = MUIR_TRY(cursor.next())) {
    next_offset_ = batch->header().next_offset();
    if (batch->position != from || from == 0) index(batch->header(), batch->position, index_interval_bytes);
  }
  if (cursor.position() != size_) {
    return muir::error(Code::data_loss, "{}: {} bytes behind the last batch", path(kLogSuffix),
                       size_ - cursor.position());
  }
  return {};
}

Result<std::shared_ptr<Segment>> Segment::recover(Env& env, const std::string& folder, Offset base_offset,
                                                  int64_t index_interval_bytes, int64_t now_ms,
                                                  std::string_view suffix) {
  auto file = MUIR_TRY(env.open(folder + "/" + segment_file(base_offset, suffix), OpenMode::read_write));
  std::shared_ptr<Segment> out(new Segment(env, folder, base_offset, std::move(file), now_ms));
  const uint64_t file_bytes = MUIR_TRY(out->file_->size());
  BatchCursor cursor(*out->file_, 0, file_bytes);
  while (const auto batch = MUIR_TRY(cursor.next())) {
    const auto& header = batch->header();
    const bool fits = header.base_offset >= out->next_offset_ && header.last_offset() - base_offset <= INT32_MAX;
    if (!fits || !batch->view.check_crc().ok()) break;
    out->index(header, batch->position, index_interval_bytes);
    out->size_ = batch->position + header.size_bytes();
    out->next_offset_ = header.next_offset();
  }
  out->cut_bytes_ = file_bytes - out->size_;
  if (out->cut_bytes_ > 0) MUIR_RETURN_IF_ERROR(out->trim());
  return out;
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
  MUIR_RETURN_IF_ERROR(env_->write_file(path(kIndexSuffix), offset_index_.encode()));
  MUIR_RETURN_IF_ERROR(env_->write_file(path(kTimeIndexSuffix), time_index_.encode()));
  if (aborted_.empty()) {
    MUIR_RETURN_IF_ERROR(env_->remove(path(kTxnIndexSuffix)));
  } else {
    MUIR_RETURN_IF_ERROR(env_->write_file(path(kTxnIndexSuffix), encode_txn_index(aborted_)));
  }
  sealed_ = true;
  return {};
}

Status Segment::sync() {
  MUIR_RETURN_IF_ERROR(file_->sync());
  if (!sealed_) return {};
  for (const auto suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    // Retention or compaction may remove it meanwhile; opening it for writing would then make it anew.
    const auto file = env_->open(path(suffix), OpenMode::read);
    if (!file.ok() && file.status().code() == Code::not_found) continue;
    MUIR_RETURN_IF_ERROR(file);
    MUIR_RETURN_IF_ERROR((*file)->sync());
  }
  return {};
}

Status Segment::load_indexes() {
  const Bytes offsets = MUIR_TRY(env_->read_file(path(kIndexSuffix)));
  offset_index_ = MUIR_TRY(OffsetIndex::decode(base_offset_, offsets, size_));
  const Bytes times = MUIR_TRY(env_->read_file(path(kTimeIndexSuffix)));
  time_index_ = MUIR_TRY(TimeIndex::decode(base_offset_, times));
  indexes_loaded_ = true;
  return {};
}

Result<uint32_t> Segment::floor_position(Offset offset) {
  if (!indexes_loaded_) MUIR_RETURN_IF_ERROR(load_indexes());
  return offset_index_.floor_position(offset);
}

Result<uint64_t> Segment::ceiling_position(Offset offset) {
  if (!indexes_loaded_) MUIR_RETURN_IF_ERROR(load_indexes());
  return offset_index_.ceiling_position(offset).value_or(size_);
}

Result<uint32_t> Segment::floor_position_of_time(int64_t timestamp) {
  if (!indexes_loaded_) MUIR_RETURN_IF_ERROR(load_indexes());
  return offset_index_.floor_position(time_index_.floor_offset(timestamp));
}

Status Segment::remove() {
  for (const auto suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    MUIR_RETURN_IF_ERROR(env_->remove(path(suffix)));
  }
  return {};
}

}  // namespace muir::log
