#include "client/internal/fetched_records.h"

#include <librdkafka/rdkafka.h>

#include <map>
#include <utility>

namespace muir::client::internal {
namespace {

OptBytesView view(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return BytesView(static_cast<const char*>(data), size);
}

}  // namespace

// The queue holds runs of messages of one partition, so grouping is mostly a comparison with the message before.
FetchedRecords::FetchedRecords(SharedHandle handle, std::vector<rd_kafka_message_s*> messages)
    : handle_(std::move(handle)), messages_(std::move(messages)) {
  std::vector<uint32_t> group_of(messages_.size());
  std::vector<size_t> counts;
  std::map<std::pair<const void*, int32_t>, uint32_t> groups;
  std::pair<const void*, int32_t> last{nullptr, -1};
  uint32_t group = 0;
  for (size_t i = 0; i < messages_.size(); ++i) {
    const std::pair<const void*, int32_t> key{messages_[i]->rkt, messages_[i]->partition};
    if (key != last) {
      const auto [it, added] = groups.try_emplace(key, static_cast<uint32_t>(counts.size()));
      if (added) {
        counts.push_back(0);
        partitions_.push_back(
            {TopicPartition{rd_kafka_topic_name(messages_[i]->rkt), PartitionId(messages_[i]->partition)}, {}});
      }
      group = it->second;
      last = key;
    }
    group_of[i] = group;
    ++counts[group];
  }

  records_.resize(messages_.size());
  std::vector<size_t> next(counts.size());
  size_t start = 0;
  for (size_t g = 0; g < counts.size(); ++g) {
    next[g] = start;
    partitions_[g].records = std::span<const ConsumedRecord>(records_).subspan(start, counts[g]);
    start += counts[g];
  }
  for (size_t i = 0; i < messages_.size(); ++i) fill(*messages_[i], records_[next[group_of[i]]++]);
  for (const HeaderRange& range : ranges_) {
    records_[range.record].headers = std::span<const Header>(headers_).subspan(range.first, range.count);
  }
}

void FetchedRecords::fill(const rd_kafka_message_s& message, ConsumedRecord& record) {
  record.offset = Offset(message.offset);
  record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  record.key = view(message.key, message.key_len);
  record.value = view(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  // Costs one comparison for a message without headers.
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const size_t first = headers_.size();
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers_.push_back({name, view(value, size)});
  }
  if (headers_.size() > first)
    ranges_.push_back({static_cast<size_t>(&record - records_.data()), first, headers_.size() - first});
}

FetchedRecords::~FetchedRecords() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
}

}  // namespace muir::client::internal
