#include <zlib.h>

#include <algorithm>

#include "wire/internal/decoders.h"

namespace muir::wire {
namespace {

constexpr int kWindow = 15 + 16;                  // 32 KiB, with gzip's header instead of zlib's
constexpr size_t kStateBytes = size_t{44} << 10;  // what zlib says it allocates
constexpr size_t kPieceBytes = size_t{1} << 30;   // zlib counts in 32 bits

class GzipDecoder final : public BlockDecoder {
 public:
  GzipDecoder() = default;
  ~GzipDecoder() override {
    if (usable_) (void)inflateEnd(&stream_);
  }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  bool init() {
    usable_ = inflateInit2(&stream_, kWindow) == Z_OK;
    return usable_;
  }

  void open(BytesView block, size_t) override {
    rest_ = block;
    ended_ = false;
    (void)inflateReset2(&stream_, kWindow);
  }

  Result<size_t> read(char* out, size_t size) override {
    size_t done = 0;
    while (done < size && !ended_) {
      const size_t given = std::min(rest_.size(), kPieceBytes);
      const size_t room = std::min(size - done, kPieceBytes);
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
      stream_.avail_in = static_cast<uInt>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(out + done);
      stream_.avail_out = static_cast<uInt>(room);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(given - stream_.avail_in);
      done += room - stream_.avail_out;
      if (result == Z_STREAM_END) {
        ended_ = rest_.empty();
        if (!ended_ && inflateReset(&stream_) != Z_OK) return damaged("zlib cannot go on to the next member");
      } else if (result != Z_OK) {
        return damaged(stream_.msg ? stream_.msg : "truncated");
      } else if (rest_.empty() && stream_.avail_out > 0) {
        return damaged("truncated");
      }
    }
    return done;
  }

  size_t memory_bytes() const override { return kStateBytes; }

 private:
  static Status damaged(std::string_view why) { return damaged_block(Compression::gzip, why); }

  z_stream stream_{};
  bool usable_ = false;
  bool ended_ = true;
  BytesView rest_;
};

}  // namespace

std::unique_ptr<BlockDecoder> make_gzip_decoder() {
  auto out = std::make_unique<GzipDecoder>();
  if (!out->init()) return nullptr;
  return out;
}

}  // namespace muir::wire
