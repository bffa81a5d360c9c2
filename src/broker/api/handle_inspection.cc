// What tools ask for to show the state of the broker.
#include <sys/statvfs.h>

#include <algorithm>

#include "broker/api/handlers.h"
#include "broker/internal/broker_context.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

bool wanted(const wire::DescribeLogDirsRequest& request, const std::string& topic, PartitionId partition) {
  if (!request.topics) return true;
  return std::any_of(request.topics->begin(), request.topics->end(), [&](const auto& entry) {
    return entry.topic == topic &&
           std::find(entry.partitions.begin(), entry.partitions.end(), partition.value()) != entry.partitions.end();
  });
}

}  // namespace

void handle_describe_log_dirs(BrokerContext& context, const RequestInfo&, wire::DescribeLogDirsRequest request,
                              Reply<wire::DescribeLogDirsResponse> reply) {
  wire::DescribeLogDirsResponse response;
  auto& folder = response.results.emplace_back();
  folder.log_dir = context.logs->options().folder;
  struct statvfs disk {};
  if (::statvfs(folder.log_dir.c_str(), &disk) == 0) {
    folder.total_bytes = static_cast<int64_t>(disk.f_blocks * disk.f_frsize);
    folder.usable_bytes = static_cast<int64_t>(disk.f_bavail * disk.f_frsize);
  }
  for (const auto& topic : context.logs->topics()) {
    wire::DescribeLogDirsResponse::Topic out;
    out.name = topic->name;
    for (const auto& partition : topic->partitions) {
      if (!wanted(request, topic->name, partition->index())) continue;
      out.partitions.push_back(
          {partition->index().value(), static_cast<int64_t>(partition->size().bytes), 0, false, {}});
    }
    if (!out.partitions.empty()) folder.topics.push_back(std::move(out));
  }
  reply(response);
}

void handle_describe_producers(BrokerContext& context, const RequestInfo&, wire::DescribeProducersRequest request,
                               Reply<wire::DescribeProducersResponse> reply) {
  wire::DescribeProducersResponse response;
  for (const auto& topic : request.topics) {
    auto& topic_out = response.topics.emplace_back();
    topic_out.name = topic.name;
    for (const int32_t index : topic.partition_indexes) {
      auto& out = topic_out.partitions.emplace_back();
      out.partition_index = index;
      const auto partition = context.logs->find_partition(topic.name, PartitionId(index));
      if (partition == nullptr) {
        out.error_code = ErrorCode::unknown_topic_or_partition;
        continue;
      }
      for (const auto& [id, entry] : partition->producers()) {
        out.active_producers.push_back({id.value(),
                                        entry.epoch.value(),
                                        entry.last_sequence(),
                                        entry.last_timestamp,
                                        entry.coordinator_epoch.value(),
                                        entry.txn_first_offset.value(),
                                        {}});
      }
    }
  }
  reply(response);
}

// Tools ask before they show a topic; one broker never moves a partition.
void handle_list_partition_reassignments(BrokerContext&, const RequestInfo&, wire::ListPartitionReassignmentsRequest,
                                         Reply<wire::ListPartitionReassignmentsResponse> reply) {
  reply(wire::ListPartitionReassignmentsResponse{});
}

}  // namespace muir::broker
