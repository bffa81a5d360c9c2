#include "net/internal/http_session.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "net/internal/body_stream.h"
#include "net/internal/cross_origin.h"
#include "net/internal/error_response.h"
#include "net/internal/http_request_head.h"
#include "net/internal/http_request_parser.h"
#include "net/internal/http_response_head.h"
#include "net/internal/read_space.h"
#include "net/internal/request_id.h"
#include "net/url.h"

namespace muir::net {
namespace {

// Of a body what is still to come of it is read at once, but hardly what follows it, which would have to wait.
constexpr size_t kReadBytes = 8 * 1024;
// A peer that has so much to read gets no further part of an answer before it has read all.
constexpr size_t kUnreadPartBytesMax = 64 * 1024;
// An answer below it is copied behind its head.
constexpr size_t kOwnedBytesMax = 1024;
// A body that comes slower than this, after the idle timeout, is not waited for.
constexpr int64_t kBodyBytesPerSecondMin = 1024;
constexpr char kTlsHandshake = 22;  // the type of a TLS client's first record
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// Separates path and query. Nothing when the path is malformed.
bool split_target(std::string_view target, HttpRequest& request) {
  const size_t end = std::min(target.find('?'), target.size());
  request.raw_path = target.substr(0, end);
  if (end < target.size()) request.query = target.substr(end + 1);
  auto decoded = percent_decode(request.raw_path);
  if (!decoded) return false;
  request.path = std::move(*decoded);
  return true;
}

class Session final : public HttpConnection,
                      public StreamEvents,
                      public ConnectionMemory::Holder,
                      public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<TcpStream> stream, HttpDispatcher& dispatcher, const HttpServerOptions& options)
      : stream_(std::move(stream)),
        dispatcher_(dispatcher),
        options_(options),
        origins_(options.allowed_origins),
        metrics_(dispatcher.metrics()),
        account_(dispatcher.memory(), *this) {
    begin_request();
  }
  ~Session() override {
    if (upgraded_) metrics_->websockets().add(-1);  // which has kept this
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() override {
    stream_->set_events(shared_from_this());
    stream_->wait_and_read();
  }

  void check_idle() override {
    stream_->post([self = shared_from_this()] { self->check_deadline(); });
  }

  [[nodiscard]] std::optional<int64_t> silent_since_ms() const override {
    if (working_ || ending_) return std::nullopt;
    return stream_->queued_bytes() > 0 ? stream_->last_written_ms() : stream_->last_progress_ms();
  }
  void end_silent() override {
    ending_ = true;  // it makes room once
    stream_->post([self = shared_from_this()] {
      self->ending_ = self->closed_ || !self->working_;
      if (self->closed_ || self->working_) return;
      self->metrics_->shed().add();
      self->stream_->abort();
    });
  }

  // ---- StreamEvents
  std::span<char> read_buffer() override {
    if (!dispatcher_.memory()->is_being_freed())
      return read_space().first(std::clamp(parser_->bytes_to_come(), kReadBytes, kReadSpaceBytes));
    stream_->post([self = shared_from_this()] { self->stream_->wait_and_read(); });
    return {};
  }
  void on_read(size_t n) override {
    move_deadline();
    const BytesView bytes(read_space().data(), n);
    if (rest_.empty()) return process(bytes);
    rest_ += bytes;
    process_rest();
  }
  void on_drained() override {
    if (const auto body = body_) return body->go_on();
    next_request();
  }
  void on_peer_ended() override { peer_ended_ = true; }
  void on_closed() override {
    closed_ = true;
    body_.reset();
    account_.close();
  }

  // ---- ConnectionMemory::Holder
  [[nodiscard]] int64_t last_read_ms() const override { return stream_->last_written_ms(); }
  [[nodiscard]] int64_t last_sent_ms() const override { return stream_->last_progress_ms(); }
  void shed() override {
    if (const auto self = weak_from_this().lock()) stream_->post([self] { self->give_up(); });
  }

 private:
  // Belongs to one request. Lets go of a session that is gone.
  class Responder final : public RoutedResponder {
   public:
    using Headers = std::vector<std::pair<std::string, std::string>>;
    // `headers` are added to every answer.
    Responder(const std::shared_ptr<Session>& session, bool keep_alive, bool http_1_0, bool head_only, Headers headers)
        : RoutedResponder(session->metrics_->unrouted()),
          metrics_(session->metrics_),
          began_us_(system_clock().steady_us()),
          gate_(session->dispatcher_.gate()),
          session_(session),
          keep_alive_(keep_alive),
          http_1_0_(http_1_0),
          head_only_(head_only),
          headers_(std::move(headers)) {}
    ~Responder() override {
      if (!answered_) respond(error_response(500, "the request was dropped"));
    }
    void respond(HttpResponse response) override {
      if (answered_.exchange(true)) return;
      route().answered(response.status, system_clock().steady_us() - began_us_);
      for (auto& header : headers_) response.headers.push_back(std::move(header));
      const AnswerGate::Passage passage(*gate_);
      if (!passage) return;
      if (const auto session = session_.lock())
        session->answer(std::move(response), keep_alive_, http_1_0_, head_only_);
    }

    [[nodiscard]] bool gone() const override {
      const auto session = session_.lock();
      return !session || session->peer_ended_;
    }

    // The answer has been given in another way.
    void release() {
      route().count(101);
      answered_ = true;
    }

   private:
    const std::shared_ptr<HttpMetrics> metrics_;  // may outlive the server
    const int64_t began_us_;
    const std::shared_ptr<AnswerGate> gate_;  // so may this
    const std::weak_ptr<Session> session_;
    const bool keep_alive_;
    const bool http_1_0_;
    const bool head_only_;
    Headers headers_;
    std::atomic<bool> answered_{false};
  };

  void begin_request() {
    parser_.emplace(
        HttpRequestLimits{.header_bytes_max = options_.header_bytes_max, .body_bytes_max = options_.body_bytes_max},
        [this](size_t held) { return hold(held); });
    request_bytes_ = 0;
    handling_ = false;
    accept_.clear();
    deadline_ms_ = system_clock().steady_ms() + options_.idle_timeout_ms;
  }

  // Room for so many bytes of the request in work, and for what the connection has beside it.
  bool hold(size_t request_bytes) {
    request_bytes_ = request_bytes;
    return account_.hold(request_bytes + beside_bytes());
  }
  [[nodiscard]] size_t beside_bytes() const { return rest_.capacity() + stream_->buffer_bytes(); }

  // A header must be whole in time, a body must go on, and not as slowly as it likes.
  void move_deadline() {
    const int64_t now = system_clock().steady_ms();
    if (!parser_->started()) {
      began_ms_ = now;
      deadline_ms_ = now + options_.idle_timeout_ms;
    } else if (parser_->header_done()) {
      const int64_t earned_ms = static_cast<int64_t>(parser_->body_bytes()) * 1000 / kBodyBytesPerSecondMin;
      deadline_ms_ = std::min(now, began_ms_ + earned_ms) + options_.idle_timeout_ms;
    }
  }

  // The server needs the memory, and this connection has kept it for the longest time.
  void give_up() {
    if (closed_ || websocket_.lock()) return;
    if (handling_ && (!answered_ || stream_->queued_bytes() == 0)) return account_.keep();
    metrics_->shed().add();
    if (!handling_) return fail(503, "the server needs the memory that this request takes; it arrives too slowly");
    log::debug("HTTP to {}: {} bytes of an answer are not read; closing the connection for its memory", stream_->peer(),
               stream_->queued_bytes());
    stream_->abort();
  }

  void check_deadline() {
    if (closed_) return;
    if (const auto socket = websocket_.lock()) return socket->check_idle();
    const int64_t now = system_clock().steady_ms();
    if (stream_->queued_bytes() > 0) {
      if (now - stream_->last_written_ms() > options_.idle_timeout_ms) stream_->abort();
      return;
    }
    if (now < deadline_ms_) return;
    if (!parser_->started()) return stream_->close_after_writes();  // idle between requests
    fail(408, "the request did not arrive in time");
  }

  void process_rest() {
    if (!closed_ && dispatcher_.memory()->is_being_freed())
      return stream_->post([self = shared_from_this()] { self->process_rest(); });
    process(rest_);
  }

  // Feeds the parser; one request at a time is in work, later ones wait in `rest_` or the socket.
  void process(BytesView bytes) {
    if (handling_ || closed_) return keep(bytes);
    if (!bytes.empty() && !parser_->header_done() && bytes[0] == kTlsHandshake) return refuse_tls();
    size_t consumed = 0;
    const auto state = parser_->feed(bytes, consumed);
    if (state == HttpRequestParser::State::failed) return fail(parser_->refusal().status, parser_->refusal().message);
    keep(bytes.substr(consumed));
    if (state == HttpRequestParser::State::done) return handle(parser_->take());
    if (!hold(request_bytes_)) return fail(503, "the server has no memory left for this request");
    if (parser_->wants_continue()) write_bytes("HTTP/1.1 100 Continue\r\n\r\n");
    stream_->wait_and_read();
  }

  // The parser would wait for the end of a header.
  void refuse_tls() {
    log::warn("HTTP from {}: the client speaks TLS, and this port does not", stream_->peer());
    fail(400, "this port speaks plain HTTP");
  }

  // `bytes` may be a part of `rest_`.
  void keep(BytesView bytes) { rest_ = Bytes(bytes); }

  void handle(HttpMessage message) {
    handling_ = true;
    working_ = true;
    deadline_ms_ = kNever;
    account_.work();
    HttpRequest request{.method = std::move(message.method),
                        .headers = std::move(message.headers),
                        .body = std::move(message.body),
                        .peer = stream_->peer()};
    if (options_.error_form) accept_ = request.header_list("accept");
    request.id = request_id(request.header("x-request-id"));
    auto headers = origins_.headers(request);
    headers.emplace_back("X-Request-Id", request.id);
    auto responder = std::make_shared<Responder>(shared_from_this(), message.keep_alive, message.http_1_0,
                                                 request.method == "HEAD", std::move(headers));
    if (auto refusal = dispatcher_.check_host(request)) return responder->respond(std::move(*refusal));
    if (!split_target(message.target, request)) {
      return responder->respond(error_response(400, "malformed path"));
    }
    if (auto refusal = origins_.answer(request, dispatcher_.find_websocket(request.path) != nullptr))
      return responder->respond(std::move(*refusal));
    if (lists(request.header("connection"), "upgrade") && lists(request.header("upgrade"), "websocket")) {
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
    if (!answered_ && !closed_) stream_->watch();
  }

  void upgrade(const HttpRequest& request, const WebSocketHandler& handler, Responder& responder) {
    HttpResponse refusal;
    // The stream lets go of this session now; the socket keeps it, for the server's list knows this one.
    const auto socket = upgrade_to_websocket(stream_, request, handler, options_, dispatcher_.memory(), rest_,
                                             shared_from_this(), refusal);
    if (!socket) return responder.respond(std::move(refusal));
    websocket_ = socket;
    upgraded_ = true;
    metrics_->websockets().add(1);
    account_.close();
    rest_ = {};
    responder.release();
  }

  // From any thread.
  void answer(HttpResponse response, bool keep_alive, bool http_1_0, bool head_only) {
    give_form(response, options_.error_form, accept_);
    if (response.source && http_1_0) keep_alive = false;
    std::vector<Piece> pieces(1);
    pieces[0].owned = http_response_head(response, keep_alive, http_1_0);
    const bool bodiless = head_only || response.status == 204 || response.status == 304;
    if (!bodiless && response.source)
      return begin_body(std::move(response.source), std::move(pieces), keep_alive, http_1_0);
    if (!bodiless && response.shared_body) {
      pieces.emplace_back().shared = dispatcher_.memory()->charge(std::move(response.shared_body));
    } else if (!bodiless && response.body.size() > kOwnedBytesMax) {
      pieces.emplace_back().shared = dispatcher_.memory()->charge(std::move(response.body));
    } else if (!bodiless) {
      pieces[0].owned += response.body;
    }
    const size_t owned_bytes = pieces[0].owned.size();
    stream_->write(std::move(pieces));
    end_answer(keep_alive, owned_bytes);
  }

  // From any thread. The answer goes on as its peer reads.
  void begin_body(std::shared_ptr<BodySource> source, std::vector<Piece> head, bool keep_alive, bool http_1_0) {
    stream_->write(std::move(head));
    answered_ = true;
    stream_->post([self = shared_from_this(), source = std::move(source), keep_alive, http_1_0] {
      if (self->closed_) return;
      // The session owns the body.
      Session* session = self.get();
      const BodyStreamOptions options{.chunked = !http_1_0,
                                      .unread_bytes_max = kUnreadPartBytesMax,
                                      .on_source = [session] { session->working_ = true; },
                                      .on_peer =
                                          [session](size_t unread) {
                                            session->working_ = false;
                                            session->account_.wait_for_reader(unread);
                                          },
                                      .on_end =
                                          [session, keep_alive] {
                                            const auto ended = std::exchange(session->body_, nullptr);
                                            session->end_answer(keep_alive, 0);
                                          }};
      self->body_ = std::make_shared<BodyStream>(self->stream_, source, self->dispatcher_.memory(),
                                                 self->dispatcher_.gate(), options);
      const auto body = self->body_;
      body->go_on();
    });
  }

  // All of it is in the stream; `owned_bytes` of it are charged to nobody yet.
  void end_answer(bool keep_alive, size_t owned_bytes) {
    answered_ = true;
    working_ = false;
    // At once, not by the task below: others may need the memory before it runs.
    if (const size_t queued = stream_->queued_bytes(); queued > 0) {
      account_.add_unread(std::min(owned_bytes, queued));
      account_.wait_for_reader(queued - std::min(owned_bytes, queued));
    }
    if (!keep_alive) stream_->close_after_writes();
    stream_->post([self = shared_from_this(), keep_alive] { self->after_answer(keep_alive); });
  }

  void after_answer(bool keep_alive) {
    if (closed_) return;
    request_bytes_ = 0;
    if (!keep_alive) return (void)account_.hold(0, false);
    if (!stream_->call_when_drained()) return next_request();
    if (account_.hold(beside_bytes(), false)) return;
    metrics_->shed().add();
    stream_->abort();  // what it has sent meanwhile does not fit, and its peer reads nothing
  }

  void next_request() {
    if (closed_) return;
    answered_ = false;
    account_.work();
    begin_request();
    (void)account_.hold(0);
    process_rest();
  }

  void fail(int status, std::string_view message) {
    account_.work();
    HttpResponse response = error_response(status, message);
    response.headers.emplace_back("X-Request-Id", request_id({}));
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    if (status == 415) response.headers.emplace_back("Accept-Encoding", "gzip, deflate");
    metrics_->unrouted().count(status);
    begin_request();  // what has arrived is not needed any more
    rest_ = {};
    (void)account_.hold(0);
    handling_ = true;
    deadline_ms_ = kNever;
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
  std::optional<HttpRequestParser> parser_;
  size_t request_bytes_ = 0;          // that the parser holds
  Bytes rest_;                        // received, and not in a request yet
  std::string accept_;                // of the request in work, for the form of an error
  std::shared_ptr<BodyStream> body_;  // of the answer in work, made as the peer reads it
  bool handling_ = false;
  std::atomic<bool> working_{false};   // on a request that came whole, or a WebSocket; else the peer is waited for
  std::atomic<bool> answered_{false};  // the request in work; the next one waits until that is read
  std::atomic<bool> peer_ended_{false};
  std::atomic<bool> ending_{false};  // for its silence, as soon as the loop comes to it
  bool closed_ = false;
  int64_t began_ms_ = 0;
  int64_t deadline_ms_ = kNever;
  std::weak_ptr<HttpConnection> websocket_;
  bool upgraded_ = false;
  const std::shared_ptr<HttpMetrics> metrics_;  // shared with requests in work
  ConnectionMemory::Account account_;           // last: no call to shed() after it
};

}  // namespace

std::shared_ptr<HttpConnection> make_http_session(const std::shared_ptr<TcpStream>& stream, HttpDispatcher& dispatcher,
                                                  const HttpServerOptions& options) {
  return std::make_shared<Session>(stream, dispatcher, options);
}

}  // namespace muir::net
