// PieceQueue: what a stream has to write, in order. Guarded by its stream.
#pragma once

#include <atomic>
#include <deque>
#include <span>

#include "net/piece.h"

namespace muir::net {

class PieceQueue {
 public:
  void push(Piece piece);
  // The next bytes, at most `bytes_max` of them, in the first of `parts`; returns how many parts. What comes from a
  // source is read into a buffer of the calling thread, and is valid until the thread's next call.
  Result<size_t> front(std::span<BytesView> parts, size_t bytes_max);
  // Removes the first bytes.
  void pop(size_t bytes);
  void clear();
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  // Any thread.
  [[nodiscard]] size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool join(const Piece& piece);

  std::deque<Piece> pieces_;
  size_t front_written_ = 0;
  std::atomic<size_t> bytes_{0};
};

}  // namespace muir::net
