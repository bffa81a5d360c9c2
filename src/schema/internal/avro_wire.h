// The primitive encodings of Avro's binary format: zigzag varints, little-endian floating point, length-prefixed bytes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace muir::schema::avro {

static_assert(std::endian::native == std::endian::little,
              "Avro stores floating point little-endian, as this machine must");

inline void write_long(Bytes& out, int64_t value) {
  auto zigzag = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  if (zigzag < 0x80) {
    out.push_back(static_cast<char>(zigzag));
    return;
  }
  char buffer[10];
  size_t size = 0;
  for (; zigzag >= 0x80; zigzag >>= 7) buffer[size++] = static_cast<char>(zigzag | 0x80);
  buffer[size++] = static_cast<char>(zigzag);
  out.append(buffer, size);
}

inline void write_bytes(Bytes& out, BytesView bytes) {
  write_long(out, static_cast<int64_t>(bytes.size()));
  out.append(bytes);
}

template <class T>
void write_raw(Bytes& out, T value) {
  char buffer[sizeof(T)];
  std::memcpy(buffer, &value, sizeof(T));
  out.append(buffer, sizeof(T));
}
inline void write_float(Bytes& out, float value) { write_raw(out, value); }
inline void write_double(Bytes& out, double value) { write_raw(out, value); }

// A bounded cursor for the decoder's inner loop. After a failed read the position is unspecified: stop at once.
struct WireCursor {
  const char* pos;
  const char* end;

  explicit WireCursor(BytesView bytes) : pos(bytes.data()), end(bytes.data() + bytes.size()) {}

  [[nodiscard]] size_t remaining() const { return static_cast<size_t>(end - pos); }

  bool read_long(int64_t& value) {
    if (pos == end) [[unlikely]]
      return false;
    uint64_t bits = static_cast<unsigned char>(*pos++);
    if (bits >= 0x80) {
      bits &= 0x7F;
      for (unsigned shift = 7;; shift += 7) {
        if (pos == end || shift > 63) [[unlikely]]
          return false;
        const auto byte = static_cast<unsigned char>(*pos++);
        if (shift == 63 && byte > 1) [[unlikely]]
          return false;  // more than 64 bits
        bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80) break;
      }
    }
    value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    return true;
  }
  bool read_int(int32_t& value) {
    const char* start = pos;
    int64_t wide = 0;
    if (!read_long(wide) || pos - start > 5 || wide < INT32_MIN || wide > INT32_MAX) [[unlikely]]
      return false;
    value = static_cast<int32_t>(wide);
    return true;
  }
  bool read_size(size_t& size) {  // a length within what is left
    int64_t value = 0;
    if (!read_long(value) || value < 0 || static_cast<uint64_t>(value) > remaining()) [[unlikely]]
      return false;
    size = static_cast<size_t>(value);
    return true;
  }
  bool read_bytes(BytesView& bytes) {
    size_t size = 0;
    if (!read_size(size)) [[unlikely]]
      return false;
    bytes = BytesView(pos, size);
    pos += size;
    return true;
  }
  template <class T>
  bool read_raw(T& value) {
    if (remaining() < sizeof(T)) [[unlikely]]
      return false;
    std::memcpy(&value, pos, sizeof(T));
    pos += sizeof(T);
    return true;
  }
};

}  // namespace muir::schema::avro
