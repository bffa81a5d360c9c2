#include "schema/internal/avro_mapping.h"

#include <cstring>

#include "schema/avro_default.h"
#include "schema/avro_model.h"
#include "schema/decimal.h"
#include "schema/schema_builder.h"
#include "schema/uuid.h"

namespace muir::schema::avro {

bool is_avro_map(const schema::Schema& map) { return *map.key() == *basic(schema::Type::string); }

namespace internal {
namespace {

std::string_view logical_type_of(const schema::Schema& schema) {
  static constexpr std::string_view kTimes[]{"time-millis", "time-micros", ""};
  static constexpr std::string_view kInstants[]{"timestamp-millis", "timestamp-micros", "timestamp-nanos"};
  static constexpr std::string_view kLocal[]{"local-timestamp-millis", "local-timestamp-micros",
                                             "local-timestamp-nanos"};
  const auto unit = static_cast<size_t>(schema.unit());
  switch (schema.type()) {
    case schema::Type::decimal: return "decimal";
    case schema::Type::date: return "date";
    case schema::Type::time: return kTimes[unit];
    case schema::Type::timestamp: return schema.has_zone() ? kInstants[unit] : kLocal[unit];
    case schema::Type::uuid: return "uuid";
    default: return "";
  }
}

std::optional<int64_t> fixed_size(const schema::Schema& schema) {
  const auto* size = annotation(schema.annotations(), kFixed);
  return size == nullptr ? std::nullopt : Json(Json::Number{*size}).as_int64();
}

// Sign-extended when the type is fixed.
Json decimal_to_avro(const schema::Schema& schema, const Json& json) {
  const auto* number = json.as_number();
  auto bytes = number == nullptr ? std::nullopt : decimal_from_text(number->text, schema.precision(), schema.scale());
  if (!bytes) return json;
  if (const auto size = fixed_size(schema); size && *size > static_cast<int64_t>(bytes->size()))
    bytes->insert(0, static_cast<size_t>(*size) - bytes->size(),
                  static_cast<signed char>((*bytes)[0]) < 0 ? '\xFF' : '\0');
  return text_from_bytes(*bytes);
}

Json decimal_from_avro(const schema::Schema& schema, const Json& json) {
  const auto* text = json.as_string();
  const auto bytes = text == nullptr ? Result<Bytes>(Bytes()) : bytes_from_text(*text);
  if (!bytes.ok() || bytes->empty()) return json;
  return Json::Number{decimal_text(*bytes, schema.scale())};
}

// A uuid that is fixed in Avro.
Json uuid_to_avro(const Json& json) {
  const auto uuid = json.as_string() == nullptr ? std::nullopt : Uuid::parse(*json.as_string());
  if (!uuid) return json;
  return text_from_bytes({reinterpret_cast<const char*>(uuid->bytes.data()), uuid->bytes.size()});
}
Json uuid_from_avro(const Json& json) {
  const auto bytes = json.as_string() == nullptr ? Result<Bytes>(Bytes()) : bytes_from_text(*json.as_string());
  Uuid uuid;
  if (!bytes.ok() || bytes->size() != uuid.bytes.size()) return json;
  std::memcpy(uuid.bytes.data(), bytes->data(), uuid.bytes.size());
  return uuid.to_string();
}

bool has_string_keys(const schema::Schema& map) {
  return map.key()->type() == schema::Type::string && !map.key()->is_nullable();
}

// Goes through the parts of a default in either direction.
class DefaultMapper {
 public:
  explicit DefaultMapper(bool to_avro) : to_avro_(to_avro) {}

  Json map(const schema::Schema& schema, const Json& json) const {
    if (json.is_null()) return json;
    switch (schema.type()) {
      case schema::Type::decimal: return to_avro_ ? decimal_to_avro(schema, json) : decimal_from_avro(schema, json);
      case schema::Type::uuid:
        if (!fixed_size(schema)) return json;
        return to_avro_ ? uuid_to_avro(json) : uuid_from_avro(json);
      case schema::Type::array: return map_array(schema, json);
      case schema::Type::map: return is_avro_map(schema) ? map_members(schema, json) : map_entries(schema, json);
      case schema::Type::structure: return map_fields(schema, json);
      default: return json;
    }
  }

 private:
  Json map_array(const schema::Schema& schema, const Json& json) const {
    if (json.as_array() == nullptr) return json;
    Json::Array out;
    for (const auto& item : *json.as_array()) out.push_back(map(*schema.element(), item));
    return out;
  }
  Json map_members(const schema::Schema& schema, const Json& json) const {
    if (json.as_object() == nullptr) return json;
    Json::Object out;
    for (const auto& [key, value] : *json.as_object()) out.push_back({key, map(*schema.element(), value)});
    return out;
  }
  Json map_fields(const schema::Schema& schema, const Json& json) const {
    if (json.as_object() == nullptr) return json;
    Json::Object out;
    for (const auto& [key, value] : *json.as_object()) {
      const int field = schema.field_index(key);
      out.push_back({key, field < 0 ? value : map(*schema.fields()[static_cast<size_t>(field)].schema, value)});
    }
    return out;
  }

  // [[k, v]] or, with keys that are strings but not plain ones, {"k": v} is [{"key": k, "value": v}] in Avro.
  Json map_entries(const schema::Schema& schema, const Json& json) const {
    return to_avro_ ? entries_to_avro(schema, json) : entries_from_avro(schema, json);
  }
  Json entries_to_avro(const schema::Schema& schema, const Json& json) const {
    Json::Array out;
    if (const auto* members = json.as_object(); members != nullptr && has_string_keys(schema)) {
      for (const auto& [key, value] : *members) out.push_back({{"key", key}, {"value", map(*schema.element(), value)}});
      return out;
    }
    if (json.as_array() == nullptr) return json;
    for (const auto& pair : *json.as_array()) {
      const auto* parts = pair.as_array();
      if (parts == nullptr || parts->size() != 2) return json;
      out.push_back({{"key", map(*schema.key(), (*parts)[0])}, {"value", map(*schema.element(), (*parts)[1])}});
    }
    return out;
  }
  Json entries_from_avro(const schema::Schema& schema, const Json& json) const {
    if (json.as_array() == nullptr) return json;
    const bool as_object = has_string_keys(schema);
    Json::Array pairs;
    Json::Object members;
    for (const auto& entry : *json.as_array()) {
      const Json* key = entry.find("key");
      const Json* value = entry.find("value");
      if (key == nullptr || value == nullptr) return json;
      if (!as_object) {
        pairs.push_back(Json::Array{map(*schema.key(), *key), map(*schema.element(), *value)});
      } else if (key->as_string() != nullptr) {
        members.push_back({*key->as_string(), map(*schema.element(), *value)});
      }
    }
    return as_object ? Json(std::move(members)) : Json(std::move(pairs));
  }

  const bool to_avro_;
};

}  // namespace

bool is_named(const schema::Schema& schema) {
  return schema.type() == schema::Type::structure || schema.type() == schema::Type::enumeration ||
         annotation(schema.annotations(), kFixed) != nullptr;
}

std::vector<JsonMember> properties_of(const schema::Schema& schema, bool with_default) {
  std::vector<JsonMember> out;
  const auto add = [&](std::string_view key, Json value) { out.push_back({std::string(key), std::move(value)}); };
  if (schema.type() == schema::Type::int8 || schema.type() == schema::Type::int16)
    add(kConnectType, schema::to_string(schema.type()));
  if (const auto logical = logical_type_of(schema); !logical.empty()) add("logicalType", logical);
  if (schema.type() == schema::Type::decimal) {
    add("precision", static_cast<int64_t>(schema.precision()));
    add("scale", static_cast<int64_t>(schema.scale()));
  }
  if (schema.type() == schema::Type::time && schema.unit() == TimeUnit::nanos) add(kMuirType, "time-nanos");
  if (is_named(schema)) {
    if (schema.name().empty()) add(kUnnamed, true);
  } else {
    if (!schema.name().empty()) add(kConnectName, schema.name());
    if (schema.doc()) add(kConnectDoc, *schema.doc());
  }
  if (schema.version()) add(kConnectVersion, static_cast<int64_t>(*schema.version()));
  if (!schema.parameters().empty()) {
    Json::Object parameters;
    for (const auto& [key, value] : schema.parameters()) parameters.push_back({key, value});
    add(kConnectParameters, std::move(parameters));
  }
  if (with_default && schema.default_value() != nullptr)
    add(kConnectDefault, default_from_model(schema, *schema.default_value()));
  return out;
}

Json default_to_model(const schema::Schema& schema, const Json& json) { return DefaultMapper(false).map(schema, json); }
Json default_from_model(const schema::Schema& schema, const Json& json) {
  return DefaultMapper(true).map(schema, json);
}

size_t usual_null_place(size_t others, const Json* default_value) {
  return default_value != nullptr && !default_value->is_null() ? others : 0;
}

}  // namespace internal
}  // namespace muir::schema::avro
