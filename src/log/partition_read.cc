// Reading: batches from an offset, offsets by timestamp.
#include <algorithm>

#include "log/batch_cursor.h"
#include "log/kafka_error.h"
#include "log/partition.h"

namespace muir::log {
namespace {

// What one pread fetches beyond the wanted bytes, to step from the index entry to the wanted batch.
constexpr size_t kSlackBytes = 4096 + wire::kBatchHeaderBytes;

struct Window {
  size_t begin = 0;
  size_t end = 0;
  size_t first_batch_bytes = 0;  // set when the first wanted batch does not fit into the buffer
  bool behind = false;           // every batch here is below the wanted offset; `end` is behind them
  Offset next_offset;            // behind the last batch of the window
};

// The whole batches in `bytes` that hold offsets from `offset` up to, not including, `bound`; at most `bytes_max` of
// them, except that the first may be larger when `at_least_one`.
Window cut_window(BytesView bytes, Offset offset, Offset bound, size_t bytes_max, bool at_least_one) {
  Window out;
  bool started = false;
  size_t at = 0;
  while (at + wire::kBatchHeaderBytes <= bytes.size()) {
    const auto header = wire::parse_batch_header_only(bytes.substr(at));
    if (!header.ok()) break;
    if (!started && header->last_offset() < offset) {
      at += header->size_bytes();
      continue;
    }
    if (header->base_offset >= bound) return out;
    if (!started) {
      started = true;
      out.begin = out.end = at;
    }
    const size_t size = header->size_bytes();
    const bool first = at == out.begin;
    if (at + size - out.begin > bytes_max && !(first && at_least_one)) return out;
    if (at + size > bytes.size()) {
      if (first) out.first_batch_bytes = size;
      return out;
    }
    at += size;
    out.end = at;
    out.next_offset = header->next_offset();
  }
  out.behind = !started;
  if (out.behind) out.begin = out.end = at;
  return out;
}

// The record of `batch` that a search for `timestamp` wants, if any. LogAppendTime gives one time to all.
Result<std::optional<TimestampOffset>> first_at_or_after(const wire::BatchView& batch, int64_t timestamp,
                                                         Offset from_offset) {
  using Found = std::optional<TimestampOffset>;
  const auto& header = batch.header();
  if (header.max_timestamp < timestamp || header.last_offset() < from_offset) return Found();
  if (header.log_append_time()) return Found({header.max_timestamp, std::max(header.base_offset, from_offset)});
  wire::RecordIterator records;
  MUIR_RETURN_IF_ERROR(records.reset(batch));
  wire::Record record;
  while (records.next(record)) {
    if (record.timestamp >= timestamp && record.offset >= from_offset) return Found({record.timestamp, record.offset});
  }
  MUIR_RETURN_IF_ERROR(records.status());
  return Found();
}

}  // namespace

Partition::SegmentPtr Partition::segment_at(Offset offset) const {
  auto it = segments_.upper_bound(offset);
  if (it != segments_.begin()) --it;
  return it->second;
}

std::vector<AbortedTxn> Partition::aborted_between(Offset from, Offset to) const {
  std::vector<AbortedTxn> out;
  auto it = segments_.upper_bound(from);
  if (it != segments_.begin()) --it;
  // A marker may lie in any later segment; entries are in order of their markers.
  for (; it != segments_.end(); ++it) {
    for (const AbortedTxn& txn : it->second->aborted()) {
      if (txn.last_offset >= from && txn.first_offset < to) out.push_back(txn);
      if (txn.last_stable_offset >= to) return out;
    }
  }
  return out;
}

Result<ReadResult> Partition::read(const ReadRequest& request) {
  ReadResult out;
  SegmentPtr segment;
  uint32_t position = 0;
  uint64_t segment_bytes = 0;
  Offset limit;
  Offset next_base;
  Offset next_read;
  for (Offset offset = request.offset;;) {
    {
      const std::lock_guard guard(mutex_);
      MUIR_RETURN_IF_ERROR(usable());
      out.offsets = {log_start_, last_stable_offset(), high_watermark_, active().next_offset()};
      if (request.offset < log_start_ || request.offset > out.offsets.log_end) {
        return kafka_error(wire::ErrorCode::offset_out_of_range, "fetch {}: offset {} is not in {}..{}", name(),
                           request.offset, log_start_, out.offsets.log_end);
      }
      limit = bound(request.isolation);
      if (offset >= limit) return out;
      segment = segment_at(offset);
      segment_bytes = segment->size_bytes();
      next_base = segment->next_offset();
      position = MUIR_TRY(segment->floor_position(offset));
    }
    size_t wanted = std::min<uint64_t>(request.bytes_max + kSlackBytes, segment_bytes - position);
    for (;;) {
      out.buffer = std::make_unique_for_overwrite<char[]>(wanted);
      const size_t got = MUIR_TRY(segment->file().read_at(position, out.buffer.get(), wanted));
      const BytesView bytes(out.buffer.get(), got);
      const Window window = cut_window(bytes, request.offset, limit, request.bytes_max, request.at_least_one_batch);
      if (window.first_batch_bytes > 0) {
        position += static_cast<uint32_t>(window.begin);
        wanted = std::min<uint64_t>(window.first_batch_bytes, segment_bytes - position);
        if (wanted < window.first_batch_bytes)
          return muir::error(Code::data_loss, "{}: segment {} ends inside a batch", name(), segment->base_offset());
        continue;
      }
      if (window.behind && position + window.end < segment_bytes) {
        if (window.end == 0)
          return muir::error(Code::data_loss, "{}: segment {} is damaged at byte {}", name(), segment->base_offset(),
                             position);
        // The index was sparser than the slack (a larger index.interval.bytes, or large batches): go on from here.
        position += static_cast<uint32_t>(window.end);
        wanted = std::min<uint64_t>(request.bytes_max + kSlackBytes, segment_bytes - position);
        continue;
      }
      if (!window.behind) {
        out.records = bytes.substr(window.begin, window.end - window.begin);
        out.segment = segment;
        out.position = position + window.begin;
        out.next_offset = window.next_offset;
      }
      if (out.records.empty()) out.buffer.reset();  // a fetch may ask for very many partitions
      next_read = window.next_offset;
      break;
    }
    const bool at_end_of_segment = out.records.empty() && next_base > offset && next_base < limit;
    if (!at_end_of_segment) break;
    offset = next_base;  // compaction has left nothing at the end of this segment
  }
  if (request.isolation == Isolation::read_committed && !out.records.empty()) {
    const std::lock_guard guard(mutex_);
    out.aborted = aborted_between(request.offset, next_read);
  }
  return out;
}

Result<uint64_t> Partition::readable_bytes(Offset offset, Isolation isolation, uint64_t bytes_max) const {
  const std::lock_guard guard(mutex_);
  MUIR_RETURN_IF_ERROR(usable());
  if (offset < log_start_ || offset > active().next_offset()) {
    return kafka_error(wire::ErrorCode::offset_out_of_range, "fetch {}: offset {} is not in {}..{}", name(), offset,
                       log_start_, active().next_offset());
  }
  const Offset limit = bound(isolation);
  uint64_t out = 0;
  auto it = segments_.upper_bound(offset);
  if (it != segments_.begin()) --it;
  for (Offset from = offset; it != segments_.end() && from < limit && out < bytes_max; ++it) {
    Segment& segment = *it->second;
    const uint64_t begin = MUIR_TRY(segment.floor_position(from));
    const uint64_t end =
        limit >= segment.next_offset() ? segment.size_bytes() : MUIR_TRY(segment.ceiling_position(limit));
    out += end - std::min(begin, end);
    from = segment.next_offset();
  }
  return out;
}

Result<TimestampOffset> Partition::find_timestamp(int64_t timestamp, Isolation isolation) {
  std::vector<SegmentPtr> candidates;
  std::vector<uint64_t> ends;
  Offset limit;
  Offset from_offset;
  {
    const std::lock_guard guard(mutex_);
    MUIR_RETURN_IF_ERROR(usable());
    limit = bound(isolation);
    from_offset = log_start_;
    for (const auto& [base, segment] : segments_) {
      if (segment->max_timestamp() < timestamp) continue;
      candidates.push_back(segment);
      ends.push_back(segment->size_bytes());
    }
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    uint32_t begin = 0;
    {
      const std::lock_guard guard(mutex_);
      begin = MUIR_TRY(candidates[i]->floor_position_of_time(timestamp));
    }
    BatchCursor cursor(candidates[i]->file(), begin, ends[i]);
    while (const auto batch = MUIR_TRY(cursor.next())) {
      if (batch->header().base_offset >= limit) return TimestampOffset{};
      const auto found = MUIR_TRY(first_at_or_after(batch->view, timestamp, from_offset));
      if (found) return found->offset < limit ? *found : TimestampOffset{};
    }
  }
  return TimestampOffset{};
}

Result<TimestampOffset> Partition::find_max_timestamp() {
  int64_t newest = -1;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [base, segment] : segments_) newest = std::max(newest, segment->max_timestamp());
  }
  if (newest < 0) return TimestampOffset{};
  return find_timestamp(newest, Isolation::read_uncommitted);
}

}  // namespace muir::log
