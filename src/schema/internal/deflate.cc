#include "schema/internal/deflate.h"

#include <zlib.h>

#include <algorithm>

namespace muir::schema::internal {
namespace {

constexpr int kRawWindowBits = -15;  // no zlib header or checksum

Bytef* input_of(BytesView bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

}  // namespace

Result<Bytes> deflate_bytes(BytesView bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return error(Code::resource_exhausted, "deflate: out of memory");
  }
  Bytes out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = input_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return error(Code::internal, "deflate: zlib says {}", result);
  return out;
}

Result<Bytes> inflate_bytes(BytesView bytes, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, kRawWindowBits) != Z_OK) return error(Code::resource_exhausted, "inflate: out of memory");
  stream.next_in = input_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  Bytes out;
  int result = Z_OK;
  while (result == Z_OK && out.size() <= bytes_max) {
    const size_t at = out.size();
    out.resize(at + std::max<size_t>(4096, bytes.size() * 2));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + at);
    stream.avail_out = static_cast<uInt>(out.size() - at);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > bytes_max) return error(Code::resource_exhausted, "inflate: more than {} bytes", bytes_max);
  if (result != Z_STREAM_END)
    return error(Code::data_loss, "inflate: the compressed bytes are damaged (zlib says {})", result);
  return out;
}

}  // namespace muir::schema::internal
