#include "log/internal/lost_marker.h"

#include <algorithm>

#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr size_t kMarkerBytes = wire::kBatchHeaderBytes + 17;
constexpr size_t kLengthAt = 8;
constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kCheckedAt = 21;  // what the checksum covers begins here

std::optional<RestoredMarker> as_marker(BytesView bytes) {
  const auto batch = wire::BatchView::parse(bytes);
  if (!batch.ok() || batch->bytes().size() != bytes.size() || !batch->check_crc().ok()) return std::nullopt;
  const wire::BatchHeader& header = batch->header();
  if (!header.control() || !header.transactional() || !header.has_producer_id() || header.base_sequence >= 0 ||
      header.last_offset_delta != 0 || header.record_count != 1 || header.compression() != wire::Compression::none)
    return std::nullopt;
  wire::RecordIterator records;
  wire::Record record;
  if (!records.reset(*batch).ok() || !records.next(record)) return std::nullopt;
  const auto marker = wire::parse_control_record(record);
  if (!marker.ok() || marker->type == wire::ControlType::unknown) return std::nullopt;
  return RestoredMarker{header, *marker};
}

}  // namespace

bool may_hold_marker(BytesView bytes, const DamagedRange& range) {
  if (range.end - range.begin < kMarkerBytes) return range.end == range.begin;  // a marker's whole segment may be gone
  const auto header = wire::parse_batch_header_only(bytes);
  const bool alone = header.ok() && header->size_bytes() == range.end - range.begin &&
                     header->base_offset == range.first_offset && header->next_offset() == range.next_offset;
  return !alone || (header->last_offset_delta == 0 && header->size_bytes() == kMarkerBytes);
}

std::optional<RestoredMarker> restore_marker(BytesView bytes, const DamagedRange& range) {
  if (range.end - range.begin != kMarkerBytes || bytes.size() < kMarkerBytes ||
      range.next_offset - range.first_offset != 1)
    return std::nullopt;
  Bytes copy(bytes.substr(0, kMarkerBytes));
  // These are known, and under no checksum.
  wire::set_base_offset(copy.data(), range.first_offset);
  constexpr std::string_view kLength("\0\0\0\x42", 4);
  static_assert(kMarkerBytes - 12 == 0x42);
  std::copy(kLength.begin(), kLength.end(), copy.begin() + kLengthAt);
  copy[kMagicAt] = 2;
  std::optional<RestoredMarker> found = as_marker(copy);
  if (found) return found;
  const BytesView checked = BytesView(copy).substr(kCheckedAt);
  const auto stored = [&] {
    uint32_t out = 0;
    for (size_t i = 0; i < sizeof(out); ++i) out = out << 8 | static_cast<unsigned char>(copy[kCrcAt + i]);
    return out;
  };
  const uint32_t crc = stored();
  // The checksum itself.
  const uint32_t right = wire::crc32c(checked);
  int wrong_bytes = 0;
  for (int shift = 0; shift < 32; shift += 8) wrong_bytes += ((crc ^ right) >> shift & 0xff) != 0 ? 1 : 0;
  if (wrong_bytes == 1) {
    Bytes with(copy);
    for (size_t i = 0; i < sizeof(right); ++i) with[kCrcAt + i] = static_cast<char>(right >> (24 - 8 * i));
    found = as_marker(with);
  }
  for (size_t at = kCheckedAt; at < copy.size(); ++at) {
    const char was = copy[at];
    for (int value = 0; value < 256; ++value) {
      copy[at] = static_cast<char>(value);
      if (copy[at] == was || wire::crc32c(checked) != crc) continue;
      const auto one = as_marker(copy);
      if (one && found) return std::nullopt;
      if (one) found = one;
    }
    copy[at] = was;
  }
  return found;
}

}  // namespace muir::storage
