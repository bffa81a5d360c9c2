#include "log/topic_config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "log/kafka_error.h"

namespace muir::log {
namespace {

using enum ConfigType;

// The keys, defaults and synonyms of Apache Kafka 4.x.
constexpr ConfigKey kKeys[] = {
    {"cleanup.policy", "log.cleanup.policy", list, "delete", "What happens to old records: delete, compact, or both."},
    {"compression.gzip.level", "compression.gzip.level", int32, "-1", "Level when compression.type is gzip."},
    {"compression.lz4.level", "compression.lz4.level", int32, "9", "Level when compression.type is lz4."},
    {"compression.type", "compression.type", string, "producer",
     "Codec in which batches are stored; producer keeps theirs."},
    {"compression.zstd.level", "compression.zstd.level", int32, "3", "Level when compression.type is zstd."},
    {"delete.retention.ms", "log.cleaner.delete.retention.ms", int64, "86400000",
     "How long compaction keeps tombstones."},
    {"file.delete.delay.ms", "log.segment.delete.delay.ms", int64, "60000", "Time before a removed file is unlinked."},
    {"flush.messages", "log.flush.interval.messages", int64, "9223372036854775807",
     "Records after which the log is flushed."},
    {"flush.ms", "log.flush.interval.ms", int64, "9223372036854775807", "Time after which the log is flushed."},
    {"follower.replication.throttled.replicas", "", list, "", "Accepted for compatibility; there are no followers."},
    {"index.interval.bytes", "log.index.interval.bytes", int32, "4096", "Bytes of log between two index entries."},
    {"leader.replication.throttled.replicas", "", list, "", "Accepted for compatibility; there are no followers."},
    {"local.retention.bytes", "log.local.retention.bytes", int64, "-2",
     "Accepted for compatibility; there is no remote tier."},
    {"local.retention.ms", "log.local.retention.ms", int64, "-2",
     "Accepted for compatibility; there is no remote tier."},
    {"max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms", int64, "9223372036854775807",
     "Longest time a record stays uncompacted."},
    {"max.message.bytes", "message.max.bytes", int32, "1048588", "Largest batch, as compressed by the producer."},
    {"message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms", int64, "3600000",
     "How far in the future a timestamp may be."},
    {"message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms", int64, "9223372036854775807",
     "How far in the past a timestamp may be."},
    {"message.timestamp.type", "log.message.timestamp.type", string, "CreateTime", "CreateTime or LogAppendTime."},
    {"min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio", float64, "0.5",
     "Share of uncompacted bytes that starts a compaction."},
    {"min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms", int64, "0",
     "Shortest time a record stays uncompacted."},
    {"min.insync.replicas", "min.insync.replicas", int32, "1",
     "Accepted for compatibility; the one replica is in sync."},
    {"preallocate", "log.preallocate", boolean, "false", "Accepted for compatibility; files grow as they are written."},
    {"remote.log.copy.disable", "", boolean, "false", "Accepted for compatibility; there is no remote tier."},
    {"remote.log.delete.on.disable", "", boolean, "false", "Accepted for compatibility; there is no remote tier."},
    {"remote.storage.enable", "", boolean, "false", "Accepted for compatibility; there is no remote tier."},
    {"retention.bytes", "log.retention.bytes", int64, "-1", "Bytes a partition keeps; -1 is without limit."},
    {"retention.ms", "log.retention.ms", int64, "604800000", "Time a partition keeps records; -1 is without limit."},
    {"segment.bytes", "log.segment.bytes", int32, "1073741824", "Size at which a new segment begins."},
    {"segment.index.bytes", "log.index.size.max.bytes", int32, "10485760",
     "Accepted for compatibility; indexes grow as needed."},
    {"segment.jitter.ms", "log.roll.jitter.ms", int64, "0", "Accepted for compatibility; segments roll at segment.ms."},
    {"segment.ms", "log.roll.ms", int64, "604800000", "Age at which a new segment begins."},
    {"unclean.leader.election.enable", "unclean.leader.election.enable", boolean, "false",
     "Accepted for compatibility; there are no elections."},
};

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> real(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> items(std::string_view list_text) {
  std::vector<std::string_view> out;
  while (!list_text.empty()) {
    const size_t comma = list_text.find(',');
    std::string_view item = list_text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.push_back(item);
    list_text.remove_prefix(comma == std::string_view::npos ? list_text.size() : comma + 1);
  }
  return out;
}

bool one_of(std::string_view value, std::initializer_list<std::string_view> allowed) {
  return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

// The least value a number may have.
int64_t least(std::string_view name) {
  if (one_of(name, {"retention.ms", "retention.bytes"})) return -1;
  if (one_of(name, {"local.retention.ms", "local.retention.bytes"})) return -2;
  if (one_of(name, {"segment.ms", "max.compaction.lag.ms", "min.insync.replicas", "compression.lz4.level"})) return 1;
  // Kafka's own tests roll after a few bytes; a batch of one record is larger than this.
  if (one_of(name, {"segment.bytes"})) return 14;
  if (one_of(name, {"segment.index.bytes"})) return 4;
  if (one_of(name, {"compression.gzip.level"})) return -1;
  if (one_of(name, {"compression.zstd.level"})) return -131072;
  return 0;
}

int64_t greatest(const ConfigKey& key) {
  if (key.name == "compression.gzip.level") return 9;
  if (key.name == "compression.lz4.level") return 17;
  if (key.name == "compression.zstd.level") return 22;
  return key.type == int32 ? INT32_MAX : INT64_MAX;
}

bool allowed(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case boolean: return one_of(value, {"true", "false"});
    case int32:
    case int16:
    case int64: {
      const auto parsed = number(value);
      return parsed && *parsed >= least(key.name) && *parsed <= greatest(key);
    }
    case float64: {
      const auto parsed = real(std::string(value));
      return parsed && *parsed >= 0 && *parsed <= 1;
    }
    case list: {
      if (key.name != "cleanup.policy") return true;
      const auto policies = items(value);
      return std::all_of(policies.begin(), policies.end(), [](auto item) {
        return one_of(item, {"compact", "delete"});
      });
    }
    case string:
      if (key.name == "compression.type")
        return one_of(value, {"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"});
      return one_of(value, {"CreateTime", "LogAppendTime"});
  }
  return false;
}

}  // namespace

std::span<const ConfigKey> topic_config_keys() { return kKeys; }

const ConfigKey* find_topic_config_key(std::string_view name) {
  const auto it = std::lower_bound(std::begin(kKeys), std::end(kKeys), name,
                                   [](const ConfigKey& key, auto wanted) { return key.name < wanted; });
  return it != std::end(kKeys) && it->name == name ? it : nullptr;
}

std::optional<std::string> broker_config_value(const ConfigKey& key, const Properties& broker) {
  const auto find = [&](std::string_view name, int64_t factor) -> std::optional<std::string> {
    const auto it = broker.find(std::string(name));
    if (it == broker.end()) return std::nullopt;
    const auto value = number(it->second);
    return factor == 1 || !value || *value < 0 ? it->second : std::to_string(*value * factor);
  };
  constexpr int64_t kMinute = 60'000;
  if (!key.broker_synonym.empty()) {
    if (auto value = find(key.broker_synonym, 1)) return value;
  }
  if (key.name == "retention.ms") {
    if (auto value = find("log.retention.minutes", kMinute)) return value;
    return find("log.retention.hours", 60 * kMinute);
  }
  if (key.name == "segment.ms") return find("log.roll.hours", 60 * kMinute);
  return std::nullopt;
}

std::string topic_config_value(const ConfigKey& key, const Properties& overrides, const Properties& broker) {
  if (const auto it = overrides.find(std::string(key.name)); it != overrides.end()) return it->second;
  return broker_config_value(key, broker).value_or(std::string(key.default_value));
}

Status validate_topic_config(std::string_view name, std::string_view value) {
  const ConfigKey* key = find_topic_config_key(name);
  if (key == nullptr) return kafka_error(wire::ErrorCode::invalid_config, "Unknown topic config name: {}", name);
  if (!allowed(*key, value))
    return kafka_error(wire::ErrorCode::invalid_config, "Invalid value {} for configuration {}", value, name);
  return {};
}

Result<TopicConfig> TopicConfig::from(const Properties& overrides, const Properties& broker) {
  for (const auto& [name, value] : overrides) MUIR_RETURN_IF_ERROR(validate_topic_config(name, value));
  Status wrong;
  const auto text = [&](std::string_view name) {
    std::string value = topic_config_value(*find_topic_config_key(name), overrides, broker);
    if (const Status valid = validate_topic_config(name, value); wrong.ok()) wrong = valid;
    return value;
  };
  const auto integer = [&](std::string_view name) { return number(text(name)).value_or(0); };

  TopicConfig out;
  const std::string policies = text("cleanup.policy");
  out.compact = policies.find("compact") != std::string::npos;
  out.remove = policies.find("delete") != std::string::npos;
  out.retention_ms = integer("retention.ms");
  out.retention_bytes = integer("retention.bytes");
  out.segment_bytes = integer("segment.bytes");
  out.segment_ms = integer("segment.ms");
  out.index_interval_bytes = integer("index.interval.bytes");
  out.message_bytes_max = integer("max.message.bytes");
  out.log_append_time = text("message.timestamp.type") == "LogAppendTime";
  out.timestamp_before_ms_max = integer("message.timestamp.before.max.ms");
  out.timestamp_after_ms_max = integer("message.timestamp.after.max.ms");
  out.cleanable_dirty_ratio_min = real(text("min.cleanable.dirty.ratio")).value_or(0.5);
  out.compaction_lag_ms_min = integer("min.compaction.lag.ms");
  out.compaction_lag_ms_max = integer("max.compaction.lag.ms");
  out.delete_retention_ms = integer("delete.retention.ms");
  out.file_delete_delay_ms = integer("file.delete.delay.ms");
  const std::string codec = text("compression.type");
  if (codec != "producer") {
    out.compression = codec == "uncompressed" ? wire::Compression::none : wire::parse_compression(codec);
    if (const ConfigKey* level = find_topic_config_key("compression." + codec + ".level")) {
      out.compression_level = static_cast<int>(integer(level->name));
    }
  }
  if (!wrong.ok()) return wrong;
  return out;
}

}  // namespace muir::log
