// What pages of other origins may do (Fetch standard, section 3.2): browsers send simple POSTs and open WebSockets for
// any page, naming it in Origin, and only keep answers from it that do not allow it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"

namespace muir::net {

class CrossOrigin {
 public:
  // `allowed` outlives it: origins like "https://fleet.example.com"; "*" allows all.
  explicit CrossOrigin(const std::vector<std::string>& allowed) : allowed_(allowed) {}

  // The answer to a request that must not go on: 403 to one that could change something, or open a socket, for a page
  // that is neither the server's own nor allowed; 204 to the preflight of one that is allowed. Else nothing.
  [[nodiscard]] std::optional<HttpResponse> answer(const HttpRequest& request, bool opens_socket) const;
  // The headers with which a browser gives an allowed page the answer; empty for all others.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers(const HttpRequest& request) const;

 private:
  [[nodiscard]] bool allows(std::string_view origin) const;

  const std::vector<std::string>& allowed_;
};

}  // namespace muir::net
