// Avro's rules of which types can stand for which, as the Java library applies them.
#pragma once

#include <algorithm>

#include "schema/avro_schema.h"

namespace muir::schema::avro::internal {

inline bool is_promotable(Type writer, Type reader) {
  switch (reader) {
    case Type::int64: return writer == Type::int32;
    case Type::float32: return writer == Type::int32 || writer == Type::int64;
    case Type::float64: return writer == Type::int32 || writer == Type::int64 || writer == Type::float32;
    case Type::bytes: return writer == Type::string;
    case Type::string: return writer == Type::bytes;
    default: return false;
  }
}

// Namespaces do not matter; a reader's alias must name the writer's type in full.
inline bool names_match(const Schema& writer, const Schema& reader) {
  return writer.name.simple == reader.name.simple ||
         std::find(reader.aliases.begin(), reader.aliases.end(), writer.name) != reader.aliases.end();
}

}  // namespace muir::schema::avro::internal
