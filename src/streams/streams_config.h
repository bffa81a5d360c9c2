// StreamsConfig: what a Streams application is told when it starts. Keys and defaults are Kafka Streams'.
//
//   auto config = StreamsConfig::parse({{"application.id", "vts"}, {"bootstrap.servers", "localhost:9092"},
//                                       {"processing.guarantee", "exactly_once_v2"}});
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/config_def.h"
#include "base/status.h"
#include "client/client.h"
#include "streams/topology.h"

namespace muir::streams {

// What happens to the task when a record cannot be handled: it ends, or the record is skipped (and dead-lettered).
enum class ErrorPolicy : unsigned char { fail, resume };

// Immutable once parsed; plain values.
struct StreamsConfig {
  std::string application_id;     // application.id: group id, prefix of internal topics, folder below state.dir
  std::string bootstrap_servers;  // bootstrap.servers
  std::string client_id;          // client.id; default <application.id>-<process id>
  std::string state_dir = "/tmp/kafka-streams";  // state.dir
  std::string application_server;                // application.server, "host:port" told to the other instances
  int num_stream_threads = 1;                    // num.stream.threads
  bool exactly_once = false;                     // processing.guarantee = exactly_once_v2
  int64_t commit_interval_ms = 30'000;           // commit.interval.ms; 100 under exactly_once_v2
  int64_t poll_ms = 100;                         // poll.ms
  int64_t max_task_idle_ms = 0;                  // max.task.idle.ms; -1: never wait for an empty partition
  int64_t buffered_records_per_partition = 1000;
  int64_t input_buffer_bytes = 64LL << 20;  // input.buffer.max.bytes, of all threads
  int64_t task_timeout_ms = 300'000;
  int64_t transaction_timeout_ms = 10'000;  // producer.transaction.timeout.ms
  int64_t repartition_purge_interval_ms = 30'000;
  StoreDefaults stores;             // dsl.store.suppliers.class, windowstore.changelog.additional.retention.ms
  int64_t cache_max_bytes = 0;      // statestore.cache.max.bytes, cache.max.bytes.buffering; of all threads together
  int16_t replication_factor = -1;  // of internal topics; -1: the brokers' default
  bool reset_earliest = true;       // auto.offset.reset
  ErrorPolicy on_deserialization_error = ErrorPolicy::fail;
  ErrorPolicy on_processing_error = ErrorPolicy::fail;
  ErrorPolicy on_production_error = ErrorPolicy::fail;
  std::string dead_letter_topic;  // errors.dead.letter.queue.topic.name; empty: none
  // Group membership, from consumer.session.timeout.ms and its like.
  std::string group_instance_id;  // group.instance.id; threads append "-<n>"
  int64_t session_timeout_ms = 45'000;
  int64_t heartbeat_interval_ms = 3'000;
  int64_t max_poll_interval_ms = 300'000;
  int64_t max_poll_records = 4'000;  // taken from the fetched ones in one turn

  Properties common;         // keys for every client: bootstrap.servers, security.*, ...
  Properties main_consumer;  // with consumer. and main.consumer. laid over
  Properties restore_consumer;
  Properties global_consumer;
  Properties producer;
  Properties admin;
  std::map<std::string, std::string> topic_configs;  // topic.<key>: for every internal topic

  // Fails with every wrong value there is: its key, and what it may be. Unknown keys are warned about.
  static Result<StreamsConfig> parse(const std::map<std::string, std::string>& properties);
  // What parse() would fail with; says nothing of unknown keys.
  static ConfigMistakes mistakes(const std::map<std::string, std::string>& properties);
};

// "unknown configuration key 'num.stream.thread'; did you mean 'num.stream.threads'?", one per unknown key.
std::vector<std::string> unknown_keys(const std::map<std::string, std::string>& properties);

// Every key of Kafka Streams that takes effect; those of its clients are in client/client_keys.h.
const ConfigDefOf<StreamsConfig>& streams_config();

}  // namespace muir::streams
