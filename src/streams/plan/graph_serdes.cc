// Binding a topology's serdes to their surroundings.
#include <set>

#include "streams/plan/graph.h"

namespace muir::streams::internal {

Status Graph::configure_once(const SerdeContext& context) const {
  std::set<std::pair<ErasedSerde*, bool>> done;
  const auto configure = [&](const SharedSerde& serde, bool is_key, const std::string& where) -> Status {
    if (!serde || !done.emplace(serde.get(), is_key).second) return {};
    const Status configured = serde->configure(context, is_key);
    if (configured.ok()) return configured;
    return configured.annotate(fmt::format("topology: the {} of {}", is_key ? "key" : "value", where));
  };
  const auto both = [&](const SharedSerde& key, const SharedSerde& value, const std::string& where) -> Status {
    MUIR_RETURN_IF_ERROR(configure(key, true, where));
    return configure(value, false, where);
  };
  for (const GraphNode& node : nodes_) {
    if (node.source) {
      MUIR_RETURN_IF_ERROR(both(node.source->types.key.serde, node.source->types.value.serde,
                                node.name + ", which reads topic " +
                                    (node.source->topics.empty() ? std::string() : node.source->topics.front())));
    }
    if (node.sink) {
      const std::string to = node.sink->extract_topic ? " a topic of its choice" : " topic " + node.sink->topic;
      MUIR_RETURN_IF_ERROR(both(node.sink->key, node.sink->value, node.name + ", which writes" + to));
    }
  }
  for (const auto& [name, store] : stores_) {
    MUIR_RETURN_IF_ERROR(both(store.types.key.serde, store.types.value.serde, "state store " + name));
  }
  return {};
}

Status Graph::configure_serdes(const SerdeContext& context) const {
  const std::lock_guard lock(configure_mutex_);
  if (configured_ && configured_for_ == context.registry) return {};
  MUIR_RETURN_IF_ERROR(configure_once(context));
  configured_ = true;
  configured_for_ = context.registry;
  return {};
}

}  // namespace muir::streams::internal
