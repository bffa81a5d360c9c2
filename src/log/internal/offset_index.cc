#include "log/internal/offset_index.h"

#include <algorithm>

#include "base/cursor.h"

namespace muir::storage {
namespace {
constexpr size_t kOffsetEntryBytes = 8;
constexpr size_t kTimeEntryBytes = 12;
}  // namespace

void OffsetIndex::append(Offset offset, uint32_t position) {
  entries_.push_back({static_cast<uint32_t>(offset - base_offset_), position});
}

std::optional<OffsetIndex::Entry> OffsetIndex::floor_entry(Offset offset) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), offset - base_offset_,
                       [](int64_t target, const Entry& entry) { return target < entry.relative_offset; });
  return after == entries_.begin() ? std::nullopt : std::optional(*std::prev(after));
}

uint32_t OffsetIndex::floor_position(Offset offset) const {
  const auto entry = floor_entry(offset);
  return entry ? entry->position : 0;
}

std::optional<uint32_t> OffsetIndex::ceiling_position(Offset offset) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), offset - base_offset_,
                       [](int64_t target, const Entry& entry) { return target < entry.relative_offset; });
  return after == entries_.end() ? std::nullopt : std::optional(after->position);
}

Bytes OffsetIndex::encode() const {
  Bytes out;
  out.reserve(entries_.size() * kOffsetEntryBytes);
  ByteWriter writer(out);
  for (const Entry& entry : entries_) {
    writer.u32(entry.relative_offset);
    writer.u32(entry.position);
  }
  return out;
}

Result<OffsetIndex> OffsetIndex::decode(Offset base_offset, BytesView bytes, uint64_t log_bytes) {
  if (bytes.size() % kOffsetEntryBytes != 0)
    return muir::error(Code::data_loss, "offset index: {} bytes are not whole entries", bytes.size());
  OffsetIndex out(base_offset);
  out.entries_.reserve(bytes.size() / kOffsetEntryBytes);
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const Entry entry{reader.u32(), reader.u32()};
    const bool ascending = out.entries_.empty() || (out.entries_.back().relative_offset < entry.relative_offset &&
                                                    out.entries_.back().position < entry.position);
    if (!ascending || entry.position >= log_bytes) {
      return muir::error(Code::data_loss, "offset index: entry {} does not fit the log", out.entries_.size());
    }
    out.entries_.push_back(entry);
  }
  return out;
}

void TimeIndex::append(int64_t timestamp, Offset offset) {
  if (!entries_.empty() && timestamp <= entries_.back().timestamp) return;
  entries_.push_back({timestamp, static_cast<uint32_t>(offset - base_offset_)});
}

std::optional<TimeIndex::Entry> TimeIndex::floor_entry(int64_t timestamp) const {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), timestamp,
                                   [](const Entry& entry, int64_t target) { return entry.timestamp < target; });
  return at == entries_.begin() ? std::nullopt : std::optional(*std::prev(at));
}

Offset TimeIndex::floor_offset(int64_t timestamp) const {
  const auto entry = floor_entry(timestamp);
  return entry ? base_offset_ + entry->relative_offset : base_offset_;
}

Bytes TimeIndex::encode() const {
  Bytes out;
  out.reserve(entries_.size() * kTimeEntryBytes);
  ByteWriter writer(out);
  for (const Entry& entry : entries_) {
    writer.i64(entry.timestamp);
    writer.u32(entry.relative_offset);
  }
  return out;
}

Result<TimeIndex> TimeIndex::decode(Offset base_offset, BytesView bytes) {
  if (bytes.size() % kTimeEntryBytes != 0)
    return muir::error(Code::data_loss, "time index: {} bytes are not whole entries", bytes.size());
  TimeIndex out(base_offset);
  ByteReader reader(bytes);
  while (reader.remaining() > 0) {
    const int64_t timestamp = reader.i64();
    const Entry entry{timestamp, reader.u32()};
    const bool ascending = out.entries_.empty() || (out.entries_.back().timestamp < entry.timestamp &&
                                                    out.entries_.back().relative_offset <= entry.relative_offset);
    if (!ascending) return muir::error(Code::data_loss, "time index: entry {} does not ascend", out.entries_.size());
    out.entries_.push_back(entry);
  }
  return out;
}

int fuzz_indexes(BytesView input) {
  const auto offsets = OffsetIndex::decode({}, input, 1 << 20);
  if (offsets.ok()) {
    CHECK(offsets->encode() == input, "an offset index does not survive: {}", hex(input));
    (void)offsets->floor_position({});
  }
  const auto times = TimeIndex::decode({}, input);
  if (times.ok()) {
    CHECK(times->encode() == input, "a time index does not survive: {}", hex(input));
    for (const auto& entry : times->entries()) (void)times->floor_offset(entry.timestamp);
  }
  return offsets.ok() || times.ok() ? 1 : 0;
}

}  // namespace muir::storage
