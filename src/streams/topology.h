// Topology: what StreamsBuilder::build() returns. Immutable; copies share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/store_supplier.h"

namespace muir::streams {

// What an application says about stores that the program leaves open.
struct StoreDefaults {
  store::StoreKind kind = store::StoreKind::rocksdb;  // dsl.store.suppliers.class, default.dsl.store
  store::ChangelogSettings changelogs{};
};

namespace internal {
class Graph;
class TopologyPlan;
}  // namespace internal

class Topology {
 public:
  explicit Topology(std::shared_ptr<const internal::Graph> graph) : graph_(std::move(graph)) {}

  // The text that Kafka Streams' Topology.describe() prints for the same program. Internal topics without the
  // application's prefix.
  [[nodiscard]] std::string describe() const;
  // The same as a graph in Graphviz's language: sub-topologies as frames, topics between them, stores beside the
  // processors that use them. `dot -Tsvg` draws it.
  [[nodiscard]] std::string describe_graphviz() const;
  // The same as JSON, for programs, with the names of Java's TopologyDescription:
  //   {"subtopologies": [{"id": 0, "nodes": [{"name": "...", "type": "source", "topics": ["..."], "successors": [...],
  //    "predecessors": [...]}, {"type": "processor", "stores": ["..."], ...}, {"type": "sink", "topic": "...", ...}]}],
  //    "globalStores": [{"id": 1, "nodes": [...]}]}
  // A sink whose function chooses the topic has "topic": null.
  [[nodiscard]] std::string describe_json() const;

  // The topology with its internal topics named "<application_id>-<name>-repartition" and "-changelog".
  [[nodiscard]] Result<std::shared_ptr<const internal::TopologyPlan>> plan(const std::string& application_id,
                                                                           const StoreDefaults& stores = {}) const;

 private:
  // Shared by every handle, plan and thread that runs it.
  std::shared_ptr<const internal::Graph> graph_;
};

}  // namespace muir::streams
