#include "broker/groups/group_records.h"

#include <algorithm>

namespace muir::broker {
namespace {

constexpr int16_t kOffsetKeyVersion = 1;
constexpr int16_t kGroupKeyVersion = 2;
// Version 3 is what Apache Kafka writes; offsets that carry their own expiry need version 1.
constexpr int16_t kOffsetValueVersion = 3;
constexpr int16_t kOffsetValueVersionWithExpiry = 1;
constexpr int16_t kGroupValueVersion = 3;

template <class Message>
Bytes versioned(const Message& message, int16_t version) {
  Bytes out;
  ByteWriter writer(out);
  writer.i16(version);
  encode(message, version, writer);
  return out;
}

template <class Message>
Result<Message> parse_value(BytesView bytes) {
  ByteReader reader(bytes);
  const int16_t version = reader.i16();
  Message message;
  MUIR_RETURN_IF_ERROR(decode(reader, version, message));
  return message;
}

}  // namespace

Bytes offset_key(const std::string& group_id, const TopicPartition& partition) {
  return versioned(
      wire::OffsetCommitKey{.group = group_id, .topic = partition.first, .partition = partition.second.value()},
      kOffsetKeyVersion);
}

Bytes offset_value(const CommittedOffset& offset) {
  const wire::OffsetCommitValue value{.offset = offset.offset.value(),
                                      .leader_epoch = offset.leader_epoch.value(),
                                      .metadata = offset.metadata,
                                      .commit_timestamp = offset.commit_timestamp_ms,
                                      .expire_timestamp = offset.expire_timestamp_ms.value_or(-1)};
  return versioned(value, offset.expire_timestamp_ms ? kOffsetValueVersionWithExpiry : kOffsetValueVersion);
}

Bytes group_key(const std::string& group_id) {
  return versioned(wire::GroupMetadataKey{.group = group_id}, kGroupKeyVersion);
}

Bytes group_value(const Group& group, const std::map<std::string, Bytes>* assignments) {
  wire::GroupMetadataValue value{.protocol_type = group.protocol_type.value_or(""),
                                 .generation = group.generation.value(),
                                 .protocol = group.protocol,
                                 .leader = group.leader,
                                 .current_state_timestamp = group.state_timestamp_ms};
  // Written before the members have their new assignments, which therefore come from outside; with none given the ones
  // before stay.
  for (const auto& [id, member] : group.members) {
    const Bytes* subscription = group.protocol ? member.metadata_of(*group.protocol) : nullptr;
    Bytes assignment = member.assignment;
    if (assignments != nullptr) {
      const auto at = assignments->find(id);
      assignment = at == assignments->end() ? Bytes{} : at->second;
    }
    value.members.push_back({.member_id = id,
                             .group_instance_id = member.instance_id,
                             .client_id = member.client_id,
                             .client_host = member.client_host,
                             .rebalance_timeout = member.rebalance_timeout_ms,
                             .session_timeout = member.session_timeout_ms,
                             .subscription = subscription ? *subscription : Bytes{},
                             .assignment = std::move(assignment)});
  }
  return versioned(value, kGroupValueVersion);
}

Result<StoredRecord> parse_group_record(const wire::Record& record) {
  if (!record.key) return error(Code::data_loss, "group record at offset {}: no key", record.offset);
  ByteReader reader(*record.key);
  const int16_t version = reader.i16();
  if (!reader.ok()) return error(Code::data_loss, "group record at offset {}: truncated key", record.offset);
  if (version == 0 || version == kOffsetKeyVersion) {
    wire::OffsetCommitKey key;
    MUIR_RETURN_IF_ERROR(decode(reader, version, key));
    OffsetRecord out{key.group, {key.topic, PartitionId(key.partition)}, std::nullopt};
    if (record.value) {
      auto value = MUIR_TRY(parse_value<wire::OffsetCommitValue>(*record.value));
      out.offset = CommittedOffset{.offset = Offset(value.offset),
                                   .leader_epoch = LeaderEpoch(value.leader_epoch),
                                   .metadata = std::move(value.metadata),
                                   .commit_timestamp_ms = value.commit_timestamp,
                                   .expire_timestamp_ms = {},
                                   .log_offset = record.offset};
      if (value.expire_timestamp >= 0) out.offset->expire_timestamp_ms = value.expire_timestamp;
    }
    return StoredRecord(std::move(out));
  }
  if (version == kGroupKeyVersion) {
    wire::GroupMetadataKey key;
    MUIR_RETURN_IF_ERROR(decode(reader, version, key));
    GroupRecord out{key.group, std::nullopt};
    if (record.value) out.value = MUIR_TRY(parse_value<wire::GroupMetadataValue>(*record.value));
    return StoredRecord(std::move(out));
  }
  // Newer brokers write records of other kinds into the same topic, those of KIP-848's groups for one: they are kept.
  return StoredRecord(ForeignRecord{});
}

int fuzz_group_record(BytesView bytes) {
  if (bytes.empty()) return 0;
  const size_t key_size = std::min(static_cast<size_t>(static_cast<uint8_t>(bytes[0])), bytes.size() - 1);
  wire::Record record;
  record.key = bytes.substr(1, key_size);
  if (key_size + 1 < bytes.size()) record.value = bytes.substr(1 + key_size);
  return parse_group_record(record).ok() ? 1 : 0;
}

}  // namespace muir::broker
