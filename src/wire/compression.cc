#include "wire/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/cursor.h"

namespace muir::wire {
namespace {

constexpr std::string_view kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};
// Output grows in such steps while its size is not known.
constexpr size_t kStepBytes = size_t{64} << 10;

Status damaged(Compression codec, std::string_view why) {
  return error(Code::data_loss, "decompress {}: {}", name_of(codec), why);
}
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

Status gzip_decompress(BytesView block, size_t size_max, Bytes& out) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return error(Code::internal, "decompress gzip: no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  Room room(out, size_max);
  while (true) {
    const bool room_left = room.grow();
    char none = 0;  // at the limit: the stream may still end without another byte
    stream.next_out = reinterpret_cast<Bytef*>(room_left ? room.data() : &none);
    stream.avail_out = room_left ? static_cast<uInt>(std::min<size_t>(room.size(), UINT32_MAX)) : 1;
    const uInt before = stream.avail_out;
    const int result = inflate(&stream, Z_NO_FLUSH);
    const uInt written = before - stream.avail_out;
    if (!room_left && written > 0) return too_large(Compression::gzip, size_max);
    if (room_left) room.use(written);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      if (inflateReset(&stream) != Z_OK) return damaged(Compression::gzip, "zlib cannot go on to the next member");
      continue;
    }
    if (result != Z_OK) return damaged(Compression::gzip, stream.msg ? stream.msg : "truncated");
    if (stream.avail_in == 0 && stream.avail_out > 0) return damaged(Compression::gzip, "truncated");
  }
}

// ---- snappy

// snappy-java's framing: this magic, version and lowest compatible version (int32 each), then chunks of int32 length
// and raw snappy. Java writes it; librdkafka and others write one raw block.
constexpr BytesView kXerialMagic("\x82SNAPPY\0", 8);
constexpr size_t kXerialHeaderBytes = 16;
constexpr size_t kXerialChunkBytes = size_t{32} << 10;

void snappy_compress(BytesView block, Bytes& out) {
  ByteWriter writer(out);
  writer.bytes(kXerialMagic);
  writer.i32(1);
  writer.i32(1);
  for (size_t at = 0; at < block.size(); at += kXerialChunkBytes) {
    const BytesView chunk = block.substr(at, kXerialChunkBytes);
    const size_t length_at = out.size();
    writer.i32(0);
    out.resize(out.size() + snappy::MaxCompressedLength(chunk.size()));
    size_t length = 0;
    snappy::RawCompress(chunk.data(), chunk.size(), out.data() + length_at + 4, &length);
    out.resize(length_at + 4 + length);
    writer.patch_be(length_at, static_cast<int32_t>(length));
  }
}

Status snappy_decompress_raw(BytesView block, size_t size_max, Bytes& out) {
  size_t length = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &length)) {
    return damaged(Compression::snappy, "no length");
  }
  if (length > size_max) return too_large(Compression::snappy, size_max);
  // A byte of snappy never yields more than 64 bytes or so: a longer claim is a lie, not worth the memory.
  if (length / 128 > block.size()) return damaged(Compression::snappy, "claims more than its bytes can hold");
  const size_t start = out.size();
  out.resize(start + length);
  if (snappy::RawUncompress(block.data(), block.size(), out.data() + start)) return {};
  out.resize(start);
  return damaged(Compression::snappy, "malformed block");
}

Status snappy_decompress(BytesView block, size_t size_max, Bytes& out) {
  if (!block.starts_with(kXerialMagic)) return snappy_decompress_raw(block, size_max, out);
  if (block.size() < kXerialHeaderBytes) return damaged(Compression::snappy, "truncated header");
  ByteReader reader(block.substr(kXerialHeaderBytes));
  const size_t start = out.size();
  while (reader.remaining() > 0) {
    const int32_t length = reader.i32();
    const BytesView chunk = reader.bytes(length < 0 ? SIZE_MAX : static_cast<size_t>(length));
    if (!reader.ok()) return damaged(Compression::snappy, "truncated chunk");
    MUIR_RETURN_IF_ERROR(snappy_decompress_raw(chunk, size_max - (out.size() - start), out));
  }
  return {};
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

Status lz4_decompress(BytesView block, size_t size_max, Bytes& out) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) {
    return error(Code::internal, "decompress lz4: no memory");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context(raw,
                                                                                     LZ4F_freeDecompressionContext);
  Room room(out, size_max);
  while (true) {
    const bool room_left = room.grow();
    char none = 0;
    size_t written = room_left ? room.size() : 1;
    size_t read = block.size();
    const size_t hint = LZ4F_decompress(raw, room_left ? room.data() : &none, &written, block.data(), &read, nullptr);
    if (LZ4F_isError(hint)) return damaged(Compression::lz4, LZ4F_getErrorName(hint));
    if (!room_left && written > 0) return too_large(Compression::lz4, size_max);
    if (room_left) room.use(written);
    block.remove_prefix(read);
    if (hint == 0 && block.empty()) return {};
    if (read == 0 && written == 0) return damaged(Compression::lz4, "truncated frame");
  }
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

Status zstd_decompress(BytesView block, size_t size_max, Bytes& out) {
  // Its tables are 150 kB: kept per thread, since a broker decompresses every batch it validates.
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  // As a rule the frame says how much it holds: nothing is decompressed only to be refused.
  const unsigned long long claimed = ZSTD_getFrameContentSize(block.data(), block.size());
  const bool known = claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != ZSTD_CONTENTSIZE_ERROR;
  if (known && claimed > size_max) return too_large(Compression::zstd, size_max);
  ZSTD_inBuffer in{block.data(), block.size(), 0};
  Room room(out, size_max);
  while (true) {
    const bool room_left = room.grow();
    char none = 0;
    ZSTD_outBuffer to{room_left ? room.data() : &none, room_left ? room.size() : 1, 0};
    const size_t read_before = in.pos;
    const size_t left = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(left)) return damaged(Compression::zstd, ZSTD_getErrorName(left));
    if (!room_left && to.pos > 0) return too_large(Compression::zstd, size_max);
    if (room_left) room.use(to.pos);
    if (left == 0 && in.pos == in.size) return {};
    if (in.pos == read_before && to.pos == 0) return damaged(Compression::zstd, "truncated frame");
  }
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
  switch (codec) {
    case Compression::none:
      if (block.size() > size_max) return too_large(codec, size_max);
      out.append(block);
      return {};
    case Compression::gzip: return gzip_decompress(block, size_max, out);
    case Compression::snappy: return snappy_decompress(block, size_max, out);
    case Compression::lz4: return lz4_decompress(block, size_max, out);
    case Compression::zstd: return zstd_decompress(block, size_max, out);
  }
  return error(Code::unsupported, "decompress: codec {}", static_cast<int>(codec));
}

}  // namespace muir::wire
