// How one record is read: shared by what holds whole batches and by what walks through them.
#pragma once

#include <cstdint>

#include "base/cursor.h"
#include "wire/record_walk.h"

namespace muir::wire {

// Length-prefixed bytes, null for -1.
inline OptBytesView read_nullable(ByteReader& reader) {
  const int32_t length = reader.varint();
  if (length == -1) return std::nullopt;
  return reader.bytes(length < 0 ? SIZE_MAX : static_cast<size_t>(length));
}

// The encoded headers at the reader, walked to find their end.
inline BytesView read_headers(ByteReader& reader, int32_t count) {
  const BytesView start = reader.rest();
  for (int32_t i = 0; i < count && reader.ok(); ++i) {
    const int32_t key_length = reader.varint();
    reader.skip(key_length < 0 ? SIZE_MAX : static_cast<size_t>(key_length));
    (void)read_nullable(reader);
  }
  return reader.ok() ? start.substr(0, start.size() - reader.remaining()) : BytesView{};
}

// With a delete horizon, the base timestamp is no record's; with LogAppendTime, all have the batch's.
inline int64_t record_timestamp(const BatchHeader& header, int64_t delta) {
  if (header.log_append_time()) return header.max_timestamp;
  return static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) + static_cast<uint64_t>(delta));
}

// `body` is what follows a record's length. Returns what is wrong with it, or null.
inline const char* read_record(ByteReader body, const BatchHeader& header, Record& record) {
  (void)body.i8();  // attributes: unused
  const int64_t timestamp_delta = body.varlong();
  const int32_t offset_delta = body.varint();
  record.key = read_nullable(body);
  record.value = read_nullable(body);
  record.header_count = body.varint();
  if (record.header_count < 0) return "negative header count";
  record.headers = read_headers(body, record.header_count);
  if (!body.ok() || body.remaining() != 0) return "malformed record";
  if (offset_delta < 0 || offset_delta > header.last_offset_delta) return "offset outside the batch";
  record.offset = header.base_offset + offset_delta;
  record.timestamp = record_timestamp(header, timestamp_delta);
  return nullptr;
}

// Skips length-prefixed bytes; whether there are any, be they none. -1 is null, and less is not allowed.
inline bool skip_nullable(ByteReader& reader) {
  const int32_t length = reader.varint();
  if (length > 0) reader.skip(static_cast<size_t>(length));
  if (length < -1) reader.fail();
  return length >= 0;
}

// The same as read_record() for who wants to know little: a broker does it for every record that is produced.
inline const char* read_outline(ByteReader body, const BatchHeader& header, RecordOutline& record) {
  (void)body.i8();  // attributes: unused
  const int64_t timestamp_delta = body.varlong();
  const int32_t offset_delta = body.varint();
  record.has_key = skip_nullable(body);
  (void)skip_nullable(body);
  const int32_t headers = body.varint();
  if (headers < 0) return "negative header count";
  if (headers > 0) (void)read_headers(body, headers);
  if (!body.ok() || body.remaining() != 0) return "malformed record";
  if (offset_delta < 0 || offset_delta > header.last_offset_delta) return "offset outside the batch";
  record.offset = header.base_offset + offset_delta;
  record.timestamp = record_timestamp(header, timestamp_delta);
  return nullptr;
}

}  // namespace muir::wire
