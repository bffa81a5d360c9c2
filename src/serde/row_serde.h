// Serdes of run-time rows: for programs that learn the schema of a topic when they start, as connectors and queries do.
//
//   const schema::RowLayoutPtr layout = MUIR_TRY(row_layout(text));        // of Avro text, from a registry or a file
//   const SerdeRef<schema::Row> values = MUIR_TRY(row_serde(layout));
//   builder.stream<std::string, schema::Row>("positions", {.value = values})
#pragma once

#include <string_view>

#include "base/status.h"
#include "schema/avro_rows.h"
#include "schema/format.h"
#include "schema/row.h"
#include "serde/serde.h"

namespace muir {

// The layout of rows of a schema, given as a registry holds it. invalid_argument when it is none, or no structure.
Result<schema::RowLayoutPtr> row_layout(std::string_view schema_text,
                                        const schema::Format& format = schema::avro::format());

// Reads what any compatible schema wrote into rows of `layout`, and writes rows of it, in Confluent's wire format with
// the schema that the layout was made of. Rows of a layout that was made elsewhere of an equal schema are written, too,
// but the schemas are compared for each. invalid_argument when the format has no schema for the layout.
Result<SerdeRef<schema::Row>> row_serde(schema::RowLayoutPtr layout, AvroOptions options = {},
                                        const schema::Format& format = schema::avro::format());

}  // namespace muir
