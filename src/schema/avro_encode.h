// Encoding Avro's binary format.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/status.h"
#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/layout.h"

namespace muir::schema::avro {

// Appends the encoding of `value`, which must have the shape of `schema`; what does not is an invalid_argument that
// names the path. On failure `out` keeps its old content.
Status encode(const Schema& schema, const Value& value, Bytes& out);

namespace internal {
struct EncodeProgram;
}  // namespace internal

// Encodes objects of a described type in the schema of their layout, by a compiled program. Immutable, thread-safe;
// copies share the program.
class StructEncoder {
 public:
  explicit StructEncoder(const Layout& layout);

  // Appends. Fails only on an enum value without a symbol; then `out` keeps its old content.
  Status encode(const void* object, Bytes& out) const;

 private:
  const Layout* layout_;  // lives as long as the program
  std::shared_ptr<const internal::EncodeProgram> program_;
};

}  // namespace muir::schema::avro
