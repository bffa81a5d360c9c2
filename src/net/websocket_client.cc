#include "net/websocket_client.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "net/internal/blocking_socket.h"
#include "net/internal/http_parser.h"
#include "net/internal/websocket_codec.h"
#include "net/url.h"

namespace muir::net {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kMessageBytesMax = 64 * 1024 * 1024;
constexpr int64_t kWriteTimeoutMs = 30'000;

std::array<char, 4> random_mask() {
  std::array<char, 4> mask{};
  ::RAND_bytes(reinterpret_cast<unsigned char*>(mask.data()), static_cast<int>(mask.size()));
  return mask;
}

std::string random_key() {
  unsigned char bytes[16];
  ::RAND_bytes(bytes, sizeof bytes);
  std::string out(24, '\0');
  ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes, sizeof bytes);
  return out;
}

class Client final : public WebSocketClient {
 public:
  explicit Client(std::unique_ptr<BlockingSocket> socket) : socket_(std::move(socket)) {}

  ~Client() override { (void)send(WsOpcode::close, ws_close_payload(kWsNormal)); }

  Status handshake(const Url& url, int64_t deadline_ms) {
    const std::string key = random_key();
    const Bytes request = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n",
        url.target, authority_of(url), key);
    const BytesView parts[] = {request};
    MUIR_RETURN_IF_ERROR(socket_->write_all(parts, deadline_ms));
    HttpParser parser(HttpParser::Kind::response_to_head, {.header_bytes_max = 64 * 1024, .body_bytes_max = 0});
    Bytes buffer;
    HttpParser::State state = HttpParser::State::more;
    while (state == HttpParser::State::more) {
      MUIR_RETURN_IF_ERROR(read_into(buffer, deadline_ms));
      size_t consumed = 0;
      state = parser.feed(buffer, consumed);
      buffer.erase(0, consumed);
    }
    if (state == HttpParser::State::failed)
      return error(Code::data_loss, "malformed answer: {}", parser.error_message());
    const HttpMessage answer = parser.take();
    if (answer.status != 101)
      return Status(Code::unavailable, fmt::format("refused with status {}", answer.status),
                    {Domain::http, answer.status});
    for (const auto& [name, value] : answer.headers) {
      if (name == "sec-websocket-accept" && value == ws_accept_key(key)) return decode(buffer);
    }
    return error(Code::data_loss, "the server did not accept the key");
  }

  Status send_text(const std::string& text) override { return send(WsOpcode::text, text); }

  Result<std::string> receive_text(int64_t timeout_ms) override {
    const int64_t deadline_ms = system_clock().steady_ms() + timeout_ms;
    while (received_.empty()) {
      MUIR_RETURN_IF_ERROR(broken_);
      Bytes buffer;
      const Status status = read_into(buffer, deadline_ms);
      if (status.code() == Code::timed_out) return status;
      broken_ = status.ok() ? decode(buffer) : status;
    }
    std::string text = std::move(received_.front());
    received_.pop_front();
    return text;
  }

 private:
  Status read_into(Bytes& buffer, int64_t deadline_ms) {
    const size_t had = buffer.size();
    buffer.resize(had + kReadBytes);
    const Result<size_t> n = socket_->read_some({buffer.data() + had, kReadBytes}, deadline_ms);
    buffer.resize(had + (n.ok() ? *n : 0));
    return n.status();
  }

  Status decode(BytesView bytes) {
    bool closed = false;
    const uint16_t violation = decoder_.feed(bytes, [&](WsOpcode opcode, std::string_view payload) {
      if (opcode == WsOpcode::text) received_.emplace_back(payload);
      if (opcode == WsOpcode::ping) (void)send(WsOpcode::pong, payload);
      if (opcode == WsOpcode::close) closed = true;
    });
    if (violation != 0) return error(Code::data_loss, "WebSocket {}: violation {}", socket_->peer(), violation);
    if (closed) return error(Code::unavailable, "WebSocket {}: closed by the server", socket_->peer());
    return {};
  }

  Status send(WsOpcode opcode, BytesView payload) {
    const auto mask = random_mask();
    const Bytes header = ws_frame_header(opcode, payload.size(), mask);
    Bytes masked(payload);
    ws_mask(masked.data(), masked.size(), mask);
    const BytesView parts[] = {header, masked};
    return socket_->write_all(parts, system_clock().steady_ms() + kWriteTimeoutMs);
  }

  std::unique_ptr<BlockingSocket> socket_;
  WsDecoder decoder_{false, kMessageBytesMax};
  std::deque<std::string> received_;
  Status broken_;
};

}  // namespace

Result<std::unique_ptr<WebSocketClient>> WebSocketClient::connect(const std::string& url, int64_t timeout_ms,
                                                                  std::shared_ptr<const TlsContext> tls) {
  const bool secure = url.starts_with("wss://");
  const Url parsed = MUIR_TRY(secure ? parse_url(url, "wss://", 443) : parse_url(url, "ws://", 80));
  if (!secure) tls = nullptr;
  if (secure && !tls) tls = MUIR_TRY(TlsContext::client());
  auto socket = MUIR_TRY(BlockingSocket::connect(parsed.host, parsed.port, timeout_ms, std::move(tls)));
  auto client = std::make_unique<Client>(std::move(socket));
  const Status status = client->handshake(parsed, system_clock().steady_ms() + timeout_ms);
  if (!status.ok()) return status.annotate(fmt::format("WebSocket {}", url));
  return std::unique_ptr<WebSocketClient>(std::move(client));
}

}  // namespace muir::net
