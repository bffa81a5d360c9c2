#include "broker/api/handlers.h"
#include "broker/api/long_requests.h"
#include "broker/internal/broker_context.h"
#include "log/kafka_error.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

// Timestamps with a meaning of their own.
constexpr int64_t kLatest = -1;
constexpr int64_t kEarliest = -2;
constexpr int64_t kMaxTimestamp = -3;   // KIP-734
constexpr int64_t kEarliestLocal = -4;  // KIP-405: the same as the earliest, there is no remote tier
constexpr int64_t kLatestTiered = -5;   // KIP-1005: none

ErrorCode check_epoch(const storage::Partition& partition, LeaderEpoch named) {
  if (named < LeaderEpoch(0)) return ErrorCode::none;
  const LeaderEpoch ours = partition.leader_epoch();
  if (named < ours) return ErrorCode::fenced_leader_epoch;
  return named > ours ? ErrorCode::unknown_leader_epoch : ErrorCode::none;
}

Result<storage::TimestampOffset> look_up(storage::Partition& partition, int64_t timestamp, storage::Isolation isolation,
                                         size_t& unpack_max) {
  const storage::Offsets offsets = partition.offsets();
  switch (timestamp) {
    case kLatest:
      return storage::TimestampOffset{
          -1, isolation == storage::Isolation::read_committed ? offsets.last_stable : offsets.high_watermark};
    case kEarliest:
    case kEarliestLocal: return storage::TimestampOffset{-1, offsets.log_start};
    case kMaxTimestamp: return partition.find_max_timestamp(unpack_max);
    case kLatestTiered: return storage::TimestampOffset{};
    default: break;
  }
  if (timestamp < 0)
    return storage::kafka_error(ErrorCode::unsupported_version, "no such kind of offset: {}", timestamp);
  return partition.find_timestamp(timestamp, isolation, unpack_max);
}

wire::ListOffsetsResponse::Partition answer(BrokerContext& context, const std::string& topic, int8_t isolation_level,
                                            const wire::ListOffsetsRequest::Partition& wanted, size_t& unpack_max,
                                            bool& too_long) {
  wire::ListOffsetsResponse::Partition out;
  out.partition_index = wanted.partition_index;
  const auto partition = context.logs->find_partition(topic, PartitionId(wanted.partition_index));
  out.error_code = partition == nullptr ? ErrorCode::unknown_topic_or_partition
                                        : check_epoch(*partition, LeaderEpoch(wanted.current_leader_epoch));
  if (out.error_code != ErrorCode::none) return out;
  const auto isolation =
      isolation_level == 1 ? storage::Isolation::read_committed : storage::Isolation::read_uncommitted;
  const auto found = look_up(*partition, wanted.timestamp, isolation, unpack_max);
  if (!found.ok()) {
    too_long = unpack_max != SIZE_MAX && found.status().code() == Code::resource_exhausted;
    out.error_code = storage::kafka_code(found.status());
    return out;
  }
  out.timestamp = found->timestamp;
  out.offset = found->offset.value();
  if (found->offset != kNoOffset) out.leader_epoch = partition->epoch_at(found->offset).value();
  return out;
}

// nullopt when more would have to be decompressed.
std::optional<wire::ListOffsetsResponse> answer_all(BrokerContext& context, const wire::ListOffsetsRequest& request,
                                                    size_t unpack_max) {
  wire::ListOffsetsResponse response;
  bool too_long = false;
  for (const auto& topic : request.topics) {
    auto& out = response.topics.emplace_back();
    out.name = topic.name;
    for (const auto& wanted : topic.partitions) {
      out.partitions.push_back(answer(context, topic.name, request.isolation_level, wanted, unpack_max, too_long));
      if (too_long) return std::nullopt;
    }
  }
  return response;
}

}  // namespace

void handle_list_offsets(BrokerContext& context, const RequestInfo&, wire::ListOffsetsRequest request,
                         Reply<wire::ListOffsetsResponse> reply) {
  if (const auto response = answer_all(context, request, LongRequests::kSliceBytes)) return reply(*response);
  // Not in slices: that would be another state to keep, for what hardly anybody asks.
  context.long_requests->look_up([&context, request = std::move(request), reply = std::move(reply)] {
    if (!reply.abandoned()) reply(*answer_all(context, request, SIZE_MAX));
  });
}

void handle_offset_for_leader_epoch(BrokerContext& context, const RequestInfo&,
                                    wire::OffsetForLeaderEpochRequest request,
                                    Reply<wire::OffsetForLeaderEpochResponse> reply) {
  wire::OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.topic = topic.topic;
    for (const auto& wanted : topic.partitions) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition = wanted.partition;
      const auto partition = context.logs->find_partition(topic.topic, PartitionId(wanted.partition));
      out.error_code = partition == nullptr ? ErrorCode::unknown_topic_or_partition
                                            : check_epoch(*partition, LeaderEpoch(wanted.current_leader_epoch));
      if (out.error_code != ErrorCode::none) continue;
      const storage::EpochEntry end = partition->epoch_end(LeaderEpoch(wanted.leader_epoch));
      out.leader_epoch = end.epoch.value();
      out.end_offset = end.start_offset.value();
    }
  }
  reply(response);
}

}  // namespace muir::broker
