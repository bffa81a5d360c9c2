// avro::Schema: the syntax of an Avro schema, with room for any attribute, so that a schema that came in as text goes
// out as the same text. Registries work on it; programs work on schema::Schema, which avro_model.h maps it to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/json.h"

namespace muir::schema::avro {

enum class Type : unsigned char {
  null,
  boolean,
  int32,    // Avro int
  int64,    // Avro long
  float32,  // Avro float
  float64,  // Avro double
  bytes,
  string,
  record,
  enumeration,
  array,
  map,
  union_of,
  fixed,
};

// Avro's name of a type: "int", "record", ...
std::string_view to_string(Type type);
// The primitive type of that name, if it is one.
std::optional<Type> primitive_from(std::string_view name);

class Schema;
// Keeps the whole tree of schemas alive that the node belongs to.
using SchemaPtr = std::shared_ptr<const Schema>;

// A name and the namespace it lives in.
struct Name {
  std::string space{};  // empty: the null namespace
  std::string simple{};

  [[nodiscard]] std::string full() const { return space.empty() ? simple : space + "." + simple; }
  bool operator==(const Name&) const = default;
};

enum class FieldOrder : unsigned char { ascending, descending, ignore };

struct Field {
  std::string name{};
  const Schema* schema = nullptr;
  std::optional<std::string> doc{};
  std::optional<Json> default_value{};
  std::vector<std::string> aliases{};
  FieldOrder order = FieldOrder::ascending;
  std::vector<JsonMember> properties{};  // attributes this model has no member for
};

// One node of an immutable tree of types; recursive types make it a graph. All nodes of a graph live and die
// together: hold it by SchemaPtr, and reach into it by plain pointers. Immutable, thread-safe.
class Schema {
 public:
  Type type = Type::null;

  // record, enumeration, fixed
  Name name{};
  std::optional<std::string> doc{};
  std::vector<Name> aliases{};

  std::vector<Field> fields{};                  // record
  bool is_error = false;                        // record declared as "error"
  std::vector<std::string> symbols{};           // enumeration
  std::optional<std::string> default_symbol{};  // enumeration
  const Schema* element = nullptr;              // array, map
  std::vector<const Schema*> branches{};        // union_of
  int64_t size = 0;                             // fixed: bytes
  std::string logical_type{};                   // valid ones only; an invalid one stays in `properties`
  std::vector<JsonMember> properties{};         // attributes this model has no member for, logicalType among them

  [[nodiscard]] bool is_named() const {
    return type == Type::record || type == Type::enumeration || type == Type::fixed;
  }
  [[nodiscard]] bool is_primitive() const { return type <= Type::string; }
  // The name that tells union branches apart: the full name, or the type's.
  [[nodiscard]] std::string branch_name() const { return is_named() ? name.full() : std::string(to_string(type)); }
  // Makes the look-ups below quick; called once when fields and symbols are complete.
  void index_names();
  // Index of the field or symbol of that name, -1 when there is none.
  [[nodiscard]] int field_index(std::string_view field_name) const;
  [[nodiscard]] int symbol_index(std::string_view symbol) const;
  [[nodiscard]] const Json* property(std::string_view key) const;

 private:
  std::vector<uint32_t> by_name_{};  // indices of fields or symbols in the order of their names; empty: few
};

// The schema of a primitive type, without properties. Lives as long as the program.
const Schema& primitive(Type type);

}  // namespace muir::schema::avro
