#include "net/internal/websocket_codec.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "base/utf8.h"

namespace muir::net {
namespace {

constexpr size_t kControlBytesMax = 125;
constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

bool is_control(WsOpcode opcode) { return static_cast<unsigned char>(opcode) >= 8; }

bool known(unsigned char opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

Bytes ws_frame_header(WsOpcode opcode, size_t payload_bytes, std::optional<std::array<char, 4>> mask) {
  Bytes out;
  ByteWriter writer(out);
  writer.u8(static_cast<uint8_t>(0x80U | static_cast<uint8_t>(opcode)));
  const uint8_t mask_bit = mask ? 0x80 : 0;
  if (payload_bytes < 126) {
    writer.u8(static_cast<uint8_t>(mask_bit | payload_bytes));
  } else if (payload_bytes <= 0xffff) {
    writer.u8(mask_bit | 126);
    writer.u16(static_cast<uint16_t>(payload_bytes));
  } else {
    writer.u8(mask_bit | 127);
    writer.i64(static_cast<int64_t>(payload_bytes));
  }
  if (mask) out.append(mask->data(), mask->size());
  return out;
}

void ws_mask(char* data, size_t size, std::array<char, 4> mask, size_t phase) {
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ mask[(i + phase) & 3]);
}

Bytes ws_close_payload(uint16_t code) {
  Bytes out;
  ByteWriter(out).u16(code);
  return out;
}

std::string ws_accept_key(std::string_view key) {
  const std::string joined = std::string(key) + std::string(kAcceptGuid);
  unsigned char digest[SHA_DIGEST_LENGTH];
  ::SHA1(reinterpret_cast<const unsigned char*>(joined.data()), joined.size(), digest);
  std::string out(28, '\0');  // 20 bytes in base64
  ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest, sizeof digest);
  return out;
}

uint16_t WsDecoder::parse_header(BytesView bytes, std::optional<Frame>& out) const {
  ByteReader in(bytes);
  const uint8_t first = in.u8();
  const uint8_t second = in.u8();
  if (!in.ok()) return 0;
  if ((first & 0x70) != 0 || !known(first & 0x0f)) return kWsProtocolError;  // no extension was agreed on
  Frame frame;
  frame.fin = (first & 0x80) != 0;
  frame.opcode = static_cast<WsOpcode>(first & 0x0f);
  if (((second & 0x80) != 0) != masked_) return kWsProtocolError;
  uint64_t size = second & 0x7f;
  if (is_control(frame.opcode) && (size > kControlBytesMax || !frame.fin)) return kWsProtocolError;
  if (size == 126) {
    size = in.u16();
  } else if (size == 127) {
    size = static_cast<uint64_t>(in.i64());
  }
  if (masked_) {
    const BytesView mask = in.bytes(4);
    if (mask.size() == 4) std::copy(mask.begin(), mask.end(), frame.mask.begin());
  }
  if (!in.ok()) return 0;
  if (!is_control(frame.opcode) && (size > message_bytes_max_ || message_.size() + size > message_bytes_max_))
    return kWsTooBig;
  frame.payload_bytes = static_cast<size_t>(size);
  frame.header_bytes = in.position();
  out = frame;
  return 0;
}

uint16_t WsDecoder::deliver(const Frame& frame, std::string_view payload, const OnMessage& on_message) {
  if (is_control(frame.opcode)) {
    if (frame.opcode == WsOpcode::close && payload.size() == 1) return kWsProtocolError;
    on_message(frame.opcode, payload);
    return 0;
  }
  if (frame.opcode == WsOpcode::binary) return kWsUnsupportedData;
  if ((frame.opcode == WsOpcode::continuation) != in_message_) return kWsProtocolError;
  if (frame.fin && !in_message_) {
    if (!is_utf8(payload)) return kWsInvalidText;
    on_message(WsOpcode::text, payload);
    return 0;
  }
  message_.append(payload);
  in_message_ = !frame.fin;
  if (!frame.fin) return 0;
  if (!is_utf8(message_)) return kWsInvalidText;
  on_message(WsOpcode::text, message_);
  message_ = {};
  return 0;
}

uint16_t WsDecoder::feed(BytesView bytes, const OnMessage& on_message) {
  buffer_.append(bytes);
  size_t done = 0;
  for (;;) {
    std::optional<Frame> frame;
    const size_t there = buffer_.size() - done;
    if (const uint16_t violation = parse_header({buffer_.data() + done, there}, frame); violation != 0)
      return violation;
    if (!frame || there - frame->header_bytes < frame->payload_bytes) break;
    char* payload = buffer_.data() + done + frame->header_bytes;
    if (masked_) ws_mask(payload, frame->payload_bytes, frame->mask);
    if (const uint16_t violation = deliver(*frame, {payload, frame->payload_bytes}, on_message); violation != 0)
      return violation;
    done += frame->header_bytes + frame->payload_bytes;
  }
  buffer_.erase(0, done);
  if (buffer_.empty()) buffer_ = {};  // the next one may be small
  return 0;
}

namespace {

// The messages of `input` given in pieces of `piece` bytes, and the code it ended with.
std::pair<std::vector<std::pair<WsOpcode, Bytes>>, uint16_t> decode_in_pieces(bool masked, BytesView input,
                                                                              size_t piece) {
  constexpr size_t kMessageBytesMax = 1000;
  std::pair<std::vector<std::pair<WsOpcode, Bytes>>, uint16_t> out;
  WsDecoder decoder(masked, kMessageBytesMax);
  for (; out.second == 0 && !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
    out.second = decoder.feed(input.substr(0, piece), [&](WsOpcode opcode, std::string_view payload) {
      MUIR_CHECK(payload.size() <= kMessageBytesMax, "a message beyond the limit got through");
      if (opcode == WsOpcode::text) MUIR_CHECK(is_utf8(payload), "an invalid text got through");
      out.first.emplace_back(opcode, payload);
    });
  }
  return out;
}

}  // namespace

int fuzz_websocket(BytesView input) {
  int messages = 0;
  for (const bool masked : {true, false}) {
    const auto whole = decode_in_pieces(masked, input, std::max<size_t>(input.size(), 1));
    MUIR_CHECK(whole == decode_in_pieces(masked, input, 3), "messages depend on how they arrive: {}", hex(input));
    if (!whole.first.empty()) messages = 1;
  }
  return messages;
}

}  // namespace muir::net
