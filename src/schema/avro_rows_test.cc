#include "schema/avro_rows.h"

#include <gtest/gtest.h>

#include "schema/avro_decode.h"
#include "schema/avro_encode.h"
#include "schema/avro_model.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "schema/random_schema.h"
#include "testing/mutations.h"

namespace muir::schema::avro {
namespace {

RowLayoutPtr layout_of(std::string_view text) {
  const auto model = format().read_schema(text);
  EXPECT_TRUE(model.ok()) << model.status().message();
  auto layout = RowLayout::make(*model);
  EXPECT_TRUE(layout.ok()) << layout.status().message();
  return *layout;
}

constexpr std::string_view kAll =
    R"({"type":"record","name":"x.All","fields":[{"name":"flag","type":"boolean"},{"name":"tiny","type":{"type":"int","connect.type":"int8"}},)"
    R"({"name":"small","type":"int"},{"name":"big","type":"long"},{"name":"single","type":"float"},{"name":"wide","type":"double"},)"
    R"({"name":"text","type":"string"},{"name":"blob","type":"bytes"},{"name":"fix","type":{"type":"fixed","name":"F","size":2}},)"
    R"({"name":"kind","type":{"type":"enum","name":"E","symbols":["A","B"]}},)"
    R"({"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},)"
    R"({"name":"cost","type":{"type":"fixed","name":"C","size":4,"logicalType":"decimal","precision":9,"scale":2}},)"
    R"({"name":"key","type":{"type":"string","logicalType":"uuid"}},{"name":"id","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}},)"
    R"({"name":"maybe","type":["int","null"]},{"name":"either","type":["string","null","long","All"]},)"
    R"({"name":"items","type":{"type":"array","items":["null","string"]}},{"name":"map","type":{"type":"map","values":"int"}},)"
    R"({"name":"pairs","type":{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}},)"
    R"({"name":"children","type":{"type":"array","items":"All"}},{"name":"nothing","type":"null"}]})";

Value all_value(bool with_child) {
  Value::Record r;
  const auto add = [&](Value value) { r.fields.push_back(std::move(value)); };
  const auto bytes = [](std::string_view text) { return Value(Value::Blob{Bytes(text)}); };
  add(true);
  add(-5);
  add(300);
  add(int64_t{-1});
  add(1.5F);
  add(0.25);
  add("zażółć");
  add(bytes(std::string_view("\0\xff", 2)));
  add(bytes("ab"));
  add(Value(Value::Symbol{1}));
  add(bytes("\x04\xe2"));
  add(bytes(std::string_view("\xff\xff\xfb\x1e", 4)));
  add("f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  add(bytes("0123456789abcdef"));
  add(with_child ? Value::in_branch(0, Value(7)) : Value::in_branch(1, Value()));
  add(with_child ? Value::in_branch(3, all_value(false)) : Value::in_branch(2, Value(int64_t{9})));
  add(Value(Value::Array{{Value::in_branch(1, Value("x")), Value::in_branch(0, Value())}}));
  add(Value(Value::Map{{{"a", Value(1)}, {"b", Value(2)}}}));
  add(Value(
      Value::Array{{Value(Value::Record{{Value(1), Value("one")}}), Value(Value::Record{{Value(2), Value("")}})}}));
  add(Value(Value::Array{with_child ? std::vector<Value>{all_value(false), all_value(false)} : std::vector<Value>{}}));
  add(Value());
  return Value(std::move(r));
}

TEST(AvroRows, HoldWhatTheBytesSay) {
  const auto schema = *parse(kAll);
  Bytes bytes;
  ASSERT_TRUE(encode(*schema, all_value(true), bytes).ok());
  const auto layout = layout_of(kAll);
  const auto decoder = AvroRowDecoder::compile(schema, layout);
  ASSERT_TRUE(decoder.ok()) << decoder.status().message();
  Row row;
  ASSERT_TRUE(decoder->decode(bytes, row).ok());
  const std::string inner =
      R"({"flag":true,"tiny":-5,"small":300,"big":-1,"single":1.5,"wide":0.25,"text":"zażółć","blob":"00 ff","fix":"61 62","kind":"B",)"
      R"("price":12.50,"cost":-12.50,"key":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","id":"30313233-3435-3637-3839-616263646566",)"
      R"("maybe":null,"either":9,"items":["x",null],"map":{"a":1,"b":2},"pairs":{1:"one",2:""},"children":[],"nothing":null})";
  std::string outer = inner;
  outer.replace(outer.find(R"("maybe":null,"either":9)"), 23, R"("maybe":7,"either":)" + inner);
  outer.replace(outer.rfind(R"("children":[])"), 13, R"("children":[)" + inner + "," + inner + "]");
  EXPECT_EQ(to_string(row.view()), outer);
  const auto encoder = AvroRowEncoder::compile(layout);
  ASSERT_TRUE(encoder.ok());
  Bytes again;
  ASSERT_TRUE(encoder->encode(row, again).ok());
  EXPECT_EQ(hex(again), hex(bytes));
}

// The rules of resolution are those of every other target.
TEST(AvroRows, ReadOlderAndNewerWriters) {
  const auto layout = layout_of(
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"],"default":null},{"name":"c","type":"double","default":2.5},)"
      R"({"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"],"default":"Y"},"default":"X"},{"name":"l","type":{"type":"array","items":"int"},"default":[1,2]},{"name":"r","type":"string","aliases":["old"]}]})");
  const std::pair<std::string_view, std::string_view> cases[]{
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"old","type":"bytes"}]})",
       R"({"a":-1,"b":null,"c":2.5,"e":"X","l":[1,2],"r":"hi"})"},
      {R"({"type":"record","name":"R","fields":[{"name":"gone","type":["null",{"type":"map","values":"bytes"}]},{"name":"r","type":"string"},{"name":"b","type":"string"},{"name":"a","type":["string","long"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["Z","X"]}},{"name":"c","type":"float"}]})",
       R"({"a":5,"b":"b","c":1.5,"e":"Y","l":[1,2],"r":"r"})"},
  };
  const Bytes data[]{Bytes("\x01\x04hi", 4), Bytes("\x02\x02\x02k\x02v\0\x02r\x02"
                                                   "b\x02\x0a\0\0\0\xc0\x3f",
                                                   18)};
  for (size_t i = 0; i < std::size(cases); ++i) {
    const auto decoder = AvroRowDecoder::compile(*parse(cases[i].first), layout);
    ASSERT_TRUE(decoder.ok()) << decoder.status().message();
    Row row;
    const Status status = decoder->decode(data[i], row);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(to_string(row.view()), cases[i].second);
  }
  EXPECT_FALSE(AvroRowDecoder::compile(*parse(R"({"type":"record","name":"R","fields":[]})"), layout).ok());
}

TEST(AvroRows, RefuseWhatATypeCannotHold) {
  struct Case {
    std::string_view type;
    Bytes bytes;
    std::string_view reason;
  };
  const Case cases[]{
      {R"({"type":"int","connect.type":"int8"})", Bytes("\x80\x02", 2), "a number outside of int8"},
      {R"({"type":"int","connect.type":"int16"})", Bytes("\x80\x80\x04", 3), "a number outside of int16"},
      {R"({"type":"string","logicalType":"uuid"})", Bytes("\x02x", 2), "a uuid that is none"},
      {R"({"type":"bytes","logicalType":"decimal","precision":3})", Bytes("\0", 1), "a decimal without bytes"},
      {R"(["null","int"])", Bytes("\x04", 1), "union branch 2 of 2"},
      {R"({"type":"array","items":"int"})", Bytes("\xfe\xff\xff\xff\x0f", 5), "more items than the bytes can hold"},
      {R"({"type":"enum","name":"E","symbols":["A"]})", Bytes("\x02", 1), "enum symbol 1 of 1"},
      {R"("string")", Bytes("\x08x", 2), "the bytes end or are malformed"},
      {R"("int")", Bytes("\x02\x02", 2), "1 bytes left after the datum"},
  };
  for (const auto& c : cases) {
    const std::string text =
        fmt::format(R"({{"type":"record","name":"R","fields":[{{"name":"f","type":{}}}]}})", c.type);
    Row row;
    const Status status = AvroRowDecoder::compile(*parse(text), layout_of(text))->decode(c.bytes, row);
    EXPECT_EQ(status.code(), Code::invalid_argument) << c.type;
    EXPECT_NE(status.message().find(c.reason), std::string::npos) << status.message();
  }
}

// A default that is large, in items that cost no bytes: a few bytes stand for more than a row may hold.
TEST(AvroRows, AreBoundedWhateverTheBytesAskFor) {
  const std::string writer =
      R"({"type":"record","name":"R","fields":[{"name":"l","type":{"type":"array","items":{"type":"record","name":"I","fields":[]}}}]})";
  const std::string reader =
      R"({"type":"record","name":"R","fields":[{"name":"l","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"d","type":"string","default":")" +
      std::string(1 << 16, 'x') + R"("}]}}}]})";
  Bytes bytes("\x80\x80\x80\x01", 4);  // 2^20 items
  Row row;
  const Status status = AvroRowDecoder::compile(*parse(writer), layout_of(reader))->decode(bytes, row);
  EXPECT_NE(status.message().find("a row of more than 134217728 bytes"), std::string::npos) << status.message();
}

TEST(AvroRows, AreWrittenOnlyInTheirOwnSchema) {
  const auto one = layout_of(R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})");
  const auto same = layout_of(R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})");
  const auto other = layout_of(R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"}]})");
  const auto encoder = *AvroRowEncoder::compile(one);
  Bytes out("before");
  EXPECT_TRUE(encoder.encode(Row(same), out).ok());
  EXPECT_EQ(out, Bytes("before\0", 7));
  EXPECT_NE(encoder.encode(Row(other), out).message().find("the row is of another schema than struct R<a int32>"),
            std::string::npos);
  EXPECT_FALSE(encoder.encode(Row(), out).ok());
  // What no type of the schema can be.
  const auto odd = layout_of(
      R"({"type":"record","name":"R","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]}},{"name":"f","type":{"type":"fixed","name":"F","size":2}}]})");
  const auto odd_encoder = *AvroRowEncoder::compile(odd);
  Row row(odd);
  EXPECT_NE(odd_encoder.encode(row, out).message().find("0 bytes for a fixed type of 2"), std::string::npos);
  row[0].set(1);
  EXPECT_NE(odd_encoder.encode(row, out).message().find("enum E(A) has a value without a symbol"), std::string::npos);
  EXPECT_EQ(out, Bytes("before\0", 7));
}

TEST(AvroRows, RandomRowsSurviveTheirBytes) {
  size_t bytes_seen = 0;
  for (uint32_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    RandomSchema random(seed);
    const auto model = random.schema();
    const auto layout = *RowLayout::make(model);
    const auto encoder = AvroRowEncoder::compile(layout);
    ASSERT_TRUE(encoder.ok()) << encoder.status().message();
    const auto decoder = AvroRowDecoder::compile(encoder->schema(), layout);
    ASSERT_TRUE(decoder.ok()) << decoder.status().message();
    const auto values = ValueDecoder::compile(encoder->schema(), encoder->schema());
    for (int i = 0; i < 5; ++i) {
      Row row(layout);
      random.fill(row);
      Bytes bytes;
      const Status written = encoder->encode(row, bytes);
      ASSERT_TRUE(written.ok()) << written.message();
      bytes_seen += bytes.size();
      Row again;
      const Status read = decoder->decode(bytes, again);
      ASSERT_TRUE(read.ok()) << read.message() << "\n" << to_string(row.view());
      EXPECT_EQ(again, row) << to_string(again.view()) << "\n" << to_string(row.view());
      Bytes twice;
      ASSERT_TRUE(encoder->encode(again, twice).ok());
      EXPECT_EQ(hex(twice), hex(bytes));
      // The same bytes as a tree, which knows nothing of rows.
      Value value;
      ASSERT_TRUE(values->decode(bytes, value).ok());
      Bytes of_value;
      ASSERT_TRUE(encode(*encoder->schema(), value, of_value).ok());
      EXPECT_EQ(hex(of_value), hex(bytes));
    }
  }
  EXPECT_GT(bytes_seen, 50'000U);
}

TEST(FuzzAvroRow, SurvivesMutations) {
  Bytes bytes;
  ASSERT_TRUE(encode(**parse(kAll), all_value(true), bytes).ok());
  const Bytes small =
      Bytes(R"({"type":"record","name":"R","fields":[{"name":"m","type":{"type":"map","values":["null","R"]}}]})") +
      Bytes("\0\x04\x02k\x02\0\x02z\0\0", 10);
  muir::testing::survive_mutations("schema_avro_row", fuzz_avro_row, {Bytes(kAll) + '\0' + bytes, small},
                                   {.rounds = 20'000});
}

}  // namespace
}  // namespace muir::schema::avro
