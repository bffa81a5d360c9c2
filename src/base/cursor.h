// ByteReader and ByteWriter: bounded, big-endian cursors over bytes, with Kafka's and Avro's varints.
//
// A reader never reads past its end: it goes into a failed state in which every read yields zero or empty,
// so a decoder reads a whole structure and asks ok() once. Owned by one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/bytes.h"

namespace muir {

template <class T>
constexpr T to_big_endian(T value) {
  static_assert(std::is_integral_v<T>);
  if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  }
}

class ByteReader {
 public:
  explicit ByteReader(BytesView bytes) : begin_(bytes.data()), pos_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] size_t remaining() const { return static_cast<size_t>(end_ - pos_); }
  [[nodiscard]] size_t position() const { return static_cast<size_t>(pos_ - begin_); }
  [[nodiscard]] BytesView rest() const { return {pos_, remaining()}; }
  void fail() {
    failed_ = true;
    pos_ = end_;
  }

  // Fixed-width big-endian integer.
  template <class T>
  T be() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail();
      return T{};
    }
    T value;
    std::memcpy(&value, pos_, sizeof(T));
    pos_ += sizeof(T);
    return to_big_endian(value);
  }
  int8_t i8() { return be<int8_t>(); }
  uint8_t u8() { return be<uint8_t>(); }
  int16_t i16() { return be<int16_t>(); }
  uint16_t u16() { return be<uint16_t>(); }
  int32_t i32() { return be<int32_t>(); }
  uint32_t u32() { return be<uint32_t>(); }
  int64_t i64() { return be<int64_t>(); }
  double f64() { return std::bit_cast<double>(be<uint64_t>()); }

  // Unsigned LEB128; fails on more than 32 or 64 bits.
  uint32_t uvarint() {
    const uint64_t value = uvarlong_bits(5);
    if (value > UINT32_MAX) fail();
    return failed_ ? 0 : static_cast<uint32_t>(value);
  }
  uint64_t uvarlong() { return uvarlong_bits(10); }
  // Zigzag.
  int32_t varint() {
    const uint32_t v = uvarint();
    return static_cast<int32_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  int64_t varlong() {
    const uint64_t v = uvarlong();
    return static_cast<int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }

  // `n` bytes, borrowed from the input.
  BytesView bytes(size_t n) {
    if (remaining() < n) [[unlikely]] {
      fail();
      return {};
    }
    const BytesView out(pos_, n);
    pos_ += n;
    return out;
  }
  void skip(size_t n) { (void)bytes(n); }

 private:
  uint64_t uvarlong_bits(int bytes_max) {
    uint64_t value = 0;
    for (int i = 0; i < bytes_max; ++i) {
      if (pos_ == end_) [[unlikely]]
        break;
      const auto byte = static_cast<uint8_t>(*pos_++);
      if (i == 9 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  const char* begin_;
  const char* pos_;
  const char* end_;
  bool failed_ = false;
};

// Appends to a caller's buffer.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(&out) {}

  [[nodiscard]] size_t size() const { return out_->size(); }
  Bytes& out() { return *out_; }

  template <class T>
  void be(T value) {
    const T swapped = to_big_endian(value);
    out_->append(reinterpret_cast<const char*>(&swapped), sizeof(T));
  }
  void i8(int8_t v) { be(v); }
  void u8(uint8_t v) { be(v); }
  void i16(int16_t v) { be(v); }
  void u16(uint16_t v) { be(v); }
  void i32(int32_t v) { be(v); }
  void u32(uint32_t v) { be(v); }
  void i64(int64_t v) { be(v); }
  void f64(double v) { be(std::bit_cast<uint64_t>(v)); }
  void uvarint(uint32_t v) { uvarlong(v); }
  void uvarlong(uint64_t v) {
    while (v >= 0x80) {
      out_->push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    out_->push_back(static_cast<char>(v));
  }
  void varint(int32_t v) { uvarint((static_cast<uint32_t>(v) << 1) ^ static_cast<uint32_t>(v >> 31)); }
  void varlong(int64_t v) { uvarlong((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63)); }
  void bytes(BytesView v) { out_->append(v); }

  // Overwrites a big-endian integer written earlier, at byte `position` of the buffer.
  template <class T>
  void patch_be(size_t position, T value) {
    const T swapped = to_big_endian(value);
    std::memcpy(out_->data() + position, &swapped, sizeof(T));
  }

 private:
  Bytes* out_;
};

}  // namespace muir
