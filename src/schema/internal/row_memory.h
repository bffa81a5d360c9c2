// The buffer of a row while it is written: what both CellWriter and decoders do to it.
#pragma once

#include <algorithm>
#include <cstring>

#include "schema/row.h"

namespace muir::schema {

// Opens a Row for the functions below.
struct RowAccess {
  static Bytes& data(Row& row) { return row.data_; }
  static const Bytes& data(const Row& row) { return row.data_; }
};

namespace internal {

// Each returns false or 0 when the row would grow beyond what a row may be; 0 is in the fixed part, never behind it.

inline bool has_room(const Bytes& data, size_t more) {
  return more <= RowLayout::kRowBytesMax && data.size() + more <= RowLayout::kRowBytesMax;
}

template <class T>
void store_raw(Bytes& data, size_t at, const T& value) {
  std::memcpy(data.data() + at, &value, sizeof(T));
}

inline bool put_varying(Bytes& data, size_t at, BytesView bytes) {
  if (!has_room(data, bytes.size())) [[unlikely]]
    return false;
  store_raw(data, at, RowSpan{static_cast<uint32_t>(data.size()), static_cast<uint32_t>(bytes.size())});
  data.append(bytes);
  return true;
}

// Room for a fixed part behind what there is; where it begins.
inline size_t add_fixed(Bytes& data, size_t size) {
  // Every box and item is at an offset of its own, also where it needs no bytes.
  const size_t at = std::max<size_t>((data.size() + 7) & ~size_t{7}, 8);
  if (!has_room(data, at - data.size() + size)) [[unlikely]]
    return 0;
  data.resize(at + size);
  return at;
}

// What the slot of an array or map holds.
struct RowRun {
  uint32_t offset = 0;
  uint32_t count = 0;
  uint32_t room = 0;  // for that many items
};

// Where the new item begins. `expected`: how many are likely to follow.
size_t add_item(Bytes& data, size_t at, const RowShape& shape, size_t expected);

// The fixed part of a boxed structure whose slot is at `at`, made when there is none.
inline size_t open_box(Bytes& data, size_t at, const RowShape& shape) {
  if (const auto known = load_raw<uint32_t>(data.data() + at); known != 0) return known;
  const size_t box = add_fixed(data, shape.size);
  store_raw(data, at, static_cast<uint32_t>(box));
  return box;
}

// The value of a union's branch.
inline size_t open_branch(Bytes& data, size_t at, const RowShape& shape, int32_t branch) {
  const RowSlot& slot = shape.slots[static_cast<size_t>(branch)];
  const size_t box = add_fixed(data, slot.boxed ? sizeof(uint32_t) : slot.shape->size);
  store_raw(data, at, RowSpan{static_cast<uint32_t>(branch), static_cast<uint32_t>(box)});
  return box;
}

}  // namespace internal
}  // namespace muir::schema
