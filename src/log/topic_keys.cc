// The keys, defaults, ranges and synonyms of Apache Kafka 4.x, but for segment.bytes: Kafka's own tests roll after a
// few bytes, by a key that it keeps to itself; a batch of one record is larger than 14.
#include <fmt/format.h>

#include <algorithm>

#include "base/config_def.h"
#include "log/topic_config.h"

namespace muir::storage {
namespace {

constexpr int64_t kMinute = 60'000;

std::string no_gzip_level(std::string_view value) {
  const auto level = config_integer(value);
  return level == -1 || (level >= 1 && level <= 9) ? "" : "Value must be between 1 and 9 or equal to -1";
}

std::string no_ratio(std::string_view value) {
  const auto ratio = config_fraction(value);
  if (!ratio || !(*ratio >= 0)) return "Value must be at least 0";
  return *ratio > 1 ? "Value must be no more than 1" : "";
}

// "0:1": a partition and a broker.
bool is_replica(std::string_view text) {
  const size_t colon = text.find(':');
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return colon != std::string_view::npos && digits(text.substr(0, colon)) && digits(text.substr(colon + 1));
}

std::string no_replicas(std::string_view key, std::string_view value) {
  auto all = config_items(value);
  if (!all.empty() && all.back().empty()) all.pop_back();
  const bool everything = all.size() == 1 && all.front() == "*";
  if (everything || std::all_of(all.begin(), all.end(), is_replica)) return {};
  return fmt::format(
      "{} must be the literal '*' or a list of replicas in the following format: "
      "[partitionId]:[brokerId],[partitionId]:[brokerId],...",
      key);
}

void take_policies(TopicConfig& out, std::string_view text) {
  const auto policies = config_items(text);
  out.compact = std::find(policies.begin(), policies.end(), "compact") != policies.end();
  out.remove = std::find(policies.begin(), policies.end(), "delete") != policies.end();
}

void take_codec(TopicConfig& out, std::string_view text) {
  const std::string_view codec = config_text(text);
  out.compression.reset();
  if (codec == "producer") return;
  out.compression = codec == "uncompressed" ? wire::Compression::none : wire::parse_compression(codec);
}

void take_timestamp_type(TopicConfig& out, std::string_view text) {
  out.log_append_time = config_text(text) == "LogAppendTime";
}

void take_flush(TopicConfig& out, std::string_view text) { out.flush |= config_integer(text) != INT64_MAX; }

}  // namespace

const ConfigDefOf<TopicConfig>& topic_config() {
  using enum ConfigType;
  static const ConfigDefOf<TopicConfig> def(
      "topic",
      {{{.name = "cleanup.policy",
         .type = list,
         .fallback = "delete",
         .doc = "What happens to old records: delete, compact, or both",
         .allowed = {"compact", "delete"},
         .dynamic = true,
         .synonyms = {{"log.cleanup.policy"}}},
        take_policies},
       {{.name = "compression.gzip.level",
         .type = int32,
         .fallback = "-1",
         .doc = "Level when compression.type is gzip",
         .dynamic = true,
         .synonyms = {{"compression.gzip.level"}},
         .check = no_gzip_level},
        within(&TopicConfig::levels, &TopicConfig::Levels::gzip)},
       {{.name = "compression.lz4.level",
         .type = int32,
         .fallback = "9",
         .doc = "Level when compression.type is lz4",
         .min = 1,
         .max = 17,
         .dynamic = true,
         .synonyms = {{"compression.lz4.level"}}},
        within(&TopicConfig::levels, &TopicConfig::Levels::lz4)},
       {{.name = "compression.type",
         .type = string,
         .fallback = "producer",
         .doc = "Codec in which batches are stored; producer keeps theirs",
         .allowed = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"},
         .dynamic = true,
         .synonyms = {{"compression.type"}}},
        take_codec},
       {{.name = "compression.zstd.level",
         .type = int32,
         .fallback = "3",
         .doc = "Level when compression.type is zstd",
         .min = -131072,
         .max = 22,
         .dynamic = true,
         .synonyms = {{"compression.zstd.level"}}},
        within(&TopicConfig::levels, &TopicConfig::Levels::zstd)},
       {{.name = "delete.retention.ms",
         .type = int64,
         .fallback = "86400000",
         .doc = "How long compaction keeps tombstones",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.cleaner.delete.retention.ms"}}},
        &TopicConfig::delete_retention_ms},
       {{.name = "file.delete.delay.ms",
         .type = int64,
         .fallback = "60000",
         .doc = "Time before a removed file is unlinked",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.segment.delete.delay.ms"}}},
        &TopicConfig::file_delete_delay_ms},
       {{.name = "flush.messages",
         .type = int64,
         .fallback = "9223372036854775807",
         .doc = "When set, every append is flushed, also with log.flush.acks=false",
         .min = 1,
         .dynamic = true,
         .synonyms = {{"log.flush.interval.messages"}}},
        take_flush},
       {{.name = "flush.ms",
         .type = int64,
         .fallback = "9223372036854775807",
         .doc = "When set, every append is flushed, also with log.flush.acks=false",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.flush.interval.ms"}}},
        take_flush},
       {{.name = "follower.replication.throttled.replicas",
         .type = list,
         .doc = "Accepted for compatibility; there are no followers",
         .dynamic = true,
         .check =
             [](std::string_view value) { return no_replicas("follower.replication.throttled.replicas", value); }}},
       {{.name = "index.interval.bytes",
         .type = int32,
         .fallback = "4096",
         .doc = "Bytes of log between two index entries",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.index.interval.bytes"}}},
        &TopicConfig::index_interval_bytes},
       {{.name = "leader.replication.throttled.replicas",
         .type = list,
         .doc = "Accepted for compatibility; there are no followers",
         .dynamic = true,
         .check = [](std::string_view value) { return no_replicas("leader.replication.throttled.replicas", value); }}},
       {{.name = "local.retention.bytes",
         .type = int64,
         .fallback = "-2",
         .doc = "Accepted for compatibility; there is no remote tier",
         .min = -2,
         .dynamic = true,
         .synonyms = {{"log.local.retention.bytes"}}}},
       {{.name = "local.retention.ms",
         .type = int64,
         .fallback = "-2",
         .doc = "Accepted for compatibility; there is no remote tier",
         .min = -2,
         .dynamic = true,
         .synonyms = {{"log.local.retention.ms"}}}},
       {{.name = "max.compaction.lag.ms",
         .type = int64,
         .fallback = "9223372036854775807",
         .doc = "Longest time a record stays uncompacted",
         .min = 1,
         .dynamic = true,
         .synonyms = {{"log.cleaner.max.compaction.lag.ms"}}},
        &TopicConfig::compaction_lag_ms_max},
       {{.name = "max.message.bytes",
         .type = int32,
         .fallback = "1048588",
         .doc = "Largest batch, as compressed by the producer",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"message.max.bytes"}}},
        &TopicConfig::message_bytes_max},
       {{.name = "message.timestamp.after.max.ms",
         .type = int64,
         .fallback = "3600000",
         .doc = "How far in the future a timestamp may be",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.message.timestamp.after.max.ms"}}},
        &TopicConfig::timestamp_after_ms_max},
       {{.name = "message.timestamp.before.max.ms",
         .type = int64,
         .fallback = "9223372036854775807",
         .doc = "How far in the past a timestamp may be",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.message.timestamp.before.max.ms"}}},
        &TopicConfig::timestamp_before_ms_max},
       {{.name = "message.timestamp.type",
         .type = string,
         .fallback = "CreateTime",
         .doc = "CreateTime or LogAppendTime",
         .allowed = {"CreateTime", "LogAppendTime"},
         .dynamic = true,
         .synonyms = {{"log.message.timestamp.type"}}},
        take_timestamp_type},
       {{.name = "min.cleanable.dirty.ratio",
         .type = float64,
         .fallback = "0.5",
         .doc = "Share of uncompacted bytes that starts a compaction",
         .dynamic = true,
         .synonyms = {{"log.cleaner.min.cleanable.ratio"}},
         .check = no_ratio},
        &TopicConfig::cleanable_dirty_ratio_min},
       {{.name = "min.compaction.lag.ms",
         .type = int64,
         .fallback = "0",
         .doc = "Shortest time a record stays uncompacted",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.cleaner.min.compaction.lag.ms"}}},
        &TopicConfig::compaction_lag_ms_min},
       {{.name = "min.insync.replicas",
         .type = int32,
         .fallback = "1",
         .doc = "Accepted for compatibility; the one replica is in sync",
         .min = 1,
         .dynamic = true,
         .synonyms = {{"min.insync.replicas"}}}},
       {{.name = "preallocate",
         .type = boolean,
         .fallback = "false",
         .doc = "Accepted for compatibility; files grow as they are written",
         .dynamic = true,
         .synonyms = {{"log.preallocate"}}}},
       {{.name = "remote.log.copy.disable",
         .type = boolean,
         .fallback = "false",
         .doc = "Accepted for compatibility; there is no remote tier",
         .dynamic = true}},
       {{.name = "remote.log.delete.on.disable",
         .type = boolean,
         .fallback = "false",
         .doc = "Accepted for compatibility; there is no remote tier",
         .dynamic = true}},
       {{.name = "remote.storage.enable",
         .type = boolean,
         .fallback = "false",
         .doc = "Only false: there is no remote tier",
         .dynamic = true}},
       {{.name = "retention.bytes",
         .type = int64,
         .fallback = "-1",
         .doc = "Bytes a partition keeps; -1 is without limit",
         .dynamic = true,
         .synonyms = {{"log.retention.bytes"}}},
        &TopicConfig::retention_bytes},
       {{.name = "retention.ms",
         .type = int64,
         .fallback = "604800000",
         .doc = "Time a partition keeps records; -1 is without limit",
         .min = -1,
         .dynamic = true,
         .synonyms = {{"log.retention.ms"}, {"log.retention.minutes", kMinute}, {"log.retention.hours", 60 * kMinute}}},
        &TopicConfig::retention_ms},
       {{.name = "segment.bytes",
         .type = int32,
         .fallback = "1073741824",
         .doc = "Size at which a new segment begins",
         .min = 14,
         .dynamic = true,
         .synonyms = {{"log.segment.bytes"}}},
        &TopicConfig::segment_bytes},
       {{.name = "segment.index.bytes",
         .type = int32,
         .fallback = "10485760",
         .doc = "Accepted for compatibility; indexes grow as needed",
         .min = 4,
         .dynamic = true,
         .synonyms = {{"log.index.size.max.bytes"}}}},
       {{.name = "segment.jitter.ms",
         .type = int64,
         .fallback = "0",
         .doc = "Accepted for compatibility; segments roll at segment.ms",
         .min = 0,
         .dynamic = true,
         .synonyms = {{"log.roll.jitter.ms"}}}},
       {{.name = "segment.ms",
         .type = int64,
         .fallback = "604800000",
         .doc = "Age at which a new segment begins",
         .min = 1,
         .dynamic = true,
         .synonyms = {{"log.roll.ms"}, {"log.roll.hours", 60 * kMinute}}},
        &TopicConfig::segment_ms},
       {{.name = "unclean.leader.election.enable",
         .type = boolean,
         .fallback = "false",
         .doc = "Accepted for compatibility; there are no elections",
         .dynamic = true,
         .synonyms = {{"unclean.leader.election.enable"}}}}});
  return def;
}

}  // namespace muir::storage
