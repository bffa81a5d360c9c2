#include "net/internal/cross_origin.h"

#include <algorithm>
#include <cctype>

#include "net/internal/error_response.h"

namespace muir::net {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// Host and port are compared, not the scheme: a proxy in front may have taken the TLS off.
bool own(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && same_text(origin.substr(scheme + 3), host);
}

bool only_reads(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

}  // namespace

bool CrossOrigin::allows(std::string_view origin) const {
  return std::any_of(allowed_.begin(), allowed_.end(),
                     [origin](const std::string& one) { return one == "*" || same_text(one, origin); });
}

std::optional<HttpResponse> CrossOrigin::answer(const HttpRequest& request, bool opens_socket) const {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || own(origin, request.header("host"))) return std::nullopt;
  if (allows(origin)) {
    if (request.method != "OPTIONS" || request.header("access-control-request-method").empty()) return std::nullopt;
    HttpResponse preflight{.status = 204, .content_type = ""};
    preflight.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"},
                         {"Access-Control-Allow-Headers", "Content-Type, X-Request-Id"},
                         {"Access-Control-Max-Age", "600"}};
    return preflight;
  }
  if (only_reads(request.method) && !opens_socket) return std::nullopt;
  return error_response(403, "a page of another origin may not do this unless the server's configuration allows it");
}

std::vector<std::pair<std::string, std::string>> CrossOrigin::headers(const HttpRequest& request) const {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || !allows(origin)) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Expose-Headers", "X-Request-Id"},
          {"Vary", "Origin"}};
}

}  // namespace muir::net
