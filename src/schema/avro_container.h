// Avro object container files: a schema, then blocks of data written with it.
#pragma once

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "schema/avro_encode.h"
#include "schema/avro_schema.h"
#include "schema/avro_value.h"
#include "schema/layout.h"

namespace muir::schema::avro {

enum class Codec : unsigned char { null, deflate };

// Reads a file from its start to its end. Used by one thread.
class ContainerReader {
 public:
  // Blocks larger than this, compressed or not, are refused.
  static constexpr size_t kBlockBytesMax = 64 << 20;

  static Result<ContainerReader> open(const std::string& path);
  // Reads from `source`, which fills up to `size` bytes and returns how many; 0 at the end.
  using Source = std::function<Result<size_t>(char* buffer, size_t size)>;
  static Result<ContainerReader> open(Source source);

  // What the data was written with.
  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }

  // The bytes of the next block, decompressed, and how many data they hold; false at the end of the file.
  // `bytes` lives until the next call.
  Result<bool> next_block(BytesView& bytes, int64_t& count);

  // Calls `each` with every datum, as the schema it was written with.
  Status for_each(const std::function<Status(const Value& value)>& each);
  // Decodes every datum into `object`, of the type of `layout`, and calls `each` after each one.
  Status for_each(const Layout& layout, void* object, const std::function<Status()>& each);

 private:
  explicit ContainerReader(Source source) : source_(std::move(source)) {}
  Status read_header();
  Status fill(size_t bytes_min);  // at least that many bytes in buffer_, or as many as there are
  Result<int64_t> read_long();
  Result<Bytes> read_bytes(size_t size);
  Status for_each_in_blocks(const std::function<Status(BytesView& rest)>& next);

  Source source_;
  Bytes buffer_;
  size_t used_ = 0;  // of buffer_
  bool at_end_ = false;
  SchemaPtr schema_;
  Codec codec_ = Codec::null;
  Bytes sync_;
  Bytes block_;
};

// Writes a file. Used by one thread.
class ContainerWriter {
 public:
  using Sink = std::function<Status(BytesView bytes)>;
  struct Options {
    Codec codec = Codec::deflate;
    size_t block_bytes = 64 << 10;  // a block is written when it holds this much
    uint64_t sync_seed = 0;         // 0: drawn from the schema's fingerprint and the address of the writer
  };

  static Result<std::unique_ptr<ContainerWriter>> create(const std::string& path, SchemaPtr schema,
                                                         const Options& options);
  static Result<std::unique_ptr<ContainerWriter>> create(Sink sink, SchemaPtr schema, const Options& options);
  ~ContainerWriter();

  Status append(const Value& value);
  // The layout's schema must be the file's.
  Status append(const Layout& layout, const void* object);
  // Writes what is buffered, and closes. Without it the last block is lost.
  Status close();

 private:
  ContainerWriter(Sink sink, SchemaPtr schema, const Options& options);
  Status write_header();
  Status appended();
  Status flush_block();

  Sink sink_;
  SchemaPtr schema_;
  Options options_;
  std::array<char, 16> sync_{};
  Bytes block_;
  std::optional<StructEncoder> encoder_{};  // of objects of the layout below
  const Layout* encoded_ = nullptr;
  int64_t count_ = 0;
  bool closed_ = false;
};

// Reads arbitrary bytes as a file.
int fuzz_avro_container(BytesView input);

}  // namespace muir::schema::avro
