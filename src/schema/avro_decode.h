// Decoding Avro's binary format with a compiled program.
//
// A pair (schema the data was written with, schema the reader wants) is resolved once, by Avro's rules, into a flat
// program of nodes and steps; records are then decoded by running it, straight into the target. Names of records need
// not match outside unions, as in the Java library; names of enums and fixed types match without their namespace or by
// alias.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/layout.h"

namespace muir::schema::avro {

namespace internal {
struct Program;
}  // namespace internal

// Decodes into Values of the reader schema. Immutable, thread-safe; copies share the program.
class ValueDecoder {
 public:
  // Fails with invalid_argument when data of `writer` can never be read as `reader`: a field without default, say.
  static Result<ValueDecoder> compile(const SchemaPtr& writer, const SchemaPtr& reader);

  // One datum; bytes left over are an error.
  Status decode(BytesView bytes, Value& out) const;
  // One datum at the start of `bytes`, which is moved past it.
  Status decode_prefix(BytesView& bytes, Value& out) const;

 private:
  explicit ValueDecoder(std::shared_ptr<const internal::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const internal::Program> program_;
};

// Decodes into objects of a described type, whose schema is the reader's. Immutable, thread-safe.
class StructDecoder {
 public:
  static Result<StructDecoder> compile(const SchemaPtr& writer, const Layout& layout);

  // Assigns to a live object, reusing its memory: strings and vectors keep their capacity.
  Status decode(BytesView bytes, void* object) const;
  Status decode_prefix(BytesView& bytes, void* object) const;

 private:
  explicit StructDecoder(std::shared_ptr<const internal::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const internal::Program> program_;
};

// Splits the input into a schema text, a 0 byte, and a datum; decodes, and of what decodes checks the re-encoding.
// Returns 1 when a datum decoded.
int fuzz_avro_datum(BytesView input);
// A writer's schema, a 0 byte, a reader's, a 0 byte, and a datum: compares and resolves the schemas and decodes. What
// is called compatible must resolve, and what decodes must be a value of the reader. Returns 1 when a datum decoded.
int fuzz_avro_resolution(BytesView input);

}  // namespace muir::schema::avro
