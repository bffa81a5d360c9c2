// Reading run-time rows: borrowed views, typed per column, without allocation.
//
// A view holds while its row lives and is not changed. Asking a value for another type than its own is a programmer's
// error and ends the process with a message; a value that is null reads as 0 or empty.
#pragma once

#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/check.h"
#include "schema/row_layout.h"
#include "schema/uuid.h"

namespace muir::schema {

class RowView;
class ListView;
class MapView;

// The storage that C++ type reads: std::string_view reads text, decimals are bytes.
template <class T>
constexpr Storage storage_of() {
  if constexpr (std::is_same_v<T, bool>) return Storage::boolean;
  if constexpr (std::is_same_v<T, int8_t>) return Storage::int8;
  if constexpr (std::is_same_v<T, int16_t>) return Storage::int16;
  if constexpr (std::is_same_v<T, int32_t>) return Storage::int32;
  if constexpr (std::is_same_v<T, int64_t>) return Storage::int64;
  if constexpr (std::is_same_v<T, float>) return Storage::float32;
  if constexpr (std::is_same_v<T, double>) return Storage::float64;
  if constexpr (std::is_same_v<T, Uuid>) return Storage::uuid;
  return Storage::none;
}

// Where bytes or items are behind the fixed part.
struct RowSpan {
  uint32_t offset = 0;
  uint32_t count = 0;
};

template <class T>
T load_raw(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

std::string_view to_string(Storage storage);

// One value.
class CellView {
 public:
  CellView(const RowSlot& slot, const char* base, size_t at) : slot_(&slot), base_(base), at_(at) {}

  [[nodiscard]] const RowSlot& slot() const { return *slot_; }
  [[nodiscard]] const Schema& schema() const { return *slot_->shape->schema; }
  [[nodiscard]] bool is_null() const {
    if (slot_->mask != 0) return (base_[at_ - slot_->presence] & static_cast<char>(slot_->mask)) == 0;
    return slot_->shape->storage == Storage::none;
  }

  // bool, int8_t to int64_t, float, double, Uuid: as Storage says, which follows from the type. An enumeration is the
  // index of its symbol, dates and times are their numbers.
  template <class T>
  [[nodiscard]] T get() const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      return text();
    } else {
      static_assert(storage_of<T>() != Storage::none,
                    "columns hold bool, int8_t to int64_t, float, double, Uuid, text");
      expect(storage_of<T>());
      return load_raw<T>(base_ + at_);
    }
  }
  [[nodiscard]] std::string_view text() const { return varying(Storage::text); }
  [[nodiscard]] BytesView bytes() const { return varying(Storage::bytes); }
  // The unscaled number: schema/decimal.h.
  [[nodiscard]] BytesView decimal() const {
    const BytesView bytes = varying(Storage::decimal);
    return bytes.empty() ? BytesView("\0", 1) : bytes;
  }
  [[nodiscard]] std::string_view symbol() const { return schema().symbols().at(static_cast<size_t>(get<int32_t>())); }
  [[nodiscard]] RowView row() const;
  [[nodiscard]] ListView list() const;
  [[nodiscard]] MapView map() const;
  // Of a union: which branch, and its value.
  [[nodiscard]] int32_t branch() const {
    expect(Storage::choice);
    return load_raw<int32_t>(base_ + at_);
  }
  [[nodiscard]] CellView held() const;

 private:
  void expect(Storage wanted) const {
    CHECK(slot_->shape->storage == wanted, "a column of {} is read as {}", to_string(slot_->shape->storage),
          to_string(wanted));
  }
  [[nodiscard]] std::string_view varying(Storage wanted) const {
    expect(wanted);
    const auto span = load_raw<RowSpan>(base_ + at_);
    return {base_ + span.offset, span.count};
  }

  const RowSlot* slot_;
  const char* base_;
  size_t at_;
};

// The columns of a structure.
class RowView {
 public:
  RowView(const RowShape& shape, const char* base, size_t at) : shape_(&shape), base_(base), at_(at) {}

  [[nodiscard]] const RowShape& shape() const { return *shape_; }
  [[nodiscard]] const Schema& schema() const { return *shape_->schema; }
  [[nodiscard]] size_t size() const { return shape_->slots.size(); }
  [[nodiscard]] CellView operator[](size_t column) const {
    CHECK(column < size(), "column {} of {}", column, size());
    const RowSlot& slot = shape_->slots[column];
    return {slot, base_, at_ + slot.offset};
  }
  [[nodiscard]] bool is_null(size_t column) const { return (*this)[column].is_null(); }
  template <class T>
  [[nodiscard]] T get(size_t column) const {
    return (*this)[column].get<T>();
  }

 private:
  const RowShape* shape_;
  const char* base_;
  size_t at_;
};

// The items of an array.
class ListView {
 public:
  ListView(const RowShape& shape, const char* base, RowSpan items) : shape_(&shape), base_(base), items_(items) {}

  [[nodiscard]] size_t size() const { return items_.count; }
  [[nodiscard]] CellView operator[](size_t index) const {
    CHECK(index < size(), "item {} of {}", index, size());
    const RowSlot& slot = shape_->slots[0];
    return {slot, base_, items_.offset + index * shape_->stride + slot.offset};
  }

 private:
  const RowShape* shape_;
  const char* base_;
  RowSpan items_;
};

// The entries of a map in the order in which they were added.
class MapView {
 public:
  explicit MapView(ListView entries) : entries_(entries) {}

  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] CellView key(size_t index) const { return entries_[index].row()[0]; }
  [[nodiscard]] CellView value(size_t index) const { return entries_[index].row()[1]; }

 private:
  ListView entries_;
};

// A total order over values of one type, the same for equal types of different layouts: null first, then as numbers,
// bytes, symbols in the order of the enumeration, items one by one; of unions by branch; floating point as Java orders
// it
// (-0.0 below 0.0, NaN above all and equal to itself). Maps are sets of entries.
int compare(CellView a, CellView b);
int compare(RowView a, RowView b);
// Equal for what compares equal.
size_t hash_of(CellView cell);
size_t hash_of(RowView row);

// JSON-like text for messages and tools.
std::string to_string(RowView row);

inline RowView CellView::row() const {
  expect(Storage::structure);
  const RowShape& shape = *slot_->shape;
  if (!slot_->boxed) return {shape, base_, at_};
  const auto at = load_raw<uint32_t>(base_ + at_);
  return at == 0 ? RowView(shape, shape.layout->zeros().data(), 0) : RowView(shape, base_, at);
}
inline ListView CellView::list() const {
  CHECK(slot_->shape->storage == Storage::array || slot_->shape->storage == Storage::map,
        "a column of {} is read as a list", to_string(slot_->shape->storage));
  return {*slot_->shape, base_, load_raw<RowSpan>(base_ + at_)};
}
inline MapView CellView::map() const {
  expect(Storage::map);
  return MapView(list());
}
inline CellView CellView::held() const {
  expect(Storage::choice);
  const auto span = load_raw<RowSpan>(base_ + at_);  // branch, offset
  const RowSlot& slot = slot_->shape->slots.at(span.offset);
  return span.count == 0 ? CellView(slot, slot_->shape->layout->zeros().data(), 0) : CellView(slot, base_, span.count);
}

}  // namespace muir::schema
