// A program's aggregators over typed values, as a plan's functions over erased ones.
#pragma once

#include <type_traits>
#include <utility>

#include "streams/dsl/invoke.h"
#include "streams/logical_plan.h"

namespace muir::streams::internal {

// Whether every number of the one type is one of the other; what is no number has the compiler's own rules.
template <class From, class To>
concept NoNumber = !std::is_arithmetic_v<From> || !std::is_arithmetic_v<To>;
template <class From, class To>
constexpr bool kFits = std::is_same_v<From, To> || NoNumber<From, To> || requires(From from) {
  To{from};
};

// What aggregates start from.
template <class A>
Initialize starts_from(A initial) {
  return [initial = std::move(initial)](void* aggregate) { *static_cast<A*>(aggregate) = initial; };
}

template <class V, class F>
constexpr bool kReducesNull = !std::is_invocable_v<F&, const V&, const V&>;

template <class V, class F>
constexpr bool kReduceFits = true;
template <class V, class F>
requires std::is_invocable_v<F&, const V&, const V&>
constexpr bool kReduceFits<V, F> = kFits<std::decay_t<std::invoke_result_t<F&, const V&, const V&>>, V>;
template <class V, class F>
requires(kReducesNull<V, F>&& std::is_invocable_v<F&, const V&, const V*>) constexpr bool kReduceFits<V, F> =
    kFits<std::decay_t<std::invoke_result_t<F&, const V&, const V*>>, V>;

template <class K, class V, class F>
AggregateRow reduce_rows(F f) {
  constexpr bool kTakesNull = kReducesNull<V, F>;
  static_assert(std::is_invocable_r_v<V, F&, const V&, const V&> || std::is_invocable_r_v<V, F&, const V&, const V*>,
                "reduce needs V(const V& aggregate, const V& value)");
  static_assert(kReduceFits<V, F>,
                "reduce's function returns another type of number than the values are, which would cut it: map_values "
                "to that type first, or use aggregate");
  return [f = std::move(f)](const Row& row, bool present, void* aggregate) mutable {
    auto& out = *static_cast<V*>(aggregate);
    const auto* value = static_cast<const V*>(row.value);
    if (value == nullptr && !(kTakesNull && present)) return false;
    if (!present) {
      out = *value;
    } else if constexpr (kTakesNull) {
      out = f(static_cast<const V&>(out), value);
    } else {
      out = f(static_cast<const V&>(out), *value);
    }
    return true;
  };
}

template <class K, class V, class A, class F>
AggregateRow aggregate_rows(A initial, F f) {
  constexpr bool kReturns = RowFunction<F, K, V, const A&>;
  static_assert(kReturns || RowFunction<F, K, V, A&>,
                "aggregate needs A(const V&, const A&) or A(const K&, const V&, const A&), or void with A& to change "
                "it in place");
  if constexpr (kReturns) {
    using Result = CallResult<F, K, V, const A&>;
    static_assert(
        kFits<Result, A>,
        "aggregate's function returns another type of number than its initial value, which would cut it: give "
        "both one type, as in aggregate(int64_t{0}, ...) or aggregate(0.0, ...)");
    static_assert(
        !std::is_void_v<Result>,
        "aggregate's function returns nothing and cannot change the aggregate that it is given: take it as A&, "
        "or return the new one");
    static_assert(std::is_void_v<Result> || std::is_convertible_v<Result, A>,
                  "aggregate needs a function that returns the initial value's type");
  }
  return [initial = std::move(initial), f = std::move(f)](const Row& row, bool present, void* aggregate) mutable {
    auto& out = *static_cast<A*>(aggregate);
    if constexpr (RowFunction<F, K, V, A>) {
      if (!callable_with<F, K, V, A>(row)) return false;
      if (!present) out = initial;
      using Result = decltype(call<K, V>(f, row, std::move(out)));
      if constexpr (std::is_void_v<Result>) {
        call<K, V>(f, row, out);
      } else {
        out = call<K, V>(f, row, std::move(out));
      }
    } else if constexpr (RowFunction<F, K, V, A&>) {
      if (!callable_with<F, K, V, A&>(row)) return false;
      if (!present) out = initial;
      call<K, V>(f, row, out);
    }
    return true;
  };
}

template <class K, class A, class M>
MergeAggregates merge_aggregates(M merge) {
  constexpr bool kKeyed = std::is_invocable_v<M&, const K&, const A&, const A&>;
  static_assert(
      kKeyed || std::is_invocable_v<M&, const A&, const A&>,
      "aggregate of sessions needs a function that merges two: A(const A&, const A&) or A(const K&, const A&, "
      "const A&)");
  return [merge = std::move(merge)](const void* key, void* aggregate, const void* other) mutable {
    auto& out = *static_cast<A*>(aggregate);
    const auto& more = *static_cast<const A*>(other);
    if constexpr (kKeyed) {
      out = merge(*static_cast<const K*>(key), static_cast<const A&>(out), more);
    } else if constexpr (std::is_invocable_v<M&, const A&, const A&>) {
      out = merge(static_cast<const A&>(out), more);
    }
  };
}
// The function of a reduction, which makes one value of two sessions', too.
template <class V, class F>
MergeAggregates merge_reduced(F f) {
  return [f = std::move(f)](const void*, void* aggregate, const void* other) mutable {
    auto& out = *static_cast<V*>(aggregate);
    const auto& more = *static_cast<const V*>(other);
    if constexpr (kReducesNull<V, F>) {
      out = f(static_cast<const V&>(out), &more);
    } else {
      out = f(static_cast<const V&>(out), more);
    }
  };
}

template <class K, class V, class F>
logical::Aggregate reducing(F f) {
  return {.kind = logical::AggregateKind::reduce,
          .apply = reduce_rows<K, V>(std::move(f)),
          .keeps_null = kReducesNull<V, F>};
}
template <class K, class V, class A, class F>
logical::Aggregate aggregating(A initial, F f) {
  return {.apply = aggregate_rows<K, V, A>(initial, std::move(f)), .initial = starts_from(initial)};
}

}  // namespace muir::streams::internal
