#include "schema/avro_container.h"

#include <cerrno>
#include <cstring>

#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "schema/internal/avro_wire.h"
#include "schema/internal/deflate.h"

namespace muir::schema::avro {
namespace {

constexpr BytesView kMagic{"Obj\1", 4};
constexpr size_t kSyncBytes = 16;
constexpr size_t kReadBytes = 256 << 10;
constexpr int64_t kMetadataEntriesMax = 10'000;

Status damaged(std::string_view why) { return error(Code::data_loss, "read Avro file: {}", why); }

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};

uint64_t split_mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

// ---- reading

Result<ContainerReader> ContainerReader::open(const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr)
    return error(errno == ENOENT ? Code::not_found : Code::io_error, "open {}: {}", path, std::strerror(errno));
  // Shared because std::function copies what it holds.
  auto source = [shared = std::shared_ptr<FILE>(file, CloseFile()), path](char* buffer, size_t size) -> Result<size_t> {
    const size_t got = std::fread(buffer, 1, size, shared.get());
    if (got == 0 && std::ferror(shared.get()) != 0)
      return error(Code::io_error, "read {}: {}", path, std::strerror(errno));
    return got;
  };
  auto reader = open(Source(std::move(source)));
  if (!reader.ok()) return reader.status().annotate(path);
  return reader;
}

Result<ContainerReader> ContainerReader::open(Source source) {
  ContainerReader reader(std::move(source));
  MUIR_RETURN_IF_ERROR(reader.read_header());
  return reader;
}

Status ContainerReader::fill(size_t bytes_min) {
  if (buffer_.size() - used_ >= bytes_min) return {};
  buffer_.erase(0, used_);
  used_ = 0;
  while (buffer_.size() < bytes_min && !at_end_) {
    const size_t at = buffer_.size();
    buffer_.resize(at + kReadBytes);
    auto got = source_(buffer_.data() + at, kReadBytes);
    buffer_.resize(at + (got.ok() ? *got : 0));
    MUIR_RETURN_IF_ERROR(got);
    at_end_ = *got == 0;
  }
  return {};
}

Result<int64_t> ContainerReader::read_long() {
  MUIR_RETURN_IF_ERROR(fill(10));
  WireCursor in(BytesView(buffer_).substr(used_));
  int64_t value = 0;
  if (!in.read_long(value)) return damaged("the file ends in a number");
  used_ = static_cast<size_t>(in.pos - buffer_.data());
  return value;
}

Result<Bytes> ContainerReader::read_bytes(size_t size) {
  MUIR_RETURN_IF_ERROR(fill(size));
  if (buffer_.size() - used_ < size) return damaged("the file ends too early");
  Bytes bytes = buffer_.substr(used_, size);
  used_ += size;
  return bytes;
}

// Header: magic, a map of metadata in Avro's encoding, the sync marker.
Status ContainerReader::read_header() {
  if (MUIR_TRY(read_bytes(kMagic.size())) != kMagic) return damaged("it does not start as an Avro container file does");
  std::string codec = "null";
  std::string text;
  int64_t entries = 0;
  while (true) {
    int64_t count = MUIR_TRY(read_long());
    if (count == 0) break;
    if (count < 0) {
      (void)MUIR_TRY(read_long());  // the block's size in bytes
      count = count == INT64_MIN ? INT64_MAX : -count;
    }
    if (count > kMetadataEntriesMax - entries) return damaged("too many metadata entries");
    entries += count;
    for (; count > 0; --count) {
      Bytes strings[2];
      for (Bytes& string : strings) {
        const int64_t size = MUIR_TRY(read_long());
        if (size < 0 || static_cast<size_t>(size) > kBlockBytesMax)
          return damaged("a metadata entry has an impossible size");
        string = MUIR_TRY(read_bytes(static_cast<size_t>(size)));
      }
      if (strings[0] == "avro.schema")
        text = std::move(strings[1]);
      else if (strings[0] == "avro.codec")
        codec = std::move(strings[1]);
    }
  }
  sync_ = MUIR_TRY(read_bytes(kSyncBytes));
  if (codec == "deflate")
    codec_ = Codec::deflate;
  else if (codec != "null")
    return error(Code::unsupported, "read Avro file: codec {}; null and deflate are known", codec);
  schema_ = MUIR_TRY(parse(text, {.strict = false}));
  return {};
}

Result<bool> ContainerReader::next_block(BytesView& bytes, int64_t& count) {
  MUIR_RETURN_IF_ERROR(fill(1));
  if (buffer_.size() == used_) return false;
  count = MUIR_TRY(read_long());
  const int64_t size = MUIR_TRY(read_long());
  if (count < 0) return damaged("a block has a negative count");
  if (size < 0 || static_cast<size_t>(size) > kBlockBytesMax) return damaged("a block has an impossible size");
  block_ = MUIR_TRY(read_bytes(static_cast<size_t>(size)));
  if (MUIR_TRY(read_bytes(kSyncBytes)) != sync_) return damaged("a block does not end with the sync marker");
  if (codec_ == Codec::deflate) block_ = MUIR_TRY(schema::internal::inflate_bytes(block_, kBlockBytesMax));
  if (static_cast<uint64_t>(count) > block_.size() + (1 << 20))
    return damaged("a block claims more data than its bytes can hold");
  bytes = block_;
  return true;
}

Status ContainerReader::for_each_in_blocks(const std::function<Status(BytesView& rest)>& next) {
  BytesView bytes;
  int64_t count = 0;
  while (MUIR_TRY(next_block(bytes, count))) {
    for (; count > 0; --count) MUIR_RETURN_IF_ERROR(next(bytes));
    if (!bytes.empty()) return damaged("a block holds more bytes than its data");
  }
  return {};
}

Status ContainerReader::for_each(const std::function<Status(const Value& value)>& each) {
  const auto decoder = MUIR_TRY(ValueDecoder::compile(schema_, schema_));
  Value value;
  return for_each_in_blocks([&](BytesView& rest) -> Status {
    MUIR_RETURN_IF_ERROR(decoder.decode_prefix(rest, value));
    return each(value);
  });
}

Status ContainerReader::for_each(const Layout& layout, void* object, const std::function<Status()>& each) {
  const auto decoder = MUIR_TRY(StructDecoder::compile(schema_, layout));
  return for_each_in_blocks([&](BytesView& rest) -> Status {
    MUIR_RETURN_IF_ERROR(decoder.decode_prefix(rest, object));
    return each();
  });
}

// ---- writing

ContainerWriter::ContainerWriter(Sink sink, SchemaPtr schema, const Options& options)
    : sink_(std::move(sink)), schema_(std::move(schema)), options_(options) {
  // A marker only has to be unlikely to occur in the data.
  uint64_t state =
      options.sync_seed != 0 ? options.sync_seed : rabin(canonical_form(*schema_)) ^ reinterpret_cast<uintptr_t>(this);
  for (size_t i = 0; i < kSyncBytes; i += 8) {
    const uint64_t word = split_mix(state);
    std::memcpy(sync_.data() + i, &word, 8);
  }
}

ContainerWriter::~ContainerWriter() = default;

Result<std::unique_ptr<ContainerWriter>> ContainerWriter::create(const std::string& path, SchemaPtr schema,
                                                                 const Options& options) {
  FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return error(Code::io_error, "create {}: {}", path, std::strerror(errno));
  // Shared because std::function copies what it holds.
  auto sink = [shared = std::shared_ptr<FILE>(file, CloseFile()), path](BytesView bytes) -> Status {
    if (std::fwrite(bytes.data(), 1, bytes.size(), shared.get()) != bytes.size() || std::fflush(shared.get()) != 0) {
      return error(Code::io_error, "write {}: {}", path, std::strerror(errno));
    }
    return {};
  };
  return create(Sink(std::move(sink)), std::move(schema), options);
}

Result<std::unique_ptr<ContainerWriter>> ContainerWriter::create(Sink sink, SchemaPtr schema, const Options& options) {
  std::unique_ptr<ContainerWriter> writer(new ContainerWriter(std::move(sink), std::move(schema), options));
  MUIR_RETURN_IF_ERROR(writer->write_header());
  return writer;
}

Status ContainerWriter::write_header() {
  Bytes header(kMagic);
  write_long(header, 2);
  write_bytes(header, "avro.schema");
  write_bytes(header, to_text(*schema_));
  write_bytes(header, "avro.codec");
  write_bytes(header, options_.codec == Codec::deflate ? "deflate" : "null");
  write_long(header, 0);
  header.append(sync_.data(), sync_.size());
  return sink_(header);
}

Status ContainerWriter::append(const Value& value) {
  MUIR_RETURN_IF_ERROR(encode(*schema_, value, block_));
  return appended();
}

Status ContainerWriter::append(const Layout& layout, const void* object) {
  if (encoded_ != &layout) {
    encoder_.emplace(layout);
    encoded_ = &layout;
  }
  MUIR_RETURN_IF_ERROR(encoder_->encode(object, block_));
  return appended();
}

Status ContainerWriter::appended() {
  ++count_;
  return block_.size() >= options_.block_bytes ? flush_block() : Status();
}

Status ContainerWriter::flush_block() {
  if (count_ == 0) return {};
  if (options_.codec == Codec::deflate) block_ = MUIR_TRY(schema::internal::deflate_bytes(block_));
  Bytes out;
  write_long(out, count_);
  write_bytes(out, block_);
  out.append(sync_.data(), sync_.size());
  block_.clear();
  count_ = 0;
  return sink_(out);
}

Status ContainerWriter::close() {
  if (closed_) return {};
  closed_ = true;
  Status status = flush_block();
  sink_ = nullptr;  // closes a file
  return status;
}

int fuzz_avro_container(BytesView input) {
  auto reader = ContainerReader::open([&input](char* buffer, size_t size) -> Result<size_t> {
    const size_t count = input.copy(buffer, size);
    input.remove_prefix(count);
    return count;
  });
  return reader.ok() && reader->for_each([](const Value&) { return Status(); }).ok() ? 1 : 0;
}

}  // namespace muir::schema::avro
