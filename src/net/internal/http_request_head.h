// The head of an HTTP/1.1 request, read line by line and strictly (RFC 9112): what two readers could take for two
// different requests is refused, for one of them may be a proxy in front (request smuggling).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/internal/http_parser.h"

namespace muir::net {

// Why a request is answered by the server itself.
struct HttpRefusal {
  int status = 400;
  std::string message;
};

// How the body is delimited.
struct HttpFraming {
  bool chunked = false;
  std::optional<size_t> length;  // neither: there is no body
  bool expects_continue = false;
  std::string content_encoding;  // lower case; empty: none
};

using HttpFields = std::vector<std::pair<std::string, std::string>>;

// Lines are without their CRLF and hold no CR, LF or NUL.
// "GET /path HTTP/1.1" into method, target and version of `message`.
std::optional<HttpRefusal> parse_request_line(std::string_view line, HttpMessage& message);
// "Name: value" onto the end of `fields`, the name in lower case.
std::optional<HttpRefusal> parse_field_line(std::string_view line, HttpFields& fields);
// After the last field: framing, Host, and the target in origin form ("/path?query", or "*" of OPTIONS).
std::optional<HttpRefusal> finish_request_head(HttpMessage& message, HttpFraming& framing);
// Lists that were sent in several fields (RFC 9110, 5.3), as one: "Accept: a" and "Accept: b" as "a, b".
void join_lists(HttpFields& fields);
// Whether a list, in whatever case, has the element; parameters count as part of it.
bool lists(std::string_view list, std::string_view lower_element);
// Whether an Accept-Encoding takes gzip (RFC 9110, 12.5.3).
bool takes_gzip(std::string_view accept_encoding);
// A field that may not come after the body, where no proxy in front has looked for it.
bool forbidden_in_trailers(std::string_view lower_name);

// "Example.com:8080" as "example.com" and 8080; an IPv6 address without its brackets. Nothing for what is no host with
// an optional port (RFC 3986, 3.2).
struct HttpAuthority {
  std::string host;  // lower case
  std::optional<uint16_t> port;
};
std::optional<HttpAuthority> parse_authority(std::string_view text);

std::string lower_case(std::string_view text);

}  // namespace muir::net
