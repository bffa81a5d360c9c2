// Which tables keep their rows, and which tell what a key had before: decided in the order of the calls, as Kafka
// Streams does, since a filter asks only for old values that are there already.
#include <algorithm>

#include "store/versioned_store.h"
#include "streams/plan/logical.h"

namespace muir::streams::internal {
namespace {

class Decide {
 public:
  Decide(LogicalPlan& plan, TableRules& rules) : plan_(plan), rules_(rules) {}

  void operator()(OperatorId id) {
    const Known& at = plan_.operators[id];
    rules_.versioned[id] = versioned(at);
    std::visit(
        Overloaded{[&](const logical::TableSource& table) { keep_if(id, !table.store.name.empty()); },
                   [&](const logical::ToTable& table) { keep_if(id, !table.store.name.empty()); },
                   [&](const logical::Aggregate&) { keep_if(id, true); },
                   [&](const logical::Cogroup&) { keep_if(id, true); },
                   [&](const logical::TableAggregate&) { keep_if(id, true); },
                   // Where the table keeps its rows anyway, rows that never passed need no deletion.
                   [&](const logical::TableFilter& filter) {
                     keep_if(id, !filter.store.name.empty());
                     rules_.tells_old[id] = offer_old(at.given.inputs[0]);
                   },
                   [&](const logical::TableMapValues& map) { keep_if(id, !map.store.name.empty()); },
                   // What its buffer knows of a key is also what the key had before.
                   [&](const logical::Suppress&) { require_old(at.given.inputs[0]); },
                   [&](const logical::TableGroup&) { require_old(at.given.inputs[0]); },
                   [&](const logical::TableJoin&) { require_look_up(at.given.inputs[1]); },
                   [&](const logical::TableTableJoin& join) { join_tables(id, join); },
                   [&](const logical::ForeignKeyJoin& join) { join_by_foreign_key(id, join); }, [](const auto&) {}},
        at.given.kind);
  }

 private:
  // A table is versioned when its store is. Filters and mapped values without a store are what their table is.
  [[nodiscard]] bool versioned(const Known& at) const {
    const StoreSettings* store = store_of(at.given.kind);
    if (at.shape != Shape::table || store == nullptr) return false;
    if (store->supplier != nullptr) return store->supplier->provides(store::VersionedStore::kFacet);
    const bool passes = std::holds_alternative<logical::TableFilter>(at.given.kind) ||
                        std::holds_alternative<logical::TableMapValues>(at.given.kind);
    return passes && store->name.empty() && rules_.versioned[at.given.inputs.front()];
  }
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
  // A row's subscription moves when its foreign key does.
  void join_by_foreign_key(OperatorId id, const logical::ForeignKeyJoin& join) {
    const std::vector<OperatorId>& inputs = plan_.operators[id].given.inputs;
    keep_if(id, !join.store.name.empty());
    require_old(inputs[0]);
    require_old(inputs[1]);
    for (const OperatorId input : inputs) require_look_up(input);
  }
  [[nodiscard]] bool joins(OperatorId id) const {
    return std::holds_alternative<logical::TableTableJoin>(plan_.operators[id].given.kind);
  }
  // Made when something needs it.
  [[nodiscard]] bool lazy(OperatorId id) const {
    const LogicalKind& kind = plan_.operators[id].given.kind;
    return !rules_.stored[id] &&
           (std::holds_alternative<logical::TableSource>(kind) || std::holds_alternative<logical::ToTable>(kind) ||
            std::holds_alternative<logical::ForeignKeyJoin>(kind));
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
  const std::vector<bool> none(plan.operators.size());
  TableRules rules{.stored = none, .tells_old = none, .versioned = none};
  Decide decide(plan, rules);
  for (OperatorId id = 0; id < plan.operators.size(); ++id) decide(id);
  return rules;
}

std::vector<std::string> TableRules::look_up(const LogicalPlan& plan, OperatorId table) const {
  const Known& at = plan.operators[table];
  if (stored[table]) return {at.names.store};
  std::vector<std::string> out;
  if (at.shape != Shape::table) return out;
  if (std::holds_alternative<logical::Suppress>(at.given.kind)) out.push_back(at.names.store);
  for (const OperatorId input : at.given.inputs) {
    for (std::string& store : look_up(plan, input)) {
      if (std::find(out.begin(), out.end(), store) == out.end()) out.push_back(std::move(store));
    }
  }
  return out;
}

const logical::Aggregate* aggregate_of(const LogicalKind& kind) {
  if (const auto* cogroup = std::get_if<logical::Cogroup>(&kind)) return &cogroup->as;
  return std::get_if<logical::Aggregate>(&kind);
}

std::optional<int64_t> grace_behind(const LogicalPlan& plan, OperatorId id) {
  const Operator& given = plan.operators[id].given;
  if (const logical::Aggregate* aggregate = aggregate_of(given.kind)) {
    if (aggregate->windows) return aggregate->windows->grace_ms();
    if (aggregate->sliding) return aggregate->sliding->grace_ms();
    if (aggregate->sessions) return aggregate->sessions->grace_ms() + aggregate->sessions->gap.count();
  }
  std::optional<int64_t> longest;
  for (const OperatorId input : given.inputs) {
    const std::optional<int64_t> grace_ms = grace_behind(plan, input);
    if (grace_ms) longest = std::max(longest.value_or(*grace_ms), *grace_ms);
  }
  return longest;
}

}  // namespace muir::streams::internal
