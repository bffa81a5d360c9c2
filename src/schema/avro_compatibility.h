// Whether data written with one Avro schema can be read with another: the rules, kinds, texts and paths of the Java
// library's SchemaCompatibility (1.12.1), which schema registries apply and whose answers people know.
#pragma once

#include <string>
#include <vector>

#include "schema/avro_schema.h"

namespace muir::schema::avro {

enum class IncompatibilityKind : unsigned char {
  name_mismatch,
  fixed_size_mismatch,
  missing_enum_symbols,
  reader_field_missing_default_value,
  type_mismatch,
  missing_union_branch,
};

// "NAME_MISMATCH", ...
std::string_view to_string(IncompatibilityKind kind);

struct Incompatibility {
  IncompatibilityKind kind{};
  std::string path{};  // JSON pointer into the reader: "/fields/1/type/items"
  std::string
      message{};  // "expected: Position", "reader type: INT not compatible with writer type: STRING", a field's name

  bool operator==(const Incompatibility&) const = default;
};

// Empty: compatible. Logical types do not matter.
std::vector<Incompatibility> check_readable(const Schema& reader, const Schema& writer);

}  // namespace muir::schema::avro
