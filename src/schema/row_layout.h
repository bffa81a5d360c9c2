// RowLayout: where the columns of a run-time row lie, made once from the schema of a structure.
//
// A row is one buffer. Its fixed part has a place for every column: numbers as the machine has them, and for what
// varies in size the offset and length of bytes behind the fixed part. A bit per nullable column says whether it is
// there. Small structures lie within the fixed part of what holds them; large and recursive ones behind it. Items of
// arrays and maps lie in a run behind it, each with a fixed part of its own. All offsets count from the start of the
// buffer, so that a row is copied and moved as bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "schema/schema.h"

namespace muir::schema {

// How a value lies in its place.
enum class Storage : unsigned char {
  none,     // a value that is always null
  boolean,  // 1 byte
  int8,
  int16,
  int32,  // date, time(ms) and the index of an enumeration's symbol, too
  int64,  // timestamps, time(us) and time(ns), too
  float32,
  float64,
  uuid,  // 16 bytes
  text,  // offset and length, as bytes and decimal
  bytes,
  decimal,
  structure,  // its fixed part; boxed: the offset of it
  array,      // offset, number and room of the items
  map,        // as an array of entries, which are structures of a key and a value
  choice,     // of a union: the number of the branch, the offset of its value
};

struct RowShape;
class RowLayout;

// The place of one value in the fixed part around it.
struct RowSlot {
  const RowShape* shape = nullptr;
  uint32_t offset = 0;
  uint32_t presence = 0;   // how far the byte with the presence bit lies before the value
  unsigned char mask = 0;  // of that bit, set when the value is there; 0: always there
  bool boxed = false;      // a structure behind the fixed part
};

// What there is to know of a type.
struct RowShape {
  Storage storage = Storage::none;
  uint32_t size = 0;    // in its place; of a structure that lies there: all of its fixed part
  uint32_t align = 1;   // to a power of two
  uint32_t stride = 0;  // array, map: from one item to the next
  const Schema* schema = nullptr;
  std::vector<RowSlot> slots{};       // structure: of its fields; array and map: of an item; choice: of each branch
  const RowLayout* layout = nullptr;  // that it is part of
};

// Says with the slot's bit, which lies before `value` in the row, whether it is there.
inline void set_presence(const RowSlot& slot, char& value, bool there) {
  if (slot.mask == 0) return;
  char& bits = *(&value - slot.presence);
  bits = static_cast<char>(there ? bits | slot.mask : bits & ~slot.mask);
}

using RowLayoutPtr = std::shared_ptr<const RowLayout>;  // shared by every row, which outlives what made it

// Immutable, thread-safe.
class RowLayout : public std::enable_shared_from_this<RowLayout> {
 public:
  // A buffer of a row is never larger: offsets are 32 bits, and hostile data must not fill the memory.
  static constexpr size_t kRowBytesMax = size_t{128} << 20;

  // invalid_argument when `schema` is no structure, or refers to one that it does not hold.
  static Result<RowLayoutPtr> make(SchemaPtr schema);

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  [[nodiscard]] size_t columns() const { return root_.shape->slots.size(); }
  // Index of the column of that name, -1 when there is none. Look it up once, not per row.
  [[nodiscard]] int column(std::string_view name) const { return schema_->field_index(name); }
  // The place of the whole row.
  [[nodiscard]] const RowSlot& root() const { return root_; }
  // As many as the largest fixed part has: parts that were never set are read here.
  [[nodiscard]] const std::string& zeros() const { return zeros_; }

 private:
  friend class RowLayoutMaker;
  RowLayout() = default;
  SchemaPtr schema_;
  RowSlot root_;
  std::deque<RowShape> shapes_;  // addresses are stable
  std::deque<SchemaPtr> entries_;
  std::string zeros_;
};

}  // namespace muir::schema
