#include "log/topic_config.h"

#include <algorithm>

#include "base/log.h"
#include "log/topic_config_check.h"

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
     "When set, every append is flushed, also with log.flush.acks=false."},
    {"flush.ms", "log.flush.interval.ms", int64, "9223372036854775807",
     "When set, every append is flushed, also with log.flush.acks=false."},
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
    {"remote.storage.enable", "", boolean, "false", "Only false: there is no remote tier."},
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
    const auto value = config_integer(it->second);
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

TopicConfig TopicConfig::from(const Properties& overrides, const Properties& broker) {
  const auto text = [&](std::string_view name) {
    const ConfigKey& key = *find_topic_config_key(name);
    std::string value = topic_config_value(key, overrides, broker);
    const Status valid = validate_topic_config(name, value);
    if (valid.ok()) return value;
    warn("topic configuration: {}; {} is used", valid.message(), key.default_value);
    return std::string(key.default_value);
  };
  const auto integer = [&](std::string_view name) { return config_integer(text(name)).value_or(0); };

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
  out.log_append_time = config_text(text("message.timestamp.type")) == "LogAppendTime";
  out.flush = integer("flush.messages") != INT64_MAX || integer("flush.ms") != INT64_MAX;
  out.timestamp_before_ms_max = integer("message.timestamp.before.max.ms");
  out.timestamp_after_ms_max = integer("message.timestamp.after.max.ms");
  out.cleanable_dirty_ratio_min = config_fraction(text("min.cleanable.dirty.ratio")).value_or(0.5);
  out.compaction_lag_ms_min = integer("min.compaction.lag.ms");
  out.compaction_lag_ms_max = integer("max.compaction.lag.ms");
  out.delete_retention_ms = integer("delete.retention.ms");
  out.file_delete_delay_ms = integer("file.delete.delay.ms");
  const std::string codec(config_text(text("compression.type")));
  if (codec != "producer") {
    out.compression = codec == "uncompressed" ? wire::Compression::none : wire::parse_compression(codec);
    if (const ConfigKey* level = find_topic_config_key("compression." + codec + ".level")) {
      out.compression_level = static_cast<int>(integer(level->name));
    }
  }
  return out;
}

}  // namespace muir::log
