// The templates of streams/ktable.h.
#pragma once

#include "streams/ktable.h"

namespace muir::streams {

template <class K, class V>
template <class F>
KTable<K, V> KTable<K, V>::filtered(F f, bool keep_if, const Named& named) const {
  MUIR_NEEDS_ROW_FUNCTION("filter", "bool");
  internal::Predicate keep = [f = std::move(f), keep_if](const internal::Row& row) mutable {
    return internal::callable_with<F, K, V>(row) && static_cast<bool>(internal::call<K, V>(f, row)) == keep_if;
  };
  const internal::NodeId node =
      then(graph_->name_or(named.name, "KTABLE-FILTER-"), internal::table_filter_node(std::move(keep)), kBoth);
  // Where the table keeps its rows anyway, rows that never passed need no deletion.
  graph_->at(node).sends_old_values = graph_->offer_old_values(node_);
  graph_->at(node).can_look_up = at().can_look_up;
  return KTable(*graph_, node);
}

template <class K, class V>
template <class F>
auto KTable<K, V>::map_values(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("map_values", "V2");
  if constexpr (internal::RowFunction<F, K, V>) {
    using Out = internal::CallResult<F, K, V>;
    auto map = [f = std::move(f)](const internal::Row& row, void* out) mutable {
      *static_cast<Out*>(out) = internal::call<K, V>(f, row);
    };
    const internal::NodeId node = then(graph_->name_or(named.name, "KTABLE-MAPVALUES-"),
                                       internal::table_map_node(std::move(map), internal::type_ops<Out>()), kKey);
    graph_->at(node).can_look_up = at().can_look_up;
    return KTable<K, Out>(*graph_, node);
  }
}

template <class K, class V>
KStream<K, V> KTable<K, V>::to_stream(Named named) const {
  return KStream<K, V>(*graph_,
                       then(graph_->name_or(named.name, "KTABLE-TOSTREAM-"), internal::pass_through_node(), kBoth));
}

}  // namespace muir::streams
