// HttpServer: HTTP/1.1 (keep-alive, pipelining) and WebSocket server.
//
// Handlers are called on a loop thread and must not block: they answer at once or keep the Responder and answer
// later from any thread. Every limit is named; a request beyond one is answered 413, 431, 408 or 503.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/body_source.h"
#include "net/event_loop.h"
#include "net/tls.h"

namespace muir::net {

struct HttpRequest {
  std::string method;  // "GET", upper case
  std::string path;    // percent-decoded, without the query: "/api/v1/vehicles/V1"
  std::string query;   // raw, without '?'
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  Bytes body;
  std::string peer;
  std::string raw_path;  // as sent: for routes whose values may hold "%2F"
  std::string id;        // X-Request-Id: the client's, else a new one; every answer repeats it
  // Values of the route's {placeholders}, in order of appearance, percent-decoded.
  std::vector<std::string> path_params;

  // First header of that lower-case name, or empty. Lists that came in several headers are one (RFC 9110, 5.3).
  [[nodiscard]] std::string_view header(std::string_view lower_name) const;
  // All headers of that name as the one list that they are: "a, b".
  [[nodiscard]] std::string header_list(std::string_view lower_name) const;
  // Percent-decoded query parameter, or `fallback`.
  [[nodiscard]] std::string query_param(std::string_view name, std::string_view fallback = {}) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  Bytes body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Instead of `body`: one text that is not copied, however many connections it goes to (a snapshot of a version).
  std::shared_ptr<const std::string> shared_body{};
  // Instead of both: made as the peer reads it, and sent in chunks (to HTTP/1.0 until the connection ends).
  std::shared_ptr<BodySource> source{};
  std::string own_error{};  // the server's own: why it refuses; HttpServerOptions::error_form makes the body of it

  [[nodiscard]] BytesView body_view() const { return shared_body ? BytesView(*shared_body) : BytesView(body); }
};

// Answers one request, once, from any thread. Dropping it unanswered answers 500.
class HttpResponder {
 public:
  virtual ~HttpResponder() = default;
  virtual void respond(HttpResponse response) = 0;
  // Whether the connection has ended, so that nobody waits for the answer any more.
  [[nodiscard]] virtual bool gone() const { return false; }
};

using HttpHandler = std::function<void(HttpRequest request, std::shared_ptr<HttpResponder> responder)>;

// One WebSocket. Thread-safe.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // Queues a text message and returns at once; it leaves in pieces, as the peer reads. The shared text is not copied
  // (with TLS neither, but for the piece in work): one message can go to many sockets.
  virtual void send_text(std::shared_ptr<const std::string> text) = 0;
  // Bytes queued and not yet written: a slow reader's owner skips or closes.
  [[nodiscard]] virtual size_t send_queue_bytes() const = 0;
  virtual void close() = 0;
  // Cuts the connection; what is queued is dropped. For a peer that does not read.
  virtual void abort() = 0;
  [[nodiscard]] virtual const std::string& peer() const = 0;
};

struct WebSocketHandler {
  std::function<void(std::shared_ptr<WebSocket>, const HttpRequest&)> on_open{};
  std::function<void(const std::shared_ptr<WebSocket>&, std::string_view text)> on_text{};
  // Everything queued for a peer that read slowly has been written. Back-pressure: an owner who sees
  // send_queue_bytes() above its limit after send_text() stops sending, and goes on here.
  std::function<void(const std::shared_ptr<WebSocket>&)> on_drained{};
  std::function<void(const std::shared_ptr<WebSocket>&)> on_close{};
};

// Sets the body and content type of an answer that the server gives without a handler (400, 404, 405, 408, 413, ...),
// of its status and a sentence; `accept` is the request's header, empty when the request did not get that far.
using HttpErrorForm = std::function<void(HttpResponse& response, std::string_view message, std::string_view accept)>;

struct HttpServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: any free port
  size_t body_bytes_max = 16 * 1024 * 1024;
  size_t header_bytes_max = 16 * 1024;
  size_t websocket_message_bytes_max = 1024 * 1024;
  // Of all connections together, for requests, answers that are not read and messages; at least twice body_bytes_max.
  // Beyond it the connection that has kept the server waiting for the longest time is closed, or its request answered
  // 503. A connection itself costs about 8 KiB beside it (with TLS 30).
  size_t memory_bytes_max = 128 * 1024 * 1024;
  size_t connections_max = 10'000;
  int64_t idle_timeout_ms = 60'000;
  std::shared_ptr<const TlsContext> tls{};  // https and wss, shared by all connections; null: plaintext
  // Names that clients may call the server by in Host, beside localhost, loopback addresses, `host` and the machine's
  // own name; with a wildcard as `host`, beside every address, too. "fleet.example.com"; ".example.com": all below it,
  // "*": every name. Others are answered 421: they are of pages whose name was made to lead here (DNS rebinding).
  std::vector<std::string> allowed_hosts{};
  std::string allowed_hosts_key{};  // the configuration key of these, for the message
  // Origins whose pages may use the server: "https://fleet.example.com", or "*" for all. Pages of other origins get no
  // CORS headers, and their browsers' writes and WebSockets are answered 403.
  std::vector<std::string> allowed_origins{};
  // Whether "/a//b/" is "/a/b" to the routes, as servers of Java's kind have it. Off: an empty segment is one.
  bool merge_slashes = false;
  HttpErrorForm error_form{};  // null: {"error":{"code":"not_found","message":"..."}}
  // Where muir_http_* and muir_net_* are collected, which outlives the server; null: nowhere. `metrics_name` is their
  // label "server".
  MetricsRegistry* metrics = nullptr;
  std::string metrics_name = "http";
};

// Bytes of requests, answers and messages, of all connections together.
struct HttpMemoryUse {
  size_t now = 0;
  size_t peak = 0;
};

class HttpServer {
 public:
  static std::unique_ptr<HttpServer> create(EventLoop& loop, HttpServerOptions options);
  virtual ~HttpServer() = default;

  // Routes are added before start(). `pattern` has {name} segments: "/api/v1/vehicles/{id}/speed"; a fixed segment
  // wins over a placeholder. An unknown path is answered 404, a known one with another method 405 with Allow,
  // OPTIONS of "*" 204 with the methods of all routes; such answers of the server itself have
  // HttpServerOptions::error_form.
  virtual void route(std::string method, std::string pattern, HttpHandler handler) = 0;
  virtual void websocket(std::string path, WebSocketHandler handler) = 0;
  // Serves files below `directory` under `prefix` with type, ETag, If-None-Match and path traversal refused;
  // "/" serves index.html. Consulted after the routes; what is no file is an unknown path.
  virtual void files(std::string prefix, std::string directory) = 0;

  // Binds and listens before it returns.
  virtual Status start() = 0;
  [[nodiscard]] virtual uint16_t port() const = 0;
  [[nodiscard]] virtual HttpMemoryUse memory_use() const = 0;
  // Closes the listener and every connection. Idempotent.
  virtual void stop() = 0;
};

}  // namespace muir::net
