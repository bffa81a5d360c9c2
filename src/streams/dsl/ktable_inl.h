// The templates of streams/ktable.h.
#pragma once

#include "streams/ktable.h"

namespace muir::streams {

template <class K, class V>
template <class F>
KTable<K, V> KTable<K, V>::filtered(F f, bool keep_if, const Materialized<K, V>& options) const {
  MUIR_NEEDS_PREDICATE("filter");
  return KTable(
      *builder_,
      then({.name = options.name, .takes = internal::types<K, V>(), .serdes = internal::serdes(options)},
           logical::TableFilter{internal::predicate<K, V>(std::move(f), keep_if), internal::store_settings(options)}));
}

template <class K, class V>
template <class F>
auto KTable<K, V>::map_values(F f, Materialized<K, typename internal::MappedValue<F, K, V>::Type> options) const {
  MUIR_NEEDS_ROW_FUNCTION("map_values", "V2");
  if constexpr (internal::RowFunction<F, K, V>) {
    using Out = internal::CallResult<F, K, V>;
    internal::stored<Out>();
    return KTable<K, Out>(*builder_, then({.name = options.name,
                                           .takes = internal::types<K, V>(),
                                           .keeps = Keeps::key,
                                           .yields = internal::value_type<Out>(),
                                           .serdes = internal::serdes(options)},
                                          logical::TableMapValues{internal::map_table_values<K, V, Out>(std::move(f)),
                                                                  internal::store_settings(options)}));
  }
}

template <class K, class V>
KTable<K, V> KTable<K, V>::suppress(Suppressed how) const {
  internal::stored<K, V>();
  const WhenFull usual = how.time_limit ? WhenFull::emit_early : WhenFull::shut_down;
  logical::Suppress suppress{
      .time_limit = how.time_limit,
      .records_max = how.buffer.max_records,
      .bytes_max = how.buffer.max_bytes,
      .emits_early = how.buffer.when_full.value_or(usual) == WhenFull::emit_early,
      .store = {.logging = how.buffer.logging, .topic_configs = std::move(how.buffer.topic_configs)}};
  if (!how.time_limit) suppress.windowed = internal::kOpsOfKey<K>;
  return KTable(*builder_, then({.name = std::move(how.name), .takes = internal::types<K, V>()}, std::move(suppress)));
}

template <class K, class V>
KStream<K, V> KTable<K, V>::to_stream(Named named) const {
  return KStream<K, V>(*builder_, then({.name = named.name}, logical::ToStream{}));
}

template <class K, class V>
template <class F>
auto KTable<K, V>::group_by(
    F f,
    Grouped<typename internal::RowPairOf<F, K, V>::Key, typename internal::RowPairOf<F, K, V>::Value> options) const {
  using Out = internal::RowPairOf<F, K, V>;
  constexpr bool kRight = requires { Out::kIsPair; };
  static_assert(kRight,
                "group_by of a table needs std::pair<K2, V2>(const V&) or std::pair<K2, V2>(const K&, const V&)");
  logical::TableGroup group;
  if constexpr (kRight) group.apply = internal::regroup_rows<K, V>(std::move(f));
  return KGroupedTable<typename Out::Key, typename Out::Value>(
      *builder_, then({.name = options.name,
                       .takes = internal::types<K, V>(),
                       .yields = internal::types<typename Out::Key, typename Out::Value>(),
                       .serdes = internal::serdes(options)},
                      std::move(group)));
}

template <class K, class V>
template <class Right, class KO, class VO, class S, class F>
auto KTable<K, V>::joined_by(const KTable<KO, VO>& other, S foreign_key, F f,
                             const MaterializedJoin<F, const V&, Right>& options) const {
  constexpr bool kRight = internal::JoinFunction<F, K, const V&, Right>;
  static_assert(kRight,
                "join by a foreign key needs V3(const V&, const VO&) or V3(const K&, const V&, const VO&); left_join "
                "takes const VO*");
  using Out = typename internal::JoinResult<F, K, V, const V&, Right>::Type;
  logical::ForeignKeyJoin join{.left = std::is_pointer_v<Right>,
                               .foreign_key = internal::select_foreign_keys<K, V, KO>(std::move(foreign_key)),
                               .right = internal::types<KO, VO>(),
                               .store = internal::store_settings(options)};
  if constexpr (kRight) join.join = internal::join_values<K, const V&, Right, Out>(std::move(f));
  return KTable<K, Out>(*builder_, then(other,
                                        {.name = options.name,
                                         .takes = internal::types<K, V>(),
                                         .keeps = Keeps::key,
                                         .yields = internal::value_type<Out>(),
                                         .serdes = internal::serdes(options)},
                                        std::move(join)));
}

template <class K, class V>
template <class Left, class Right, class V2, class F>
auto KTable<K, V>::joined(const KTable<K, V2>& other, logical::JoinKind kind, F f,
                          const MaterializedJoin<F, Left, Right>& options) const {
  constexpr bool kRight = internal::JoinFunction<F, K, Left, Right>;
  static_assert(
      kRight,
      "join of tables needs V3(const V&, const V2&) or V3(const K&, const V&, const V2&); left_join takes const "
      "V2*, outer_join const V* and const V2*");
  using Out = typename internal::JoinResult<F, K, V, Left, Right>::Type;
  logical::TableTableJoin join{
      .kind = kind, .right = internal::types<K, V2>(), .store = internal::store_settings(options)};
  if constexpr (kRight) join.join = internal::join_values<K, Left, Right, Out>(std::move(f));
  return KTable<K, Out>(*builder_, then(other,
                                        {.name = options.name,
                                         .takes = internal::types<K, V>(),
                                         .keeps = Keeps::key,
                                         .yields = internal::value_type<Out>(),
                                         .serdes = internal::serdes(options)},
                                        std::move(join)));
}

}  // namespace muir::streams
