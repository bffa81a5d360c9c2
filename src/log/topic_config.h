// TopicConfig: the settings of a topic, with Kafka's keys, defaults and rules.
//
// A topic stores only what was set for it; the rest comes from the broker's properties (each key has a broker
// synonym) and then from Kafka's defaults.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "wire/compression.h"

namespace muir::log {

using Properties = std::map<std::string, std::string>;

// Numbers are those of DescribeConfigs' config_type.
enum class ConfigType : int8_t { boolean = 1, string = 2, int32 = 3, int16 = 4, int64 = 5, float64 = 6, list = 7 };

// One key of the table.
struct ConfigKey {
  std::string_view name;
  std::string_view broker_synonym;  // empty: none
  ConfigType type;
  std::string_view default_value;
  std::string_view documentation;
};

// Every key of a topic, sorted by name.
std::span<const ConfigKey> topic_config_keys();
// nullptr for a key that does not exist.
const ConfigKey* find_topic_config_key(std::string_view name);

// The value of `key` for a topic with `overrides` under `broker` properties.
std::string topic_config_value(const ConfigKey& key, const Properties& overrides, const Properties& broker);
// Kafka also accepts hours and minutes for two keys of the broker: the value of `key`'s synonyms, in its unit.
std::optional<std::string> broker_config_value(const ConfigKey& key, const Properties& broker);

// The values that the log acts on. Immutable value.
struct TopicConfig {
  bool compact = false;
  bool remove = true;                  // cleanup.policy contains delete
  int64_t retention_ms = 604'800'000;  // -1: without limit
  int64_t retention_bytes = -1;
  int64_t segment_bytes = 1 << 30;
  int64_t segment_ms = 604'800'000;
  int64_t index_interval_bytes = 4096;
  int64_t message_bytes_max = 1'048'588;
  bool log_append_time = false;
  bool flush = false;  // flush.messages or flush.ms is set: appends are flushed also when nobody waits for it
  int64_t timestamp_before_ms_max = INT64_MAX;
  int64_t timestamp_after_ms_max = 3'600'000;
  double cleanable_dirty_ratio_min = 0.5;
  int64_t compaction_lag_ms_min = 0;
  int64_t compaction_lag_ms_max = INT64_MAX;
  int64_t delete_retention_ms = 86'400'000;
  int64_t file_delete_delay_ms = 60'000;
  std::optional<wire::Compression> compression;  // nullopt: as the producer chose
  int compression_level = 0;

  // What is set is checked when it is set (topic_config_check.h). A value that is wrong nevertheless, because an
  // earlier version took it, is warned about, and the default counts.
  static TopicConfig from(const Properties& overrides, const Properties& broker);
};

}  // namespace muir::log
