// Names of the files and folders of a log, as Apache Kafka has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "wire/topic_name.h"

namespace muir::storage {

constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kTimeIndexSuffix = ".timeindex";
constexpr std::string_view kTxnIndexSuffix = ".txnindex";
constexpr std::string_view kSnapshotSuffix = ".snapshot";
// Where a segment is known to be damaged.
constexpr std::string_view kDamagedSuffix = ".damaged";
// What a segment and its indexes were when they were on the disk.
constexpr std::string_view kSealSuffix = ".seal";
// Bytes that could not be read as batches and had to leave their segment.
constexpr std::string_view kQuarantineSuffix = ".quarantine";
// Put behind the names above while a compacted segment is written, and once it is complete.
constexpr std::string_view kCleanedSuffix = ".cleaned";
constexpr std::string_view kSwapSuffix = ".swap";
// Behind a partition's folder while it is being deleted.
constexpr std::string_view kDeleteSuffix = "-delete";
// Behind the folder of a partition that no topic has.
constexpr std::string_view kStraySuffix = "-stray";
// What file systems take for one name.
constexpr size_t kFileNameBytesMax = 255;

// In the data folder: what is known of partitions, once in Kafka's files, and once more with a checksum.
constexpr std::string_view kRecoveryPoints = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStarts = "log-start-offset-checkpoint";
constexpr std::string_view kCleaned = "cleaner-offset-checkpoint";
constexpr std::string_view kCheckpoints = "muir-checkpoints";
// In the data folder: space for what is written to free space.
constexpr std::string_view kReserve = "muir-reserve";
// In a partition's folder: the topic's id.
constexpr std::string_view kMetadataFile = "partition.metadata";
// In a partition's folder: up to where its sealed segments are on the disk.
constexpr std::string_view kDurableMarkFile = "durable-up-to";
// The files of one segment, as they are removed: what is there without a .log tells that it was lost.
constexpr std::string_view kSegmentSuffixes[] = {kSealSuffix,     kIndexSuffix,   kTimeIndexSuffix,
                                                 kTxnIndexSuffix, kDamagedSuffix, kLogSuffix};

// (42, ".log") -> "00000000000000000042.log".
std::string segment_file(Offset base_offset, std::string_view suffix);
// The offset of a name made by segment_file() with this suffix.
std::optional<Offset> parse_segment_file(std::string_view name, std::string_view suffix);

// ("positions", 3) -> "positions-3".
std::string partition_folder(std::string_view topic, PartitionId partition);
std::optional<std::pair<std::string, PartitionId>> parse_partition_folder(std::string_view name);

// The name of a partition's folder that is put aside: "<folder>.<id><suffix>", or "<folder><suffix>" without an id. Of
// a long topic only so much is kept that the file system takes the name; the id, which is unique, and the partition
// stay whole.
std::string folder_name_aside(std::string_view partition_folder, std::string_view id, std::string_view suffix);
// Whether `name` is one of a partition that is being deleted, as the function above makes them.
bool is_deleted_folder(std::string_view name);

using wire::valid_topic_name;

// Takes arbitrary bytes as the name of a file or folder that is found; what is understood is what is written. Returns 1
// for what is understood.
int fuzz_file_name(BytesView input);

}  // namespace muir::storage
