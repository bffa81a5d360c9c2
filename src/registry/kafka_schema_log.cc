#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "registry/registry_error.h"
#include "registry/schema_log.h"

namespace muir::registry {
namespace {

// The topic's max.message.bytes is what limits a schema.
constexpr int kRequestBytesMax = 8 << 20;
constexpr int64_t kPollMs = 500;
constexpr int64_t kRetryMs = 500;  // after a failed poll

class KafkaSchemaLog final : public SchemaLog {
 public:
  KafkaSchemaLog(client::Client& client, KafkaSchemaLogOptions options)
      : client_(client), options_(std::move(options)) {}
  ~KafkaSchemaLog() override { stop(); }

  Status start(Apply apply) override {
    apply_ = std::move(apply);
    admin_ = MUIR_TRY(client_.admin());
    MUIR_RETURN_IF_ERROR(prepare_topic());
    producer_ = MUIR_TRY(client_.producer({{"client.id", "muir-registry"},
                                           {"acks", "all"},
                                           {"enable.idempotence", "true"},
                                           {"linger.ms", "0"},
                                           {"max.request.size", std::to_string(kRequestBytesMax)}}));
    consumer_ = MUIR_TRY(client_.consumer({{"auto.offset.reset", "earliest"}}));
    MUIR_RETURN_IF_ERROR(consumer_->assign({{partition(), client::kOffsetEarliest}}));
    reader_ = std::thread([this] { read(); });
    // A topic just created may have no leader yet.
    Status status;
    for (int64_t waited_ms = 0; waited_ms < options_.start_timeout_ms; waited_ms += kRetryMs) {
      status = catch_up_within(options_.start_timeout_ms - waited_ms);
      if (status.ok() || status.code() == Code::timed_out) break;
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, std::chrono::milliseconds(kRetryMs), [&] { return stopping_; })) break;
    }
    return status.ok() ? status : status.annotate(fmt::format("load {}", options_.topic));
  }

  Status catch_up() override { return catch_up_within(options_.timeout_ms); }

  Status append(BytesView key, OptBytesView value) override {
    // Shared with the callback, which may come after this call gave up waiting.
    struct Outcome {
      std::mutex mutex;
      std::condition_variable done;
      std::optional<Status> status;
      Offset offset = kNoOffset;
    };
    auto outcome = std::make_shared<Outcome>();
    const client::ProducedRecord record{
        .topic = options_.topic, .partition = PartitionId(0), .key = key, .value = value};
    Status sent = producer_->send(std::span(&record, 1),
                                  [outcome](const Status& status, std::span<const client::Delivery> deliveries) {
                                    const std::lock_guard lock(outcome->mutex);
                                    outcome->status = status;
                                    if (!deliveries.empty()) outcome->offset = deliveries[0].offset;
                                    outcome->done.notify_all();
                                  });
    if (!sent.ok()) return store_failure(sent);
    std::unique_lock lock(outcome->mutex);
    const auto timeout = std::chrono::milliseconds(options_.timeout_ms);
    if (!outcome->done.wait_for(lock, timeout, [&] { return outcome->status.has_value(); })) {
      return registry_error(ErrorCode::store_timeout, "write {}: not acknowledged within {} ms", options_.topic,
                            options_.timeout_ms);
    }
    if (!outcome->status->ok()) return store_failure(*outcome->status);
    return wait_applied(outcome->offset + 1, options_.timeout_ms);
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (consumer_ != nullptr) consumer_->wakeup();
    if (reader_.joinable()) reader_.join();
  }

 private:
  client::TopicPartition partition() const { return {options_.topic, PartitionId(0)}; }

  Status store_failure(const Status& cause) const {
    if (client::is_too_large(cause)) {
      return registry_error(ErrorCode::schema_too_large,
                            "Register operation failed because schema is too large for the topic {}; raise its "
                            "max.message.bytes, or split the schema by references",
                            options_.topic);
    }
    return failure("write", cause);
  }

  // Codes of Kafka stay here: what leaves has one of the registry's. A cluster that does not answer, or has no leader
  // for the topic, may do so later.
  Status failure(std::string_view what, const Status& cause) const {
    const bool may_pass = cause.code() == Code::timed_out || cause.code() == Code::unavailable;
    return registry_error(may_pass ? ErrorCode::store_timeout : ErrorCode::store_failure, "{} {}: {}", what,
                          options_.topic, cause.message());
  }

  Status prepare_topic() {
    auto description = admin_->describe_topic(options_.topic);
    if (!description.ok()) {
      if (description.status().code() != Code::not_found) return description.status();
      MUIR_RETURN_IF_ERROR(create_topic());
      return {};
    }
    if (description->partitions != 1) {
      return error(Code::failed_precondition, "registry topic={}: it has {} partitions; a registry needs exactly one",
                   options_.topic, description->partitions);
    }
    const auto configs = MUIR_TRY(admin_->topic_configs(options_.topic));
    const auto policy = configs.find("cleanup.policy");
    if (policy != configs.end() && policy->second != "compact") {
      return error(Code::failed_precondition,
                   "registry topic={}: cleanup.policy={} would expire schemas; set it to compact", options_.topic,
                   policy->second);
    }
    return {};
  }

  Status create_topic() {
    int16_t replication = options_.replication_factor;
    if (replication < 0) {
      const auto cluster = MUIR_TRY(admin_->describe_cluster());
      replication = static_cast<int16_t>(std::clamp<size_t>(cluster.brokers.size(), 1, 3));
    }
    const Status status = admin_->create_topic({.name = options_.topic,
                                                .partitions = 1,
                                                .replication_factor = replication,
                                                .configs = {{"cleanup.policy", "compact"}}});
    // Another instance may have been faster.
    return status.code() == Code::already_exists ? Status() : status;
  }

  Status catch_up_within(int64_t timeout_ms) {
    const auto ends = admin_->list_offsets({partition()}, client::OffsetSpec::latest(),
                                           client::IsolationLevel::read_uncommitted, timeout_ms);
    if (!ends.ok()) return failure("read", ends.status());
    const auto end = ends->find(partition());
    if (end == ends->end())
      return registry_error(ErrorCode::store_failure, "read {}: its end is unknown", options_.topic);
    return wait_applied(end->second, timeout_ms);
  }

  Status wait_applied(Offset end, int64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return applied_ >= end || stopping_; });
    if (applied_ >= end) return {};
    if (stopping_) return registry_error(ErrorCode::store_failure, "read {}: the registry is stopping", options_.topic);
    return registry_error(ErrorCode::store_timeout, "read {}: offset {} was not reached within {} ms", options_.topic,
                          end, timeout_ms);
  }

  // The reader's thread: the consumer is its own.
  void read() {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      auto records = consumer_->poll(kPollMs);
      if (!records.ok()) {
        log::warn("read {}: {}", options_.topic, records.status().message());
        // A log that was cut or recreated is read again from its start: applying twice changes nothing.
        if (records.status().code() == Code::out_of_range)
          (void)consumer_->seek({partition(), client::kOffsetEarliest});
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(kRetryMs), [&] { return stopping_; });
        continue;
      }
      Offset next = kNoOffset;
      for (const auto& group : (*records)->partitions()) {
        for (const auto& record : group.records) {
          if (record.key) apply_(*record.key, record.value);
          next = record.offset + 1;
        }
      }
      // Past records that compaction or a transaction took away.
      if (const auto position = consumer_->position(partition()); position.ok()) next = std::max(next, *position);
      const std::lock_guard lock(mutex_);
      if (next > applied_) {
        applied_ = next;
        changed_.notify_all();
      }
    }
  }

  client::Client& client_;
  const KafkaSchemaLogOptions options_;
  Apply apply_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  std::unique_ptr<client::Consumer> consumer_;
  std::thread reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Offset applied_;  // offset after the last record applied
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<SchemaLog> make_kafka_schema_log(client::Client& client, KafkaSchemaLogOptions options) {
  return std::make_unique<KafkaSchemaLog>(client, std::move(options));
}

}  // namespace muir::registry
