// KafkaConsumer: the Consumer over librdkafka. Owned by one thread, except wakeup().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/consumer.h"
#include "client/internal/kafka_admin.h"
#include "client/internal/kafka_config.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;

namespace muir::client::internal {

class KafkaConsumer final : public Consumer {
 public:
  static Result<std::unique_ptr<Consumer>> make(const Properties& properties);
  ~KafkaConsumer() override;

  Status assign(const std::vector<PartitionStart>& add) override;
  Status unassign(const std::vector<TopicPartition>& remove) override;
  Status seek(const PartitionStart& to) override;
  Status pause(const std::vector<TopicPartition>& partitions) override;
  Status resume(const std::vector<TopicPartition>& partitions) override;
  Result<std::unique_ptr<Records>> poll(int64_t timeout_ms, size_t records_max) override;
  Result<Offset> position(const TopicPartition& partition) override;
  void wakeup() override;

 private:
  struct Assigned {
    Offset position = kNoOffset;  // not known before the first record or the end
    bool paused = false;
  };

  KafkaConsumer(rd_kafka_s* rk, rd_kafka_queue_s* queue, IsolationLevel isolation, ProtocolClientOptions options)
      : rk_(rk), queue_(queue), isolation_(isolation), offsets_(std::move(options)) {}
  void resolve(std::vector<PartitionStart>& starts, Offset logical);
  Status check_assigned(const std::vector<TopicPartition>& partitions) const;
  Status set_paused(const std::vector<TopicPartition>& partitions, bool paused);
  size_t take(int64_t timeout_ms, size_t records_max, std::vector<rd_kafka_message_s*>& messages);
  // Moves positions, remembers the first failure, and leaves only records in `messages`.
  void sift(std::vector<rd_kafka_message_s*>& messages);
  void note_failure(const rd_kafka_message_s& message);
  Assigned* find(const rd_kafka_message_s& message);

  rd_kafka_s* const rk_;
  rd_kafka_queue_s* const queue_;
  const IsolationLevel isolation_;
  KafkaAdmin offsets_;  // connects when it is first needed
  std::map<TopicPartition, Assigned> assigned_;
  // The last partition met, by librdkafka's topic handle: neighbours in the queue mostly share it.
  std::pair<const void*, int32_t> last_key_{nullptr, -1};
  Assigned* last_ = nullptr;
  std::atomic<bool> woken_ = false;
  Status failure_;                        // met behind records; returned by the next poll
  std::optional<TopicPartition> failed_;  // whose failure it is
};

}  // namespace muir::client::internal
