#include "log/admission.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"
#include "log/kafka_error.h"
#include "wire/batch_builder.h"
#include "wire/crc32c.h"

namespace muir::log {
namespace {

using wire::ErrorCode;

Status check_sizes(const wire::BatchView& batch, const TopicConfig& config) {
  const auto size = static_cast<int64_t>(batch.bytes().size());
  if (size > config.message_bytes_max) {
    return kafka_error(ErrorCode::message_too_large, "The record batch size of {} bytes exceeds max.message.bytes={}",
                       size, config.message_bytes_max);
  }
  if (size > config.segment_bytes) {
    return kafka_error(ErrorCode::record_list_too_large, "The record batch size of {} bytes exceeds segment.bytes={}",
                       size, config.segment_bytes);
  }
  return {};
}

Status check_header(const wire::BatchHeader& header) {
  const auto invalid = [](const char* why) { return kafka_error(ErrorCode::invalid_record, "{}", why); };
  if (header.base_offset != Offset(0)) return invalid("The base offset of a produced batch must be 0");
  if (header.control()) return invalid("Clients are not allowed to write control records");
  if (header.has_delete_horizon()) return invalid("A produced batch has no delete horizon");
  if (header.record_count <= 0 || header.record_count - 1 != header.last_offset_delta) {
    return invalid("The record count of the batch does not fit its last offset delta");
  }
  if (header.transactional() && !header.has_producer_id()) return invalid("A transactional batch needs a producer id");
  if (header.has_producer_id() && (header.base_sequence < 0 || header.producer_epoch < ProducerEpoch(0))) {
    return invalid("An idempotent batch needs an epoch and a sequence number");
  }
  return {};
}

// Why Kafka refuses a single record, and whether it is for its timestamp; empty when it does not.
struct Refusal {
  std::string why;
  bool timestamp = false;
};
Refusal refuse(const wire::Record& record, const TopicConfig& config, int64_t now_ms, const AdmissionNotes& notes) {
  if (config.compact && !record.key) {
    return {fmt::format("Compacted topic cannot accept message without key in topic partition {}-{}", notes.topic,
                        notes.partition)};
  }
  if (config.log_append_time || record.timestamp < 0) return {};
  const bool late = record.timestamp > now_ms && record.timestamp - now_ms > config.timestamp_after_ms_max;
  const bool early = record.timestamp < now_ms && now_ms - record.timestamp > config.timestamp_before_ms_max;
  if (!late && !early) return {};
  const int64_t after = config.timestamp_after_ms_max;
  return {fmt::format("Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                      record.timestamp, record.offset, now_ms - config.timestamp_before_ms_max,
                      after > INT64_MAX - now_ms ? INT64_MAX : now_ms + after),
          true};
}

// Answers as Kafka does: the batch is refused as a whole, and each record that is to blame is named, so that a producer
// fails these and sends the others again (KIP-467).
Status check_records(const wire::BatchView& batch, const wire::BatchFacts& facts, const TopicConfig& config,
                     int64_t now_ms, wire::RecordIterator& scratch, AdmissionNotes& notes) {
  const bool keys = config.compact && !facts.every_record_has_key;
  const bool late = facts.max_timestamp > now_ms && facts.max_timestamp - now_ms > config.timestamp_after_ms_max;
  const bool maybe_early = config.timestamp_before_ms_max != INT64_MAX;
  if (!keys && (config.log_append_time || (!late && !maybe_early))) return {};
  MUIR_RETURN_IF_ERROR(scratch.reset(batch));
  wire::Record record;
  bool timestamps = false;
  for (int32_t index = 0; scratch.next(record); ++index) {
    Refusal refusal = refuse(record, config, now_ms, notes);
    if (refusal.why.empty()) continue;
    timestamps = timestamps || refusal.timestamp;
    notes.refused.push_back({index, std::move(refusal.why)});
  }
  if (notes.refused.empty()) return {};
  if (timestamps) {
    return kafka_error(ErrorCode::invalid_timestamp, "One or more records have been rejected due to invalid timestamp");
  }
  constexpr size_t kShown = 3;
  std::string shown;
  for (size_t i = 0; i < std::min(kShown, notes.refused.size()); ++i) {
    shown += fmt::format("{}RecordError(batchIndex={}, message='{}')", i == 0 ? "" : ", ", notes.refused[i].index,
                         notes.refused[i].why);
  }
  return kafka_error(ErrorCode::invalid_record,
                     "One or more records have been rejected due to {} record errors in total, and only showing the "
                     "first three errors at most: [{}]",
                     notes.refused.size(), shown);
}

// What a batch may hold when it is decompressed: far more than producers put into one, and little enough that hostile
// ones cost neither much memory nor much time.
size_t decompressed_bytes_max(const TopicConfig& config) {
  constexpr size_t kLeast = size_t{64} << 20;
  constexpr size_t kTimesBatch = 4;
  const size_t by_config = static_cast<size_t>(std::max<int64_t>(config.message_bytes_max, 0)) * kTimesBatch;
  return std::min(std::max(kLeast, by_config), wire::kDecompressedBytesMax);
}

Result<Bytes> recompress(const wire::BatchView& batch, const TopicConfig& config, wire::RecordIterator& scratch) {
  const auto& header = batch.header();
  wire::BatchOptions options;
  options.compression = *config.compression;
  options.compression_level = config.compression_level;
  options.producer_id = header.producer_id;
  options.producer_epoch = header.producer_epoch;
  options.base_sequence = header.base_sequence;
  options.transactional = header.transactional();
  wire::BatchBuilder builder(options);
  MUIR_RETURN_IF_ERROR(scratch.reset(batch));
  wire::Record record;
  while (scratch.next(record)) builder.add(record.timestamp, record);
  MUIR_RETURN_IF_ERROR(scratch.status());
  Bytes out;
  MUIR_RETURN_IF_ERROR(builder.build(out));
  return out;
}

Result<Admitted> rewritten(Bytes bytes) {
  Admitted out;
  out.rewritten = std::move(bytes);
  out.batch = MUIR_TRY(wire::BatchView::parse(out.rewritten));
  return out;
}

}  // namespace

namespace {

Result<Admitted> admit_batch(OptBytesView records, const TopicConfig& config, int64_t now_ms,
                             wire::RecordIterator& scratch, AdmissionNotes& notes) {
  if (!records || records->size() < wire::kBatchHeaderBytes) {
    return kafka_error(ErrorCode::invalid_record, "A produce request must hold exactly one record batch per partition");
  }
  const auto batch = wire::BatchView::parse(*records);
  if (!batch.ok()) return kafka_error(ErrorCode::corrupt_message, "{}", batch.status().message());
  if (batch->bytes().size() != records->size()) {
    return kafka_error(ErrorCode::invalid_record, "A produce request must hold exactly one record batch per partition");
  }
  MUIR_RETURN_IF_ERROR(check_sizes(*batch, config));
  MUIR_RETURN_IF_ERROR(check_header(batch->header()));
  const auto facts = wire::validate_produced_batch(*batch, scratch, decompressed_bytes_max(config));
  if (!facts.ok()) {
    const bool damaged = !batch->check_crc().ok();
    return kafka_error(damaged ? ErrorCode::corrupt_message : ErrorCode::invalid_record, "{}",
                       facts.status().message());
  }
  MUIR_RETURN_IF_ERROR(check_records(*batch, *facts, config, now_ms, scratch, notes));
  if (config.compression && *config.compression != batch->header().compression()) {
    return rewritten(MUIR_TRY(recompress(*batch, config, scratch)));
  }
  if (!config.log_append_time && facts->max_timestamp != batch->header().max_timestamp) {
    Bytes copy(batch->bytes());
    wire::set_max_timestamp(copy, false, facts->max_timestamp);
    return rewritten(std::move(copy));
  }
  return Admitted{{}, *batch};
}

}  // namespace

Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordIterator& scratch,
                       AdmissionNotes& notes) {
  auto admitted = admit_batch(records, config, now_ms, scratch, notes);
  scratch.release_large();
  return admitted;
}

int fuzz_admission(BytesView input) {
  // With the right length and checksum, so that the records are read as well; settings from bytes that mean nothing
  // here.
  constexpr size_t kLengthAt = 8;
  constexpr size_t kLeaderEpochAt = 12;
  constexpr size_t kCrcAt = 17;
  constexpr size_t kCrcEnd = 21;
  Bytes bytes(input);
  TopicConfig config;
  if (bytes.size() >= wire::kBatchHeaderBytes) {
    ByteWriter writer(bytes);
    writer.patch_be(kLengthAt, static_cast<int32_t>(bytes.size() - wire::kBatchLengthEnd));
    writer.patch_be(kCrcAt, wire::crc32c(BytesView(bytes).substr(kCrcEnd)));
    config.compact = (bytes[kLeaderEpochAt] & 1) == 0;
    config.log_append_time = (bytes[kLeaderEpochAt] & 2) == 0;
    if ((bytes[kLeaderEpochAt] & 4) == 0) config.timestamp_before_ms_max = 1000;
    const auto codec = static_cast<unsigned char>(bytes[kLeaderEpochAt + 1]);
    if (codec <= static_cast<unsigned char>(wire::Compression::zstd)) config.compression = wire::Compression{codec};
  }
  wire::RecordIterator scratch;
  AdmissionNotes notes;
  const auto admitted = admit(bytes, config, 1000, scratch, notes);
  if (!admitted.ok()) return 0;
  const auto facts = wire::validate_produced_batch(admitted->batch, scratch);
  CHECK(facts.ok(), "a batch that was admitted is invalid: {}", hex(bytes));
  return 1;
}

}  // namespace muir::log
