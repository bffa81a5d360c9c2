#include "wire/block_stream.h"

#include "wire/internal/decoders.h"

namespace muir::wire {
namespace {

// What one codec may keep between blocks.
constexpr size_t kKeptBytes = size_t{1} << 20;

class PlainDecoder final : public BlockDecoder {
 public:
  void open(BytesView block, size_t) override { rest_ = block; }
  Result<size_t> read(char* out, size_t size) override {
    const size_t n = rest_.copy(out, size);
    rest_.remove_prefix(n);
    return n;
  }
  size_t memory_bytes() const override { return 0; }

 private:
  BytesView rest_;
};

std::unique_ptr<BlockDecoder> make_decoder(Compression codec) {
  switch (codec) {
    case Compression::none: return make_plain_decoder();
    case Compression::gzip: return make_gzip_decoder();
    case Compression::snappy: return make_snappy_decoder();
    case Compression::lz4: return make_lz4_decoder();
    case Compression::zstd: return make_zstd_decoder();
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<BlockDecoder> make_plain_decoder() { return std::make_unique<PlainDecoder>(); }

void BlockStream::open(Compression codec, BytesView block, size_t history_max) {
  status_ = {};
  current_ = nullptr;
  const auto at = static_cast<size_t>(codec);
  if (at >= decoders_.size()) {
    status_ = error(Code::unsupported, "decompress: codec {}", at);
    return;
  }
  if (decoders_[at] == nullptr) decoders_[at] = make_decoder(codec);
  current_ = decoders_[at].get();
  if (current_ != nullptr) return current_->open(block, history_max);
  status_ = error(Code::internal, "decompress {}: no memory", name_of(codec));
}

Result<size_t> BlockStream::read(char* out, size_t size) {
  if (!status_.ok() || current_ == nullptr) return status_.ok() ? Result<size_t>(size_t{0}) : status_;
  auto got = current_->read(out, size);
  if (!got.ok()) status_ = got.status();
  return got;
}

void BlockStream::release_large() {
  for (auto& decoder : decoders_) {
    if (decoder == nullptr || decoder->memory_bytes() <= kKeptBytes) continue;
    if (decoder.get() == current_) current_ = nullptr;
    decoder.reset();
  }
}

size_t BlockStream::memory_bytes() const {
  size_t out = 0;
  for (const auto& decoder : decoders_) out += decoder == nullptr ? 0 : decoder->memory_bytes();
  return out;
}

}  // namespace muir::wire
