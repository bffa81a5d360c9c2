// WindowQuery: which rows of a window store are asked for, and where they lie.
#pragma once

#include <cstdint>
#include <optional>

#include "store/internal/engine.h"
#include "store/internal/window_key.h"

namespace muir::store::internal {

struct WindowQuery {
  std::optional<Bytes> from{};
  std::optional<Bytes> to{};
  int64_t from_ms = 0;
  int64_t to_ms = 0;

  [[nodiscard]] bool matches(const WindowKey& at) const {
    return at.window_start_ms >= from_ms && at.window_start_ms <= to_ms && (!from || at.key >= *from) &&
           (!to || at.key <= *to);
  }
  static Result<WindowKey> parse(BytesView bytes) { return parse_window_key(bytes); }
  [[nodiscard]] bool one_key() const { return from && to && *from == *to; }

  // A superset of the rows of one segment that match. Keys are of any length and followed by the time, so that rows
  // of other keys lie between; matches() tells.
  [[nodiscard]] KeyRange rows(int64_t segment) const {
    KeyRange range;
    append_segment(segment, range.from);
    if (one_key()) {
      range.to = range.from;
      append_window_key({*from, from_ms, 0}, range.from);
      append_window_key({*to, to_ms, INT32_MAX}, *range.to);
      range.to->push_back('\0');
      return range;
    }
    Bytes end = range.from;
    if (to && !to->empty()) end.push_back(to->front());
    range.to = prefix_end(end);
    if (from) range.from += *from;
    return range;
  }
};

}  // namespace muir::store::internal
