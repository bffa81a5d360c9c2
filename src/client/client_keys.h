// The configuration keys of producers, consumers and admins, under the names of Java's clients: which take effect, with
// type, range and default, which have none here, what to say of the others, and which values do not go together.
// Functions only; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"

namespace muir::client {

enum class ClientKind : unsigned char { producer, consumer, admin };

// Those that take effect, but for TLS (net::tls_config()).
const ConfigDef& client_config(ClientKind kind);

// One sentence for each key that has no effect on such a client: known to Java's client and not supported yet, decided
// by whoever makes the client (`decided`), or unknown, with the nearest known one. Messages name prefix and key.
std::vector<std::string> keys_without_effect(ClientKind kind, const Properties& properties, std::string_view prefix,
                                             const std::vector<std::string_view>& decided = {});

// What one client is to have, and for messages under which name each key was given ("producer.acks"; absent: its own).
struct ClientGiven {
  Properties values{};
  std::map<std::string, std::string> names{};
  // What stands under `prefix`, without it, laid over what is there.
  void lay_over(const Properties& properties, std::string_view prefix);
  [[nodiscard]] std::string name_of(const std::string& key) const;
};
// Every value that is wrong: by itself, for librdkafka (rdkafka.<name>), or together with others, by the rules of
// Kafka's clients and of librdkafka. What this takes, a client is made of.
ConfigMistakes client_mistakes(ClientKind kind, const ClientGiven& given);

}  // namespace muir::client
