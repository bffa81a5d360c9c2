// The keys of Kafka Streams, with its defaults.
#include <optional>

#include "streams/group/subscription_info.h"
#include "streams/runtime/consumer_config.h"
#include "streams/streams_config.h"
#include "wire/topic_name.h"

namespace muir::streams {
namespace {

// Kafka's class names and short names alike: "...LogAndContinueExceptionHandler", "log_and_continue".
std::optional<ErrorPolicy> policy_of(std::string_view value) {
  value = config_text(value);
  const auto holds = [value](std::string_view part) { return value.find(part) != std::string_view::npos; };
  if (holds("LogAndContinue") || value == "log_and_continue" || value == "continue") return ErrorPolicy::resume;
  if (value.empty() || holds("LogAndFail") || value == "log_and_fail" || value == "fail" ||
      holds("DefaultProductionExceptionHandler"))
    return ErrorPolicy::fail;
  return std::nullopt;
}

ConfigField<StreamsConfig> policy(std::string name, std::string doc, ErrorPolicy StreamsConfig::*member) {
  ConfigKey key{.name = std::move(name),
                .doc = std::move(doc),
                .check = [](std::string_view value) -> std::string {
                  return policy_of(value) ? "" : "expected log_and_fail or log_and_continue";
                },
                .shown_fallback = "log_and_fail"};
  return {std::move(key), [member](StreamsConfig& c, std::string_view text) {
            c.*member = policy_of(text).value_or(ErrorPolicy::fail);
          }};
}

std::string no_application_id(std::string_view id) {
  if (wire::valid_topic_name(id)) return {};
  return "letters, digits, '.', '_' and '-' only";
}

std::string no_host(std::string_view text) {
  return internal::parse_host(config_text(text)).ok() ? "" : "is not host:port";
}

std::string no_topic(std::string_view name) {
  return name.empty() || wire::valid_topic_name(name) ? "" : "is no name that a topic may have";
}

std::string no_replication(std::string_view factor) {
  return config_integer(factor) == 0 ? "expected -1 for the brokers' default, or at least 1" : "";
}

std::string no_standbys(std::string_view count) {
  if (config_integer(count) == 0) return {};
  return "this application keeps no standby replicas; state is restored from the changelog topics";
}

// Kafka's two built-in suppliers, by class or in short. Nothing: none of them.
std::optional<store::StoreKind> kind_of(std::string_view value, std::string_view rocksdb, std::string_view in_memory) {
  value = config_text(value);
  if (value.ends_with(rocksdb)) return store::StoreKind::rocksdb;
  if (value.ends_with(in_memory)) return store::StoreKind::in_memory;
  return std::nullopt;
}

ConfigField<StreamsConfig> store_kind(std::string name, std::string doc, std::string rocksdb, std::string in_memory) {
  ConfigKey key{.name = std::move(name),
                .doc = std::move(doc),
                .check = [=](std::string_view value) -> std::string {
                  if (kind_of(value, rocksdb, in_memory)) return {};
                  return fmt::format("expected {} or {}", rocksdb, in_memory);
                },
                .shown_fallback = rocksdb};
  return {std::move(key), [=](StreamsConfig& c, std::string_view text) {
            if (const auto kind = kind_of(text, rocksdb, in_memory)) c.stores.kind = *kind;
          }};
}

}  // namespace

namespace internal {

const ConfigDefOf<StreamsConfig>& consumer_config() {
  static const ConfigDefOf<StreamsConfig> def(
      "streams",
      {{{.name = "auto.offset.reset", .allowed = {"earliest", "latest"}, .shown_fallback = "earliest"},
        [](StreamsConfig& c, std::string_view text) { c.reset_earliest = config_text(text) == "earliest"; }},
       {{.name = "group.instance.id"}, &StreamsConfig::group_instance_id},
       {{.name = "session.timeout.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::session_timeout_ms},
       {{.name = "heartbeat.interval.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::heartbeat_interval_ms},
       {{.name = "max.poll.interval.ms", .type = ConfigType::int32, .min = 1}, &StreamsConfig::max_poll_interval_ms},
       {{.name = "max.poll.records", .type = ConfigType::int32, .min = 1}, &StreamsConfig::max_poll_records}});
  return def;
}

}  // namespace internal

const ConfigDefOf<StreamsConfig>& streams_config() {
  using enum ConfigType;
  static const ConfigDefOf<StreamsConfig> def(
      "streams",
      {{{.name = "application.id",
         .doc = "Name of the application: group id, prefix of internal topics and folder of its state",
         .required = true,
         .check = no_application_id},
        &StreamsConfig::application_id},
       {{.name = "bootstrap.servers", .doc = "Brokers to begin with, host:port,...", .shown_fallback = "(required)"},
        &StreamsConfig::bootstrap_servers},
       {{.name = "client.id",
         .doc = "Prefix of the names of threads and clients",
         .shown_fallback = "<application.id>-<process id>"},
        &StreamsConfig::client_id},
       {{.name = "application.server",
         .doc = "host:port where this instance answers queries; told to all instances",
         .check = no_host},
        &StreamsConfig::application_server},
       {{.name = "num.stream.threads",
         .type = int32,
         .fallback = "1",
         .doc = "Threads that process records in this instance",
         .min = 1,
         .max = 1000},
        &StreamsConfig::num_stream_threads},
       {{.name = "processing.guarantee",
         .fallback = "at_least_once",
         .doc = "at_least_once or exactly_once_v2",
         .allowed = {"at_least_once", "exactly_once_v2"}},
        [](StreamsConfig& c, std::string_view text) { c.exactly_once = config_text(text) == "exactly_once_v2"; }},
       {{.name = "commit.interval.ms",
         .type = int64,
         .doc = "How often progress is committed; the default under exactly_once_v2 is 100",
         .min = 0,
         .shown_fallback = "30000 (100)"},
        &StreamsConfig::commit_interval_ms},
       {{.name = "state.dir",
         .fallback = "/tmp/kafka-streams",
         .doc = "Folder of the local stores; a cache of the changelog topics",
         .filled = true},
        &StreamsConfig::state_dir},
       store_kind("default.dsl.store", "Older name of dsl.store.suppliers.class: rocksDB or in_memory", "rocksDB",
                  "in_memory"),
       store_kind("dsl.store.suppliers.class",
                  "Stores behind tables and aggregates that name no kind: RocksDBDslStoreSuppliers or "
                  "InMemoryDslStoreSuppliers",
                  "RocksDBDslStoreSuppliers", "InMemoryDslStoreSuppliers"),
       {{.name = "cache.max.bytes.buffering",
         .type = int64,
         .doc = "Older name of statestore.cache.max.bytes",
         .min = 0,
         .shown_fallback = "0"},
        &StreamsConfig::cache_max_bytes},
       {{.name = "statestore.cache.max.bytes",
         .type = int64,
         .doc = "Memory of the record caches of all threads, which make one update of a key's updates between two "
                "commits; 0: each update is forwarded and logged",
         .min = 0,
         .shown_fallback = "0"},
        &StreamsConfig::cache_max_bytes},
       {{.name = "windowstore.changelog.additional.retention.ms",
         .type = int64,
         .fallback = "86400000",
         .doc = "Added to the retention of window stores for their changelogs, because clocks differ",
         .min = 0},
        [](StreamsConfig& c, std::string_view text) {
          assign_config(text, c.stores.changelogs.additional_retention_ms);
        }},
       {{.name = "replication.factor",
         .type = int16,
         .fallback = "-1",
         .doc = "Replicas of internal topics; -1: the brokers' default",
         .min = -1,
         .check = no_replication},
        &StreamsConfig::replication_factor},
       {{.name = "num.standby.replicas",
         .type = int32,
         .fallback = "0",
         .doc = "Only 0 is supported",
         .min = 0,
         .check = no_standbys}},
       {{.name = "max.task.idle.ms",
         .type = int64,
         .fallback = "0",
         .doc = "How long a task waits for an empty input partition, to keep time order; -1: never; 0: only for "
                "records known to be on the broker",
         .min = -1},
        &StreamsConfig::max_task_idle_ms},
       {{.name = "poll.ms", .type = int64, .fallback = "100", .doc = "Longest wait for records", .min = 0},
        &StreamsConfig::poll_ms},
       {{.name = "buffered.records.per.partition",
         .type = int32,
         .fallback = "1000",
         .doc = "Records held per partition before its fetching pauses",
         .min = 1},
        &StreamsConfig::buffered_records_per_partition},
       {{.name = "input.buffer.max.bytes",
         .type = int64,
         .fallback = "67108864",
         .doc = "Memory for records that were fetched and not processed, of all threads and partitions together",
         .min = 1},
        &StreamsConfig::input_buffer_bytes},
       {{.name = "task.timeout.ms",
         .type = int64,
         .fallback = "300000",
         .doc = "How long a task retries when brokers do not answer",
         .min = 0},
        &StreamsConfig::task_timeout_ms},
       {{.name = "repartition.purge.interval.ms",
         .type = int64,
         .fallback = "30000",
         .doc = "How often records that were processed are deleted from repartition topics",
         .min = 1},
        &StreamsConfig::repartition_purge_interval_ms},
       // Older names first: those that Kafka has now win.
       policy("default.deserialization.exception.handler", "Older name of deserialization.exception.handler",
              &StreamsConfig::on_deserialization_error),
       policy("deserialization.exception.handler", "log_and_fail or log_and_continue, or Kafka's class names",
              &StreamsConfig::on_deserialization_error),
       policy("processing.exception.handler", "log_and_fail or log_and_continue", &StreamsConfig::on_processing_error),
       policy("default.production.exception.handler", "Older name of production.exception.handler",
              &StreamsConfig::on_production_error),
       policy("production.exception.handler", "log_and_fail or log_and_continue", &StreamsConfig::on_production_error),
       {{.name = "errors.dead.letter.queue.topic.name",
         .doc = "Topic that receives records which could not be handled",
         .check = no_topic},
        &StreamsConfig::dead_letter_topic}});
  return def;
}

}  // namespace muir::streams
