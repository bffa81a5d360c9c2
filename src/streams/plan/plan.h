// TopologyPlan: a graph cut into subtopologies for an application, with its topics resolved.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "streams/plan/graph.h"
#include "streams/plan/subtopology.h"
#include "streams/topology.h"

namespace muir::streams::internal {

// Kafka's text for the graph; see Topology::describe().
std::string describe(const Graph& graph);

// Immutable but for what bind() remembers; shared by every thread.
class TopologyPlan {
 public:
  TopologyPlan(std::shared_ptr<const Graph> graph, std::string application_id, const StoreDefaults& stores);

  [[nodiscard]] const std::vector<SubtopologyPlan>& subtopologies() const { return subtopologies_; }
  // Topics to create before start: repartition and changelog topics.
  [[nodiscard]] const std::vector<InternalTopic>& internal_topics() const { return internal_topics_; }
  // Groups of source topics that must have equally many partitions.
  [[nodiscard]] const std::vector<std::vector<std::string>>& copartition_groups() const { return copartitioned_; }
  [[nodiscard]] SourceSettings source_settings(const std::string& topic) const;

  // With the application's serdes; made at the first call, and again for another registry. Fails with the operator
  // whose serde cannot do without something that is not there. Thread-safe.
  [[nodiscard]] Result<std::shared_ptr<const Graph>> bind(const SerdeContext& context) const;
  [[nodiscard]] const std::string& application_id() const { return application_id_; }
  [[nodiscard]] const store::StoreSupplier& supplier(const std::string& store) const { return *suppliers_.at(store); }
  // Nodes of a subtopology, parents before children.
  [[nodiscard]] const std::vector<NodeId>& nodes(size_t subtopology) const { return nodes_[subtopology]; }

 private:
  [[nodiscard]] std::string topic_name(const std::string& topic, bool internal) const {
    return internal ? application_id_ + "-" + topic : topic;
  }
  void add_subtopology(const std::vector<NodeId>& nodes);
  void add_changelog(const StoreSpec& store, const std::string& topic);

  std::shared_ptr<const Graph> graph_;  // shared with the Topology and other plans of it
  const std::string application_id_;
  const store::ChangelogSettings changelogs_;
  std::map<std::string, std::shared_ptr<const store::StoreSupplier>> suppliers_;  // by store; shared with the program
  std::vector<std::vector<NodeId>> nodes_;
  std::vector<SubtopologyPlan> subtopologies_;
  std::vector<InternalTopic> internal_topics_;
  std::vector<std::vector<std::string>> copartitioned_;
  mutable std::mutex bind_mutex_;
  mutable std::shared_ptr<const Graph> bound_;  // shared with the tasks
  mutable RegistryPort* bound_to_ = nullptr;
};

}  // namespace muir::streams::internal
