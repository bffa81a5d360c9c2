// The configuration keys of producers, consumers and admins, under the names of Java's clients: which take effect, with
// type and range, which have none here, and what to say of the others. Functions only; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"

namespace muir::client {

enum class ClientKind : unsigned char { producer, consumer, admin };

// Those that take effect, but for TLS (net::tls_config_keys()).
const ConfigDef& client_config(ClientKind kind);

// One sentence for each key that has no effect on such a client: known to Java's client and not supported yet, decided
// by whoever makes the client (`decided`), or unknown, with the nearest known one. Messages name prefix and key.
std::vector<std::string> keys_without_effect(ClientKind kind, const Properties& properties, std::string_view prefix,
                                             const std::vector<std::string_view>& decided = {});
// Types and ranges of the keys that take effect; the message names prefix and key.
Status check_client_keys(ClientKind kind, const Properties& properties, std::string_view prefix);

}  // namespace muir::client
