// Schema: the one model of the shape of data that serdes, connectors and SQL share. Formats map to and from it: Avro
// does in avro_model.h. It is made by SchemaBuilder (schema_builder.h) and never changes after that.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/json.h"

namespace muir::schema {

enum class Type : unsigned char {
  null,  // has no value but null
  boolean,
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  decimal,  // precision() digits, scale() of them behind the point
  string,   // UTF-8
  bytes,
  date,         // days since 1970-01-01
  time,         // of day, in unit()s since midnight
  timestamp,    // in unit()s since 1970-01-01T00:00; an instant with a zone (UTC), what a wall clock shows without one
  uuid,         // 128 bits
  enumeration,  // one of symbols()
  array,        // of element()
  map,          // from key() to element()
  structure,    // fields()
  union_of,     // one of branches()
  reference,    // the structure of that name() elsewhere in the same schema: how a type holds itself
};

// "int32", "struct", "union", ...
std::string_view to_string(Type type);

enum class TimeUnit : unsigned char { millis, micros, nanos };
std::string_view to_string(TimeUnit unit);  // "ms", "us", "ns"

class Schema;
// Shared because types occur within many others, and a serde, a layout and a query outlive each other in any order.
using SchemaPtr = std::shared_ptr<const Schema>;

// Sorted by key.
using Attributes = std::map<std::string, std::string, std::less<>>;

// A part of a structure. `doc` is about the field, Schema::doc() about its type.
struct Field {
  std::string name{};
  SchemaPtr schema{};
  std::optional<std::string> doc{};
  Attributes annotations{};
  bool operator==(const Field& other) const;
};

// A type with its properties. Immutable: nothing gives access to change it, and all that it refers to is const. Hence
// thread-safe, and parts may be shared between schemas.
//
// What a type is not asked about is empty or 0: symbols() of a string, say.
class Schema {
 public:
  [[nodiscard]] Type type() const { return type_; }
  // null is a value, too.
  [[nodiscard]] bool is_nullable() const { return nullable_; }
  // What stands for a value that is not there, as plain JSON: a decimal is a number, bytes are a string of U+0000 to
  // U+00FF, a map an object or, when its keys are no strings, an array of pairs. nullptr: there is none.
  [[nodiscard]] const Json* default_value() const { return default_ ? &*default_ : nullptr; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::optional<int32_t> version() const { return version_; }
  [[nodiscard]] const std::optional<std::string>& doc() const { return doc_; }
  // Free for users, as Kafka Connect's parameters are.
  [[nodiscard]] const Attributes& parameters() const { return parameters_; }
  // What a format keeps here that has no meaning outside of it; keys begin with the format: "avro.aliases".
  [[nodiscard]] const Attributes& annotations() const { return annotations_; }

  [[nodiscard]] int32_t precision() const { return precision_; }
  [[nodiscard]] int32_t scale() const { return scale_; }
  [[nodiscard]] TimeUnit unit() const { return unit_; }
  [[nodiscard]] bool has_zone() const { return has_zone_; }
  [[nodiscard]] const SchemaPtr& key() const { return key_; }
  [[nodiscard]] const SchemaPtr& element() const { return element_; }
  [[nodiscard]] const std::vector<SchemaPtr>& branches() const;
  [[nodiscard]] const std::vector<Field>& fields() const;
  [[nodiscard]] const std::vector<std::string>& symbols() const;
  // Index of the field or symbol of that name, -1 when there is none.
  [[nodiscard]] int field_index(std::string_view field_name) const;
  [[nodiscard]] int symbol_index(std::string_view symbol) const;

  // Tells bodies of structures, enumerations and unions apart: the same for copies that differ in properties only.
  [[nodiscard]] const void* identity() const { return body_.get(); }
  // How deep types nest.
  [[nodiscard]] int depth() const { return depth_; }
  // Whether a reference is anywhere within.
  [[nodiscard]] bool has_references() const { return has_references_; }

  // Alike in everything, properties and annotations included. References are equal when their names are.
  bool operator==(const Schema& other) const;
  [[nodiscard]] size_t hash() const { return hash_; }

  // For messages: "struct fleet.Position<vehicle string, speed float32? = 0.0>". Cut off when it is very long.
  [[nodiscard]] std::string to_string() const;

 private:
  friend class SchemaBuilder;
  friend class SchemaComparer;
  Schema() = default;
  // What copies share.
  struct Body {
    std::vector<Field> fields{};
    std::vector<std::string> symbols{};
    std::vector<SchemaPtr> branches{};
    std::vector<uint32_t> by_name{};  // indices of fields or symbols in the order of their names
    size_t hash = 0;
    int depth = 0;  // of the deepest part
    bool has_references = false;
  };

  Type type_ = Type::null;
  bool nullable_ = false;
  bool has_zone_ = false;
  bool has_references_ = false;
  TimeUnit unit_ = TimeUnit::millis;
  int32_t precision_ = 0;
  int32_t scale_ = 0;
  int depth_ = 0;
  size_t hash_ = 0;
  std::optional<Json> default_{};
  std::string name_{};
  std::optional<int32_t> version_{};
  std::optional<std::string> doc_{};
  Attributes parameters_{};
  Attributes annotations_{};
  SchemaPtr key_{};
  SchemaPtr element_{};
  std::shared_ptr<const Body> body_{};
};

// The structures that references may mean: every named one within `schema`, of each name the first.
std::map<std::string, const Schema*, std::less<>> named_structures(const Schema& schema);

}  // namespace muir::schema

template <>
struct std::hash<muir::schema::Schema> {
  size_t operator()(const muir::schema::Schema& schema) const noexcept { return schema.hash(); }
};
