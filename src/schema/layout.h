// Layout: where the parts of a C++ type lie in memory, and how its containers are filled.
//
// It is built once per type (serde/fields.h makes it from describe()) and is what every codec works on: a codec
// walks Layouts and offsets, never templates, so each format is compiled once for all user types.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/avro_schema.h"
#include "schema/schema.h"

namespace muir::schema {

struct Layout;

enum class LayoutKind : unsigned char {
  boolean,
  int32,
  int64,
  float32,
  float64,
  string,       // std::string holding UTF-8
  bytes,        // std::string holding anything
  enumeration,  // a C++ enum with named enumerators
  record,
  optional,  // a value or nothing: Avro's ["null", T]
  array,
  map,  // std::string to T
};

// Access to a std::optional-like object.
struct OptionalOps {
  bool (*has)(const void* object);
  const void* (*get)(const void* object);  // only when has()
  void* (*emplace)(void* object);          // keeps the value that is there, else makes a default one
  void (*reset)(void* object);
};

// Access to a std::vector-like object.
struct ArrayOps {
  size_t (*size)(const void* object);
  const void* (*at)(const void* object, size_t index);
  void (*clear)(void* object);
  void* (*append)(void* object);  // a default element at the end; its address holds until the next append
};

// Access to a map from std::string.
struct MapOps {
  size_t (*size)(const void* object);
  // Calls `visit` for each entry, in the map's order, until it returns false.
  void (*for_each)(const void* object, void* context,
                   bool (*visit)(void* context, std::string_view key, const void* value));
  void (*clear)(void* object);
  void* (*insert)(void* object, std::string_view key);  // the entry of `key`, made when there is none
};

// Access to a C++ enum.
struct EnumOps {
  int64_t (*get)(const void* object);
  void (*set)(void* object, int64_t value);
};

// One member of a record.
struct FieldLayout {
  std::string name;
  size_t offset = 0;
  const Layout* layout = nullptr;
  std::string doc{};
  std::string default_json{};  // empty: readers need the field to be written
  std::string logical_type{};  // of the innermost primitive
  std::vector<std::string> aliases{};
};

// Immutable once built; one per C++ type, living as long as the program.
struct Layout {
  LayoutKind kind = LayoutKind::boolean;
  std::string name{};  // record, enumeration: full name, "fleet.Position"
  std::string doc{};
  std::vector<std::string> aliases{};
  std::string logical_type{};  // a primitive whose C++ type implies one, as a time_point does

  std::vector<FieldLayout> fields{};  // record

  const Layout* element = nullptr;  // optional, array, map
  const OptionalOps* optional = nullptr;
  const ArrayOps* array = nullptr;
  const MapOps* map = nullptr;

  const EnumOps* enumeration = nullptr;
  std::vector<std::string> symbols{};  // enumeration: symbols[i] is the name of values[i]
  std::vector<int64_t> values{};
  std::string default_symbol{};  // what readers take for a symbol they do not know; empty: an error

  // Construction state; see build_layout in serde/fields.h.
  std::atomic<bool> ready{false};
  bool building = false;
};

// The model of a layout: structures and enums with their names, optionals as nullable types. Dies with a message when
// names, defaults or symbols of the layout are not valid.
SchemaPtr model_of(const Layout& layout);

namespace avro {
// What Avro makes of that. Dies with a message when it cannot.
SchemaPtr schema_of(const Layout& layout);
}  // namespace avro

}  // namespace muir::schema
