// RecordDecoder, RecordEncoder: what lies between the bytes of a topic and the rows of a topology: one for each source
// and each sink of a task. That values of some topics are pairs of what a key has and had (change.h), that windows are
// no part of what chooses a partition, and who chooses it, is known here and to nobody else.
//
// Objects and buffers are reused from record to record. Owned by the task's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/kafka_ids.h"
#include "client/records.h"
#include "streams/nodes/change.h"
#include "streams/plan/graph.h"

namespace muir::streams::internal {

class RecordDecoder {
 public:
  RecordDecoder() = default;
  // `source` outlives the decoder.
  explicit RecordDecoder(const SourceSpec& source);

  Status decode(std::string_view topic, const client::ConsumedRecord& record);
  // The record, which is the one that was decoded last; valid until the next.
  [[nodiscard]] Row row(const client::ConsumedRecord& record, int64_t timestamp_ms) const;

 private:
  Status decode_change(std::string_view topic, const client::ConsumedRecord& record);

  const SourceSpec* source_ = nullptr;
  ErasedObject key_;
  ErasedObject value_;
  // Of changes; value_ is then the new one.
  ErasedObject old_value_;
  Change change_;
};

class RecordEncoder {
 public:
  RecordEncoder() = default;
  // `sink` outlives the encoder.
  explicit RecordEncoder(const SinkSpec& sink);

  Status encode(const std::string& topic, const Row& row);
  // Of the row that was encoded last; valid until the next.
  [[nodiscard]] OptBytesView key(const Row& row) const {
    return row.key != nullptr ? OptBytesView(key_) : std::nullopt;
  }
  [[nodiscard]] OptBytesView value(const Row& row) const {
    return row.value != nullptr || sink_->changes ? OptBytesView(value_) : std::nullopt;
  }
  // Whether the partition may be another than the hash of the whole key: then partition() has to be asked.
  [[nodiscard]] bool chooses_partition(const Row& row) const {
    return choose_ || (unpartitioned_ > 0 && row.key != nullptr);
  }
  // Of the topic's `count` partitions, for the row that was encoded last. Absent: the hash of its whole key, after all.
  [[nodiscard]] Result<std::optional<PartitionId>> partition(const std::string& topic, const Row& row,
                                                             int32_t count) const;

 private:
  Status encode_change(const std::string& topic, const Row& row);

  const SinkSpec* sink_ = nullptr;
  ChoosePartition choose_;    // a copy, as it may have a state of its own: tasks run on several threads
  size_t unpartitioned_ = 0;  // bytes at the end of a key
  Bytes key_;
  Bytes value_;
  // Of changes.
  Bytes now_;
  Bytes before_;
};

}  // namespace muir::streams::internal
