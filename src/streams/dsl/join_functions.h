// A program's functions over the values of two tables, as a plan's over erased ones.
#pragma once

#include <type_traits>
#include <utility>

#include "streams/logical_plan.h"

namespace muir::streams::internal {

// f(left, right) or f(key, left, right); a side that may be missing is a pointer.
template <class F, class K, class Left, class Right>
concept TablesFunction = std::is_invocable_v<F&, Left, Right> || std::is_invocable_v<F&, const K&, Left, Right>;

template <class K, class Left, class Right, class F>
decltype(auto) call_tables(F& f, const void* key, Left left, Right right) {
  if constexpr (std::is_invocable_v<F&, Left, Right>) {
    return f(left, right);
  } else {
    return f(*static_cast<const K*>(key), left, right);
  }
}

// What it yields; V for what is no such function, so that a static_assert can say so.
template <class F, class K, class V, class Left, class Right>
struct TablesResult {
  using Type = V;
};
template <class F, class K, class V, class Left, class Right>
requires TablesFunction<F, K, Left, Right>
struct TablesResult<F, K, V, Left, Right> {
  using Type = std::decay_t<decltype(call_tables<K, Left, Right>(std::declval<F&>(), nullptr, std::declval<Left>(),
                                                                 std::declval<Right>()))>;
};

// A value as the function takes it: it is there where the function asks for a reference.
template <class Argument>
Argument table_value(const void* value) {
  if constexpr (std::is_pointer_v<Argument>) {
    return static_cast<Argument>(value);
  } else {
    return *static_cast<const std::remove_reference_t<Argument>*>(value);
  }
}

template <class K, class Left, class Right, class Out, class F>
JoinTables join_tables(F f) {
  return [f = std::move(f)](const void* key, const void* left, const void* right, void* out) mutable {
    *static_cast<Out*>(out) = call_tables<K, Left, Right>(f, key, table_value<Left>(left), table_value<Right>(right));
  };
}

}  // namespace muir::streams::internal
