// The records of __consumer_offsets: keys and values in Kafka's format, each preceded by its int16 version.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/status.h"
#include "broker/groups/group_offsets.h"
#include "broker/groups/group_state.h"
#include "wire/messages/coordinator_records.h"
#include "wire/record_batch.h"

namespace muir::broker {

Bytes offset_key(const std::string& group_id, const TopicPartition& partition);
Bytes offset_value(const CommittedOffset& offset);
Bytes group_key(const std::string& group_id);
// `assignments` by member id stand in for what the members hold; null keeps theirs.
Bytes group_value(const Group& group, const std::map<std::string, Bytes>* assignments);

// A record as it is read back. A missing value is a tombstone.
struct OffsetRecord {
  std::string group_id;
  TopicPartition partition;
  std::optional<CommittedOffset> offset;
};
struct GroupRecord {
  std::string group_id;
  std::optional<wire::GroupMetadataValue> value;
};
// Records of other coordinators (KIP-848's, share and streams groups') are none of these.
struct ForeignRecord {};
using StoredRecord = std::variant<OffsetRecord, GroupRecord, ForeignRecord>;
Result<StoredRecord> parse_group_record(const wire::Record& record);

// A byte that is the size of the key, the key, the value (none: null). Returns 1 for a record.
int fuzz_group_record(BytesView bytes);

}  // namespace muir::broker
