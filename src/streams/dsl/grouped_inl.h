// The templates of streams/grouped.h.
#pragma once

#include "streams/grouped.h"

namespace muir::streams {

// ---- by key
template <class K, class V>
template <class A>
KTable<K, A> KGroupedStream<K, V>::add(logical::Aggregate aggregate, const Materialized<K, A>& options) const {
  return KTable<K, A>(*builder_,
                      aggregated(internal::types<K, V>(), internal::types<K, A>(), std::move(aggregate), options));
}

template <class K, class V>
KTable<K, int64_t> KGroupedStream<K, V>::count() const {
  return add<int64_t>(logical::count(), {});
}
template <class K, class V>
KTable<K, int64_t> KGroupedStream<K, V>::count(Materialized<K, int64_t> options) const {
  logical::Aggregate aggregate = logical::count();
  aggregate.spends_index = true;
  return add<int64_t>(std::move(aggregate), options);
}
template <class K, class V>
template <class F>
KTable<K, V> KGroupedStream<K, V>::reduce(F f, Materialized<K, V> options) const {
  return add<V>(internal::reducing<K, V>(std::move(f)), options);
}
template <class K, class V>
template <class A, class F>
KTable<K, A> KGroupedStream<K, V>::aggregate(A initial, F f, Materialized<K, A> options) const {
  return add<A>(internal::aggregating<K, V, A>(std::move(initial), std::move(f)), options);
}
template <class K, class V>
TimeWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(std::shared_ptr<const Windows> windows) const {
  return TimeWindowedKStream<K, V>(*this, std::move(windows));
}

template <class K, class V>
TimeWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(const SlidingWindows& windows) const {
  return TimeWindowedKStream<K, V>(*this, windows);
}

// ---- by key and window
template <class K, class V>
template <class A>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V>::add(logical::Aggregate aggregate,
                                                      const Materialized<K, A>& options) const {
  aggregate.windows = windows_;
  aggregate.sliding = sliding_;
  aggregate.windowed = {object_type<Windowed<K>>(), &internal::kWindowedOps<K>};
  return KTable<Windowed<K>, A>(
      *builder_, aggregated(internal::types<K, V>(), internal::types<Windowed<K>, A>(), std::move(aggregate), options));
}

template <class K, class V>
KTable<Windowed<K>, int64_t> TimeWindowedKStream<K, V>::count() const {
  return add<int64_t>(logical::count(), {});
}
template <class K, class V>
KTable<Windowed<K>, int64_t> TimeWindowedKStream<K, V>::count(Materialized<K, int64_t> options) const {
  logical::Aggregate aggregate = logical::count();
  aggregate.spends_index = true;
  return add<int64_t>(std::move(aggregate), options);
}
template <class K, class V>
template <class F>
KTable<Windowed<K>, V> TimeWindowedKStream<K, V>::reduce(F f, Materialized<K, V> options) const {
  return add<V>(internal::reducing<K, V>(std::move(f)), options);
}
template <class K, class V>
template <class A, class F>
KTable<Windowed<K>, A> TimeWindowedKStream<K, V>::aggregate(A initial, F f, Materialized<K, A> options) const {
  return add<A>(internal::aggregating<K, V, A>(std::move(initial), std::move(f)), options);
}

// ---- of tables
template <class K, class V>
template <class A>
KTable<K, A> KGroupedTable<K, V>::add(logical::TableAggregate aggregate, const Materialized<K, A>& options) const {
  return KTable<K, A>(*builder_,
                      aggregated(internal::types<K, V>(), internal::types<K, A>(), std::move(aggregate), options));
}

template <class K, class V>
KTable<K, int64_t> KGroupedTable<K, V>::count(Materialized<K, int64_t> options) const {
  return add<int64_t>(logical::table_count(), options);
}
template <class K, class V>
template <class Add, class Subtract>
KTable<K, V> KGroupedTable<K, V>::reduce(Add add_row, Subtract subtract, Materialized<K, V> options) const {
  return add<V>({.kind = logical::AggregateKind::reduce,
                 .add = internal::reduce_rows<K, V>(std::move(add_row)),
                 .subtract = internal::reduce_rows<K, V>(std::move(subtract))},
                options);
}
template <class K, class V>
template <class A, class Add, class Subtract>
KTable<K, A> KGroupedTable<K, V>::aggregate(A initial, Add add_row, Subtract subtract,
                                            Materialized<K, A> options) const {
  return add<A>({.add = internal::aggregate_rows<K, V, A>(initial, std::move(add_row)),
                 .subtract = internal::aggregate_rows<K, V, A>(initial, std::move(subtract))},
                options);
}

// ---- by key and session
template <class K, class V>
SessionWindowedKStream<K, V> KGroupedStream<K, V>::windowed_by(const SessionWindows& sessions) const {
  return SessionWindowedKStream<K, V>(*this, sessions);
}

template <class K, class V>
template <class A>
KTable<Windowed<K>, A> SessionWindowedKStream<K, V>::add(logical::Aggregate aggregate,
                                                         const Materialized<K, A>& options) const {
  aggregate.store = internal::store_settings(options);
  aggregate.sessions = sessions_;
  aggregate.windowed = {object_type<Windowed<K>>(), &internal::kWindowedOps<K>};
  return KTable<Windowed<K>, A>(*builder_, then({.name = options.name,
                                                 .takes = internal::types<K, V>(),
                                                 .yields = internal::types<Windowed<K>, A>(),
                                                 .serdes = internal::serdes(options)},
                                                std::move(aggregate)));
}

template <class K, class V>
KTable<Windowed<K>, int64_t> SessionWindowedKStream<K, V>::count() const {
  logical::Aggregate aggregate = logical::count();
  aggregate.merge = internal::merge_aggregates<K, int64_t>(std::plus<int64_t>());
  return add<int64_t>(std::move(aggregate), {});
}
template <class K, class V>
KTable<Windowed<K>, int64_t> SessionWindowedKStream<K, V>::count(Materialized<K, int64_t> options) const {
  logical::Aggregate aggregate = logical::count();
  aggregate.merge = internal::merge_aggregates<K, int64_t>(std::plus<int64_t>());
  aggregate.spends_index = true;
  return add<int64_t>(std::move(aggregate), options);
}
template <class K, class V>
template <class F>
KTable<Windowed<K>, V> SessionWindowedKStream<K, V>::reduce(F f, Materialized<K, V> options) const {
  logical::Aggregate aggregate = internal::reducing<K, V>(f);
  aggregate.merge = internal::merge_reduced<V>(std::move(f));
  return add<V>(std::move(aggregate), options);
}
template <class K, class V>
template <class A, class F, class M>
KTable<Windowed<K>, A> SessionWindowedKStream<K, V>::aggregate(A initial, F f, M merge,
                                                               Materialized<K, A> options) const {
  logical::Aggregate aggregate = internal::aggregating<K, V, A>(std::move(initial), std::move(f));
  aggregate.merge = internal::merge_aggregates<K, A>(std::move(merge));
  return add<A>(std::move(aggregate), options);
}

}  // namespace muir::streams
