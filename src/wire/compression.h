// The four codecs of record batches, one whole block at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::wire {

// The numbers of the attributes' lowest three bits.
enum class Compression : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

std::string_view name_of(Compression codec);
// "none", "gzip", "snappy", "lz4", "zstd", as in compression.type.
std::optional<Compression> parse_compression(std::string_view name);

// Appends the compressed block to `out`. `level` 0 is the codec's default; snappy has none.
// Snappy is written with snappy-java's framing, which every Kafka client reads.
Status compress(Compression codec, BytesView block, Bytes& out, int level = 0);

// Appends the decompressed block to `out`, at most `size_max` bytes of it: more is an error, as is damage.
// Snappy is read raw and in snappy-java's framing. Thread-safe.
Status decompress(Compression codec, BytesView block, size_t size_max, Bytes& out);

// Bytes that one batch may decompress to unless the caller says otherwise.
inline constexpr size_t kDecompressedBytesMax = size_t{512} << 20;

}  // namespace muir::wire
