// LogicalPlan: the operators that a builder was given, each with what the passes before the physical graph derive from
// it. Operators stand in the order of the calls; inputs before what stands behind them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "streams/topology_builder.h"

namespace muir::streams::internal {

// A type and its bytes.
struct TypedSerde {
  const ObjectType* type = nullptr;
  SharedSerde serde{};  // may be empty where nothing is written or read
};
struct TypedPair {
  TypedSerde key{};
  TypedSerde value{};
};

// Sink, filter and source around a repartition topic; without the application's prefix.
struct RepartitionNames {
  std::string topic{};  // empty: there is none
  std::string sink{};
  std::string filter{};
  std::string source{};
};

// Of a join by a foreign key: its topics, without the application's prefix, the nodes on both sides of them, its store.
struct ForeignKeyNames {
  std::string registration_topic{};
  std::string registration{};
  std::string registration_sink{};
  std::string registration_source{};
  std::string subscriptions{};
  std::string receive{};
  std::string answer{};
  std::string answer_all{};
  std::string response_topic{};
  std::string response_sink{};
  std::string response_source{};
  std::string resolver{};
};

struct Names {
  std::string node{};
  std::string source{};  // of tables
  std::string store{};
  RepartitionNames repartition{};  // that stands before the operator
  std::string join_left{};         // of joins of two streams or tables: the nodes of their sides
  std::string join_right{};
  std::vector<std::string> groups{};  // of cogroup: the nodes of its groups
  std::vector<RepartitionNames> repartition_groups{};
  RepartitionNames repartition_right{};  // that stands before the right side
  ForeignKeyNames foreign_key{};
  std::string window_left{};  // of joins of streams: the nodes that keep what came
  std::string window_right{};
  std::string store_left{};
  std::string store_right{};  // `store` is that of what has no partner yet
};

// What is known of an operator once it is added.
struct Known {
  Operator given{};
  Names names{};
  Shape shape = Shape::nothing;
  TypedPair out{};                  // of the rows that it yields
  TypedPair wire{};                 // of the topic that it reads, writes or repartitions through
  TypedPair stored{};               // of its store
  TypedPair right{};                // of joins of streams: of the right side's topic and store
  std::vector<TypedPair> groups{};  // of cogroup: of the topics of its groups
  bool rekeyed = false;             // its rows have to be repartitioned before they are grouped or joined
  // Aggregates of a named group: the one whose repartition topic serves this one, too.
  std::optional<OperatorId> shares_topic_of{};
  // Sources: the first one of the same topics, which may be itself.
  OperatorId same_source = kNoOperator;
};

struct LogicalPlan {
  std::vector<Known> operators{};
  std::vector<LogicalStore> stores{};
  std::vector<std::shared_ptr<const ObjectType>> types{};  // shared with the topology
  int next_index = 0;                                      // of Kafka's numbering
  Status mistake{};

  [[nodiscard]] const Known& input(const Known& of, size_t which = 0) const {
    return operators[of.given.inputs[which]];
  }
  // Keeps the first one.
  void report(Status status) {
    if (mistake.ok()) mistake = std::move(status);
  }
};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

// ---- passes over one operator as it is added, in this order
// False, with the mistake reported: it cannot stand where it is.
bool check_shape(LogicalPlan& plan, Known& added);
// What a stream or a table reads; null: the operator reads nothing, or is a global table.
const logical::Source* source_of(const Known& at);
// Finds the earlier operator that it shares a source or a repartition topic with.
void find_shared(const LogicalPlan& plan, Known& added);
// Names it and what belongs to it. The only place that draws indices.
void draw_names(LogicalPlan& plan, Known& added);
// Derives types, serdes and whether keys changed; checks the types that its functions take.
void derive_types(LogicalPlan& plan, Known& added);
// Serdes of a store that is added by itself.
void derive_types(LogicalPlan& plan, LogicalStore& added);

// ---- rules over the whole plan
// Tables keep their rows only where something looks them up, and tell old values only where something asks.
struct TableRules {
  std::vector<bool> stored;
  std::vector<bool> tells_old;
  std::vector<bool> versioned;  // changes say whether they are a key's latest, and look-ups may be of any time
  // Stores that a look-up in the table reads: its own, or those of the tables that it is made from.
  std::vector<std::string> look_up(const LogicalPlan& plan, OperatorId table) const;
};
TableRules decide_tables(LogicalPlan& plan);
// The settings of an operator's store; null: it cannot have one.
const StoreSettings* store_of(const LogicalKind& kind);
inline StoreSettings* store_of(LogicalKind& kind) { return const_cast<StoreSettings*>(store_of(std::as_const(kind))); }
// Of an operator that aggregates streams; null: it does not.
const logical::Aggregate* aggregate_of(const LogicalKind& kind);
// How long after their end the windows behind an operator take late records; nothing: there are no windows.
std::optional<int64_t> grace_behind(const LogicalPlan& plan, OperatorId id);
}  // namespace muir::streams::internal
