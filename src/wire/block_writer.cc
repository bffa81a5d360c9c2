#include "wire/block_writer.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "base/cursor.h"
#include "wire/internal/snappy_framing.h"

namespace muir::wire {
namespace {

constexpr size_t kStepBytes = size_t{64} << 10;  // of output at a time

Status failed(Compression codec, std::string_view why) {
  return error(Code::internal, "compress {}: {}", name_of(codec), why);
}

class PlainWriter final : public BlockWriter {
 public:
  Status write(BytesView piece, Bytes& out) override {
    out.append(piece);
    return {};
  }
  Status finish(Bytes&) override { return {}; }
};

class GzipWriter final : public BlockWriter {
 public:
  GzipWriter() = default;
  ~GzipWriter() override {
    if (usable_) (void)deflateEnd(&stream_);
  }
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  bool init(int level) {
    constexpr int kWindow = 15 + 16;  // with gzip's header instead of zlib's
    usable_ = deflateInit2(&stream_, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, kWindow, 8,
                           Z_DEFAULT_STRATEGY) == Z_OK;
    return usable_;
  }
  Status write(BytesView piece, Bytes& out) override { return run(piece, Z_NO_FLUSH, out); }
  Status finish(Bytes& out) override { return run({}, Z_FINISH, out); }

 private:
  Status run(BytesView piece, int flush, Bytes& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    int result = Z_OK;
    do {
      const size_t at = out.size();
      out.resize(at + kStepBytes);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + at);
      stream_.avail_out = kStepBytes;
      result = deflate(&stream_, flush);
      out.resize(at + (kStepBytes - stream_.avail_out));
    } while (result == Z_OK && stream_.avail_out == 0);
    const bool done = flush == Z_FINISH ? result == Z_STREAM_END : result == Z_OK || result == Z_BUF_ERROR;
    return done ? Status() : failed(Compression::gzip, fmt::format("zlib error {}", result));
  }

  z_stream stream_{};
  bool usable_ = false;
};

class SnappyWriter final : public BlockWriter {
 public:
  Status write(BytesView piece, Bytes& out) override {
    begin(out);
    while (pending_.size() + piece.size() >= kSnappyJavaChunkBytes) {
      if (pending_.empty()) {
        chunk(piece.substr(0, kSnappyJavaChunkBytes), out);
        piece.remove_prefix(kSnappyJavaChunkBytes);
        continue;
      }
      const size_t missing = kSnappyJavaChunkBytes - pending_.size();
      pending_.append(piece.substr(0, missing));
      piece.remove_prefix(missing);
      chunk(pending_, out);
      pending_.clear();
    }
    pending_.append(piece);
    return {};
  }
  Status finish(Bytes& out) override {
    begin(out);
    if (!pending_.empty()) chunk(pending_, out);
    return {};
  }

 private:
  void begin(Bytes& out) {
    if (std::exchange(begun_, true)) return;
    ByteWriter writer(out);
    writer.bytes(kSnappyJavaMagic);
    writer.i32(1);
    writer.i32(1);
  }
  static void chunk(BytesView bytes, Bytes& out) {
    ByteWriter writer(out);
    const size_t length_at = out.size();
    writer.i32(0);
    out.resize(out.size() + snappy::MaxCompressedLength(bytes.size()));
    size_t length = 0;
    snappy::RawCompress(bytes.data(), bytes.size(), out.data() + length_at + 4, &length);
    out.resize(length_at + 4 + length);
    writer.patch_be(length_at, static_cast<int32_t>(length));
  }

  bool begun_ = false;
  Bytes pending_;
};

class Lz4Writer final : public BlockWriter {
 public:
  Lz4Writer(LZ4F_cctx* context, int level) : context_(context, LZ4F_freeCompressionContext) {
    preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java decoder reads no linked blocks
    preferences_.compressionLevel = level;
  }
  Status write(BytesView piece, Bytes& out) override {
    MUIR_RETURN_IF_ERROR(begin(out));
    for (; !piece.empty(); piece.remove_prefix(std::min(piece.size(), kStepBytes))) {
      const BytesView step = piece.substr(0, kStepBytes);
      MUIR_RETURN_IF_ERROR(put(out, LZ4F_compressBound(step.size(), &preferences_), [&](char* to, size_t room) {
        return LZ4F_compressUpdate(context_.get(), to, room, step.data(), step.size(), nullptr);
      }));
    }
    return {};
  }
  Status finish(Bytes& out) override {
    MUIR_RETURN_IF_ERROR(begin(out));
    return put(out, LZ4F_compressBound(0, &preferences_),
               [&](char* to, size_t room) { return LZ4F_compressEnd(context_.get(), to, room, nullptr); });
  }

 private:
  Status begin(Bytes& out) {
    if (std::exchange(begun_, true)) return {};
    return put(out, LZ4F_HEADER_SIZE_MAX,
               [&](char* to, size_t room) { return LZ4F_compressBegin(context_.get(), to, room, &preferences_); });
  }
  template <class Call>
  static Status put(Bytes& out, size_t room, const Call& call) {
    const size_t at = out.size();
    out.resize(at + room);
    const size_t written = call(out.data() + at, room);
    const bool wrong = LZ4F_isError(written) != 0;
    out.resize(at + (wrong ? 0 : written));
    return wrong ? failed(Compression::lz4, LZ4F_getErrorName(written)) : Status();
  }

  std::unique_ptr<LZ4F_cctx, decltype(&LZ4F_freeCompressionContext)> context_;
  LZ4F_preferences_t preferences_{};
  bool begun_ = false;
};

class ZstdWriter final : public BlockWriter {
 public:
  explicit ZstdWriter(ZSTD_CCtx* context) : context_(context, ZSTD_freeCCtx) {}
  bool set_level(int level) {
    return !ZSTD_isError(
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level == 0 ? ZSTD_CLEVEL_DEFAULT : level));
  }
  Status write(BytesView piece, Bytes& out) override { return run(piece, ZSTD_e_continue, out); }
  Status finish(Bytes& out) override { return run({}, ZSTD_e_end, out); }

 private:
  Status run(BytesView piece, ZSTD_EndDirective what, Bytes& out) {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    for (;;) {
      const size_t at = out.size();
      out.resize(at + kStepBytes);
      ZSTD_outBuffer to{out.data() + at, kStepBytes, 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &to, &in, what);
      out.resize(at + to.pos);
      if (ZSTD_isError(left)) return failed(Compression::zstd, ZSTD_getErrorName(left));
      if (what == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

}  // namespace

Result<std::unique_ptr<BlockWriter>> BlockWriter::make(Compression codec, int level) {
  const auto wrong_level = [&] {
    return error(Code::invalid_argument, "compress {}: level {}", name_of(codec), level);
  };
  switch (codec) {
    case Compression::none: return std::unique_ptr<BlockWriter>(new PlainWriter);
    case Compression::gzip: {
      auto out = std::make_unique<GzipWriter>();
      if (!out->init(level)) return wrong_level();
      return std::unique_ptr<BlockWriter>(std::move(out));
    }
    case Compression::snappy: return std::unique_ptr<BlockWriter>(new SnappyWriter);
    case Compression::lz4: {
      LZ4F_cctx* context = nullptr;
      if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))) return failed(codec, "no memory");
      return std::unique_ptr<BlockWriter>(new Lz4Writer(context, level));
    }
    case Compression::zstd: {
      ZSTD_CCtx* context = ZSTD_createCCtx();
      if (context == nullptr) return failed(codec, "no memory");
      auto out = std::make_unique<ZstdWriter>(context);
      if (!out->set_level(level)) return wrong_level();
      return std::unique_ptr<BlockWriter>(std::move(out));
    }
  }
  return error(Code::unsupported, "compress: codec {}", static_cast<int>(codec));
}

}  // namespace muir::wire
