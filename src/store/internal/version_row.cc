#include "store/internal/version_row.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"

namespace muir::store::internal {
namespace {

constexpr int32_t kDeleted = -1;

}  // namespace

Result<VersionRow> VersionRow::parse(BytesView bytes) {
  const auto damaged = [&] { return error(Code::data_loss, "read store: {} bytes are no versions", bytes.size()); };
  ByteReader reader(bytes);
  VersionRow row;
  row.to_ms_ = reader.i64();
  const int64_t oldest_ms = reader.i64();
  std::vector<int32_t> sizes;
  do {
    row.versions_.push_back({reader.i64(), {}});
    sizes.push_back(reader.i32());
    if (!reader.ok()) return damaged();
    if (row.versions_.size() > 1 && row.versions_.back().from_ms >= row.versions_[sizes.size() - 2].from_ms)
      return damaged();
  } while (row.versions_.back().from_ms != oldest_ms);
  const int64_t newest_ms = row.versions_.front().from_ms;
  const bool empty = sizes.size() == 1 && sizes.front() < 0;
  if (newest_ms > row.to_ms_ || (newest_ms == row.to_ms_ && !empty)) return damaged();
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] >= 0) row.versions_[i].value = reader.bytes(static_cast<size_t>(sizes[i]));
    if (sizes[i] < kDeleted) reader.fail();
  }
  if (!reader.ok() || reader.remaining() > 0) return damaged();
  return row;
}

void VersionRow::append_to(Bytes& out) const {
  ByteWriter writer(out);
  writer.i64(to_ms_);
  writer.i64(from_ms());
  for (const Version& version : versions_) {
    writer.i64(version.from_ms);
    writer.i32(version.value ? static_cast<int32_t>(version.value->size()) : kDeleted);
  }
  for (size_t i = versions_.size(); i-- > 0;) {
    if (versions_[i].value) writer.bytes(*versions_[i].value);
  }
}

size_t VersionRow::find(int64_t time_ms) const {
  size_t at = 0;
  while (versions_[at].from_ms > time_ms) ++at;
  return at;
}

void VersionRow::add_newest(Version version, int64_t to_ms) {
  if (version.from_ms < to_ms_) cut_to(version.from_ms);
  const bool gap = version.from_ms > to_ms_;
  if (gap && !ends_at_once()) insert(0, {to_ms_, std::nullopt});
  if (!gap && ends_at_once()) versions_.clear();
  insert(0, version);
  to_ms_ = to_ms;
}

void VersionRow::add_oldest(Version version) {
  if (ends_at_once()) versions_.clear();
  versions_.push_back(version);
}

void VersionRow::insert(size_t position, Version version) {
  versions_.insert(versions_.begin() + static_cast<ptrdiff_t>(position), version);
}

void VersionRow::cut_to(int64_t time_ms) {
  std::erase_if(versions_, [&](const Version& version) { return version.from_ms >= time_ms; });
  if (versions_.empty()) versions_.push_back({time_ms, std::nullopt});
  to_ms_ = time_ms;
}

int fuzz_version_row(BytesView bytes) {
  const auto row = VersionRow::parse(bytes);
  if (!row.ok()) return 0;
  Bytes again;
  row->append_to(again);
  MUIR_CHECK(again == bytes, "versions {} do not survive their round trip", hex(bytes));
  return 1;
}

}  // namespace muir::store::internal
