// The templates of KTable::group_by and KGroupedTable.
#pragma once

#include "streams/internal/grouped_inl.h"

namespace muir::streams {

template <class K, class V>
template <class F>
auto KTable<K, V>::group_by(
    F f,
    Grouped<typename internal::RowPairOf<F, K, V>::Key, typename internal::RowPairOf<F, K, V>::Value> options) const {
  using Out = internal::RowPairOf<F, K, V>;
  using Key = typename Out::Key;
  constexpr bool kRight = requires { Out::kIsPair; };
  static_assert(kRight,
                "group_by of a table needs std::pair<K2, V2>(const V&) or std::pair<K2, V2>(const K&, const V&)");
  internal::Apply apply;
  if constexpr (kRight) {
    apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable -> Status {
      if (row.key == nullptr) return error(Code::invalid_argument, "group_by: a row without key");
      using Pair = internal::CallResult<F, K, V>;
      std::optional<Pair> now;
      std::optional<Pair> before;
      if (row.value != nullptr) now = internal::call<K, V>(f, row);
      if (row.old_value != nullptr) before = internal::call<K, V>(f, row.with_value(row.old_value));
      if constexpr (requires(const Key& a) {
                      { a == a } -> std::convertible_to<bool>;
                    }) {
        if (now && before && now->first == before->first) {
          return down.forward({&now->first, &now->second, row.timestamp_ms, row.headers, &before->second});
        }
      }
      if (before) {
        MUIR_RETURN_IF_ERROR(down.forward({&before->first, nullptr, row.timestamp_ms, row.headers, &before->second}));
      }
      return now ? down.forward({&now->first, &now->second, row.timestamp_ms, row.headers}) : Status();
    };
  }
  graph_->require_old_values(node_);
  const internal::NodeId node =
      then(graph_->name_or(options.name, "KTABLE-SELECT-"), internal::stateless_node(std::move(apply)), kNothing);
  return KGroupedTable<Key, typename Out::Value>({.graph = graph_, .node = node, .options = std::move(options)});
}

template <class K, class V>
template <class A>
KTable<K, A> KGroupedTable<K, V>::add_node(std::string_view prefix, internal::Aggregate add,
                                           internal::Aggregate subtract, Materialized<K, A> options) const {
  internal::Graph& graph = *group_.graph;
  if (options.store.empty()) options.store = graph.generate_name("KTABLE-AGGREGATE-STATE-STORE-");
  const auto suffixed = [&](const char* suffix) { return options.name.empty() ? options.name : options.name + suffix; };
  const std::string sink = graph.name_or(suffixed("-sink"), "KSTREAM-SINK-");
  const std::string source = graph.name_or(suffixed("-source"), "KSTREAM-SOURCE-");
  const std::string name = graph.name_or(options.name, prefix);
  std::optional<internal::NodeId>& shared = *group_.repartitioned;
  if (!shared || group_.options.name.empty()) {
    const std::string topic = (group_.options.name.empty() ? options.store : group_.options.name) + "-repartition";
    shared =
        internal::add_change_topic(graph, group_.node, {topic, sink, source},
                                   {internal::choose_serde(graph, group_.options.key, nullptr, topic + " key"),
                                    internal::choose_serde(graph, group_.options.value, nullptr, topic + " value")});
  }
  const internal::TypedPair types{
      internal::choose_serde(graph, options.key, graph.at(*shared).key_serde, options.store + " key"),
      internal::choose_serde(graph, options.value, nullptr, options.store + " value")};
  graph.add_store({.options = store::KeyValueStoreOptions{.name = options.store, .kind = options.kind},
                   .logging = options.logging,
                   .topic_configs = options.topic_configs,
                   .types = types});
  return KTable<K, A>(
      graph,
      graph.add({.name = name,
                 .parents = {*shared},
                 .stores = {options.store},
                 .make = internal::table_aggregate_node({options.store, types, std::move(add), std::move(subtract)}),
                 .key_serde = types.key.serde,
                 .value_serde = types.value.serde,
                 .can_look_up = true}));
}

template <class K, class V>
KTable<K, int64_t> KGroupedTable<K, V>::count(Materialized<K, int64_t> options) const {
  const auto subtract = [](const internal::Row&, bool, void* aggregate) {
    --*static_cast<int64_t*>(aggregate);
    return true;
  };
  return add_node<int64_t>("KTABLE-AGGREGATE-", internal::count_rows(), subtract, std::move(options));
}

template <class K, class V>
template <class Add, class Subtract>
KTable<K, V> KGroupedTable<K, V>::reduce(Add add, Subtract subtract, Materialized<K, V> options) const {
  if (!options.value) options.value = group_.options.value;
  return add_node<V>("KTABLE-REDUCE-", internal::reduce_rows<K, V>(std::move(add)),
                     internal::reduce_rows<K, V>(std::move(subtract)), std::move(options));
}

template <class K, class V>
template <class A, class Add, class Subtract>
KTable<K, A> KGroupedTable<K, V>::aggregate(A initial, Add add, Subtract subtract, Materialized<K, A> options) const {
  return add_node<A>("KTABLE-AGGREGATE-", internal::aggregate_rows<K, V, A>(initial, std::move(add)),
                     internal::aggregate_rows<K, V, A>(initial, std::move(subtract)), std::move(options));
}

}  // namespace muir::streams
