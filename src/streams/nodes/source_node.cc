#include "streams/nodes/source_node.h"

#include <algorithm>

#include "streams/nodes/operators.h"

namespace muir::streams::internal {

Status SourceNode::init() {
  codec_ = RecordDecoder(*spec().source);
  extract_ = spec().source->timestamp;
  return {};
}

Status SourceNode::decode(std::string_view topic, const client::ConsumedRecord& record) {
  if (decoded_offset_ == record.offset && decoded_topic_ == topic) return {};
  decoded_offset_ = kNoOffset;
  MUIR_RETURN_IF_ERROR(codec_.decode(topic, record));
  decoded_offset_ = record.offset;
  decoded_topic_ = topic;
  return {};
}

std::string SourceNode::place(std::string_view topic, PartitionId partition,
                              const client::ConsumedRecord& record) const {
  return fmt::format("read node={} topic={} partition={} offset={}", spec().name, topic, partition, record.offset);
}

Result<int64_t> SourceNode::timestamp_of(std::string_view topic, PartitionId partition,
                                         const client::ConsumedRecord& record, int64_t partition_time_ms) {
  const SourceSpec& source = *spec().source;
  int64_t timestamp_ms = record.timestamp_ms;
  if (extract_) {
    const Status extracted = guarded([&] {
      timestamp_ms = extract_(codec_.row(record, record.timestamp_ms), partition_time_ms);
      return Status();
    });
    if (!extracted.ok()) return extracted.annotate(place(topic, partition, record) + ": the timestamp extractor");
  }
  if (timestamp_ms >= 0 || source.invalid_timestamp == InvalidTimestamp::skip) return timestamp_ms;
  if (source.invalid_timestamp == InvalidTimestamp::use_partition_time && partition_time_ms >= 0)
    return partition_time_ms;
  return error(Code::invalid_argument,
               "{}: timestamp {} is negative; the source's .invalid_timestamp says whether such records are skipped or "
               "get the partition's time",
               place(topic, partition, record), timestamp_ms);
}

Result<int64_t> SourceNode::extract_timestamp(std::string_view topic, const client::ConsumedRecord& record,
                                              int64_t partition_time_ms) {
  // What cannot be decoded fails when its turn comes; until then its own timestamp has to do.
  if (extract_ && !guarded([&] { return decode(topic, record); }).ok()) return record.timestamp_ms;
  return timestamp_of(topic, task().environment.task.partition, record, partition_time_ms);
}

Status SourceNode::read(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record) {
  if (auto status = guarded([&] { return decode(topic, record); }); !status.ok()) {
    // Its dead letter has its own time, not that of the record before it.
    if (record.timestamp_ms >= 0) task().record_time_ms = record.timestamp_ms;
    return task().fail(spec().name, FailureKind::deserialization, status);
  }
  decoded_offset_ = kNoOffset;
  int64_t& partition_time_ms = partition_times_ms_.try_emplace(partition, -1).first->second;
  auto timestamp_ms = timestamp_of(topic, partition, record, partition_time_ms);
  if (!timestamp_ms.ok()) return task().fatal(timestamp_ms.status());
  if (*timestamp_ms < 0) {
    drop();
    return {};
  }
  partition_time_ms = std::max(partition_time_ms, *timestamp_ms);
  task().stream_time_ms = std::max(task().stream_time_ms, *timestamp_ms);
  task().record_time_ms = *timestamp_ms;
  return forward(codec_.row(record, *timestamp_ms));
}

NodeFactory source_node() {
  return [] { return std::make_unique<SourceNode>(); };
}

}  // namespace muir::streams::internal
