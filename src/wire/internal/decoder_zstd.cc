#include <zstd.h>
#include <zstd_errors.h>

#include <bit>

#include "wire/internal/decoders.h"

namespace muir::wire {
namespace {

class ZstdDecoder final : public BlockDecoder {
 public:
  explicit ZstdDecoder(ZSTD_DCtx* context) : context_(context, ZSTD_freeDCtx) {}

  void open(BytesView block, size_t history_max) override {
    in_ = {block.data(), block.size(), 0};
    history_max_ = history_max;
    ended_ = block.empty();
    ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
    const auto log = static_cast<int>(std::bit_width(history_max)) - 1;
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, log);
  }

  Result<size_t> read(char* out, size_t size) override {
    ZSTD_outBuffer to{out, size, 0};
    while (to.pos < size && !ended_) {
      const size_t in_before = in_.pos;
      const size_t out_before = to.pos;
      const size_t left = ZSTD_decompressStream(context_.get(), &to, &in_);
      if (ZSTD_isError(left)) return failure(left);
      ended_ = left == 0 && in_.pos == in_.size;
      if (!ended_ && in_.pos == in_before && to.pos == out_before) {
        return damaged_block(Compression::zstd, "truncated frame");
      }
    }
    return to.pos;
  }

  size_t memory_bytes() const override { return ZSTD_sizeof_DCtx(context_.get()); }

 private:
  [[nodiscard]] Status failure(size_t code) const {
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) {
      return too_much_history(Compression::zstd, "a window", history_max_);
    }
    return damaged_block(Compression::zstd, ZSTD_getErrorName(code));
  }

  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
  ZSTD_inBuffer in_{};
  size_t history_max_ = 0;
  bool ended_ = true;
};

}  // namespace

std::unique_ptr<BlockDecoder> make_zstd_decoder() {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  return context == nullptr ? nullptr : std::make_unique<ZstdDecoder>(context);
}

}  // namespace muir::wire
