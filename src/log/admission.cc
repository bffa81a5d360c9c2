#include "log/admission.h"

#include <algorithm>

#include "base/check.h"
#include "base/cursor.h"
#include "log/kafka_error.h"
#include "wire/block_writer.h"
#include "wire/crc32c.h"

namespace muir::storage {
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

// The one batch that `records` must hold. As in Apache Kafka, a part of another one behind it is not looked at.
Result<BytesView> only_batch(BytesView records) {
  constexpr size_t kMagicEnd = 17;
  constexpr char kMagic = 2;
  const auto count_wrong = [] {
    return kafka_error(ErrorCode::invalid_record, "A produce request must hold exactly one record batch per partition");
  };
  const auto whole = [](BytesView rest) -> Result<bool> {
    if (rest.size() < kMagicEnd) return false;
    const auto size = wire::batch_size_bytes(rest);
    if (!size.ok()) return kafka_error(ErrorCode::corrupt_message, "{}", size.status().message());
    return *size <= rest.size();
  };
  if (!MUIR_TRY(whole(records))) return count_wrong();
  const BytesView batch = records.substr(0, *wire::batch_size_bytes(records));
  const char magic = batch[kMagicEnd - 1];
  if (magic >= 0 && magic < kMagic) {
    return kafka_error(ErrorCode::invalid_record,
                       "A produce request may only hold record batches with magic version 2");
  }
  if (MUIR_TRY(whole(records.substr(batch.size())))) return count_wrong();
  return batch;
}

// What no log may hold, and BatchView does not parse, in Apache Kafka's order: while the checksum is not known to be
// right, anything may have changed on the way.
Status check_unparsed(BytesView batch) {
  constexpr size_t kCrcAt = 17;
  constexpr size_t kAttributesAt = 21;
  const auto invalid = [](const char* why) { return kafka_error(ErrorCode::invalid_record, "{}", why); };
  if (ByteReader(batch).i64() != 0) return invalid("The base offset of a produced batch must be 0");
  ByteReader reader(batch.substr(kAttributesAt));
  const int codec = reader.i16() & wire::kCompressionMask;
  const int32_t last_offset_delta = reader.i32();
  reader.skip(8 + 8 + 8 + 2 + 4);  // timestamps, producer
  const int32_t count = reader.i32();
  const bool unknown_codec = codec > static_cast<int>(wire::Compression::zstd);
  if (!reader.ok() || (!unknown_codec && last_offset_delta >= 0 && count > 0)) return {};
  if (wire::crc32c(batch.substr(kAttributesAt)) != ByteReader(batch.substr(kCrcAt)).u32()) return {};
  if (unknown_codec) return kafka_error(ErrorCode::unknown_server_error, "Unknown compression type id: {}", codec);
  return invalid(last_offset_delta < 0 ? "The batch has an invalid offset range" : "The record count is invalid");
}

bool out_of_range(int64_t timestamp, const TopicConfig& config, int64_t now_ms) {
  if (config.log_append_time || timestamp == wire::kNoTimestamp) return false;
  const int64_t after = config.timestamp_after_ms_max;
  const int64_t latest = after > INT64_MAX - now_ms ? INT64_MAX : now_ms + after;
  return timestamp < now_ms - config.timestamp_before_ms_max || timestamp > latest;
}

}  // namespace

// Writes the records anew in the topic's codec, as they are: only their envelope changes. The result may be no larger
// than any other batch, so that is all it takes, whatever the records take.
class Admission::Recompression {
 public:
  static Result<std::unique_ptr<Recompression>> make(const wire::BatchView& batch, const TopicConfig& config,
                                                     int64_t max_timestamp, wire::BlockStream& stream,
                                                     size_t history_max) {
    auto writer = MUIR_TRY(wire::BlockWriter::make(*config.compression, config.compression_level));
    stream.open(batch.header().compression(), batch.payload(), history_max);
    return std::unique_ptr<Recompression>(new Recompression(batch, config, max_timestamp, stream, std::move(writer)));
  }

  Result<bool> run(size_t& allowance) {
    while (allowance > 0) {
      const size_t got = MUIR_TRY(stream_.read(piece_.get(), kPieceBytes));
      MUIR_RETURN_IF_ERROR(got > 0 ? writer_->write({piece_.get(), got}, out_) : writer_->finish(out_));
      if (static_cast<int64_t>(out_.size()) > config_.message_bytes_max) {
        return kafka_error(ErrorCode::message_too_large,
                           "The record batch exceeds max.message.bytes={} with the topic's compression.type={}",
                           config_.message_bytes_max, wire::name_of(*config_.compression));
      }
      if (got == 0) {
        wire::finish_payload(out_, *config_.compression);
        wire::set_max_timestamp(out_, false, max_timestamp_);
        return true;
      }
      allowance -= std::min(allowance, got);
    }
    return false;
  }
  Bytes take() { return std::move(out_); }

 private:
  static constexpr size_t kPieceBytes = size_t{64} << 10;

  Recompression(const wire::BatchView& batch, const TopicConfig& config, int64_t max_timestamp,
                wire::BlockStream& stream, std::unique_ptr<wire::BlockWriter> writer)
      : config_(config),
        max_timestamp_(max_timestamp),
        stream_(stream),
        writer_(std::move(writer)),
        piece_(std::make_unique_for_overwrite<char[]>(kPieceBytes)),
        out_(batch.bytes().substr(0, wire::kBatchHeaderBytes)) {}

  const TopicConfig& config_;
  const int64_t max_timestamp_;
  wire::BlockStream& stream_;
  std::unique_ptr<wire::BlockWriter> writer_;
  std::unique_ptr<char[]> piece_;
  Bytes out_;
};

namespace {

Result<Admitted> rewritten(Bytes bytes) {
  Admitted out;
  out.rewritten = std::move(bytes);
  out.batch = MUIR_TRY(wire::BatchView::parse(out.rewritten));
  return out;
}

}  // namespace

Admission::Admission(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordWalk& walk,
                     AdmissionNotes& notes, size_t history_max)
    : records_(records), config_(config), now_ms_(now_ms), walk_(walk), notes_(notes), history_max_(history_max) {}

Admission::~Admission() { walk_.release_large(); }

Status Admission::begin() {
  begun_ = true;
  const BytesView only = MUIR_TRY(only_batch(records_.value_or(BytesView())));
  if (only.size() >= wire::kBatchHeaderBytes) MUIR_RETURN_IF_ERROR(check_unparsed(only));
  const auto batch = wire::BatchView::parse(only);
  if (!batch.ok()) return kafka_error(ErrorCode::corrupt_message, "{}", batch.status().message());
  batch_ = *batch;
  MUIR_RETURN_IF_ERROR(check_sizes(batch_, config_));
  if (const Status crc = batch_.check_crc(); !crc.ok()) {
    return kafka_error(ErrorCode::corrupt_message, "{}", crc.message());
  }
  MUIR_RETURN_IF_ERROR(check_header(batch_.header()));
  walk_.reset(batch_, history_max_);
  return {};
}

// Answers as Kafka does: the batch is refused as a whole, and each record that is to blame is named, so that a producer
// fails these and sends the others again (KIP-467). Of very many only the first are named; the producer will hear of
// the others when it sends what is left.
void Admission::look_at(const wire::RecordOutline& record) {
  const bool keyless = config_.compact && !record.has_key;
  if (!keyless && !out_of_range(record.timestamp, config_, now_ms_)) return;
  ++refused_;
  timestamps_refused_ = timestamps_refused_ || !keyless;
  if (notes_.refused.size() >= AdmissionNotes::kRefusedMax) return;
  const int32_t index = facts_.records - 1;
  if (keyless) {
    notes_.refused.push_back(
        {index, fmt::format("Compacted topic cannot accept message without key in topic partition {}-{}", notes_.topic,
                            notes_.partition)});
    return;
  }
  const int64_t after = config_.timestamp_after_ms_max;
  notes_.refused.push_back(
      {index,
       fmt::format("Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                   record.timestamp, record.offset, now_ms_ - config_.timestamp_before_ms_max,
                   after > INT64_MAX - now_ms_ ? INT64_MAX : now_ms_ + after)});
}

Status Admission::refusals() const {
  if (refused_ == 0) return {};
  if (timestamps_refused_) {
    return kafka_error(ErrorCode::invalid_timestamp, "One or more records have been rejected due to invalid timestamp");
  }
  constexpr size_t kShown = 3;
  std::string shown;
  for (size_t i = 0; i < std::min(kShown, notes_.refused.size()); ++i) {
    shown += fmt::format("{}RecordError(batchIndex={}, message='{}')", i == 0 ? "" : ", ", notes_.refused[i].index,
                         notes_.refused[i].why);
  }
  return kafka_error(ErrorCode::invalid_record,
                     "One or more records have been rejected due to {} record errors in total, and only showing the "
                     "first three errors at most: [{}]",
                     refused_, shown);
}

Result<bool> Admission::walk_some(size_t& allowance) {
  walk_.allow(allowance);
  const bool picky = config_.compact || !config_.log_append_time;
  wire::RecordOutline record;
  while (walk_.next(record)) {
    if (!facts_.add(batch_.header(), record)) {
      return kafka_error(ErrorCode::invalid_record, "{}", wire::offsets_not_contiguous().message());
    }
    if (picky) look_at(record);
  }
  allowance = walk_.allowance();
  if (walk_.paused()) return false;
  if (walk_.status().code() == Code::resource_exhausted && history_max_ < wire::kHistoryBytesMax) return walk_.status();
  // Not damage on the way: the checksum is right.
  if (!walk_.status().ok()) return kafka_error(ErrorCode::invalid_record, "{}", walk_.status().message());
  walked_ = true;
  MUIR_RETURN_IF_ERROR(refusals());
  return true;
}

// What is to be changed is changed in a copy.
Result<bool> Admission::finish(size_t& allowance) {
  const auto& header = batch_.header();
  if (config_.compression && *config_.compression != header.compression()) {
    if (recompression_ == nullptr) {
      recompression_ =
          MUIR_TRY(Recompression::make(batch_, config_, facts_.max_timestamp, walk_.stream(), history_max_));
    }
    if (!MUIR_TRY(recompression_->run(allowance))) return false;
    result_ = rewritten(recompression_->take());
  } else if (!config_.log_append_time && (facts_.max_timestamp != header.max_timestamp || header.log_append_time())) {
    Bytes copy(batch_.bytes());
    wire::set_max_timestamp(copy, false, facts_.max_timestamp);
    result_ = rewritten(std::move(copy));
  } else {
    result_ = Admitted{{}, batch_};
  }
  return true;
}

bool Admission::run(size_t& allowance) {
  if (result_) return true;
  const auto advance = [&]() -> Result<bool> {
    if (!begun_) MUIR_RETURN_IF_ERROR(begin());
    if (!walked_ && !MUIR_TRY(walk_some(allowance))) return false;
    return finish(allowance);
  };
  const auto done = advance();
  if (!done.ok()) result_ = done.status();
  return !done.ok() || *done;
}

bool Admission::needs_more_history() const {
  return result_ && result_->status().code() == Code::resource_exhausted && history_max_ < wire::kHistoryBytesMax;
}

Result<Admitted> admit(OptBytesView records, const TopicConfig& config, int64_t now_ms, wire::RecordWalk& walk,
                       AdmissionNotes& notes) {
  Admission admission(records, config, now_ms, walk, notes);
  size_t allowance = SIZE_MAX;
  while (!admission.run(allowance)) allowance = SIZE_MAX;
  return admission.take();
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
  wire::RecordWalk scratch;
  AdmissionNotes notes;
  const auto admitted = admit(bytes, config, 1000, scratch, notes);
  if (!admitted.ok()) return 0;
  const auto facts = wire::validate_produced_batch(admitted->batch, scratch);
  CHECK(facts.ok(), "a batch that was admitted is invalid: {}", hex(bytes));
  return 1;
}

}  // namespace muir::storage
