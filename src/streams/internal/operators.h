// The nodes that the DSL puts into a graph. Their semantics work on erased objects and bytes; the DSL's templates give
// them closures. Every function here returns a factory: each task makes its own node, with its own copy of the closure.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streams/internal/graph.h"
#include "streams/processor.h"
#include "streams/windows.h"

namespace muir::streams::internal {

using Apply = std::function<Status(const Row&, Downstream&)>;
using Predicate = std::function<bool(const Row&)>;

NodeFactory source_node();
NodeFactory sink_node();
NodeFactory stateless_node(Apply apply);
NodeFactory pass_through_node();
// Forwards to the child at the position of the first predicate that holds, or to none. The list may grow until the
// topology is built.
NodeFactory branch_node(std::shared_ptr<std::vector<Predicate>> predicates);
NodeFactory process_node(std::function<std::unique_ptr<ErasedProcessor>()> make);

// ---- tables
// Keeps what it forwards in the node's store, if it has one.
NodeFactory table_node(TypedPair types);
NodeFactory table_filter_node(Predicate keep);
// `map` sets an object of type `out` from a row with a value.
NodeFactory table_map_node(std::function<void(const Row&, void*)> map, const TypeOps* out);

// ---- aggregations
// Sets `aggregate` to what it becomes by the row; `present`: it held an aggregate before. False: the function does not
// take this row, because it has no value.
using Aggregate = std::function<bool(const Row& row, bool present, void* aggregate)>;
struct AggregateSpec {
  std::string store;
  TypedPair types;  // of the store: key and aggregate
  Aggregate apply;
  // What a new aggregate starts from, which is also its old value; empty: a new one has none (reduce).
  std::function<void(void* aggregate)> initial{};
  bool keeps_null = false;  // in windows: a first row without value is an aggregate without value
};
NodeFactory aggregate_node(AggregateSpec spec);
struct TableAggregateSpec {
  std::string store;
  TypedPair types;
  Aggregate add;
  Aggregate subtract;
};
NodeFactory table_aggregate_node(TableAggregateSpec spec);
struct WindowAggregateSpec {
  AggregateSpec aggregate;
  TimeWindows windows;
  const TypeOps* windowed_key = nullptr;
  const WindowedOps* windowed_ops = nullptr;
};
NodeFactory window_aggregate_node(WindowAggregateSpec spec);

// ---- joins
// Forwards what a row becomes together with the table's value, which is null when the table has none.
using JoinApply = std::function<Status(const Row&, const void* table_value, Downstream&)>;
NodeFactory table_join_node(NodeId table, bool left, JoinApply apply);
struct GlobalJoinSpec {
  std::string store;
  bool left = false;
  TypedPair types;  // of the global table
  // The table's key for a row, valid until the next call; null: none.
  std::function<const void*(const Row&)> select_key;
  JoinApply apply;
};
NodeFactory global_join_node(GlobalJoinSpec spec);

}  // namespace muir::streams::internal
