#include "schema/avro_value.h"

#include <algorithm>
#include <bit>

namespace muir::schema::avro {

Value Value::in_branch(int32_t branch, Value value) {
  Union held;
  held.branch = branch;
  held.held.push_back(std::move(value));
  return held;
}

bool Value::Record::operator==(const Record& other) const { return fields == other.fields; }
bool Value::Array::operator==(const Array& other) const { return items == other.items; }
bool Value::Union::operator==(const Union& other) const { return branch == other.branch && held == other.held; }

bool Value::Map::operator==(const Map& other) const {
  if (entries.size() != other.entries.size()) return false;
  auto left = entries;
  auto right = other.entries;
  const auto by_key = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(left.begin(), left.end(), by_key);
  std::stable_sort(right.begin(), right.end(), by_key);
  return left == right;
}

bool Value::operator==(const Value& other) const {
  if (data.index() != other.data.index()) return false;
  if (const auto* f = as<float>()) return std::bit_cast<uint32_t>(*f) == std::bit_cast<uint32_t>(*other.as<float>());
  if (const auto* d = as<double>()) return std::bit_cast<uint64_t>(*d) == std::bit_cast<uint64_t>(*other.as<double>());
  return data == other.data;
}

}  // namespace muir::schema::avro
