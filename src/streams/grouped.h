// Aggregations of a stream by key, and by key and window. Part of the DSL; see streams/dsl.h.
//
// Aggregators take (value, aggregate) or (key, value, aggregate) and return the new aggregate; those that take the
// aggregate as A& and return nothing change it in place.
#pragma once

#include "streams/dsl/aggregate_functions.h"
#include "streams/ktable.h"

namespace muir::streams {

namespace internal {
// What is written in place of windows by mistake: numbers without a unit, or a bare length of time.
struct BareNumbers {
  int64_t size = 0;
  int64_t advance = 0;
  int64_t gap = 0;
  int64_t difference = 0;
  int64_t grace = 0;
};
template <class T>
constexpr bool kIsDuration = false;
template <class Rep, class Period>
constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = true;
template <class T>
concept NoWindows = std::is_same_v<T, BareNumbers> || std::is_arithmetic_v<T> || kIsDuration<T>;

// Says what is wrong where an aggregate would be a pointer to a text.
#define MUIR_NO_TEXT_AGGREGATE()                                                                                \
  template <class F, class... More>                                                                             \
  auto aggregate(const char*, const F&, const More&...) const {                                                 \
    static_assert(internal::kNever<F>,                                                                          \
                  "aggregate's initial value is a const char*, which cannot be stored: write std::string() or " \
                  "std::string(\"...\")");                                                                      \
    return count();                                                                                             \
  }

}  // namespace internal

template <class K, class V>
class TimeWindowedKStream;
template <class K, class A>
class CogroupedKStream;
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
  MUIR_NO_TEXT_AGGREGATE()
  // Begins a table of aggregates of several groups: cogroup<A>(f).cogroup(other, g).aggregate(A()). f is an aggregator
  // of this group's values.
  template <class A, class F>
  CogroupedKStream<K, A> cogroup(F f) const;
  TimeWindowedKStream<K, V> windowed_by(const TimeWindows& windows) const { return windowed_by(windows.erased()); }
  TimeWindowedKStream<K, V> windowed_by(const SlidingWindows& windows) const;
  TimeWindowedKStream<K, V> windowed_by(const UnlimitedWindows& windows) const { return windowed_by(windows.erased()); }
  SessionWindowedKStream<K, V> windowed_by(const SessionWindows& sessions) const;
  // By windows of another kind.
  TimeWindowedKStream<K, V> windowed_by(std::shared_ptr<const Windows> windows) const;
  template <internal::NoWindows T = internal::BareNumbers>
  auto windowed_by(T) const {
    static_assert(internal::kNever<T>,
                  "windowed_by needs windows whose lengths have a unit: windowed_by({.size = 5min, .grace = 1min}), or "
                  "{.gap = 30min, .grace = 5min} for sessions");
    return windowed_by(TimeWindows{});
  }

 private:
  template <class A>
  KTable<K, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;
  template <class, class>
  friend class CogroupedKStream;
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
  MUIR_NO_TEXT_AGGREGATE()

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
  TimeWindowedKStream(const KGroupedStream<K, V>& group, const SlidingWindows& windows)
      : Handle(group), sliding_(windows) {}

  KTable<Windowed<K>, int64_t> count() const;
  KTable<Windowed<K>, int64_t> count(Materialized<K, int64_t> options) const;
  template <class F>
  KTable<Windowed<K>, V> reduce(F f, Materialized<K, V> options = {}) const;
  template <class A, class F>
  KTable<Windowed<K>, A> aggregate(A initial, F f, Materialized<K, A> options = {}) const;
  MUIR_NO_TEXT_AGGREGATE()

 private:
  template <class A>
  KTable<Windowed<K>, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;

  std::shared_ptr<const Windows> windows_;  // shared with the plan; null: sliding ones
  std::optional<SlidingWindows> sliding_{};
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
  MUIR_NO_TEXT_AGGREGATE()

 private:
  template <class A>
  KTable<Windowed<K>, A> add(logical::Aggregate aggregate, const Materialized<K, A>& options) const;

  SessionWindows sessions_;
};

}  // namespace muir::streams

#include "streams/dsl/grouped_inl.h"
