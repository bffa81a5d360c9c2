// The broker's keys: Kafka's names and defaults, and its least values. Where Kafka has no limit it is 0: less than
// nothing is none.
#include "base/config_def.h"
#include "broker/broker_config.h"

namespace muir::broker {
namespace {

// Where Kafka has no limit, and a slip of the finger would take the machine: the partitions that one request may make,
// and more threads than any machine has cores.
constexpr int64_t kInternalPartitionsMax = 10'000;
constexpr int64_t kThreadsMax = 256;

// What a topic's segment.bytes may be at least.
constexpr int64_t kSegmentBytesMin = 14;

void check_sessions(const BrokerSettings& settings, ConfigMistakes& out) {
  if (settings.group_session_timeout_ms_min > settings.group_session_timeout_ms_max)
    out.push_back({"group.min.session.timeout.ms", std::to_string(settings.group_session_timeout_ms_min),
                   fmt::format("above group.max.session.timeout.ms={}", settings.group_session_timeout_ms_max)});
}

// Clients make the internal topics by their mere use, so there has to be room for them.
void check_room(const BrokerSettings& settings, ConfigMistakes& out) {
  const int64_t internal = settings.offsets_topic_partitions + settings.transactions_topic_partitions;
  if (settings.partitions_max > 0 && settings.partitions_max < internal)
    out.push_back({"max.partitions", std::to_string(settings.partitions_max),
                   fmt::format("is less than {}, offsets.topic.num.partitions={} and "
                               "transaction.state.log.num.partitions={} together",
                               internal, settings.offsets_topic_partitions, settings.transactions_topic_partitions)});
}

}  // namespace

const ConfigDefOf<BrokerSettings>& broker_config() {
  using enum ConfigType;
  static const ConfigDefOf<BrokerSettings> def(
      "broker",
      {{{.name = "advertised.listeners", .doc = "Where clients of each listener are told to connect"}},
       {{.name = "auto.create.topics.enable",
         .type = boolean,
         .fallback = "true",
         .doc = "Make a topic when a client asks for one that is missing"},
        &BrokerSettings::auto_create_topics},
       {{.name = "connections.max.idle.ms",
         .type = int64,
         .fallback = "600000",
         .doc = "A connection on which nothing moves for so long is closed; 0: never",
         .min = 0},
        &BrokerSettings::connections_idle_ms_max},
       {{.name = "default.replication.factor",
         .type = int32,
         .fallback = "1",
         .doc = "Accepted for compatibility; there is one replica",
         .min = 1}},
       {{.name = "delete.topic.enable", .type = boolean, .fallback = "true", .doc = "Whether DeleteTopics is allowed"},
        &BrokerSettings::delete_topics},
       {{.name = "fetch.max.bytes",
         .type = int32,
         .fallback = "57671680",
         .doc = "Most bytes of records in one fetch response",
         .min = 1024},
        &BrokerSettings::fetch_bytes_max},
       {{.name = "group.initial.rebalance.delay.ms",
         .type = int32,
         .fallback = "3000",
         .doc = "How long an empty group waits for more members",
         .min = 0},
        &BrokerSettings::group_initial_rebalance_delay_ms},
       {{.name = "group.max.session.timeout.ms",
         .type = int32,
         .fallback = "1800000",
         .doc = "Longest session timeout a member may ask for",
         .min = 0},
        &BrokerSettings::group_session_timeout_ms_max},
       {{.name = "group.max.size", .type = int32, .fallback = "2147483647", .doc = "Most members of a group", .min = 1},
        &BrokerSettings::group_size_max},
       {{.name = "group.min.session.timeout.ms",
         .type = int32,
         .fallback = "6000",
         .doc = "Shortest session timeout a member may ask for",
         .min = 0},
        &BrokerSettings::group_session_timeout_ms_min},
       {{.name = "listener.security.protocol.map", .doc = "What each listener speaks, as NAME:PLAINTEXT,OTHER:SSL"}},
       {{.name = "listeners",
         .fallback = "PLAINTEXT://127.0.0.1:9092",
         .doc = "Where the broker listens, as PLAINTEXT://host:port,"}},
       {{.name = "log.cleaner.backoff.ms",
         .type = int64,
         .fallback = "15000",
         .doc = "Time between two looks for partitions to compact",
         .min = 0}, [](BrokerSettings& s) -> auto& { return s.housekeeping.compaction_check_ms;
}
}  // namespace muir::broker
, {{.name = "log.cleaner.dedupe.buffer.size",
    .type = int64,
    .fallback = "134217728",
    .doc = "Memory for the keys of one pass of compaction",
    .min = 1},
   [](BrokerSettings& s) -> auto& {return s.housekeeping.compaction_key_bytes_max;
}
}
, {{.name = "log.cleaner.enable",
    .type = boolean,
    .fallback = "true",
    .doc = "Whether topics with cleanup.policy=compact are compacted"},
   [](BrokerSettings& s) -> auto& {return s.housekeeping.compacts;
}
}
, {{.name = "log.dirs", .fallback = "./data/broker", .doc = "The data folder", .synonyms = {{"log.dir"}}}},
    {{.name = "log.flush.acks",
      .type = boolean,
      .fallback = "true",
      .doc = "Answer acks=all, and take offsets for committed, only after an fsync of the records"},
     &BrokerSettings::flush_acks},
    {{.name = "log.flush.offset.checkpoint.interval.ms",
      .type = int32,
      .fallback = "60000",
      .doc = "Time between two writes of the recovery points",
      .min = 0},
     [](BrokerSettings& s) -> auto& {return s.housekeeping.checkpoint_ms;
}
}
, {{.name = "log.retention.check.interval.ms",
    .type = int64,
    .fallback = "300000",
    .doc = "Time between two looks for old segments",
    .min = 1},
   [](BrokerSettings& s) -> auto& {return s.housekeeping.retention_check_ms;
}
}
, {{.name = "log.verify.bytes.per.second",
    .type = int64,
    .fallback = "8388608",
    .doc = "How fast all sealed segments are read once after a start, to find bytes that have changed; 0: not at all",
    .min = 0},
   [](BrokerSettings& s) -> auto& {return s.housekeeping.verify_bytes_per_second;
}
}
,
    {{.name = "max.connections", .type = int32, .fallback = "10000", .doc = "Most connections at a time", .min = 0},
     &BrokerSettings::connections_max},
    {{.name = "max.incremental.fetch.session.cache.slots",
      .type = int32,
      .fallback = "1000",
      .doc = "Most fetch sessions at a time (KIP-227)",
      .min = 0},
     &BrokerSettings::fetch_sessions_max},
    {{.name = "max.partitions",
      .type = int32,
      .fallback = "0",
      .doc = "Most partitions of all topics together; 0: what the limit of open files allows",
      .min = 0},
     &BrokerSettings::partitions_max},
    {{.name = "node.id",
      .type = int32,
      .fallback = "1",
      .doc = "The id under which clients see this broker",
      .min = 0,
      .synonyms = {{"broker.id"}}},
     &BrokerSettings::node_id},
    {{.name = "num.network.threads",
      .type = int32,
      .fallback = "2",
      .doc = "Threads that serve connections",
      .min = 1,
      .max = kThreadsMax},
     &BrokerSettings::network_threads},
    {{.name = "num.partitions",
      .type = int32,
      .fallback = "1",
      .doc = "Partitions of a topic that does not say how many",
      .min = 1},
     &BrokerSettings::num_partitions},
    {{.name = "num.recovery.threads.per.data.dir",
      .type = int32,
      .fallback = "2",
      .doc = "Partitions that are recovered side by side at start",
      .min = 1,
      .max = kThreadsMax},
     [](BrokerSettings& s) -> auto& {return s.housekeeping.recovery_threads;
}
}
,
    {{.name = "offset.metadata.max.bytes",
      .type = int32,
      .fallback = "4096",
      .doc = "Longest metadata of an offset commit",
      .min = 0},
     &BrokerSettings::offset_metadata_bytes_max},
    {{.name = "offsets.retention.check.interval.ms",
      .type = int64,
      .fallback = "600000",
      .doc = "Time between two looks for expired offsets",
      .min = 1},
     &BrokerSettings::offsets_retention_check_interval_ms},
    {{.name = "offsets.retention.minutes",
      .type = int32,
      .fallback = "10080",
      .doc = "How long offsets of an empty group are kept",
      .min = 1},
     &BrokerSettings::offsets_retention_minutes},
    {{.name = "offsets.topic.num.partitions",
      .type = int32,
      .fallback = "50",
      .doc = "Partitions of __consumer_offsets, when it is made",
      .min = 1,
      .max = kInternalPartitionsMax},
     &BrokerSettings::offsets_topic_partitions},
    {{.name = "offsets.topic.replication.factor",
      .type = int32,
      .fallback = "1",
      .doc = "Accepted for compatibility; there is one replica",
      .min = 1}},
    {{.name = "offsets.topic.segment.bytes",
      .type = int32,
      .fallback = "104857600",
      .doc = "segment.bytes of __consumer_offsets",
      .min = kSegmentBytesMin},
     &BrokerSettings::offsets_topic_segment_bytes},
    {{.name = "producer.id.expiration.ms",
      .type = int32,
      .fallback = "86400000",
      .doc = "How long a silent producer's sequence is remembered",
      .min = 1},
     [](BrokerSettings& s) -> auto& {return s.housekeeping.producer_expiration_ms;
}
}
,
    {{.name = "queued.max.request.bytes",
      .type = int64,
      .fallback = "268435456",
      .doc = "Most bytes of requests that are being received, over all connections; -1: any number",
      .min = -1},
     &BrokerSettings::queued_request_bytes_max},
    {{.name = "queued.max.requests",
      .type = int32,
      .fallback = "500",
      .doc = "Most requests of one connection that wait for an answer",
      .min = 1},
     &BrokerSettings::queued_requests_max},
    {{.name = "queued.max.response.bytes",
      .type = int64,
      .fallback = "268435456",
      .doc = "Most bytes of answers that clients have not read, over all connections; -1: any number",
      .min = -1},
     &BrokerSettings::queued_response_bytes_max},
    {{.name = "socket.request.max.bytes", .type = int32, .fallback = "104857600", .doc = "Longest request", .min = 1},
     &BrokerSettings::request_bytes_max},
    {{.name = "transaction.abort.timed.out.transaction.cleanup.interval.ms",
      .type = int32,
      .fallback = "10000",
      .doc = "Time between two looks for timed out transactions",
      .min = 1},
     &BrokerSettings::transaction_abort_check_interval_ms},
    {{.name = "transaction.max.timeout.ms",
      .type = int32,
      .fallback = "900000",
      .doc = "Longest transaction timeout a producer may ask for",
      .min = 1},
     &BrokerSettings::transaction_timeout_ms_max},
    {{.name = "transaction.remove.expired.transaction.cleanup.interval.ms",
      .type = int32,
      .fallback = "3600000",
      .doc = "Time between two looks for transactional ids that nobody uses any more",
      .min = 1},
     &BrokerSettings::transaction_expiration_check_interval_ms},
    {{.name = "transaction.state.log.min.isr",
      .type = int32,
      .fallback = "1",
      .doc = "Accepted for compatibility; there is one replica",
      .min = 1}},
    {{.name = "transaction.state.log.num.partitions",
      .type = int32,
      .fallback = "50",
      .doc = "Partitions of __transaction_state, when it is made",
      .min = 1,
      .max = kInternalPartitionsMax},
     &BrokerSettings::transactions_topic_partitions},
    {{.name = "transaction.state.log.replication.factor",
      .type = int32,
      .fallback = "1",
      .doc = "Accepted for compatibility; there is one replica",
      .min = 1}},
    {{.name = "transaction.state.log.segment.bytes",
      .type = int32,
      .fallback = "104857600",
      .doc = "segment.bytes of __transaction_state",
      .min = kSegmentBytesMin},
     &BrokerSettings::transactions_topic_segment_bytes},
{
  {.name = "transactional.id.expiration.ms",
   .type = int32,
   .fallback = "604800000",
   .doc = "How long an idle transactional id is remembered",
   .min = 1},
      &BrokerSettings::transactional_id_expiration_ms
}
},
      {check_sessions, check_room});
return def;
}

}  // namespace muir::broker
