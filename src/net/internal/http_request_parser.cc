#include "net/internal/http_request_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace muir::net {
namespace {

constexpr size_t kFieldsMax = 128;
constexpr int kEmptyLinesMax = 32;
constexpr size_t kFieldOwnBytes = 96;  // two strings in a vector
constexpr size_t kChunkDigitsMax = 16;
constexpr size_t kFirstBodyBytes = 4096;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

void HttpRequestParser::fail(int status, std::string message) {
  if (!refusal_) refusal_ = HttpRefusal{status, std::move(message)};
  message_.body = {};  // nobody waits for it
  decoder_.reset();
}

HttpRequestParser::State HttpRequestParser::feed(BytesView bytes, size_t& consumed) {
  const size_t offered = bytes.size();
  while (!refusal_ && step_ != Step::done && advance(bytes)) {
  }
  consumed = offered - bytes.size();
  if (refusal_) return State::failed;
  return step_ == Step::done ? State::done : State::more;
}

bool HttpRequestParser::advance(BytesView& bytes) {
  switch (step_) {
    case Step::request_line:
    case Step::fields: return read_head_line(bytes);
    case Step::body: return read_data(bytes, Step::done);
    case Step::chunk_size: return read_chunk_size(bytes);
    case Step::chunk_data: return read_data(bytes, Step::chunk_end);
    case Step::chunk_end: return read_chunk_end(bytes);
    case Step::trailers: return read_trailer(bytes);
    case Step::done: break;
  }
  return false;
}

// A line ends with CRLF; a CR or LF by itself, which some readers take for an end as well, is in no line (RFC
// 9112, 2.2).
std::optional<BytesView> HttpRequestParser::take_line(BytesView& bytes, size_t bytes_max) {
  const size_t end = bytes.find('\n');
  if (std::min(end, bytes.size()) > bytes_max) {
    const bool head = step_ <= Step::fields;
    fail(head ? 431 : 400, head ? fmt::format("more than {} bytes of headers", limits_.header_bytes_max)
                                : "too many bytes beside the data of the chunks");
    return std::nullopt;
  }
  if (end == BytesView::npos) {
    if (bytes.find('\0') != BytesView::npos) fail(400, "a NUL in the header");
    return std::nullopt;
  }
  const BytesView line = bytes.substr(0, end);
  if (!line.ends_with('\r') || line.find_first_of(std::string_view("\r\0", 2)) != end - 1) {
    fail(400, "a line does not end with CR LF, or holds a CR or NUL");
    return std::nullopt;
  }
  bytes.remove_prefix(end + 1);
  return line.substr(0, end - 1);
}

// Lines left over from clients that end a body with them (RFC 9112, 2.2). No request begins with one, so that who sends
// nothing else is as silent as who sends nothing.
bool HttpRequestParser::skip_empty_lines(BytesView& bytes) {
  while (bytes.starts_with("\r\n")) {
    if (++empty_lines_ > kEmptyLinesMax)
      return fail(400, fmt::format("more than {} empty lines before a request", kEmptyLinesMax)), false;
    bytes.remove_prefix(2);
  }
  return bytes != "\r";
}

bool HttpRequestParser::read_head_line(BytesView& bytes) {
  if (step_ == Step::request_line && !started_ && !skip_empty_lines(bytes)) return false;
  if (bytes.empty()) return false;
  started_ = true;
  const auto line = take_line(bytes, limits_.header_bytes_max - header_bytes_);
  if (!line) return false;
  header_bytes_ += line->size() + 2;
  if (step_ == Step::request_line) {
    if (auto refused = parse_request_line(*line, message_)) return fail(refused->status, refused->message), false;
    step_ = Step::fields;
    return true;
  }
  if (line->empty()) {
    end_head();
    return !refusal_;
  }
  if (message_.headers.size() == kFieldsMax) return fail(431, fmt::format("more than {} headers", kFieldsMax)), false;
  if (auto refused = parse_field_line(*line, message_.headers)) return fail(refused->status, refused->message), false;
  if (!room_for(0)) fail(503, "the server has no memory left for this request");
  return !refusal_;
}

void HttpRequestParser::end_head() {
  if (auto refused = finish_request_head(message_, framing_)) return fail(refused->status, refused->message);
  const bool has_body = framing_.chunked || framing_.length.value_or(0) > 0;
  if (has_body && !framing_.content_encoding.empty() && framing_.content_encoding != "identity") {
    decoder_ = ContentDecoder::make(framing_.content_encoding);
    if (!decoder_) return fail(415, "of Content-Encoding gzip and deflate are understood");
  }
  if (framing_.length.value_or(0) > limits_.body_bytes_max)
    return fail(413, fmt::format("a body has at most {} bytes", limits_.body_bytes_max));
  left_ = framing_.length.value_or(0);
  step_ = framing_.chunked ? Step::chunk_size : Step::body;
  if (!has_body) end_body();
}

bool HttpRequestParser::read_data(BytesView& bytes, Step next) {
  const BytesView data = bytes.substr(0, left_);
  if (data.empty()) return false;
  append(data);
  if (refusal_) return false;
  bytes.remove_prefix(data.size());
  left_ -= data.size();
  if (left_ > 0) return false;
  step_ = next;
  if (next == Step::done) end_body();
  return !refusal_;
}

// RFC 9112, 7.1: hexadecimal digits, and extensions, which nobody has to know.
bool HttpRequestParser::read_chunk_size(BytesView& bytes) {
  const auto line = take_line(bytes, limits_.header_bytes_max - between_bytes_);
  if (!line) return false;
  const auto digits = static_cast<size_t>(std::find_if_not(line->begin(), line->end(), is_hex) - line->begin());
  const BytesView extension = line->substr(digits);
  const bool printable = std::all_of(extension.begin(), extension.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
  if (digits == 0 || digits > kChunkDigitsMax || (!extension.empty() && extension[0] != ';') || !printable)
    return fail(400, "malformed size of a chunk"), false;
  between_bytes_ += extension.size();
  (void)std::from_chars(line->data(), line->data() + digits, left_, 16);
  if (left_ > limits_.body_bytes_max - wire_bytes_)
    return fail(413, fmt::format("a body has at most {} bytes", limits_.body_bytes_max)), false;
  step_ = left_ > 0 ? Step::chunk_data : Step::trailers;
  return true;
}

bool HttpRequestParser::read_chunk_end(BytesView& bytes) {
  if (!std::string_view("\r\n").starts_with(bytes.substr(0, 2)))
    return fail(400, "a chunk is longer than its size"), false;
  if (bytes.size() < 2) return false;
  bytes.remove_prefix(2);
  step_ = Step::chunk_size;
  return true;
}

// Checked, and dropped: no handler asks for one.
bool HttpRequestParser::read_trailer(BytesView& bytes) {
  const auto line = take_line(bytes, limits_.header_bytes_max - between_bytes_);
  if (!line) return false;
  between_bytes_ += line->size() + 2;
  if (line->empty()) {
    end_body();
    return !refusal_;
  }
  HttpFields trailer;
  if (auto refused = parse_field_line(*line, trailer)) return fail(refused->status, refused->message), false;
  if (forbidden_in_trailers(trailer[0].first)) return fail(400, "a header that may not come after the body"), false;
  return true;
}

bool HttpRequestParser::room_for(size_t body_capacity) const {
  return room_(header_bytes_ + message_.headers.size() * kFieldOwnBytes + body_capacity +
               (decoder_ ? ContentDecoder::kOwnBytes : 0));
}

void HttpRequestParser::append(BytesView data) {
  wire_bytes_ += data.size();
  if (!decoder_) return append_plain(data);
  const auto outcome = decoder_->feed(
      data, limits_.body_bytes_max, [this](size_t capacity) { return room_for(capacity); }, message_.body);
  switch (outcome) {
    case ContentDecoder::Outcome::good: return;
    case ContentDecoder::Outcome::malformed:
      return fail(400, fmt::format("the body is no {}", framing_.content_encoding));
    case ContentDecoder::Outcome::too_large:
      return fail(413, fmt::format("a body has at most {} bytes, and this one has more when it is decoded",
                                   limits_.body_bytes_max));
    case ContentDecoder::Outcome::no_room: return fail(503, "the server has no memory left for this body");
  }
}

// What was announced is not believed: the room grows as the bytes arrive.
void HttpRequestParser::append_plain(BytesView data) {
  Bytes& body = message_.body;
  const size_t needed = body.size() + data.size();
  if (needed > body.capacity()) {
    size_t capacity = std::max({needed, kFirstBodyBytes, body.capacity() * 2});
    if (framing_.length) capacity = std::min(capacity, *framing_.length);
    if (!room_for(capacity)) return fail(503, "the server has no memory left for this body");
    body.reserve(capacity);
  }
  body += data;
}

void HttpRequestParser::end_body() {
  if (decoder_ && !decoder_->complete())
    return fail(400, fmt::format("the body is no whole {}", framing_.content_encoding));
  if (decoder_) std::erase_if(message_.headers, [](const auto& field) { return field.first == "content-encoding"; });
  decoder_.reset();
  step_ = Step::done;
}

bool HttpRequestParser::wants_continue() {
  if (continue_answered_ || !header_done() || refusal_ || step_ == Step::done || !framing_.expects_continue)
    return false;
  continue_answered_ = true;
  return wire_bytes_ == 0;
}

HttpMessage HttpRequestParser::take() { return std::move(message_); }

namespace {

std::optional<HttpMessage> parse_in_pieces(BytesView input, size_t piece, HttpRefusal* refusal = nullptr) {
  constexpr size_t kBytesMax = 1024;
  size_t held = 0;
  HttpRequestParser parser({.header_bytes_max = kBytesMax, .body_bytes_max = kBytesMax}, [&held](size_t bytes) {
    held = bytes;
    return true;
  });
  auto state = HttpRequestParser::State::more;
  size_t offered = 0;
  size_t taken = 0;
  while (state == HttpRequestParser::State::more && offered < input.size()) {
    offered = std::min(input.size(), offered + piece);
    size_t consumed = 0;
    state = parser.feed(input.substr(taken, offered - taken), consumed);
    taken += consumed;
    MUIR_CHECK(taken <= offered, "the parser took more than it was given");
    (void)parser.wants_continue();
  }
  if (state == HttpRequestParser::State::failed) {
    MUIR_CHECK(parser.refusal().status >= 400 && !parser.refusal().message.empty(), "a failure without its reason");
    if (refusal != nullptr) *refusal = parser.refusal();
  }
  if (state != HttpRequestParser::State::done) return std::nullopt;
  HttpMessage message = parser.take();
  MUIR_CHECK(message.body.size() <= kBytesMax && message.body.size() <= std::max(held, Bytes().capacity()),
             "a body beyond its limits");
  return message;
}

// In the plainest form: no coding of any kind.
Bytes written(const HttpMessage& message) {
  Bytes out = fmt::format("{} {} HTTP/1.{}\r\n", message.method, message.target, message.http_1_0 ? 0 : 1);
  for (const auto& [name, value] : message.headers) {
    if (name != "content-length" && name != "transfer-encoding") out += fmt::format("{}: {}\r\n", name, value);
  }
  return out + fmt::format("content-length: {}\r\n\r\n", message.body.size()) + message.body;
}

void drop_framing(HttpMessage& message) {
  std::erase_if(message.headers, [](const auto& field) {
    return field.first == "content-length" || field.first == "transfer-encoding";
  });
}

}  // namespace

int fuzz_http_request(BytesView input) {
  auto whole = parse_in_pieces(input, std::max<size_t>(input.size(), 1));
  MUIR_CHECK(whole == parse_in_pieces(input, 7), "a request depends on how it arrives: {}", hex(input));
  if (!whole) return 0;
  // The plain form may be longer than the limits of the fuzzer.
  HttpRefusal refusal;
  auto again = parse_in_pieces(written(*whole), 64, &refusal);
  if (!again) {
    MUIR_CHECK(refusal.status == 431 || refusal.status == 415 || refusal.status == 400, "refused again: {}",
               refusal.message);
    return 1;
  }
  drop_framing(*whole);
  drop_framing(*again);
  MUIR_CHECK(whole == again, "a request does not round-trip: {}", hex(input));
  return 1;
}

}  // namespace muir::net
