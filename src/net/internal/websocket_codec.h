// WebSocket frames (RFC 6455): a decoder of a byte stream into messages, and the encoder. No extensions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muir::net {

enum class WsOpcode : unsigned char { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Close codes of the RFC.
inline constexpr uint16_t kWsNormal = 1000;
inline constexpr uint16_t kWsProtocolError = 1002;
inline constexpr uint16_t kWsUnsupportedData = 1003;
inline constexpr uint16_t kWsInvalidText = 1007;
inline constexpr uint16_t kWsTooBig = 1009;

// The frame's bytes up to its payload. `mask` is given by clients, whose payload the caller must mask too.
Bytes ws_frame_header(WsOpcode opcode, size_t payload_bytes, std::optional<std::array<char, 4>> mask = std::nullopt);
void ws_mask(char* data, size_t size, std::array<char, 4> mask, size_t phase = 0);
// Payload of a close frame.
Bytes ws_close_payload(uint16_t code);
// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string ws_accept_key(std::string_view key);

// Owned by one thread.
class WsDecoder {
 public:
  // `masked`: frames must be masked (they come from a client) or must not be.
  WsDecoder(bool masked, size_t message_bytes_max) : masked_(masked), message_bytes_max_(message_bytes_max) {}

  // Called with whole messages: text, ping, pong or close.
  using OnMessage = std::function<void(WsOpcode, std::string_view payload)>;
  // Decodes what `bytes` completes. Returns 0, or the code to close with after a violation; no call may follow one.
  uint16_t feed(BytesView bytes, const OnMessage& on_message);
  // What it keeps of a message that is not whole.
  [[nodiscard]] size_t held_bytes() const { return buffer_.capacity() + message_.capacity(); }
  // Gives that up; feed() may not follow.
  void drop() {
    buffer_ = {};
    message_ = {};
  }

 private:
  struct Frame {
    bool fin = false;
    WsOpcode opcode = WsOpcode::text;
    size_t header_bytes = 0;
    size_t payload_bytes = 0;
    std::array<char, 4> mask{};
  };
  // 0 and no frame: more bytes are needed.
  uint16_t parse_header(BytesView bytes, std::optional<Frame>& out) const;
  uint16_t deliver(const Frame& frame, std::string_view payload, const OnMessage& on_message);

  const bool masked_;
  const size_t message_bytes_max_;
  Bytes buffer_;   // from the current frame's first byte on
  Bytes message_;  // fragments so far
  bool in_message_ = false;
};

// Fuzz entry: arbitrary bytes as the frames of a client and of a server, whole and in pieces, which must give the same.
// Returns 1 when they held a message.
int fuzz_websocket(BytesView input);

}  // namespace muir::net
