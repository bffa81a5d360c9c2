// The templates of streams/grouped.h.
#pragma once

#include "streams/grouped.h"

namespace muir::streams {
namespace internal {

template <class K, class V>
NodeId Group<K, V>::source(const std::string& store) const {
  const GraphNode& from = graph->at(node);
  if (!from.repartition_required) return node;
  if (!options.name.empty() && *repartitioned) {
    for (int spent = 0; spent < 3; ++spent) graph->generate_name("");
    return **repartitioned;
  }
  const std::string prefix = options.name.empty() ? store : options.name;
  *repartitioned =
      add_repartition(*graph, node,
                      {.prefix = prefix,
                       .types = {choose_serde(*graph, options.key, from.key_serde, prefix + " key"),
                                 choose_serde(*graph, options.value, from.value_serde, prefix + " value")}});
  return **repartitioned;
}

// What aggregates start from.
template <class A>
std::function<void(void*)> starts_from(A initial) {
  return [initial = std::move(initial)](void* aggregate) { *static_cast<A*>(aggregate) = initial; };
}

// The closures that the aggregations differ by.
inline Aggregate count_rows() {
  return [](const Row&, bool present, void* aggregate) {
    auto& count = *static_cast<int64_t*>(aggregate);
    count = present ? count + 1 : 1;
    return true;
  };
}

template <class V, class F>
constexpr bool kReducesNull = !std::is_invocable_v<F&, const V&, const V&>;

template <class K, class V, class F>
Aggregate reduce_rows(F f) {
  constexpr bool kTakesNull = kReducesNull<V, F>;
  static_assert(std::is_invocable_r_v<V, F&, const V&, const V&> || std::is_invocable_r_v<V, F&, const V&, const V*>,
                "reduce needs V(const V& aggregate, const V& value)");
  return [f = std::move(f)](const Row& row, bool present, void* aggregate) mutable {
    auto& out = *static_cast<V*>(aggregate);
    const auto* value = static_cast<const V*>(row.value);
    if (value == nullptr && !(kTakesNull && present)) return false;
    if (!present) {
      out = *value;
    } else if constexpr (kTakesNull) {
      out = f(static_cast<const V&>(out), value);
    } else {
      out = f(static_cast<const V&>(out), *value);
    }
    return true;
  };
}

// Whether every number of the one type is one of the other; what is no number has the compiler's own rules.
template <class From, class To>
concept NoNumber = !std::is_arithmetic_v<From> || !std::is_arithmetic_v<To>;
template <class From, class To>
constexpr bool kFits = std::is_same_v<From, To> || NoNumber<From, To> || requires(From from) {
  To{from};
};

template <class K, class V, class A, class F>
Aggregate aggregate_rows(A initial, F f) {
  constexpr bool kReturns = RowFunction<F, K, V, const A&>;
  static_assert(kReturns || RowFunction<F, K, V, A&>,
                "aggregate needs A(const V&, const A&) or A(const K&, const V&, const A&), or void with A& to change "
                "it in place");
  if constexpr (kReturns) {
    using Result = CallResult<F, K, V, const A&>;
    static_assert(
        kFits<Result, A>,
        "aggregate's function returns another type of number than its initial value, which would cut it: give "
        "both one type, as in aggregate(int64_t{0}, ...) or aggregate(0.0, ...)");
    static_assert(std::is_void_v<Result> || std::is_convertible_v<Result, A>,
                  "aggregate needs a function that returns the initial value's type");
  }
  return [initial = std::move(initial), f = std::move(f)](const Row& row, bool present, void* aggregate) mutable {
    auto& out = *static_cast<A*>(aggregate);
    if constexpr (RowFunction<F, K, V, A>) {
      if (!callable_with<F, K, V, A>(row)) return false;
      if (!present) out = initial;
      using Result = decltype(call<K, V>(f, row, std::move(out)));
      if constexpr (std::is_void_v<Result>) {
        call<K, V>(f, row, out);
      } else {
        out = call<K, V>(f, row, std::move(out));
      }
    } else if constexpr (RowFunction<F, K, V, A&>) {
      if (!callable_with<F, K, V, A&>(row)) return false;
      if (!present) out = initial;
      call<K, V>(f, row, out);
    }
    return true;
  };
}

}  // namespace internal

namespace internal {

inline AggregateSpec counting() { return {.apply = count_rows(), .initial = starts_from(int64_t{0})}; }

template <class K, class V, class A>
KTable<K, A> add_aggregate(const Group<K, V>& group, std::string_view prefix, AggregateSpec aggregate,
                           Materialized<K, A> options) {
  Graph& graph = *group.graph;
  if (options.store.empty()) options.store = graph.generate_name(std::string(prefix) + "STATE-STORE-");
  const std::string name = graph.name_or(options.name, prefix);
  const NodeId from = group.source(options.store);
  const TypedPair types{choose_serde(graph, options.key ? options.key : group.options.key, graph.at(from).key_serde,
                                     options.store + " key"),
                        choose_serde(graph, options.value, nullptr, options.store + " value")};
  graph.add_store({.options = store::KeyValueStoreOptions{.name = options.store, .kind = options.kind},
                   .logging = options.logging,
                   .topic_configs = options.topic_configs,
                   .types = types});
  aggregate.store = options.store;
  aggregate.types = types;
  return KTable<K, A>(graph, graph.add({.name = name,
                                        .parents = {from},
                                        .stores = {options.store},
                                        .make = aggregate_node(std::move(aggregate)),
                                        .key_serde = types.key.serde,
                                        .value_serde = types.value.serde,
                                        .can_look_up = true}));
}

}  // namespace internal

template <class K, class V>
KTable<K, int64_t> KGroupedStream<K, V>::count() const {
  return internal::add_aggregate<K, V, int64_t>(group_, "KSTREAM-AGGREGATE-", internal::counting(), {});
}

template <class K, class V>
KTable<K, int64_t> KGroupedStream<K, V>::count(Materialized<K, int64_t> options) const {
  // Kafka spends an index here before it makes a store's name.
  if (options.store.empty()) group_.graph->generate_name("");
  return internal::add_aggregate<K, V, int64_t>(group_, "KSTREAM-AGGREGATE-", internal::counting(), std::move(options));
}

template <class K, class V>
template <class F>
KTable<K, V> KGroupedStream<K, V>::reduce(F f, Materialized<K, V> options) const {
  if (!options.value) options.value = group_.options.value;
  if (!options.value) options.value = SerdeRef<V>(group_.graph->at(group_.node).value_serde);
  return internal::add_aggregate<K, V, V>(group_, "KSTREAM-REDUCE-",
                                          {.apply = internal::reduce_rows<K, V>(std::move(f))}, std::move(options));
}

template <class K, class V>
template <class A, class F>
KTable<K, A> KGroupedStream<K, V>::aggregate(A initial, F f, Materialized<K, A> options) const {
  return internal::add_aggregate<K, V, A>(
      group_, "KSTREAM-AGGREGATE-",
      {.apply = internal::aggregate_rows<K, V, A>(initial, std::move(f)), .initial = internal::starts_from(initial)},
      std::move(options));
}

template <class K, class V>
TimeWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(TimeWindows windows) const {
  if (auto status = windows.validate(); !status.ok()) group_.graph->mistake(std::move(status));
  return TimeWindowedKStream<K, V>(group_, windows);
}

template <class K, class V>
template <class A>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V>::add(std::string_view prefix, internal::AggregateSpec aggregate,
                                                      Materialized<K, A> options) const {
  internal::Graph& graph = *group_.graph;
  if (options.store.empty()) options.store = graph.generate_name(std::string(prefix) + "STATE-STORE-");
  const std::string name = graph.name_or(options.name, prefix);
  const internal::NodeId from = group_.source(options.store);
  const internal::TypedPair types{internal::choose_serde(graph, options.key ? options.key : group_.options.key,
                                                         graph.at(from).key_serde, options.store + " key"),
                                  internal::choose_serde(graph, options.value, nullptr, options.store + " value")};
  const int64_t keep_ms = (windows_.size + windows_.grace).count();
  const int64_t retention_ms = options.retention ? options.retention->count() : keep_ms;
  if (retention_ms < keep_ms) {
    graph.mistake(error(Code::invalid_argument,
                        "topology: store {}: retention {} ms below window size and grace, {} ms", options.store,
                        retention_ms, keep_ms));
  } else {
    graph.add_store({.options = store::WindowStoreOptions{.name = options.store,
                                                          .kind = options.kind,
                                                          .window_size_ms = windows_.size.count(),
                                                          .retention_ms = retention_ms},
                     .logging = options.logging,
                     .topic_configs = options.topic_configs,
                     .types = types});
  }
  aggregate.store = options.store;
  aggregate.types = types;
  internal::WindowAggregateSpec spec{.aggregate = std::move(aggregate),
                                     .windows = windows_,
                                     .windowed_key = internal::type_ops<Windowed<K>>(),
                                     .windowed_ops = &internal::kWindowedOps<K>};
  internal::SharedSerde key_serde;
  if (types.key.serde) key_serde = windowed_serde<K>(windows_.size, SerdeRef<K>(types.key.serde)).erased();
  return KTable<Windowed<K>, A>(graph, graph.add({.name = name,
                                                  .parents = {from},
                                                  .stores = {options.store},
                                                  .make = internal::window_aggregate_node(std::move(spec)),
                                                  .key_serde = std::move(key_serde),
                                                  .value_serde = types.value.serde}));
}

template <class K, class V>
KTable<Windowed<K>, int64_t> TimeWindowedKStream<K, V>::count() const {
  return add<int64_t>("KSTREAM-AGGREGATE-", internal::counting(), {});
}

template <class K, class V>
KTable<Windowed<K>, int64_t> TimeWindowedKStream<K, V>::count(Materialized<K, int64_t> options) const {
  if (options.store.empty()) group_.graph->generate_name("");
  return add<int64_t>("KSTREAM-AGGREGATE-", internal::counting(), std::move(options));
}

template <class K, class V>
template <class F>
KTable<Windowed<K>, V> TimeWindowedKStream<K, V>::reduce(F f, Materialized<K, V> options) const {
  if (!options.value) options.value = group_.options.value;
  if (!options.value) options.value = SerdeRef<V>(group_.graph->at(group_.node).value_serde);
  constexpr bool kNull = internal::kReducesNull<V, F>;
  return add<V>("KSTREAM-REDUCE-", {.apply = internal::reduce_rows<K, V>(std::move(f)), .keeps_null = kNull},
                std::move(options));
}

template <class K, class V>
template <class A, class F>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V>::aggregate(A initial, F f, Materialized<K, A> options) const {
  return add<A>(
      "KSTREAM-AGGREGATE-",
      {.apply = internal::aggregate_rows<K, V, A>(initial, std::move(f)), .initial = internal::starts_from(initial)},
      std::move(options));
}

}  // namespace muir::streams
