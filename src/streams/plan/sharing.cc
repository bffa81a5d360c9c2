// What operators share although the program names it twice: sources of the same topics, which Kafka merges (the first
// one's settings stand), and the repartition topic of a named group.
#include <set>

#include "streams/plan/logical.h"

namespace muir::streams::internal {

const logical::Source* source_of(const Known& at) {
  if (const auto* stream = std::get_if<logical::Source>(&at.given.kind)) return stream;
  if (const auto* table = std::get_if<logical::TableSource>(&at.given.kind)) return &table->source;
  return nullptr;
}

namespace {

bool aggregates(const Known& at) {
  return std::holds_alternative<logical::Aggregate>(at.given.kind) ||
         std::holds_alternative<logical::TableAggregate>(at.given.kind);
}

}  // namespace

void find_shared(const LogicalPlan& plan, Known& added) {
  if (const logical::Source* source = source_of(added)) {
    const std::set<std::string> topics(source->topics.begin(), source->topics.end());
    added.same_source = plan.operators.size();
    for (OperatorId id = plan.operators.size(); id-- > 0;) {
      const logical::Source* other = source_of(plan.operators[id]);
      if (other != nullptr && std::set(other->topics.begin(), other->topics.end()) == topics) added.same_source = id;
    }
  }
  if (!aggregates(added) || plan.input(added).given.name.empty()) return;
  for (OperatorId id = 0; id < plan.operators.size() && !added.shares_topic_of; ++id) {
    const Known& other = plan.operators[id];
    if (aggregates(other) && other.given.inputs == added.given.inputs && !other.names.repartition.topic.empty()) {
      added.shares_topic_of = id;
    }
  }
}

}  // namespace muir::streams::internal
