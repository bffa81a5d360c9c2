#include "net/internal/piece_queue.h"

#include <algorithm>

namespace muir::net {
namespace {

// Small pieces that wait are kept in one string of at most so many bytes, so that they cost what they hold.
constexpr size_t kJoinedBytesMax = 4096;
// Of sources, so much is read at a time.
constexpr size_t kSourceBytesMax = 128 * 1024;

std::span<char> source_buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(kSourceBytesMax);
  return {buffer.get(), kSourceBytesMax};
}

}  // namespace

void PieceQueue::push(Piece piece) {
  const size_t size = piece.size();
  if (size == 0) return;
  bytes_.fetch_add(size, std::memory_order_relaxed);
  if (!join(piece)) pieces_.push_back(std::move(piece));
}

// Into the last piece, when both are small.
bool PieceQueue::join(const Piece& piece) {
  if (piece.shared || piece.source || pieces_.empty() || pieces_.back().shared || pieces_.back().source) return false;
  Bytes& last = pieces_.back().owned;
  if (last.size() + piece.owned.size() > kJoinedBytesMax) return false;
  last += piece.owned;
  return true;
}

Result<size_t> PieceQueue::front(std::span<BytesView> parts, size_t bytes_max) {
  size_t count = 0;
  size_t skip = front_written_;
  size_t from_sources = 0;
  for (auto it = pieces_.begin(); it != pieces_.end() && count < parts.size() && bytes_max > 0; ++it, skip = 0) {
    size_t size = std::min(it->size() - skip, bytes_max);
    if (count > 0 && file_of(*it)) break;
    if (it->source) {
      size = std::min(size, kSourceBytesMax - from_sources);
      if (size == 0) break;
      const std::span<char> into = source_buffer().subspan(from_sources, size);
      MUIR_RETURN_IF_ERROR(it->source->read(skip, into));
      parts[count++] = BytesView(into.data(), into.size());
      from_sources += size;
      if (size < it->size() - skip) break;
    } else {
      parts[count++] = it->view().substr(skip, size);
    }
    bytes_max -= size;
  }
  return count;
}

std::optional<ByteSource::InFile> PieceQueue::file_of(const Piece& piece) const {
  return piece.source && !read_files_ ? piece.source->in_file() : std::nullopt;
}

std::optional<PieceQueue::FilePart> PieceQueue::front_file() const {
  if (pieces_.empty()) return std::nullopt;
  const auto file = file_of(pieces_.front());
  if (!file) return std::nullopt;
  return FilePart{file->descriptor, file->begin + front_written_, pieces_.front().size() - front_written_};
}

void PieceQueue::pop(size_t bytes) {
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  while (bytes > 0) {
    const size_t left = pieces_.front().size() - front_written_;
    if (bytes < left) {
      front_written_ += bytes;
      return;
    }
    bytes -= left;
    front_written_ = 0;
    pieces_.pop_front();
  }
}

void PieceQueue::clear() {
  pieces_.clear();
  front_written_ = 0;
  bytes_ = 0;
}

}  // namespace muir::net
