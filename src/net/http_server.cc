#include "net/http_server.h"

#include <algorithm>
#include <map>

#include "base/memory.h"
#include "net/internal/error_response.h"
#include "net/internal/host_check.h"
#include "net/internal/http_metrics.h"
#include "net/internal/http_response_head.h"
#include "net/internal/http_session.h"
#include "net/internal/idle_sweeper.h"
#include "net/internal/router.h"
#include "net/internal/static_files.h"
#include "net/internal/tls_stream.h"
#include "net/url.h"

namespace muir::net {
namespace {

// What a connection beyond the maximum is told before it is closed.
Bytes refusal(const HttpServerOptions& options) {
  HttpResponse response =
      error_response(503, fmt::format("all {} connections are taken; try again later", options.connections_max));
  give_form(response, options.error_form, {});
  response.headers.emplace_back("Retry-After", "1");
  return http_response_head(response, false, false) + response.body;
}

class Server final : public HttpServer, public HttpDispatcher {
 public:
  Server(EventLoop& loop, HttpServerOptions options)
      : loop_(loop),
        options_(std::move(options)),
        hosts_(options_.host, options_.allowed_hosts),
        routes_(options_.merge_slashes) {}
  ~Server() override { stop(); }

  void route(std::string method, std::string pattern, HttpHandler handler) override {
    HttpMetrics::Route& metrics = metrics_->add_route(method, pattern);
    routes_.add(method, pattern, {.handler = std::move(handler), .metrics = &metrics});
  }
  void websocket(std::string path, WebSocketHandler handler) override {
    websockets_.insert_or_assign(std::move(path), std::move(handler));
  }
  void files(std::string prefix, std::string directory) override {
    files_.emplace_back(std::move(prefix), std::move(directory));
  }

  Status start() override {
    // Longest prefix first.
    std::sort(files_.begin(), files_.end(),
              [](const auto& a, const auto& b) { return a.prefix().size() > b.prefix().size(); });
    TcpListenerOptions listen{.host = options_.host,
                              .port = options_.port,
                              .connections_max = options_.connections_max,
                              .make_room = [this] { return sweeper_->end_most_silent() > 0; },
                              .refusal = refusal(options_),
                              .metrics = options_.metrics,
                              .metrics_name = options_.metrics_name};
    metrics_->group().gauge_of("muir_http_memory_bytes", "Held for requests, answers and messages of all connections.",
                               {}, [memory = memory_] { return static_cast<double>(memory->used()); });
    metrics_->group().gauge_of("muir_http_memory_max_bytes", "Most that may be held (http.memory.max.bytes).", {},
                               [memory = memory_] { return static_cast<double>(memory->bytes_max()); });
    const auto accept = [this](const std::shared_ptr<TcpStream>& stream) {
      const auto session = make_http_session(stream, *this, options_);
      sweeper_->add(session);
      session->start();
    };
    listener_ = MUIR_TRY(start_listener(loop_, std::move(listen), options_.tls, memory_, accept));
    sweeper_->start();
    return {};
  }

  [[nodiscard]] uint16_t port() const override { return listener_ ? listener_->port() : 0; }

  [[nodiscard]] HttpMemoryUse memory_use() const override { return {memory_->used(), memory_->peak()}; }

  void stop() override {
    sweeper_->stop();
    if (listener_) listener_->stop();
    gate_->close();
  }

  // ---- HttpDispatcher
  void dispatch(HttpRequest request, std::shared_ptr<RoutedResponder> responder) override {
    if (request.method == "OPTIONS" && request.raw_path == "*") return responder->respond(answer_for_all());
    auto match = routes_.find(request.method, request.raw_path);
    using Kind = decltype(match)::Kind;
    if (match.kind == Kind::found) {
      responder->set_route(*match.handler->metrics);
      for (const std::string& raw : match.params) {
        auto decoded = percent_decode(raw);
        if (!decoded) return responder->respond(error_response(400, "malformed percent-encoding"));
        request.path_params.push_back(std::move(*decoded));
      }
      return match.handler->handler(std::move(request), std::move(responder));
    }
    if (match.kind == Kind::wrong_method) {
      HttpResponse response = error_response(405, "method not allowed");
      response.headers.emplace_back("Allow", std::move(match.allow));
      return responder->respond(std::move(response));
    }
    if (websockets_.contains(request.path)) {
      HttpResponse response = error_response(426, "this path speaks WebSocket");
      response.headers.emplace_back("Upgrade", "websocket");
      return responder->respond(std::move(response));
    }
    for (const StaticFiles& files : files_) {
      if (!files.covers(request.path)) continue;
      HttpResponse response = files.answer(request);
      // What is no file, or is not asked for as one, is counted with the other paths that lead nowhere.
      if (response.status != 404 && response.status != 405) responder->set_route(metrics_->files());
      return responder->respond(std::move(response));
    }
    responder->respond(error_response(404, "not found"));
  }

  std::optional<HttpResponse> check_host(const HttpRequest& request) const override {
    const std::string_view name = request.header("host");
    const auto host = parse_authority(name);
    if (name.empty() || (host && hosts_.allows(*host))) return std::nullopt;  // HTTP/1.0 may leave it out
    return error_response(421, fmt::format("'{}' is not a name of this server{}{}", name,
                                           options_.allowed_hosts_key.empty() ? "" : "; further ones are set by ",
                                           options_.allowed_hosts_key));
  }

  const std::shared_ptr<ConnectionMemory>& memory() const override { return memory_; }
  const std::shared_ptr<HttpMetrics>& metrics() const override { return metrics_; }
  const std::shared_ptr<AnswerGate>& gate() const override { return gate_; }

  const WebSocketHandler* find_websocket(const std::string& path) const override {
    const auto it = websockets_.find(path);
    return it == websockets_.end() ? nullptr : &it->second;
  }

 private:
  struct Routed {
    HttpHandler handler;
    HttpMetrics::Route* metrics = nullptr;  // of metrics_
  };

  // RFC 9110, 9.3.7: OPTIONS of "*" asks what the server can at all.
  [[nodiscard]] HttpResponse answer_for_all() const {
    HttpResponse response{.status = 204, .content_type = ""};
    std::string methods = routes_.allow_anywhere();
    if (methods.empty()) methods = "GET, HEAD";  // of files
    response.headers.emplace_back("Allow", std::move(methods));
    return response;
  }

  EventLoop& loop_;
  const HttpServerOptions options_;
  const HostCheck hosts_;
  RouteTable<Routed> routes_;
  // Shared with requests in work.
  const std::shared_ptr<HttpMetrics> metrics_ = std::make_shared<HttpMetrics>(options_.metrics, options_.metrics_name);
  const std::shared_ptr<AnswerGate> gate_ = std::make_shared<AnswerGate>();
  std::map<std::string, WebSocketHandler> websockets_;
  std::vector<StaticFiles> files_;
  std::unique_ptr<TcpListener> listener_;

  // Shared with connections and with what they write. One request of the largest kind must have room.
  const std::shared_ptr<ConnectionMemory> memory_ =
      ConnectionMemory::make(std::max(options_.memory_bytes_max, 2 * options_.body_bytes_max));
  const std::shared_ptr<IdleSweeper> sweeper_ =
      std::make_shared<IdleSweeper>(loop_, options_.idle_timeout_ms, [memory = memory_] {
        if (memory->peak_is_over()) return_free_memory();
      });
};

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_name) return value;
  }
  return {};
}

std::string HttpRequest::header_list(std::string_view lower_name) const {
  std::string list;
  for (const auto& [name, value] : headers) {
    if (name == lower_name) list += (list.empty() ? "" : ", ") + value;
  }
  return list;
}

std::string HttpRequest::query_param(std::string_view name, std::string_view fallback) const {
  return find_query_param(query, name).value_or(std::string(fallback));
}

std::unique_ptr<HttpServer> HttpServer::create(EventLoop& loop, HttpServerOptions options) {
  return std::make_unique<Server>(loop, std::move(options));
}

}  // namespace muir::net
