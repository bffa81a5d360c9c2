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
  // The next bytes, at most `bytes_max` of them, in the first of `parts`; returns how many parts. They end before bytes
  // of a file. What comes from a source is read into a buffer of the calling thread, and is valid until the thread's
  // next call.
  Result<size_t> front(std::span<BytesView> parts, size_t bytes_max);
  // The next bytes, when they lie in a file of the system's.
  struct FilePart {
    int descriptor = -1;
    uint64_t begin = 0;
    size_t bytes = 0;
  };
  [[nodiscard]] std::optional<FilePart> front_file() const;
  // From now on files are read, too, as other sources.
  void read_files() { read_files_ = true; }
  // Removes the first bytes.
  void pop(size_t bytes);
  void clear();
  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  // Any thread.
  [[nodiscard]] size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool join(const Piece& piece);
  [[nodiscard]] std::optional<ByteSource::InFile> file_of(const Piece& piece) const;

  std::deque<Piece> pieces_;
  size_t front_written_ = 0;
  bool read_files_ = false;
  std::atomic<size_t> bytes_{0};
};

}  // namespace muir::net
