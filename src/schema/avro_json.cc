#include "schema/avro_json.h"

#include <cmath>

#include "schema/avro_decode.h"
#include "schema/avro_default.h"

namespace muir::schema::avro {
namespace {

constexpr int kDepthMax = 500;

class ToJson {
 public:
  explicit ToJson(bool tag_branches) : tag_branches_(tag_branches) {}

  Result<Json> convert(const Schema& schema, const Value& value, int depth = 0) {
    if (depth > kDepthMax) return mismatch(schema);
    switch (schema.type) {
      case Type::null: return value.is_null() ? Result<Json>(Json()) : mismatch(schema);
      case Type::boolean:
        if (const auto* flag = value.as<bool>()) return Json(*flag);
        break;
      case Type::int32:
        if (const auto* number = value.as<int32_t>()) return Json(static_cast<int64_t>(*number));
        break;
      case Type::int64:
        if (const auto* number = value.as<int64_t>()) return Json(*number);
        break;
      case Type::float32:
        if (const auto* number = value.as<float>()) return from_float(*number);
        break;
      case Type::float64:
        if (const auto* number = value.as<double>()) return Json(*number);
        break;
      case Type::string:
        if (const auto* text = value.as<std::string>()) return Json(*text);
        break;
      case Type::bytes:
      case Type::fixed:
        if (const auto* blob = value.as<Value::Blob>()) return Json(text_from_bytes(blob->data));
        break;
      case Type::enumeration:
        if (const auto* symbol = value.as<Value::Symbol>();
            symbol != nullptr && symbol->index >= 0 && static_cast<size_t>(symbol->index) < schema.symbols.size()) {
          return Json(schema.symbols[static_cast<size_t>(symbol->index)]);
        }
        break;
      case Type::record: return from_record(schema, value, depth);
      case Type::array:
      case Type::map: return from_items(schema, value, depth);
      case Type::union_of: return from_union(schema, value, depth);
    }
    return mismatch(schema);
  }

 private:
  static Status mismatch(const Schema& schema) {
    return error(Code::invalid_argument, "write JSON of {}: the value has another type", schema.branch_name());
  }

  // The shortest text for the float, not for the double it widens to.
  static Json from_float(float value) {
    if (!std::isfinite(value)) return Json(static_cast<double>(value));
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return Json(Json::Number{std::move(text)});
  }

  Result<Json> from_record(const Schema& schema, const Value& value, int depth) {
    const auto* record = value.as<Value::Record>();
    if (record == nullptr || record->fields.size() != schema.fields.size()) return mismatch(schema);
    Json::Object members;
    for (size_t i = 0; i < schema.fields.size(); ++i) {
      members.push_back(
          {schema.fields[i].name, MUIR_TRY(convert(*schema.fields[i].schema, record->fields[i], depth + 1))});
    }
    return Json(std::move(members));
  }

  Result<Json> from_items(const Schema& schema, const Value& value, int depth) {
    if (const auto* array = value.as<Value::Array>(); array != nullptr && schema.type == Type::array) {
      Json::Array items;
      for (const auto& item : array->items) items.push_back(MUIR_TRY(convert(*schema.element, item, depth + 1)));
      return Json(std::move(items));
    }
    const auto* map = value.as<Value::Map>();
    if (map == nullptr || schema.type != Type::map) return mismatch(schema);
    Json::Object members;
    for (const auto& [key, item] : map->entries)
      members.push_back({key, MUIR_TRY(convert(*schema.element, item, depth + 1))});
    return Json(std::move(members));
  }

  Result<Json> from_union(const Schema& schema, const Value& value, int depth) {
    const auto* held = value.as<Value::Union>();
    if (held == nullptr || held->held.size() != 1 || held->branch < 0 ||
        static_cast<size_t>(held->branch) >= schema.branches.size())
      return mismatch(schema);
    const Schema& branch = *schema.branches[static_cast<size_t>(held->branch)];
    Json inner = MUIR_TRY(convert(branch, held->held[0], depth + 1));
    if (!tag_branches_ || branch.type == Type::null) return inner;
    return Json{{branch.branch_name(), std::move(inner)}};
  }

  bool tag_branches_;
};

// Avro's JSON encoding with its branch names; the plain form is read as a default is.
class FromJson {
 public:
  Result<Value> convert(const Schema& schema, const Json& json, int depth = 0) {
    if (depth > kDepthMax) return error(Code::invalid_argument, "read JSON: nested too deeply");
    switch (schema.type) {
      case Type::record: return to_record(schema, json, depth);
      case Type::array: {
        const auto* items = json.as_array();
        if (items == nullptr) return mismatch(schema, json);
        Value::Array array;
        for (const auto& item : *items) array.items.push_back(MUIR_TRY(convert(*schema.element, item, depth + 1)));
        return Value(std::move(array));
      }
      case Type::map: {
        const auto* members = json.as_object();
        if (members == nullptr) return mismatch(schema, json);
        Value::Map map;
        for (const auto& [key, member] : *members)
          map.entries.emplace_back(key, MUIR_TRY(convert(*schema.element, member, depth + 1)));
        return Value(std::move(map));
      }
      case Type::union_of: return to_union(schema, json, depth);
      default: return from_plain_json(schema, json);  // the forms do not differ
    }
  }

 private:
  static Status mismatch(const Schema& schema, const Json& json) {
    return error(Code::invalid_argument, "read JSON: {} is not a value of {}", json.excerpt(), schema.branch_name());
  }

  Result<Value> to_record(const Schema& schema, const Json& json, int depth) {
    if (json.as_object() == nullptr) return mismatch(schema, json);
    Value::Record record;
    for (const auto& field : schema.fields) {
      const Json* member = json.find(field.name);
      if (member == nullptr)
        return error(Code::invalid_argument, "read JSON: no value for field {} of {}", field.name, schema.name.full());
      record.fields.push_back(MUIR_TRY(convert(*field.schema, *member, depth + 1)));
    }
    return Value(std::move(record));
  }

  Result<Value> to_union(const Schema& schema, const Json& json, int depth) {
    const auto* members = json.as_object();
    for (size_t i = 0; i < schema.branches.size(); ++i) {
      const Schema& branch = *schema.branches[i];
      if (branch.type == Type::null
              ? json.is_null()
              : members != nullptr && members->size() == 1 && members->front().key == branch.branch_name()) {
        const Json& inner = branch.type == Type::null ? json : members->front().value;
        return Value::in_branch(static_cast<int32_t>(i), MUIR_TRY(convert(branch, inner, depth + 1)));
      }
    }
    return mismatch(schema, json);
  }
};

}  // namespace

Result<Json> to_avro_json(const Schema& schema, const Value& value) { return ToJson(true).convert(schema, value); }
Result<Json> to_plain_json(const Schema& schema, const Value& value) { return ToJson(false).convert(schema, value); }
Result<Value> from_avro_json(const Schema& schema, const Json& json) { return FromJson().convert(schema, json); }

Result<Value> from_plain_json(const Schema& schema, const Json& json) {
  // The encoder of defaults reads exactly this form; its bytes then decode into the value.
  Bytes bytes;
  MUIR_RETURN_IF_ERROR(encode_default(schema, json, bytes).annotate("read JSON"));
  const SchemaPtr borrowed(SchemaPtr(), &schema);  // the decoder does not outlive this call
  const auto decoder = MUIR_TRY(ValueDecoder::compile(borrowed, borrowed));
  Value value;
  MUIR_RETURN_IF_ERROR(decoder.decode(bytes, value));
  return value;
}

}  // namespace muir::schema::avro
