#include "wire/batch_builder.h"

#include <algorithm>

#include "base/check.h"
#include "wire/crc32c.h"

namespace muir::wire {
namespace {

size_t uvarint_bytes(uint64_t v) { return v == 0 ? 1 : (static_cast<size_t>(std::bit_width(v)) + 6) / 7; }
size_t varlong_bytes(int64_t v) {
  return uvarint_bytes((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
}
size_t nullable_bytes(OptBytesView v) { return v ? varlong_bytes(static_cast<int64_t>(v->size())) + v->size() : 1; }
void write_nullable(ByteWriter& writer, OptBytesView v) {
  writer.varint(v ? static_cast<int32_t>(v->size()) : -1);
  if (v) writer.bytes(*v);
}

// Varints gathered on the stack, to be appended at once: a record has six, and appending byte by byte costs more than
// all the rest of it.
class Prefix {
 public:
  void byte(uint8_t v) { *end_++ = static_cast<char>(v); }
  void varlong(int64_t v) {
    auto left = (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
    for (; left >= 0x80; left >>= 7) byte(static_cast<uint8_t>(left | 0x80));
    byte(static_cast<uint8_t>(left));
  }
  void append_to(Bytes& out) {
    out.append(bytes_, static_cast<size_t>(end_ - bytes_));
    end_ = bytes_;
  }

 private:
  char bytes_[64];  // four varints of at most ten bytes, and one byte
  char* end_ = bytes_;
};

}  // namespace

void BatchBuilder::reset(BatchOptions options) {
  options_ = options;
  records_.clear();
  record_count_ = 0;
  next_delta_ = 0;
  base_timestamp_ = max_timestamp_ = kNoTimestamp;
}

void BatchBuilder::add_encoded(int32_t offset_delta, int64_t timestamp, OptBytesView key, OptBytesView value,
                               int32_t header_count, size_t headers_bytes) {
  CHECK(offset_delta >= next_delta_, "offset delta {} after {}", offset_delta, next_delta_);
  if (record_count_ == 0) base_timestamp_ = timestamp;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  const int64_t timestamp_delta =
      static_cast<int64_t>(static_cast<uint64_t>(timestamp) - static_cast<uint64_t>(base_timestamp_));
  const size_t length = 1 + varlong_bytes(timestamp_delta) + varlong_bytes(offset_delta) + nullable_bytes(key) +
                        nullable_bytes(value) + varlong_bytes(header_count) + headers_bytes;
  Prefix prefix;
  prefix.varlong(static_cast<int64_t>(length));
  prefix.byte(0);  // attributes: unused
  prefix.varlong(timestamp_delta);
  prefix.varlong(offset_delta);
  prefix.varlong(key ? static_cast<int64_t>(key->size()) : -1);
  prefix.append_to(records_);
  if (key) records_.append(*key);
  prefix.varlong(value ? static_cast<int64_t>(value->size()) : -1);
  prefix.append_to(records_);
  if (value) records_.append(*value);
  prefix.varlong(header_count);
  prefix.append_to(records_);
  ++record_count_;
  next_delta_ = offset_delta + 1;
}

void BatchBuilder::add_at(int32_t offset_delta, int64_t timestamp, OptBytesView key, OptBytesView value,
                          std::span<const RecordHeaderView> headers) {
  size_t headers_bytes = 0;
  for (const RecordHeaderView& header : headers) {
    headers_bytes += nullable_bytes(header.key) + nullable_bytes(header.value);
  }
  add_encoded(offset_delta, timestamp, key, value, static_cast<int32_t>(headers.size()), headers_bytes);
  ByteWriter writer(records_);
  for (const RecordHeaderView& header : headers) {
    write_nullable(writer, header.key);
    write_nullable(writer, header.value);
  }
}

void BatchBuilder::add(int64_t timestamp, OptBytesView key, OptBytesView value,
                       std::span<const RecordHeaderView> headers) {
  add_at(next_delta_, timestamp, key, value, headers);
}

void BatchBuilder::add(int64_t timestamp, const Record& record) {
  add_encoded(next_delta_, timestamp, record.key, record.value, record.header_count, record.headers.size());
  records_.append(record.headers);
}

Status BatchBuilder::build(Bytes& out) {
  const size_t start = out.size();
  int attributes = static_cast<int>(options_.compression);
  attributes |= options_.log_append_time ? 0x08 : 0;
  attributes |= options_.transactional ? 0x10 : 0;
  attributes |= options_.control ? 0x20 : 0;
  ByteWriter writer(out);
  writer.i64(options_.base_offset.value());
  writer.i32(0);  // length, patched below
  writer.i32(options_.partition_leader_epoch.value());
  writer.i8(2);
  writer.u32(0);  // CRC, patched below
  const size_t covered = out.size();
  writer.i16(static_cast<int16_t>(attributes));
  writer.i32(std::max(next_delta_ - 1, 0));
  writer.i64(base_timestamp_);
  writer.i64(max_timestamp_);
  writer.i64(options_.producer_id.value());
  writer.i16(options_.producer_epoch.value());
  writer.i32(options_.base_sequence);
  writer.i32(record_count_);
  if (Status status = compress(options_.compression, records_, out, options_.compression_level); !status.ok()) {
    out.resize(start);
    return status;
  }
  writer.patch_be(start + 8, static_cast<int32_t>(out.size() - start - kBatchLengthEnd));
  writer.patch_be(covered - 4, crc32c(BytesView(out).substr(covered)));
  reset(options_);
  return {};
}

Bytes BatchBuilder::build() {
  Bytes out;
  out.reserve(size_bytes());
  const Status status = build(out);
  CHECK(status.ok(), "{}", status.message());
  return out;
}

Bytes control_batch(ControlType type, ProducerId producer_id, ProducerEpoch producer_epoch,
                    LeaderEpoch coordinator_epoch, int64_t timestamp, Offset base_offset) {
  Bytes key;
  ByteWriter key_writer(key);
  key_writer.i16(0);  // version
  key_writer.i16(static_cast<int16_t>(type));
  Bytes value;
  ByteWriter value_writer(value);
  value_writer.i16(0);  // version
  value_writer.i32(coordinator_epoch.value());
  BatchBuilder builder({.base_offset = base_offset,
                        .producer_id = producer_id,
                        .producer_epoch = producer_epoch,
                        .transactional = true,
                        .control = true});
  builder.add(timestamp, key, value);
  return builder.build();
}

Result<ControlRecord> parse_control_record(const Record& record) {
  if (!record.key) return error(Code::data_loss, "control record at offset {}: no key", record.offset);
  ByteReader key(*record.key);
  (void)key.i16();
  const int16_t type = key.i16();
  if (!key.ok()) return error(Code::data_loss, "control record at offset {}: truncated key", record.offset);
  ControlRecord control;
  if (type != 0 && type != 1) return control;  // written by Kafka's controllers; nothing a partition acts on
  control.type = static_cast<ControlType>(type);
  ByteReader value(record.value.value_or(BytesView{}));
  (void)value.i16();
  control.coordinator_epoch = LeaderEpoch(value.i32());
  if (!value.ok()) return error(Code::data_loss, "control record at offset {}: truncated value", record.offset);
  return control;
}

}  // namespace muir::wire
