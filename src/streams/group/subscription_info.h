// What a member of a Streams group tells the leader, and what the leader answers: the bytes of JoinGroup and SyncGroup.
//
// Byte-compatible with Kafka Streams (SubscriptionInfo and AssignmentInfo, versions 7 to 11) inside the consumer
// protocol's own envelope, so that JVM members and Muir members form one group. See docs/formats/streams-assignment.md.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"
#include "streams/task_id.h"

namespace muir::streams::internal {

inline constexpr int32_t kAssignmentVersionLatest = 11;
inline constexpr int32_t kAssignmentVersionOldest = 7;

// Offset sums that are no sums.
inline constexpr int64_t kOffsetSumRunning = -2;  // the task is active and running here
inline constexpr int64_t kOffsetSumUnknown = -3;

enum class AssignmentError : int32_t {
  none = 0,
  incomplete_source_topic_metadata = 1,
  version_probing = 2,
  assignment_error = 3,
  shutdown_requested = 4,
};

// A process of the application: 16 bytes of a UUID. Threads of one process share it.
using ProcessId = std::array<uint8_t, 16>;
ProcessId random_process_id();
std::string to_string(const ProcessId& id);  // "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
Result<ProcessId> parse_process_id(std::string_view text);

struct HostInfo {
  std::string host;
  int32_t port = 0;
  auto operator<=>(const HostInfo&) const = default;
};
// "host:port"; empty text is an empty host.
Result<HostInfo> parse_host(std::string_view text);

// ConsumerProtocolSubscription, versions 0 to 3.
struct ConsumerSubscription {
  std::vector<std::string> topics;
  OptBytes user_data{};
  std::vector<client::TopicPartition> owned{};
  GenerationId generation_id = kNoGeneration;
  OptBytes rack_id{};
  bool operator==(const ConsumerSubscription&) const = default;
};
// ConsumerProtocolAssignment, versions 0 to 3.
struct ConsumerAssignment {
  std::vector<client::TopicPartition> partitions;
  OptBytes user_data{};
  bool operator==(const ConsumerAssignment&) const = default;
};

struct TaskOffsetSum {
  TaskId task;
  int64_t offset_sum = kOffsetSumUnknown;
  bool operator==(const TaskOffsetSum&) const = default;
};

struct SubscriptionInfo {
  int32_t version = kAssignmentVersionLatest;
  int32_t latest_supported = kAssignmentVersionLatest;
  ProcessId process_id{};
  std::string user_endpoint{};  // application.server, "host:port"
  std::vector<TaskOffsetSum> task_offset_sums{};
  int8_t unique_field = 0;  // changes with every join, so that a leader always sees a new subscription
  int32_t error_code = 0;   // AssignmentError::shutdown_requested asks everybody to stop
  std::vector<std::pair<Bytes, Bytes>> client_tags{};
  bool operator==(const SubscriptionInfo&) const = default;
};

struct AssignmentInfo {
  int32_t version = kAssignmentVersionLatest;
  int32_t commonly_supported = kAssignmentVersionLatest;
  // One per assigned partition, in the order of the partitions sorted by (topic, partition).
  std::vector<TaskId> active{};
  std::map<TaskId, std::vector<client::TopicPartition>> standby{};
  std::map<HostInfo, std::vector<client::TopicPartition>> partitions_by_host{};
  std::map<HostInfo, std::vector<client::TopicPartition>> standby_by_host{};
  int32_t error_code = 0;
  int64_t next_rebalance_ms = std::numeric_limits<int64_t>::max();  // wall clock; max: none scheduled
  bool operator==(const AssignmentInfo&) const = default;
};

Bytes encode(const ConsumerSubscription& subscription);
Result<ConsumerSubscription> decode_consumer_subscription(BytesView bytes);
Bytes encode(const ConsumerAssignment& assignment);
Result<ConsumerAssignment> decode_consumer_assignment(BytesView bytes);

// `info.version` must lie between the oldest and the latest version.
Bytes encode(const SubscriptionInfo& info);
// Of a version newer than ours only version, latest_supported and process id are read (version probing).
Result<SubscriptionInfo> decode_subscription_info(BytesView bytes);
Bytes encode(const AssignmentInfo& info);
Result<AssignmentInfo> decode_assignment_info(BytesView bytes);

// What an offset commit carries beside the offset: how far time had come in that partition (Kafka Streams' format:
// Base64 of version 2, partition time, and per store the end of the last emitted window).
struct CommitMetadata {
  int64_t partition_time_ms = -1;
  std::map<std::string, int64_t> store_times{};
  bool operator==(const CommitMetadata&) const = default;
};
std::string encode_commit_metadata(const CommitMetadata& metadata);
// invalid_argument when it is not ours; the partition time is then unknown.
Result<CommitMetadata> decode_commit_metadata(std::string_view text);

// Takes any bytes as each of these; what decodes must survive being written. Returns 1 for what decodes.
int fuzz_subscription_info(BytesView input);

}  // namespace muir::streams::internal
