// FetchHandle: one consumer of librdkafka, made for some share of the memory (fetch_share.h).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/consumer.h"
#include "client/internal/fetch_share.h"
#include "client/internal/kafka_config.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;

namespace muir::client::internal {

class FetchHandle;
// Shared with the records that were fetched through it, whose memory is librdkafka's: a handle that has been replaced
// goes with the last of them.
using SharedHandle = std::shared_ptr<FetchHandle>;

// The consumer's thread calls it; the last owner may be any.
class FetchHandle {
 public:
  // The share that the configuration asks for, whoever decided it.
  static Result<FetchShare> configured_share(const Properties& properties);
  static Result<SharedHandle> make(const Properties& properties, const FetchShare& share);
  ~FetchHandle();
  FetchHandle(const FetchHandle&) = delete;
  FetchHandle& operator=(const FetchHandle&) = delete;

  [[nodiscard]] rd_kafka_s* rk() const { return rk_; }
  // What concerns no partition, or one that is not ours.
  [[nodiscard]] rd_kafka_queue_s* events() const { return events_; }
  [[nodiscard]] const FetchShare& share() const { return share_; }

  Status assign(const std::vector<PartitionStart>& starts);
  Status unassign(const std::vector<TopicPartition>& partitions);
  // Stops and resumes the fetching of partitions of which nothing waits: what waits would be dropped.
  void hold(const std::vector<TopicPartition>& partitions);
  void release(const std::vector<TopicPartition>& partitions);
  // Fetches nothing any more.
  void retire();
  // Tells librdkafka that queues which were full may have room again.
  void report_room();

 private:
  FetchHandle(rd_kafka_s* rk, const FetchShare& share);
  void learn_leaders(const std::vector<PartitionStart>& starts);

  rd_kafka_s* const rk_;
  rd_kafka_queue_s* const events_;
  const FetchShare share_;
  std::set<std::string> topics_;  // whose leaders librdkafka was told to learn
};

}  // namespace muir::client::internal
