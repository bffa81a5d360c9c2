// Reading: batches from an offset, offsets by timestamp.
#include <algorithm>

#include "base/log.h"
#include "log/file_names.h"
#include "log/internal/compacted_batch.h"
#include "log/internal/read_window.h"
#include "log/kafka_error.h"
#include "log/partition.h"
#include "wire/record_walk.h"

namespace muir::storage {
namespace {

// What one pread fetches beyond the wanted bytes, to step from the index entry to the wanted batch.
constexpr size_t kSlackBytes = 4096 + wire::kBatchHeaderBytes;
// The length of a larger batch is verified before memory is taken for it.
constexpr size_t kLargeBatchBytes = size_t{16} << 20;

// The record of `batch` that a search for `timestamp` wants, if any. LogAppendTime gives one time to all.
Result<std::optional<TimestampOffset>> first_at_or_after(const wire::BatchView& batch, int64_t timestamp,
                                                         Offset from_offset, size_t& unpack_max) {
  using Found = std::optional<TimestampOffset>;
  const auto& header = batch.header();
  if (header.max_timestamp < timestamp || header.last_offset() < from_offset) return Found();
  if (header.log_append_time()) return Found({header.max_timestamp, std::max(header.base_offset, from_offset)});
  wire::RecordWalk records;
  const bool unlimited = unpack_max == SIZE_MAX;
  records.reset(batch, unlimited ? wire::kHistoryBytesMax : wire::kHistoryBytesUsual);
  records.allow(unpack_max);
  wire::RecordOutline record;
  Found found;
  while (!found && records.next(record)) {
    if (record.timestamp >= timestamp && record.offset >= from_offset) found = {record.timestamp, record.offset};
  }
  unpack_max = records.allowance();
  if (records.paused()) return muir::error(Code::resource_exhausted, "a batch that expands to very much");
  MUIR_RETURN_IF_ERROR(records.status());
  return found;
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

bool Partition::lost_between(Offset from, Offset to) const {
  auto it = segments_.upper_bound(from);
  if (it != segments_.begin()) --it;
  // What is lost before a segment may be listed with it.
  for (; it != segments_.end() && it->first <= to; ++it) {
    const auto& damaged = it->second->damaged();
    if (std::any_of(damaged.begin(), damaged.end(),
                    [&](const DamagedRange& range) { return range.first_offset < to && range.next_offset > from; }))
      return true;
  }
  return false;
}

// Looks closely at the bytes from `position` on, where reading has met something wrong. The range that is damaged
// there, or nullopt when a whole batch begins there.
Result<std::optional<DamagedRange>> Partition::examine(Segment& segment, uint64_t position, Offset expected,
                                                       uint64_t bytes, Offset segment_end) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto known = segment.damage_at(position)) return known;
  }
  const Offset first = expected == kNoOffset ? segment.base_offset() : expected;
  SegmentScan scan(segment.file(), position, bytes, {segment.base_offset(), first, segment_end, true});
  (void)MUIR_TRY(scan.next());
  if (scan.damaged().empty()) return std::optional<DamagedRange>();
  report_damage(segment, scan.damaged());
  return std::optional(scan.damaged().front());
}

// What a read knows of the segment it is in. Of the active one, what was there when the read began.
struct Partition::ReadPlace {
  SegmentPtr segment;
  uint64_t position = 0;
  uint64_t bytes = 0;
  Offset next_base;
};

// Reads batches of one segment into `out`; none when it has none that are wanted. False when there is one that is
// larger than the limit.
Result<bool> Partition::read_segment(const ReadRequest& request, const ReadPlace& place, Offset limit, ReadResult& out,
                                     Offset& next_read) {
  Segment& segment = *place.segment;
  WindowRequest wanted;
  wanted.offset = request.offset;
  wanted.bound = limit;
  wanted.bytes_max = request.bytes_max;
  wanted.at_least_one = request.at_least_one_batch;
  wanted.position = place.position;
  wanted.file_end = place.bytes;
  wanted.expected = place.position == 0 ? segment.base_offset() : kNoOffset;
  wanted.segment_end = place.next_base;
  wanted.epochs = &epochs_;
  for (size_t needed = 0; wanted.position < place.bytes;) {
    const size_t size =
        std::min<uint64_t>(std::max(request.bytes_max + kSlackBytes, needed), place.bytes - wanted.position);
    out.buffer = std::make_unique_for_overwrite<char[]>(size);
    const size_t got = MUIR_TRY(segment.file().read_at(wanted.position, out.buffer.get(), size));
    const ReadWindow window = cut_window(out.buffer.get(), got, wanted);
    if (window.end > window.begin) {
      out.records = BytesView(out.buffer.get() + window.begin, window.end - window.begin);
      next_read = out.next_offset = window.next_offset;
      out.record_count = window.records;
      if (!window.corrected) {
        out.segment = place.segment;
        out.position = wanted.position + window.begin;
      }
      return true;
    }
    const uint64_t at = wanted.position + window.begin;
    std::optional<uint64_t> suspect = window.suspect;
    // Before so much is read at once, its length is verified.
    if (window.first_batch_bytes > kLargeBatchBytes && wanted.approved != at) suspect = at;
    if (suspect) {
      if (wanted.approved == suspect || got < size)
        return kafka_error(wire::ErrorCode::corrupt_message, "{}: segment {} cannot be read at byte {}", name(),
                           segment.base_offset(), *suspect);
      const Offset expected = *suspect == at ? window.expected : kNoOffset;
      const auto damage = MUIR_TRY(examine(segment, *suspect, expected, place.bytes, place.next_base));
      if (damage) {
        wanted.position = damage->end;
        wanted.expected = damage->next_offset;
        wanted.unverified.reset();
      } else {
        wanted.approved = wanted.position = *suspect;
        wanted.expected = expected;
        wanted.unverified.reset();
      }
      continue;
    }
    if (window.first_batch_bytes == 0 && !window.behind) return !window.too_large;
    // A batch larger than the piece; or the index was sparser than the slack, and the reading goes on from here.
    needed = window.first_batch_bytes;
    wanted.position = at;
    wanted.expected = window.expected;
    wanted.unverified = window.unverified;
  }
  return true;
}

Result<ReadResult> Partition::read(const ReadRequest& request) {
  ReadResult out;
  Offset limit;
  Offset next_read;
  bool fits = true;
  for (Offset offset = request.offset;;) {
    ReadPlace place;
    {
      const std::lock_guard guard(mutex_);
      MUIR_RETURN_IF_ERROR(usable());
      out.offsets = {log_start_, last_stable_offset(), high_watermark_, active().next_offset()};
      if (request.offset < log_start_ || request.offset > out.offsets.log_end) {
        return kafka_error(wire::ErrorCode::offset_out_of_range, "fetch {}: offset {} is not in {}..{}", name(),
                           request.offset, log_start_, out.offsets.log_end);
      }
      limit = bound(request.isolation);
      if (request.offset >= limit) return out;
      if (offset >= limit) break;
      place.segment = segment_at(offset);
      place.bytes = place.segment->size_bytes();
      place.next_base = place.segment->next_offset();
      place.position = MUIR_TRY(place.segment->floor_position(offset));
    }
    fits = MUIR_TRY(read_segment(request, place, limit, out, next_read));
    const bool at_end_of_segment = fits && out.records.empty() && place.next_base > offset && place.next_base < limit;
    if (!at_end_of_segment) break;
    offset = place.next_base;  // nothing is left at the end of this segment
  }
  if (out.records.empty()) {
    // A reader waits for the offset before `limit` to pass by, and no batch is there that would carry it on.
    const bool room = request.at_least_one_batch || request.bytes_max >= wire::kBatchHeaderBytes;
    if (fits && room) MUIR_RETURN_IF_ERROR(show_gap(request.offset, limit, out));
    if (out.records.empty()) out.buffer.reset();  // a fetch may ask for very many partitions
    out.behind_gap = request.isolation == Isolation::read_committed && !out.records.empty();
    return out;
  }
  if (request.isolation == Isolation::read_committed) {
    // A transaction whose marker lay before the first batch here, in what cannot be read, is over: clients would wait
    // for that marker, and drop what the producer wrote since.
    const Offset shown = MUIR_TRY(wire::parse_batch_header_only(out.records)).base_offset;
    const std::lock_guard guard(mutex_);
    out.aborted = aborted_between(std::max(request.offset, shown), next_read);
    out.behind_gap = shown > request.offset && lost_between(request.offset, shown);
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
  // A gap at the end is shown as an empty batch.
  return out == 0 && offset < limit ? wire::kBatchHeaderBytes : out;
}

// An empty batch, as compaction leaves them, in place of what is no longer there.
Status Partition::show_gap(Offset from, Offset to, ReadResult& out) const {
  wire::BatchHeader header;
  header.base_offset = from;
  header.last_offset_delta = static_cast<int32_t>(std::min<int64_t>(to - from, INT32_MAX) - 1);
  header.partition_leader_epoch = storage::epoch_at(epochs_, from);
  Bytes batch;
  MUIR_RETURN_IF_ERROR(append_compacted_batch(header, {}, std::nullopt, batch));
  out.buffer = std::make_unique_for_overwrite<char[]>(batch.size());
  std::copy(batch.begin(), batch.end(), out.buffer.get());
  out.records = BytesView(out.buffer.get(), batch.size());
  out.next_offset = header.next_offset();
  return {};
}

void Partition::report_damage(Segment& segment, const std::vector<DamagedRange>& found) {
  std::vector<DamagedRange> added;
  {
    const std::lock_guard guard(mutex_);
    added = segment.add_damage(found);
  }
  for (const DamagedRange& range : added) {
    if (range.begin == range.end) {
      log::error(
          "{}: {}: offsets {} up to {} are missing, as a file has become shorter or is gone. They are skipped, and "
          "everything else is served. To get them back, stop the broker and restore the files of this folder",
          name(), segment.path(kLogSuffix), range.first_offset, range.next_offset);
      continue;
    }
    log::error(
        "{}: {} is damaged from byte {} to {}: offsets {} up to {} cannot be read. They are skipped, everything else "
        "is served, and the bytes stay where they are. To get them back, stop the broker and restore the file",
        name(), segment.path(kLogSuffix), range.begin, range.end, range.first_offset, range.next_offset);
  }
}

size_t Partition::left_whole() const {
  const std::lock_guard guard(mutex_);
  return static_cast<size_t>(std::distance(left_whole_.lower_bound(log_start_), left_whole_.end()));
}

void Partition::note_quarantined(const std::vector<Quarantined>& found) {
  for (const Quarantined& one : found) {
    std::erase_if(quarantined_, [&](const Quarantined& known) { return known.path == one.path; });
    quarantined_.push_back(one);
  }
}

// It is still in the segment as well: compaction was interrupted before it replaced that one.
bool Partition::is_listed(const Quarantined& aside) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const auto& entry) {
    const auto& damaged = entry.second->damaged();
    return std::any_of(damaged.begin(), damaged.end(), [&](const DamagedRange& range) {
      return range.first_offset == aside.first_offset && range.next_offset == aside.next_offset;
    });
  });
}

Damage Partition::damage() const {
  const std::lock_guard guard(mutex_);
  Damage out;
  for (const Quarantined& aside : quarantined_) {
    if (is_listed(aside) || !env_.env->exists(aside.path)) continue;
    ++out.ranges;
    out.bytes += aside.bytes;
    out.offsets += static_cast<uint64_t>(aside.next_offset - aside.first_offset);
  }
  for (const auto& [base, segment] : segments_) {
    out.undecided += segment->undecided().size();
    for (const DamagedRange& range : segment->damaged()) {
      ++out.ranges;
      out.bytes += range.end - range.begin;
      out.offsets += static_cast<uint64_t>(range.next_offset - range.first_offset);
    }
  }
  return out;
}

Result<TimestampOffset> Partition::find_timestamp(int64_t timestamp, Isolation isolation) {
  size_t unlimited = SIZE_MAX;
  return find_timestamp(timestamp, isolation, unlimited);
}

Result<TimestampOffset> Partition::find_timestamp(int64_t timestamp, Isolation isolation, size_t& unpack_max) {
  std::vector<SegmentPtr> candidates;
  std::vector<uint64_t> ends;
  std::vector<Offset> next_bases;
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
      next_bases.push_back(segment->next_offset());
    }
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    uint32_t begin = 0;
    {
      const std::lock_guard guard(mutex_);
      begin = MUIR_TRY(candidates[i]->floor_position_of_time(timestamp));
    }
    SegmentScan scan(candidates[i]->file(), begin, ends[i],
                     {candidates[i]->base_offset(), candidates[i]->base_offset(), next_bases[i], true});
    while (const auto batch = MUIR_TRY(scan.next())) {
      if (batch->header().base_offset >= limit) return TimestampOffset{};
      const auto found = MUIR_TRY(first_at_or_after(batch->view, timestamp, from_offset, unpack_max));
      if (found) return found->offset < limit ? *found : TimestampOffset{};
    }
  }
  return TimestampOffset{};
}

Result<TimestampOffset> Partition::find_max_timestamp() {
  size_t unlimited = SIZE_MAX;
  return find_max_timestamp(unlimited);
}

Result<TimestampOffset> Partition::find_max_timestamp(size_t& unpack_max) {
  int64_t newest = -1;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [base, segment] : segments_) newest = std::max(newest, segment->max_timestamp());
  }
  if (newest < 0) return TimestampOffset{};
  return find_timestamp(newest, Isolation::read_uncommitted, unpack_max);
}

}  // namespace muir::storage
