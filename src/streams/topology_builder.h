// TopologyBuilder: builds a topology from operators whose types are known only at run time. The DSL (streams/dsl.h) is
// a layer of templates over it.
//
//   TopologyBuilder builder;
//   const OperatorId in = builder.add({.yields = {text, row}, .kind = logical::Source{.topics = {"positions"}}});
//   const OperatorId fast = builder.add({.inputs = {in}, .takes = {text, row}, .keeps = Keeps::both,
//                                        .kind = logical::Stateless{.kind = logical::Stateless::filter, .apply =
//                                        ...}});
//   builder.add({.inputs = {fast}, .kind = logical::Sink{.topic = "fast"}});
//   Topology topology = *builder.build();
//
// Operators are checked and named as they are added, in Kafka's numbering. build() runs the passes that make a topology
// of them: rules (which tables have stores), the physical graph, checks.
#pragma once

#include <memory>
#include <string>

#include "streams/logical_plan.h"
#include "streams/topology.h"

namespace muir::streams {

namespace internal {
struct LogicalPlan;
}

// Owned by one thread.
class TopologyBuilder {
 public:
  TopologyBuilder();
  ~TopologyBuilder();
  TopologyBuilder(const TopologyBuilder&) = delete;
  TopologyBuilder& operator=(const TopologyBuilder&) = delete;

  // An operator behind others. A mistake is kept for build(); what stands behind such an operator is none any more.
  OperatorId add(Operator added);
  void add_store(LogicalStore store);
  // The first one is what build() returns.
  void mistake(Status status);
  // Keeps a type made at run time as long as the topology; `layout`, when given, becomes the type's, and is kept with
  // it.
  const ObjectType* keep(ObjectType type, std::shared_ptr<const void> layout = nullptr);

  // The operator's name, as describe() prints it.
  [[nodiscard]] const std::string& name(OperatorId id) const;
  // The name of an aggregate's or table's store, given or generated; empty: the operator has none.
  [[nodiscard]] const std::string& store_name(OperatorId id) const;
  // The types of the rows that it yields.
  [[nodiscard]] TypePair types(OperatorId id) const;

  // The topology, or the first mistake in it.
  [[nodiscard]] Result<Topology> build() const;

 private:
  std::unique_ptr<internal::LogicalPlan> plan_;
};

namespace logical {
// Aggregates of int64_t that count rows.
Aggregate count();
TableAggregate table_count();
}  // namespace logical

}  // namespace muir::streams
