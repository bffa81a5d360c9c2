// The small text files beside the segments: checkpoints of offsets, leader epochs, ids. Formats are Apache Kafka's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "log/internal/segment_scan.h"
#include "wire/uuid.h"

namespace muir::storage {

using TopicPartition = std::pair<std::string, PartitionId>;

// recovery-point-offset-checkpoint and log-start-offset-checkpoint: "0\n<count>\n<topic> <partition> <offset>\n...".
using OffsetCheckpoint = std::map<TopicPartition, Offset>;
Bytes encode_offset_checkpoint(const OffsetCheckpoint& offsets);
Result<OffsetCheckpoint> decode_offset_checkpoint(BytesView text);

// muir-checkpoints: the three above once more, "muir-checkpoints 1\n<file> <topic> <partition> <offset>\n...end
// <crc>\n".
struct Checkpoints {
  OffsetCheckpoint recovery_points;
  OffsetCheckpoint log_starts;
  OffsetCheckpoint cleaned;
  bool operator==(const Checkpoints&) const = default;
};
Bytes encode_checkpoints(const Checkpoints& checkpoints);
Result<Checkpoints> decode_checkpoints(BytesView text);

// leader-epoch-checkpoint: "0\n<count>\n<epoch> <start offset>\n...", both ascending.
struct EpochEntry {
  LeaderEpoch epoch;
  Offset start_offset;
  bool operator==(const EpochEntry&) const = default;
};
using EpochEntries = std::vector<EpochEntry>;
// The epoch of a batch that begins at `offset`; kNoLeaderEpoch before the first entry.
LeaderEpoch epoch_at(const EpochEntries& epochs, Offset offset);
Bytes encode_leader_epochs(const EpochEntries& epochs);
Result<EpochEntries> decode_leader_epochs(BytesView text);

// durable-up-to: "1\n<offset>\nend <crc>\n", or "0\n<offset>\n" of earlier versions. The segments that end at or below
// this offset are on the disk as a whole.
Bytes encode_durable_mark(Offset offset);
Result<Offset> decode_durable_mark(BytesView text);

// What of a transaction was written before a damaged place that may have held its end: nobody knows whether it was
// committed.
struct UndecidedTxn {
  ProducerId producer_id;
  Offset first_offset;
  Offset end_offset;  // where the damaged place begins
  bool operator==(const UndecidedTxn&) const = default;
};
struct DamageList {
  std::vector<DamagedRange> ranges;
  std::vector<UndecidedTxn> undecided;
  // Those whose end the coordinator's topic has told.
  std::vector<UndecidedTxn> committed;
  std::vector<UndecidedTxn> aborted;
  bool operator==(const DamageList&) const = default;
};
// <base>.damaged: "0\n<count>\n<first byte> <end byte> <first offset> <next offset>\n...", ascending; then
// "undecided <producer id> <first offset> <end offset>\n...", and "committed" and "aborted" in the same way.
Bytes encode_damage(const DamageList& list);
Result<DamageList> decode_damage(BytesView text);

// partition.metadata: "version: 0\ntopic_id: <base64url>\n".
Bytes encode_partition_metadata(const wire::Uuid& topic_id);
Result<wire::Uuid> decode_partition_metadata(BytesView text);

// meta.properties: who a data folder belongs to.
struct MetaProperties {
  std::string cluster_id;
  std::string directory_id;
  int32_t node_id = 1;
  bool operator==(const MetaProperties&) const = default;
};
Bytes encode_meta_properties(const MetaProperties& meta);
Result<MetaProperties> decode_meta_properties(BytesView text);

// Takes any bytes; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_checkpoints(BytesView input);

}  // namespace muir::storage
