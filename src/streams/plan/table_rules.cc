// Which tables keep their rows, and which tell what a key had before: decided in the order of the calls, as Kafka
// Streams does, since a filter asks only for old values that are there already.
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
                          [&](const logical::TableJoin&) { require_look_up(at.given.inputs[1]); }, [](const auto&) {}},
               at.given.kind);
  }

 private:
  void keep_if(OperatorId id, bool asked) { rules_.stored[id] = asked; }
  // Made when something needs it.
  [[nodiscard]] bool lazy(OperatorId id) const {
    const LogicalKind& kind = plan_.operators[id].given.kind;
    return !rules_.stored[id] &&
           (std::holds_alternative<logical::TableSource>(kind) || std::holds_alternative<logical::ToTable>(kind));
  }
  void require_look_up(OperatorId table) {
    const Known& at = plan_.operators[table];
    const auto* aggregate = std::get_if<logical::Aggregate>(&at.given.kind);
    if (aggregate != nullptr && aggregate->windows != nullptr) {
      plan_.report(error(Code::invalid_argument, "topology: table {} cannot be joined with", at.names.node));
      return;
    }
    if (lazy(table)) rules_.stored[table] = true;
    if (!rules_.stored[table]) require_look_up(at.given.inputs.front());
  }
  void require_old(OperatorId table) {
    if (rules_.tells_old[table]) return;
    rules_.tells_old[table] = true;
    if (lazy(table)) rules_.stored[table] = true;
    // A table without a store of its own makes its old values from its parent's.
    if (!rules_.stored[table]) require_old(plan_.operators[table].given.inputs.front());
  }
  // The same if that takes no store that is not there already; whether the table tells old values now.
  bool offer_old(OperatorId table) {
    if (rules_.tells_old[table]) return true;
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
  while (!stored[table]) {
    const Known& at = plan.operators[table];
    if (at.given.inputs.empty() || at.shape != Shape::table) return {};
    table = at.given.inputs.front();
  }
  return {plan.operators[table].names.store};
}

}  // namespace muir::streams::internal
