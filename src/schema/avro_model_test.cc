#include "schema/avro_model.h"

#include <gtest/gtest.h>

#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "schema/random_schema.h"
#include "schema/schema_builder.h"

namespace muir::schema::avro {
namespace {

schema::SchemaPtr model_of(std::string_view text) {
  const auto schema = parse(text);
  EXPECT_TRUE(schema.ok()) << schema.status().message();
  auto model = to_model(**schema);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

std::string text_of(const schema::Schema& model) {
  const auto schema = from_model(model);
  return schema.ok() ? to_text(**schema) : "ERROR " + schema.status().message();
}

TEST(AvroModel, SaysWhatAvroSays) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {R"("null")", "null"},
      {R"("boolean")", "boolean"},
      {R"("int")", "int32"},
      {R"("long")", "int64"},
      {R"("float")", "float32"},
      {R"("double")", "float64"},
      {R"("bytes")", "bytes"},
      {R"("string")", "string"},
      {R"({"type":"int","connect.type":"int8"})", "int8"},
      {R"({"type":"int","connect.type":"int16"})", "int16"},
      {R"({"type":"int","connect.type":"int7"})", "int32"},
      {R"({"type":"int","logicalType":"date"})", "date"},
      {R"({"type":"int","logicalType":"time-millis"})", "time(ms)"},
      {R"({"type":"long","logicalType":"time-micros"})", "time(us)"},
      {R"({"type":"long","muir.type":"time-nanos"})", "time(ns)"},
      {R"({"type":"long","logicalType":"timestamp-millis"})", "timestamp(ms, UTC)"},
      {R"({"type":"long","logicalType":"timestamp-micros"})", "timestamp(us, UTC)"},
      {R"({"type":"long","logicalType":"timestamp-nanos"})", "timestamp(ns, UTC)"},
      {R"({"type":"long","logicalType":"local-timestamp-millis"})", "timestamp(ms, no zone)"},
      {R"({"type":"long","logicalType":"local-timestamp-micros"})", "timestamp(us, no zone)"},
      {R"({"type":"long","logicalType":"local-timestamp-nanos"})", "timestamp(ns, no zone)"},
      {R"({"type":"string","logicalType":"uuid"})", "uuid"},
      {R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})", "uuid U"},
      {R"({"type":"bytes","logicalType":"decimal","precision":10,"scale":2})", "decimal(10, 2)"},
      {R"({"type":"bytes","logicalType":"decimal","precision":10})", "decimal(10, 0)"},
      {R"({"type":"bytes","logicalType":"decimal","precision":1,"scale":2})", "bytes"},
      {R"({"type":"fixed","name":"x.D","size":8,"logicalType":"decimal","precision":4,"scale":1})",
       "decimal x.D(4, 1)"},
      {R"({"type":"fixed","name":"x.F","size":3})", "bytes x.F"},
      {R"({"type":"int","logicalType":"uuid"})", "int32"},
      {R"({"type":"enum","name":"x.E","symbols":["A","B"],"default":"A"})", "enum x.E(A, B)"},
      {R"({"type":"array","items":["null","int"]})", "array<int32?>"},
      {R"({"type":"map","values":"long"})", "map<string, int64>"},
      {R"(["null","int"])", "int32?"},
      {R"(["int","null"])", "int32?"},
      {R"(["int"])", "union<int32>"},
      {R"(["null"])", "union<>?"},
      {R"([])", "union<>"},
      {R"(["int","null","string"])", "union<int32, string>?"},
      {R"({"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}})",
       "map<int32, string>"},
      {R"({"type":"record","name":"L","fields":[{"name":"v","type":"int","default":1},{"name":"next","type":["null","L"],"default":null}]})",
       "struct L<v int32 = 1, next reference L? = null>"},
      {R"({"type":"record","name":"R","fields":[{"name":"p","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":"\u00fb"}]})",
       "struct R<p decimal(4, 2) = -0.05>"},
      {R"({"type":"record","name":"R","connect.version":3,"connect.parameters":{"a":"b"},"fields":[{"name":"t","type":{"type":"string","connect.name":"x.T"}}]})",
       "struct R<t string x.T>"},
      {R"({"type":"array","items":{"type":"int","connect.default":5}})", "array<int32 = 5>"},
  };
  for (const auto& [text, expected] : cases) {
    const auto model = model_of(text);
    EXPECT_EQ(model->to_string(), expected) << text;
    EXPECT_EQ(text_of(*model), to_text(**parse(text)));
  }
}

// What a model of a text that has everything goes back to.
TEST(AvroModel, LosesNothingOfAText) {
  const std::string_view texts[]{
      R"({"type":"record","name":"R","namespace":"n","doc":"d","fields":[],"p":1,"aliases":["A","m.B"]})",
      R"({"type":"error","name":"E","fields":[]})",
      R"({"type":"record","name":"R","fields":[{"name":"f","type":"double","doc":"x","default":1.0,"order":"descending","aliases":["g"],"q":null},{"name":"h","type":"int","order":"ignore"}]})",
      R"({"type":"enum","name":"E","doc":"d","symbols":["A","B"],"default":"A","z":1,"aliases":["F"]})",
      R"({"type":"fixed","name":"F","doc":"","size":12,"logicalType":"duration"})",
      R"({"type":"string","avro.java.string":"String"})",
      R"({"type":"bytes","precision":4,"logicalType":"decimal","scale":2,"x":[1.0]})",
      R"({"type":"bytes","logicalType":"decimal","precision":3000000000})",
      R"({"type":"array","items":"long","x":[1.50]})",
      R"({"type":"map","values":"long","connect.doc":"d"})",
      R"([{"type":"null","p":1},"int"])",
      R"(["int",{"type":"null","p":1},"string"])",
      R"({"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"record","name":"S","namespace":"b","fields":[{"name":"s","type":["null","S"]}]}},{"name":"y","type":"b.S"},{"name":"z","type":["int","b.S","R"]}]})",
      R"({"type":"record","name":"R","fields":[{"name":"a","type":["int","null"],"default":5},{"name":"b","type":["null","int"],"default":5},{"name":"c","type":["int","null"]},{"name":"d","type":["int","null"],"default":null}]})",
      R"({"type":"record","name":"R","fields":[{"name":"t","type":{"type":"int","logicalType":"time-millis"},"default":-1},{"name":"u","type":{"type":"string","logicalType":"uuid"},"default":"none"},{"name":"f","type":{"type":"fixed","name":"U","size":16,"logicalType":"uuid"},"default":"0123456789abcdef"},{"name":"d","type":{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":4},"default":"\u0000\u0000\u0000\u0001"},{"name":"e","type":{"type":"bytes","logicalType":"decimal","precision":4},"default":"\u0000\u0001"}]})",
      R"({"type":"record","name":"R","fields":[{"name":"x","type":{"type":"int","connect.default":7,"connect.type":"int8"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]},"default":"A"},{"name":"g","type":"E"}]})",
      // Maps that nobody but Confluent's converter writes so, and arrays that only look like them.
      R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":["null","int"],"default":null},{"name":"value","type":"string","default":"x"}]}},"default":[{"key":1,"value":"y"}]}]})",
      R"({"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"string"},{"name":"value","type":"string"}]}})",
      R"({"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string","doc":"d"}]}})",
      R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}},{"name":"b","type":"io.confluent.connect.avro.MapEntry"}]})",
      R"({"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a","type":"int"}],"muir.unnamed":true})",
      R"({"type":"record","name":"Other","fields":[],"muir.unnamed":true})",
  };
  for (const auto text : texts) {
    const auto model = model_of(text);
    EXPECT_EQ(text_of(*model), to_text(**parse(text))) << model->to_string();
    EXPECT_EQ(*model_of(text), *model);
  }
}

TEST(AvroModel, WritesWhatAvroHasNot) {
  const auto built = [](const SchemaBuilder& builder) { return builder.build().value(); };
  const auto inner = built(SchemaBuilder::structure().field("x", schema::Type::int8));
  const std::pair<SchemaBuilder, std::string_view> cases[]{
      {SchemaBuilder::structure("x.R").version(2).doc("d").parameter("k", "v"),
       R"({"type":"record","name":"R","namespace":"x","doc":"d","fields":[],"connect.version":2,"connect.parameters":{"k":"v"}})"},
      {SchemaBuilder::array(inner),
       R"({"type":"array","items":{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"x","type":{"type":"int","connect.type":"int8"}}],"muir.unnamed":true}})"},
      {SchemaBuilder::map(basic(schema::Type::int64), inner),
       R"({"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"long"},{"name":"value","type":{"type":"record","name":"ConnectDefault","fields":[{"name":"x","type":{"type":"int","connect.type":"int8"}}],"muir.unnamed":true}}]}})"},
      {SchemaBuilder(schema::Type::bytes).name("x.Y").doc("d"),
       R"({"type":"bytes","connect.name":"x.Y","connect.doc":"d"})"},
      {SchemaBuilder::structure("R").field("a", SchemaBuilder(schema::Type::string).nullable().default_value("z")),
       R"({"type":"record","name":"R","fields":[{"name":"a","type":["string","null"],"default":"z"}]})"},
      {SchemaBuilder::structure("R").field("p", SchemaBuilder::decimal(5, 2).default_value(Json(Json::Number{"1.28"}))),
       R"({"type":"record","name":"R","fields":[{"name":"p","type":{"type":"bytes","logicalType":"decimal","precision":5,"scale":2},"default":")"
       "\xC2\x80"
       R"("}]})"},
  };
  for (const auto& [builder, expected] : cases) {
    const auto model = built(builder);
    if (expected.find("\xC2\x80") == std::string_view::npos) {
      EXPECT_EQ(text_of(*model), expected);
    }
    EXPECT_EQ(*model_of(text_of(*model)), *model) << text_of(*model);
  }
}

TEST(AvroModel, SaysWhatAvroCannotSay) {
  using schema::Type;
  const auto built = [](const SchemaBuilder& builder) { return builder.build().value(); };
  const auto one = built(SchemaBuilder::structure("S").field("a", Type::int32));
  const auto other = built(SchemaBuilder::structure("S").field("b", Type::int32));
  const std::pair<SchemaBuilder, std::string_view> cases[]{
      {SchemaBuilder::structure("not a name"), "illegal name not a name"},
      {SchemaBuilder::structure("R").field("a b", Type::int32), "illegal field name 'a b'"},
      {SchemaBuilder::structure("R").field("a", one).field("b", other), "S is defined twice, differently"},
      {SchemaBuilder::structure("R").field("a", one).field("b", SchemaBuilder(*one).doc("d")), "S is defined twice"},
      {SchemaBuilder::structure("R").field("a", SchemaBuilder::reference("Q")), "nothing before it is named Q"},
      {SchemaBuilder::union_of({basic(Type::int8), basic(Type::int32)}), "a union holds int twice"},
      {SchemaBuilder::union_of({basic(Type::int32)}).doc("d"), "a union has no place for a name, doc"},
      {SchemaBuilder::array(built(SchemaBuilder(Type::int32).nullable().default_value(1))),
       "a default of what is no field has no place in a union"},
      {SchemaBuilder(Type::bytes).annotation("avro.fixed", "3"), "fixed bytes without a name"},
      {SchemaBuilder(Type::bytes).name("F").annotation("avro.fixed", "three"), "no number"},
      {SchemaBuilder(Type::int32).annotation("avro.properties", "[]"), "no object"},
      {SchemaBuilder(Type::int32).nullable().annotation("avro.null", "2"), "2 is no place"},
  };
  for (const auto& [builder, reason] : cases) {
    const auto schema = from_model(*built(builder));
    ASSERT_FALSE(schema.ok()) << reason;
    EXPECT_NE(schema.status().message().find(reason), std::string::npos) << schema.status().message();
  }
}

// Two aliases that have one text: a text says no namespace and its own alike.
TEST(AvroModel, KeepsAliasesOfTheNullNamespace) {
  const auto schema = *parse(R"({"type":"fixed","name":"x.F","size":1,"aliases":["Old",".Old"]})");
  const auto again = from_model(**to_model(*schema));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->aliases, schema->aliases);
  EXPECT_EQ(to_text(**again), to_text(*schema));
}

TEST(AvroModel, TakesDeepTypesAndRefusesDeeperOnes) {
  const auto nested = [](int depth) {
    std::string text = R"("int")";
    for (int i = 0; i < depth; ++i) text = R"({"type":"array","items":)" + text + "}";
    return parse(text).value();
  };
  const auto model = to_model(*nested(90));
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(text_of(**model), to_text(*nested(90)));
  EXPECT_NE(to_model(*nested(200)).status().message().find("nest more than 100 deep"), std::string::npos);
}

TEST(AvroModel, RandomModelsSurviveAvro) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    const auto model = RandomSchema(seed).schema();
    const auto schema = from_model(*model);
    ASSERT_TRUE(schema.ok()) << schema.status().message() << "\n" << model->to_string();
    const auto again = to_model(**schema);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(**again, *model) << to_text(**schema) << "\n" << model->to_string() << "\n" << (*again)->to_string();
  }
}

}  // namespace
}  // namespace muir::schema::avro
