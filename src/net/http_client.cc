#include "net/http_client.h"

#include <optional>

#include "base/clock.h"
#include "net/internal/blocking_socket.h"
#include "net/internal/http_parser.h"
#include "net/url.h"

namespace muir::net {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kHeaderBytesMax = 64 * 1024;

class Client final : public HttpClient {
 public:
  Client(Url url, HttpClientOptions options) : url_(std::move(url)), options_(std::move(options)) {}

  Result<HttpClientResponse> request(const std::string& method, const std::string& target, BytesView body,
                                     const std::vector<std::pair<std::string, std::string>>& headers) override {
    const int64_t deadline_ms = system_clock().steady_ms() + options_.request_timeout_ms;
    const Bytes head = make_head(method, target, body, headers);
    bool reused = socket_ != nullptr;
    if (reused && socket_->stale()) {
      socket_.reset();
      reused = false;
    }
    bool answered = false;
    auto response = exchange(method, head, body, deadline_ms, answered);
    // The server may have closed the idle connection just as the request left: nothing was answered, so once more.
    if (!response.ok() && reused && !answered && response.status().code() == Code::unavailable) {
      response = exchange(method, head, body, deadline_ms, answered);
    }
    if (!response.ok())
      return response.status().annotate(
          fmt::format("{} {}://{}:{}{}", method, options_.tls ? "https" : "http", url_.host, url_.port, target));
    return response;
  }

 private:
  Bytes make_head(const std::string& method, const std::string& target, BytesView body,
                  const std::vector<std::pair<std::string, std::string>>& headers) const {
    const std::string prefix = url_.target == "/" ? "" : url_.target;
    Bytes head = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", method, prefix, target, authority_of(url_));
    if (!body.empty() || method == "POST" || method == "PUT")
      head += fmt::format("Content-Length: {}\r\n", body.size());
    for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
    head += "\r\n";
    return head;
  }

  Result<HttpClientResponse> exchange(const std::string& method, BytesView head, BytesView body, int64_t deadline_ms,
                                      bool& answered) {
    if (!socket_)
      socket_ = MUIR_TRY(BlockingSocket::connect(url_.host, url_.port, options_.connect_timeout_ms, options_.tls));
    auto response = exchange_connected(method, head, body, deadline_ms, answered);
    if (!response.ok()) socket_.reset();
    return response;
  }

  Result<HttpClientResponse> exchange_connected(const std::string& method, BytesView head, BytesView body,
                                                int64_t deadline_ms, bool& answered) {
    const BytesView parts[] = {head, body};
    const Status written = socket_->write_all(parts, deadline_ms);
    if (written.ok()) return read_answer(method, deadline_ms, answered);
    // A server that refuses a request (413, 401) may say so before it has read the body, and end the connection.
    const bool late = written.code() == Code::timed_out;
    if (!late && written.code() != Code::unavailable) return written;
    auto refusal = read_answer(method, late ? system_clock().steady_ms() : deadline_ms, answered);
    if (!refusal.ok() || refusal->status < 400) return written;
    socket_.reset();
    return refusal;
  }

  Result<HttpClientResponse> read_answer(const std::string& method, int64_t deadline_ms, bool& answered) {
    const auto kind = method == "HEAD" ? HttpParser::Kind::response_to_head : HttpParser::Kind::response;
    const HttpLimits limits{.header_bytes_max = kHeaderBytesMax, .body_bytes_max = options_.body_bytes_max};
    std::optional<HttpParser> parser(std::in_place, kind, limits);
    Bytes buffer;
    for (;;) {
      size_t consumed = 0;
      HttpParser::State state = parser->feed(buffer, consumed);
      buffer.erase(0, consumed);
      bool closed = false;
      if (state == HttpParser::State::more) {
        const Result<bool> more = read_more(buffer, deadline_ms, answered);
        if (!more.ok()) return more.status();
        if (*more) continue;
        if (answered && socket_->truncated())  // RFC 9112, 9.8: the end of such an answer is not to be believed
          return error(Code::data_loss, "the connection was cut before the end of the answer");
        closed = true;
        state = parser->finish();
      }
      if (state == HttpParser::State::failed) {
        return error(answered ? Code::data_loss : Code::unavailable, "malformed answer: {}", parser->error_message());
      }
      HttpMessage message = parser->take();
      if (message.status >= 100 && message.status < 200) {  // an interim answer
        parser.emplace(kind, limits);
        continue;
      }
      if (closed || !message.keep_alive) socket_.reset();
      return HttpClientResponse{
          .status = message.status, .headers = std::move(message.headers), .body = std::move(message.body)};
    }
  }

  // False when the server has closed.
  Result<bool> read_more(Bytes& buffer, int64_t deadline_ms, bool& answered) {
    const size_t had = buffer.size();
    buffer.resize(had + kReadBytes);
    const Result<size_t> n = socket_->read_some({buffer.data() + had, kReadBytes}, deadline_ms);
    buffer.resize(had + (n.ok() ? *n : 0));
    if (n.ok()) {
      answered = true;
      return true;
    }
    if (n.status().code() == Code::unavailable) return false;
    return n.status();
  }

  const Url url_;
  const HttpClientOptions options_;
  std::unique_ptr<BlockingSocket> socket_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::create(const std::string& base_url, HttpClientOptions options) {
  const bool secure = base_url.starts_with("https://");
  Url url = MUIR_TRY(secure ? parse_url(base_url, "https://", 443) : parse_url(base_url, "http://", 80));
  if (!secure) options.tls = nullptr;
  if (secure && !options.tls) options.tls = MUIR_TRY(TlsContext::client());
  while (url.target.size() > 1 && url.target.ends_with('/')) url.target.pop_back();
  return std::unique_ptr<HttpClient>(std::make_unique<Client>(std::move(url), std::move(options)));
}

}  // namespace muir::net
