// Places of the two targets that lie flat in memory: C++ objects and rows.
#pragma once

#include "schema/internal/avro_program.h"
#include "schema/layout.h"
#include "schema/row_layout.h"

namespace muir::schema::avro::internal {

// A place is a Layout; the reader's schema is the layout's own.
class StructPlaces final : public Places {
 public:
  explicit StructPlaces(const Layout& layout) : layout_(layout) {}
  const void* root() const override { return &layout_; }
  Part field(const void* record, size_t index) const override;
  const void* element(const void* container, Type type) const override;
  Part branch(const void* place, const Schema& reader_union, size_t index) const override;
  int64_t symbol(const void* place, size_t index) const override;
  Convert convert(const void* place) const override;

 private:
  const Layout& layout_;
};

// A place is a RowSlot; the reader's schema is what from_model makes of the layout's.
class RowPlaces final : public Places {
 public:
  explicit RowPlaces(const RowLayout& layout) : layout_(layout) {}
  const void* root() const override { return &layout_.root(); }
  Part field(const void* record, size_t index) const override;
  const void* element(const void* container, Type type) const override;
  Part branch(const void* place, const Schema& reader_union, size_t index) const override;
  int64_t symbol(const void* place, size_t index) const override;
  Convert convert(const void* place) const override;

 private:
  const RowLayout& layout_;
};

// Where null is among the branches of a union, -1 when it is none.
int null_branch_of(const Schema& union_schema);
// Whether a union is a nullable type and no choice: null and one other.
bool is_optional(const Schema& union_schema);

}  // namespace muir::schema::avro::internal
