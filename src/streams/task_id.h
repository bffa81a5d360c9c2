// TaskId: one subtopology on one partition, written "0_3" as Kafka Streams does.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include <fmt/core.h>

#include "base/kafka_ids.h"

namespace muir::streams {

struct TaskId {
  int32_t subtopology = 0;
  PartitionId partition;
  auto operator<=>(const TaskId&) const = default;
};

inline std::string to_string(const TaskId& id) { return fmt::format("{}_{}", id.subtopology, id.partition); }

}  // namespace muir::streams
