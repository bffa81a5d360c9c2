#include "streams/windows.h"

#include "base/cursor.h"

namespace muir::streams {

Status TimeWindows::validate() const {
  if (size.count() <= 0)
    return error(Code::invalid_argument, "time windows: size {} ms must be positive", size.count());
  if (advance_ms() <= 0 || advance_ms() > size.count()) {
    return error(Code::invalid_argument, "time windows: advance {} ms must be positive and at most the size, {} ms",
                 advance_ms(), size.count());
  }
  if (grace.count() < 0) return error(Code::invalid_argument, "time windows: grace {} ms is negative", grace.count());
  return {};
}

namespace internal {

Status WindowedSerde::serialize(std::string_view topic, const void* value, Bytes& out) const {
  auto* windowed = const_cast<void*>(value);  // the accessors serve both directions; nothing is written here
  MUIR_RETURN_IF_ERROR(inner_->serialize(topic, ops_->key(windowed), out));
  ByteWriter(out).i64(ops_->window(windowed)->start_ms);
  return {};
}

Status WindowedSerde::deserialize(std::string_view topic, BytesView bytes, void* out) const {
  if (bytes.size() < kWindowStartSize) {
    return error(Code::invalid_argument, "windowed key: {} bytes, need at least {}", bytes.size(), kWindowStartSize);
  }
  const size_t key_size = bytes.size() - kWindowStartSize;
  MUIR_RETURN_IF_ERROR(inner_->deserialize(topic, bytes.substr(0, key_size), ops_->key(out)));
  const int64_t start_ms = ByteReader(bytes.substr(key_size)).i64();
  const int64_t end_ms = size_ms_ == 0 || start_ms > INT64_MAX - size_ms_ ? INT64_MAX : start_ms + size_ms_;
  *ops_->window(out) = {start_ms, end_ms};
  return {};
}

int fuzz_windowed_key(BytesView bytes) {
  const auto serde = windowed_serde<std::string>(std::chrono::milliseconds(10));
  const auto key = serde.deserialize("t", bytes);
  if (!key.ok()) return 0;
  Bytes again;
  MUIR_CHECK(serde.serialize("t", *key, again).ok() && again == bytes,
             "windowed key {} does not survive its round trip", hex(bytes));
  return 1;
}

}  // namespace internal
}  // namespace muir::streams
