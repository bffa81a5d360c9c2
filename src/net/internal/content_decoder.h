// ContentDecoder: a gzip or deflate body as it arrives, under a bound for what comes out of it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace muir::net {

// Owned by one thread.
class ContentDecoder {
 public:
  // Memory that one costs beside what it decodes (zlib's window).
  static constexpr size_t kOwnBytes = 48 * 1024;
  // For a Content-Encoding in lower case: "gzip", "x-gzip", "deflate" (with zlib's header or without); null: not known.
  static std::unique_ptr<ContentDecoder> make(std::string_view encoding);
  ~ContentDecoder();

  // Whether `out` may have room for so many bytes; asked before it grows.
  using Room = std::function<bool(size_t capacity)>;
  enum class Outcome : unsigned char { good, malformed, too_large, no_room };
  // Appends what `bytes` hold to `out`, which never exceeds `bytes_max`.
  Outcome feed(BytesView bytes, size_t bytes_max, const Room& room, Bytes& out);
  // Whether the data may end here.
  [[nodiscard]] bool complete() const;

 private:
  struct Impl;
  explicit ContentDecoder(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// Fuzz entry: the first byte chooses the coding, the rest is a body, whole and in pieces, which must give the same and
// stay within its bound. Returns 1 when it was one.
int fuzz_content_decoder(BytesView input);

}  // namespace muir::net
