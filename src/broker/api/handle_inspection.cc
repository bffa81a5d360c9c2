// What tools ask for to show the state of the broker.
#include <sys/statvfs.h>

#include <algorithm>
#include <set>

#include "broker/api/handlers.h"
#include "broker/api/named_once.h"
#include "broker/internal/broker_context.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

using Wanted = std::set<std::pair<std::string_view, int32_t>>;

Wanted wanted_partitions(const wire::DescribeLogDirsRequest& request) {
  Wanted out;
  if (!request.topics) return out;
  for (const auto& topic : *request.topics) {
    for (const int32_t partition : topic.partitions) out.emplace(topic.topic, partition);
  }
  return out;
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
  const Wanted wanted = wanted_partitions(request);
  for (const auto& topic : context.logs->topics()) {
    wire::DescribeLogDirsResponse::Topic out;
    out.name = topic->name;
    for (const auto& partition : topic->partitions) {
      if (request.topics && !wanted.contains({topic->name, partition->index().value()})) continue;
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
  keep_named_once(request.topics, [](const auto& topic) { return std::string_view(topic.name); });
  for (auto& topic : request.topics) {
    keep_named_once(topic.partition_indexes, [](int32_t index) { return index; });
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
