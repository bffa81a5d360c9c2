// SourceNode: where records enter a subtopology.
#pragma once

#include "base/kafka_ids.h"
#include "streams/nodes/record_codec.h"
#include "streams/nodes/task_context.h"
#include "streams/plan/graph.h"

namespace muir::streams::internal {

class SourceNode final : public Node {
 public:
  Status init() override;
  Status process(const Row& row) override { return forward(row); }

  // The record's timestamp by the source's extractor; negative: to be dropped.
  Result<int64_t> extract_timestamp(std::string_view topic, const client::ConsumedRecord& record,
                                    int64_t partition_time_ms);
  // Deserialises the task's current record and sends it down the graph.
  Status read(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record);

 private:
  Status decode(std::string_view topic, const client::ConsumedRecord& record);
  Result<int64_t> timestamp_of(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record,
                               int64_t partition_time_ms);
  // Where a record was read, for messages.
  [[nodiscard]] std::string place(std::string_view topic, PartitionId partition,
                                  const client::ConsumedRecord& record) const;

  RecordDecoder codec_;
  ExtractTimestamp extract_;  // a copy, as it may have a state of its own: tasks run on several threads
  // An extractor sees a record before it is processed; the codec's objects are kept until then.
  Offset decoded_offset_ = kNoOffset;
  std::string decoded_topic_;
  std::map<PartitionId, int64_t> partition_times_ms_;
};

}  // namespace muir::streams::internal
