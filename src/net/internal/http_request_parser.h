// HttpRequestParser: bytes in, one whole request out. The server's side; HttpParser is the client's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "net/internal/content_decoder.h"
#include "net/internal/http_request_head.h"

namespace muir::net {

struct HttpRequestLimits {
  size_t header_bytes_max = 16 * 1024;       // also of what is between the chunks of a body and after them
  size_t body_bytes_max = 16 * 1024 * 1024;  // as it arrives, and again when it is decoded
};

// Parses one request; make another for the next. Owned by one thread.
class HttpRequestParser {
 public:
  enum class State : unsigned char { more, done, failed };
  // Whether the request may hold so many bytes in all; asked before it grows.
  using Room = std::function<bool(size_t held)>;

  HttpRequestParser(HttpRequestLimits limits, Room room) : limits_(limits), room_(std::move(room)) {}

  // Takes what it needs from the front of `bytes` and says how much that was. Bytes it did not take must be offered
  // again, followed by later ones.
  State feed(BytesView bytes, size_t& consumed);
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool header_done() const { return step_ > Step::fields; }
  // Once, after the header of a request that waits for "100 Continue" before it sends its body.
  bool wants_continue();
  // Of the body, or of the chunk of it, that has been announced.
  [[nodiscard]] size_t bytes_to_come() const { return header_done() ? left_ : 0; }
  [[nodiscard]] size_t body_bytes() const { return wire_bytes_; }  // that have arrived
  // After `failed`: the status that says why, and a sentence.
  [[nodiscard]] const HttpRefusal& refusal() const { return *refusal_; }
  // After `done`: the body is decoded, and Content-Encoding is gone from the headers.
  HttpMessage take();

 private:
  enum class Step : unsigned char { request_line, fields, body, chunk_size, chunk_data, chunk_end, trailers, done };

  void fail(int status, std::string message);
  // The next line, without its end. Nothing when it is not whole, or after a failure.
  std::optional<BytesView> take_line(BytesView& bytes, size_t bytes_max);
  // One step; false when more bytes are needed, or after a failure.
  bool advance(BytesView& bytes);
  // False when more bytes are needed, or after a failure.
  bool skip_empty_lines(BytesView& bytes);
  bool read_head_line(BytesView& bytes);
  void end_head();
  bool read_data(BytesView& bytes, Step next);
  bool read_chunk_size(BytesView& bytes);
  bool read_chunk_end(BytesView& bytes);
  bool read_trailer(BytesView& bytes);
  void append(BytesView data);
  void append_plain(BytesView data);
  void end_body();
  [[nodiscard]] bool room_for(size_t body_capacity) const;

  const HttpRequestLimits limits_;
  const Room room_;
  Step step_ = Step::request_line;
  bool started_ = false;
  bool continue_answered_ = false;
  HttpMessage message_;
  HttpFraming framing_;
  int empty_lines_ = 0;  // before the request line
  size_t header_bytes_ = 0;
  size_t between_bytes_ = 0;  // chunk extensions and trailers
  size_t left_ = 0;           // of the body or chunk
  size_t wire_bytes_ = 0;
  std::unique_ptr<ContentDecoder> decoder_;
  std::optional<HttpRefusal> refusal_;
};

// Fuzz entry: arbitrary bytes as a request, whole and in pieces, which must give the same; what was accepted, written
// anew in the plainest form, is the same request. Returns 1 for a request.
int fuzz_http_request(BytesView input);

}  // namespace muir::net
