// KTable<K, V>: the latest value of each key; GlobalKTable<K, V>: the same, whole on every instance. Part of the DSL;
// see streams/dsl.h. Records without key are dropped and counted; a null value deletes.
#pragma once

#include "streams/kstream.h"

namespace muir::streams {

template <class K, class V>
class KGroupedTable;

namespace internal {
template <class S, class K, class V, class KO>
concept ForeignKeyFunction = RowFunction<S, K, V> && requires(CallResult<S, K, V> key, std::optional<KO> to) {
  to = key;
};
}  // namespace internal

template <class K, class V>
class KTable : public internal::Handle {
 public:
  using internal::Handle::Handle;
  // The store of a join with this table, whose rows are of the type that the function yields; none unless it is named.
  template <class F, class Left, class Right>
  using MaterializedJoin = Materialized<K, typename internal::JoinResult<F, K, V, Left, Right>::Type>;

  // Filters and mapped values have a store of their own if it is named. Rows that f(value) or f(key, value) refuses
  // become deletions.
  template <class F>
  KTable filter(F keep, Materialized<K, V> options = {}) const {
    return filtered(std::move(keep), true, options);
  }
  template <class F>
  KTable filter_not(F drop, Materialized<K, V> options = {}) const {
    return filtered(std::move(drop), false, options);
  }
  // f -> the new value. Deletions pass without a call.
  template <class F>
  auto map_values(F f, Materialized<K, typename internal::MappedValue<F, K, V>::Type> options = {}) const;
  // Holds updates back, as `how` says: in stream time, so that without records nothing is told.
  KTable suppress(Suppressed how) const;
  // f(value) or f(key, value) -> std::pair of the new key and value: the rows anew, to be aggregated.
  template <class F>
  auto group_by(F f, Grouped<typename internal::RowPairOf<F, K, V>::Key, typename internal::RowPairOf<F, K, V>::Value>
                         options = {}) const;
  // The table's updates, deletions included.
  KStream<K, V> to_stream(Named named = {}) const;

  // f(value, other value) or f(key, value, other value) -> the new value, for the keys that both tables have. Both are
  // partitioned alike. A change on either side is joined with what the other one has then, and has the later timestamp.
  template <class V2, class F>
  auto join(const KTable<K, V2>& other, F f, MaterializedJoin<F, const V&, const V2&> options = {}) const {
    return joined<const V&, const V2&>(other, logical::JoinKind::inner, std::move(f), options);
  }
  // The same for the keys that this table has; f takes a pointer to the other value, null when there is none.
  template <class V2, class F>
  auto left_join(const KTable<K, V2>& other, F f, MaterializedJoin<F, const V&, const V2*> options = {}) const {
    return joined<const V&, const V2*>(other, logical::JoinKind::left, std::move(f), options);
  }
  // The same for the keys that any of both has; f takes pointers, of which one may be null.
  template <class V2, class F>
  auto outer_join(const KTable<K, V2>& other, F f, MaterializedJoin<F, const V*, const V2*> options = {}) const {
    return joined<const V*, const V2*>(other, logical::JoinKind::outer, std::move(f), options);
  }
  // f(value, other value) or f(key, value, other value) -> the new value, for every row of this table that names a row
  // of the other one: foreign_key(value) or foreign_key(key, value) -> its key, or an std::optional of it. The tables
  // need not be partitioned alike.
  template <class KO, class VO, class S, class F>
  requires internal::ForeignKeyFunction<S, K, V, KO>
  auto join(const KTable<KO, VO>& other, S foreign_key, F f,
            MaterializedJoin<F, const V&, const VO&> options = {}) const {
    return joined_by<const VO&>(other, std::move(foreign_key), std::move(f), options);
  }
  // The same for all rows of this table; f takes a pointer to the other value, null when there is none.
  template <class KO, class VO, class S, class F>
  requires internal::ForeignKeyFunction<S, K, V, KO>
  auto left_join(const KTable<KO, VO>& other, S foreign_key, F f,
                 MaterializedJoin<F, const V&, const VO*> options = {}) const {
    return joined_by<const VO*>(other, std::move(foreign_key), std::move(f), options);
  }
  MUIR_NO_JOIN(join)
  MUIR_NO_JOIN(left_join)
  MUIR_NO_JOIN(outer_join)

 private:
  template <class F>
  KTable filtered(F f, bool keep_if, const Materialized<K, V>& options) const;
  template <class Right, class KO, class VO, class S, class F>
  auto joined_by(const KTable<KO, VO>& other, S foreign_key, F f,
                 const MaterializedJoin<F, const V&, Right>& options) const;
  template <class Left, class Right, class V2, class F>
  auto joined(const KTable<K, V2>& other, logical::JoinKind kind, F f,
              const MaterializedJoin<F, Left, Right>& options) const;
};

// To be joined with; it forwards nothing.
template <class K, class V>
class GlobalKTable : public internal::Handle {
 public:
  using internal::Handle::Handle;
  // For queries.
  [[nodiscard]] const std::string& store() const { return builder_->store_name(id_); }
};

}  // namespace muir::streams

#include "streams/dsl/ktable_inl.h"
