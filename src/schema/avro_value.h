// avro::Value: one datum of an avro::Schema, as a tree. For tools, REST and conversions; hot paths decode into user
// types or rows instead.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace muir::schema::avro {

// A value alone does not know its schema: a record's fields are by position, an enum's symbol and a union's branch
// by index. Value semantics; immutable use is thread-safe.
class Value {
 public:
  struct Blob {  // bytes, fixed
    Bytes data{};
    bool operator==(const Blob&) const = default;
  };
  struct Symbol {  // enumeration
    int32_t index = 0;
    bool operator==(const Symbol&) const = default;
  };
  struct Record {
    std::vector<Value> fields{};
    bool operator==(const Record&) const;
  };
  struct Array {
    std::vector<Value> items{};
    bool operator==(const Array&) const;
  };
  struct Map {  // in the order of insertion
    std::vector<std::pair<std::string, Value>> entries{};
    bool operator==(const Map&) const;
  };
  struct Union {
    int32_t branch = 0;
    std::vector<Value> held{};  // exactly one
    bool operator==(const Union&) const;
  };
  using Data = std::variant<std::monostate, bool, int32_t, int64_t, float, double, std::string, Blob, Symbol, Record,
                            Array, Map, Union>;

  Value() = default;  // null
  template <class T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Value> &&
           std::is_constructible_v<Data, std::in_place_type_t<std::remove_cvref_t<T>>, T>) Value(T&& value)
      : data(std::in_place_type<std::remove_cvref_t<T>>, std::forward<T>(value)) {}  // NOLINT: implicit by design
  Value(const char* text) : data(std::string(text)) {}                               // NOLINT

  static Value in_branch(int32_t branch, Value value);

  // What it holds, or nullptr when it holds something else.
  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data);
  }
  template <class T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&data);
  }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data); }

  // Equal bit by bit, NaN included; maps as sets of entries.
  bool operator==(const Value& other) const;

  Data data{};
};

}  // namespace muir::schema::avro
