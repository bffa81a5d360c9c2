#include "streams/nodes/source_node.h"

#include <algorithm>

#include "streams/nodes/operators.h"

namespace muir::streams::internal {

Status SourceNode::init() {
  key_ = ErasedObject(spec().source->types.key.type);
  value_ = ErasedObject(spec().source->types.value.type);
  if (spec().source->changes) old_value_ = ErasedObject(spec().source->types.value.type);
  return {};
}

Status SourceNode::decode(std::string_view topic, const client::ConsumedRecord& record) {
  if (decoded_offset_ == record.offset && decoded_topic_ == topic) return {};
  decoded_offset_ = kNoOffset;
  const TypedPair& types = spec().source->types;
  if (record.key) {
    if (auto s = types.key.serde->deserialize(topic, *record.key, key_.get()); !s.ok())
      return s.annotate("deserialize key");
  }
  if (spec().source->changes) {
    MUIR_RETURN_IF_ERROR(decode_change(topic, record));
  } else if (record.value) {
    if (auto s = types.value.serde->deserialize(topic, *record.value, value_.get()); !s.ok()) {
      return s.annotate("deserialize value");
    }
  }
  decoded_offset_ = record.offset;
  decoded_topic_ = topic;
  return {};
}

Status SourceNode::decode_change(std::string_view topic, const client::ConsumedRecord& record) {
  if (!record.value) return error(Code::invalid_argument, "read change topic={}: no value", topic);
  change_ = MUIR_TRY(parse_change(*record.value));
  const auto& serde = spec().source->types.value.serde;
  if (change_.now) MUIR_RETURN_IF_ERROR(serde->deserialize(topic, *change_.now, value_.get()));
  if (change_.before) MUIR_RETURN_IF_ERROR(serde->deserialize(topic, *change_.before, old_value_.get()));
  return {};
}

Row SourceNode::row_of(const client::ConsumedRecord& record, int64_t timestamp_ms) const {
  if (spec().source->changes) {
    return {record.key ? key_.get() : nullptr, change_.now ? value_.get() : nullptr, timestamp_ms, record.headers,
            change_.before ? old_value_.get() : nullptr};
  }
  return {record.key ? key_.get() : nullptr, record.value ? value_.get() : nullptr, timestamp_ms, record.headers};
}

std::string SourceNode::place(std::string_view topic, PartitionId partition,
                              const client::ConsumedRecord& record) const {
  return fmt::format("read node={} topic={} partition={} offset={}", spec().name, topic, partition, record.offset);
}

Result<int64_t> SourceNode::timestamp_of(std::string_view topic, PartitionId partition,
                                         const client::ConsumedRecord& record, int64_t partition_time_ms) {
  const SourceSpec& source = *spec().source;
  int64_t timestamp_ms = record.timestamp_ms;
  if (source.timestamp) {
    const Status extracted = guarded([&] {
      timestamp_ms = source.timestamp(row_of(record, record.timestamp_ms), partition_time_ms);
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
  if (spec().source->timestamp && !guarded([&] { return decode(topic, record); }).ok()) return record.timestamp_ms;
  return timestamp_of(topic, task().environment.task.partition, record, partition_time_ms);
}

Status SourceNode::read(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record) {
  if (auto status = guarded([&] { return decode(topic, record); }); !status.ok()) {
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
  return forward(row_of(record, *timestamp_ms));
}

NodeFactory source_node() {
  return [] { return std::make_unique<SourceNode>(); };
}

}  // namespace muir::streams::internal
