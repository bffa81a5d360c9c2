// Record batch v2: the unit that clients send, brokers store and consumers receive, unchanged in between.
// The layout is in docs/formats/record-batch.md.
//
//   for (BatchView batch : whole batches of a fetch)   with BatchReader
//     for (Record record : its records)                with RecordIterator
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "wire/compression.h"

namespace muir::wire {

inline constexpr size_t kBatchHeaderBytes = 61;
// Bytes before the field `batchLength` ends: what must be there to know a batch's size.
inline constexpr size_t kBatchLengthEnd = 12;
inline constexpr int16_t kCompressionMask = 7;  // of the attributes
inline constexpr int64_t kNoTimestamp = -1;
inline constexpr int32_t kNoSequence = -1;

// The fixed fields of a batch, by value.
struct BatchHeader {
  Offset base_offset;
  int32_t batch_length = 0;  // bytes after this field
  LeaderEpoch partition_leader_epoch = kNoLeaderEpoch;
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = kNoTimestamp;
  int64_t max_timestamp = kNoTimestamp;
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  int32_t base_sequence = kNoSequence;
  int32_t record_count = 0;

  [[nodiscard]] size_t size_bytes() const { return kBatchLengthEnd + static_cast<size_t>(batch_length); }
  [[nodiscard]] Offset last_offset() const { return base_offset + last_offset_delta; }
  [[nodiscard]] Offset next_offset() const { return base_offset + last_offset_delta + 1; }
  [[nodiscard]] Compression compression() const { return static_cast<Compression>(attributes & 7); }
  [[nodiscard]] bool log_append_time() const { return (attributes & 0x08) != 0; }
  [[nodiscard]] bool transactional() const { return (attributes & 0x10) != 0; }
  [[nodiscard]] bool control() const { return (attributes & 0x20) != 0; }
  // Compaction has put its delete horizon in place of the base timestamp.
  [[nodiscard]] bool has_delete_horizon() const { return (attributes & 0x40) != 0; }
  [[nodiscard]] bool has_producer_id() const { return producer_id != kNoProducerId; }
  // Sequence number of the last record; wraps from 2^31-1 to 0.
  [[nodiscard]] int32_t last_sequence() const;
};
// `base` + `delta` as sequence numbers count.
int32_t add_sequence(int32_t base, int32_t delta);

// Size of the batch that starts at `bytes`, from its first 12 bytes; an error when it is less than a header.
Result<size_t> batch_size_bytes(BytesView bytes);

// The header of the batch that starts at `bytes`, which may continue after it. Checks the magic, the length
// against a whole header and against `bytes`, the codec, and that counts and deltas are not negative; no CRC.
Result<BatchHeader> parse_batch_header(BytesView bytes);
// The same without requiring that the records are there: 61 bytes are enough.
Result<BatchHeader> parse_batch_header_only(BytesView bytes);

// A whole batch in borrowed memory. Immutable; valid as long as the bytes.
class BatchView {
 public:
  // Checks the header as parse_batch_header() does.
  static Result<BatchView> parse(BytesView bytes);

  [[nodiscard]] const BatchHeader& header() const { return header_; }
  [[nodiscard]] BytesView bytes() const { return bytes_; }
  // What follows the header; compressed if the codec says so.
  [[nodiscard]] BytesView payload() const { return bytes_.substr(kBatchHeaderBytes); }
  [[nodiscard]] Status check_crc() const;

 private:
  BatchHeader header_;
  BytesView bytes_;
};

// The whole batches in a piece of log or of a fetch response; a partial one at the end is left over.
class BatchReader {
 public:
  explicit BatchReader(BytesView bytes) : rest_(bytes) {}
  // nullopt at the end or before a partial batch; an error for damage.
  Result<std::optional<BatchView>> next();
  [[nodiscard]] BytesView rest() const { return rest_; }

 private:
  BytesView rest_;
};

struct RecordHeaderView {
  BytesView key;
  OptBytesView value;
};

// A record that borrows the (decompressed) batch.
struct Record {
  Offset offset;
  int64_t timestamp = kNoTimestamp;
  OptBytesView key;
  OptBytesView value;
  // Encoded headers; read them with RecordHeaders.
  int32_t header_count = 0;
  BytesView headers;
};

// Walks the headers of a record: while (headers.next(header)) ...
class RecordHeaders {
 public:
  explicit RecordHeaders(const Record& record) : reader_(record.headers), left_(record.header_count) {}
  bool next(RecordHeaderView& header);

 private:
  ByteReader reader_;
  int32_t left_;
};

// Walks the records of one batch. Owned by one thread; keep it (or move it) no longer than the batch's bytes.
//   RecordIterator records;  MUIR_RETURN_IF_ERROR(records.reset(batch));
//   Record record;  while (records.next(record)) ...;   MUIR_RETURN_IF_ERROR(records.status());
class RecordIterator {
 public:
  // Starts on a batch, decompressing it if needed into a buffer that is kept between batches. More than
  // `decompressed_max` bytes are resource_exhausted.
  Status reset(const BatchView& batch, size_t decompressed_max = kDecompressedBytesMax);
  // False at the end or on damage. The record borrows the batch or this iterator's buffer.
  bool next(Record& record);
  // Damage found, or records fewer or more than the header says.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  bool fail(const char* why);

  BatchHeader header_;
  ByteReader reader_{BytesView{}};
  int32_t left_ = 0;
  Bytes buffer_;
  Status status_;
};

// In-place edits of a stored batch that its CRC does not cover.
void set_base_offset(char* batch, Offset base_offset);
void set_partition_leader_epoch(char* batch, LeaderEpoch epoch);
// Takes the codec out of the attributes of a batch without records, and corrects the CRC.
void clear_compression(char* batch);
// Makes a header with other records behind it a batch of its own: its length, codec and CRC.
void finish_payload(Bytes& batch, Compression codec);
// Stamps the batch with the broker's time (LogAppendTime) or corrects its max timestamp, and the CRC with it.
void set_max_timestamp(Bytes& batch, bool log_append_time, int64_t max_timestamp);

// Walks arbitrary bytes as record batches, checksums aside. Returns 1 when the records of one of them could be read.
int fuzz_batches(BytesView bytes);

}  // namespace muir::wire
