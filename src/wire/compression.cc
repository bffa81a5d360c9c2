#include "wire/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/cursor.h"
#include "wire/block_stream.h"
#include "wire/internal/snappy_framing.h"

namespace muir::wire {
namespace {

constexpr std::string_view kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};
// Output grows in such steps while its size is not known.
constexpr size_t kStepBytes = size_t{64} << 10;

Status too_large(Compression codec, size_t size_max) {
  return error(Code::resource_exhausted, "decompress {}: more than {} bytes", name_of(codec), size_max);
}

// Room at the end of `out` for a decompressor of unknown size: doubles, within the limit that counts from `start`.
class Room {
 public:
  Room(Bytes& out, size_t size_max) : out_(out), start_(out.size()), used_(out.size()), max_(out.size() + size_max) {}
  ~Room() { out_.resize(used_); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // False when the limit is reached.
  bool grow() {
    if (used_ < out_.size()) return true;
    if (out_.size() >= max_) return false;
    const size_t step = std::max(kStepBytes, out_.size() - start_);
    out_.resize(std::min(max_, out_.size() + step));
    return true;
  }
  char* data() { return out_.data() + used_; }
  [[nodiscard]] size_t size() const { return out_.size() - used_; }
  void use(size_t n) { used_ += n; }

 private:
  Bytes& out_;
  size_t start_;
  size_t used_;
  size_t max_;
};

// ---- gzip

constexpr int kGzipWindow = 15 + 16;  // 32 KiB, with gzip's header instead of zlib's

Status gzip_compress(BytesView block, Bytes& out, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, kGzipWindow, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return error(Code::invalid_argument, "compress gzip: level {}", level);
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, deflateEnd);
  const size_t start = out.size();
  out.resize(start + deflateBound(&stream, block.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + start);
  stream.avail_out = static_cast<uInt>(out.size() - start);
  const int result = deflate(&stream, Z_FINISH);
  out.resize(start + stream.total_out);
  if (result != Z_STREAM_END) return error(Code::internal, "compress gzip: zlib error {}", result);
  return {};
}

// ---- snappy

void snappy_compress(BytesView block, Bytes& out) {
  ByteWriter writer(out);
  writer.bytes(kSnappyJavaMagic);
  writer.i32(1);
  writer.i32(1);
  for (size_t at = 0; at < block.size(); at += kSnappyJavaChunkBytes) {
    const BytesView chunk = block.substr(at, kSnappyJavaChunkBytes);
    const size_t length_at = out.size();
    writer.i32(0);
    out.resize(out.size() + snappy::MaxCompressedLength(chunk.size()));
    size_t length = 0;
    snappy::RawCompress(chunk.data(), chunk.size(), out.data() + length_at + 4, &length);
    out.resize(length_at + 4 + length);
    writer.patch_be(length_at, static_cast<int32_t>(length));
  }
}

// ---- lz4

Status lz4_compress(BytesView block, Bytes& out, int level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java decoder reads no linked blocks
  preferences.compressionLevel = level;
  const size_t start = out.size();
  out.resize(start + LZ4F_compressFrameBound(block.size(), &preferences));
  const size_t length =
      LZ4F_compressFrame(out.data() + start, out.size() - start, block.data(), block.size(), &preferences);
  if (LZ4F_isError(length)) {
    out.resize(start);
    return error(Code::internal, "compress lz4: {}", LZ4F_getErrorName(length));
  }
  out.resize(start + length);
  return {};
}

// ---- zstd

Status zstd_compress(BytesView block, Bytes& out, int level) {
  const size_t start = out.size();
  out.resize(start + ZSTD_compressBound(block.size()));
  // Its tables are large: kept per thread.
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  const size_t length = ZSTD_compressCCtx(context.get(), out.data() + start, out.size() - start, block.data(),
                                          block.size(), level == 0 ? ZSTD_CLEVEL_DEFAULT : level);
  if (ZSTD_isError(length)) {
    out.resize(start);
    return error(Code::internal, "compress zstd: {}", ZSTD_getErrorName(length));
  }
  out.resize(start + length);
  return {};
}

}  // namespace

std::string_view name_of(Compression codec) {
  const auto index = static_cast<size_t>(codec);
  return index < std::size(kNames) ? kNames[index] : "unknown codec";
}

std::optional<Compression> parse_compression(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Compression>(i);
  }
  return std::nullopt;
}

Status compress(Compression codec, BytesView block, Bytes& out, int level) {
  switch (codec) {
    case Compression::none: out.append(block); return {};
    case Compression::gzip: return gzip_compress(block, out, level);
    case Compression::snappy: snappy_compress(block, out); return {};
    case Compression::lz4: return lz4_compress(block, out, level);
    case Compression::zstd: return zstd_compress(block, out, level);
  }
  return error(Code::unsupported, "compress: codec {}", static_cast<int>(codec));
}

Status decompress(Compression codec, BytesView block, size_t size_max, Bytes& out) {
  if (block.empty()) return {};  // legal: a batch that compaction emptied
  // Some codecs' tables are large: kept per thread.
  thread_local BlockStream stream;
  stream.open(codec, block);
  Status status;
  Room room(out, size_max);
  while (status.ok()) {
    const bool room_left = room.grow();
    char none = 0;  // at the limit: the stream may still end without another byte
    const auto got = stream.read(room_left ? room.data() : &none, room_left ? room.size() : 1);
    status = got.status();
    if (!got.ok() || *got == 0) break;
    if (!room_left) status = too_large(codec, size_max);
    if (room_left) room.use(*got);
  }
  stream.release_large();
  return status;
}

}  // namespace muir::wire
