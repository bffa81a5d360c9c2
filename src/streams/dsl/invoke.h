// How a user's function is called with a row: (value), (key, value), or either with pointers, which take nulls.
#pragma once

#include <type_traits>
#include <utility>

#include "streams/row.h"

namespace muir::streams::internal {

enum class Call : unsigned char { none, value, key_value, value_pointer, key_value_pointers };

template <class F, class K, class V, class... Extra>
constexpr Call call_kind() {
  if constexpr (std::is_invocable_v<F&, const V&, Extra...>) {
    return Call::value;
  } else if constexpr (std::is_invocable_v<F&, const K&, const V&, Extra...>) {
    return Call::key_value;
  } else if constexpr (std::is_invocable_v<F&, const V*, Extra...>) {
    return Call::value_pointer;
  } else if constexpr (std::is_invocable_v<F&, const K*, const V*, Extra...>) {
    return Call::key_value_pointers;
  } else {
    return Call::none;
  }
}

template <class F, class K, class V, class... Extra>
concept RowFunction = call_kind<F, K, V, Extra...>()
!= Call::none;

// False when the function takes references to what is null.
template <class F, class K, class V, class... Extra>
bool callable_with(const Row& row) {
  constexpr Call kind = call_kind<F, K, V, Extra...>();
  if constexpr (kind == Call::value) return row.value != nullptr;
  if constexpr (kind == Call::key_value) return row.key != nullptr && row.value != nullptr;
  return true;
}

template <class K, class V, class F, class... Extra>
decltype(auto) call(F& f, const Row& row, Extra&&... extra) {
  constexpr Call kind = call_kind<F, K, V, Extra...>();
  const auto* key = static_cast<const K*>(row.key);
  const auto* value = static_cast<const V*>(row.value);
  if constexpr (kind == Call::value) {
    return f(*value, std::forward<Extra>(extra)...);
  } else if constexpr (kind == Call::key_value) {
    return f(*key, *value, std::forward<Extra>(extra)...);
  } else if constexpr (kind == Call::value_pointer) {
    return f(value, std::forward<Extra>(extra)...);
  } else {
    return f(key, value, std::forward<Extra>(extra)...);
  }
}

template <class F, class K, class V, class... Extra>
using CallResult =
    std::decay_t<decltype(call<K, V>(std::declval<F&>(), std::declval<const Row&>(), std::declval<Extra>()...))>;

}  // namespace muir::streams::internal
