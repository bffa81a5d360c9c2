// Random schemas and rows of them, drawn from a seed: for property tests.
#pragma once

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "schema/decimal.h"
#include "schema/row.h"
#include "schema/schema_builder.h"

namespace muir::schema {

// Schemas have everything that the model has, as long as Avro can tell the branches of their unions apart.
class RandomSchema {
 public:
  explicit RandomSchema(uint32_t seed) : random_(seed) {}

  // A structure.
  SchemaPtr schema() {
    names_ = 0;
    open_.clear();
    return structure(0);
  }

  // Sets every column of a row that is new.
  void fill(Row& row) {
    parts_left_ = 200;
    for (size_t i = 0; i < row.view().size(); ++i) fill(row[i], 0);
  }

 private:
  static constexpr int kDepthMax = 3;

  size_t below(size_t n) { return random_() % n; }
  bool once_in(size_t n) { return below(n) == 0; }
  std::string new_name(std::string_view prefix) {
    return fmt::format("{}{}{}", once_in(3) ? "" : (once_in(2) ? "x." : "x.y."), prefix, names_++);
  }
  std::string text() {
    static constexpr std::string_view kTexts[]{"", "a", "V1234", "zażółć",
                                               "a somewhat longer text than fits in a string"};
    return std::string(kTexts[below(std::size(kTexts))]);
  }

  SchemaPtr structure(int depth) {
    const std::string name = depth == 0 || !once_in(4) ? new_name("S") : "";
    if (!name.empty()) open_.push_back(name);
    auto builder = SchemaBuilder::structure(name);
    for (size_t count = below(depth == 0 ? 12 : 5); count > 0; --count) {
      FieldAttributes attributes;
      if (once_in(5)) attributes.doc = text();
      builder.field(fmt::format("f{}", names_++), type(depth + 1, true), std::move(attributes));
    }
    if (once_in(4)) builder.doc(text());
    if (once_in(6)) builder.version(static_cast<int32_t>(below(9)));
    if (once_in(6)) builder.parameter("k", text());
    if (!name.empty()) open_.pop_back();
    return builder.build().value();
  }

  SchemaPtr type(int depth, bool is_field) {
    auto builder = depth < kDepthMax && once_in(2) ? compound(depth) : simple();
    const SchemaPtr plain = builder.build().value();
    if (plain->type() == Type::null) return plain;
    if (once_in(3) || plain->type() == Type::reference) builder.nullable();
    if (is_field && once_in(4)) builder.default_value(default_of(*plain, plain->type() == Type::reference));
    auto built = builder.build();
    return built.ok() ? *built : plain->type() == Type::reference ? builder.no_default().build().value() : plain;
  }

  SchemaBuilder simple() {
    static constexpr Type kTypes[]{Type::null,  Type::boolean, Type::int8,    Type::int16, Type::int32,
                                   Type::int64, Type::float32, Type::float64, Type::bytes, Type::date,
                                   Type::uuid,  Type::string,  Type::string,  Type::int64};
    static constexpr TimeUnit kUnits[]{TimeUnit::millis, TimeUnit::micros, TimeUnit::nanos};
    switch (below(6)) {
      case 0: return SchemaBuilder::decimal(static_cast<int32_t>(1 + below(30)), 0);
      case 1: return SchemaBuilder::time(kUnits[below(3)]);
      case 2: return SchemaBuilder::timestamp(kUnits[below(3)], once_in(2));
      default: {
        SchemaBuilder out(kTypes[below(std::size(kTypes))]);
        if (once_in(10)) out.doc(text()).name("org.example.Named").version(3).parameter("a", "b");
        return out;
      }
    }
  }

  SchemaBuilder compound(int depth) {
    switch (below(7)) {
      case 0: return SchemaBuilder::array(type(depth + 1, false));
      case 1: return SchemaBuilder::map(basic(Type::string), type(depth + 1, false));
      case 2: return SchemaBuilder::map(type(depth + 1, false), type(depth + 1, false));
      case 3: return SchemaBuilder::enumeration(new_name("E"), {"A", "B", "C"});
      case 4: return SchemaBuilder::union_of({basic(Type::string), basic(Type::int64), structure(depth + 1)});
      case 5:
        if (!open_.empty()) return SchemaBuilder::reference(open_[below(open_.size())]);
        [[fallthrough]];
      default: return SchemaBuilder(*structure(depth + 1));
    }
  }

  Json default_of(const Schema& schema, bool null) {
    if (null) return {};
    switch (schema.type()) {
      case Type::boolean: return once_in(2);
      case Type::int8:
      case Type::int16:
      case Type::int32:
      case Type::int64:
      case Type::date:
      case Type::time:
      case Type::timestamp: return static_cast<int>(below(100));
      case Type::float32:
      case Type::float64: return 0.5;
      case Type::decimal: return Json::Number{std::to_string(below(10))};
      case Type::string: return text();
      case Type::bytes: return "\xC3\xBF";
      case Type::enumeration: return "B";
      case Type::array: return Json::Array();
      case Type::map:
        return schema.key()->type() == Type::string && !schema.key()->is_nullable() ? Json(Json::Object())
                                                                                    : Json(Json::Array());
      default: return {};  // no value of it: the schema stays without
    }
  }

  void fill(CellWriter cell, int depth) {
    const bool enough = --parts_left_ < 0 || depth > 8;
    if (cell.slot().mask != 0 && (enough || once_in(3))) return cell.set_null();
    const RowShape& shape = *cell.slot().shape;
    switch (shape.storage) {
      case Storage::structure: {
        const RowWriter row = cell.row();
        for (size_t i = 0; i < row.size(); ++i) fill(row[i], depth + 1);
        return;
      }
      case Storage::array: {
        const ListWriter list = cell.list();
        for (size_t count = enough ? 0 : below(4); count > 0; --count) fill(list.append(), depth + 1);
        return;
      }
      case Storage::map: {
        const ListWriter map = cell.map();
        for (size_t count = enough ? 0 : below(4); count > 0; --count) {
          const RowWriter entry = map.append().row();
          fill(entry[0], depth + 1);
          fill(entry[1], depth + 1);
        }
        return;
      }
      case Storage::choice: {
        const auto branch = static_cast<int32_t>(below(shape.slots.size()));
        return fill(cell.choose(branch), depth + 1);
      }
      default: fill_simple(cell);
    }
  }

  void fill_simple(CellWriter cell) {
    const auto integer = [&]<class T>(T) {
      static constexpr T kValues[]{0, 1, -1, 64, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
      cell.set(kValues[below(std::size(kValues))]);
    };
    switch (cell.slot().shape->storage) {
      case Storage::boolean: return cell.set(once_in(2));
      case Storage::int8: return integer(int8_t{});
      case Storage::int16: return integer(int16_t{});
      case Storage::int32:
        if (cell.slot().shape->schema->type() == Type::enumeration) return cell.set(static_cast<int32_t>(below(3)));
        return integer(int32_t{});
      case Storage::int64: return integer(int64_t{});
      case Storage::float32: return cell.set(once_in(5) ? std::numeric_limits<float>::quiet_NaN() : 1.5F);
      case Storage::float64: return cell.set(once_in(5) ? -0.0 : 52.25);
      case Storage::uuid: {
        Uuid uuid;
        for (auto& byte : uuid.bytes) byte = static_cast<unsigned char>(random_());
        return cell.set(uuid);
      }
      case Storage::text: return cell.set(text());
      case Storage::bytes: return cell.set_bytes(once_in(2) ? text() : std::string("\0\xff", 2));
      case Storage::decimal: return cell.set_decimal(decimal_from_int64(static_cast<int64_t>(random_()) - INT32_MAX));
      default: return;
    }
  }

  std::mt19937 random_;
  int names_ = 0;
  int parts_left_ = 0;
  std::vector<std::string> open_;  // structures being made
};

}  // namespace muir::schema
