#include "wire/record_walk.h"

#include <algorithm>
#include <cstring>

#include "wire/error_code.h"
#include "wire/internal/record_parse.h"

namespace muir::wire {
namespace {

constexpr size_t kVarintBytes = 5;
// The numbers at the start of a record: attributes, timestamp, offset and the key's length.
constexpr size_t kNumbersBytes = 1 + 10 + kVarintBytes + kVarintBytes;

Status invalid(std::string_view why) {
  return Status(Code::invalid_argument, fmt::format("record batch: {}", why), kafka(ErrorCode::invalid_record));
}

}  // namespace

void RecordWalk::reset(const BatchView& batch, size_t history_max) {
  header_ = batch.header();
  left_ = header_.record_count;
  status_ = {};
  paused_ = false;
  allowance_ = SIZE_MAX;
  part_ = Part::none;
  const BytesView payload = batch.payload();
  // Compaction may leave the codec in the header of a batch that it has emptied: then there is no block.
  ended_ = header_.compression() == Compression::none || (payload.empty() && left_ == 0);
  if (ended_) {
    begin_ = payload.data();
    end_ = begin_ + payload.size();
    return;
  }
  if (window_ == nullptr) window_ = std::make_unique_for_overwrite<char[]>(kWindowBytes);
  begin_ = end_ = window_.get();
  stream_.open(header_.compression(), payload, history_max);
}

bool RecordWalk::fail(const char* why) {
  left_ = 0;
  part_ = Part::none;
  status_ = Status(Code::data_loss, fmt::format("record batch: at offset {}: {}", header_.base_offset, why),
                   kafka(ErrorCode::corrupt_message));
  return false;
}

// Makes room in the window and fills it. False on damage and for a pause.
bool RecordWalk::fill() {
  if (allowance_ == 0) {
    paused_ = true;
    return false;
  }
  const auto kept = static_cast<size_t>(end_ - begin_);
  std::memmove(window_.get(), begin_, kept);
  begin_ = window_.get();
  const size_t room = kWindowBytes - kept;
  const auto got = stream_.read(window_.get() + kept, room);
  if (!got.ok()) {
    (void)fail("");
    const bool damage = got.status().code() == Code::data_loss;
    status_ = Status(damage ? Code::data_loss : got.status().code(), got.status().message(),
                     kafka(ErrorCode::corrupt_message));
    return false;
  }
  end_ = begin_ + kept + *got;
  ended_ = *got < room;
  if (allowance_ != SIZE_MAX) allowance_ -= std::min(allowance_, *got);
  return true;
}

bool RecordWalk::at_end() {
  if (!status_.ok()) return false;
  if (begin_ == end_ && !ended_ && !fill()) return false;
  return begin_ == end_ ? false : fail("bytes after the last record");
}

bool RecordWalk::next(RecordOutline& record) {
  paused_ = false;
  if (part_ != Part::none) return walk_large(record);
  if (left_ == 0) return at_end();
  for (;;) {
    const BytesView there(begin_, static_cast<size_t>(end_ - begin_));
    ByteReader reader(there);
    const int32_t length = reader.varint();
    if (reader.ok() && length >= 0) {
      const auto size = static_cast<size_t>(length);
      if (size <= reader.remaining()) {
        const BytesView body = reader.bytes(size);
        begin_ = body.data() + size;
        const char* why = read_outline(ByteReader(body), header_, record);
        if (why != nullptr) return fail(why);
        --left_;
        return true;
      }
      if (size > kWindowBytes - kVarintBytes && !ended_) {
        begin_ = end_ - reader.remaining();
        part_ = Part::start;
        body_left_ = size;
        skip_left_ = 0;
        return walk_large(record);
      }
    } else if (there.size() >= kVarintBytes) {
      return fail("truncated record");
    }
    if (ended_) return fail("truncated record");
    if (!fill()) return false;
  }
}

bool RecordWalk::skip() {
  for (;;) {
    const size_t n = std::min(skip_left_, static_cast<size_t>(end_ - begin_));
    begin_ += n;
    skip_left_ -= n;
    if (skip_left_ == 0) return true;
    if (ended_) return fail("truncated record");
    if (!fill()) return false;
  }
}

bool RecordWalk::walk_large(RecordOutline& record) {
  for (;;) {
    if (!skip()) return false;
    if (part_ == Part::end) return finish_large(record);
    const size_t wanted = std::min(kNumbersBytes, body_left_);
    while (static_cast<size_t>(end_ - begin_) < wanted) {
      if (ended_) return fail("truncated record");
      if (!fill()) return false;
    }
    if (!read_numbers()) return fail("malformed record");
  }
}

// The numbers at the current place of a large record, and where the next ones are.
bool RecordWalk::read_numbers() {
  const size_t there = std::min({kNumbersBytes, body_left_, static_cast<size_t>(end_ - begin_)});
  ByteReader numbers(BytesView(begin_, there));
  int32_t length = -1;
  switch (part_) {
    case Part::start:
      (void)numbers.i8();  // attributes: unused
      timestamp_delta_ = numbers.varlong();
      offset_delta_ = numbers.varint();
      length = numbers.varint();
      has_key_ = length != -1;
      part_ = Part::value;
      break;
    case Part::value:
      length = numbers.varint();
      part_ = Part::headers;
      break;
    case Part::headers:
      headers_left_ = numbers.varint();
      if (headers_left_ < 0) return false;
      part_ = headers_left_ > 0 ? Part::header_key : Part::end;
      break;
    case Part::header_key:
      length = numbers.varint();
      if (length < 0) return false;
      part_ = Part::header_value;
      break;
    case Part::header_value:
      length = numbers.varint();
      part_ = --headers_left_ > 0 ? Part::header_key : Part::end;
      break;
    default: return false;
  }
  if (!numbers.ok() || length < -1) return false;
  begin_ += numbers.position();
  body_left_ -= numbers.position();
  skip_left_ = static_cast<size_t>(std::max(length, 0));
  if (skip_left_ > body_left_) return false;
  body_left_ -= skip_left_;
  return true;
}

bool RecordWalk::finish_large(RecordOutline& record) {
  if (body_left_ != 0) return fail("malformed record");
  if (offset_delta_ < 0 || offset_delta_ > header_.last_offset_delta) return fail("offset outside the batch");
  record = {header_.base_offset + offset_delta_, record_timestamp(header_, timestamp_delta_), has_key_};
  part_ = Part::none;
  --left_;
  return true;
}

Status offsets_not_contiguous() { return invalid("offsets are not contiguous"); }

Status check_produced_header(const BatchView& batch) {
  const BatchHeader& h = batch.header();
  MUIR_RETURN_IF_ERROR(batch.check_crc());
  if (h.control()) return invalid("clients may not write control batches");
  if (h.record_count == 0 || h.last_offset_delta != h.record_count - 1) return offsets_not_contiguous();
  if (h.has_producer_id() && h.base_sequence < 0) return invalid("a producer id without a sequence number");
  return {};
}

Result<BatchFacts> validate_produced_batch(const BatchView& batch, RecordWalk& scratch) {
  MUIR_RETURN_IF_ERROR(check_produced_header(batch));
  scratch.reset(batch);
  BatchFacts facts;
  RecordOutline record;
  while (scratch.next(record)) {
    if (!facts.add(batch.header(), record)) return offsets_not_contiguous();
  }
  MUIR_RETURN_IF_ERROR(scratch.status());
  return facts;
}

}  // namespace muir::wire
