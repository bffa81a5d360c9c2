#include <snappy.h>

#include <algorithm>
#include <cstring>

#include "base/cursor.h"
#include "wire/internal/decoders.h"
#include "wire/internal/snappy_framing.h"

namespace muir::wire {
namespace {

// Three bytes of snappy yield at most 64.
constexpr size_t kExpansionMax = 22;

// A chunk, or a raw block, is decompressed as a whole: into the caller's memory when it fits there.
class SnappyDecoder final : public BlockDecoder {
 public:
  void open(BytesView block, size_t history_max) override {
    rest_ = block;
    history_max_ = history_max;
    framed_ = block.starts_with(kSnappyJavaMagic);
    spilled_ = spill_at_ = 0;
  }

  Result<size_t> read(char* out, size_t size) override {
    size_t done = 0;
    while (done < size) {
      if (spill_at_ < spilled_) {
        const size_t n = std::min(size - done, spilled_ - spill_at_);
        std::memcpy(out + done, spill_.get() + spill_at_, n);
        spill_at_ += n;
        done += n;
        continue;
      }
      if (rest_.empty()) break;
      const BytesView chunk = MUIR_TRY(next_chunk());
      const size_t length = MUIR_TRY(announced(chunk));
      const bool fits = length <= size - done;
      if (!fits) MUIR_RETURN_IF_ERROR(make_room(length));
      if (!snappy::RawUncompress(chunk.data(), chunk.size(), fits ? out + done : spill_.get())) {
        return damaged("malformed block");
      }
      done += fits ? length : 0;
      spilled_ = fits ? 0 : length;
      spill_at_ = 0;
    }
    return done;
  }

  size_t memory_bytes() const override { return capacity_; }

 private:
  static Status damaged(std::string_view why) { return damaged_block(Compression::snappy, why); }

  Result<BytesView> next_chunk() {
    if (!framed_) return std::exchange(rest_, {});
    while (rest_.starts_with(kSnappyJavaMagic)) {  // streams may be joined
      if (rest_.size() < kSnappyJavaHeaderBytes) return damaged("truncated header");
      rest_.remove_prefix(kSnappyJavaHeaderBytes);
      if (rest_.empty()) return BytesView("\0", 1);  // a chunk that holds nothing
    }
    ByteReader reader(rest_);
    const int32_t length = reader.i32();
    const BytesView chunk = reader.bytes(length < 0 ? SIZE_MAX : static_cast<size_t>(length));
    if (!reader.ok()) return damaged("truncated chunk");
    rest_ = reader.rest();
    return chunk;
  }

  [[nodiscard]] Result<size_t> announced(BytesView chunk) const {
    size_t length = 0;
    if (!snappy::GetUncompressedLength(chunk.data(), chunk.size(), &length)) return damaged("no length");
    if (length / kExpansionMax > chunk.size()) return damaged("claims more than its bytes can hold");
    if (length > history_max_) return too_much_history(Compression::snappy, "a block", history_max_);
    return length;
  }

  Status make_room(size_t length) {
    if (length <= capacity_) return {};
    spill_ = std::make_unique_for_overwrite<char[]>(length);
    capacity_ = length;
    return {};
  }

  BytesView rest_;
  size_t history_max_ = 0;
  bool framed_ = false;
  std::unique_ptr<char[]> spill_;  // a chunk that did not fit
  size_t capacity_ = 0;
  size_t spilled_ = 0;
  size_t spill_at_ = 0;
};

}  // namespace

std::unique_ptr<BlockDecoder> make_snappy_decoder() { return std::make_unique<SnappyDecoder>(); }

}  // namespace muir::wire
