// The nodes of physical topologies. Every function here returns a factory: each task makes its own node, with its own
// copy of the functions.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "streams/plan/graph.h"
#include "streams/processor.h"

namespace muir::streams::internal {

NodeFactory source_node();
NodeFactory sink_node();
NodeFactory stateless_node(Apply apply);
NodeFactory pass_through_node();
// Forwards to the child at the position of the first predicate that holds, or to none.
NodeFactory branch_node(std::vector<Predicate> predicates);
NodeFactory process_node(std::function<std::unique_ptr<ErasedProcessor>()> make);

// ---- tables
// The store of a table, and whether it tells its readers what a key had before. Its serdes are those of the task's
// application: TaskContext::store_types().
struct TableSpec {
  std::string store{};  // empty: none
  const ObjectType* key = nullptr;
  const ObjectType* value = nullptr;  // or aggregate
  bool tells_old = false;
};
// Keeps what it forwards in the store, if it has one.
NodeFactory table_node(TableSpec table);
// `versioned`: the table before it is.
NodeFactory table_filter_node(TableSpec table, Predicate keep, bool versioned);
// `map` sets an object of type `out`.
NodeFactory table_map_node(TableSpec table, MapValue map, const ObjectType* out);
// Waits that long after a change, or after its window's end.
NodeFactory suppress_node(TableSpec table, logical::Suppress suppress, int64_t wait_ms);

// ---- aggregations, as the plan has them
NodeFactory aggregate_node(TableSpec table, logical::Aggregate aggregate);
NodeFactory table_aggregate_node(TableSpec table, logical::TableAggregate aggregate);
NodeFactory window_aggregate_node(TableSpec table, logical::Aggregate aggregate);
NodeFactory sliding_aggregate_node(TableSpec table, logical::Aggregate aggregate);
NodeFactory session_aggregate_node(TableSpec table, logical::Aggregate aggregate);

// ---- joins
struct JoinedTable {
  NodeId table = 0;
  bool left = false;
  bool versioned = false;  // the table is looked up as it was at the record's time
  JoinApply apply{};
};
NodeFactory table_join_node(JoinedTable joined);
// The same with records that wait in a buffer, a store.
NodeFactory patient_join_node(JoinedTable joined, TableSpec buffer, int64_t grace_ms);
// Forwards what a row with a value becomes.
Status join_with_table(JoinedTable& joined, Node& table, const Row& row, Downstream& down);
NodeFactory global_join_node(TableSpec table, logical::GlobalJoin join);
// Of two streams: the stores that keep what came, and the one of what has no partner yet; empty: there is none.
struct JoinedStreams {
  logical::StreamJoin join{};
  TableSpec left{};
  TableSpec right{};
  std::string unmatched{};
  const ObjectType* out = nullptr;  // of the joined values
};
// Forwards a record and keeps it.
NodeFactory stream_window_node(TableSpec store);
// Joins the records of one side with what is kept of the other. `left` is the left side's node, of the right one.
NodeFactory stream_join_side_node(JoinedStreams streams, std::optional<NodeId> left);
// Of two tables, whose nodes are looked up in.
struct JoinedTables {
  NodeId left;
  NodeId right;
  logical::TableTableJoin join{};
  const ObjectType* out = nullptr;  // of the joined values
  bool tells_old = false;
  bool left_versioned = false;
  bool right_versioned = false;
};
// Joins the changes of one side with what the other one has.
NodeFactory table_join_side_node(JoinedTables tables, bool is_left);
// Gathers the changes of both sides; keeps them in the store, if it has one.
NodeFactory joined_table_node(TableSpec table, JoinedTables tables);
// Of two tables by a foreign key; see foreign_key_nodes.cc.
struct ForeignKeyTables {
  NodeId left_node = 0;
  NodeId right_node = 0;
  TypedPair left{};
  TypedPair right{};
  logical::ForeignKeyJoin join{};
  const ObjectType* out = nullptr;  // of the joined values
  std::string registration_topic{};
  std::string response_topic{};
  std::string subscriptions{};  // the store
  bool left_versioned = false;
  bool right_versioned = false;
};
NodeFactory subscribe_node(ForeignKeyTables tables);
NodeFactory keep_subscription_node(ForeignKeyTables tables);
NodeFactory answer_node(ForeignKeyTables tables);
NodeFactory answer_all_node(ForeignKeyTables tables);
NodeFactory resolve_node(ForeignKeyTables tables);

}  // namespace muir::streams::internal
