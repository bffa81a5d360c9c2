// The table behind client_keys.h, with librdkafka's names. Immutable; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/config.h"

namespace muir::client::internal {

enum KeyUse : unsigned { kProducer = 1, kConsumer = 2, kAdmin = 4, kAll = 7 };

struct ClientKey {
  std::string_view name;     // as Java's clients have it
  std::string_view rdkafka;  // empty: the same; kNotRdkafkas: read by this module
  unsigned use = 0;
  ConfigType type = ConfigType::string;
  int64_t min = INT64_MIN;
  int64_t max = INT64_MAX;
  std::string_view allowed{};  // separated by '|'; empty: anything
};
constexpr std::string_view kNotRdkafkas = "-";

std::span<const ClientKey> client_keys();
const ClientKey* find_client_key(std::string_view name);
// A value of Java's as librdkafka wants it.
std::string rdkafka_value(const ClientKey& key, const std::string& value);
// Keys of Java's clients that have no effect on any client here, and are no reason to warn who makes one directly.
bool is_accepted_without_effect(std::string_view name);

}  // namespace muir::client::internal
