// A program's functions over typed keys and values, as the functions over erased rows that a plan has. Functions that
// take references to what is null are not called; most operators then drop the row.
#pragma once

#include <concepts>
#include <optional>
#include <utility>

#include "streams/dsl/invoke.h"
#include "streams/logical_plan.h"

namespace muir::streams::internal {

template <class T>
struct PairOf {
  static constexpr bool kIsPair = false;
};
template <class A, class B>
struct PairOf<std::pair<A, B>> {
  static constexpr bool kIsPair = true;
  using Key = A;
  using Value = B;
};
// The key that a function yields; K for what is no such function, so that a static_assert can say so.
template <class F, class K, class V>
struct KeyOf {
  using Type = K;
};
template <class F, class K, class V>
requires RowFunction<F, K, V>
struct KeyOf<F, K, V> {
  using Type = CallResult<F, K, V>;
};
// The value that a function yields; V for what is no such function.
template <class F, class K, class V>
struct MappedValue {
  using Type = V;
};
template <class F, class K, class V>
requires RowFunction<F, K, V>
struct MappedValue<F, K, V> {
  using Type = CallResult<F, K, V>;
};
// The pair that a function yields; K and V for what is no such function.
template <class F, class K, class V>
struct RowPairOf {
  using Key = K;
  using Value = V;
};
template <class F, class K, class V>
requires(RowFunction<F, K, V>&& PairOf<CallResult<F, K, V>>::kIsPair) struct RowPairOf<F, K, V>
    : PairOf<CallResult<F, K, V>> {
};
template <class R>
using ElementOf = std::decay_t<decltype(*std::begin(std::declval<const R&>()))>;

// `use(result, row, down)` with what f yields; rows that f does not take are dropped.
template <class K, class V, class F, class Use>
Apply applied(F f, Use use) {
  return [f = std::move(f), use](const Row& row, Downstream& down) mutable -> Status {
    if (callable_with<F, K, V>(row)) return use(call<K, V>(f, row), row, down);
    down.drop();
    return {};
  };
}

template <class F, class K, class V>
constexpr bool kAnswers = false;
template <class F, class K, class V>
requires RowFunction<F, K, V>
constexpr bool kAnswers<F, K, V> =
    std::is_same_v<CallResult<F, K, V>, bool> ||
    (std::is_class_v<CallResult<F, K, V>> && std::is_convertible_v<CallResult<F, K, V>, bool>);

template <class K, class V, class F>
Apply filter_rows(F f, bool keep_if) {
  return applied<K, V>(std::move(f), [keep_if](const auto& holds, const Row& row, Downstream& down) {
    return static_cast<bool>(holds) == keep_if ? down.forward(row) : Status();
  });
}
template <class K, class V, class F>
Predicate predicate(F f, bool keep_if = true) {
  return [f = std::move(f), keep_if](const Row& row) mutable {
    return callable_with<F, K, V>(row) && static_cast<bool>(call<K, V>(f, row)) == keep_if;
  };
}
template <class K, class V, class F>
Apply map_rows(F f) {
  return applied<K, V>(std::move(f), [](const auto& out, const Row& row, Downstream& down) {
    return down.forward(row.with_key(&out.first).with_value(&out.second));
  });
}
// A null value passes.
template <class K, class V, class F>
Apply map_row_values(F f) {
  return [f = std::move(f)](const Row& row, Downstream& down) mutable -> Status {
    if (!callable_with<F, K, V>(row)) {
      if (row.value == nullptr) return down.forward(row);
      down.drop();
      return {};
    }
    const auto out = call<K, V>(f, row);
    return down.forward(row.with_value(&out));
  };
}
template <class K, class V, class F>
Apply flat_map_rows(F f) {
  return applied<K, V>(std::move(f), [](const auto& all, const Row& row, Downstream& down) {
    for (const auto& out : all) MUIR_RETURN_IF_ERROR(down.forward(row.with_key(&out.first).with_value(&out.second)));
    return Status();
  });
}
template <class K, class V, class F>
Apply flat_map_row_values(F f) {
  return applied<K, V>(std::move(f), [](const auto& all, const Row& row, Downstream& down) {
    for (const auto& out : all) MUIR_RETURN_IF_ERROR(down.forward(row.with_value(&out)));
    return Status();
  });
}
template <class K, class V, class F>
Apply select_row_keys(F f) {
  return applied<K, V>(
      std::move(f), [](const auto& out, const Row& row, Downstream& down) { return down.forward(row.with_key(&out)); });
}
// Rows that f does not take pass all the same, or end here all the same.
template <class K, class V, class F>
Apply visit_rows(F f, bool pass) {
  return [f = std::move(f), pass](const Row& row, Downstream& down) mutable {
    if (callable_with<F, K, V>(row)) call<K, V>(f, row);
    return pass ? down.forward(row) : Status();
  };
}
template <class K, class V, class F>
ExtractTopic extract_topics(F f) {
  return [f = std::move(f)](const Row& row) mutable -> std::string {
    return callable_with<F, K, V>(row) ? std::string(call<K, V>(f, row)) : std::string();
  };
}
template <class K, class V>
Record<K, V> record_of(const Row& row) {
  return {static_cast<const K*>(row.key), static_cast<const V*>(row.value), row.timestamp_ms, row.headers};
}
template <class K, class V>
ExtractTimestamp extract_timestamps(const TimestampExtractor<K, V>& extract) {
  if (!extract) return {};
  return
      [extract](const Row& row, int64_t partition_time_ms) { return extract(record_of<K, V>(row), partition_time_ms); };
}
template <class K, class V>
ChoosePartition choose_partitions(const StreamPartitioner<K, V>& choose) {
  if (!choose) return {};
  return [choose](const std::string& topic, const Row& row, int32_t partitions) {
    return choose(topic, record_of<K, V>(row), partitions);
  };
}
template <class K, class V, class Out, class F>
MapValue map_table_values(F f) {
  return [f = std::move(f)](const Row& row, void* out) mutable { *static_cast<Out*>(out) = call<K, V>(f, row); };
}

// The key in a global table that a row is joined with.
template <class K, class V, class GK, class S>
SelectKey select_table_keys(S select) {
  return [select = std::move(select), key = GK()](const Row& row) mutable -> const void* {
    if (!callable_with<S, K, V>(row)) return nullptr;
    key = call<K, V>(select, row);
    return &key;
  };
}
// The key of another table that a row names: f yields one, or an std::optional of one.
template <class K, class V, class KO, class S>
SelectKey select_foreign_keys(S select) {
  return [select = std::move(select), key = std::optional<KO>()](const Row& row) mutable -> const void* {
    key = call<K, V>(select, row);
    return key ? &*key : nullptr;
  };
}
// What a join's function takes of the table: a pointer in left joins, null where there is nothing.
template <class VT, bool kLeft>
using Looked = std::conditional_t<kLeft, const VT*, const VT&>;
template <class K, class V, class VT, bool kLeft, class F>
JoinApply join_rows(F f) {
  using Other = Looked<VT, kLeft>;
  return [f = std::move(f)](const Row& row, const void* found, Downstream& down) mutable -> Status {
    if (!callable_with<F, K, V, Other>(row)) {
      down.drop();
      return {};
    }
    const auto* table_value = static_cast<const VT*>(found);
    if constexpr (kLeft) {
      const auto out = call<K, V>(f, row, table_value);
      return down.forward(row.with_value(&out));
    } else {
      const auto out = call<K, V>(f, row, *table_value);
      return down.forward(row.with_value(&out));
    }
  };
}

// A table's change under the keys of its groups: what was leaves its group, what is joins one.
template <class K, class V, class F>
Apply regroup_rows(F f) {
  using Pair = CallResult<F, K, V>;
  return [f = std::move(f)](const Row& row, Downstream& down) mutable -> Status {
    if (row.key == nullptr) return error(Code::invalid_argument, "group_by: a row without key");
    std::optional<Pair> now;
    std::optional<Pair> before;
    if (row.value != nullptr) now = call<K, V>(f, row);
    if (row.old_value != nullptr) before = call<K, V>(f, row.with_value(row.old_value));
    if constexpr (requires(const Pair& a) {
                    { a.first == a.first } -> std::convertible_to<bool>;
                  }) {
      if (now && before && now->first == before->first) {
        return down.forward({&now->first, &now->second, row.timestamp_ms, row.headers, &before->second});
      }
    }
    if (before) {
      MUIR_RETURN_IF_ERROR(down.forward({&before->first, nullptr, row.timestamp_ms, row.headers, &before->second}));
    }
    return now ? down.forward({&now->first, &now->second, row.timestamp_ms, row.headers}) : Status();
  };
}

}  // namespace muir::streams::internal
