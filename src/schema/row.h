// Row: a run-time row that owns its buffer, and how its columns are written.
//
//   Row row(layout);
//   row[layout->column("vehicle")].set("V1");
//   row[2].set(52.25);
//   const double lat = row.view().get<double>(2);
#pragma once

#include <utility>

#include "schema/row_view.h"

namespace muir::schema {

class RowWriter;
class ListWriter;

// One value of a row that is being made. Setting it makes it be there; null is for what is nullable. Text, items and
// boxed parts that are replaced leave their old bytes behind until the row is reset. Used by one thread, while its row
// lives. A row that grows beyond RowLayout::kRowBytesMax ends the process: whoever fills rows from outside bytes looks
// at Row::bytes() first.
class CellWriter {
 public:
  CellWriter(const RowSlot& slot, Bytes& data, size_t at) : slot_(&slot), data_(&data), at_(at) {}

  [[nodiscard]] const RowSlot& slot() const { return *slot_; }
  [[nodiscard]] CellView view() const { return {*slot_, data_->data(), at_}; }

  // As CellView::get.
  template <class T>
  void set(T value) {
    if constexpr (std::is_convertible_v<T, std::string_view>) {
      set_varying(Storage::text, value);
    } else {
      static_assert(storage_of<T>() != Storage::none,
                    "columns hold bool, int8_t to int64_t, float, double, Uuid, text");
      expect(storage_of<T>());
      mark();
      std::memcpy(data_->data() + at_, &value, sizeof(T));
    }
  }
  void set_null();
  void set_bytes(BytesView bytes) { set_varying(Storage::bytes, bytes); }
  void set_decimal(BytesView unscaled);
  [[nodiscard]] RowWriter row() const;    // keeps what is set in it
  [[nodiscard]] ListWriter list() const;  // without items
  // Entries of a map are appended as to a list: each is a row of a key and a value.
  [[nodiscard]] ListWriter map() const;
  // Of a union.
  [[nodiscard]] CellWriter choose(int32_t branch) const;
  // The value of a cell of an equal type, from any row but this one.
  void assign(CellView from) const;

 private:
  void expect(Storage wanted) const {
    CHECK(slot_->shape->storage == wanted, "a column of {} is written as {}", to_string(slot_->shape->storage),
          to_string(wanted));
  }
  void mark() const { set_presence(*slot_, (*data_)[at_], true); }
  void set_varying(Storage kind, BytesView bytes);

  const RowSlot* slot_;
  Bytes* data_;
  size_t at_;
};

class RowWriter {
 public:
  RowWriter(const RowShape& shape, Bytes& data, size_t at) : shape_(&shape), data_(&data), at_(at) {}

  [[nodiscard]] size_t size() const { return shape_->slots.size(); }
  [[nodiscard]] CellWriter operator[](size_t column) const {
    CHECK(column < size(), "column {} of {}", column, size());
    const RowSlot& slot = shape_->slots[column];
    return {slot, *data_, at_ + slot.offset};
  }

 private:
  const RowShape* shape_;
  Bytes* data_;
  size_t at_;
};

class ListWriter {
 public:
  ListWriter(const RowShape& shape, Bytes& data, size_t at) : shape_(&shape), data_(&data), at_(at) {}

  // A new item at the end, zero, empty or null.
  [[nodiscard]] CellWriter append() const;

 private:
  const RowShape* shape_;
  Bytes* data_;
  size_t at_;
};

// A row of a layout; without one it holds nothing. Copying copies the buffer. Immutable use is thread-safe.
class Row {
 public:
  Row() = default;
  // Numbers are 0, texts and lists empty, what is nullable null.
  explicit Row(RowLayoutPtr layout) { reset(layout); }
  // A copy of a row or of a structure within one, which keeps that one's layout alive.
  static Row of(RowView view);

  [[nodiscard]] bool empty() const { return layout_ == nullptr; }
  // The layout that it is laid out by: of itself, or of what it was a structure within.
  [[nodiscard]] const RowLayoutPtr& layout() const { return layout_; }
  // To what a new row is; keeps the buffer's memory.
  void reset() {
    if (layout_ != nullptr) data_.assign(shape_->size, '\0');
  }
  void reset(const RowLayoutPtr& layout) {
    if (layout_ != layout) layout_ = layout;
    shape_ = layout->root().shape;
    reset();
  }

  [[nodiscard]] RowView view() const {
    CHECK(layout_ != nullptr, "a row without a layout is read");
    return {*shape_, data_.data(), 0};
  }
  template <class T>
  [[nodiscard]] T get(size_t column) const {
    return view().get<T>(column);
  }
  [[nodiscard]] bool is_null(size_t column) const { return view().is_null(column); }
  [[nodiscard]] CellWriter operator[](size_t column) {
    CHECK(layout_ != nullptr, "a row without a layout is written");
    return RowWriter(*shape_, data_, 0)[column];
  }
  [[nodiscard]] size_t bytes() const { return data_.size(); }

  // Of equal fields, compares equal.
  bool operator==(const Row& other) const;
  [[nodiscard]] size_t hash() const { return layout_ == nullptr ? 0 : hash_of(view()); }

 private:
  friend struct RowAccess;  // decoders write the buffer itself: internal/row_memory.h
  RowLayoutPtr layout_{};
  const RowShape* shape_ = nullptr;  // of layout_
  Bytes data_{};
};

}  // namespace muir::schema

template <>
struct std::hash<muir::schema::Row> {
  size_t operator()(const muir::schema::Row& row) const noexcept { return row.hash(); }
};
