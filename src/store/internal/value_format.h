// The value rows of docs/formats/store-keys.md: the value itself, or 8 bytes of timestamp before it.
#pragma once

#include "base/bytes.h"
#include "base/cursor.h"
#include "store/state_store.h"

namespace muir::store::internal {

// Sets `row` to the bytes to be stored; its memory is reused.
inline void encode_row(ValueFormat format, BytesView value, int64_t timestamp_ms, Bytes& row) {
  row.clear();
  if (format == ValueFormat::timestamped) ByteWriter(row).i64(timestamp_ms);
  row.append(value);
}

struct RowView {
  BytesView value;
  int64_t timestamp_ms = -1;
};

inline Result<RowView> decode_row(ValueFormat format, BytesView row) {
  if (format == ValueFormat::plain) return RowView{row, -1};
  ByteReader reader(row);
  const int64_t timestamp_ms = reader.i64();
  if (!reader.ok()) return error(Code::data_loss, "read store: row of {} bytes has no timestamp", row.size());
  return RowView{reader.rest(), timestamp_ms};
}

// Drops the timestamp from a row just read into `out.value`.
inline Status split_row(ValueFormat format, ValueAndTimestamp& out) {
  const RowView row = MUIR_TRY(decode_row(format, out.value));
  out.timestamp_ms = row.timestamp_ms;
  if (format == ValueFormat::timestamped) out.value.erase(0, sizeof(int64_t));
  return {};
}

}  // namespace muir::store::internal
