#include "serde/row_serde.h"

#include <gtest/gtest.h>

#include "schema/schema_builder.h"
#include "serde/test_types.h"

namespace muir {
namespace {

using schema::Row;

constexpr std::string_view kPosition =
    R"({"type":"record","name":"Position","namespace":"fleet","fields":[{"name":"vehicle","type":"string"},{"name":"lat","type":"double"},)"
    R"({"name":"lon","type":"double"},{"name":"speed","type":"float","doc":"km/h","default":0.0},)"
    R"({"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}}]})";

fleet::Position a_position() { return {"V1", 52.25, 21.0, 36.5F, 1'767'268'800'000}; }

struct Fixture {
  MemoryRegistry registry;
  schema::RowLayoutPtr layout;
  SerdeRef<Row> rows;

  explicit Fixture(std::string_view text = kPosition, AvroOptions options = {}) {
    auto made = row_layout(text);
    EXPECT_TRUE(made.ok()) << made.status().message();
    layout = *made;
    auto serde = row_serde(layout, std::move(options));
    EXPECT_TRUE(serde.ok()) << serde.status().message();
    rows = *serde;
    EXPECT_TRUE(rows.configure({&registry}, false).ok());
  }
};

TEST(RowSerde, ReadsWhatStructsWroteAndWritesWhatStructsRead) {
  Fixture f;
  auto structs = default_serde<fleet::Position>();
  ASSERT_TRUE(structs.configure({&f.registry}, false).ok());
  Bytes of_struct;
  ASSERT_TRUE(structs.serialize("t", a_position(), of_struct).ok());
  const auto row = f.rows.deserialize("t", of_struct);
  ASSERT_TRUE(row.ok()) << row.status().message();
  EXPECT_EQ(row->get<std::string_view>(0), "V1");
  EXPECT_EQ(row->get<int64_t>(4), 1'767'268'800'000);
  Bytes of_row;
  ASSERT_TRUE(f.rows.serialize("t", *row, of_row).ok());
  EXPECT_EQ(hex(of_row), hex(of_struct));  // under the same id: the texts are the same
  EXPECT_EQ(f.registry.latest_schema("t-value")->version, 1);
  EXPECT_EQ(*structs.deserialize("t", of_row), a_position());
}

TEST(RowSerde, RegistersTheTextThatItsLayoutWasMadeOf) {
  const std::string_view text =
      R"({"type":"record","name":"R","namespace":"x","doc":"d","fields":[{"name":"a","type":["int","null"],"default":5,"order":"ignore","q":1.0}],"p":[1],"aliases":["Q"]})";
  Fixture f(text, {.subject = "own"});
  Bytes out;
  ASSERT_TRUE(f.rows.serialize("t", Row(f.layout), out).ok());
  EXPECT_EQ(f.registry.latest_schema("own")->schema, text);
  EXPECT_EQ(hex(out), "00 00 00 00 01 02");
}

TEST(RowSerde, ReadsOlderWriters) {
  Fixture f;
  const auto older = row_layout(
      R"({"type":"record","name":"Position","namespace":"fleet","fields":[{"name":"timestamp","type":"int"},{"name":"vehicle","type":"string"},{"name":"lat","type":"float"},{"name":"lon","type":"long"}]})");
  auto writer = *row_serde(*older);
  ASSERT_TRUE(writer.configure({&f.registry}, false).ok());
  Row old(*older);
  old[0].set(int32_t{5});
  old[1].set("V1");
  old[2].set(1.5F);
  old[3].set(int64_t{2});
  Bytes bytes;
  ASSERT_TRUE(writer.serialize("t", old, bytes).ok());
  const auto row = f.rows.deserialize("t", bytes);
  ASSERT_TRUE(row.ok()) << row.status().message();
  EXPECT_EQ(to_string(row->view()), R"({"vehicle":"V1","lat":1.5,"lon":2.0,"speed":0,"timestamp":5})");
}

// A row that was read with one serde goes out through another of an equal schema.
TEST(RowSerde, TakesRowsOfEqualSchemas) {
  Fixture f;
  Fixture other;
  Row row(other.layout);
  row[0].set("V2");
  Bytes out;
  ASSERT_TRUE(f.rows.serialize("t", row, out).ok());
  EXPECT_EQ(f.rows.deserialize("t", out)->get<std::string_view>(0), "V2");
}

TEST(RowSerde, SaysWhatIsWrong) {
  Fixture f;
  EXPECT_NE(row_layout("\"int\"").status().message().find("int32 is not a struct"), std::string::npos);
  EXPECT_FALSE(row_layout("{").ok());
  const auto twice = schema::SchemaBuilder::structure("R")
                         .field("u", schema::SchemaBuilder::union_of(
                                         {schema::basic(schema::Type::int8), schema::basic(schema::Type::int32)}))
                         .build();
  EXPECT_NE(row_serde(*schema::RowLayout::make(*twice)).status().message().find("a union holds int twice"),
            std::string::npos);
  auto unbound = *row_serde(f.layout);
  EXPECT_EQ(unbound.configure({}, false).message(),
            "Avro of fleet.Position needs a schema registry, and there is none: give the application one "
            "(schema.registry.url)");
  Bytes out("before");
  EXPECT_EQ(unbound.serialize("t", Row(f.layout), out).code(), Code::failed_precondition);
  EXPECT_EQ(f.rows.serialize("t", Row(), out).code(), Code::invalid_argument);
  const auto misfit = row_layout(R"({"type":"record","name":"Other","fields":[]})");
  const Status refused = f.rows.serialize("t", Row(*misfit), out);
  EXPECT_NE(refused.message().find("serialize fleet.Position topic=t value: encode Avro: the row is of another schema"),
            std::string::npos)
      << refused.message();
  EXPECT_EQ(out, "before");
  EXPECT_FALSE(f.rows.deserialize("t", "").ok());
}

}  // namespace
}  // namespace muir
