// Graph: the physical topology, one entry per node of Kafka's, in the order of the calls; made by make_graph().
//
// Mutable while it is made, by one thread; const and shared by all after that. The first mistake is kept for finish().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store_supplier.h"
#include "streams/nodes/node.h"
#include "streams/plan/logical.h"

namespace muir::streams::internal {

using NodeId = size_t;
using NodeFactory = std::function<std::unique_ptr<Node>()>;

struct SourceSpec {
  std::vector<std::string> topics{};
  bool internal_topic = false;
  TypedPair types{};
  ExtractTimestamp timestamp{};
  InvalidTimestamp invalid_timestamp = InvalidTimestamp::fail;
  std::optional<Reset> reset{};
  bool changes = false;  // values are pairs of new and old, see docs/formats/store-keys.md
  bool global = false;   // every instance reads all partitions
};

struct SinkSpec {
  std::string topic{};
  ExtractTopic extract_topic{};  // when set, instead of `topic`
  bool internal_topic = false;
  SharedSerde key{};
  SharedSerde value{};
  ChoosePartition partition{};  // empty: by the key
  bool changes = false;         // as SourceSpec::changes
};

// Where the program leaves the kind to the application, it is that of the argument.
using ChooseSupplier = std::function<std::shared_ptr<const store::StoreSupplier>(store::StoreKind)>;

struct StoreSpec {
  std::string name{};
  ChooseSupplier supplier{};
  bool logging = true;
  bool caching = false;
  std::map<std::string, std::string> topic_configs{};
  std::string source_topic{};  // global tables: restored from here
  TypedPair types{};
};

struct GraphNode {
  std::string name{};
  std::vector<NodeId> parents{};
  std::vector<NodeId> children{};
  std::vector<std::string> stores{};  // that the node may use
  NodeFactory make{};
  std::optional<SourceSpec> source{};
  std::optional<SinkSpec> sink{};
  std::vector<TypedPair> serdes{};  // that it uses besides those of its source, sink and stores
};

struct RepartitionTopic {
  std::string name;  // without the application's prefix
  std::optional<int32_t> partitions{};
};

class Graph {
 public:
  // ---- making
  NodeId add(GraphNode node);
  void add_store(StoreSpec store);
  void add_repartition_topic(RepartitionTopic topic);
  // The sources above both must have equally many partitions.
  void copartition(NodeId left, NodeId right) { copartitioned_.emplace_back(left, right); }
  void keep(std::vector<std::shared_ptr<const ObjectType>> types) { types_ = std::move(types); }
  void report(Status status) {
    if (mistake_.ok()) mistake_ = std::move(status);
  }
  // The first mistake, after a look at the whole.
  Status finish();

  // ---- reading
  [[nodiscard]] const GraphNode& at(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] const std::vector<GraphNode>& nodes() const { return nodes_; }
  [[nodiscard]] const std::map<std::string, StoreSpec>& stores() const { return stores_; }
  [[nodiscard]] const std::vector<RepartitionTopic>& repartition_topics() const { return repartition_topics_; }
  // Ids of the nodes of each subtopology, in the subtopologies' order.
  [[nodiscard]] std::vector<std::vector<NodeId>> subtopologies() const;
  // Topics, without prefix, that must have equally many partitions; with whether each is internal.
  struct TopicRef {
    std::string name;
    bool internal = false;
    auto operator<=>(const TopicRef&) const = default;
  };
  [[nodiscard]] std::vector<std::vector<TopicRef>> copartition_groups() const;

  // The same with every serde of sources, sinks and stores bound to an application's surroundings. Nodes take serdes
  // from there: what they are made with has none.
  [[nodiscard]] Result<std::shared_ptr<const Graph>> bind(const SerdeContext& context) const;

 private:
  void check_sources();
  void check_topics();
  void check_topic(const std::string& topic, std::string_view who);
  void check_stores();
  void collect_sources(NodeId node, std::vector<TopicRef>& out) const;

  std::vector<GraphNode> nodes_;
  std::map<std::string, StoreSpec> stores_;
  std::vector<RepartitionTopic> repartition_topics_;
  std::vector<std::pair<NodeId, NodeId>> copartitioned_;
  std::vector<std::shared_ptr<const ObjectType>> types_;  // made at run time; shared with the builder
  Status mistake_;
};

// The physical topology of a plan. Mistakes that it finds are kept in the graph.
std::shared_ptr<Graph> make_graph(LogicalPlan plan);

}  // namespace muir::streams::internal
