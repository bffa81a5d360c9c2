// TopicPartition: a partition by its topic's name and its number.
#pragma once

#include <compare>
#include <string>

#include "base/kafka_ids.h"

namespace muir {

struct TopicPartition {
  std::string topic;
  PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

}  // namespace muir
