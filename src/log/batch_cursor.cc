#include "log/batch_cursor.h"

#include <algorithm>

namespace muir::log {
namespace {
constexpr size_t kPieceBytes = 1 << 20;
}  // namespace

Result<bool> BatchCursor::fill(size_t size) {
  if (position_ + size > end_) return false;
  if (position_ >= buffer_begin_ && position_ + size <= buffer_begin_ + buffer_.size()) return true;
  const size_t wanted = std::min<uint64_t>(std::max(size, kPieceBytes), end_ - position_);
  buffer_.resize(wanted);
  buffer_begin_ = position_;
  const size_t got = MUIR_TRY(file_->read_at(position_, buffer_.data(), wanted));
  buffer_.resize(got);
  return got >= size;
}

Result<std::optional<BatchCursor::Batch>> BatchCursor::next() {
  using Found = std::optional<Batch>;
  if (!MUIR_TRY(fill(wire::kBatchHeaderBytes))) return Found();
  const auto header = wire::parse_batch_header_only(BytesView(buffer_).substr(position_ - buffer_begin_));
  if (!header.ok() || header->base_offset < Offset(0) || !MUIR_TRY(fill(header->size_bytes()))) return Found();
  auto view = wire::BatchView::parse(BytesView(buffer_).substr(position_ - buffer_begin_, header->size_bytes()));
  if (!view.ok()) return Found();
  const Batch out{*view, position_};
  position_ += header->size_bytes();
  return Found(out);
}

}  // namespace muir::log
