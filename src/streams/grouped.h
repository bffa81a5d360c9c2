// Aggregations of a stream by key, and by key and window. Part of the DSL; see streams/dsl.h.
//
// Aggregators take (value, aggregate) or (key, value, aggregate) and return the new aggregate; those that take the
// aggregate as A& and return nothing change it in place.
#pragma once

#include "streams/dsl/aggregate_functions.h"
#include "streams/ktable.h"

namespace muir::streams {

template <class K, class V>
class TimeWindowedKStream;
template <class K, class V>
class SessionWindowedKStream;

template <class K, class V>
class KGroupedStream : public internal::Handle {
 public:
  using internal::Handle::Handle;

  KTable<K, int64_t> count() const;
  KTable<K, int64_t> count(Materialized<K, int64_t> options) const;
  // f(aggregate, value) -> aggregate; the first value of a key is its first aggregate. Records without value are
  // dropped; in windows a function that takes the value as a pointer sees them, as in Kafka Streams, and a window that
  // begins with one is a row without value.
  template <class F>
  KTable<K, V> reduce(F f, Materialized<K, V> options = {}) const;
  // Starts each key with `initial`.
  template <class A, class F>
  KTable<K, A> aggregate(A initial, F f, Materialized<K, A> options = {}) const;
  TimeWindowedKStream<K, V> windowed_by(const TimeWindows& windows) const { return windowed_by(windows.erased()); }
  SessionWindowedKStream<K, V> windowed_by(const SessionWindows& sessions) const;
  // By windows of another kind.
  TimeWindowedKStream<K, V> windowed_by(std::shared_ptr<const Windows> windows) const;

 private:
  template <class A>
  KTable<K, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;
};

// The rows of a table under other keys. When a row changes, what it was is taken out of the aggregate of its old group,
// and what it is put into that of its new one.
template <class K, class V>
class KGroupedTable : public internal::Handle {
 public:
  using internal::Handle::Handle;

  KTable<K, int64_t> count(Materialized<K, int64_t> options = {}) const;
  // add_row(aggregate, value) and subtract(aggregate, value) -> aggregate.
  template <class Add, class Subtract>
  KTable<K, V> reduce(Add add_row, Subtract subtract, Materialized<K, V> options = {}) const;
  template <class A, class Add, class Subtract>
  KTable<K, A> aggregate(A initial, Add add_row, Subtract subtract, Materialized<K, A> options = {}) const;

 private:
  template <class A>
  KTable<K, A> add(logical::TableAggregate aggregate, const Materialized<K, A>& options) const;
};

// Records later than a window's end and grace are dropped and counted, once per window.
template <class K, class V>
class TimeWindowedKStream : public internal::Handle {
 public:
  TimeWindowedKStream(const KGroupedStream<K, V>& group, std::shared_ptr<const Windows> windows)
      : Handle(group), windows_(std::move(windows)) {}

  KTable<Windowed<K>, int64_t> count() const;
  KTable<Windowed<K>, int64_t> count(Materialized<K, int64_t> options) const;
  template <class F>
  KTable<Windowed<K>, V> reduce(F f, Materialized<K, V> options = {}) const;
  template <class A, class F>
  KTable<Windowed<K>, A> aggregate(A initial, F f, Materialized<K, A> options = {}) const;

 private:
  template <class A>
  KTable<Windowed<K>, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;

  std::shared_ptr<const Windows> windows_;  // shared with the plan
};

// By key and session. When a record makes one session of several, or a longer one, those that were are deleted: for
// each a row without value, under its own bounds. Records later than a session's end, gap and grace are dropped and
// counted.
template <class K, class V>
class SessionWindowedKStream : public internal::Handle {
 public:
  SessionWindowedKStream(const KGroupedStream<K, V>& group, const SessionWindows& sessions)
      : Handle(group), sessions_(sessions) {}

  KTable<Windowed<K>, int64_t> count() const;
  KTable<Windowed<K>, int64_t> count(Materialized<K, int64_t> options) const;
  // f also makes one value of those of two sessions.
  template <class F>
  KTable<Windowed<K>, V> reduce(F f, Materialized<K, V> options = {}) const;
  // merge(aggregate, other) or merge(key, aggregate, other) -> the aggregate of both sessions.
  template <class A, class F, class M>
  KTable<Windowed<K>, A> aggregate(A initial, F f, M merge, Materialized<K, A> options = {}) const;

 private:
  template <class A>
  KTable<Windowed<K>, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;

  SessionWindows sessions_;
};

}  // namespace muir::streams

#include "streams/dsl/grouped_inl.h"
