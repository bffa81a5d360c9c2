#include "wire/record_stream.h"

#include <algorithm>
#include <cstring>

#include "wire/error_code.h"
#include "wire/internal/record_parse.h"

namespace muir::wire {
namespace {

constexpr size_t kWindowBytes = size_t{64} << 10;
constexpr size_t kVarintBytes = 5;
constexpr size_t kVarlongBytes = 10;

}  // namespace

void RecordStream::reset(const BatchView& batch, size_t key_bytes_max) {
  header_ = batch.header();
  key_bytes_max_ = key_bytes_max;
  left_ = header_.record_count;
  body_left_ = 0;
  begin_ = end_ = 0;
  ended_ = false;
  status_ = {};
  if (window_ == nullptr) window_ = std::make_unique_for_overwrite<char[]>(kWindowBytes);
  plain_ = header_.compression() == Compression::none ? batch.payload() : BytesView();
  if (header_.compression() != Compression::none) stream_.open(header_.compression(), batch.payload());
}

bool RecordStream::fail(const char* why) {
  left_ = 0;
  body_left_ = 0;
  if (status_.ok())
    status_ = Status(Code::data_loss, fmt::format("record batch: at offset {}: {}", header_.base_offset, why),
                     kafka(ErrorCode::corrupt_message));
  return false;
}

// Sees to it that so many bytes, or all that are left, are in the window. False on damage.
bool RecordStream::fill(size_t bytes) {
  while (end_ - begin_ < bytes && !ended_) {
    std::memmove(window_.get(), window_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    size_t got = 0;
    if (header_.compression() == Compression::none) {
      got = plain_.copy(window_.get() + end_, kWindowBytes - end_);
      plain_.remove_prefix(got);
    } else {
      const auto read = stream_.read(window_.get() + end_, kWindowBytes - end_);
      if (!read.ok()) {
        status_ = Status(read.status().code(), read.status().message(), kafka(ErrorCode::corrupt_message));
        return fail("");
      }
      got = *read;
    }
    end_ += got;
    ended_ = got == 0;
  }
  return true;
}

bool RecordStream::read_into(Bytes& out, size_t bytes) {
  while (bytes > 0) {
    if (!fill(1)) return false;
    const size_t n = std::min(bytes, end_ - begin_);
    if (n == 0) return fail("truncated record");
    out.append(window_.get() + begin_, n);
    begin_ += n;
    bytes -= n;
  }
  return true;
}

bool RecordStream::skip(size_t bytes) {
  while (bytes > 0) {
    if (!fill(1)) return false;
    const size_t n = std::min(bytes, end_ - begin_);
    if (n == 0) return fail("truncated record");
    begin_ += n;
    bytes -= n;
  }
  return true;
}

bool RecordStream::varint(int32_t& value, Bytes* raw) {
  if (!fill(kVarintBytes)) return false;
  ByteReader reader(BytesView(window_.get() + begin_, std::min(end_ - begin_, kVarintBytes)));
  value = reader.varint();
  if (!reader.ok()) return fail("malformed record");
  if (raw != nullptr) raw->append(window_.get() + begin_, reader.position());
  begin_ += reader.position();
  return true;
}

bool RecordStream::next(Head& head) {
  if (!skip(std::exchange(body_left_, 0))) return false;
  if (!status_.ok()) return false;
  if (left_ == 0) {
    if (!fill(1)) return false;
    return begin_ == end_ ? false : fail("bytes after the last record");
  }
  int32_t length = 0;
  if (!varint(length, nullptr)) return false;
  if (length < 1) return fail("malformed record");
  body_left_ = static_cast<size_t>(length);
  if (!read_head(head)) return false;
  --left_;
  return true;
}

// From the record's attributes to the length of its value.
bool RecordStream::read_head(Head& head) {
  if (!fill(1 + kVarlongBytes)) return false;
  ByteReader numbers(BytesView(window_.get() + begin_, std::min({end_ - begin_, body_left_, 1 + kVarlongBytes})));
  (void)numbers.i8();  // attributes: unused
  const int64_t timestamp_delta = numbers.varlong();
  if (!numbers.ok()) return fail("malformed record");
  begin_ += numbers.position();
  body_left_ -= numbers.position();
  head.rest_bytes = body_left_;
  front_.clear();
  int32_t offset_delta = 0;
  int32_t key_length = -1;
  int32_t value_length = -1;
  if (!varint(offset_delta, &front_) || !varint(key_length, &front_)) return false;
  key_at_ = front_.size();
  if (key_length > 0 && static_cast<size_t>(key_length) > body_left_) return fail("malformed record");
  if (key_length > 0 && static_cast<size_t>(key_length) > key_bytes_max_) {
    status_ = muir::error(Code::resource_exhausted, "record batch: at offset {}: a key of {} bytes",
                          header_.base_offset + offset_delta, key_length);
    return fail("");
  }
  if (key_length > 0 && !read_into(front_, static_cast<size_t>(key_length))) return false;
  if (!varint(value_length, &front_)) return false;
  const size_t front = front_.size();
  if (key_length < -1 || value_length < -1 || front > body_left_) return fail("malformed record");
  body_left_ -= front;
  if (value_length > 0 && static_cast<size_t>(value_length) > body_left_) return fail("malformed record");
  if (offset_delta < 0 || offset_delta > header_.last_offset_delta) return fail("offset outside the batch");
  head.offset = header_.base_offset + offset_delta;
  head.timestamp = record_timestamp(header_, timestamp_delta);
  head.key.reset();
  if (key_length >= 0) head.key = BytesView(front_).substr(key_at_, static_cast<size_t>(key_length));
  head.has_value = value_length >= 0;
  return true;
}

Status RecordStream::copy_rest(const std::function<Status(BytesView)>& to) {
  MUIR_RETURN_IF_ERROR(to(front_));
  while (body_left_ > 0) {
    if (!fill(1)) return status_;
    const size_t n = std::min(body_left_, end_ - begin_);
    if (n == 0) {
      (void)fail("truncated record");
      return status_;
    }
    MUIR_RETURN_IF_ERROR(to(BytesView(window_.get() + begin_, n)));
    begin_ += n;
    body_left_ -= n;
  }
  return {};
}

}  // namespace muir::wire
