// Listener: an address that a broker listens on under a name, as Kafka has them: several at a time, each plaintext or
// TLS, each advertised to its own clients.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace muir::broker {

struct Listener {
  std::string name = "PLAINTEXT";
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: any free port, known once it is bound
  bool tls = false;
  // What clients that came by this listener are told to connect to; empty and 0: host and port.
  std::string advertised_host{};
  uint16_t advertised_port = 0;
};

// From listeners, listener.security.protocol.map and advertised.listeners; those of controller.listener.names are left
// out, for there is no controller to listen, and those of http and https, which a schema registry of the same file has.
// Empty when nothing is left. Code::unsupported for SASL, invalid_argument for the rest; the message
// names the key.
Result<std::vector<Listener>> read_listeners(const std::map<std::string, std::string>& properties);

// "listener.name.internal.": before the keys that one listener has for itself (KIP-103); names are in lower case there.
std::string listener_prefix(const Listener& listener);

// Whether a key is such a one, of TLS: listener.name.<name>.ssl.*.
bool is_listener_key(std::string_view key);

}  // namespace muir::broker
