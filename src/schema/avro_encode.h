// Encoding Avro's binary format.
#pragma once

#include "base/bytes.h"
#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/layout.h"

namespace muir::schema::avro {

// Appends the encoding of `value`, which must have the shape of `schema`; what does not is an invalid_argument that
// names the path. On failure `out` keeps its old content.
Status encode(const Schema& schema, const Value& value, Bytes& out);

// Appends the encoding of an object in the schema of its layout. Fails only on an enum value without a symbol.
Status encode_struct(const Layout& layout, const void* object, Bytes& out);

}  // namespace muir::schema::avro
