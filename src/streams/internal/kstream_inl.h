// The templates of streams/kstream.h. Each wraps the user's function in a closure over erased rows.
#pragma once

#include "streams/kstream.h"

namespace muir::streams {

#define MUIR_NEEDS_ROW_FUNCTION(operator_name, result)                                                 \
  static_assert(internal::RowFunction<F, K, V>, operator_name " needs " result "(const V&) or " result \
                                                              "(const K&, const V&), or the same with pointers")

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::filtered(F f, bool keep_if, const Named& named) const {
  MUIR_NEEDS_ROW_FUNCTION("filter", "bool");
  if constexpr (kTakesRow<F>) {
    internal::Apply apply = [f = std::move(f), keep_if](const internal::Row& row, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V>(row)) {
        down.drop();
        return Status();
      }
      return static_cast<bool>(internal::call<K, V>(f, row)) == keep_if ? down.forward(row) : Status();
    };
    return KStream(*graph_, then(graph_->name_or(named.name, "KSTREAM-FILTER-"),
                                 internal::stateless_node(std::move(apply)), kBoth));
  } else {
    return *this;
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::map(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("map", "std::pair<K2, V2>");
  if constexpr (kTakesRow<F>) {
    using Out = internal::PairOf<internal::CallResult<F, K, V>>;
    static_assert(Out::kIsPair, "map needs a function that returns std::pair of the new key and the new value");
    if constexpr (Out::kIsPair) {
      internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
        if (!internal::callable_with<F, K, V>(row)) {
          down.drop();
          return Status();
        }
        const auto out = internal::call<K, V>(f, row);
        return down.forward(row.with_key(&out.first).with_value(&out.second));
      };
      return KStream<typename Out::Key, typename Out::Value>(
          *graph_,
          then(graph_->name_or(named.name, "KSTREAM-MAP-"), internal::stateless_node(std::move(apply)), kNothing));
    }
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::map_values(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("map_values", "V2");
  if constexpr (kTakesRow<F>) {
    using Out = internal::CallResult<F, K, V>;
    static_assert(!std::is_void_v<Out>, "map_values needs a function that returns the new value");
    internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V>(row)) {
        if (row.value == nullptr) return down.forward(row);
        down.drop();
        return Status();
      }
      const Out out = internal::call<K, V>(f, row);
      return down.forward(row.with_value(&out));
    };
    return KStream<K, Out>(*graph_, then(graph_->name_or(named.name, "KSTREAM-MAPVALUES-"),
                                         internal::stateless_node(std::move(apply)), kKey));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("flat_map", "range of std::pair<K2, V2>");
  if constexpr (kTakesRow<F>) {
    using Out = internal::PairOf<internal::ElementOf<internal::CallResult<F, K, V>>>;
    static_assert(Out::kIsPair, "flat_map needs a function that returns a range of std::pair<K2, V2>");
    internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V>(row)) {
        down.drop();
        return Status();
      }
      const auto all = internal::call<K, V>(f, row);
      for (const auto& out : all) MUIR_RETURN_IF_ERROR(down.forward(row.with_key(&out.first).with_value(&out.second)));
      return Status();
    };
    return KStream<typename Out::Key, typename Out::Value>(
        *graph_,
        then(graph_->name_or(named.name, "KSTREAM-FLATMAP-"), internal::stateless_node(std::move(apply)), kNothing));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map_values(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("flat_map_values", "range of V2");
  if constexpr (kTakesRow<F>) {
    using Out = internal::ElementOf<internal::CallResult<F, K, V>>;
    internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V>(row)) {
        down.drop();
        return Status();
      }
      const auto all = internal::call<K, V>(f, row);
      for (const auto& out : all) MUIR_RETURN_IF_ERROR(down.forward(row.with_value(&out)));
      return Status();
    };
    return KStream<K, Out>(*graph_, then(graph_->name_or(named.name, "KSTREAM-FLATMAPVALUES-"),
                                         internal::stateless_node(std::move(apply)), kKey));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::keyed(std::string_view prefix, F f, const std::string& name) const {
  MUIR_NEEDS_ROW_FUNCTION("select_key", "K2");
  if constexpr (kTakesRow<F>) {
    using Out = internal::CallResult<F, K, V>;
    internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V>(row)) {
        down.drop();
        return Status();
      }
      const Out out = internal::call<K, V>(f, row);
      return down.forward(row.with_key(&out));
    };
    return KStream<Out, V>(*graph_,
                           then(graph_->name_or(name, prefix), internal::stateless_node(std::move(apply)), kValue));
  }
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::peek(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("peek", "void");
  internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream& down) mutable {
    if (internal::callable_with<F, K, V>(row)) internal::call<K, V>(f, row);
    return down.forward(row);
  };
  return KStream(*graph_,
                 then(graph_->name_or(named.name, "KSTREAM-PEEK-"), internal::stateless_node(std::move(apply)), kBoth));
}

template <class K, class V>
template <class F>
void KStream<K, V>::for_each(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("for_each", "void");
  internal::Apply apply = [f = std::move(f)](const internal::Row& row, internal::Downstream&) mutable {
    if (internal::callable_with<F, K, V>(row)) internal::call<K, V>(f, row);
    return Status();
  };
  then(graph_->name_or(named.name, "KSTREAM-FOREACH-"), internal::stateless_node(std::move(apply)), kBoth);
}

template <class K, class V>
KStream<K, V> KStream<K, V>::merge(const KStream& other, Named named) const {
  const internal::NodeId right = internal::HandleAccess::node(other);
  const internal::NodeId merged =
      then(graph_->name_or(named.name, "KSTREAM-MERGE-"), internal::pass_through_node(), kBoth);
  graph_->at(merged).parents.push_back(right);
  graph_->at(right).children.push_back(merged);
  if (graph_->at(right).repartition_required) graph_->at(merged).repartition_required = true;
  return KStream(*graph_, merged);
}

template <class K, class V>
KStream<K, V> KStream<K, V>::repartition(Repartitioned<K, V> options) const {
  const std::string prefix = options.name.empty() ? graph_->generate_name("KSTREAM-REPARTITION-") : options.name;
  return KStream(*graph_,
                 internal::add_repartition(
                     *graph_, node_,
                     {.prefix = prefix,
                      .types = {internal::choose_serde(*graph_, options.key, at().key_serde, prefix + " key"),
                                internal::choose_serde(*graph_, options.value, at().value_serde, prefix + " value")},
                      .partitions = options.partitions}));
}

template <class K, class V>
template <class F>
requires internal::RowFunction<F, K, V>
void KStream<K, V>::to(F f, Produced<K, V> options) const {
  sink({.extract_topic = [f = std::move(f)](const internal::Row& row) mutable -> std::string {
         return internal::callable_with<F, K, V>(row) ? std::string(internal::call<K, V>(f, row)) : std::string();
       }},
       options);
}

template <class K, class V>
void KStream<K, V>::sink(internal::SinkSpec spec, const Produced<K, V>& options) const {
  const std::string name = graph_->name_or(options.name, "KSTREAM-SINK-");
  spec.key = internal::choose_serde(*graph_, options.key, at().key_serde, name + " key").serde;
  spec.value = internal::choose_serde(*graph_, options.value, at().value_serde, name + " value").serde;
  graph_->add({.name = name, .parents = {node_}, .make = internal::sink_node(), .sink = std::move(spec)});
}

template <class K, class V>
internal::NodeId KStream<K, V>::partitioned_for(const std::string& prefix, const Joined<K, V>& options,
                                                bool null_keys) const {
  if (!at().repartition_required) return node_;
  return internal::add_repartition(
      *graph_, node_,
      {.prefix = prefix,
       .types = {internal::choose_serde(*graph_, options.key, at().key_serde, prefix + " key"),
                 internal::choose_serde(*graph_, options.value, at().value_serde, prefix + " value")},
       .null_keys = null_keys});
}

template <class K, class V>
KTable<K, V> KStream<K, V>::to_table(Materialized<K, V> options) const {
  const bool asked = !options.store.empty();
  const std::string name = graph_->name_or(options.name, "KSTREAM-TOTABLE-");
  if (options.store.empty()) options.store = graph_->generate_name("KSTREAM-TOTABLE-STATE-STORE-");
  const internal::NodeId from =
      partitioned_for(name, {.name = name, .key = options.key, .value = options.value}, false);
  const internal::TypedPair types{internal::choose_serde(*graph_, options.key, at().key_serde, name + " key"),
                                  internal::choose_serde(*graph_, options.value, at().value_serde, name + " value")};
  // As for StreamsBuilder::table(): without a name, and with nobody to look it up, there is no store.
  internal::StoreSpec store{.options = store::KeyValueStoreOptions{.name = options.store, .kind = options.kind},
                            .logging = options.logging,
                            .topic_configs = options.topic_configs,
                            .types = types};
  const internal::NodeId table = graph_->add({.name = name,
                                              .parents = {from},
                                              .make = internal::table_node(types),
                                              .key_serde = types.key.serde,
                                              .value_serde = types.value.serde,
                                              .lazy_store = std::move(store),
                                              .can_look_up = true});
  if (asked) graph_->require_look_up(table);
  return KTable<K, V>(*graph_, table);
}

template <class K, class V>
KGroupedStream<K, V> KStream<K, V>::group_by_key(Grouped<K, V> options) const {
  return KGroupedStream<K, V>({.graph = graph_, .node = node_, .options = std::move(options)});
}

template <class K, class V>
template <class F>
auto KStream<K, V>::group_by(F f, Grouped<typename internal::KeyOf<F, K, V>::Type, V> options) const {
  MUIR_NEEDS_ROW_FUNCTION("group_by", "K2");
  if constexpr (kTakesRow<F>) {
    // Kafka's selector takes the group's name.
    const std::string name = options.name;
    return keyed("KSTREAM-KEY-SELECT-", std::move(f), name).group_by_key(std::move(options));
  }
}

template <class K, class V>
template <class VT, class F, class Left>
auto KStream<K, V>::joined(const KTable<K, VT>& table, F f, const Joined<K, V>& options, Left) const {
  constexpr bool kLeft = Left::value;
  using Other = std::conditional_t<kLeft, const VT*, const VT&>;
  static_assert(internal::RowFunction<F, K, V, Other>,
                "join needs V2(const V&, const VT&) or V2(const K&, const V&, const VT&); left_join takes const VT*");
  if constexpr (internal::RowFunction<F, K, V, Other>) {
    using Out = internal::CallResult<F, K, V, Other>;
    const std::string prefix = options.name.empty() ? this->name() : options.name;
    const internal::NodeId from = partitioned_for(prefix, options, kLeft);
    const internal::NodeId other = internal::HandleAccess::node(table);
    const std::string name = graph_->name_or(options.name, kLeft ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    internal::JoinApply apply = [f = std::move(f)](const internal::Row& row, const void* found,
                                                   internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V, Other>(row)) {
        down.drop();
        return Status();
      }
      const auto* table_value = static_cast<const VT*>(found);
      if constexpr (kLeft) {
        const Out out = internal::call<K, V>(f, row, table_value);
        return down.forward(row.with_value(&out));
      } else {
        const Out out = internal::call<K, V>(f, row, *table_value);
        return down.forward(row.with_value(&out));
      }
    };
    graph_->copartition(from, other);
    return KStream<K, Out>(*graph_, graph_->add({.name = name,
                                                 .parents = {from},
                                                 .stores = graph_->require_look_up(other),
                                                 .make = internal::table_join_node(other, kLeft, std::move(apply)),
                                                 .key_serde = graph_->at(from).key_serde}));
  }
}

template <class K, class V>
template <class GK, class VT, class S, class F, class Left>
auto KStream<K, V>::joined_global(const GlobalKTable<GK, VT>& table, S select, F f, const Named& named, Left) const {
  constexpr bool kLeft = Left::value;
  using Other = std::conditional_t<kLeft, const VT*, const VT&>;
  static_assert(internal::RowFunction<S, K, V>, "join with a global table needs a selector GK(const K&, const V&)");
  static_assert(internal::RowFunction<F, K, V, Other>,
                "join needs V2(const V&, const VT&) or V2(const K&, const V&, const VT&); left_join takes const VT*");
  if constexpr (internal::RowFunction<S, K, V> && internal::RowFunction<F, K, V, Other>) {
    using Out = internal::CallResult<F, K, V, Other>;
    internal::GlobalJoinSpec spec{.store = table.store(), .left = kLeft, .types = table.types()};
    spec.select_key = [select = std::move(select), key = GK()](const internal::Row& row) mutable -> const void* {
      if (!internal::callable_with<S, K, V>(row)) return nullptr;
      key = internal::call<K, V>(select, row);
      return &key;
    };
    spec.apply = [f = std::move(f)](const internal::Row& row, const void* found, internal::Downstream& down) mutable {
      if (!internal::callable_with<F, K, V, Other>(row)) {
        down.drop();
        return Status();
      }
      const auto* table_value = static_cast<const VT*>(found);
      if constexpr (kLeft) {
        const Out out = internal::call<K, V>(f, row, table_value);
        return down.forward(row.with_value(&out));
      } else {
        const Out out = internal::call<K, V>(f, row, *table_value);
        return down.forward(row.with_value(&out));
      }
    };
    // Kafka calls the inner join's node LEFTJOIN too.
    return KStream<K, Out>(*graph_, then(graph_->name_or(named.name, "KSTREAM-LEFTJOIN-"),
                                         internal::global_join_node(std::move(spec)), kKey));
  }
}

template <class K, class V>
template <class S, class Fixed>
auto KStream<K, V>::processed(S supplier, ProcessOptions options, Fixed) const {
  using P = typename std::decay_t<decltype(supplier())>::element_type;
  static_assert(std::is_same_v<typename P::KeyIn, K> && std::is_same_v<typename P::ValueIn, V>,
                "process needs a supplier of std::unique_ptr<Processor<K, V, KOut, VOut>> for this stream's K and V");
  constexpr bool kFixed = Fixed::value;
  static_assert(!kFixed || std::is_base_of_v<FixedKeyProcessor<K, V, typename P::ValueOut>, P>,
                "process_values needs a FixedKeyProcessor<K, V, VOut>");
  auto make = [supplier = std::move(supplier)]() -> std::unique_ptr<internal::ErasedProcessor> {
    return std::make_unique<internal::TypedProcessor<P>>(supplier());
  };
  // A name given here spends no index.
  const std::string name = !options.name.empty() ? options.name
                           : kFixed              ? graph_->generate_name("KSTREAM-PROCESSVALUES-")
                                                 : graph_->generate_name("KSTREAM-PROCESSOR-");
  const internal::NodeId node = then(name, internal::process_node(std::move(make)), kFixed ? kKey : kNothing);
  for (const std::string& store : options.stores) graph_->connect_store(node, store);
  return KStream<typename P::KeyOut, typename P::ValueOut>(*graph_, node);
}

}  // namespace muir::streams

#include "streams/internal/branched_inl.h"
