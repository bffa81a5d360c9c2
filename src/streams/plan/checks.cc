// What an operator may stand behind, told as it is added.
#include <set>

#include "streams/plan/legal_names.h"
#include "streams/plan/logical.h"

namespace muir::streams::internal {
namespace {

std::string_view shown(Shape shape) {
  switch (shape) {
    case Shape::nothing: return "nothing";
    case Shape::stream: return "a stream";
    case Shape::table: return "a table";
    case Shape::global_table: return "a global table";
    case Shape::stream_group: return "a grouped stream";
    case Shape::table_group: return "a grouped table";
    case Shape::split: return "a split stream";
  }
  return "?";
}

// The shapes of the inputs, in their order.
std::vector<Shape> inputs_of(const LogicalKind& kind) {
  const Shape first = std::visit([](const auto& k) { return k.kTakes; }, kind);
  if (first == Shape::nothing) return {};
  if (std::holds_alternative<logical::Merge>(kind) || std::holds_alternative<logical::StreamJoin>(kind) ||
      std::holds_alternative<logical::TableTableJoin>(kind) || std::holds_alternative<logical::ForeignKeyJoin>(kind))
    return {first, first};
  if (const auto* cogroup = std::get_if<logical::Cogroup>(&kind)) return std::vector(cogroup->apply.size(), first);
  if (std::holds_alternative<logical::TableJoin>(kind)) return {first, Shape::table};
  if (std::holds_alternative<logical::GlobalJoin>(kind)) return {first, Shape::global_table};
  return {first};
}

// A setting that would have no effect is no setting. A store of the program's own has the name that its supplier says.
Status settle_store(const LogicalPlan& plan, Known& added) {
  Operator& given = added.given;
  StoreSettings* store = store_of(given.kind);
  if (store == nullptr) return {};
  const std::string behind = given.inputs.empty() ? std::string() : " behind " + plan.input(added).names.node;
  const auto refuse = [&](std::string_view name, std::string_view why) {
    return error(Code::invalid_argument, "topology: store '{}'{}: {}", name, behind, why);
  };
  if (store->supplier) {
    const std::string own = store->supplier->name();
    if (!store->name.empty() && store->name != own)
      return refuse(store->name, fmt::format("its supplier calls it {}; name it in one place", own));
    if (store->kind) return refuse(own, "its supplier decides its kind; leave .kind out");
    if (store->retention) return refuse(own, "its supplier decides its retention; leave .retention out");
    store->name = own;
  }
  const logical::Aggregate* aggregate = aggregate_of(given.kind);
  if (store->retention && (aggregate == nullptr || !aggregate->by_window()))
    return refuse(store->name, "only windows have a .retention; what has no windows is kept until it is deleted");
  if (!store->logging && !store->topic_configs.empty() && !std::holds_alternative<logical::GlobalTable>(given.kind))
    return refuse(store->name, "without .logging there is no changelog for .topic_configs");
  return {};
}

// Names that no node or store gets, too: that of a group may be needed by the next operator. A branch's is a part of
// one.
Status check_names(Known& added) {
  Operator& given = added.given;
  if (!given.name.empty() && !std::holds_alternative<logical::Branch>(given.kind))
    MUIR_RETURN_IF_ERROR(check_name(given.name));
  const StoreSettings* store = store_of(given.kind);
  return store == nullptr || store->name.empty() ? Status() : check_name(store->name);
}

// A default branch takes what no other one took: it is the last, and there is one.
Status check_branch(const LogicalPlan& plan, const Known& added) {
  if (!std::holds_alternative<logical::Branch>(added.given.kind)) return {};
  for (const Known& other : plan.operators) {
    const auto* branch = std::get_if<logical::Branch>(&other.given.kind);
    if (branch == nullptr || branch->holds || other.given.inputs != added.given.inputs) continue;
    return error(Code::invalid_argument,
                 "topology: a branch stands behind {}, the default branch, and no record would come to it; add it "
                 "before",
                 other.names.node);
  }
  return {};
}

Status check_suppress(const LogicalPlan& plan, const Known& added) {
  const auto* suppress = std::get_if<logical::Suppress>(&added.given.kind);
  if (suppress == nullptr) return {};
  const auto refuse = [&](std::string_view why) {
    return error(Code::invalid_argument, "topology: suppress behind {}: {}", plan.input(added).names.node, why);
  };
  if (suppress->time_limit && suppress->time_limit->count() < 0) return refuse("its time limit is negative");
  if (suppress->records_max.value_or(0) < 0 || suppress->bytes_max.value_or(0) < 0)
    return refuse("a limit of its buffer is negative");
  if (suppress->time_limit) return {};
  if (suppress->emits_early)
    return refuse("what waits until windows close cannot be emitted early; use WhenFull::shut_down, or a time limit");
  if (suppress->windowed == nullptr || !grace_behind(plan, added.given.inputs.front()))
    return refuse("windows close only behind a windowed aggregation of the same topology; use a time limit");
  return {};
}

Status check_cogroup(const Operator& given, const logical::Cogroup& cogroup) {
  const auto refuse = [&](std::string_view why) {
    return error(Code::invalid_argument, "topology: cogroup '{}': {}", given.name, why);
  };
  if (cogroup.apply.empty() || cogroup.takes.size() != cogroup.apply.size()) return refuse("it has no groups");
  for (const AggregateRow& apply : cogroup.apply) {
    if (!apply) return refuse("a group has no function");
  }
  if (std::set(given.inputs.begin(), given.inputs.end()).size() != given.inputs.size())
    return refuse("it has one group twice; use one function for both");
  const logical::Aggregate& as = cogroup.as;
  if ((as.windows && as.windows->emit() == EmitStrategy::on_window_close) ||
      (as.sessions && as.sessions->emit == EmitStrategy::on_window_close) ||
      (as.sliding && as.sliding->emit == EmitStrategy::on_window_close))
    return refuse("its windows are told at every update; for one value of each use .suppress behind it");
  return {};
}

// Sources name topics, functions are there; the rest of the plan may rely on it.
Status check_kind(const Operator& given) {
  const auto missing = [&](std::string_view what) {
    return error(Code::invalid_argument, "topology: operator '{}' has no {}", given.name, what);
  };
  if (const auto* table = std::get_if<logical::TableSource>(&given.kind); table && table->source.topics.size() != 1)
    return error(Code::invalid_argument, "topology: a table reads {} topics; it needs one",
                 table->source.topics.size());
  if (const auto* table = std::get_if<logical::GlobalTable>(&given.kind); table && table->source.topics.size() != 1)
    return error(Code::invalid_argument, "topology: a global table reads {} topics; it needs one",
                 table->source.topics.size());
  if (const auto* k = std::get_if<logical::Stateless>(&given.kind); k && !k->apply) return missing("function");
  if (const auto* k = std::get_if<logical::Process>(&given.kind); k && !k->make) return missing("processor");
  if (const auto* k = std::get_if<logical::TableFilter>(&given.kind); k && !k->keep) return missing("predicate");
  if (const auto* k = std::get_if<logical::TableMapValues>(&given.kind); k && !k->map) return missing("function");
  if (const auto* k = std::get_if<logical::TableGroup>(&given.kind); k && !k->apply) return missing("function");
  if (const auto* k = std::get_if<logical::TableJoin>(&given.kind)) {
    if (!k->apply) return missing("function");
    if (k->grace && k->grace->count() < 0)
      return error(Code::invalid_argument, "topology: join '{}': its grace of {} ms is negative", given.name,
                   k->grace->count());
  }
  if (const auto* k = std::get_if<logical::GlobalJoin>(&given.kind); k && (!k->apply || !k->select_key))
    return missing("function");
  if (const auto* k = std::get_if<logical::StreamJoin>(&given.kind)) {
    if (!k->join) return missing("function");
    return k->windows.validate();
  }
  if (const auto* k = std::get_if<logical::TableTableJoin>(&given.kind); k && !k->join) return missing("function");
  if (const auto* k = std::get_if<logical::ForeignKeyJoin>(&given.kind); k && (!k->join || !k->foreign_key))
    return missing("function");
  if (const auto* k = std::get_if<logical::TableAggregate>(&given.kind); k && (!k->add || !k->subtract))
    return missing("function");
  if (const auto* k = std::get_if<logical::Cogroup>(&given.kind)) MUIR_RETURN_IF_ERROR(check_cogroup(given, *k));
  if (const auto* k = std::get_if<logical::Aggregate>(&given.kind); k && !k->apply) return missing("function");
  if (const logical::Aggregate* k = aggregate_of(given.kind)) {
    if (!k->by_window() && k->windowed.type != nullptr) return missing("windows");
    if (k->sessions && !k->merge) return missing("function that merges sessions");
    if (k->by_window() && (k->windowed.type == nullptr || k->windowed.ops == nullptr))
      return missing("type of windowed keys");
    if (k->windows != nullptr) return k->windows->validate();
    if (k->sessions) return k->sessions->validate();
    if (k->sliding) return k->sliding->validate();
  }
  return {};
}

}  // namespace

const StoreSettings* store_of(const LogicalKind& kind) {
  return std::visit(
      [](const auto& one) -> const StoreSettings* {
        if constexpr (requires { one.store; }) {
          return &one.store;
        } else if constexpr (requires { one.as.store; }) {
          return &one.as.store;
        } else {
          return nullptr;
        }
      },
      kind);
}

bool check_shape(LogicalPlan& plan, Known& added) {
  const Operator& given = added.given;
  added.shape = std::visit([](const auto& kind) { return kind.kYields; }, given.kind);
  const std::vector<Shape> wanted = inputs_of(given.kind);
  for (const OperatorId input : given.inputs) {
    if (input < plan.operators.size()) continue;
    plan.report(
        error(Code::invalid_argument, "topology: operator '{}' stands behind one that was not added", given.name));
    return false;
  }
  if (given.inputs.size() != wanted.size()) {
    plan.report(error(Code::invalid_argument, "topology: operator '{}' has {} inputs; it needs {}", given.name,
                      given.inputs.size(), wanted.size()));
    return false;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Known& input = plan.input(added, i);
    if (input.shape == wanted[i]) continue;
    plan.report(error(Code::invalid_argument, "topology: operator '{}' needs {}, and {} is {}", given.name,
                      shown(wanted[i]), input.names.node, shown(input.shape)));
    return false;
  }
  Status status = check_names(added);
  if (status.ok()) status = check_kind(given);
  if (status.ok()) status = settle_store(plan, added);
  if (status.ok()) status = check_branch(plan, added);
  if (status.ok()) status = check_suppress(plan, added);
  const bool fits = status.ok();
  if (!fits) plan.report(std::move(status));
  return fits;
}

}  // namespace muir::streams::internal
