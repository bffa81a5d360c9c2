// Aggregations of a stream by key, and by key and window. Part of the DSL; see streams/dsl.h.
//
// Aggregators take (value, aggregate) or (key, value, aggregate) and return the new aggregate; those that take the
// aggregate as A& and return nothing change it in place.
#pragma once

#include "streams/ktable.h"

namespace muir::streams {

template <class K, class V>
class TimeWindowedKStream;

namespace internal {

// A grouped stream; the repartition topic, once made, serves every aggregation of the same named group.
template <class K, class V>
struct Group {
  Graph* graph;
  NodeId node;
  Grouped<K, V> options;
  std::shared_ptr<std::optional<NodeId>> repartitioned = std::make_shared<std::optional<NodeId>>();

  // The node to aggregate below; `store` names the repartition topic when the group has no name.
  NodeId source(const std::string& store) const;
};

}  // namespace internal

template <class K, class V>
class KGroupedStream {
 public:
  explicit KGroupedStream(internal::Group<K, V> group) : group_(std::move(group)) {}

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
  TimeWindowedKStream<K, V> windowed_by(TimeWindows windows) const;

 private:
  internal::Group<K, V> group_;
};

// The rows of a table under other keys. When a row changes, what it was is taken out of the aggregate of its old group,
// and what it is put into that of its new one.
template <class K, class V>
class KGroupedTable {
 public:
  explicit KGroupedTable(internal::Group<K, V> group) : group_(std::move(group)) {}

  KTable<K, int64_t> count(Materialized<K, int64_t> options = {}) const;
  // add(aggregate, value) and subtract(aggregate, value) -> aggregate.
  template <class Add, class Subtract>
  KTable<K, V> reduce(Add add, Subtract subtract, Materialized<K, V> options = {}) const;
  template <class A, class Add, class Subtract>
  KTable<K, A> aggregate(A initial, Add add, Subtract subtract, Materialized<K, A> options = {}) const;

 private:
  template <class A>
  KTable<K, A> add_node(std::string_view prefix, internal::Aggregate add, internal::Aggregate subtract,
                        Materialized<K, A> options) const;
  internal::Group<K, V> group_;
};

// Records later than a window's end and grace are dropped and counted, once per window.
template <class K, class V>
class TimeWindowedKStream {
 public:
  TimeWindowedKStream(internal::Group<K, V> group, TimeWindows windows) : group_(std::move(group)), windows_(windows) {}

  KTable<Windowed<K>, int64_t> count() const;
  KTable<Windowed<K>, int64_t> count(Materialized<K, int64_t> options) const;
  template <class F>
  KTable<Windowed<K>, V> reduce(F f, Materialized<K, V> options = {}) const;
  template <class A, class F>
  KTable<Windowed<K>, A> aggregate(A initial, F f, Materialized<K, A> options = {}) const;

 private:
  template <class A>
  KTable<Windowed<K>, A> add(std::string_view prefix, internal::AggregateSpec aggregate,
                             Materialized<K, A> options) const;

  internal::Group<K, V> group_;
  TimeWindows windows_;
};

}  // namespace muir::streams

#include "streams/internal/grouped_inl.h"
#include "streams/internal/grouped_table_inl.h"
