#include "net/internal/http_parser.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "net/internal/http_request_head.h"

namespace muir::net {

namespace http = boost::beast::http;
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using ResponseParser = http::response_parser<http::string_body>;

struct HttpParser::Impl {
  ResponseParser parser;
  ErrorCode failure;
  std::string message;
};

HttpParser::HttpParser(Kind kind, HttpLimits limits) : impl_(std::make_unique<Impl>()) {
  ResponseParser& parser = impl_->parser;
  if (kind == Kind::response_to_head) parser.skip(true);
  parser.header_limit(static_cast<uint32_t>(limits.header_bytes_max));
  parser.body_limit(limits.body_bytes_max);
  parser.eager(true);
}

HttpParser::~HttpParser() = default;

HttpParser::State HttpParser::feed(BytesView bytes, size_t& consumed) {
  consumed = 0;
  ResponseParser& parser = impl_->parser;
  while (consumed < bytes.size() && !parser.is_done()) {
    ErrorCode ec;
    const size_t n = parser.put(asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), ec);
    consumed += n;
    if (ec == http::error::need_more) break;
    if (ec) {
      impl_->failure = ec;
      impl_->message = ec.message();
      return State::failed;
    }
    if (n == 0) break;
  }
  return parser.is_done() ? State::done : State::more;
}

HttpParser::State HttpParser::finish() {
  ResponseParser& parser = impl_->parser;
  ErrorCode ec;
  if (!parser.is_done() && parser.got_some()) parser.put_eof(ec);
  if (ec || !parser.is_done()) {
    impl_->failure = ec ? ec : make_error_code(http::error::partial_message);
    impl_->message = impl_->failure.message();
    return State::failed;
  }
  return State::done;
}

const std::string& HttpParser::error_message() const { return impl_->message; }

HttpMessage HttpParser::take() {
  HttpMessage out;
  out.keep_alive = impl_->parser.keep_alive();
  auto message = impl_->parser.release();
  out.http_1_0 = message.version() < 11;
  for (const auto& field : message) {
    out.headers.emplace_back(lower_case({field.name_string().data(), field.name_string().size()}),
                             std::string(field.value().data(), field.value().size()));
  }
  join_lists(out.headers);
  out.status = static_cast<int>(message.result_int());
  out.body = std::move(message.body());
  return out;
}

namespace {

constexpr size_t kFuzzBytesMax = 1024;
// Beast holds a header against its limit as it arrives: a few bytes above, it may pass as a whole and not in pieces.
constexpr size_t kFuzzHeaderBytesMax = 1 << 20;

std::optional<HttpMessage> parse_in_pieces(HttpParser::Kind kind, BytesView input, size_t piece) {
  HttpParser parser(kind, {.header_bytes_max = kFuzzHeaderBytesMax, .body_bytes_max = kFuzzBytesMax});
  HttpParser::State state = HttpParser::State::more;
  size_t offered = 0;
  size_t taken = 0;
  while (state == HttpParser::State::more && offered < input.size()) {
    offered = std::min(input.size(), offered + piece);
    size_t consumed = 0;
    state = parser.feed(input.substr(taken, offered - taken), consumed);
    taken += consumed;
    MUIR_CHECK(taken <= offered, "the parser took more than it was given");
  }
  if (state == HttpParser::State::more) state = parser.finish();
  if (state == HttpParser::State::failed) {
    MUIR_CHECK(!parser.error_message().empty(), "a failure without its reason");
    return std::nullopt;
  }
  HttpMessage message = parser.take();
  MUIR_CHECK(message.body.size() <= kFuzzBytesMax, "a body beyond the limit got through");
  return message;
}

}  // namespace

int fuzz_http(BytesView input) {
  int parsed = 0;
  for (const auto kind : {HttpParser::Kind::response, HttpParser::Kind::response_to_head}) {
    const auto whole = parse_in_pieces(kind, input, std::max<size_t>(input.size(), 1));
    const auto pieces = parse_in_pieces(kind, input, 7);
    MUIR_CHECK(whole == pieces, "a message depends on how it arrives: {}", hex(input));
    if (whole) parsed = 1;
  }
  return parsed;
}

}  // namespace muir::net
