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

#include "client/internal/kafka_config.h"
#include "client/producer.h"

struct rd_kafka_s;
struct rd_kafka_error_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace muir::client::internal {

class KafkaProducer final : public Producer {
 public:
  static Result<std::unique_ptr<Producer>> make(const Properties& properties);
  ~KafkaProducer() override;

  Status send(std::span<const ProducedRecord> records, DeliveryCallback on_done) override;
  Status flush(int64_t timeout_ms) override;
  Result<int32_t> partition_count(const std::string& topic) override;
  Status init_transactions(int64_t timeout_ms) override;
  Status begin_transaction() override;
  Status send_offsets_to_transaction(const Offsets& offsets, const GroupMetadata& group, int64_t timeout_ms) override;
  Status commit_transaction(int64_t timeout_ms) override;
  Status abort_transaction(int64_t timeout_ms) override;

 private:
  // The records of one send() until the last of them is acknowledged. librdkafka carries a pointer to a record's slot.
  struct Batch;
  struct Slot {
    Batch* batch;
  };
  struct Batch {
    std::atomic<size_t> remaining{0};
    size_t bytes = 0;
    DeliveryCallback on_done;
    Status failure;  // the first one; under mutex_
    std::vector<Slot> slots;
    std::vector<Delivery> deliveries;
  };
  struct Topic {
    rd_kafka_topic_s* handle = nullptr;
    int32_t partitions = 0;  // 0: not asked yet
    int64_t asked_at_us = 0;
  };

  KafkaProducer(rd_kafka_s* rk, int64_t bytes_max, int64_t records_max, int64_t metadata_age_ms, int64_t close_ms);
  Status reserve(size_t records, size_t bytes);
  Status take_failure();
  Topic* topic(std::string_view name);
  Status enqueue(const ProducedRecord& record, rd_kafka_topic_s* handle, Slot* slot);
  void settle(Slot* slot, const rd_kafka_message_s& message);
  void fail(Slot* slot, const Status& status);
  void count_down(Batch* batch, size_t records);
  void finish(Batch* batch);
  void deliver();
  // Calls `attempt` (milliseconds left -> error) until it succeeds, fails for good, or the time is over.
  Status retry(std::string_view what, int64_t timeout_ms, const std::function<rd_kafka_error_s*(int)>& attempt);

  rd_kafka_s* const rk_;
  rd_kafka_queue_s* const events_;
  const int64_t bytes_max_;
  const int64_t records_max_;
  const int64_t metadata_age_us_;
  const int64_t close_ms_;

  std::mutex mutex_;
  std::condition_variable idle_;
  size_t batches_in_flight_ = 0;
  int64_t bytes_in_flight_ = 0;
  int64_t records_in_flight_ = 0;
  Status failure_;               // of a batch without callback; reported once
  std::vector<Batch*> settled_;  // by send() itself; finished on the delivery thread

  std::mutex topics_mutex_;
  std::map<std::string, Topic, std::less<>> topics_;

  std::atomic<bool> in_transaction_ = false;
  std::atomic<bool> stop_ = false;
  std::thread delivery_thread_;
};

}  // namespace muir::client::internal
