// What a write into a record cache belongs to: the source record under way and the row's headers, as bytes. They come
// back when the cache is flushed, so that what is forwarded then looks as it would have looked at once.
#pragma once

#include <optional>
#include <vector>

#include "client/records.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {

// Views into the bytes.
struct CachedContext {
  std::string_view topic;
  PartitionId partition = kNoPartition;
  std::optional<Offset> offset{};  // absent: written by a timer
  std::vector<client::Header> headers{};
};

void append_cached_context(const TaskContext& task, Bytes& out);
Result<CachedContext> parse_cached_context(BytesView bytes);

// The headers of the row that a node works on, for as long as it does.
class RowHeaders {
 public:
  RowHeaders(TaskContext& task, Headers headers) : task_(task), outer_(task.row_headers) { task.row_headers = headers; }
  ~RowHeaders() { task_.row_headers = outer_; }
  RowHeaders(const RowHeaders&) = delete;
  RowHeaders& operator=(const RowHeaders&) = delete;

 private:
  TaskContext& task_;
  const Headers outer_;
};

// Makes the record of a context the one under way, for as long as it lives.
class ResumedRecord {
 public:
  ResumedRecord(TaskContext& task, const CachedContext& context, int64_t timestamp_ms);
  ~ResumedRecord();
  ResumedRecord(const ResumedRecord&) = delete;
  ResumedRecord& operator=(const ResumedRecord&) = delete;

 private:
  TaskContext& task_;
  client::ConsumedRecord record_{};
  const client::ConsumedRecord* const outer_record_;
  const std::string_view outer_topic_;
  const PartitionId outer_partition_;
};

}  // namespace muir::streams::internal
