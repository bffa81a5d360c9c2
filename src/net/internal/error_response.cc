#include "net/internal/error_response.h"

#include <fmt/core.h>

namespace muir::net {
std::string_view error_code_of(int status) {
  switch (status) {
    case 400: return "bad_request";
    case 403: return "cross_origin";
    case 404: return "not_found";
    case 405: return "method_not_allowed";
    case 408: return "request_timeout";
    case 413: return "body_too_large";
    case 415: return "unsupported_encoding";
    case 417: return "expectation_failed";
    case 421: return "host_not_allowed";
    case 426: return "upgrade_required";
    case 431: return "headers_too_large";
    case 501: return "not_implemented";
    case 503: return "unavailable";
    case 505: return "http_version_not_supported";
    default: return "internal";
  }
}

HttpResponse error_response(int status, std::string_view message) {
  return {.status = status, .own_error = std::string(message)};
}

void give_form(HttpResponse& response, const HttpErrorForm& form, std::string_view accept) {
  if (response.own_error.empty()) return;
  if (form) return form(response, response.own_error, accept);
  response.body = fmt::format("{{\"error\":{{\"code\":\"{}\",\"message\":\"", error_code_of(response.status));
  for (const char c : response.own_error) {
    if (c == '"' || c == '\\') response.body += '\\';
    response.body += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  response.body += "\"}}";
}

}  // namespace muir::net
