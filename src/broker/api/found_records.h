// FoundRecords: the records of one partition for the answer to a fetch. Only a little of them is in memory: of the rest
// it is known where they lie, and they are read when the client takes them.
#pragma once

#include <memory>
#include <vector>

#include "log/partition.h"
#include "net/piece.h"
#include "wire/error_code.h"

namespace muir::broker {

// Of one thread at a time.
class FoundRecords {
 public:
  // So many bytes of one answer may be in memory.
  static constexpr size_t kMemoryBytesMax = 64 * 1024;

  // Takes what was read, which follows what is there. `memory_bytes` are those of the answer that are in memory; it is
  // raised.
  void add(storage::ReadResult read, size_t& memory_bytes);
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] uint64_t records() const { return records_; }
  [[nodiscard]] const std::vector<storage::AbortedTxn>& aborted() const { return aborted_; }
  // Gives them away.
  std::vector<net::Piece> take_pieces() { return std::move(pieces_); }

 private:
  size_t bytes_ = 0;
  uint64_t records_ = 0;
  std::vector<net::Piece> pieces_;
  std::vector<storage::AbortedTxn> aborted_;
  // The last piece, when it is a part of a file.
  std::shared_ptr<const storage::Segment> segment_;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

}  // namespace muir::broker
