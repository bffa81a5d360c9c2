#include "net/internal/http_parser.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <variant>

#include "base/check.h"

namespace muir::net {

namespace http = boost::beast::http;
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using RequestParser = http::request_parser<http::string_body>;
using ResponseParser = http::response_parser<http::string_body>;

struct HttpParser::Impl {
  std::variant<std::monostate, RequestParser, ResponseParser> parser;
  ErrorCode failure;
  std::string message;
  bool continue_answered = false;

  template <class F>
  decltype(auto) with(F f) {
    if (auto* request = std::get_if<RequestParser>(&parser)) return f(*request);
    return f(std::get<ResponseParser>(parser));
  }
};

HttpParser::HttpParser(Kind kind, HttpLimits limits) : impl_(std::make_unique<Impl>()) {
  if (kind == Kind::request) {
    impl_->parser.emplace<RequestParser>();
  } else {
    impl_->parser.emplace<ResponseParser>();
    if (kind == Kind::response_to_head) std::get<ResponseParser>(impl_->parser).skip(true);
  }
  impl_->with([&](auto& parser) {
    parser.header_limit(static_cast<uint32_t>(limits.header_bytes_max));
    parser.body_limit(limits.body_bytes_max);
    parser.eager(true);
  });
}

HttpParser::~HttpParser() = default;

HttpParser::State HttpParser::feed(BytesView bytes, size_t& consumed) {
  consumed = 0;
  return impl_->with([&](auto& parser) {
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
  });
}

HttpParser::State HttpParser::finish() {
  return impl_->with([&](auto& parser) {
    ErrorCode ec;
    if (!parser.is_done() && parser.got_some()) parser.put_eof(ec);
    if (ec || !parser.is_done()) {
      impl_->failure = ec ? ec : make_error_code(http::error::partial_message);
      impl_->message = impl_->failure.message();
      return State::failed;
    }
    return State::done;
  });
}

bool HttpParser::header_done() const {
  return impl_->with([](auto& parser) { return parser.is_header_done(); });
}

bool HttpParser::wants_continue() {
  if (impl_->continue_answered || !header_done()) return false;
  const bool wants = impl_->with([](auto& parser) {
    return !parser.is_done() && parser.get().version() >= 11 &&
           boost::beast::iequals(parser.get()[http::field::expect], "100-continue");
  });
  impl_->continue_answered = wants;
  return wants;
}

int HttpParser::error_status() const {
  if (impl_->failure == http::error::body_limit) return 413;
  if (impl_->failure == http::error::header_limit) return 431;
  if (impl_->failure == http::error::bad_version) return 505;
  return 400;
}

const std::string& HttpParser::error_message() const { return impl_->message; }

HttpMessage HttpParser::take() {
  HttpMessage out;
  impl_->with([&](auto& parser) {
    out.keep_alive = parser.keep_alive();
    auto message = parser.release();
    out.http_1_0 = message.version() < 11;
    for (const auto& field : message) {
      std::string name(field.name_string().data(), field.name_string().size());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      out.headers.emplace_back(std::move(name), std::string(field.value().data(), field.value().size()));
    }
    if constexpr (std::is_same_v<std::decay_t<decltype(parser)>, RequestParser>) {
      out.method.assign(message.method_string().data(), message.method_string().size());
      out.target.assign(message.target().data(), message.target().size());
    } else {
      out.status = static_cast<int>(message.result_int());
    }
    out.body = std::move(message.body());
  });
  return out;
}

int fuzz_http(BytesView input) {
  for (const auto kind : {HttpParser::Kind::request, HttpParser::Kind::response}) {
    HttpParser parser(kind, {.header_bytes_max = 1024, .body_bytes_max = 1024});
    size_t consumed = 0;
    const size_t half = input.size() / 2;
    HttpParser::State state = parser.feed(input.substr(0, half), consumed);
    if (state == HttpParser::State::more) state = parser.feed(input.substr(consumed), consumed);
    if (state == HttpParser::State::more) state = parser.finish();
    if (state != HttpParser::State::done) continue;
    const HttpMessage message = parser.take();
    MUIR_CHECK(message.body.size() <= 1024, "a body beyond the limit got through");
  }
  return 0;
}

}  // namespace muir::net
