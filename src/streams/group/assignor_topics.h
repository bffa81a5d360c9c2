// The topics of an application: partition counts carried through repartition topics, the tasks that follow from them,
// and the internal topics that the group's leader creates before it assigns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/admin.h"
#include "streams/plan/subtopology.h"
#include "streams/streams_config.h"

namespace muir::streams::internal {

class TopologyPlan;

struct PlannedTask {
  TaskId id;
  bool stateful = false;
  std::vector<client::TopicPartition> partitions;  // sorted
};

struct ResolvedTopics {
  std::map<std::string, int32_t> sources;         // source and repartition topics
  std::map<std::string, int32_t> partitions;      // source, repartition and changelog topics
  std::vector<PlannedTask> tasks;                 // sorted by id
  std::vector<client::NewTopic> internal_topics;  // all of them, those that exist included
};

// How many partitions a topic has; not_found when there is no such topic.
using PartitionCount = std::function<Result<int32_t>(const std::string& topic)>;

// not_found names the source topics that are missing; failed_precondition, co-partitioned topics that differ.
Result<ResolvedTopics> resolve_topics(const TopologyPlan& plan, const StreamsConfig& config,
                                      const PartitionCount& count);

// Creates the internal topics that are missing and checks the partition counts of those that exist.
Status ensure_internal_topics(const ResolvedTopics& topics, client::Admin& admin);

}  // namespace muir::streams::internal
