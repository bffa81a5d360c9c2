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
#include "client/internal/consumer_metrics.h"
#include "client/internal/fetch_handle.h"
#include "client/internal/fetch_queue.h"
#include "client/internal/kafka_admin.h"
#include "client/internal/kafka_config.h"

struct rd_kafka_message_s;

namespace muir::client::internal {

class KafkaConsumer final : public Consumer {
 public:
  // `metrics`: where muir_client_* are collected, which outlives the consumer; null: nowhere.
  static Result<std::unique_ptr<Consumer>> make(const Properties& properties, MetricsRegistry* metrics = nullptr);
  ~KafkaConsumer() override;

  Status assign(const std::vector<PartitionStart>& add) override;
  Status unassign(const std::vector<TopicPartition>& remove) override;
  Status seek(const PartitionStart& to) override;
  Status pause(const std::vector<TopicPartition>& partitions) override;
  Status resume(const std::vector<TopicPartition>& partitions) override;
  void expect(size_t partitions, size_t together) override {
    expected_ = partitions;
    together_ = together;
  }
  Polled poll(int64_t timeout_ms, size_t records_max) override;
  Result<Offset> position(const TopicPartition& partition) override;
  std::optional<Offset> end_offset(const TopicPartition& partition) override;
  void wakeup() override;

 private:
  struct Assigned {
    std::unique_ptr<FetchQueue> queue;
    Offset start = kOffsetEarliest;
    Offset position = kNoOffset;  // not known before the first record or the end
    Offset at_end = kNoOffset;    // where the end was last met
    int64_t released_at_ms = 0;
    bool paused = false;  // by the reader
    bool held = false;    // not fetched, for want of memory
  };
  using Messages = std::vector<rd_kafka_message_s*>;

  KafkaConsumer(Properties properties, SharedHandle handle, const FetchShare& most, size_t budget,
                IsolationLevel isolation, ProtocolClientOptions options, MetricsRegistry* metrics);
  void resolve(std::vector<PartitionStart>& starts, Offset logical);
  Status check_assigned(const std::vector<TopicPartition>& partitions) const;
  Status set_paused(const std::vector<TopicPartition>& partitions, bool paused);
  // Adds to assigned_ and has it fetched.
  Status begin(const std::vector<PartitionStart>& starts, std::map<TopicPartition, Assigned> assigned);
  // A handle for the share that the assigned partitions, and `more`, may have now; all of them are fetched through it
  // from their positions on.
  Status fit(size_t more);
  Status replace_handle(const FetchShare& share);
  // Now and then: holds partitions or halves their shares when what waits takes more than the budget, or releases some.
  void watch_memory();
  size_t measure();
  void hold_some(std::map<TopicPartition, Assigned>& added);
  void release_some();
  [[nodiscard]] bool last_has_answered();
  void release(size_t count);
  [[nodiscard]] size_t room_for() const;
  void watch_lags(int64_t now_ms);
  // Takes what is there, without waiting; whether there are records, or a position or failure_ changed.
  bool take(size_t records_max, Messages& messages);
  bool take_from(const TopicPartition& partition, Assigned& one, size_t limit, Messages& messages);
  void take_events();
  void note_failure(const rd_kafka_message_s& message, const TopicPartition* partition);
  void report_room();

  const Properties properties_;
  const FetchShare most_;
  const size_t budget_;
  const IsolationLevel isolation_;
  KafkaAdmin offsets_;  // connects when it is first needed
  FetchSignal signal_;
  SharedHandle handle_;
  std::map<TopicPartition, Assigned> assigned_;
  TopicPartition served_;  // the last one served; the next poll starts behind it
  size_t expected_ = 0;    // partitions, when all are assigned
  size_t together_ = kTogether;
  size_t shared_by_ = 1;  // partitions that handle_ was made for
  unsigned halvings_ = 0;
  // Partitions that begin when their shares are small; the others follow when it is seen what these bring.
  size_t begin_together_ = 1;
  size_t held_ = 0;           // partitions
  size_t filled_ = 0;         // partitions of which something waits, when it was measured last
  size_t waiting_bytes_ = 0;  // then
  TopicPartition released_;   // the last one
  int64_t last_release_ms_ = 0;
  int64_t watched_at_ms_ = 0;
  int64_t lags_at_ms_ = 0;
  // Taken since librdkafka was last told of room.
  size_t taken_messages_ = 0;
  size_t taken_bytes_ = 0;
  // Of all records taken, for what those that wait may take.
  uint64_t seen_records_ = 0;
  uint64_t seen_bytes_ = 0;
  std::atomic<bool> woken_ = false;
  Status failure_;                        // met behind records; returned by the next poll
  std::optional<TopicPartition> failed_;  // whose, if it is a partition's
  ConsumerMetrics metrics_;
};

}  // namespace muir::client::internal
