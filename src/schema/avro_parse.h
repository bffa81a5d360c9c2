// Avro schemas from JSON text.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "schema/avro_schema.h"

namespace muir::schema::avro {

struct ParseOptions {
  // Names must be letters, digits and '_', of any script, and not begin with a digit. Off, as is the next, for texts
  // that were accepted elsewhere and must stay readable.
  bool strict = true;
  // Of a strict parse: defaults must be values of their schema.
  bool check_defaults = true;
  // Schemas whose named types the text may refer to.
  std::vector<SchemaPtr> known{};
};

// The schema of `text`; invalid_argument says what is wrong and where. As in the Java library the text may have
// comments as C++ has them, but not behind its end.
Result<SchemaPtr> parse(std::string_view text, const ParseOptions& options = {});
Result<SchemaPtr> parse_json(const Json& json, const ParseOptions& options = {});

// A schema parsed as with `strict` off, and what a strict parse would have said against it.
struct JudgedSchema {
  SchemaPtr schema{};
  Status fault{};
};
Result<JudgedSchema> parse_and_judge(std::string_view text, const ParseOptions& options = {});

// Parses arbitrary bytes; of a schema, checks that its text and its canonical form parse to the same
// text. Returns 1 for a schema.
int fuzz_avro_schema(BytesView input);

}  // namespace muir::schema::avro
