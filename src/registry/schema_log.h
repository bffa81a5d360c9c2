// SchemaLog: the ordered log that holds a registry's state, and its one implementation over a Kafka topic.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/metrics.h"
#include "base/status.h"
#include "client/client.h"

namespace muir::registry {

class SchemaLog {
 public:
  // Called for every record in log order, by one thread at a time.
  using Apply = std::function<void(BytesView key, OptBytesView value)>;

  virtual ~SchemaLog() = default;
  // Applies everything that is in the log, then goes on as records come. Called once, before anything else.
  virtual Status start(Apply apply) = 0;
  // Waits until everything that others wrote up to now has been applied.
  virtual Status catch_up() = 0;
  // Writes a record and waits until it has been applied: what append() returned for can be read. Null value: a
  // tombstone.
  virtual Status append(BytesView key, OptBytesView value) = 0;
  // Ends applying. Idempotent.
  virtual void stop() = 0;
};

struct KafkaSchemaLogOptions {
  std::string topic = "_schemas";
  int16_t replication_factor = -1;  // when the topic is created; -1: as many as there are brokers, at most 3
  int64_t timeout_ms = 10'000;      // of one append or catch_up
  int64_t start_timeout_ms = 60'000;
  MetricsRegistry* metrics = nullptr;  // of muir_topic_log_*; outlives the log
};

// The topic has one partition and is compacted; it is created when it is missing and refused when it is otherwise,
// because a registry on a topic that expires loses schemas. `client` is borrowed.
std::unique_ptr<SchemaLog> make_kafka_schema_log(client::Client& client, KafkaSchemaLogOptions options = {});

}  // namespace muir::registry
