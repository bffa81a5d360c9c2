#include "log/topic_config.h"

#include "base/config_def.h"
#include "base/log.h"
#include "log/topic_config_check.h"

namespace muir::storage {
namespace {

int level_of(const TopicConfig& config) {
  if (config.compression == wire::Compression::gzip) return config.levels.gzip;
  if (config.compression == wire::Compression::lz4) return config.levels.lz4;
  return config.compression == wire::Compression::zstd ? config.levels.zstd : 0;
}

}  // namespace

std::optional<std::string> broker_config_value(const ConfigKey& key, const Properties& broker) {
  for (const ConfigSynonym& synonym : key.synonyms) {
    if (const auto at = broker.find(synonym.name); at != broker.end()) return scaled_config(synonym, at->second);
  }
  return std::nullopt;
}

std::string topic_config_value(const ConfigKey& key, const Properties& overrides, const Properties& broker) {
  if (const auto it = overrides.find(key.name); it != overrides.end()) return it->second;
  return broker_config_value(key, broker).value_or(key.fallback);
}

TopicConfig TopicConfig::from(const Properties& overrides, const Properties& broker) {
  Properties valid;
  for (const ConfigKey& key : topic_config().keys()) {
    std::string value = topic_config_value(key, overrides, broker);
    if (const Status status = validate_topic_config(key.name, value); !status.ok()) {
      log::warn("topic configuration: {}; {} is used", status.message(), key.fallback);
      value = key.fallback;
    }
    valid.emplace(key.name, std::move(value));
  }
  TopicConfig out;
  topic_config().fill(valid, out);
  out.compression_level = level_of(out);
  return out;
}

}  // namespace muir::storage
