// CogroupedKStream<K, A>: several grouped streams that make one table of aggregates, each with an aggregator of its
// own. Part of the DSL; see streams/dsl.h. It begins with KGroupedStream::cogroup().
#pragma once

#include <functional>
#include <vector>

#include "streams/grouped.h"

namespace muir::streams {

template <class K, class A>
class TimeWindowedCogroupedKStream;
template <class K, class A>
class SessionWindowedCogroupedKStream;

template <class K, class A>
class CogroupedKStream : public internal::Handle {
 public:
  // A further group. f is an aggregator of its values, as in KGroupedStream::aggregate.
  template <class V, class F>
  CogroupedKStream cogroup(const KGroupedStream<K, V>& group, F f) const;
  // Starts each key with `initial`.
  KTable<K, A> aggregate(A initial, Materialized<K, A> options = {}) const {
    return KTable<K, A>(*builder_, add(std::move(initial), {}, object_type<K>(), options));
  }
  // Told at every update: there is no emit strategy.
  TimeWindowedCogroupedKStream<K, A> windowed_by(const TimeWindows& windows) const {
    return windowed_by(windows.erased());
  }
  TimeWindowedCogroupedKStream<K, A> windowed_by(std::shared_ptr<const Windows> windows) const {
    return {*this, {.windows = std::move(windows)}};
  }
  TimeWindowedCogroupedKStream<K, A> windowed_by(const SlidingWindows& windows) const {
    return {*this, {.sliding = windows}};
  }
  SessionWindowedCogroupedKStream<K, A> windowed_by(const SessionWindows& sessions) const {
    return {*this, {.sessions = sessions}};
  }

 private:
  template <class, class>
  friend class KGroupedStream;
  template <class, class>
  friend class TimeWindowedCogroupedKStream;
  template <class, class>
  friend class SessionWindowedCogroupedKStream;
  struct Group {
    OperatorId id;
    TypePair takes;
    std::function<AggregateRow(const A& initial)> make;
  };
  template <class V, class F>
  static Group group_of(OperatorId id, F f) {
    return {id, internal::types<K, V>(),
            [f = std::move(f)](const A& initial) { return internal::aggregate_rows<K, V, A>(initial, f); }};
  }
  CogroupedKStream(const Handle& first, Group group) : Handle(first), groups_{std::move(group)} {}
  OperatorId add(A initial, logical::Aggregate as, const ObjectType* key, const Materialized<K, A>& options) const;

  std::vector<Group> groups_;
};

// By key and window.
template <class K, class A>
class TimeWindowedCogroupedKStream {
 public:
  TimeWindowedCogroupedKStream(CogroupedKStream<K, A> groups, logical::Aggregate as)
      : groups_(std::move(groups)), as_(std::move(as)) {}
  KTable<Windowed<K>, A> aggregate(A initial, Materialized<K, A> options = {}) const {
    return KTable<Windowed<K>, A>(*groups_.builder_,
                                  groups_.add(std::move(initial), as_, object_type<Windowed<K>>(), options));
  }

 private:
  CogroupedKStream<K, A> groups_;
  logical::Aggregate as_;
};

// By key and session. merge(aggregate, other) or merge(key, aggregate, other) -> the aggregate of both sessions.
template <class K, class A>
class SessionWindowedCogroupedKStream {
 public:
  SessionWindowedCogroupedKStream(CogroupedKStream<K, A> groups, logical::Aggregate as)
      : groups_(std::move(groups)), as_(std::move(as)) {}
  template <class M>
  KTable<Windowed<K>, A> aggregate(A initial, M merge, Materialized<K, A> options = {}) const {
    logical::Aggregate as = as_;
    as.merge = internal::merge_aggregates<K, A>(std::move(merge));
    return KTable<Windowed<K>, A>(*groups_.builder_,
                                  groups_.add(std::move(initial), std::move(as), object_type<Windowed<K>>(), options));
  }

 private:
  CogroupedKStream<K, A> groups_;
  logical::Aggregate as_;
};

template <class K, class V>
template <class A, class F>
CogroupedKStream<K, A> KGroupedStream<K, V>::cogroup(F f) const {
  return CogroupedKStream<K, A>(*this, CogroupedKStream<K, A>::template group_of<V>(id_, std::move(f)));
}

template <class K, class A>
template <class V, class F>
CogroupedKStream<K, A> CogroupedKStream<K, A>::cogroup(const KGroupedStream<K, V>& group, F f) const {
  CogroupedKStream out = *this;
  if (together(group)) out.groups_.push_back(group_of<V>(group.id_, std::move(f)));
  return out;
}

template <class K, class A>
OperatorId CogroupedKStream<K, A>::add(A initial, logical::Aggregate as, const ObjectType* key,
                                       const Materialized<K, A>& options) const {
  logical::Cogroup cogroup{.as = std::move(as)};
  cogroup.as.initial = internal::starts_from(initial);
  cogroup.as.store = internal::store_settings(options);
  if (cogroup.as.by_window()) cogroup.as.windowed = {object_type<Windowed<K>>(), &internal::kWindowedOps<K>};
  std::vector<OperatorId> inputs;
  for (const Group& group : groups_) {
    inputs.push_back(group.id);
    cogroup.takes.push_back(group.takes);
    cogroup.apply.push_back(group.make(initial));
  }
  return internal::add_operator(
      *builder_, std::move(inputs),
      {.name = options.name, .yields = {key, object_type<A>()}, .serdes = internal::serdes(options)},
      std::move(cogroup));
}

}  // namespace muir::streams
