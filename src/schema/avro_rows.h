// Avro's binary format into run-time rows and out of them, by the same programs that serve C++ types.
#pragma once

#include <memory>

#include "schema/avro_schema.h"
#include "schema/format.h"

namespace muir::schema::avro {

namespace internal {
struct Program;
struct EncodeProgram;
}  // namespace internal

// Decodes into rows. What a type of the model cannot hold is an error: an int outside of int8, a uuid that is none, a
// decimal without bytes, a row of more than RowLayout::kRowBytesMax. Immutable, thread-safe.
class AvroRowDecoder final : public RowDecoder {
 public:
  // Resolves data of `writer` to the schema that from_model makes of the layout's.
  static Result<AvroRowDecoder> compile(const SchemaPtr& writer, RowLayoutPtr layout);

  Status decode(BytesView bytes, Row& out) const override;
  // One datum at the start of `bytes`, which is moved past it.
  Status decode_prefix(BytesView& bytes, Row& out) const;

 private:
  AvroRowDecoder(RowLayoutPtr layout, std::shared_ptr<const internal::Program> program)
      : layout_(std::move(layout)), program_(std::move(program)) {}
  RowLayoutPtr layout_;
  std::shared_ptr<const internal::Program> program_;
};

// Encodes rows of a layout in the schema that from_model makes of its own. Immutable, thread-safe.
class AvroRowEncoder final : public RowEncoder {
 public:
  static Result<AvroRowEncoder> compile(RowLayoutPtr layout);

  // The row is of that layout or of one that was made of the same schema.
  Status encode(const Row& row, Bytes& out) const override;
  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }

 private:
  AvroRowEncoder(RowLayoutPtr layout, SchemaPtr schema, std::shared_ptr<const internal::EncodeProgram> program)
      : layout_(std::move(layout)), schema_(std::move(schema)), program_(std::move(program)) {}
  RowLayoutPtr layout_;
  SchemaPtr schema_;
  std::shared_ptr<const internal::EncodeProgram> program_;
};

// Avro as a format of rows. Lives as long as the program.
const Format& format();

// A row decoded from arbitrary bytes: a schema text, a 0 byte, and a datum. Checks that what decodes is encoded and
// decoded again to the same. Returns 1 when a row decoded.
int fuzz_avro_row(BytesView input);

}  // namespace muir::schema::avro
