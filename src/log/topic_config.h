// TopicConfig: the settings of a topic, with Kafka's keys, defaults and rules.
//
// A topic stores only what was set for it; the rest comes from the broker's properties (keys have synonyms there) and
// then from Kafka's defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/status.h"
#include "wire/compression.h"

namespace muir {
struct ConfigKey;
template <class Settings>
class ConfigDefOf;
}  // namespace muir

namespace muir::storage {

struct TopicConfig;
// Every key of a topic under Kafka's name, with its default, range and meaning, and the broker's names for it.
const ConfigDefOf<TopicConfig>& topic_config();

// The value of `key` for a topic with `overrides` under `broker` properties.
std::string topic_config_value(const ConfigKey& key, const Properties& overrides, const Properties& broker);
// The value that the broker's own properties have under one of its names for `key`, in the key's unit.
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
  // Of each codec that has levels.
  struct Levels {
    int gzip = -1;
    int lz4 = 9;
    int zstd = 3;
  } levels;

  // What is set is checked when it is set (topic_config_check.h). A value that is wrong nevertheless, because an
  // earlier version took it, is warned about, and the default counts.
  static TopicConfig from(const Properties& overrides, const Properties& broker);
};

}  // namespace muir::storage
