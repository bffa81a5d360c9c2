#include <lz4frame.h>

#include <algorithm>

#include "wire/internal/decoders.h"

namespace muir::wire {
namespace {

// As Kafka's Java classes read it: one frame, of independent blocks. What they would not read is refused, or it would
// stop every consumer.
class Lz4Decoder final : public BlockDecoder {
 public:
  explicit Lz4Decoder(LZ4F_dctx* context) : context_(context, LZ4F_freeDecompressionContext) {}

  void open(BytesView block, size_t) override {
    rest_ = block;
    begun_ = ended_ = false;
    LZ4F_resetDecompressionContext(context_.get());
  }

  Result<size_t> read(char* out, size_t size) override {
    if (!begun_) MUIR_RETURN_IF_ERROR(begin());
    size_t done = 0;
    while (done < size && !ended_) {
      size_t written = size - done;
      size_t taken = rest_.size();
      const size_t hint = LZ4F_decompress(context_.get(), out + done, &written, rest_.data(), &taken, nullptr);
      if (LZ4F_isError(hint)) return damaged(LZ4F_getErrorName(hint));
      rest_.remove_prefix(taken);
      done += written;
      ended_ = hint == 0;
      if (ended_ && !rest_.empty()) return damaged("bytes behind the frame");
      if (!ended_ && taken == 0 && written == 0) return damaged("truncated frame");
    }
    return done;
  }

  size_t memory_bytes() const override { return buffer_bytes_; }

 private:
  static Status damaged(std::string_view why) { return damaged_block(Compression::lz4, why); }

  Status begin() {
    begun_ = true;
    LZ4F_frameInfo_t info{};
    size_t taken = rest_.size();
    const size_t hint = LZ4F_getFrameInfo(context_.get(), &info, rest_.data(), &taken);
    if (LZ4F_isError(hint)) return damaged(LZ4F_getErrorName(hint));
    rest_.remove_prefix(taken);
    if (info.frameType == LZ4F_skippableFrame) return damaged("a skippable frame");
    if (info.blockMode != LZ4F_blockIndependent) return damaged("blocks that depend on each other");
    const int steps = info.blockSizeID == LZ4F_default ? 0 : info.blockSizeID - LZ4F_max64KB;
    buffer_bytes_ = std::max(buffer_bytes_, (size_t{2} * 64 << 10) << (2 * steps));
    return {};
  }

  std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> context_;
  BytesView rest_;
  bool begun_ = true;
  bool ended_ = true;
  size_t buffer_bytes_ = 0;  // a block coming in, and one going out
};

}  // namespace

std::unique_ptr<BlockDecoder> make_lz4_decoder() {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return nullptr;
  return std::make_unique<Lz4Decoder>(context);
}

}  // namespace muir::wire
