// HTTP/1.1 on the client's side, over Beast's parser: bytes in, whole responses out. Requests: http_request_parser.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

struct HttpMessage {
  std::string method;                                        // of a request
  std::string target;                                        // of a request, raw
  int status = 0;                                            // of a response
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  Bytes body;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool operator==(const HttpMessage&) const = default;
};

struct HttpLimits {
  size_t header_bytes_max = 16 * 1024;
  size_t body_bytes_max = 16 * 1024 * 1024;
};

// Parses one message; make another for the next. Owned by one thread.
class HttpParser {
 public:
  enum class Kind : unsigned char { response, response_to_head };
  enum class State : unsigned char { more, done, failed };

  HttpParser(Kind kind, HttpLimits limits);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  // Takes what it needs from the front of `bytes` and says how much that was. Bytes it did not take must be offered
  // again, followed by later ones.
  State feed(BytesView bytes, size_t& consumed);
  // The peer has closed: a response without a length is done.
  State finish();
  // After `failed`: a sentence that says why.
  [[nodiscard]] const std::string& error_message() const;
  HttpMessage take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Fuzz entry: arbitrary bytes as a response, whole and in pieces, which must give the same. Returns 1 when they were
// one.
int fuzz_http(BytesView input);

}  // namespace muir::net
