#include "net/url.h"

#include <algorithm>
#include <charconv>

namespace muir::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c)) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> find_query_param(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto key = percent_decode(pair.substr(0, equals), true);
    if (key && *key == name) return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
  }
  return std::nullopt;
}

std::string authority_of(const Url& url) {
  const bool six = url.host.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", url.host, url.port) : fmt::format("{}:{}", url.host, url.port);
}

Result<Url> parse_url(std::string_view url, std::string_view scheme, uint16_t default_port) {
  if (!url.starts_with(scheme)) return error(Code::invalid_argument, "URL '{}': does not begin with {}", url, scheme);
  const std::string_view rest = url.substr(scheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  Url out{.port = default_port, .target = slash < rest.size() ? std::string(rest.substr(slash)) : "/"};
  const size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (failure != std::errc() || end != port.data() + port.size() || out.port == 0) {
      return error(Code::invalid_argument, "URL '{}': '{}' is no port", url, port);
    }
    authority = authority.substr(0, colon);
  }
  if (bracket != std::string_view::npos) authority = authority.substr(1, bracket - 1);
  if (authority.empty()) return error(Code::invalid_argument, "URL '{}': no host", url);
  out.host = authority;
  return out;
}

int fuzz_url(BytesView input) {
  const auto decoded = percent_decode(input);
  if (decoded) {
    const std::string encoded = percent_encode(*decoded);
    MUIR_CHECK(percent_decode(encoded) == decoded, "percent-encoding does not round-trip");
    MUIR_CHECK(find_query_param("b=1&a=" + encoded + "&c", "a") == decoded, "an escaped value of a query is lost");
  }
  const auto param = find_query_param(input, "a");
  const auto url = parse_url(input, "http://", 80);
  if (url.ok()) MUIR_CHECK(!url->host.empty() && url->port != 0 && url->target.starts_with('/'), "half a URL");
  return decoded || param || url.ok() ? 1 : 0;
}

}  // namespace muir::net
