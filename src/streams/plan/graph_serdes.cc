// Binding a topology's serdes to their surroundings.
#include <map>

#include "streams/plan/graph.h"

namespace muir::streams::internal {

Result<std::shared_ptr<const Graph>> Graph::bind(const SerdeContext& context) const {
  auto out = std::make_shared<Graph>(*this);
  // What the operators share they go on sharing.
  std::map<std::pair<const ErasedSerde*, bool>, SharedSerde> done;
  const auto bind_one = [&](SharedSerde& serde, bool is_key, const std::string& where) -> Status {
    if (!serde) return {};
    SharedSerde& known = done[{serde.get(), is_key}];
    if (!known) {
      auto made = muir::bound(serde, context, is_key);
      if (!made.ok()) {
        return made.status().annotate(fmt::format("topology: the {} of {}", is_key ? "key" : "value", where));
      }
      known = std::move(*made);
    }
    serde = known;
    return {};
  };
  const auto both = [&](SharedSerde& key, SharedSerde& value, const std::string& where) -> Status {
    MUIR_RETURN_IF_ERROR(bind_one(key, true, where));
    return bind_one(value, false, where);
  };
  for (GraphNode& node : out->nodes_) {
    if (node.source) {
      TypedPair& types = node.source->types;
      const std::string topic = node.source->topics.empty() ? std::string() : node.source->topics.front();
      MUIR_RETURN_IF_ERROR(both(types.key.serde, types.value.serde, node.name + ", which reads topic " + topic));
    }
    for (TypedPair& types : node.serdes)
      MUIR_RETURN_IF_ERROR(both(types.key.serde, types.value.serde, "operator " + node.name));
    if (node.sink) {
      const std::string to = node.sink->extract_topic ? " a topic of its choice" : " topic " + node.sink->topic;
      MUIR_RETURN_IF_ERROR(both(node.sink->key, node.sink->value, node.name + ", which writes" + to));
    }
  }
  for (auto& [name, store] : out->stores_) {
    MUIR_RETURN_IF_ERROR(both(store.types.key.serde, store.types.value.serde, "state store " + name));
  }
  return std::shared_ptr<const Graph>(std::move(out));
}

}  // namespace muir::streams::internal
