// The keys of session stores, as docs/formats/store-keys.md gives them, and which of them are asked for.
#pragma once

#include <cstdint>
#include <optional>

#include "store/internal/engine.h"
#include "store/internal/window_key.h"
#include "store/session_store.h"

namespace muir::store::internal {

// key, 8 bytes of end, 8 bytes of start: the key in changelogs.
struct SessionKey {
  BytesView key;
  SessionBounds session;
};
void append_session_key(const SessionKey& key, Bytes& out);
Result<SessionKey> parse_session_key(BytesView bytes);
// Parses arbitrary bytes; a key must give the same bytes again. Returns 1 for a key.
int fuzz_session_key(BytesView bytes);
inline constexpr size_t kSessionSuffixSize = 16;

struct SessionQuery {
  std::optional<Bytes> from{};
  std::optional<Bytes> to{};
  int64_t earliest_end_ms = 0;
  int64_t latest_end_ms = INT64_MAX;
  int64_t latest_start_ms = INT64_MAX;

  static Result<SessionKey> parse(BytesView bytes) { return parse_session_key(bytes); }
  [[nodiscard]] bool matches(const SessionKey& at) const {
    return at.session.end_ms >= earliest_end_ms && at.session.end_ms <= latest_end_ms &&
           at.session.start_ms <= latest_start_ms && (!from || at.key >= *from) && (!to || at.key <= *to);
  }
  // A superset of the rows of one segment that match; rows of other keys may lie between.
  [[nodiscard]] KeyRange rows(int64_t segment) const;
};

}  // namespace muir::store::internal
