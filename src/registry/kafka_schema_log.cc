#include <algorithm>
#include <optional>

#include "client/topic_log.h"
#include "registry/registry_error.h"
#include "registry/schema_log.h"

namespace muir::registry {
namespace {

// The topic's max.message.bytes is what limits a schema.
constexpr int kRequestBytesMax = 8 << 20;

class KafkaSchemaLog final : public SchemaLog {
 public:
  KafkaSchemaLog(client::Client& client, KafkaSchemaLogOptions options)
      : client_(client), options_(std::move(options)) {}
  ~KafkaSchemaLog() override { stop(); }

  Status start(Apply apply) override {
    MUIR_RETURN_IF_ERROR(prepare_topic());
    log_.emplace(client_,
                 client::TopicLogOptions{.name = options_.topic,
                                         .read = {.topics = {{options_.topic, PartitionId(0)}},
                                                  .isolation = client::IsolationLevel::read_uncommitted},
                                         .producer = Properties{{"client.id", "muir-registry"},
                                                                {"acks", "all"},
                                                                {"enable.idempotence", "true"},
                                                                {"linger.ms", "0"},
                                                                {"max.request.size", std::to_string(kRequestBytesMax)}},
                                         .metrics = options_.metrics},
                 // A topic that was cut or made anew is read again: applying twice changes nothing.
                 client::TopicHandlers{.on_records = [apply = std::move(apply)](const client::PartitionRecords& part) {
                   for (const auto& record : part.records) {
                     if (record.key) apply(*record.key, record.value);
                   }
                   return Status();
                 }});
    MUIR_RETURN_IF_ERROR(log_->start());
    // A topic just created may have no leader yet.
    const Status status = log_->wait_caught_up(options_.start_timeout_ms);
    return status.ok() ? status : failure("load", status);
  }

  Status catch_up() override {
    const Status status = log_->read_to_end(options_.timeout_ms);
    return status.ok() ? status : failure("read", status);
  }

  Status append(BytesView key, OptBytesView value) override {
    const client::ProducedRecord record{
        .topic = options_.topic, .partition = PartitionId(0), .key = key, .value = value};
    const auto written = log_->write({&record, 1}, options_.timeout_ms);
    if (written.ok()) return {};
    if (client::is_too_large(written.status())) {
      return registry_error(ErrorCode::schema_too_large,
                            "Register operation failed because schema is too large for the topic {}; raise its "
                            "max.message.bytes, or split the schema by references",
                            options_.topic);
    }
    return failure("write", written.status());
  }

  void stop() override {
    if (log_) log_->stop();
  }

 private:
  // Codes of Kafka stay here: what leaves has one of the registry's. A cluster that does not answer, or has no leader
  // for the topic, may do so later.
  Status failure(std::string_view what, const Status& cause) const {
    const bool may_pass = cause.code() == Code::timed_out || cause.code() == Code::unavailable;
    return registry_error(may_pass ? ErrorCode::store_timeout : ErrorCode::store_failure, "{} {}: {}", what,
                          options_.topic, cause.message());
  }

  Status prepare_topic() {
    const auto admin = MUIR_TRY(client_.admin());
    auto description = admin->describe_topic(options_.topic);
    if (!description.ok()) {
      if (description.status().code() != Code::not_found) return description.status();
      return create_topic(*admin);
    }
    if (description->partitions != 1) {
      return error(Code::failed_precondition, "registry topic={}: it has {} partitions; a registry needs exactly one",
                   options_.topic, description->partitions);
    }
    const auto configs = MUIR_TRY(admin->topic_configs(options_.topic));
    const auto policy = configs.find("cleanup.policy");
    if (policy != configs.end() && policy->second != "compact") {
      return error(Code::failed_precondition,
                   "registry topic={}: cleanup.policy={} would expire schemas; set it to compact", options_.topic,
                   policy->second);
    }
    return {};
  }

  Status create_topic(client::Admin& admin) {
    int16_t replication = options_.replication_factor;
    if (replication < 0) {
      const auto cluster = MUIR_TRY(admin.describe_cluster());
      replication = static_cast<int16_t>(std::clamp<size_t>(cluster.brokers.size(), 1, 3));
    }
    const Status status = admin.create_topic({.name = options_.topic,
                                              .partitions = 1,
                                              .replication_factor = replication,
                                              .configs = {{"cleanup.policy", "compact"}}});
    // Another instance may have been faster.
    return status.code() == Code::already_exists ? Status() : status;
  }

  client::Client& client_;
  const KafkaSchemaLogOptions options_;
  std::optional<client::TopicLog> log_;
};

}  // namespace

std::unique_ptr<SchemaLog> make_kafka_schema_log(client::Client& client, KafkaSchemaLogOptions options) {
  return std::make_unique<KafkaSchemaLog>(client, std::move(options));
}

}  // namespace muir::registry
