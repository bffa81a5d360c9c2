#include "streams/nodes/record_codec.h"

#include "wire/murmur2.h"

namespace muir::streams::internal {

RecordDecoder::RecordDecoder(const SourceSpec& source)
    : source_(&source), key_(source.types.key.type), value_(source.types.value.type) {
  if (source.changes) old_value_ = ErasedObject(source.types.value.type);
}

Status RecordDecoder::decode(std::string_view topic, const client::ConsumedRecord& record) {
  const TypedPair& types = source_->types;
  if (record.key) {
    if (auto s = types.key.serde->deserialize(topic, *record.key, key_.get()); !s.ok())
      return s.annotate("deserialize key");
  }
  if (source_->changes) return decode_change(topic, record);
  if (record.value) {
    if (auto s = types.value.serde->deserialize(topic, *record.value, value_.get()); !s.ok())
      return s.annotate("deserialize value");
  }
  return {};
}

Status RecordDecoder::decode_change(std::string_view topic, const client::ConsumedRecord& record) {
  if (!record.value) return error(Code::invalid_argument, "read change topic={}: no value", topic);
  change_ = MUIR_TRY(parse_change(*record.value));
  const auto& serde = source_->types.value.serde;
  if (change_.now) {
    if (auto s = serde->deserialize(topic, *change_.now, value_.get()); !s.ok())
      return s.annotate("deserialize new value");
  }
  if (change_.before) {
    if (auto s = serde->deserialize(topic, *change_.before, old_value_.get()); !s.ok())
      return s.annotate("deserialize old value");
  }
  return {};
}

Row RecordDecoder::row(const client::ConsumedRecord& record, int64_t timestamp_ms) const {
  if (source_->changes) {
    return {record.key ? key_.get() : nullptr, change_.now ? value_.get() : nullptr, timestamp_ms, record.headers,
            change_.before ? old_value_.get() : nullptr};
  }
  return {record.key ? key_.get() : nullptr, record.value ? value_.get() : nullptr, timestamp_ms, record.headers};
}

RecordEncoder::RecordEncoder(const SinkSpec& sink)
    : sink_(&sink),
      choose_(sink.partition),
      unpartitioned_(sink.key != nullptr ? sink.key->unpartitioned_bytes() : 0) {}

Status RecordEncoder::encode(const std::string& topic, const Row& row) {
  if (row.timestamp_ms < 0) {
    return error(Code::invalid_argument, "send topic={}: timestamp {} is negative", topic, row.timestamp_ms);
  }
  key_.clear();
  value_.clear();
  if (row.key != nullptr) MUIR_RETURN_IF_ERROR(sink_->key->serialize(topic, row.key, key_));
  if (sink_->changes) return encode_change(topic, row);
  if (row.value != nullptr) MUIR_RETURN_IF_ERROR(sink_->value->serialize(topic, row.value, value_));
  return {};
}

Status RecordEncoder::encode_change(const std::string& topic, const Row& row) {
  now_.clear();
  before_.clear();
  if (row.value != nullptr) MUIR_RETURN_IF_ERROR(sink_->value->serialize(topic, row.value, now_));
  if (row.old_value != nullptr) MUIR_RETURN_IF_ERROR(sink_->value->serialize(topic, row.old_value, before_));
  append_change({row.value != nullptr ? OptBytesView(now_) : std::nullopt,
                 row.old_value != nullptr ? OptBytesView(before_) : std::nullopt},
                value_);
  return {};
}

// The partitioner's choice; of windowed keys the partition of their inner key, so that all windows of a key share one.
Result<std::optional<PartitionId>> RecordEncoder::partition(const std::string& topic, const Row& row,
                                                            int32_t count) const {
  if (choose_) {
    const std::optional<int32_t> chosen = choose_(topic, row, count);
    if (chosen && (*chosen < 0 || *chosen >= count)) {
      return error(Code::invalid_argument, "send topic={}: the partitioner chose partition {} of {}", topic, *chosen,
                   count);
    }
    if (chosen) return std::optional(PartitionId(*chosen));
  }
  if (unpartitioned_ == 0 || row.key == nullptr) return std::optional<PartitionId>();
  return std::optional(wire::partition_for_key(BytesView(key_).substr(0, key_.size() - unpartitioned_), count));
}

}  // namespace muir::streams::internal
