#include "store/internal/window_key.h"

#include "base/cursor.h"

namespace muir::store::internal {

void append_window_key(const WindowKey& key, Bytes& out) {
  ByteWriter writer(out);
  writer.bytes(key.key);
  writer.i64(key.window_start_ms);
  writer.i32(key.sequence);
}

Result<WindowKey> parse_window_key(BytesView bytes) {
  if (bytes.size() < kWindowSuffixSize) {
    return error(Code::data_loss, "window key: {} bytes, need at least {}", bytes.size(), kWindowSuffixSize);
  }
  ByteReader reader(bytes);
  WindowKey out;
  out.key = reader.bytes(bytes.size() - kWindowSuffixSize);
  out.window_start_ms = reader.i64();
  out.sequence = reader.i32();
  return out;
}

int fuzz_window_key(BytesView bytes) {
  const auto key = parse_window_key(bytes);
  if (!key.ok()) return 0;
  Bytes again;
  append_window_key(*key, again);
  MUIR_CHECK(again == bytes, "window key {} does not survive its round trip", hex(bytes));
  return 1;
}

void append_segment(int64_t segment, Bytes& out) { ByteWriter(out).i64(segment); }

}  // namespace muir::store::internal
