// Which tables keep their rows, and which tell what a key had before: decided in the order of the calls, as Kafka
// Streams does, since a filter asks only for old values that are there already.
#include <algorithm>

#include "streams/plan/logical.h"

namespace muir::streams::internal {
namespace {

class Decide {
 public:
  Decide(LogicalPlan& plan, TableRules& rules) : plan_(plan), rules_(rules) {}

  void operator()(OperatorId id) {
    const Known& at = plan_.operators[id];
    std::visit(Overloaded{[&](const logical::TableSource& table) { keep_if(id, !table.store.name.empty()); },
                          [&](const logical::ToTable& table) { keep_if(id, !table.store.name.empty()); },
                          [&](const logical::Aggregate&) { keep_if(id, true); },
                          [&](const logical::TableAggregate&) { keep_if(id, true); },
                          // Where the table keeps its rows anyway, rows that never passed need no deletion.
                          [&](const logical::TableFilter&) { rules_.tells_old[id] = offer_old(at.given.inputs[0]); },
                          [&](const logical::TableGroup&) { require_old(at.given.inputs[0]); },
                          [&](const logical::TableJoin&) { require_look_up(at.given.inputs[1]); },
                          [&](const logical::TableTableJoin& join) { join_tables(id, join); }, [](const auto&) {}},
               at.given.kind);
  }

 private:
  void keep_if(OperatorId id, bool asked) { rules_.stored[id] = asked; }
  // Each side is looked up when the other one changes. Where a row may come from one side alone, that one tells what it
  // was, so that a deletion of what never was is none.
  void join_tables(OperatorId id, const logical::TableTableJoin& join) {
    const std::vector<OperatorId>& inputs = plan_.operators[id].given.inputs;
    keep_if(id, !join.store.name.empty());
    if (join.kind != logical::JoinKind::inner) require_old(inputs[0]);
    if (join.kind == logical::JoinKind::outer) require_old(inputs[1]);
    for (const OperatorId input : inputs) require_look_up(input);
  }
  [[nodiscard]] bool joins(OperatorId id) const {
    return std::holds_alternative<logical::TableTableJoin>(plan_.operators[id].given.kind);
  }
  // Made when something needs it.
  [[nodiscard]] bool lazy(OperatorId id) const {
    const LogicalKind& kind = plan_.operators[id].given.kind;
    return !rules_.stored[id] &&
           (std::holds_alternative<logical::TableSource>(kind) || std::holds_alternative<logical::ToTable>(kind));
  }
  void require_look_up(OperatorId table) {
    if (lazy(table)) rules_.stored[table] = true;
    if (rules_.stored[table]) return;
    for (const OperatorId input : plan_.operators[table].given.inputs) require_look_up(input);
  }
  void require_old(OperatorId table) {
    if (rules_.tells_old[table]) return;
    rules_.tells_old[table] = true;
    if (lazy(table)) rules_.stored[table] = true;
    // A table without a store of its own makes its old values from its parents', and a join does always.
    if (rules_.stored[table] && !joins(table)) return;
    for (const OperatorId input : plan_.operators[table].given.inputs) require_old(input);
  }
  // The same if that takes no store that is not there already; whether the table tells old values now.
  bool offer_old(OperatorId table) {
    if (rules_.tells_old[table]) return true;
    if (joins(table)) require_old(table);
    if (joins(table)) return true;
    if (lazy(table)) return false;
    if (!rules_.stored[table] && !offer_old(plan_.operators[table].given.inputs.front())) return false;
    return rules_.tells_old[table] = true;
  }

  LogicalPlan& plan_;
  TableRules& rules_;
};

}  // namespace

TableRules decide_tables(LogicalPlan& plan) {
  TableRules rules{std::vector<bool>(plan.operators.size()), std::vector<bool>(plan.operators.size())};
  Decide decide(plan, rules);
  for (OperatorId id = 0; id < plan.operators.size(); ++id) decide(id);
  return rules;
}

std::vector<std::string> TableRules::look_up(const LogicalPlan& plan, OperatorId table) const {
  const Known& at = plan.operators[table];
  if (stored[table]) return {at.names.store};
  std::vector<std::string> out;
  if (at.shape != Shape::table) return out;
  for (const OperatorId input : at.given.inputs) {
    for (std::string& store : look_up(plan, input)) {
      if (std::find(out.begin(), out.end(), store) == out.end()) out.push_back(std::move(store));
    }
  }
  return out;
}

}  // namespace muir::streams::internal
