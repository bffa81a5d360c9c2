#include "broker/listener.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "broker/broker_config.h"
#include "net/tls_config.h"

namespace muir::broker {
namespace {

constexpr std::string_view kPrefix = "listener.name.";

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) out.push_back(one);
  }
  return out;
}

std::string in_case(std::string_view text, char first, char last, int change) {
  std::string out(text);
  for (char& c : out) {
    if (c >= first && c <= last) c = static_cast<char>(c + change);
  }
  return out;
}
std::string upper(std::string_view text) { return in_case(text, 'a', 'z', -32); }
std::string lower(std::string_view text) { return in_case(text, 'A', 'Z', 32); }

struct Address {
  std::string name;
  std::string host;
  uint16_t port = 0;
};

// "NAME://host:port"; an IPv6 host is in brackets.
Result<Address> parse_address(std::string_view text, std::string_view key) {
  const size_t scheme = text.find("://");
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  bool good = scheme != std::string_view::npos && scheme > 0 && colon > scheme + 2;
  if (good) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    good = failure == std::errc() && end == digits.data() + digits.size();
  }
  if (!good) return error(Code::invalid_argument, "{}: \"{}\": write it as PLAINTEXT://host:port", key, text);
  std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return Address{upper(text.substr(0, scheme)), std::string(host), port};
}

// Name of a listener to protocol. A listener that is called like a protocol needs no entry.
Result<std::map<std::string, std::string>> read_protocols(std::string_view text) {
  std::map<std::string, std::string> out;
  for (const std::string_view entry : split(text)) {
    const size_t colon = entry.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return error(Code::invalid_argument, "listener.security.protocol.map: \"{}\": write it as NAME:SSL", entry);
    }
    out[upper(entry.substr(0, colon))] = upper(entry.substr(colon + 1));
  }
  return out;
}

Result<bool> is_tls(const std::string& name, const std::map<std::string, std::string>& protocols) {
  const auto mapped = protocols.find(name);
  const std::string protocol = mapped == protocols.end() ? name : mapped->second;
  const auto tls = net::is_tls_protocol(protocol, "listeners");
  if (tls.ok() || tls.status().code() == Code::unsupported || mapped != protocols.end()) return tls;
  return error(Code::invalid_argument,
               "listeners: what listener {} speaks is not said: add {}:PLAINTEXT or {}:SSL to "
               "listener.security.protocol.map",
               name, name, name);
}

// Names of listeners that are not the broker's: controllers', and those of a registry in the same process.
bool is_another_servers(const std::string& name, const std::vector<std::string_view>& controllers) {
  return name == "HTTP" || name == "HTTPS" ||
         std::find(controllers.begin(), controllers.end(), name) != controllers.end();
}

Status advertise(std::vector<Listener>& listeners, std::string_view text,
                 const std::vector<std::string_view>& controllers) {
  for (const std::string_view entry : split(text)) {
    const Address address = MUIR_TRY(parse_address(entry, "advertised.listeners"));
    if (is_another_servers(address.name, controllers)) continue;
    const auto found = std::find_if(listeners.begin(), listeners.end(),
                                    [&](const Listener& listener) { return listener.name == address.name; });
    if (found == listeners.end()) {
      return error(Code::invalid_argument, "advertised.listeners: \"{}\": there is no listener {} in listeners", entry,
                   address.name);
    }
    if (address.host.empty() || address.host == "0.0.0.0")
      return error(Code::invalid_argument, "advertised.listeners: \"{}\": clients need a host to connect to", entry);
    found->advertised_host = address.host;
    found->advertised_port = address.port;
  }
  return {};
}

}  // namespace

Result<std::vector<Listener>> read_listeners(const std::map<std::string, std::string>& properties) {
  const auto protocols = MUIR_TRY(read_protocols(broker_config().value(properties, "listener.security.protocol.map")));
  const std::string addresses = broker_config().value(properties, "listeners");
  const std::string controllers =
      upper(properties.contains("controller.listener.names") ? properties.at("controller.listener.names") : "");
  const auto controller_names = split(controllers);
  std::vector<Listener> out;
  for (const std::string_view entry : split(addresses)) {
    const Address address = MUIR_TRY(parse_address(entry, "listeners"));
    if (is_another_servers(address.name, controller_names)) continue;
    for (const Listener& other : out) {
      if (other.name == address.name)
        return error(Code::invalid_argument, "listeners: there are two listeners {}", address.name);
      if (other.port == address.port && other.port != 0)
        return error(Code::invalid_argument, "listeners: {} and {} have the same port", other.name, address.name);
    }
    out.push_back({.name = address.name,
                   .host = address.host.empty() ? "0.0.0.0" : address.host,
                   .port = address.port,
                   .tls = MUIR_TRY(is_tls(address.name, protocols))});
  }
  MUIR_RETURN_IF_ERROR(advertise(out, broker_config().value(properties, "advertised.listeners"), controller_names));
  return out;
}

std::string listener_prefix(const Listener& listener) { return fmt::format("{}{}.", kPrefix, lower(listener.name)); }

bool is_listener_key(std::string_view key) {
  if (!key.starts_with(kPrefix)) return false;
  const size_t dot = key.find('.', kPrefix.size());
  if (dot == std::string_view::npos) return false;
  return net::is_tls_key(key.substr(dot + 1));
}

}  // namespace muir::broker
