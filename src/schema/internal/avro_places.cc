#include "schema/internal/avro_places.h"

namespace muir::schema::avro::internal {
namespace {

// What only the writer has is decoded to nowhere; its places are null.
const Layout* layout_at(const void* place) { return static_cast<const Layout*>(place); }
const RowSlot* slot_at(const void* place) { return static_cast<const RowSlot*>(place); }

}  // namespace

int null_branch_of(const Schema& union_schema) {
  for (size_t i = 0; i < union_schema.branches.size(); ++i) {
    if (union_schema.branches[i]->type == Type::null) return static_cast<int>(i);
  }
  return -1;
}

bool is_optional(const Schema& union_schema) {
  return union_schema.branches.size() == 2 && null_branch_of(union_schema) >= 0;
}

Places::Part StructPlaces::field(const void* record, size_t index) const {
  if (record == nullptr) return {};
  const FieldLayout& field = layout_at(record)->fields[index];
  return {.place = field.layout, .slot = static_cast<uint32_t>(field.offset)};
}
const void* StructPlaces::element(const void* container, Type) const {
  return container == nullptr ? nullptr : layout_at(container)->element;
}
Places::Part StructPlaces::branch(const void* place, const Schema& reader_union, size_t index) const {
  const bool has_place = place != nullptr && reader_union.branches[index]->type != Type::null;
  return {.place = has_place ? layout_at(place)->element : nullptr};
}
int64_t StructPlaces::symbol(const void* place, size_t index) const {
  return place == nullptr ? static_cast<int64_t>(index) : layout_at(place)->values[index];
}
Convert StructPlaces::convert(const void*) const { return Convert::none; }

Places::Part RowPlaces::field(const void* record, size_t index) const {
  if (record == nullptr) return {};
  const RowSlot& slot = slot_at(record)->shape->slots[index];
  return {.place = &slot, .slot = slot.offset};
}
const void* RowPlaces::element(const void* container, Type type) const {
  if (container == nullptr) return nullptr;
  const RowSlot& item = slot_at(container)->shape->slots[0];
  // A map is a run of entries. Avro's maps say key and value apart, its arrays of entries do not.
  return type == Type::map ? &item.shape->slots[1] : &item;
}
Places::Part RowPlaces::branch(const void* place, const Schema& reader_union, size_t index) const {
  if (place == nullptr || reader_union.branches[index]->type == Type::null) return {};
  if (is_optional(reader_union)) return {.place = place};
  const int null_branch = null_branch_of(reader_union);
  const size_t number = null_branch >= 0 && static_cast<size_t>(null_branch) < index ? index - 1 : index;
  return {.place = &slot_at(place)->shape->slots[number], .branch = static_cast<int32_t>(number)};
}
int64_t RowPlaces::symbol(const void*, size_t index) const { return static_cast<int64_t>(index); }

Convert RowPlaces::convert(const void* place) const {
  if (place == nullptr) return Convert::none;
  switch (slot_at(place)->shape->storage) {
    case Storage::int8: return Convert::int8;
    case Storage::int16: return Convert::int16;
    case Storage::uuid: return Convert::uuid;
    case Storage::decimal: return Convert::decimal;
    default: return Convert::none;
  }
}

}  // namespace muir::schema::avro::internal
