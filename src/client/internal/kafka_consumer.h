// KafkaConsumer: the Consumer over librdkafka. Owned by one thread, except wakeup().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer.h"
#include "client/internal/fetch_queue.h"
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
    std::unique_ptr<FetchQueue> queue;
    Offset position = kNoOffset;  // not known before the first record or the end
    bool paused = false;
  };
  using Messages = std::vector<rd_kafka_message_s*>;
  // How much librdkafka keeps of a partition before it stops fetching it.
  struct QueueLimits {
    size_t messages;
    size_t bytes;
  };

  KafkaConsumer(rd_kafka_s* rk, QueueLimits limits, IsolationLevel isolation, ProtocolClientOptions options);
  void resolve(std::vector<PartitionStart>& starts, Offset logical);
  void learn_leaders(const std::vector<PartitionStart>& starts);
  Status check_assigned(const std::vector<TopicPartition>& partitions) const;
  Status set_paused(const std::vector<TopicPartition>& partitions, bool paused);
  // Takes what is there, without waiting; whether there are records, or a position or failure_ changed.
  bool take(size_t records_max, Messages& messages);
  bool take_from(const TopicPartition& partition, Assigned& one, size_t limit, Messages& messages);
  void take_events();
  void note_failure(const rd_kafka_message_s& message, const TopicPartition* partition);
  // Tells librdkafka that queues which were full may have room again.
  void report_room();

  rd_kafka_s* const rk_;
  rd_kafka_queue_s* const events_;  // what concerns no partition, or one that is not ours
  const QueueLimits limits_;
  const IsolationLevel isolation_;
  KafkaAdmin offsets_;  // connects when it is first needed
  FetchSignal signal_;
  std::map<TopicPartition, Assigned> assigned_;
  std::set<std::string> topics_;  // whose leaders librdkafka was told to learn
  TopicPartition served_;         // the last one served; the next poll starts behind it
  // Taken since librdkafka was last told of room.
  size_t taken_messages_ = 0;
  size_t taken_bytes_ = 0;
  std::atomic<bool> woken_ = false;
  Status failure_;                        // met behind records; returned by the next poll
  std::optional<TopicPartition> failed_;  // whose failure it is
};

}  // namespace muir::client::internal
