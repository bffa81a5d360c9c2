// KafkaProducer: the Producer over librdkafka. Thread-safe like its interface.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "client/internal/kafka_config.h"
#include "client/internal/topic_lane.h"
#include "client/producer.h"

struct rd_kafka_s;
struct rd_kafka_error_s;
struct rd_kafka_op_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace muir::client::internal {

struct ProducerBatch;
// librdkafka carries a pointer to a record's slot.
struct ProducerSlot {
  ProducerBatch* batch = nullptr;
  int64_t timestamp_ms = -1;  // librdkafka does not tell that of a record that failed
  bool in_lane = false;       // sent in a group of its topic's lane
};
// The records of one send() until the last of them is acknowledged.
struct ProducerBatch {
  std::atomic<size_t> remaining{0};
  size_t bytes = 0;
  DeliveryCallback on_done;
  Status failure;  // the first one; under the producer's mutex_
  std::vector<ProducerSlot> slots;
  std::vector<Delivery> deliveries;
};

struct ProducerLimits {
  int64_t bytes_max = 0;
  int64_t records_max = 0;
  int64_t metadata_age_us = 0;
  int64_t close_ms = 0;
  int64_t ask_ms = 0;       // so long the records of a new topic wait for what it takes
  int64_t batch_bytes = 0;  // the largest batch of more than one record
  bool compressed = false;
  bool transactional = false;
};

class KafkaProducer final : public Producer {
 public:
  // `metrics`: where muir_client_* are collected, which outlives the producer; null: nowhere.
  static Result<std::unique_ptr<Producer>> make(const Properties& properties, MetricsRegistry* metrics = nullptr);
  ~KafkaProducer() override;

  Status send(std::span<const ProducedRecord> records, DeliveryCallback on_done) override;
  Status flush(int64_t timeout_ms) override;
  Result<int32_t> partition_count(const std::string& topic) override;
  Status init_transactions(int64_t timeout_ms) override;
  Status begin_transaction() override;
  Status send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group, int64_t timeout_ms) override;
  Status transaction_failure() override;
  Status commit_transaction(int64_t timeout_ms) override;
  Status abort_transaction(int64_t timeout_ms) override;

 private:
  using Slot = ProducerSlot;
  using Batch = ProducerBatch;
  struct Topic {
    Topic(int64_t batch_bytes, bool compressed) : lane(batch_bytes, compressed) {}
    rd_kafka_topic_s* handle = nullptr;
    int32_t partitions = 0;  // 0: not asked yet
    int64_t asked_at_us = 0;
    TopicLane lane;
    bool busy = false;                // counted in busy_lanes_
    std::atomic<int64_t> outside{0};  // records with librdkafka that are not of a group of the lane
  };

  KafkaProducer(rd_kafka_s* rk, const ProducerLimits& limits);
  Status reserve(size_t records, size_t bytes);
  Status take_failure();
  Topic* topic(std::string_view name);        // with topics_mutex_ held
  Topic* known_topic(std::string_view name);  // as partition_count() wants it
  // Sends records of one topic; how many of them failed at once.
  size_t send_run(std::span<const ProducedRecord> records, Slot* slots, int64_t now_us);
  Status enqueue(const ProducedRecord& record, rd_kafka_topic_s* handle, Slot* slot);
  // Notes the fate of a record; false: it is tried again.
  bool settle(Slot* slot, const rd_kafka_message_s& message);
  bool settle_refused(Slot* slot, Topic& topic, const rd_kafka_message_s& message);
  void fail(Slot* slot, const Status& status, bool never_sent);
  void collect(MetricSink& sink);
  void count_down(Batch* batch, size_t records);
  void finish(Batch* batch);
  void deliver();
  void take_deliveries(rd_kafka_op_s* event);
  // The lanes: see topic_lane.h.
  void ask_limits(Topic& topic);
  void take_limits(rd_kafka_op_s* event);
  void advance(Topic& topic);
  void drop_lanes();
  [[nodiscard]] bool lanes_hold_records();
  void urge();
  // Calls `attempt` (milliseconds left -> error) until it succeeds, fails for good, or the time is over.
  Status retry(std::string_view what, int64_t timeout_ms, const std::function<rd_kafka_error_s*(int)>& attempt);

  rd_kafka_s* const rk_;
  rd_kafka_queue_s* const events_;
  const ProducerLimits limits_;

  std::mutex mutex_;
  std::condition_variable idle_;
  size_t batches_in_flight_ = 0;
  int64_t bytes_in_flight_ = 0;
  int64_t records_in_flight_ = 0;
  Status failure_;               // of a batch without callback; reported once
  std::vector<Batch*> settled_;  // by send() itself; finished on the delivery thread

  std::mutex topics_mutex_;  // taken before mutex_
  std::map<std::string, Topic, std::less<>> topics_;
  std::vector<Topic*> touched_;  // of the delivery thread: their lanes may go on
  int busy_lanes_ = 0;           // topics with groups on their way
  std::condition_variable urged_;

  std::atomic<bool> in_transaction_ = false;
  std::atomic<bool> stop_ = false;
  std::thread delivery_thread_;
  std::thread urge_thread_;  // begun with the first group: linger.ms is not for groups

  Counter acknowledged_;  // records
  Counter failed_;
  std::unique_ptr<MetricsGroup> watched_;  // last: it reads what is above
};

}  // namespace muir::client::internal
