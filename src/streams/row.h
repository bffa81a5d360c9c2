// Row: a record in flight between two operators, its types erased. Borrowed for the call: a hop costs no allocation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "streams/record.h"

namespace muir::streams {

struct Row {
  const void* key = nullptr;
  const void* value = nullptr;
  int64_t timestamp_ms = 0;
  Headers headers{};
  // Tables whose readers ask for it: what the key had before; null: nothing.
  const void* old_value = nullptr;
  // Of tables: false when a later version of the key is there already, as only versioned stores know.
  bool is_latest = true;

  [[nodiscard]] Row with_value(const void* other) const { return {key, other, timestamp_ms, headers}; }
  [[nodiscard]] Row with_key(const void* other) const { return {other, value, timestamp_ms, headers}; }
};

// What an operator may do with the rows that it makes.
class Downstream {
 public:
  virtual ~Downstream() = default;
  // To every child, depth first, in the order in which they were added.
  virtual Status forward(const Row& row) = 0;
  // To one child, by its position.
  virtual Status forward_to(size_t child, const Row& row) = 0;
  // Counts a record that the operator's rules drop.
  virtual void drop() = 0;
};

}  // namespace muir::streams
