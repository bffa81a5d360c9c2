// BatchCursor: walks the batches of a segment file in order, reading it in large pieces. Owned by one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/file.h"
#include "wire/record_batch.h"

namespace muir::log {

class BatchCursor {
 public:
  // From byte `begin`, where a batch starts, to byte `end` of `file`, which must outlive the cursor.
  BatchCursor(const File& file, uint64_t begin, uint64_t end) : file_(&file), position_(begin), end_(end) {}

  struct Batch {
    wire::BatchView view;  // the whole batch; valid until the next call
    uint64_t position;
    [[nodiscard]] const wire::BatchHeader& header() const { return view.header(); }
  };
  // The next batch; nullopt at the end or where the bytes are no whole batch. Does not look at checksums.
  Result<std::optional<Batch>> next();
  // Where next() will look: behind the last whole batch.
  [[nodiscard]] uint64_t position() const { return position_; }

 private:
  // Makes `size` bytes from position_ available in the buffer; false when the file ends before.
  Result<bool> fill(size_t size);

  const File* file_;
  uint64_t position_;
  uint64_t end_;
  Bytes buffer_;
  uint64_t buffer_begin_ = 0;
};

}  // namespace muir::log
