// The server's side of a WebSocket (RFC 6455), after the upgrade.
#include <atomic>

#include "base/clock.h"
#include "net/internal/error_response.h"
#include "net/internal/http_session.h"
#include "net/internal/read_space.h"
#include "net/internal/websocket_codec.h"

namespace muir::net {
namespace {

constexpr size_t kReadBytes = 16 * 1024;
// Of a peer that has so much to read, or so many answers to its pings, nothing more is read.
constexpr size_t kUnreadBytesMax = 64 * 1024;
constexpr size_t kPongBytesMax = 8 * 1024;
constexpr uint16_t kWsTryAgainLater = 1013;  // IANA's registry of close codes
// A peer that has not read this much is cut off, whatever its owner does.
constexpr size_t kQueueBytesMax = 64 * 1024 * 1024;

class Socket final : public WebSocket,
                     public HttpConnection,
                     public StreamEvents,
                     public ConnectionMemory::Holder,
                     public std::enable_shared_from_this<Socket> {
 public:
  Socket(std::shared_ptr<TcpStream> stream, const WebSocketHandler& handler, const HttpServerOptions& options,
         std::shared_ptr<ConnectionMemory> memory, std::shared_ptr<void> owner)
      : stream_(std::move(stream)),
        owner_(std::move(owner)),
        handler_(handler),
        options_(options),
        decoder_(true, options.websocket_message_bytes_max),
        memory_(std::move(memory)),
        account_(memory_, *this) {}

  // `rest` is what the client has sent already.
  void open(const HttpRequest& request, BytesView rest) {
    if (handler_.on_open) handler_.on_open(shared_from_this(), request);
    if (feed(rest)) read_on();
  }

  // ---- WebSocket
  void send_text(std::shared_ptr<const std::string> text) override {
    std::vector<Piece> pieces(2);
    pieces[0].owned = ws_frame_header(WsOpcode::text, text->size());
    pieces[1].shared = memory_->charge(std::move(text));
    stream_->write(std::move(pieces));
    const size_t queued = stream_->queued_bytes();
    if (queued > kQueueBytesMax) return stream_->abort();
    if (queued > 0 && !unread_.exchange(true)) stream_->post([self = shared_from_this()] { self->wait_for_reader(); });
  }
  [[nodiscard]] size_t send_queue_bytes() const override { return stream_->queued_bytes(); }
  void close() override { end(kWsNormal); }
  void abort() override { stream_->abort(); }
  [[nodiscard]] const std::string& peer() const override { return stream_->peer(); }

  // ---- HttpConnection
  void start() override {}
  // A ping after half of the timeout in silence; its pong counts as a sign of life.
  void check_idle() override {
    const int64_t silent_ms = system_clock().steady_ms() - heard_ms_;
    const bool stuck = stream_->queued_bytes() > 0 &&
                       system_clock().steady_ms() - stream_->last_progress_ms() > options_.idle_timeout_ms;
    if (stuck || silent_ms > options_.idle_timeout_ms) return stream_->abort();
    if (silent_ms > options_.idle_timeout_ms / 2) control(WsOpcode::ping, {});
  }

  // ---- StreamEvents
  std::span<char> read_buffer() override {
    if (!memory_->is_being_freed()) return read_space().first(kReadBytes);
    stream_->post([self = shared_from_this()] { self->stream_->wait_and_read(); });
    return {};
  }
  void on_read(size_t n) override {
    heard_ms_ = system_clock().steady_ms();
    if (feed({read_space().data(), n})) read_on();
  }
  void on_drained() override {
    account_.work();
    unread_ = false;
    pong_bytes_ = 0;
    if (stream_->queued_bytes() > 0 && !unread_.exchange(true)) wait_for_reader();  // sent in between
    if (ended_) return;
    if (std::exchange(stopped_reading_, false)) stream_->wait_and_read();
    if (handler_.on_drained) handler_.on_drained(shared_from_this());
  }

  // ---- ConnectionMemory::Holder
  [[nodiscard]] int64_t last_read_ms() const override { return stream_->last_written_ms(); }
  [[nodiscard]] int64_t last_sent_ms() const override { return heard_ms_; }
  void shed() override { stream_->abort(); }
  void on_closed() override {
    account_.close();
    if (handler_.on_close) handler_.on_close(shared_from_this());
  }

 private:
  // False when the connection ends.
  bool feed(BytesView bytes) {
    const uint16_t violation =
        decoder_.feed(bytes, [this](WsOpcode opcode, std::string_view payload) { on_message(opcode, payload); });
    if (violation != 0) end(violation);
    if (!ended_ && !account_.hold(decoder_.held_bytes() + stream_->buffer_bytes())) end(kWsTryAgainLater);
    if (!ended_) return true;
    decoder_.drop();
    (void)account_.hold(0);
    return false;
  }

  void read_on() {
    const bool much = stream_->queued_bytes() > kUnreadBytesMax || pong_bytes_ > kPongBytesMax;
    if (much && stream_->call_when_drained()) {
      stopped_reading_ = true;
    } else {
      if (much) pong_bytes_ = 0;
      stream_->wait_and_read();
    }
  }

  // On the loop thread, after something could not be written at once.
  void wait_for_reader() {
    if (stream_->call_when_drained()) return account_.wait_for_reader(stream_->queued_bytes());
    on_drained();  // written in the meantime
  }

  void on_message(WsOpcode opcode, std::string_view payload) {
    if (ended_) return;
    if (opcode == WsOpcode::ping) {
      if (stream_->queued_bytes() > 0) pong_bytes_ += payload.size() + 2;
      control(WsOpcode::pong, payload);
    } else if (opcode == WsOpcode::close) {
      if (!ended_.exchange(true)) {
        control(WsOpcode::close, payload.substr(0, 2));
        stream_->close_after_writes();
      }
    } else if (opcode == WsOpcode::text && handler_.on_text) {
      handler_.on_text(shared_from_this(), payload);
    }
  }

  void control(WsOpcode opcode, BytesView payload) {
    std::vector<Piece> pieces(2);
    pieces[0].owned = ws_frame_header(opcode, payload.size());
    pieces[1].owned = payload;
    stream_->write(std::move(pieces));
  }

  void end(uint16_t code) {
    if (ended_.exchange(true)) return;
    control(WsOpcode::close, ws_close_payload(code));
    stream_->close_after_writes();
  }

  // Shared with the threads that send.
  const std::shared_ptr<TcpStream> stream_;
  const std::shared_ptr<void> owner_;
  const WebSocketHandler& handler_;  // the server's, as the options
  const HttpServerOptions& options_;
  WsDecoder decoder_;
  bool stopped_reading_ = false;
  size_t pong_bytes_ = 0;  // that may wait to be read
  std::atomic<bool> unread_{false};
  std::atomic<bool> ended_{false};
  std::atomic<int64_t> heard_ms_{system_clock().steady_ms()};
  const std::shared_ptr<ConnectionMemory> memory_;
  ConnectionMemory::Account account_;  // last: no call to shed() after it
};

}  // namespace

std::shared_ptr<HttpConnection> upgrade_to_websocket(const std::shared_ptr<TcpStream>& stream,
                                                     const HttpRequest& request, const WebSocketHandler& handler,
                                                     const HttpServerOptions& options,
                                                     const std::shared_ptr<ConnectionMemory>& memory, BytesView rest,
                                                     std::shared_ptr<void> owner, HttpResponse& refusal) {
  const std::string_view key = request.header("sec-websocket-key");
  if (request.method != "GET" || key.size() != 24) {
    refusal = error_response(400, "malformed WebSocket upgrade");
    return nullptr;
  }
  if (request.header("sec-websocket-version") != "13") {
    refusal = error_response(426, "WebSocket version 13 is spoken here");
    refusal.headers.emplace_back("Sec-WebSocket-Version", "13");
    return nullptr;
  }
  auto socket = std::make_shared<Socket>(stream, handler, options, memory, std::move(owner));
  std::vector<Piece> pieces(1);
  pieces[0].owned = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
      "{}\r\n\r\n",
      ws_accept_key(key));
  stream->write(std::move(pieces));
  stream->set_events(socket);
  socket->open(request, rest);
  return socket;
}

}  // namespace muir::net
