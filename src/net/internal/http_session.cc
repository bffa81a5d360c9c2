#include "net/internal/http_session.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "net/internal/cross_origin.h"
#include "net/internal/error_response.h"
#include "net/internal/http_parser.h"
#include "net/internal/request_id.h"
#include "net/url.h"

namespace muir::net {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr char kTlsHandshake = 22;  // the type of a TLS client's first record
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 207: return "Multi-Status";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date() {
  const auto now = static_cast<std::time_t>(system_clock().now_ms() / 1000);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char out[40];
  return {out, std::strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

// A value must not begin a header of its own.
std::string one_line(std::string_view value) {
  std::string out(value);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return out;
}

bool names_token(std::string_view list, std::string_view token) {
  std::string lower(list);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower.find(token) != std::string::npos;
}

// Separates path and query; drops scheme and host of an absolute target. Nothing when the path is malformed.
bool split_target(std::string_view target, HttpRequest& request) {
  if (const size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const size_t end = std::min(target.find_first_of("?#"), target.size());
  request.raw_path = target.substr(0, end);
  if (end < target.size() && target[end] == '?') {
    const std::string_view query = target.substr(end + 1);
    request.query = query.substr(0, query.find('#'));
  }
  auto decoded = percent_decode(request.raw_path);
  if (!decoded) return false;
  request.path = std::move(*decoded);
  return true;
}

class Session final : public HttpConnection, public StreamEvents, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<TcpStream> stream, HttpDispatcher& dispatcher, const HttpServerOptions& options)
      : stream_(std::move(stream)), dispatcher_(dispatcher), options_(options), origins_(options.allowed_origins) {
    begin_request();
  }

  void start() override {
    stream_->set_events(shared_from_this());
    stream_->read();
  }

  void check_idle() override {
    stream_->post([self = shared_from_this()] { self->check_deadline(); });
  }

  // ---- StreamEvents
  std::span<char> read_buffer() override {
    const size_t had = end_;
    if (buffer_.size() < had + kReadBytes / 4) buffer_.resize(had + kReadBytes);
    return {buffer_.data() + had, buffer_.size() - had};
  }
  void on_read(size_t n) override {
    end_ += n;
    if (parser_->header_done() || end_ == n) extend_deadline();  // a header must be whole in time; a body must go on
    process();
  }
  void on_closed() override { closed_ = true; }

 private:
  // Belongs to one request. Lets go of a session that is gone.
  class Responder final : public HttpResponder {
   public:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    // `headers` are added to every answer.
    Responder(std::weak_ptr<Session> session, bool keep_alive, bool http_1_0, bool head_only, Headers headers)
        : session_(std::move(session)),
          keep_alive_(keep_alive),
          http_1_0_(http_1_0),
          head_only_(head_only),
          headers_(std::move(headers)) {}
    ~Responder() override {
      if (!answered_) respond(error_response(500, "the request was dropped"));
    }
    void respond(HttpResponse response) override {
      if (answered_.exchange(true)) return;
      for (auto& header : headers_) response.headers.push_back(std::move(header));
      if (const auto session = session_.lock())
        session->answer(std::move(response), keep_alive_, http_1_0_, head_only_);
    }

    // The answer has been given in another way.
    void release() { answered_ = true; }

   private:
    const std::weak_ptr<Session> session_;
    const bool keep_alive_;
    const bool http_1_0_;
    const bool head_only_;
    Headers headers_;
    std::atomic<bool> answered_{false};
  };

  void begin_request() {
    parser_.emplace(HttpParser::Kind::request, HttpLimits{.header_bytes_max = options_.header_bytes_max,
                                                          .body_bytes_max = options_.body_bytes_max});
    handling_ = false;
    accept_.clear();
    extend_deadline();
  }
  void extend_deadline() { deadline_ms_ = system_clock().steady_ms() + options_.idle_timeout_ms; }

  void check_deadline() {
    if (closed_) return;
    if (const auto socket = websocket_.lock()) return socket->check_idle();
    const int64_t now = system_clock().steady_ms();
    if (stream_->queued_bytes() > 0) {
      if (now - stream_->last_progress_ms() > options_.idle_timeout_ms) stream_->abort();
      return;
    }
    if (now < deadline_ms_) return;
    if (end_ == 0 && !parser_->header_done()) return stream_->close_after_writes();  // idle between requests
    fail(408, "the request did not arrive in time");
  }

  // Feeds the parser; one request at a time is in work, later ones wait in the buffer or the socket.
  void process() {
    while (!handling_ && !closed_) {
      if (end_ > 0 && !parser_->header_done() && buffer_[0] == kTlsHandshake) return refuse_tls();
      size_t consumed = 0;
      const HttpParser::State state = parser_->feed({buffer_.data(), end_}, consumed);
      drop_front(consumed);
      if (state == HttpParser::State::failed) return fail(parser_->error_status(), parser_->error_message());
      if (state == HttpParser::State::more) {
        if (parser_->wants_continue()) write_bytes("HTTP/1.1 100 Continue\r\n\r\n");
        return stream_->read();
      }
      handle(parser_->take());
    }
  }

  // The parser would wait for the end of a header.
  void refuse_tls() {
    log::warn("HTTP from {}: the client speaks TLS, and this port does not", stream_->peer());
    fail(400, "this port speaks plain HTTP");
  }

  void drop_front(size_t n) {
    if (n == 0) return;
    std::copy(buffer_.begin() + static_cast<ptrdiff_t>(n), buffer_.begin() + static_cast<ptrdiff_t>(end_),
              buffer_.begin());
    end_ -= n;
    if (end_ == 0 && buffer_.size() > 4 * kReadBytes) buffer_ = {};
  }

  void handle(HttpMessage message) {
    handling_ = true;
    deadline_ms_ = kNever;
    HttpRequest request{.method = std::move(message.method),
                        .headers = std::move(message.headers),
                        .body = std::move(message.body),
                        .peer = stream_->peer()};
    if (options_.error_form) accept_ = request.header("accept");
    request.id = request_id(request.header("x-request-id"));
    auto headers = origins_.headers(request);
    headers.emplace_back("X-Request-Id", request.id);
    auto responder = std::make_shared<Responder>(weak_from_this(), message.keep_alive, message.http_1_0,
                                                 request.method == "HEAD", std::move(headers));
    if (!split_target(message.target, request)) {
      return responder->respond(error_response(400, "malformed path"));
    }
    if (auto refusal = origins_.answer(request, dispatcher_.find_websocket(request.path) != nullptr))
      return responder->respond(std::move(*refusal));
    if (names_token(request.header("connection"), "upgrade") && names_token(request.header("upgrade"), "websocket")) {
      if (const WebSocketHandler* handler = dispatcher_.find_websocket(request.path))
        return upgrade(request, *handler, *responder);
    }
    const std::string id = request.id;
    try {
      dispatcher_.dispatch(std::move(request), responder);
    } catch (const std::exception& e) {
      log::error("request {}: {}", id, e.what());
      responder->respond(error_response(500, "the request failed"));
    }
  }

  void upgrade(const HttpRequest& request, const WebSocketHandler& handler, Responder& responder) {
    HttpResponse refusal;
    const Bytes rest(buffer_.data(), end_);
    // The stream lets go of this session now; the socket keeps it, for the server's list knows this one.
    const auto socket = upgrade_to_websocket(stream_, request, handler, options_, rest, shared_from_this(), refusal);
    if (!socket) return responder.respond(std::move(refusal));
    websocket_ = socket;
    responder.release();
  }

  // From any thread.
  void answer(HttpResponse response, bool keep_alive, bool http_1_0, bool head_only) {
    give_form(response, options_.error_form, accept_);
    std::vector<Piece> pieces(head_only ? 1 : 2);
    pieces[0].owned = http_response_head(response, keep_alive, http_1_0);
    if (!head_only) {
      pieces[1].owned = std::move(response.body);
      pieces[1].shared = std::move(response.shared_body);
    }
    stream_->write(std::move(pieces));
    if (!keep_alive) return stream_->close_after_writes();
    stream_->post([self = shared_from_this()] {
      if (self->closed_) return;
      self->begin_request();
      self->process();
    });
  }

  void fail(int status, std::string_view message) {
    handling_ = true;
    deadline_ms_ = kNever;
    HttpResponse response = error_response(status, message);
    response.headers.emplace_back("X-Request-Id", request_id({}));
    answer(std::move(response), false, false, false);
  }

  void write_bytes(std::string_view bytes) {
    std::vector<Piece> pieces(1);
    pieces[0].owned = bytes;
    stream_->write(std::move(pieces));
  }

  // Shared with responders' threads.
  const std::shared_ptr<TcpStream> stream_;
  HttpDispatcher& dispatcher_;
  const HttpServerOptions& options_;
  const CrossOrigin origins_;
  std::optional<HttpParser> parser_;
  Bytes buffer_;
  size_t end_ = 0;      // of the received bytes in buffer_
  std::string accept_;  // of the request in work, for the form of an error
  bool handling_ = false;
  bool closed_ = false;
  int64_t deadline_ms_ = kNever;
  std::weak_ptr<HttpConnection> websocket_;
};

}  // namespace

Bytes http_response_head(const HttpResponse& response, bool keep_alive, bool say_keep_alive) {
  Bytes out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status, reason(response.status), http_date());
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless) {
    if (!response.content_type.empty()) out += fmt::format("Content-Type: {}\r\n", one_line(response.content_type));
    out += fmt::format("Content-Length: {}\r\n", response.body_view().size());
  }
  for (const auto& [name, value] : response.headers) out += fmt::format("{}: {}\r\n", one_line(name), one_line(value));
  if (!keep_alive) {
    out += "Connection: close\r\n";
  } else if (say_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

std::shared_ptr<HttpConnection> make_http_session(const std::shared_ptr<TcpStream>& stream, HttpDispatcher& dispatcher,
                                                  const HttpServerOptions& options) {
  return std::make_shared<Session>(stream, dispatcher, options);
}

}  // namespace muir::net
