#include "streams/row_type.h"

namespace muir::streams {
namespace {

const schema::RowLayoutPtr& layout_of(const ObjectType& type) {
  return *static_cast<const schema::RowLayoutPtr*>(type.layout);
}

}  // namespace

const ObjectType* row_type(TopologyBuilder& builder, const schema::RowLayoutPtr& layout) {
  const auto serde = row_serde(layout);
  if (!serde.ok()) builder.mistake(serde.status());
  return builder.keep(
      {.name = "row",
       .create = [](const ObjectType& type) -> void* { return new schema::Row(layout_of(type)); },
       .destroy = [](void* object) { delete static_cast<schema::Row*>(object); },
       .assign = [](void* to, const void* from) { as_row(to) = as_row(from); },
       // Each use has a serde of its own: one is bound to keys or to values. That there is one was seen above.
       .default_serde = [](const ObjectType& type) { return row_serde(layout_of(type))->erased(); }},
      std::make_shared<schema::RowLayoutPtr>(layout));
}

}  // namespace muir::streams
