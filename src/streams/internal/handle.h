// What the DSL's handles (KStream, KTable, ...) are made of: a node of a graph under construction.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "serde/serde.h"
#include "streams/internal/graph.h"
#include "streams/internal/invoke.h"
#include "streams/internal/operators.h"

namespace muir::streams::internal {

// Two words; copies name the same node. Valid as long as the StreamsBuilder that it came from. Not thread-safe.
class Handle {
 public:
  Handle(Graph& graph, NodeId node) : graph_(&graph), node_(node) {}
  // The operator's name, as describe() prints it.
  [[nodiscard]] const std::string& name() const { return graph_->at(node_).name; }

 protected:
  friend class HandleAccess;
  // What a new node has in common with this one.
  enum Keeps : unsigned char { kNothing = 0, kKey = 1, kValue = 2, kBoth = 3 };

  // Adds an operator below this one. Without the key, what follows has to be repartitioned before it is grouped.
  NodeId then(const std::string& name, NodeFactory make, Keeps keeps) const;
  [[nodiscard]] GraphNode& at() const { return graph_->at(node_); }

  Graph* graph_;
  NodeId node_;
};

// Lets the handles see one another's nodes.
class HandleAccess {
 public:
  static NodeId node(const Handle& handle) { return handle.node_; }
  static Graph& graph(const Handle& handle) { return *handle.graph_; }
};

// The serde to use for T: the option's, else the inherited one, else that of the type.
template <class T>
TypedSerde choose_serde(Graph& graph, const SerdeRef<T>& option, const SharedSerde& inherited, std::string_view what) {
  if (option) return {type_ops<T>(), option.erased()};
  if (inherited) return {type_ops<T>(), inherited};
  if constexpr (Serializable<T>) {
    return {type_ops<T>(), default_serde<T>().erased()};
  } else {
    graph.mistake(error(Code::invalid_argument,
                        "topology: no serde for {}: name one in its options, specialise muir::serde<T> or write "
                        "describe(Fields&, T&)",
                        what));
    return {type_ops<T>(), nullptr};
  }
}

// Sink, filter of null keys and source around a new repartition topic "<prefix>-repartition"; yields the source.
struct RepartitionSpec {
  std::string prefix{};
  TypedPair types{};
  std::optional<int32_t> partitions{};
  bool null_keys = false;
};
NodeId add_repartition(Graph& graph, NodeId from, RepartitionSpec spec);

// Sink and source around a new repartition topic of changes of a table; yields the source.
struct ChangeTopic {
  std::string topic;
  std::string sink;
  std::string source;
};
NodeId add_change_topic(Graph& graph, NodeId from, const ChangeTopic& names, TypedPair types);

}  // namespace muir::streams::internal
