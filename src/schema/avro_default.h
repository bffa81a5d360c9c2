// Defaults of Avro fields: JSON that stands for a datum of the field's schema.
#pragma once

#include "base/bytes.h"
#include "base/status.h"
#include "schema/avro_schema.h"

namespace muir::schema::avro {

// Whether `value` is a default for `schema`. Of a union any branch may match; a record may leave out fields
// that have a default of their own.
Status check_default(const Schema& schema, const Json& value);

// Appends the binary encoding of a default.
Status encode_default(const Schema& schema, const Json& value, Bytes& out);

// Bytes of a JSON string whose code points U+0000 to U+00FF stand for bytes, and back.
Result<Bytes> bytes_from_text(std::string_view text);
std::string text_from_bytes(BytesView bytes);

}  // namespace muir::schema::avro
