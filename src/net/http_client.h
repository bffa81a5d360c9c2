// HttpClient: blocking HTTP/1.1 client with keep-alive to one origin. Owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "net/tls.h"

namespace muir::net {

struct HttpClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  Bytes body;
};

struct HttpClientOptions {
  int64_t connect_timeout_ms = 5'000;
  int64_t request_timeout_ms = 30'000;
  size_t body_bytes_max = 64 * 1024 * 1024;
  std::shared_ptr<const TlsContext> tls{};  // of https URLs; null: what the system trusts
};

class HttpClient {
 public:
  // `base_url` is "http://host:port" or "https://host:port"; connects at the first request and again after the server
  // closed.
  static Result<std::unique_ptr<HttpClient>> create(const std::string& base_url, HttpClientOptions options = {});
  virtual ~HttpClient() = default;
  // `target` is path and query. A request whose connection the server had closed while idle is sent again once.
  // An answer that the server gives before it has read the body (413, 401) is the answer.
  virtual Result<HttpClientResponse> request(const std::string& method, const std::string& target, BytesView body = {},
                                             const std::vector<std::pair<std::string, std::string>>& headers = {}) = 0;
};

}  // namespace muir::net
