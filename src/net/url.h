// Percent-encoding and queries of URLs (RFC 3986).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

// "a%20b" -> "a b". With `plus_is_space`, as in queries, '+' is a space. Nothing when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Everything but letters, digits and "-._~" escaped: for one segment of a path or one value of a query.
std::string percent_encode(std::string_view text);
// The first parameter of that name in "a=1&b=2", decoded; nothing when absent or malformed.
std::optional<std::string> find_query_param(std::string_view query, std::string_view name);

// "http://host:port/path": `scheme` is what the URL must begin with.
struct Url {
  std::string host;
  uint16_t port = 0;
  std::string target;  // path and query; "/" when absent
};
// "host:port" as Host has it: an IPv6 address in brackets.
std::string authority_of(const Url& url);
Result<Url> parse_url(std::string_view url, std::string_view scheme, uint16_t default_port);

// Fuzz entry: reads arbitrary bytes as an escaped text, a query and a URL, and checks that what it read survives
// being escaped. Returns 1 when one of them could be read.
int fuzz_url(BytesView input);

}  // namespace muir::net
