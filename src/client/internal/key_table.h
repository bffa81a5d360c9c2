// The table behind client_keys.h, with librdkafka's names. Immutable; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"

namespace muir::client::internal {

enum KeyUse : unsigned { kProducer = 1, kConsumer = 2, kAdmin = 4, kAll = 7 };

struct ClientKey {
  ConfigKey config;               // name, type, range, default and meaning, as Java's clients have them
  unsigned use = 0;               // by which clients
  std::string_view rdkafka = {};  // librdkafka's name; empty: the same; kNotRdkafkas: read by this module
};
constexpr std::string_view kNotRdkafkas = "-";

const std::vector<ClientKey>& client_keys();
const ClientKey* find_client_key(std::string_view name);
// A value of Java's as librdkafka wants it.
std::string rdkafka_value(const ClientKey& key, const std::string& value);
// Keys of Java's clients that have no effect on clients here; `use`: on which.
bool is_accepted_without_effect(std::string_view name, unsigned use = kAll);

}  // namespace muir::client::internal
