// One HTTP connection on the server's side, which may become a WebSocket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/connection_memory.h"
#include "net/http_server.h"
#include "net/internal/answer_gate.h"
#include "net/internal/http_metrics.h"
#include "net/internal/idle_sweeper.h"
#include "net/internal/tcp_stream.h"

namespace muir::net {

// A responder whose answer is counted with the route that it is of.
class RoutedResponder : public HttpResponder {
 public:
  explicit RoutedResponder(HttpMetrics::Route& unrouted) : route_(&unrouted) {}
  // Before a handler sees it.
  void set_route(HttpMetrics::Route& route) { route_ = &route; }

 protected:
  [[nodiscard]] HttpMetrics::Route& route() const { return *route_; }

 private:
  HttpMetrics::Route* route_;
};

// What a connection asks its server.
class HttpDispatcher {
 public:
  virtual ~HttpDispatcher() = default;
  virtual void dispatch(HttpRequest request, std::shared_ptr<RoutedResponder> responder) = 0;
  // The refusal of a request that calls the server by a name that is not its own.
  [[nodiscard]] virtual std::optional<HttpResponse> check_host(const HttpRequest& request) const = 0;
  [[nodiscard]] virtual const std::shared_ptr<ConnectionMemory>& memory() const = 0;
  [[nodiscard]] virtual const std::shared_ptr<HttpMetrics>& metrics() const = 0;
  [[nodiscard]] virtual const std::shared_ptr<AnswerGate>& gate() const = 0;
  [[nodiscard]] virtual const WebSocketHandler* find_websocket(const std::string& path) const = 0;
};

class HttpConnection : public Sweepable {
 public:
  virtual void start() = 0;  // on the stream's loop thread
};

std::shared_ptr<HttpConnection> make_http_session(const std::shared_ptr<TcpStream>& stream, HttpDispatcher& dispatcher,
                                                  const HttpServerOptions& options);

// Takes the stream over after a good upgrade request: answers it, and goes on as a WebSocket. `rest` is what the
// client has sent already; `owner` is kept as long as the WebSocket. Returns what check_idle() is to be asked from now
// on, or null (and an answer in `refusal`) when the request is no proper upgrade.
std::shared_ptr<HttpConnection> upgrade_to_websocket(const std::shared_ptr<TcpStream>& stream,
                                                     const HttpRequest& request, const WebSocketHandler& handler,
                                                     const HttpServerOptions& options,
                                                     const std::shared_ptr<ConnectionMemory>& memory, BytesView rest,
                                                     std::shared_ptr<void> owner, HttpResponse& refusal);

}  // namespace muir::net
