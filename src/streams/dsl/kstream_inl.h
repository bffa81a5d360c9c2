// The templates of streams/kstream.h: each checks the program's function and adds the operator.
#pragma once

#include "streams/kstream.h"

namespace muir::streams {

#define MUIR_NEEDS_ROW_FUNCTION(operator_name, result)                                                 \
  static_assert(internal::RowFunction<F, K, V>, operator_name " needs " result "(const V&) or " result \
                                                              "(const K&, const V&), or the same with pointers")

// What converts to bool by accident, such as a position or a pointer, is no answer.
#define MUIR_NEEDS_PREDICATE(operator_name)                                     \
  MUIR_NEEDS_ROW_FUNCTION(operator_name, "bool");                               \
  static_assert(!internal::RowFunction<F, K, V> || internal::kAnswers<F, K, V>, \
                operator_name "'s function must return bool")

template <class K, class V>
OperatorId KStream<K, V>::stateless(const std::string& name, logical::Stateless::Kind kind, Apply apply, Keeps keeps,
                                    TypePair yields) const {
  return then({.name = name, .takes = internal::types<K, V>(), .keeps = keeps, .yields = yields},
              logical::Stateless{kind, std::move(apply)});
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::filtered(F f, bool keep_if, const Named& named) const {
  MUIR_NEEDS_PREDICATE("filter");
  if constexpr (kTakesRow<F>) {
    return KStream(*builder_, stateless(named.name, logical::Stateless::filter,
                                        internal::filter_rows<K, V>(std::move(f), keep_if), Keeps::both));
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
      return KStream<typename Out::Key, typename Out::Value>(
          *builder_, stateless(named.name, logical::Stateless::map, internal::map_rows<K, V>(std::move(f)),
                               Keeps::nothing, internal::types<typename Out::Key, typename Out::Value>()));
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
    return KStream<K, Out>(
        *builder_, stateless(named.name, logical::Stateless::map_values, internal::map_row_values<K, V>(std::move(f)),
                             Keeps::key, internal::value_type<Out>()));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("flat_map", "range of std::pair<K2, V2>");
  if constexpr (kTakesRow<F>) {
    using Out = internal::PairOf<internal::ElementOf<internal::CallResult<F, K, V>>>;
    static_assert(Out::kIsPair, "flat_map needs a function that returns a range of std::pair<K2, V2>");
    return KStream<typename Out::Key, typename Out::Value>(
        *builder_, stateless(named.name, logical::Stateless::flat_map, internal::flat_map_rows<K, V>(std::move(f)),
                             Keeps::nothing, internal::types<typename Out::Key, typename Out::Value>()));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::flat_map_values(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("flat_map_values", "range of V2");
  if constexpr (kTakesRow<F>) {
    using Out = internal::ElementOf<internal::CallResult<F, K, V>>;
    return KStream<K, Out>(*builder_, stateless(named.name, logical::Stateless::flat_map_values,
                                                internal::flat_map_row_values<K, V>(std::move(f)), Keeps::key,
                                                internal::value_type<Out>()));
  }
}

template <class K, class V>
template <class F>
auto KStream<K, V>::select_key(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("select_key", "K2");
  if constexpr (kTakesRow<F>) {
    using Out = internal::CallResult<F, K, V>;
    return KStream<Out, V>(
        *builder_, stateless(named.name, logical::Stateless::select_key, internal::select_row_keys<K, V>(std::move(f)),
                             Keeps::value, internal::key_type<Out>()));
  }
}

template <class K, class V>
template <class F>
KStream<K, V> KStream<K, V>::peek(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("peek", "void");
  return KStream(*builder_, stateless(named.name, logical::Stateless::peek,
                                      internal::visit_rows<K, V>(std::move(f), true), Keeps::both));
}

template <class K, class V>
template <class F>
void KStream<K, V>::for_each(F f, Named named) const {
  MUIR_NEEDS_ROW_FUNCTION("for_each", "void");
  stateless(named.name, logical::Stateless::for_each, internal::visit_rows<K, V>(std::move(f), false), Keeps::both);
}

template <class K, class V>
void KStream<K, V>::print(Printed options) const {
  constexpr bool kPrints = fmt::is_formattable<K>::value && fmt::is_formattable<V>::value;
  static_assert(
      kPrints,
      "print needs keys and values that {fmt} can print: give print(f, {.label = ..}) a function that makes a "
      "text of them");
  if constexpr (kPrints) {
    print(
        [](const K* key, const V* value) {
          return fmt::format("{}, {}", key == nullptr ? "null" : fmt::format("{}", *key),
                             value == nullptr ? "null" : fmt::format("{}", *value));
        },
        std::move(options));
  }
}

template <class K, class V>
template <class F>
void KStream<K, V>::print(F f, Printed options) const {
  MUIR_NEEDS_ROW_FUNCTION("print", "std::string");
  internal::PrintText text = [f = std::move(f)](const Row& row) mutable {
    return internal::callable_with<F, K, V>(row) ? std::string(internal::call<K, V>(f, row)) : std::string("null");
  };
  stateless(options.name, logical::Stateless::print, internal::print_rows(*builder_, options, name(), std::move(text)),
            Keeps::both);
}

template <class K, class V>
KStream<K, V> KStream<K, V>::merge(const KStream& other, Named named) const {
  return KStream(*builder_, then(other, {.name = named.name}, logical::Merge{}));
}

template <class K, class V>
KStream<K, V> KStream<K, V>::repartition(Repartitioned<K, V> options) const {
  internal::stored<K, V>();
  return KStream(*builder_,
                 then({.name = options.name, .takes = internal::types<K, V>(), .serdes = internal::serdes(options)},
                      logical::Repartition{options.partitions, internal::choose_partitions(options.partitioner)}));
}

template <class K, class V>
void KStream<K, V>::sink(logical::Sink sink, const Produced<K, V>& options) const {
  sink.partition = internal::choose_partitions(options.partitioner);
  then({.name = options.name, .takes = internal::types<K, V>(), .serdes = internal::serdes(options)}, std::move(sink));
}

template <class K, class V>
KTable<K, V> KStream<K, V>::to_table(Materialized<K, V> options) const {
  return KTable<K, V>(
      *builder_, then({.name = options.name, .takes = internal::types<K, V>(), .serdes = internal::serdes(options)},
                      logical::ToTable{internal::store_settings(options)}));
}

template <class K, class V>
KGroupedStream<K, V> KStream<K, V>::group_by_key(Grouped<K, V> options) const {
  return KGroupedStream<K, V>(
      *builder_, then({.name = options.name, .takes = internal::types<K, V>(), .serdes = internal::serdes(options)},
                      logical::Group{}));
}

template <class K, class V>
template <class F>
auto KStream<K, V>::group_by(F f, Grouped<typename internal::KeyOf<F, K, V>::Type, V> options) const {
  MUIR_NEEDS_ROW_FUNCTION("group_by", "K2");
  if constexpr (kTakesRow<F>) {
    return select_key(std::move(f), {options.name}).group_by_key(options);  // Kafka's selector takes the group's name
  }
}

template <class K, class V>
template <class VT, class F, class Left>
auto KStream<K, V>::joined(const KTable<K, VT>& table, F f, const Joined<K, V>& options, Left) const {
  using Other = internal::Looked<VT, Left::value>;
  static_assert(internal::RowFunction<F, K, V, Other>,
                "join needs V2(const V&, const VT&) or V2(const K&, const V&, const VT&); left_join takes const VT*");
  if constexpr (internal::RowFunction<F, K, V, Other>) {
    using Out = internal::CallResult<F, K, V, Other>;
    logical::TableJoin join{.left = Left::value, .table = internal::types<K, VT>(), .grace = options.grace};
    join.apply = internal::join_rows<K, V, VT, Left::value>(std::move(f));
    return KStream<K, Out>(*builder_, then(table,
                                           {.name = options.name,
                                            .takes = internal::types<K, V>(),
                                            .yields = internal::value_type<Out>(),
                                            .serdes = internal::serdes(options)},
                                           std::move(join)));
  }
}

template <class K, class V>
template <class GK, class VT, class S, class F, class Left>
auto KStream<K, V>::joined_global(const GlobalKTable<GK, VT>& table, S select, F f, const Named& named, Left) const {
  using Other = internal::Looked<VT, Left::value>;
  static_assert(internal::RowFunction<S, K, V>, "join with a global table needs a selector GK(const K&, const V&)");
  static_assert(internal::RowFunction<F, K, V, Other>,
                "join needs V2(const V&, const VT&) or V2(const K&, const V&, const VT&); left_join takes const VT*");
  if constexpr (internal::RowFunction<S, K, V> && internal::RowFunction<F, K, V, Other>) {
    using Out = internal::CallResult<F, K, V, Other>;
    logical::GlobalJoin join{.left = Left::value, .table = internal::types<GK, VT>()};
    join.select_key = internal::select_table_keys<K, V, GK>(std::move(select));
    join.apply = internal::join_rows<K, V, VT, Left::value>(std::move(f));
    return KStream<K, Out>(
        *builder_,
        then(table, {.name = named.name, .takes = internal::types<K, V>(), .yields = internal::value_type<Out>()},
             std::move(join)));
  }
}

template <class K, class V>
template <class Left, class Right, class V2, class F>
auto KStream<K, V>::joined(const KStream<K, V2>& other, logical::JoinKind kind, F f, const JoinWindows& windows,
                           const StreamJoined<K, V, V2>& options) const {
  constexpr bool kRight = internal::JoinFunction<F, K, Left, Right>;
  static_assert(kRight,
                "join of streams needs V3(const V&, const V2&) or V3(const K&, const V&, const V2&); left_join takes "
                "const V2*, outer_join const V* and const V2*");
  using Out = typename internal::JoinResult<F, K, V, Left, Right>::Type;
  internal::stored<K, V, V2>();
  logical::StreamJoin join{.kind = kind,
                           .windows = windows,
                           .right = internal::types<K, V2>(),
                           .right_value = options.other_value.erased(),
                           .store = {.name = options.store,
                                     .kind = options.kind,
                                     .logging = options.logging,
                                     .topic_configs = options.topic_configs}};
  if constexpr (kRight) join.join = internal::join_values<K, Left, Right, Out>(std::move(f));
  return KStream<K, Out>(*builder_, then(other,
                                         {.name = options.name,
                                          .takes = internal::types<K, V>(),
                                          .keeps = Keeps::key,
                                          .yields = internal::value_type<Out>(),
                                          .serdes = internal::serdes(options)},
                                         std::move(join)));
}

template <class K, class V>
template <class S, class Fixed>
auto KStream<K, V>::processed(S supplier, ProcessOptions options, Fixed fixed) const {
  constexpr bool kRight = requires { typename internal::Supplied<S>::Type; };
  static_assert(kRight,
                "process needs a supplier, a function without arguments that returns std::unique_ptr<Processor<K, V, "
                "KOut, VOut>>, such as [] { return std::make_unique<MyProcessor>(); }");
  if constexpr (kRight) {
    return supplied<typename internal::Supplied<S>::Type>(std::move(supplier), std::move(options), fixed);
  } else {
    return *this;
  }
}

template <class K, class V>
template <class P, class S, class Fixed>
auto KStream<K, V>::supplied(S supplier, ProcessOptions options, Fixed) const {
  using Out = KStream<typename P::KeyOut, typename P::ValueOut>;
  static_assert(std::is_same_v<typename P::KeyIn, K> && std::is_same_v<typename P::ValueIn, V>,
                "process needs a supplier of std::unique_ptr<Processor<K, V, KOut, VOut>> for this stream's K and V");
  static_assert(!Fixed::value || std::is_base_of_v<FixedKeyProcessor<K, V, typename P::ValueOut>, P>,
                "process_values needs a FixedKeyProcessor<K, V, VOut>");
  logical::Process process{.stores = std::move(options.stores), .fixed_key = Fixed::value};
  process.make = [supplier = std::move(supplier)]() -> std::unique_ptr<internal::ErasedProcessor> {
    return std::make_unique<internal::TypedProcessor<P>>(supplier());
  };
  return Out(*builder_, then({.name = options.name,
                              .takes = internal::types<K, V>(),
                              .keeps = Fixed::value ? Keeps::key : Keeps::nothing,
                              .yields = internal::types<typename P::KeyOut, typename P::ValueOut>()},
                             std::move(process)));
}

}  // namespace muir::streams

#include "streams/dsl/branched_inl.h"
