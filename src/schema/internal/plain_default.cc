#include "schema/internal/plain_default.h"

#include <algorithm>

#include "schema/avro_default.h"
#include "schema/decimal.h"
#include "schema/uuid.h"

namespace muir::schema::internal {
namespace {

// Trying the branches of nested unions takes exponential time on hostile schemas; real defaults need a few steps.
constexpr int kStepsMax = 100'000;

struct IntegerRange {
  int64_t least;
  int64_t most;
};

// Of types whose values are integers.
std::optional<IntegerRange> range_of(const Schema& schema) {
  constexpr int64_t kDayMillis = 86'400'000;
  switch (schema.type()) {
    case Type::int8: return IntegerRange{INT8_MIN, INT8_MAX};
    case Type::int16: return IntegerRange{INT16_MIN, INT16_MAX};
    case Type::int32:
    case Type::date: return IntegerRange{INT32_MIN, INT32_MAX};
    case Type::int64:
    case Type::timestamp: return IntegerRange{INT64_MIN, INT64_MAX};
    case Type::time: {
      const int64_t units = schema.unit() == TimeUnit::millis   ? 1
                            : schema.unit() == TimeUnit::micros ? 1000
                                                                : 1'000'000;
      return IntegerRange{0, kDayMillis * units - 1};
    }
    default: return std::nullopt;
  }
}

class Checker {
 public:
  Status check(const Schema& schema, const Json& json) {
    if (++steps_ > kStepsMax) return error(Code::invalid_argument, "the value has too many parts");
    if (json.is_null()) return schema.is_nullable() || schema.type() == Type::null ? Status() : mismatch(schema, json);
    if (const auto range = range_of(schema)) {
      const auto number = json.as_int64();
      return number && *number >= range->least && *number <= range->most ? Status() : mismatch(schema, json);
    }
    switch (schema.type()) {
      case Type::array: return check_array(schema, json);
      case Type::map: return check_map(schema, json);
      case Type::structure: return check_structure(schema, json);
      case Type::union_of: return check_union(schema, json);
      default: return is_simple_value(schema, json) ? Status() : mismatch(schema, json);
    }
  }

 private:
  static Status mismatch(const Schema& schema, const Json& json) {
    return error(Code::invalid_argument, "{} is not a value of {}", json.excerpt(), to_string(schema.type()));
  }

  static bool is_simple_value(const Schema& schema, const Json& json) {
    const auto* text = json.as_string();
    switch (schema.type()) {
      case Type::boolean: return json.as_bool() != nullptr;
      case Type::float32:
      case Type::float64:
        return json.is_number() || (text != nullptr && (*text == "NaN" || *text == "Infinity" || *text == "-Infinity"));
      case Type::decimal:
        return json.is_number() &&
               decimal_from_text(json.as_number()->text, schema.precision(), schema.scale()).has_value();
      case Type::string: return text != nullptr;
      case Type::bytes: return text != nullptr && avro::bytes_from_text(*text).ok();
      case Type::uuid: return text != nullptr && Uuid::parse(*text).has_value();
      case Type::enumeration: return text != nullptr && schema.symbol_index(*text) >= 0;
      case Type::reference: return json.as_object() != nullptr;
      default: return false;
    }
  }

  Status check_array(const Schema& schema, const Json& json) {
    const auto* items = json.as_array();
    if (items == nullptr) return mismatch(schema, json);
    for (const auto& item : *items) MUIR_RETURN_IF_ERROR(check(*schema.element(), item));
    return {};
  }

  Status check_map(const Schema& schema, const Json& json) {
    if (schema.key()->type() == Type::string && !schema.key()->is_nullable()) {
      const auto* members = json.as_object();
      if (members == nullptr) return mismatch(schema, json);
      for (const auto& member : *members) MUIR_RETURN_IF_ERROR(check(*schema.element(), member.value));
      return {};
    }
    const auto* pairs = json.as_array();
    if (pairs == nullptr) return mismatch(schema, json);
    for (const auto& pair : *pairs) {
      const auto* parts = pair.as_array();
      if (parts == nullptr || parts->size() != 2) return mismatch(schema, pair);
      MUIR_RETURN_IF_ERROR(check(*schema.key(), (*parts)[0]));
      MUIR_RETURN_IF_ERROR(check(*schema.element(), (*parts)[1]));
    }
    return {};
  }

  // Fields may be left out that have a default of their own.
  Status check_structure(const Schema& schema, const Json& json) {
    const auto* members = json.as_object();
    if (members == nullptr) return mismatch(schema, json);
    for (const auto& field : schema.fields()) {
      const Json* member = json.find(field.name);
      if (member == nullptr && field.schema->default_value() != nullptr) continue;
      if (member == nullptr) return error(Code::invalid_argument, "no value for the field {}", field.name);
      MUIR_RETURN_IF_ERROR(check(*field.schema, *member).annotate(field.name));
    }
    return {};
  }

  Status check_union(const Schema& schema, const Json& json) {
    const bool matches = std::any_of(schema.branches().begin(), schema.branches().end(),
                                     [&](const SchemaPtr& branch) { return check(*branch, json).ok(); });
    return matches ? Status() : mismatch(schema, json);
  }

  int steps_ = 0;
};

}  // namespace

Status check_plain(const Schema& schema, const Json& json) { return Checker().check(schema, json); }

}  // namespace muir::schema::internal
