// Kafka's configuration keys, as the Java clients name them, as a librdkafka configuration.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "client/client.h"

struct rd_kafka_conf_s;

namespace muir::client::internal {

enum class Role : unsigned char { producer, consumer };

struct ConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
using Conf = std::unique_ptr<rd_kafka_conf_s, ConfDeleter>;

// `base` with `overrides` laid over it; numbers and words without the blanks around them.
Properties merged(const Properties& base, const Properties& overrides);
// The number under `key`, or `otherwise` when the key is absent. invalid_argument names the key and its bounds.
Result<int64_t> number_of(const Properties& properties, std::string_view key, int64_t otherwise, int64_t min,
                          int64_t max);

// Translates the keys that matter to `role` and leaves out those of other roles. Values are never logged.
Result<Conf> make_conf(Role role, const Properties& properties);
// Warns once by name, with the nearest known key, about each key that no part of the client reads.
void warn_about_unknown(const Properties& properties);

// "host:port,[::1]:port": at least one, each with a port.
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};
Result<std::vector<Endpoint>> parse_endpoints(std::string_view bootstrap_servers);
std::string to_string(const Endpoint& endpoint);

}  // namespace muir::client::internal
