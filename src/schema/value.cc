#include "schema/value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace muir::schema {
namespace {

// All NaN are one value, as compare() of rows has them.
uint64_t bits_of(double value) {
  return std::bit_cast<uint64_t>(std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
}

size_t mix(size_t a, size_t b) { return (a ^ b) * 0x9e3779b97f4a7c15U + (a << 6) + (a >> 2); }

using EntryPointers = std::vector<std::pair<size_t, const std::pair<Value, Value>*>>;

EntryPointers by_hash(const Value::Entries& entries) {
  EntryPointers out;
  for (const auto& entry : entries) out.emplace_back(mix(entry.first.hash(), entry.second.hash()), &entry);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

// In any order: those of one hash are permuted, which are few.
bool same_entries(const Value::Entries& a, const Value::Entries& b) {
  const auto left = by_hash(a);
  const auto right = by_hash(b);
  if (left.size() != right.size()) return false;
  for (size_t begin = 0, end = 0; begin < left.size(); begin = end) {
    while (end < left.size() && left[end].first == left[begin].first) ++end;
    const auto at = [](const EntryPointers& entries, size_t index) {
      return entries.begin() + static_cast<std::ptrdiff_t>(index);
    };
    if (!std::is_permutation(at(left, begin), at(left, end), at(right, begin), at(right, end),
                             [](const auto& x, const auto& y) { return x.first == y.first && *x.second == *y.second; }))
      return false;
  }
  return true;
}

struct Hasher {
  size_t operator()(std::monostate) const { return 1; }
  size_t operator()(float value) const { return bits_of(value); }
  size_t operator()(double value) const { return bits_of(value); }
  size_t operator()(const Uuid& value) const {
    return (*this)(std::string(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()));
  }
  size_t operator()(const std::string& text) const { return std::hash<std::string>()(text); }
  size_t operator()(const Value::Blob& blob) const { return (*this)(blob.data); }
  size_t operator()(const Value::Decimal& decimal) const { return (*this)(decimal.unscaled); }
  size_t operator()(const std::shared_ptr<const Row>& row) const { return row->hash(); }
  size_t operator()(const std::shared_ptr<const Value::List>& list) const {
    size_t out = list->size();
    for (const auto& item : *list) out = mix(out, item.hash());
    return out;
  }
  size_t operator()(const std::shared_ptr<const Value::Entries>& entries) const {
    size_t out = entries->size();
    for (const auto& [key, value] : *entries) out += mix(key.hash(), value.hash());  // in any order
    return out;
  }
  size_t operator()(const std::shared_ptr<const Value::Choice>& choice) const {
    return mix(static_cast<size_t>(choice->branch), choice->value.hash());
  }
  size_t operator()(auto integer) const { return std::hash<int64_t>()(integer); }
};

Status mismatch(CellWriter cell) {
  return error(Code::invalid_argument, "the value is none of {}", cell.slot().shape->schema->to_string());
}

Status put_list(const Value::List& list, CellWriter cell) {
  const ListWriter target = cell.list();
  for (const auto& item : list) MUIR_RETURN_IF_ERROR(item.put(target.append()));
  return {};
}

Status put_entries(const Value::Entries& entries, CellWriter cell) {
  const ListWriter target = cell.map();
  for (const auto& [key, value] : entries) {
    const RowWriter entry = target.append().row();
    MUIR_RETURN_IF_ERROR(key.put(entry[0]));
    MUIR_RETURN_IF_ERROR(value.put(entry[1]));
  }
  return {};
}

}  // namespace

Value Value::chosen(int32_t branch, Value value) {
  Value out;
  out.data_ = std::make_shared<const Choice>(Choice{branch, std::move(value)});
  return out;
}

Value Value::of(CellView cell) {
  if (cell.is_null()) return {};
  switch (cell.slot().shape->storage) {
    case Storage::none: return {};
    case Storage::boolean: return cell.get<bool>();
    case Storage::int8: return cell.get<int8_t>();
    case Storage::int16: return cell.get<int16_t>();
    case Storage::int32: return cell.get<int32_t>();
    case Storage::int64: return cell.get<int64_t>();
    case Storage::float32: return cell.get<float>();
    case Storage::float64: return cell.get<double>();
    case Storage::uuid: return cell.get<Uuid>();
    case Storage::text: return cell.text();
    case Storage::bytes: return Blob{Bytes(cell.bytes())};
    case Storage::decimal: return Decimal{Bytes(cell.decimal()), cell.schema().scale()};
    case Storage::structure: return Row::of(cell.row());
    case Storage::array: {
      const ListView list = cell.list();
      List items;
      items.reserve(list.size());
      for (size_t i = 0; i < list.size(); ++i) items.push_back(of(list[i]));
      return items;
    }
    case Storage::map: {
      const MapView map = cell.map();
      Entries entries;
      entries.reserve(map.size());
      for (size_t i = 0; i < map.size(); ++i) entries.emplace_back(of(map.key(i)), of(map.value(i)));
      return entries;
    }
    case Storage::choice: return chosen(cell.branch(), of(cell.held()));
  }
  return {};
}

Status Value::put(CellWriter cell) const {
  const RowShape& shape = *cell.slot().shape;
  if (is_null()) {
    if (cell.slot().mask == 0 && shape.storage != Storage::none) return mismatch(cell);
    return cell.set_null(), Status();
  }
  const auto set = [&](const auto* value) { return value == nullptr ? mismatch(cell) : (cell.set(*value), Status()); };
  switch (shape.storage) {
    case Storage::none: return mismatch(cell);
    case Storage::boolean: return set(as<bool>());
    case Storage::int8: return set(as<int8_t>());
    case Storage::int16: return set(as<int16_t>());
    case Storage::int32: {
      const auto* number = as<int32_t>();
      const bool is_symbol = shape.schema->type() == Type::enumeration;
      if (number != nullptr && is_symbol &&
          (*number < 0 || static_cast<size_t>(*number) >= shape.schema->symbols().size()))
        return mismatch(cell);
      return set(number);
    }
    case Storage::int64: return set(as<int64_t>());
    case Storage::float32: return set(as<float>());
    case Storage::float64: return set(as<double>());
    case Storage::uuid: return set(as<Uuid>());
    case Storage::text: return set(as<std::string>());
    case Storage::bytes:
      if (const auto* blob = as<Blob>()) return cell.set_bytes(blob->data), Status();
      break;
    case Storage::decimal:
      if (const auto* decimal = as<Decimal>();
          decimal != nullptr && !decimal->unscaled.empty() && decimal->scale == shape.schema->scale())
        return cell.set_decimal(decimal->unscaled), Status();
      break;
    case Storage::structure:
      if (const auto* row = as<Row>();
          row != nullptr && !row->empty() && row->view().schema().fields() == shape.schema->fields()) {
        const RowWriter target = cell.row();
        for (size_t i = 0; i < target.size(); ++i) target[i].assign(row->view()[i]);
        return {};
      }
      break;
    case Storage::array:
      if (const auto* list = as<List>()) return put_list(*list, cell);
      break;
    case Storage::map:
      if (const auto* entries = as<Entries>()) return put_entries(*entries, cell);
      break;
    case Storage::choice:
      if (const auto* choice = as<Choice>();
          choice != nullptr && choice->branch >= 0 && static_cast<size_t>(choice->branch) < shape.slots.size())
        return choice->value.put(cell.choose(choice->branch));
      break;
  }
  return mismatch(cell);
}

bool Value::operator==(const Value& other) const {
  if (data_.index() != other.data_.index()) return false;
  if (const auto* number = as<float>()) return bits_of(*number) == bits_of(*other.as<float>());
  if (const auto* number = as<double>()) return bits_of(*number) == bits_of(*other.as<double>());
  if (const auto* row = as<Row>()) return *row == *other.as<Row>();
  if (const auto* list = as<List>()) return *list == *other.as<List>();
  if (const auto* entries = as<Entries>()) return same_entries(*entries, *other.as<Entries>());
  if (const auto* choice = as<Choice>()) return *choice == *other.as<Choice>();
  return data_ == other.data_;
}

size_t Value::hash() const { return mix(data_.index(), std::visit(Hasher(), data_)); }

}  // namespace muir::schema
