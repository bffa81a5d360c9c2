#include "schema/row_layout.h"

#include <algorithm>
#include <set>

#include "schema/schema_builder.h"

namespace muir::schema {
namespace {

// A structure larger than this lies behind the fixed part, so that types which hold each other many times stay small.
constexpr uint32_t kInlineBytesMax = 128;

struct Sized {
  Storage storage;
  uint32_t size;
  uint32_t align;
};

Sized sized(const Schema& schema) {
  switch (schema.type()) {
    case Type::null: return {Storage::none, 0, 1};
    case Type::boolean: return {Storage::boolean, 1, 1};
    case Type::int8: return {Storage::int8, 1, 1};
    case Type::int16: return {Storage::int16, 2, 2};
    case Type::int32:
    case Type::date:
    case Type::enumeration: return {Storage::int32, 4, 4};
    case Type::time:
      return schema.unit() == TimeUnit::millis ? Sized{Storage::int32, 4, 4} : Sized{Storage::int64, 8, 8};
    case Type::int64:
    case Type::timestamp: return {Storage::int64, 8, 8};
    case Type::float32: return {Storage::float32, 4, 4};
    case Type::float64: return {Storage::float64, 8, 8};
    case Type::uuid: return {Storage::uuid, 16, 1};
    case Type::string: return {Storage::text, 8, 4};
    case Type::bytes: return {Storage::bytes, 8, 4};
    case Type::decimal: return {Storage::decimal, 8, 4};
    case Type::array: return {Storage::array, 12, 4};
    case Type::map: return {Storage::map, 12, 4};
    case Type::union_of: return {Storage::choice, 8, 4};
    case Type::structure:
    case Type::reference: break;
  }
  return {Storage::structure, 4, 4};
}

constexpr uint32_t aligned(uint32_t offset, uint32_t align) { return (offset + align - 1) & ~(align - 1); }

}  // namespace

class RowLayoutMaker {
 public:
  RowLayoutMaker(RowLayout& layout, const Schema& schema) : layout_(layout) {
    if (schema.has_references()) named_ = named_structures(schema);
  }

  Result<const RowShape*> structure(const Schema& schema) {
    const auto found = structures_.find(schema.identity());
    if (found != structures_.end()) return found->second;
    RowShape& shape = add(Storage::structure, schema);
    structures_.emplace(schema.identity(), &shape);
    unfinished_.insert(&shape);
    std::vector<const Schema*> columns;
    for (const auto& field : schema.fields()) columns.push_back(field.schema.get());
    MUIR_RETURN_IF_ERROR(place(shape, columns, kInlineBytesMax));
    unfinished_.erase(&shape);
    return &shape;
  }

 private:
  RowShape& add(Storage storage, const Schema& schema) {
    RowShape& shape = layout_.shapes_.emplace_back();
    shape.storage = storage;
    shape.schema = &schema;
    shape.layout = &layout_;
    return shape;
  }

  // Gives `shape` a slot for each column, the bytes with presence bits before all of them.
  Status place(RowShape& shape, const std::vector<const Schema*>& columns, uint32_t inline_max) {
    const auto nullable =
        std::count_if(columns.begin(), columns.end(), [](const Schema* c) { return c->is_nullable(); });
    uint32_t end = static_cast<uint32_t>((nullable + 7) / 8);
    uint32_t bit = 0;
    std::vector<RowSlot> slots;
    for (const Schema* column : columns) {
      RowSlot slot = MUIR_TRY(slot_of(*column, inline_max));
      const uint32_t align = slot.boxed ? 4 : slot.shape->align;
      slot.offset = aligned(end, align);
      end = slot.offset + (slot.boxed ? 4 : slot.shape->size);
      if (end > RowLayout::kRowBytesMax / 2)
        return error(Code::invalid_argument, "row layout of {}: too many columns", layout_.schema_->name());
      if (column->is_nullable()) {
        slot.presence = slot.offset - bit / 8;
        slot.mask = static_cast<unsigned char>(1U << (bit % 8));
        ++bit;
      }
      shape.align = std::max(shape.align, align);
      slots.push_back(slot);
    }
    shape.slots = std::move(slots);
    shape.size = aligned(end, shape.align);
    largest(shape.size);
    return {};
  }

  Result<RowSlot> slot_of(const Schema& schema, uint32_t inline_max) {
    RowSlot slot;
    if (schema.type() == Type::structure || schema.type() == Type::reference) {
      const Schema* meant = &schema;
      if (schema.type() == Type::reference) {
        const auto named = named_.find(schema.name());
        if (named == named_.end())
          return error(Code::invalid_argument, "row layout of {}: there is no structure {} within it",
                       layout_.schema_->name(), schema.name());
        meant = named->second;
      }
      slot.shape = MUIR_TRY(structure(*meant));
      slot.boxed = unfinished_.contains(slot.shape) || slot.shape->size > inline_max;
      return slot;
    }
    slot.shape = MUIR_TRY(shape_of(schema));
    return slot;
  }

  Result<const RowShape*> shape_of(const Schema& schema) {
    const auto [storage, size, align] = sized(schema);
    // Types that have no parts are alike wherever they are; the rest is told apart by its node.
    const auto found = shapes_.find(&schema);
    if (found != shapes_.end()) return found->second;
    RowShape& shape = add(storage, schema);
    shapes_.emplace(&schema, &shape);
    shape.size = size;
    shape.align = align;
    if (storage == Storage::array) {
      MUIR_RETURN_IF_ERROR(place_item(shape, *schema.element()));
    } else if (storage == Storage::map) {
      auto entry = SchemaBuilder::structure().field("key", schema.key()).field("value", schema.element()).build();
      if (!entry.ok()) return entry.status();
      layout_.entries_.push_back(*entry);
      MUIR_RETURN_IF_ERROR(place_item(shape, **entry));
    } else if (storage == Storage::choice) {
      for (const auto& branch : schema.branches()) {
        RowSlot slot = MUIR_TRY(slot_of(*branch, kInlineBytesMax));
        largest(slot.boxed ? 4 : slot.shape->size);
        shape.slots.push_back(slot);
      }
    }
    return &shape;
  }

  // Items lie like structures of one column. They are behind the fixed part already: how large they are does not
  // matter.
  Status place_item(RowShape& shape, const Schema& item) {
    RowShape run;
    MUIR_RETURN_IF_ERROR(place(run, {&item}, UINT32_MAX));
    shape.slots = std::move(run.slots);
    shape.stride = run.size;
    return {};
  }

  void largest(uint32_t size) {
    if (layout_.zeros_.size() < size) layout_.zeros_.resize(size);
  }

  RowLayout& layout_;
  std::map<std::string, const Schema*, std::less<>> named_;
  std::map<const void*, const RowShape*> structures_;
  std::map<const Schema*, const RowShape*> shapes_;
  std::set<const RowShape*> unfinished_;  // their size is not known yet
};

Result<RowLayoutPtr> RowLayout::make(SchemaPtr schema) {
  if (schema == nullptr || schema->type() != Type::structure)
    return error(Code::invalid_argument, "row layout: {} is not a struct",
                 schema == nullptr ? "nothing" : schema->to_string());
  const std::shared_ptr<RowLayout> layout(new RowLayout());
  layout->schema_ = std::move(schema);
  layout->root_.shape = MUIR_TRY(RowLayoutMaker(*layout, *layout->schema_).structure(*layout->schema_));
  return RowLayoutPtr(layout);
}

}  // namespace muir::schema
