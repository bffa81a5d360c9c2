#include "log/internal/compacted_batch.h"

#include <algorithm>

#include "base/cursor.h"
#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr int16_t kDeleteHorizonBit = 0x40;
constexpr size_t kLengthAt = 8;
constexpr size_t kCrcAt = 17;
constexpr size_t kCrcEnd = 21;

void append_blob(ByteWriter& writer, OptBytesView blob) {
  writer.varint(blob ? static_cast<int32_t>(blob->size()) : -1);
  if (blob) writer.bytes(*blob);
}

Bytes encode_records(const std::vector<wire::Record>& records, Offset base_offset, int64_t base_timestamp) {
  Bytes out;
  Bytes body;
  for (const wire::Record& record : records) {
    body.clear();
    ByteWriter writer(body);
    writer.i8(0);
    writer.varlong(timestamp_delta(record.timestamp, base_timestamp));
    writer.varint(static_cast<int32_t>(record.offset - base_offset));
    append_blob(writer, record.key);
    append_blob(writer, record.value);
    writer.varint(record.header_count);
    writer.bytes(record.headers);
    ByteWriter whole(out);
    whole.varint(static_cast<int32_t>(body.size()));
    whole.bytes(body);
  }
  return out;
}

}  // namespace

size_t begin_compacted_batch(const wire::BatchHeader& original, const CompactedHeader& wanted, Bytes& out) {
  int16_t attributes = static_cast<int16_t>(original.attributes & ~kDeleteHorizonBit);
  // Without records there is no compressed block: clients would fail to read what the codec promises.
  if (wanted.records == 0) attributes = static_cast<int16_t>(attributes & ~wire::kCompressionMask);
  if (wanted.has_delete_horizon) attributes = static_cast<int16_t>(attributes | kDeleteHorizonBit);
  const size_t start = out.size();
  ByteWriter writer(out);
  writer.i64(original.base_offset.value());
  writer.i32(0);  // length, patched at the end
  writer.i32(original.partition_leader_epoch.value());
  writer.i8(2);
  writer.u32(0);  // checksum, patched at the end
  writer.i16(attributes);
  writer.i32(original.last_offset_delta);
  writer.i64(wanted.base_timestamp);
  writer.i64(wanted.max_timestamp);
  writer.i64(original.producer_id.value());
  writer.i16(original.producer_epoch.value());
  writer.i32(original.base_sequence);
  writer.i32(wanted.records);
  return start;
}

void end_compacted_batch(size_t start, Bytes& out) {
  ByteWriter writer(out);
  writer.patch_be<int32_t>(start + kLengthAt, static_cast<int32_t>(out.size() - start - wire::kBatchLengthEnd));
  writer.patch_be<uint32_t>(start + kCrcAt, wire::crc32c(BytesView(out).substr(start + kCrcEnd)));
}

Status append_compacted_batch(const wire::BatchHeader& original, const std::vector<wire::Record>& records,
                              std::optional<int64_t> delete_horizon_ms, Bytes& out) {
  CompactedHeader wanted;
  wanted.records = static_cast<int32_t>(records.size());
  wanted.has_delete_horizon = delete_horizon_ms.has_value();
  wanted.max_timestamp = original.max_timestamp;
  if (!records.empty() && !original.log_append_time()) {
    wanted.max_timestamp = -1;
    for (const wire::Record& record : records) wanted.max_timestamp = std::max(wanted.max_timestamp, record.timestamp);
  }
  if (delete_horizon_ms)
    wanted.base_timestamp = *delete_horizon_ms;
  else if (!records.empty())
    wanted.base_timestamp = records.front().timestamp;
  const size_t start = begin_compacted_batch(original, wanted, out);
  if (!records.empty()) {
    const Bytes block = encode_records(records, original.base_offset, wanted.base_timestamp);
    if (original.compression() == wire::Compression::none) {
      out += block;
    } else {
      MUIR_RETURN_IF_ERROR(wire::compress(original.compression(), block, out));
    }
  }
  end_compacted_batch(start, out);
  return {};
}

}  // namespace muir::storage
