#include "streams/internal/handle.h"

namespace muir::streams::internal {

NodeId Handle::then(const std::string& name, NodeFactory make, Keeps keeps) const {
  const GraphNode& from = at();
  GraphNode node{.name = name, .parents = {node_}, .make = std::move(make)};
  node.repartition_required = from.repartition_required || (keeps & kKey) == 0;
  if ((keeps & kKey) != 0) node.key_serde = from.key_serde;
  if ((keeps & kValue) != 0) node.value_serde = from.value_serde;
  return graph_->add(std::move(node));
}

namespace {

// Kafka's "KSTREAM.*-[0-9]{10}": the prefix is a generated name, and the nodes get generated names too.
bool is_generated(const std::string& prefix) {
  constexpr size_t kDigits = 10;
  if (!prefix.starts_with("KSTREAM") || prefix.size() < 7 + 1 + kDigits) return false;
  const std::string digits = prefix.substr(prefix.size() - kDigits);
  return prefix[prefix.size() - kDigits - 1] == '-' && digits.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

NodeId add_repartition(Graph& graph, NodeId from, RepartitionSpec spec) {
  const bool suffixed = spec.prefix.ends_with("-repartition");
  const std::string topic = suffixed ? spec.prefix : spec.prefix + "-repartition";
  // All three indices are spent, whether the generated names are used or not.
  std::string sink = graph.generate_name("KSTREAM-SINK-");
  std::string filter = graph.generate_name("KSTREAM-FILTER-");
  std::string source = graph.generate_name("KSTREAM-SOURCE-");
  if (!is_generated(spec.prefix)) {
    sink = topic + "-sink";
    filter = topic + "-filter";
    source = topic + "-source";
  }
  graph.add_repartition_topic({topic, spec.partitions});
  const NodeId kept = graph.add({.name = filter,
                                 .parents = {from},
                                 .make = stateless_node([null_keys = spec.null_keys](const Row& row, Downstream& down) {
                                   return row.key == nullptr && !null_keys ? Status() : down.forward(row);
                                 })});
  graph.add(
      {.name = sink,
       .parents = {kept},
       .make = sink_node(),
       .sink = SinkSpec{
           .topic = topic, .internal_topic = true, .key = spec.types.key.serde, .value = spec.types.value.serde}});
  return graph.add({.name = source,
                    .make = source_node(),
                    .source = SourceSpec{.topics = {topic}, .internal_topic = true, .types = spec.types},
                    .key_serde = spec.types.key.serde,
                    .value_serde = spec.types.value.serde});
}

NodeId add_change_topic(Graph& graph, NodeId from, const ChangeTopic& names, TypedPair types) {
  graph.add_repartition_topic({names.topic, std::nullopt});
  graph.add({.name = names.sink,
             .parents = {from},
             .make = sink_node(),
             .sink = SinkSpec{.topic = names.topic,
                              .internal_topic = true,
                              .key = types.key.serde,
                              .value = types.value.serde,
                              .changes = true}});
  return graph.add(
      {.name = names.source,
       .make = source_node(),
       .source = SourceSpec{.topics = {names.topic}, .internal_topic = true, .types = types, .changes = true},
       .key_serde = types.key.serde,
       .value_serde = types.value.serde});
}

}  // namespace muir::streams::internal
