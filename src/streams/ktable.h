// KTable<K, V>: the latest value of each key; GlobalKTable<K, V>: the same, whole on every instance. Part of the DSL;
// see streams/dsl.h. Records without key are dropped and counted; a null value deletes.
#pragma once

#include "streams/kstream.h"

namespace muir::streams {

template <class K, class V>
class KGroupedTable;

template <class K, class V>
class KTable : public internal::Handle {
 public:
  using internal::Handle::Handle;
  // The store of a join with this table, whose rows are of the type that the function yields; none unless it is named.
  template <class F, class Left, class Right>
  using MaterializedJoin = Materialized<K, typename internal::JoinResult<F, K, V, Left, Right>::Type>;

  // Rows that f(value) or f(key, value) refuses become deletions.
  template <class F>
  KTable filter(F keep, Named named = {}) const {
    return filtered(std::move(keep), true, named);
  }
  template <class F>
  KTable filter_not(F drop, Named named = {}) const {
    return filtered(std::move(drop), false, named);
  }
  // f -> the new value. Deletions pass without a call.
  template <class F>
  auto map_values(F f, Named named = {}) const;
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

 private:
  template <class F>
  KTable filtered(F f, bool keep_if, const Named& named) const;
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
