// BrokerConfig: what a broker is started with; Kafka's property names and defaults where Kafka has them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "broker/listener.h"

namespace muir::broker {

using Properties = std::map<std::string, std::string>;

struct BrokerConfig {
  // Where to listen when the property listeners does not say: one listener, PLAINTEXT.
  std::string host = "127.0.0.1";
  uint16_t port = 9092;  // 0: any free port
  std::string data_dir;
  int32_t node_id = 1;
  int network_threads = 2;

  // Everything else by its Kafka key; unknown keys are warned about at start.
  Properties properties;
  Clock* clock = nullptr;              // null: the machine's
  MetricsRegistry* metrics = nullptr;  // where muir_broker_* and muir_log_* are collected, outlives it; null: nowhere

  // Reads log.dirs, node.id and the rest from Kafka-style properties, and checks listeners and what belongs to it.
  static Result<BrokerConfig> from_properties(const Properties& properties);
  // What the property listeners says, else host and port; advertised.listeners counts in both cases.
  [[nodiscard]] Result<std::vector<Listener>> listeners() const;
};

// A key that the broker knows. `default_value` is what it takes when the key is not set.
struct BrokerConfigKey {
  std::string_view name;
  std::string_view default_value;
  int8_t type;  // DescribeConfigs' config_type
  std::string_view documentation;
};
// Sorted by name.
std::span<const BrokerConfigKey> broker_config_keys();
const BrokerConfigKey* find_broker_config_key(std::string_view name);

// Whether a broker understands the key: one of the above, a default for topics (log.segment.bytes,
// message.max.bytes...), or one of Kafka's that a single node has no use for.
bool is_known_property(std::string_view name);

// Values of keys in broker_config_keys(): what is set, else the default. Wrong values are refused at start.
int64_t int_property(const Properties& properties, std::string_view name);
bool bool_property(const Properties& properties, std::string_view name);
std::string string_property(const Properties& properties, std::string_view name);

// One sentence per wrong or unknown key; unknown ones name the nearest that exists.
struct ConfigComplaints {
  std::vector<std::string> unknown;
  std::vector<std::string> wrong;
};
ConfigComplaints check_properties(const Properties& properties);

}  // namespace muir::broker
