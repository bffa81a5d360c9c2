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

 private:
  template <class F>
  KTable filtered(F f, bool keep_if, const Named& named) const;
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
