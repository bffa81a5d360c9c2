#include "net/internal/host_check.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace muir::net {
namespace {

std::string_view without_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool same_or_below(std::string_view name, std::string_view parent) {
  return name == parent ||
         (name.size() > parent.size() && name.ends_with(parent) && name[name.size() - parent.size() - 1] == '.');
}

// An address in a form that compares; empty when `host` is none.
std::string address_bytes(const std::string& host) {
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, host.c_str(), bytes.data()) != 1) return {};
  const std::string_view six(bytes.data(), bytes.size());
  constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);  // an IPv4 address in IPv6's form
  return std::string(six.starts_with(kMapped) ? six.substr(kMapped.size()) : six);
}

bool is_loopback(std::string_view address) {
  return address.size() == 4 ? address[0] == 127 : address == std::string(15, '\0') + '\1';
}

std::string machine_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return lower_case(name);
}

}  // namespace

HostCheck::HostCheck(std::string_view bind_host, const std::vector<std::string>& allowed) {
  const auto add = [this](std::string_view name) {
    if (!name.empty()) names_.push_back(lower_case(without_dot(name)));
  };
  add(bind_host);
  const std::string own = machine_name();
  add(own);
  add(std::string_view(own).substr(0, own.find('.')));
  for (const std::string& name : allowed) {
    if (name == "*") any_name_ = true;
    add(name);
  }
  const std::string bound = address_bytes(std::string(bind_host));
  any_address_ = !bound.empty() && std::all_of(bound.begin(), bound.end(), [](char c) { return c == '\0'; });
}

bool HostCheck::allows(const HttpAuthority& named) const {
  if (any_name_) return true;
  const std::string host(without_dot(named.host));
  if (const std::string address = address_bytes(host); !address.empty()) {
    if (any_address_ || is_loopback(address)) return true;
    return std::any_of(names_.begin(), names_.end(),
                       [&address](const std::string& name) { return address_bytes(name) == address; });
  }
  if (same_or_below(host, "localhost")) return true;
  return std::any_of(names_.begin(), names_.end(), [&host](std::string_view name) {
    return name.starts_with('.') ? same_or_below(host, name.substr(1)) : host == name;
  });
}

}  // namespace muir::net
