// What a group commits must not be ahead of what the disk has: a consumer sees records before they are durable, and
// after a loss of power its committed offset would point behind the end of the log, where other records come to stand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "broker/internal/broker_context.h"
#include "wire/error_code.h"

namespace muir::broker {

struct CommittedPosition {
  std::string topic;
  PartitionId partition;
  Offset offset;
};

// Runs `then` once the records below each position, as far as they are there now, are durable: at once when they are,
// else on the flushing thread, with the disk's failure if there is one. Positions in topics that do not exist count as
// durable, and so does everything when log.flush.acks is off.
void when_records_durable(BrokerContext& context, const std::vector<CommittedPosition>& positions,
                          std::function<void(const Status&)> then);

// The positions of an OffsetCommit or TxnOffsetCommit.
template <class Request>
std::vector<CommittedPosition> committed_positions(const Request& request) {
  std::vector<CommittedPosition> out;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions)
      out.push_back({topic.name, PartitionId(partition.partition_index), Offset(partition.committed_offset)});
  }
  return out;
}

// The answer that refuses all of them.
template <class Request>
typename Request::Response refuse_commit(const Request& request, wire::ErrorCode error) {
  typename Request::Response response;
  for (const auto& topic : request.topics) {
    auto& out = response.topics.emplace_back();
    out.name = topic.name;
    for (const auto& partition : topic.partitions) out.partitions.push_back({partition.partition_index, error, {}});
  }
  return response;
}

}  // namespace muir::broker
