// The keys of window stores, as docs/formats/store-keys.md gives them.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::store::internal {

// key, 8 bytes of window start, 4 bytes of sequence number: the key in changelogs.
struct WindowKey {
  BytesView key;
  int64_t window_start_ms = 0;
  int32_t sequence = 0;
};
void append_window_key(const WindowKey& key, Bytes& out);
Result<WindowKey> parse_window_key(BytesView bytes);
// Parses arbitrary bytes; a key must give the same bytes again. Returns 1 for a key.
int fuzz_window_key(BytesView bytes);

// On disk the segment, 8 bytes, comes first, so that a segment is one range of keys.
void append_segment(int64_t segment, Bytes& out);
inline constexpr size_t kSegmentSize = 8;
inline constexpr size_t kWindowSuffixSize = 12;

}  // namespace muir::store::internal
