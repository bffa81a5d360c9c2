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
    // Producers choose timestamps: the difference of two may be more than an int64 holds, and wraps, as in reading.
    writer.varlong(
        static_cast<int64_t>(static_cast<uint64_t>(record.timestamp) - static_cast<uint64_t>(base_timestamp)));
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

Status append_compacted_batch(const wire::BatchHeader& original, const std::vector<wire::Record>& records,
                              std::optional<int64_t> delete_horizon_ms, Bytes& out) {
  int64_t max_timestamp = original.max_timestamp;
  if (!records.empty() && !original.log_append_time()) {
    max_timestamp = -1;
    for (const wire::Record& record : records) max_timestamp = std::max(max_timestamp, record.timestamp);
  }
  const int64_t base_timestamp = delete_horizon_ms ? *delete_horizon_ms
                                 : records.empty() ? -1
                                                   : records.front().timestamp;
  int16_t attributes = static_cast<int16_t>(original.attributes & ~kDeleteHorizonBit);
  // Without records there is no compressed block: clients would fail to read what the codec promises.
  if (records.empty()) attributes = static_cast<int16_t>(attributes & ~wire::kCompressionMask);
  if (delete_horizon_ms) attributes = static_cast<int16_t>(attributes | kDeleteHorizonBit);

  const size_t start = out.size();
  ByteWriter writer(out);
  writer.i64(original.base_offset.value());
  writer.i32(0);  // length, patched below
  writer.i32(original.partition_leader_epoch.value());
  writer.i8(2);
  writer.u32(0);  // checksum, patched below
  writer.i16(attributes);
  writer.i32(original.last_offset_delta);
  writer.i64(base_timestamp);
  writer.i64(max_timestamp);
  writer.i64(original.producer_id.value());
  writer.i16(original.producer_epoch.value());
  writer.i32(original.base_sequence);
  writer.i32(static_cast<int32_t>(records.size()));
  if (!records.empty()) {
    const Bytes block = encode_records(records, original.base_offset, base_timestamp);
    if (original.compression() == wire::Compression::none) {
      out += block;
    } else {
      MUIR_RETURN_IF_ERROR(wire::compress(original.compression(), block, out));
    }
  }
  writer.patch_be<int32_t>(start + kLengthAt, static_cast<int32_t>(out.size() - start - wire::kBatchLengthEnd));
  writer.patch_be<uint32_t>(start + kCrcAt, wire::crc32c(BytesView(out).substr(start + kCrcEnd)));
  return {};
}

}  // namespace muir::storage
