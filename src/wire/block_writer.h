// BlockWriter: compresses a block that comes piece by piece, so that neither it nor the whole of it need be in memory.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/compression.h"

namespace muir::wire {

// Owned by one thread.
class BlockWriter {
 public:
  // `level` 0 is the codec's default; snappy has none. What is made is what compress() makes, but for sizes that are
  // not known ahead.
  static Result<std::unique_ptr<BlockWriter>> make(Compression codec, int level = 0);
  virtual ~BlockWriter() = default;
  // Takes the next piece of the block and appends what is ready to `out`.
  virtual Status write(BytesView piece, Bytes& out) = 0;
  // Ends the block; no call follows.
  virtual Status finish(Bytes& out) = 0;
};

}  // namespace muir::wire
