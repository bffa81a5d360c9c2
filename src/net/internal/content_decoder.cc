#include "net/internal/content_decoder.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace muir::net {
namespace {

constexpr int kGzipBits = 15 + 16;
constexpr int kZlibBits = 15;
constexpr int kRawBits = -15;
constexpr size_t kFirstBytes = 4096;

// RFC 1950, 2.2: whether the data begin with zlib's header, as RFC 9110 wants it. Some clients send none.
bool has_zlib_header(unsigned char cmf, unsigned char flags) {
  return (cmf & 0x0f) == Z_DEFLATED && (cmf * 256 + flags) % 31 == 0;
}

}  // namespace

struct ContentDecoder::Impl {
  explicit Impl(bool of_gzip) : gzip(of_gzip) {}
  ~Impl() {
    if (begun) ::inflateEnd(&stream);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void begin(int bits) {
    MUIR_CHECK(::inflateInit2(&stream, bits) == Z_OK, "zlib");
    begun = true;
  }

  // Room for at least one more byte of `out`.
  static bool grow(size_t bytes_max, const Room& room, Bytes& out) {
    if (out.size() < out.capacity()) return true;
    const size_t capacity = std::min(bytes_max, std::max(kFirstBytes, out.capacity() * 2));
    if (!room(capacity)) return false;
    out.reserve(capacity);
    return true;
  }

  // One call of zlib, into what `out` has room for.
  int step(size_t bytes_max, Bytes& out) {
    const size_t had = out.size();
    const size_t space = std::min(out.capacity(), bytes_max) - had;
    out.resize(had + space);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = static_cast<uInt>(space);
    const int code = ::inflate(&stream, Z_NO_FLUSH);
    out.resize(had + space - stream.avail_out);
    return code;
  }

  // At the bound one more byte tells whether the data end here.
  int probe(bool& beyond) {
    Bytef byte = 0;
    stream.next_out = &byte;
    stream.avail_out = 1;
    const int code = ::inflate(&stream, Z_NO_FLUSH);
    beyond = stream.avail_out == 0;
    return code;
  }

  // The input of `stream`, or up to the end of its member.
  Outcome inflate_input(size_t bytes_max, const Room& room, Bytes& out) {
    for (;;) {
      bool beyond = false;
      int code = Z_OK;
      if (out.size() == bytes_max) {
        code = probe(beyond);
      } else {
        if (!grow(bytes_max, room, out)) return Outcome::no_room;
        code = step(bytes_max, out);
      }
      if (beyond) return Outcome::too_large;
      if (code == Z_STREAM_END) {
        ended = true;
        return Outcome::good;
      }
      if (code != Z_OK && code != Z_BUF_ERROR) return Outcome::malformed;
      // With room left zlib has given all it can.
      if (stream.avail_in == 0 && stream.avail_out > 0) return Outcome::good;
    }
  }

  // Sets zlib up for what `bytes` begin with; false when more of them are needed. `joined` holds what `bytes` may view.
  bool begin_with(BytesView& bytes, Bytes& joined) {
    if (begun) return true;
    if (gzip) {
      begin(kGzipBits);
      return true;
    }
    if (bytes.empty()) return false;
    if (first_byte) {
      joined = *first_byte + Bytes(bytes);
      bytes = joined;
    } else if (bytes.size() == 1) {
      first_byte = bytes[0];
      return false;
    }
    const auto byte = [&bytes](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    begin(has_zlib_header(byte(0), byte(1)) ? kZlibBits : kRawBits);
    return true;
  }

  const bool gzip;
  z_stream stream{};
  bool begun = false;
  bool ended = false;              // at the end of a gzip member, or of the data
  std::optional<char> first_byte;  // of deflate, until the second tells which kind it is
};

ContentDecoder::ContentDecoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ContentDecoder::~ContentDecoder() = default;

std::unique_ptr<ContentDecoder> ContentDecoder::make(std::string_view encoding) {
  const bool gzip = encoding == "gzip" || encoding == "x-gzip";
  if (!gzip && encoding != "deflate") return nullptr;
  return std::unique_ptr<ContentDecoder>(new ContentDecoder(std::make_unique<Impl>(gzip)));
}

bool ContentDecoder::complete() const { return impl_->ended; }

ContentDecoder::Outcome ContentDecoder::feed(BytesView bytes, size_t bytes_max, const Room& room, Bytes& out) {
  Impl& my = *impl_;
  Bytes joined;
  if (!my.begin_with(bytes, joined)) return Outcome::good;
  while (!bytes.empty()) {
    if (my.ended) {  // of gzip another member may follow (RFC 1952, 2.2)
      if (!my.gzip) return Outcome::malformed;
      ::inflateReset(&my.stream);
      my.ended = false;
    }
    my.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    my.stream.avail_in = static_cast<uInt>(bytes.size());
    if (const Outcome outcome = my.inflate_input(bytes_max, room, out); outcome != Outcome::good) return outcome;
    bytes.remove_prefix(bytes.size() - my.stream.avail_in);
  }
  return Outcome::good;
}

namespace {

std::optional<Bytes> decode_in_pieces(std::string_view encoding, BytesView input, size_t piece) {
  constexpr size_t kOutMax = 4096;
  const auto decoder = ContentDecoder::make(encoding);
  Bytes out;
  size_t room = 0;
  for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    const auto outcome = decoder->feed(
        input.substr(0, piece), kOutMax,
        [&](size_t capacity) {
          room = capacity;
          return true;
        },
        out);
    MUIR_CHECK(out.size() <= kOutMax && out.size() <= std::max(room, Bytes().capacity()),
               "more than there was room for");
    if (outcome != ContentDecoder::Outcome::good) return std::nullopt;
  }
  return decoder->complete() ? std::optional(out) : std::nullopt;
}

}  // namespace

int fuzz_content_decoder(BytesView input) {
  if (input.empty()) return 0;
  const std::string_view encoding = (input[0] & 1) != 0 ? "deflate" : "gzip";
  input.remove_prefix(1);
  const auto whole = decode_in_pieces(encoding, input, std::max<size_t>(input.size(), 1));
  MUIR_CHECK(whole == decode_in_pieces(encoding, input, 3), "a body depends on how it arrives: {}", hex(input));
  return whole ? 1 : 0;
}

}  // namespace muir::net
