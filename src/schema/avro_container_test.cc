#include "schema/avro_container.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir::schema::avro {
namespace {

ContainerReader::Source source_of(Bytes bytes, size_t step = SIZE_MAX) {
  return [bytes = std::move(bytes), at = size_t{0}, step](char* buffer, size_t size) mutable -> Result<size_t> {
    const size_t count = std::min({size, step, bytes.size() - at});
    std::memcpy(buffer, bytes.data() + at, count);
    at += count;
    return count;
  };
}

Bytes file_with(Codec codec, size_t block_bytes, int64_t count) {
  Bytes file;
  auto schema =
      parse(R"({"type":"record","name":"P","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]})");
  auto writer = ContainerWriter::create([&](BytesView bytes) { return file.append(bytes), Status(); }, *schema,
                                        {.codec = codec, .block_bytes = block_bytes, .sync_seed = 7});
  EXPECT_TRUE(writer.ok());
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_TRUE((*writer)->append(Value(Value::Record{{Value(i), Value(fmt::format("bus {}", i))}})).ok());
  }
  EXPECT_TRUE((*writer)->close().ok());
  return file;
}

TEST(AvroContainer, ReadsWhatItWrote) {
  for (const Codec codec : {Codec::null, Codec::deflate}) {
    for (const size_t step : {size_t{1}, size_t{100}, SIZE_MAX}) {
      auto reader = ContainerReader::open(source_of(file_with(codec, 500, 1000), step));
      ASSERT_TRUE(reader.ok()) << reader.status().message();
      int64_t next = 0;
      const Status status = reader->for_each([&](const Value& value) -> Status {
        EXPECT_EQ(value, Value(Value::Record{{Value(next), Value(fmt::format("bus {}", next))}}));
        ++next;
        return {};
      });
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(next, 1000);
    }
  }
}

TEST(AvroContainer, WritesAndReadsFiles) {
  const testing::TempDir dir;
  const std::string path = dir.str() + "/x.avro";
  auto writer = ContainerWriter::create(path, *parse(R"("int")"), {});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->append(Value(5)).ok());
  ASSERT_TRUE((*writer)->close().ok());
  auto reader = ContainerReader::open(path);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(to_text(*reader->schema()), R"("int")");
  int seen = 0;
  ASSERT_TRUE(reader->for_each([&](const Value& value) { return seen = *value.as<int32_t>(), Status(); }).ok());
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(ContainerReader::open(path + ".no").status().code(), Code::not_found);
}

// magic; map of 1 entry, as a block with negative count; sync; one block of two ints without codec entry.
TEST(AvroContainer, ReadsAHandMadeFile) {
  Bytes file("Obj\1", 4);
  Bytes entry;
  entry +=
      "\x16"
      "avro.schema";
  entry +=
      "\x0a"
      "\"int\"";
  file += '\x01';                               // -1 entries
  file += static_cast<char>(entry.size() * 2);  // in so many bytes
  file += entry;
  file += '\0';
  const Bytes sync = "0123456789abcdef";
  file += sync;
  file += Bytes("\x04\x04\x02\x04", 4) + sync;  // 2 data in 2 bytes: 1, 2
  auto reader = ContainerReader::open(source_of(file));
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  std::vector<int32_t> seen;
  ASSERT_TRUE(
      reader->for_each([&](const Value& value) { return seen.push_back(*value.as<int32_t>()), Status(); }).ok());
  EXPECT_EQ(seen, (std::vector<int32_t>{1, 2}));
}

TEST(AvroContainer, RefusesDamagedFiles) {
  const Bytes good = file_with(Codec::deflate, 500, 100);
  const auto read_all = [](Bytes file) -> Status {
    auto reader = ContainerReader::open(source_of(std::move(file)));
    MUIR_RETURN_IF_ERROR(reader);
    return reader->for_each([](const Value&) { return Status(); });
  };
  ASSERT_TRUE(read_all(good).ok());
  Bytes bad_magic = good;
  bad_magic[0] = 'X';
  EXPECT_FALSE(read_all(bad_magic).ok());
  Bytes bad_sync = good;
  bad_sync.back() ^= 1;
  EXPECT_FALSE(read_all(bad_sync).ok());
  EXPECT_FALSE(read_all(good.substr(0, good.size() - 5)).ok());
}

TEST(FuzzAvroContainer, SurvivesMutations) {
  testing::survive_mutations(
      "schema_avro_container", fuzz_avro_container,
      {file_with(Codec::null, 20, 10), file_with(Codec::deflate, 20, 10), file_with(Codec::null, 0, 10)});
}

}  // namespace
}  // namespace muir::schema::avro
