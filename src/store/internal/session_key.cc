#include "store/internal/session_key.h"

#include "base/check.h"
#include "base/cursor.h"

namespace muir::store::internal {

void append_session_key(const SessionKey& key, Bytes& out) {
  ByteWriter writer(out);
  writer.bytes(key.key);
  writer.i64(key.session.end_ms);
  writer.i64(key.session.start_ms);
}

Result<SessionKey> parse_session_key(BytesView bytes) {
  if (bytes.size() < kSessionSuffixSize) {
    return error(Code::data_loss, "session key: {} bytes, need at least {}", bytes.size(), kSessionSuffixSize);
  }
  ByteReader reader(bytes);
  SessionKey out;
  out.key = reader.bytes(bytes.size() - kSessionSuffixSize);
  out.session.end_ms = reader.i64();
  out.session.start_ms = reader.i64();
  return out;
}

int fuzz_session_key(BytesView bytes) {
  const auto key = parse_session_key(bytes);
  if (!key.ok()) return 0;
  Bytes again;
  append_session_key(*key, again);
  MUIR_CHECK(again == bytes, "session key {} does not survive its round trip", hex(bytes));
  return 1;
}

KeyRange SessionQuery::rows(int64_t segment) const {
  KeyRange range;
  append_segment(segment, range.from);
  if (from && to && *from == *to) {
    range.to = range.from;
    append_session_key({*from, {0, earliest_end_ms}}, range.from);
    append_session_key({*to, {INT64_MAX, latest_end_ms}}, *range.to);
    range.to->push_back('\0');
    return range;
  }
  Bytes end = range.from;
  if (to && !to->empty()) end.push_back(to->front());
  range.to = prefix_end(end);
  if (from) range.from += *from;
  return range;
}

}  // namespace muir::store::internal
