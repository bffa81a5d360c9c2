#include "schema/avro_decode.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "schema/avro_encode.h"
#include "schema/avro_json.h"
#include "schema/avro_parse.h"
#include "testing/mutations.h"

namespace muir::schema::avro {
namespace {

SchemaPtr schema(std::string_view text) {
  auto parsed = parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
  return *parsed;
}

Bytes from_hex(std::string_view text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    if (text[i] == ' ') ++i;
    out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// Decodes `bytes` of `writer` as `reader` and renders the value as Avro JSON, or "ERROR ...".
std::string read(std::string_view writer, BytesView bytes, std::string_view reader) {
  const auto reader_schema = schema(reader);
  const auto decoder = ValueDecoder::compile(schema(writer), reader_schema);
  if (!decoder.ok()) return "ERROR " + decoder.status().message();
  Value value;
  if (const Status status = decoder->decode(bytes, value); !status.ok()) return "ERROR " + status.message();
  const auto json = to_avro_json(*reader_schema, value);
  return json.ok() ? json->to_string() : "ERROR " + json.status().message();
}

constexpr std::string_view kEnum = R"({"type":"enum","name":"E","symbols":["A","B","C"]})";
constexpr std::string_view kLinked =
    R"({"type":"record","name":"L","fields":[{"name":"v","type":"long"},{"name":"next","type":["null","L"]}]})";

TEST(AvroBinary, EncodesAsTheSpecificationShows) {
  struct Case {
    std::string_view schema, json, bytes;
  };
  const Case cases[]{
      {R"("null")", "null", ""},
      {R"("boolean")", "true", "01"},
      {R"("int")", "0", "00"},
      {R"("int")", "-1", "01"},
      {R"("int")", "1", "02"},
      {R"("int")", "-64", "7f"},
      {R"("int")", "64", "80 01"},
      {R"("int")", "2147483647", "fe ff ff ff 0f"},
      {R"("long")", "-9223372036854775808", "ff ff ff ff ff ff ff ff ff 01"},
      {R"("float")", "1.5", "00 00 c0 3f"},
      {R"("double")", "-2.0", "00 00 00 00 00 00 00 c0"},
      {R"("string")", R"("foo")", "06 66 6f 6f"},
      {R"("bytes")", R"("\u0000\u00ff")", "04 00 ff"},
      {R"({"type":"fixed","name":"F","size":2})", R"("ab")", "61 62"},
      {kEnum, R"("C")", "04"},
      {R"({"type":"array","items":"long"})", "[3,27]", "04 06 36 00"},
      {R"({"type":"array","items":"long"})", "[]", "00"},
      {R"({"type":"map","values":"int"})", R"({"k":1})", "02 02 6b 02 00"},
      {R"(["null","string"])", "null", "00"},
      {R"(["null","string"])", R"({"string":"a"})", "02 02 61"},
      {R"({"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]})",
       R"({"a":27,"b":"foo"})", "36 06 66 6f 6f"},
      {kLinked, R"({"v":1,"next":{"L":{"v":2,"next":null}}})", "02 02 04 00"},
  };
  for (const auto& c : cases) {
    const auto s = schema(c.schema);
    const auto value = from_avro_json(*s, *Json::parse(c.json));
    ASSERT_TRUE(value.ok()) << c.json << ": " << value.status().message();
    Bytes bytes;
    ASSERT_TRUE(encode(*s, *value, bytes).ok());
    EXPECT_EQ(hex(bytes), c.bytes) << c.schema;
    EXPECT_EQ(read(c.schema, bytes, c.schema), Json::parse(c.json)->to_string());
  }
}

TEST(AvroBinary, ReadsBlocksOfEveryForm) {
  const std::string_view longs = R"({"type":"array","items":"long"})";
  EXPECT_EQ(read(longs, from_hex("02 06 02 36 00"), longs), "[3,27]");  // two blocks
  EXPECT_EQ(read(longs, from_hex("03 04 06 36 00"), longs), "[3,27]");  // a count of -2 with its size in bytes
  const std::string_view pair =
      R"({"type":"record","name":"P","fields":[{"name":"x","type":{"type":"array","items":"long"}},{"name":"y","type":"int"}]})";
  const std::string_view only_y = R"({"type":"record","name":"P","fields":[{"name":"y","type":"int"}]})";
  EXPECT_EQ(read(pair, from_hex("03 04 06 36 00 0a"), only_y), R"({"y":5})");  // skipped by its size
}

TEST(AvroBinary, RefusesMalformedBytes) {
  struct Case {
    std::string_view schema, bytes;
  };
  const Case cases[]{
      {R"("boolean")", "02"},
      {R"("boolean")", ""},
      {R"("int")", "80 80 80 80 10"},                     // more than 32 bits
      {R"("int")", "80 80 80 80 80 00"},                  // more than 5 bytes
      {R"("long")", "80 80 80 80 80 80 80 80 80 02"},     // more than 64 bits
      {R"("long")", "80 80 80 80 80 80 80 80 80 80 00"},  // more than 10 bytes
      {R"("long")", "80"},
      {R"("double")", "00 00 00"},
      {R"("string")", "08 61"},  // longer than what is left
      {R"("string")", "01"},     // a negative length
      {R"("null")", "00"},       // bytes left over
      {kEnum, "06"},
      {kEnum, "01"},
      {R"(["null","int"])", "04"},
      {R"({"type":"array","items":"long"})", "04 06"},
      {R"({"type":"array","items":"null"})", "fe ff ff ff ff ff ff ff ff 01 00"},  // 2^63 - 1 items of no bytes
      {R"({"type":"array","items":"null"})", "ff ff ff ff ff ff ff ff ff 01 00"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(read(c.schema, from_hex(c.bytes), c.schema).substr(0, 5), "ERROR") << c.schema << " " << c.bytes;
}

TEST(AvroBinary, BoundsTheDepthOfData) {
  Bytes deep;
  for (int i = 0; i < 100'000; ++i) deep += from_hex("0002");
  EXPECT_NE(read(kLinked, deep, kLinked).find("nested too deeply"), std::string::npos);
}

TEST(AvroResolution, Table) {
  struct Case {
    std::string_view what, writer, bytes, reader, expected;
  };
  const std::string_view two =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]})";
  const Case cases[]{
      {"int as long", R"("int")", "04", R"("long")", "2"},
      {"int as float", R"("int")", "04", R"("float")", "2.0"},
      {"long as double", R"("long")", "04", R"("double")", "2.0"},
      {"float as double", R"("float")", "00 00 c0 3f", R"("double")", "1.5"},
      {"string as bytes", R"("string")", "02 61", R"("bytes")", "\"a\""},
      {"bytes as string", R"("bytes")", "02 61", R"("string")", "\"a\""},
      {"fields in another order", two, "02 02 78",
       R"({"type":"record","name":"R","fields":[{"name":"b","type":"string"},{"name":"a","type":"long"}]})",
       R"({"b":"x","a":1})"},
      {"a field dropped", two, "02 02 78", R"({"type":"record","name":"R","fields":[{"name":"b","type":"string"}]})",
       R"({"b":"x"})"},
      {"a field with default", two, "02 02 78",
       R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"c","type":["null","int"],"default":null},{"name":"d","type":"bytes","default":"\u00ff"}]})",
       R"({"a":1,"c":null,"d":"ÿ"})"},
      {"a field by alias", two, "02 02 78",
       R"({"type":"record","name":"R","fields":[{"name":"z","type":"int","aliases":["a"]}]})", R"({"z":1})"},
      {"a field missing", two, "02 02 78", R"({"type":"record","name":"R","fields":[{"name":"c","type":"int"}]})",
       "ERROR resolve Avro schemas at /c: the field was not written and has no default"},
      {"record names do not matter", two, "02 02 78",
       R"({"type":"record","name":"n.S","fields":[{"name":"a","type":"int"}]})", R"({"a":1})"},
      {"symbols in another order", kEnum, "00", R"({"type":"enum","name":"x.E","symbols":["C","B","A"]})", "\"A\""},
      {"an unknown symbol with default", kEnum, "04", R"({"type":"enum","name":"E","symbols":["A","Z"],"default":"Z"})",
       "\"Z\""},
      {"an unknown symbol", kEnum, "04", R"({"type":"enum","name":"E","symbols":["A"]})",
       "ERROR decode Avro at byte 1: enum symbol 2 is unknown to the reader, which has no default"},
      {"a known symbol of an enum with unknown ones", kEnum, "00", R"({"type":"enum","name":"E","symbols":["A"]})",
       "\"A\""},
      {"out of a union", R"(["null","int"])", "02 04", R"("long")", "2"},
      {"out of a union, the wrong branch", R"(["null","int"])", "00", R"("int")",
       "ERROR decode Avro at byte 1: resolve Avro schemas at /: written as null, which int cannot be read from"},
      {"into a union", R"("int")", "04", R"(["null","int"])", R"({"int":2})"},
      {"into a union, exact before promoted", R"("int")", "04", R"(["double","long","int"])", R"({"int":2})"},
      {"into a union, promoted", R"("int")", "04", R"(["string","double"])", R"({"double":2.0})"},
      {"union into union", R"(["int","null"])", "00 04", R"(["null","long"])", R"({"long":2})"},
      {"into a union, a record of another name", two, "02 02 78",
       R"(["null",{"type":"record","name":"S","fields":[{"name":"a","type":"int"}]}])", R"({"S":{"a":1}})"},
      {"into a union, a record of the same name before another", two, "02 02 78",
       R"([{"type":"record","name":"S","fields":[{"name":"a","type":"int"}]},{"type":"record","name":"n.R","fields":[]}])",
       R"({"n.R":{}})"},
      {"items that cannot be read, without any", R"({"type":"array","items":"string"})", "00",
       R"({"type":"array","items":"int"})", "[]"},
      {"items that cannot be read", R"({"type":"array","items":"string"})", "02 02 61 00",
       R"({"type":"array","items":"int"})",
       "ERROR decode Avro at byte 1: resolve Avro schemas at /items: written as string, which int cannot be read from"},
      {"the last of two fields with the same alias", two, "02 02 78",
       R"({"type":"record","name":"R","fields":[{"name":"y","type":"long","aliases":["a"],"default":7},{"name":"z","type":"int","aliases":["a"]}]})",
       R"({"y":7,"z":1})"},
      {"items promoted", R"({"type":"array","items":"int"})", "02 04 00", R"({"type":"array","items":"double"})",
       "[2.0]"},
      {"recursion with a field dropped", kLinked, "02 02 04 00",
       R"({"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]})",
       R"({"next":{"L":{"next":null}}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(read(c.writer, from_hex(c.bytes), c.reader), c.expected) << c.what;
}

TEST(AvroResolution, TypesThatNeverMatchFailToCompile) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {R"("string")", R"("int")"},
      {R"({"type":"fixed","name":"F","size":1})", R"({"type":"fixed","name":"F","size":2})"},
      {R"(["null","string"])", R"("int")"},
      {R"("string")", R"(["null","int"])"}};
  for (const auto& [writer, reader] : cases)
    EXPECT_FALSE(ValueDecoder::compile(schema(writer), schema(reader)).ok()) << writer << reader;
}

// A random value of a schema.
Value random_value(const Schema& s, std::mt19937& random, int depth = 0) {
  const auto text = [&] {
    std::string out(random() % 12, ' ');
    for (char& c : out) c = static_cast<char>('a' + random() % 26);
    return out;
  };
  const auto wide = [&] {
    return static_cast<int64_t>((static_cast<uint64_t>(random()) << 32 | random()) >> (random() % 64));
  };
  switch (s.type) {
    case Type::null: return {};
    case Type::boolean: return random() % 2 == 0;
    case Type::int32: return static_cast<int32_t>(wide());
    case Type::int64: return wide();
    case Type::float32: return static_cast<float>(wide());
    case Type::float64: return std::bit_cast<double>(wide());
    case Type::string: return text();
    case Type::bytes: return Value::Blob{text()};
    case Type::fixed: return Value::Blob{Bytes(static_cast<size_t>(s.size), static_cast<char>(random()))};
    case Type::enumeration: return Value::Symbol{static_cast<int32_t>(random() % s.symbols.size())};
    case Type::record: {
      Value::Record record;
      for (const auto& field : s.fields) record.fields.push_back(random_value(*field.schema, random, depth + 1));
      return record;
    }
    case Type::array: {
      Value::Array array;
      for (auto n = depth > 6 ? 0 : random() % 4; n > 0; --n)
        array.items.push_back(random_value(*s.element, random, depth + 1));
      return array;
    }
    case Type::map: {
      Value::Map map;
      for (auto n = depth > 6 ? 0 : random() % 4; n > 0; --n)
        map.entries.emplace_back(text(), random_value(*s.element, random, depth + 1));
      return map;
    }
    case Type::union_of: {
      const auto branch = depth > 6 ? 0 : random() % s.branches.size();
      return Value::in_branch(static_cast<int32_t>(branch), random_value(*s.branches[branch], random, depth + 1));
    }
  }
  return {};
}

constexpr std::string_view kEverything =
    R"({"type":"record","name":"All","fields":[{"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},)"
    R"({"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"y","type":"bytes"},)"
    R"({"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"x","type":{"type":"fixed","name":"F","size":5}},)"
    R"({"name":"a","type":{"type":"array","items":["null","All","int"]}},{"name":"m","type":{"type":"map","values":{"type":"array","items":"string"}}}]})";

TEST(AvroBinary, RandomValuesSurvive) {
  const uint32_t seed = 20260103;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto s = schema(kEverything);
  const auto decoder = ValueDecoder::compile(s, s);
  ASSERT_TRUE(decoder.ok());
  for (int i = 0; i < 2'000; ++i) {
    const Value value = random_value(*s, random);
    Bytes bytes;
    ASSERT_TRUE(encode(*s, value, bytes).ok());
    Value again;
    const Status status = decoder->decode(bytes, again);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(again, value);
  }
}

TEST(FuzzAvroDatum, SurvivesMutations) {
  std::mt19937 random(20260104);
  const auto s = schema(kEverything);
  std::vector<Bytes> valid;
  for (int i = 0; i < 8; ++i) {
    Bytes bytes;
    ASSERT_TRUE(encode(*s, random_value(*s, random), bytes).ok());
    valid.push_back(std::string(kEverything) + '\0' + bytes);
  }
  valid.push_back(Bytes(R"({"type":"map","values":["null","long"]})") + Bytes("\0\x01\x06\x02k\x02\x05\0", 8));
  testing::survive_mutations("schema_avro_datum", fuzz_avro_datum, valid);
}

TEST(FuzzAvroResolution, SurvivesMutations) {
  const std::string writer =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]},)"
      R"({"name":"c","type":{"type":"array","items":"R"}},{"name":"d","type":{"type":"enum","name":"E","symbols":["X","Y"]}}]})";
  const std::string reader =
      R"({"type":"record","name":"R","fields":[{"name":"c","type":{"type":"array","items":"R"}},{"name":"a","type":"double"},)"
      R"({"name":"n","type":"bytes","default":"\u00ff"},{"name":"z","aliases":["b"],"type":["string","null"]},)"
      R"({"name":"d","type":{"type":"enum","name":"E","symbols":["Q","X"],"default":"Q"}}]})";
  const Bytes datum("\x02\x02\x04hi\x02\x02\0\0\x02\0\x02", 12);
  const Bytes promoted("\"int\"\0[\"float\",\"long\"]\0\x08", 24);
  testing::survive_mutations("schema_avro_resolution", fuzz_avro_resolution,
                             {writer + '\0' + reader + '\0' + datum, promoted}, {.alphabet = "{}[]\",:RabcdE"});
}

TEST(AvroEncode, RefusesValuesOfAnotherShape) {
  const std::pair<std::string_view, Value> cases[]{
      {R"("int")", Value(int64_t{1})},
      {R"("string")", Value(Value::Blob{"x"})},
      {R"({"type":"fixed","name":"F","size":2})", Value(Value::Blob{"x"})},
      {kEnum, Value(Value::Symbol{3})},
      {R"(["null","int"])", Value::in_branch(2, Value(1))},
      {R"(["null","int"])", Value(1)},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})", Value(Value::Record{})},
  };
  for (const auto& [text, value] : cases) {
    Bytes out = "kept";
    EXPECT_FALSE(encode(*schema(text), value, out).ok()) << text;
    EXPECT_EQ(out, "kept");
  }
}

TEST(AvroJson, PlainFormHasNoBranchNamesAndTakesDefaults) {
  const auto s = schema(
      R"({"type":"record","name":"R","fields":[{"name":"a","type":["null","string"],"default":null},{"name":"b","type":"int","default":7}]})");
  const auto value = from_plain_json(*s, *Json::parse(R"({"a":"x"})"));
  ASSERT_TRUE(value.ok()) << value.status().message();
  EXPECT_EQ(to_plain_json(*s, *value)->to_string(), R"({"a":"x","b":7})");
  EXPECT_EQ(to_avro_json(*s, *value)->to_string(), R"({"a":{"string":"x"},"b":7})");
  EXPECT_FALSE(from_avro_json(*s, *Json::parse(R"({"a":"x","b":1})")).ok());
}

}  // namespace
}  // namespace muir::schema::avro
