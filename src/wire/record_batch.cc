#include "wire/record_batch.h"

#include <algorithm>

#include "wire/crc32c.h"
#include "wire/error_code.h"
#include "wire/internal/record_parse.h"

namespace muir::wire {
namespace {

constexpr size_t kLeaderEpochAt = 12;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;  // what the CRC covers starts here
constexpr size_t kMaxTimestampAt = 35;
constexpr int16_t kLogAppendTimeBit = 0x08;

Status corrupt(std::string_view why) {
  return Status(Code::data_loss, fmt::format("record batch: {}", why), kafka(ErrorCode::corrupt_message));
}
template <class T>
void put_at(char* at, T value) {
  const T swapped = to_big_endian(value);
  std::memcpy(at, &swapped, sizeof(T));
}

}  // namespace

int32_t add_sequence(int32_t base, int32_t delta) {
  return static_cast<int32_t>((static_cast<uint32_t>(base) + static_cast<uint32_t>(delta)) & 0x7fffffffU);
}

int32_t BatchHeader::last_sequence() const {
  return base_sequence == kNoSequence ? kNoSequence : add_sequence(base_sequence, last_offset_delta);
}

Result<size_t> batch_size_bytes(BytesView bytes) {
  if (bytes.size() < kBatchLengthEnd) return corrupt("shorter than its length field");
  ByteReader reader(bytes.substr(8));
  const int32_t length = reader.i32();
  if (length < static_cast<int32_t>(kBatchHeaderBytes - kBatchLengthEnd)) {
    return corrupt(fmt::format("length {} is less than a header", length));
  }
  return kBatchLengthEnd + static_cast<size_t>(length);
}

Result<BatchHeader> parse_batch_header_only(BytesView bytes) {
  MUIR_RETURN_IF_ERROR(batch_size_bytes(bytes));
  if (bytes.size() < kBatchHeaderBytes) return corrupt("shorter than a header");
  ByteReader reader(bytes);
  BatchHeader h;
  h.base_offset = Offset(reader.i64());
  h.batch_length = reader.i32();
  h.partition_leader_epoch = LeaderEpoch(reader.i32());
  h.magic = reader.i8();
  h.crc = reader.u32();
  h.attributes = reader.i16();
  h.last_offset_delta = reader.i32();
  h.base_timestamp = reader.i64();
  h.max_timestamp = reader.i64();
  h.producer_id = ProducerId(reader.i64());
  h.producer_epoch = ProducerEpoch(reader.i16());
  h.base_sequence = reader.i32();
  h.record_count = reader.i32();
  if (h.magic != 2) {
    return Status(Code::unsupported, fmt::format("record batch: magic {}, only 2 is supported", h.magic),
                  kafka(ErrorCode::unsupported_for_message_format));
  }
  if ((h.attributes & 7) > static_cast<int>(Compression::zstd)) return corrupt("unknown codec");
  if (h.last_offset_delta < 0 || h.record_count < 0) return corrupt("negative count");
  if (h.base_offset < Offset(0) || h.base_offset.value() > INT64_MAX - h.last_offset_delta - 1)
    return corrupt("offset out of range");
  return h;
}

Result<BatchHeader> parse_batch_header(BytesView bytes) {
  const BatchHeader header = MUIR_TRY(parse_batch_header_only(bytes));
  if (header.size_bytes() > bytes.size()) {
    return corrupt(fmt::format("{} bytes, of which {} are there", header.size_bytes(), bytes.size()));
  }
  return header;
}

Result<BatchView> BatchView::parse(BytesView bytes) {
  BatchView view;
  view.header_ = MUIR_TRY(parse_batch_header(bytes));
  view.bytes_ = bytes.substr(0, view.header_.size_bytes());
  return view;
}

Status BatchView::check_crc() const {
  const uint32_t computed = crc32c(bytes_.substr(kAttributesAt));
  if (computed == header_.crc) return {};
  return corrupt(fmt::format("at offset {}: CRC {:08x}, computed {:08x}", header_.base_offset, header_.crc, computed));
}

Result<std::optional<BatchView>> BatchReader::next() {
  if (rest_.size() < kBatchLengthEnd) return std::optional<BatchView>();
  const size_t size = MUIR_TRY(batch_size_bytes(rest_));
  if (size > rest_.size()) return std::optional<BatchView>();
  BatchView batch = MUIR_TRY(BatchView::parse(rest_));
  rest_.remove_prefix(size);
  return std::optional(batch);
}

bool RecordHeaders::next(RecordHeaderView& header) {
  if (left_ <= 0) return false;
  --left_;
  const int32_t key_length = reader_.varint();
  header.key = reader_.bytes(key_length < 0 ? SIZE_MAX : static_cast<size_t>(key_length));
  const int32_t value_length = reader_.varint();
  header.value.reset();
  if (value_length >= 0) header.value = reader_.bytes(static_cast<size_t>(value_length));
  return reader_.ok();
}

Status RecordIterator::reset(const BatchView& batch, size_t decompressed_max) {
  header_ = batch.header();
  left_ = header_.record_count;
  status_ = {};
  BytesView records = batch.payload();
  // Compaction may leave the codec in the header of a batch that it has emptied: then there is no block.
  const bool emptied = records.empty() && header_.record_count == 0;
  if (header_.compression() != Compression::none && !emptied) {
    buffer_.clear();
    status_ = decompress(header_.compression(), records, decompressed_max, buffer_);
    if (!status_.ok()) {
      left_ = 0;
      const Code code = status_.code() == Code::resource_exhausted ? status_.code() : Code::data_loss;
      status_ = Status(code, status_.message(), kafka(ErrorCode::corrupt_message));
      return status_;
    }
    records = buffer_;
  }
  reader_ = ByteReader(records);
  return {};
}

bool RecordIterator::fail(const char* why) {
  left_ = 0;
  status_ = corrupt(fmt::format("at offset {}: {}", header_.base_offset, why));
  return false;
}

bool RecordIterator::next(Record& record) {
  if (left_ == 0) {
    if (status_.ok() && reader_.remaining() > 0) fail("bytes after the last record");
    return false;
  }
  const int32_t length = reader_.varint();
  const ByteReader body(reader_.bytes(length < 0 ? SIZE_MAX : static_cast<size_t>(length)));
  if (!reader_.ok()) return fail("truncated record");
  if (const char* why = read_record(body, header_, record)) return fail(why);
  --left_;
  return true;
}

void set_base_offset(char* batch, Offset base_offset) { put_at(batch, base_offset.value()); }
void set_partition_leader_epoch(char* batch, LeaderEpoch epoch) { put_at(batch + kLeaderEpochAt, epoch.value()); }

void clear_compression(char* batch) {
  ByteReader reader(BytesView(batch + kAttributesAt, sizeof(int16_t)));
  put_at(batch + kAttributesAt, static_cast<int16_t>(reader.i16() & ~kCompressionMask));
  put_at(batch + kCrcAt, crc32c(BytesView(batch, kBatchHeaderBytes).substr(kAttributesAt)));
}

void finish_payload(Bytes& batch, Compression codec) {
  ByteReader reader(BytesView(batch).substr(kAttributesAt));
  put_at(batch.data() + kBatchLengthEnd - sizeof(int32_t), static_cast<int32_t>(batch.size() - kBatchLengthEnd));
  put_at(batch.data() + kAttributesAt,
         static_cast<int16_t>((reader.i16() & ~kCompressionMask) | static_cast<int16_t>(codec)));
  put_at(batch.data() + kCrcAt, crc32c(BytesView(batch).substr(kAttributesAt)));
}

void set_max_timestamp(Bytes& batch, bool log_append_time, int64_t max_timestamp) {
  ByteReader reader(BytesView(batch).substr(kAttributesAt));
  const int16_t attributes = reader.i16();
  put_at(batch.data() + kAttributesAt,
         static_cast<int16_t>(log_append_time ? attributes | kLogAppendTimeBit : attributes & ~kLogAppendTimeBit));
  put_at(batch.data() + kMaxTimestampAt, max_timestamp);
  put_at(batch.data() + kCrcAt, crc32c(BytesView(batch).substr(kAttributesAt)));
}

}  // namespace muir::wire
