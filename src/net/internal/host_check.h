// Which names a request may call its server by. A page whose own name resolves to this machine's address (DNS
// rebinding) is of the same origin as the server to its browser; the name in Host gives it away.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/internal/http_request_head.h"

namespace muir::net {

// Immutable.
class HostCheck {
 public:
  // The machine's own name, as gethostname() has it, and `allowed` ("fleet.example.com", ".example.com" for all below
  // it, "*" for every name) are taken beside what always is: localhost and names below it, loopback addresses, and
  // `bind_host`; any address when that is a wildcard, as no address can be rebound.
  HostCheck(std::string_view bind_host, const std::vector<std::string>& allowed);

  [[nodiscard]] bool allows(const HttpAuthority& named) const;

 private:
  std::vector<std::string> names_;  // lower case
  bool any_name_ = false;
  bool any_address_ = false;
};

}  // namespace muir::net
