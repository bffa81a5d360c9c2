// FetchedRecords: the messages of one poll, grouped by partition, kept alive for the views into them.
#pragma once

#include <span>
#include <vector>

#include "client/internal/fetch_handle.h"
#include "client/records.h"

struct rd_kafka_message_s;

namespace muir::client::internal {

// Immutable; owned by one thread.
class FetchedRecords final : public Records {
 public:
  // Takes over the messages, all of them records. Within a partition their order is kept.
  FetchedRecords(SharedHandle handle, std::vector<rd_kafka_message_s*> messages);
  ~FetchedRecords() override;
  FetchedRecords(const FetchedRecords&) = delete;
  FetchedRecords& operator=(const FetchedRecords&) = delete;

  [[nodiscard]] std::span<const PartitionRecords> partitions() const override { return partitions_; }
  [[nodiscard]] size_t count() const override { return messages_.size(); }

 private:
  void fill(const rd_kafka_message_s& message, ConsumedRecord& record);

  // Where a record's headers lie in headers_, which still grows while records are filled.
  struct HeaderRange {
    size_t record;
    size_t first;
    size_t count;
  };

  const SharedHandle handle_;  // owns what messages_ point to: released last
  std::vector<rd_kafka_message_s*> messages_;
  std::vector<ConsumedRecord> records_;
  std::vector<Header> headers_;
  std::vector<HeaderRange> ranges_;
  std::vector<PartitionRecords> partitions_;
};

}  // namespace muir::client::internal
