// BrokerConfig: what a broker is started with; Kafka's property names and defaults where Kafka has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/config_def.h"
#include "base/metrics.h"
#include "base/status.h"
#include "broker/listener.h"
#include "log/housekeeping.h"

namespace muir::broker {

// What the broker reads of its properties while it runs; filled by broker_config(), which has the defaults.
struct BrokerSettings {
  storage::Housekeeping housekeeping{};
  bool auto_create_topics = false;                       // auto.create.topics.enable
  int64_t connections_idle_ms_max = 0;                   // connections.max.idle.ms
  bool delete_topics = false;                            // delete.topic.enable
  int64_t fetch_bytes_max = 0;                           // fetch.max.bytes
  int64_t group_initial_rebalance_delay_ms = 0;          // group.initial.rebalance.delay.ms
  int64_t group_session_timeout_ms_max = 0;              // group.max.session.timeout.ms
  int64_t group_size_max = 0;                            // group.max.size
  int64_t group_members_bytes_max = 0;                   // group.members.max.bytes
  int64_t group_session_timeout_ms_min = 0;              // group.min.session.timeout.ms
  bool flush_acks = false;                               // log.flush.acks
  int64_t connections_max = 0;                           // max.connections
  int64_t fetch_sessions_max = 0;                        // max.incremental.fetch.session.cache.slots
  int64_t partitions_max = 0;                            // max.partitions
  int64_t node_id = 0;                                   // node.id
  int64_t network_threads = 0;                           // num.network.threads
  int64_t num_partitions = 0;                            // num.partitions
  int64_t offset_metadata_bytes_max = 0;                 // offset.metadata.max.bytes
  int64_t offsets_retention_check_interval_ms = 0;       // offsets.retention.check.interval.ms
  int64_t offsets_retention_minutes = 0;                 // offsets.retention.minutes
  int64_t offsets_topic_partitions = 0;                  // offsets.topic.num.partitions
  int64_t offsets_topic_segment_bytes = 0;               // offsets.topic.segment.bytes
  int64_t queued_request_bytes_max = 0;                  // queued.max.request.bytes
  int64_t queued_requests_max = 0;                       // queued.max.requests
  int64_t queued_response_bytes_max = 0;                 // queued.max.response.bytes
  int64_t request_bytes_max = 0;                         // socket.request.max.bytes
  int64_t transaction_abort_check_interval_ms = 0;       // transaction.abort.timed.out.transaction.cleanup.interval.ms
  int64_t transaction_timeout_ms_max = 0;                // transaction.max.timeout.ms
  int64_t transaction_expiration_check_interval_ms = 0;  // transaction.remove.expired.transaction.cleanup.interval.ms
  int64_t transactions_topic_partitions = 0;             // transaction.state.log.num.partitions
  int64_t transactions_topic_segment_bytes = 0;          // transaction.state.log.segment.bytes
  int64_t transactional_id_expiration_ms = 0;            // transactional.id.expiration.ms
};
// Every key that the broker acts on itself; those of topics have their defaults under synonyms of
// storage::topic_config().
const ConfigDefOf<BrokerSettings>& broker_config();

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

// Whether a broker understands the key: one of broker_config(), a default for topics (log.segment.bytes,
// message.max.bytes...), or one of Kafka's that a single node has no use for.
bool is_known_property(std::string_view name);

// One sentence per unknown key, with the nearest that exists, and all that is wrong.
struct ConfigComplaints {
  std::vector<std::string> unknown;
  ConfigMistakes wrong;
};
ConfigComplaints check_properties(const Properties& properties);

// Reads arbitrary bytes as a broker's configuration file. One without a mistake is a broker's configuration, or is
// refused for its listeners or data folder. Returns 1 for a configuration.
int fuzz_config(BytesView input);

}  // namespace muir::broker
