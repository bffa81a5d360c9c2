#include "streams/topology_builder.h"

#include "streams/plan/graph.h"

namespace muir::streams {

TopologyBuilder::TopologyBuilder() : plan_(std::make_unique<internal::LogicalPlan>()) {}
TopologyBuilder::~TopologyBuilder() = default;

OperatorId TopologyBuilder::add(Operator added) {
  for (const OperatorId input : added.inputs) {
    if (input == kNoOperator && !plan_->mistake.ok()) return kNoOperator;
  }
  internal::Known known{.given = std::move(added)};
  if (!internal::check_shape(*plan_, known)) return kNoOperator;
  internal::find_shared(*plan_, known);
  internal::draw_names(*plan_, known);
  internal::derive_types(*plan_, known);
  plan_->operators.push_back(std::move(known));
  return plan_->operators.size() - 1;
}

void TopologyBuilder::add_store(LogicalStore store) {
  internal::derive_types(*plan_, store);
  plan_->stores.push_back(std::move(store));
}

void TopologyBuilder::mistake(Status status) { plan_->report(std::move(status)); }

const ObjectType* TopologyBuilder::keep(ObjectType type, std::shared_ptr<const void> layout) {
  struct Kept {
    ObjectType type;
    std::shared_ptr<const void> layout;  // shared with whoever made it
  };
  if (layout != nullptr) type.layout = layout.get();
  const auto kept = std::make_shared<const Kept>(Kept{type, std::move(layout)});
  return plan_->types.emplace_back(kept, &kept->type).get();
}

namespace {
// For operators that a mistake kept from being added.
const internal::Known& nobody() {
  static const internal::Known none;
  return none;
}
}  // namespace

const std::string& TopologyBuilder::name(OperatorId id) const {
  return id < plan_->operators.size() ? plan_->operators[id].names.node : nobody().names.node;
}
const std::string& TopologyBuilder::store_name(OperatorId id) const {
  return id < plan_->operators.size() ? plan_->operators[id].names.store : nobody().names.store;
}
TypePair TopologyBuilder::types(OperatorId id) const {
  if (id >= plan_->operators.size()) return {};
  const internal::TypedPair& out = plan_->operators[id].out;
  return {out.key.type, out.value.type};
}

Result<Topology> TopologyBuilder::build() const {
  const std::shared_ptr<internal::Graph> graph = internal::make_graph(*plan_);
  MUIR_RETURN_IF_ERROR(graph->finish());
  return Topology(graph);
}

namespace logical {

namespace {
bool count_row(const Row&, bool present, void* aggregate) {
  auto& count = *static_cast<int64_t*>(aggregate);
  count = present ? count + 1 : 1;
  return true;
}
}  // namespace

Aggregate count() {
  return {.apply = count_row, .initial = [](void* aggregate) { *static_cast<int64_t*>(aggregate) = 0; }};
}

TableAggregate table_count() {
  return {.add = count_row, .subtract = [](const Row&, bool, void* aggregate) {
            --*static_cast<int64_t*>(aggregate);
            return true;
          }};
}

}  // namespace logical
}  // namespace muir::streams
