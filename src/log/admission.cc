#include "log/admission.h"

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

Status check_timestamps(const wire::BatchView& batch, int64_t max_timestamp, const TopicConfig& config, int64_t now_ms,
                        wire::RecordIterator& scratch) {
  if (config.log_append_time) return {};
  if (max_timestamp > now_ms && max_timestamp - now_ms > config.timestamp_after_ms_max) {
    return kafka_error(ErrorCode::invalid_timestamp,
                       "Timestamp {} is more than message.timestamp.after.max.ms={} after the broker's {}",
                       max_timestamp, config.timestamp_after_ms_max, now_ms);
  }
  if (config.timestamp_before_ms_max == INT64_MAX) return {};
  MUIR_RETURN_IF_ERROR(scratch.reset(batch));
  wire::Record record;
  while (scratch.next(record)) {
    if (record.timestamp < 0 || now_ms - record.timestamp <= config.timestamp_before_ms_max) continue;
    return kafka_error(ErrorCode::invalid_timestamp,
                       "Timestamp {} is more than message.timestamp.before.max.ms={} before the broker's {}",
                       record.timestamp, config.timestamp_before_ms_max, now_ms);
  }
  return {};
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

Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordIterator& scratch) {
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
  const auto facts = wire::validate_produced_batch(*batch, scratch);
  if (!facts.ok()) {
    const bool damaged = !batch->check_crc().ok();
    return kafka_error(damaged ? ErrorCode::corrupt_message : ErrorCode::invalid_record, "{}",
                       facts.status().message());
  }
  if (config.compact && !facts->every_record_has_key) {
    return kafka_error(ErrorCode::invalid_record, "Compacted topic cannot accept message without key");
  }
  MUIR_RETURN_IF_ERROR(check_timestamps(*batch, facts->max_timestamp, config, now_ms, scratch));
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
  const auto admitted = admit(bytes, config, 1000, scratch);
  if (!admitted.ok()) return 0;
  const auto facts = wire::validate_produced_batch(admitted->batch, scratch);
  CHECK(facts.ok(), "a batch that was admitted is invalid: {}", hex(bytes));
  return 1;
}

}  // namespace muir::log
