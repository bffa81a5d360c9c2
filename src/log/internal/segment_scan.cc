#include "log/internal/segment_scan.h"

#include <algorithm>

#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
constexpr size_t kMagicAt = 16;
constexpr size_t kAttributesAt = 21;  // what the checksum covers starts here
// Offsets that one byte of a lost, compressed batch may have stood for.
constexpr uint64_t kOffsetsPerByteMax = 64;

}  // namespace

SegmentScan::SegmentScan(const File& file, uint64_t begin, uint64_t end, ScanBounds bounds)
    : file_(&file),
      end_(end),
      bounds_(bounds),
      position_(begin),
      expected_(bounds.first),
      after_damage_(begin > 0 && !bounds.gaps) {}

Result<bool> SegmentScan::fill(uint64_t at, size_t size) {
  if (at + size > end_) return false;
  if (at >= buffer_begin_ && at + size <= buffer_begin_ + buffer_.size()) return true;
  buffer_.resize(std::min<uint64_t>(std::max(size, kPieceBytes), end_ - at));
  buffer_begin_ = at;
  buffer_.resize(MUIR_TRY(file_->read_at(at, buffer_.data(), buffer_.size())));
  return buffer_.size() >= size;
}

Result<std::optional<wire::BatchHeader>> SegmentScan::header_at(uint64_t at) {
  using Found = std::optional<wire::BatchHeader>;
  if (!MUIR_TRY(fill(at, wire::kBatchHeaderBytes))) return Found();
  const auto header = wire::parse_batch_header_only(buffered(at));
  if (!header.ok() || header->size_bytes() > end_ - at) return Found();
  return Found(*header);
}

// In pieces: a damaged length may claim the rest of the file.
Result<bool> SegmentScan::checksum_fits(uint64_t at, const wire::BatchHeader& header) {
  const uint64_t end = at + header.size_bytes();
  uint32_t crc = 0;
  for (uint64_t from = at + kAttributesAt; from < end;) {
    const size_t size = std::min<uint64_t>(kPieceBytes, end - from);
    if (!MUIR_TRY(fill(from, size))) return false;
    crc = wire::crc32c(buffered(from).substr(0, size), crc);
    from += size;
  }
  return crc == header.crc;
}

Result<bool> SegmentScan::offsets_fit(uint64_t at, const wire::BatchHeader& header) {
  if (header.last_offset() - bounds_.segment_base > INT32_MAX) return false;
  if (bounds_.next != kNoOffset && header.next_offset() > bounds_.next) return false;
  if (header.base_offset <= expected_) return header.base_offset == expected_;
  if (!bounds_.gaps && !after_damage_) return false;
  // A gap. What stands behind the batch tells whether compaction left it, or its base offset is damaged.
  const uint64_t behind = at + header.size_bytes();
  const auto next = MUIR_TRY(header_at(behind));
  if (!next) {
    const bool at_end = behind == end_;
    if (at_end && bounds_.next != kNoOffset) return !base_offset_is_wrong(header, expected_, bounds_.next);
    const uint64_t skipped = static_cast<uint64_t>(header.base_offset - expected_);
    const uint64_t lost = damaged_.empty() ? at : at - damaged_.back().begin;
    return bounds_.gaps || skipped <= (lost + 1) * kOffsetsPerByteMax;
  }
  if (base_offset_is_wrong(header, expected_, next->base_offset)) return false;
  if (next->base_offset >= header.next_offset() || next->base_offset < expected_) return true;
  // The two overlap. When a third one continues the second and overlaps the first as well, the first is wrong.
  const uint64_t next_end = behind + next->size_bytes();
  const auto third = MUIR_TRY(header_at(next_end));
  const Offset third_base = third ? third->base_offset : bounds_.next;
  if (third_base == kNoOffset) return !MUIR_TRY(checksum_fits(behind, *next));
  if (third_base == next->next_offset()) return false;
  return third_base < next->next_offset() || third_base >= header.next_offset();
}

Result<bool> SegmentScan::is_batch(uint64_t at, const wire::BatchHeader& header) {
  return MUIR_TRY(offsets_fit(at, header)) && MUIR_TRY(checksum_fits(at, header));
}

Result<uint64_t> SegmentScan::find_batch(uint64_t at) {
  // As a rule the length is right, and the payload is not; bytes of a value that look like a batch are then no trap.
  const auto damaged = MUIR_TRY(header_at(at));
  if (damaged) {
    const uint64_t behind = at + damaged->size_bytes();
    const auto header = MUIR_TRY(header_at(behind));
    if (header && MUIR_TRY(is_batch(behind, *header))) return behind;
  }
  for (++at; MUIR_TRY(fill(at, wire::kBatchHeaderBytes)); ++at) {
    if (buffered(at)[kMagicAt] != 2) continue;
    const auto header = MUIR_TRY(header_at(at));
    if (header && header->base_offset >= expected_ && MUIR_TRY(is_batch(at, *header))) return at;
  }
  return end_;
}

Result<std::optional<SegmentScan::Batch>> SegmentScan::next() {
  using Found = std::optional<Batch>;
  if (position_ >= end_) return Found();
  auto header = MUIR_TRY(header_at(position_));
  if (!header || !MUIR_TRY(is_batch(position_, *header))) {
    after_damage_ = true;
    damaged_.push_back({position_, end_, expected_, bounds_.next == kNoOffset ? expected_ : bounds_.next});
    position_ = MUIR_TRY(find_batch(position_));
    damaged_.back().end = position_;
    if (position_ == end_) return Found();
    header = MUIR_TRY(header_at(position_));
    damaged_.back().next_offset = header->base_offset;
  }
  MUIR_TRY(fill(position_, header->size_bytes()));
  const Batch out{MUIR_TRY(wire::BatchView::parse(buffered(position_))), position_};
  position_ += header->size_bytes();
  expected_ = header->next_offset();
  after_damage_ = false;
  return Found(out);
}

}  // namespace muir::storage
