// What a peer sends packed: zlib's own output, for tests of those who unpack it.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace muir::testing {

// `window_bits` as zlib has them: 15 for zlib's form, -15 for bare deflate, 15 + 16 for gzip.
inline std::string deflated(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  const size_t size = stream.total_out;
  ::deflateEnd(&stream);
  return out.substr(0, size);
}

inline std::string gzipped(const std::string& text) { return deflated(text, 15 + 16); }

}  // namespace muir::testing
