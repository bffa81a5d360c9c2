// Format: the seam between the model and a format of schemas and data. Whoever moves records between topics and rows
// knows formats by this alone; Avro is one (avro_rows.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "schema/row.h"

namespace muir::schema {

// Reads data of one writer's schema into rows of one layout. Thread-safe.
class RowDecoder {
 public:
  virtual ~RowDecoder() = default;
  // Lays `out` out anew, keeping its memory. On a failure its content is unspecified but valid.
  virtual Status decode(BytesView bytes, Row& out) const = 0;
};

// Writes rows of one layout. Thread-safe.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  // Appends; on a failure `out` keeps its old content.
  virtual Status encode(const Row& row, Bytes& out) const = 0;
};

// Thread-safe.
class Format {
 public:
  virtual ~Format() = default;
  // As schema registries call it: "AVRO".
  [[nodiscard]] virtual std::string_view name() const = 0;
  // The model of a schema that a registry holds, and the text that one is given for a model.
  [[nodiscard]] virtual Result<SchemaPtr> read_schema(std::string_view text) const = 0;
  [[nodiscard]] virtual Result<std::string> write_schema(const Schema& schema) const = 0;
  // invalid_argument when data of `writer` can never be read into `layout`.
  [[nodiscard]] virtual Result<std::unique_ptr<const RowDecoder>> decoder(std::string_view writer,
                                                                          RowLayoutPtr layout) const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<const RowEncoder>> encoder(RowLayoutPtr layout) const = 0;
};

}  // namespace muir::schema
