// What the forms of a topology's description share: its nodes linked and ordered as Kafka Streams prints them.
#pragma once

#include <vector>

#include "streams/plan/graph.h"

namespace muir::streams::internal {

struct Described {
  const GraphNode* node = nullptr;
  int size = 1;  // of the subtree, counting paths
  std::vector<Described*> predecessors{};
  std::vector<Described*> successors{};
};

struct DescribedSubtopology {
  bool global = false;  // its tasks are not generated: every instance keeps its store
  std::vector<Described> all{};
  std::vector<const Described*> in_order{};  // of `all`
};

// Their ids are their places. As long as `graph` lives.
std::vector<DescribedSubtopology> described(const Graph& graph);

// Names in the order in which a java.util.HashSet of them prints.
std::vector<std::string> in_java_order(const std::vector<std::string>& names);

}  // namespace muir::streams::internal
