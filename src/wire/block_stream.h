// BlockStream: the inside of a compressed block, read piece by piece. However much a block expands to, only a piece and
// what the codec must look back on are in memory.
#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "wire/compression.h"

namespace muir::wire {

// What a codec may keep in memory to look back on: zstd's window, a block of snappy, which is decompressed as a whole.
// lz4 and gzip need no more than 4 MiB and 32 KiB whatever they are given.
// This much is enough for what compressors make unless they are told to use more.
inline constexpr size_t kHistoryBytesUsual = size_t{8} << 20;
// zstd's own limit for streams, which zstd-jni, and so Apache Kafka, keeps: windows of level 22 fit.
inline constexpr size_t kHistoryBytesMax = size_t{128} << 20;

// One codec's decompressor. Owned by one thread at a time.
class BlockDecoder {
 public:
  virtual ~BlockDecoder() = default;
  // Starts on a block, of which nothing is looked at yet.
  virtual void open(BytesView block, size_t history_max) = 0;
  // See BlockStream::read().
  virtual Result<size_t> read(char* out, size_t size) = 0;
  // Of what it keeps between blocks.
  [[nodiscard]] virtual size_t memory_bytes() const = 0;
};

// Owned by one thread at a time. What codecs need is made at their first use and kept for the next block.
class BlockStream {
 public:
  // Starts on a block, which must stay where it is. Snappy is read raw and in snappy-java's framing, gzip and zstd with
  // any number of members or frames, lz4 as Apache Kafka reads it: one frame of independent blocks.
  void open(Compression codec, BytesView block, size_t history_max = kHistoryBytesMax);
  // Puts the next bytes to `out`; fewer than `size` only at the end, 0 behind it. Damage is data_loss; that more than
  // `history_max` bytes would have to be kept, resource_exhausted.
  Result<size_t> read(char* out, size_t size);
  // Gives back the memory of codecs that have come to hold much.
  void release_large();
  [[nodiscard]] size_t memory_bytes() const;

 private:
  std::array<std::unique_ptr<BlockDecoder>, 5> decoders_;  // by codec
  BlockDecoder* current_ = nullptr;
  Status status_;
};

}  // namespace muir::wire
