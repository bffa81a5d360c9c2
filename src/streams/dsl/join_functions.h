// A program's functions over two values of one key, as a plan's over erased ones.
#pragma once

#include <type_traits>
#include <utility>

#include "streams/logical_plan.h"

namespace muir::streams::internal {

// f(left, right), f(key, left, right), or the latter with the key as a pointer, which takes records without key. A side
// that may be missing is a pointer.
template <class F, class K, class Left, class Right>
concept JoinFunction = std::is_invocable_v<F&, Left, Right> || std::is_invocable_v<F&, const K&, Left, Right> ||
    std::is_invocable_v<F&, const K*, Left, Right>;

template <class K, class Left, class Right, class F>
decltype(auto) call_joiner(F& f, const void* key, Left left, Right right) {
  if constexpr (std::is_invocable_v<F&, Left, Right>) {
    return f(left, right);
  } else if constexpr (std::is_invocable_v<F&, const K&, Left, Right>) {
    return f(*static_cast<const K*>(key), left, right);
  } else {
    return f(static_cast<const K*>(key), left, right);
  }
}

// What it yields; V for what is no such function, so that a static_assert can say so.
template <class F, class K, class V, class Left, class Right>
struct JoinResult {
  using Type = V;
};
template <class F, class K, class V, class Left, class Right>
requires JoinFunction<F, K, Left, Right>
struct JoinResult<F, K, V, Left, Right> {
  using Type = std::decay_t<decltype(call_joiner<K, Left, Right>(std::declval<F&>(), nullptr, std::declval<Left>(),
                                                                 std::declval<Right>()))>;
};

// A value as the function takes it: it is there where the function asks for a reference.
template <class Argument>
Argument joined_value(const void* value) {
  if constexpr (std::is_pointer_v<Argument>) {
    return static_cast<Argument>(value);
  } else {
    return *static_cast<const std::remove_reference_t<Argument>*>(value);
  }
}

template <class K, class Left, class Right, class Out, class F>
JoinValues join_values(F f) {
  constexpr bool kNeedsKey = !std::is_invocable_v<F&, Left, Right> && std::is_invocable_v<F&, const K&, Left, Right>;
  return [f = std::move(f)](const void* key, const void* left, const void* right, void* out) mutable {
    if (kNeedsKey && key == nullptr) return false;
    *static_cast<Out*>(out) = call_joiner<K, Left, Right>(f, key, joined_value<Left>(left), joined_value<Right>(right));
    return true;
  };
}

}  // namespace muir::streams::internal
