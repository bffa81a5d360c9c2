// Value: one dynamic value: a key, a field on its way through a transformation, an operand of a query. Whole records
// stay rows (row.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "schema/row.h"

namespace muir::schema {

// Numbers, flags and short texts lie within it; a structure is one row, an array one block of values. A value alone
// does not know its schema: dates and times are their numbers, an enumeration's symbol is its index. Parts do not
// change once made, so copies share them. Immutable use is thread-safe.
class Value {
 public:
  struct Blob {  // bytes
    Bytes data{};
    bool operator==(const Blob&) const = default;
  };
  struct Decimal {
    Bytes unscaled{};  // as short as can be: schema/decimal.h
    int32_t scale = 0;
    bool operator==(const Decimal&) const = default;
  };
  using List = std::vector<Value>;
  using Entries = std::vector<std::pair<Value, Value>>;  // of a map, in the order in which they were added
  struct Choice;                                         // of a union

  Value() = default;                                            // null
  Value(bool value) : data_(value) {}                           // NOLINT: implicit by design, as the next ones
  Value(int8_t value) : data_(value) {}                         // NOLINT
  Value(int16_t value) : data_(value) {}                        // NOLINT
  Value(int32_t value) : data_(value) {}                        // NOLINT
  Value(int64_t value) : data_(value) {}                        // NOLINT
  Value(float value) : data_(value) {}                          // NOLINT
  Value(double value) : data_(value) {}                         // NOLINT
  Value(Uuid value) : data_(value) {}                           // NOLINT
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT
  Value(Blob value) : data_(std::move(value)) {}                // NOLINT
  Value(Decimal value) : data_(std::move(value)) {}             // NOLINT
  Value(Row value) : data_(std::make_shared<const Row>(std::move(value))) {}          // NOLINT
  Value(List value) : data_(std::make_shared<const List>(std::move(value))) {}        // NOLINT
  Value(Entries value) : data_(std::make_shared<const Entries>(std::move(value))) {}  // NOLINT
  static Value chosen(int32_t branch, Value value);

  // What a cell holds. A structure becomes a row of its own.
  static Value of(CellView cell);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  // What it holds, or nullptr when it holds something else: bool, int8_t to int64_t, float, double, Uuid, std::string,
  // Blob, Decimal, Row, List, Entries, Choice.
  template <class T>
  [[nodiscard]] const T* as() const {
    if constexpr (std::is_same_v<T, Row> || std::is_same_v<T, List> || std::is_same_v<T, Entries> ||
                  std::is_same_v<T, Choice>) {
      const auto* shared = std::get_if<std::shared_ptr<const T>>(&data_);
      return shared == nullptr ? nullptr : shared->get();
    } else {
      return std::get_if<T>(&data_);
    }
  }

  // Sets a cell; invalid_argument when the cell is of another type, and then part of it may be set.
  [[nodiscard]] Status put(CellWriter cell) const;

  // As compare() of row_view.h is 0.
  bool operator==(const Value& other) const;
  [[nodiscard]] size_t hash() const;

 private:
  // Shared, because a value is copied as often as it is used.
  std::variant<std::monostate, bool, int8_t, int16_t, int32_t, int64_t, float, double, Uuid, std::string, Blob, Decimal,
               std::shared_ptr<const Row>, std::shared_ptr<const List>, std::shared_ptr<const Entries>,
               std::shared_ptr<const Choice>>
      data_{};
};

struct Value::Choice {
  int32_t branch = 0;
  Value value{};
  bool operator==(const Choice& other) const { return branch == other.branch && value == other.value; }
};

}  // namespace muir::schema
