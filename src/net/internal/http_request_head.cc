#include "net/internal/http_request_head.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace muir::net {
namespace {

using Refused = std::optional<HttpRefusal>;

constexpr size_t kMethodBytesMax = 32;
constexpr size_t kHostBytesMax = 255;

Refused refuse(std::string message, int status = 400) { return HttpRefusal{status, std::move(message)}; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// RFC 9110, 5.6.2.
bool is_token_char(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }
bool is_visible(char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }
// Of a field's value: visible, space or tab.
bool is_value_char(char c) { return is_visible(c) || c == ' ' || c == '\t'; }

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The elements of a comma-separated list, in lower case.
std::vector<std::string> list_of(std::string_view value) {
  std::vector<std::string> out;
  for (;;) {
    const size_t end = std::min(value.find(','), value.size());
    out.push_back(lower_case(trim(value.substr(0, end))));
    if (end == value.size()) return out;
    value.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> values_of(const HttpMessage& message, std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [field, value] : message.headers) {
    if (field == name) out.emplace_back(value);
  }
  return out;
}

Refused read_length(std::string_view value, HttpFraming& framing) {
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))
    return refuse("Content-Length is no number of bytes");
  size_t length = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (failure != std::errc()) return refuse("Content-Length is beyond every limit", 413);
  framing.length = length;
  return std::nullopt;
}

// RFC 9112, 6.3. Exactly "chunked" and nothing beside it.
Refused read_transfer_encoding(const HttpMessage& message, const std::vector<std::string_view>& values,
                               HttpFraming& framing) {
  if (message.http_1_0) return refuse("Transfer-Encoding is not of HTTP/1.0");
  if (values.size() > 1) return refuse("Transfer-Encoding is given twice");
  const std::vector<std::string> codings = list_of(values[0]);
  const auto chunked = static_cast<size_t>(std::count(codings.begin(), codings.end(), "chunked"));
  if (codings.back() != "chunked" || chunked != 1)
    return refuse("the last Transfer-Encoding must be chunked, once: the end of the body is not known otherwise");
  if (codings.size() > 1) return refuse("of Transfer-Encoding only chunked is understood", 501);
  framing.chunked = true;
  return std::nullopt;
}

Refused read_framing(const HttpMessage& message, HttpFraming& framing) {
  const auto lengths = values_of(message, "content-length");
  const auto codings = values_of(message, "transfer-encoding");
  if (lengths.size() > 1) return refuse("Content-Length is given twice");
  if (!lengths.empty() && !codings.empty()) return refuse("Content-Length and Transfer-Encoding exclude each other");
  if (!lengths.empty()) return read_length(lengths[0], framing);
  if (!codings.empty()) return read_transfer_encoding(message, codings, framing);
  return std::nullopt;
}

// RFC 9112, 3.2.
Refused read_host(const HttpMessage& message, std::optional<HttpAuthority>& host) {
  const auto hosts = values_of(message, "host");
  if (hosts.size() > 1) return refuse("Host is given twice");
  if (hosts.empty()) return message.http_1_0 ? std::nullopt : refuse("a request of HTTP/1.1 needs a Host");
  host = parse_authority(hosts[0]);
  if (!host) return refuse("Host is no host with an optional port");
  return std::nullopt;
}

bool same_authority(const HttpAuthority& a, const HttpAuthority& b, uint16_t default_port) {
  return a.host == b.host && a.port.value_or(default_port) == b.port.value_or(default_port);
}

// RFC 9112, 3.2.1 to 3.2.4: an absolute target names the host once more, and must name the same.
Refused read_target(HttpMessage& message, const std::optional<HttpAuthority>& host) {
  const std::string& target = message.target;
  if (target.find('#') != std::string::npos) return refuse("a request's target has no fragment");
  if (target.front() == '/') return std::nullopt;
  if (target == "*") return message.method == "OPTIONS" ? std::nullopt : refuse("the target * is of OPTIONS only");
  const size_t scheme_end = target.find("://");
  const std::string scheme = lower_case(std::string_view(target).substr(0, scheme_end));
  if (scheme_end == std::string::npos || (scheme != "http" && scheme != "https"))
    return refuse("the target is neither a path nor an http URL");
  const size_t begin = scheme_end + 3;
  const size_t end = std::min(target.find_first_of("/?", begin), target.size());
  const auto named = parse_authority(std::string_view(target).substr(begin, end - begin));
  if (!named) return refuse("the target's host is no host with an optional port");
  if (host && !same_authority(*named, *host, scheme == "http" ? 80 : 443))
    return refuse("the target names another host than Host");
  if (!host) message.headers.emplace_back("host", target.substr(begin, end - begin));
  std::string path = target.substr(end);
  if (path.empty() || path.front() == '?') path.insert(0, 1, '/');
  message.target = std::move(path);
  return std::nullopt;
}

void read_connection(HttpMessage& message) {
  bool close = false;
  bool keep = false;
  for (const std::string_view value : values_of(message, "connection")) {
    for (const std::string& option : list_of(value)) {
      close |= option == "close";
      keep |= option == "keep-alive";
    }
  }
  message.keep_alive = !close && (keep || !message.http_1_0);
}

// ASCII names of the DNS, and what containers and hosts files add to them.
bool is_name(std::string_view host) {
  return !host.empty() &&
         std::all_of(host.begin(), host.end(), [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

std::optional<HttpAuthority> parse_authority(std::string_view text) {
  HttpAuthority out;
  if (text.size() > kHostBytesMax) return std::nullopt;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = lower_case(text.substr(1, end - 1));
    in6_addr address{};
    if (::inet_pton(AF_INET6, out.host.c_str(), &address) != 1) return std::nullopt;
    text.remove_prefix(end + 1);
  } else {
    const size_t end = std::min(text.find(':'), text.size());
    out.host = lower_case(text.substr(0, end));
    if (!is_name(out.host)) return std::nullopt;
    text.remove_prefix(end);
  }
  if (text.empty()) return out;
  text.remove_prefix(1);  // ':', unless something follows a bracket
  uint16_t port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.data()[-1] != ':' || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  out.port = port;
  return out;
}

Refused parse_request_line(std::string_view line, HttpMessage& message) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse("the first line is not METHOD TARGET HTTP/1.1");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > kMethodBytesMax) return refuse("malformed method");
  if (!std::all_of(target.begin(), target.end(), is_visible) || target.empty())
    return refuse("a space or control character in the request's target");
  const bool named = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' &&
                     is_digit(version[7]);
  if (!named) return refuse("the first line is not METHOD TARGET HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse("HTTP/1.1 and HTTP/1.0 are spoken here", 505);
  message.method = method;
  message.target = target;
  message.http_1_0 = version == "HTTP/1.0";
  return std::nullopt;
}

Refused parse_field_line(std::string_view line, HttpFields& fields) {
  if (line.front() == ' ' || line.front() == '\t') return refuse("a header's value goes on in the next line");
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return refuse("a header without a colon");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return refuse("malformed name of a header: a space or another character that may not be in it");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_value_char)) return refuse("a control character in a header");
  fields.emplace_back(lower_case(name), value);
  return std::nullopt;
}

Refused finish_request_head(HttpMessage& message, HttpFraming& framing) {
  std::optional<HttpAuthority> host;
  if (auto refused = read_framing(message, framing)) return refused;
  if (auto refused = read_host(message, host)) return refused;
  if (auto refused = read_target(message, host)) return refused;
  read_connection(message);
  for (const std::string_view expected : values_of(message, "expect")) {
    if (lower_case(expected) != "100-continue") return refuse("of Expect only 100-continue is understood", 417);
    framing.expects_continue = !message.http_1_0;
  }
  for (const std::string_view value : values_of(message, "content-encoding")) {
    if (!framing.content_encoding.empty()) framing.content_encoding += ',';
    framing.content_encoding += lower_case(value);
  }
  join_lists(message.headers);
  return std::nullopt;
}

void join_lists(HttpFields& fields) {
  static constexpr std::array<std::string_view, 20> kLists = {"accept",
                                                              "accept-charset",
                                                              "accept-encoding",
                                                              "accept-language",
                                                              "cache-control",
                                                              "connection",
                                                              "content-encoding",
                                                              "content-language",
                                                              "forwarded",
                                                              "if-match",
                                                              "if-none-match",
                                                              "pragma",
                                                              "sec-websocket-extensions",
                                                              "sec-websocket-protocol",
                                                              "te",
                                                              "trailer",
                                                              "upgrade",
                                                              "vary",
                                                              "via",
                                                              "x-forwarded-for"};
  for (size_t i = 0; i < fields.size(); ++i) {
    if (std::find(kLists.begin(), kLists.end(), fields[i].first) == kLists.end()) continue;
    size_t kept = i + 1;
    for (size_t j = i + 1; j < fields.size(); ++j) {
      if (fields[j].first == fields[i].first) {
        std::string& list = fields[i].second;
        if (!list.empty() && !fields[j].second.empty()) list += ", ";
        list += fields[j].second;
      } else {
        if (kept != j) fields[kept] = std::move(fields[j]);
        ++kept;
      }
    }
    fields.resize(kept);
  }
}

bool lists(std::string_view list, std::string_view lower_element) {
  const std::vector<std::string> elements = list_of(list);
  return std::find(elements.begin(), elements.end(), lower_element) != elements.end();
}

bool takes_gzip(std::string_view accept_encoding) {
  std::optional<bool> any;  // what "*" says
  for (const std::string& element : list_of(accept_encoding)) {
    const std::string_view coding = trim(std::string_view(element).substr(0, element.find(';')));
    if (coding != "gzip" && coding != "x-gzip" && coding != "*") continue;
    const size_t weight = element.find("q=");
    const bool taken = weight == std::string::npos || element.find_first_of("123456789", weight) != std::string::npos;
    if (coding != "*") return taken;
    any = taken;
  }
  return any.value_or(false);
}

bool forbidden_in_trailers(std::string_view lower_name) {
  static constexpr std::array<std::string_view, 15> kForbidden = {"authorization",    "connection",
                                                                  "content-encoding", "content-length",
                                                                  "content-type",     "cookie",
                                                                  "expect",           "host",
                                                                  "keep-alive",       "origin",
                                                                  "proxy-connection", "te",
                                                                  "trailer",          "transfer-encoding",
                                                                  "upgrade"};
  return std::find(kForbidden.begin(), kForbidden.end(), lower_name) != kForbidden.end();
}

}  // namespace muir::net
