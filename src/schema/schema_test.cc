#include "schema/schema.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "schema/decimal.h"
#include "schema/schema_builder.h"
#include "schema/uuid.h"

namespace muir::schema {
namespace {

SchemaPtr built(const SchemaBuilder& builder) {
  auto schema = builder.build();
  EXPECT_TRUE(schema.ok()) << schema.status().message();
  return schema.ok() ? *schema : nullptr;
}

// Everything there is, in one structure.
SchemaBuilder everything() {
  const SchemaPtr place =
      built(SchemaBuilder::structure("fleet.Place").field("lat", Type::float64).field("lon", Type::float64));
  return SchemaBuilder::structure("fleet.All")
      .field("tiny", SchemaBuilder(Type::int8).default_value(-5))
      .field("price", SchemaBuilder::decimal(10, 2).nullable().default_value(Json(Json::Number{"1.50"})))
      .field("at", SchemaBuilder::timestamp(TimeUnit::micros, true))
      .field("wall", SchemaBuilder::timestamp(TimeUnit::nanos, false))
      .field("opens", SchemaBuilder::time(TimeUnit::millis))
      .field("kind", SchemaBuilder::enumeration("fleet.Kind", {"ENTER", "EXIT"}))
      .field("track", SchemaBuilder::array(place))
      .field("stops", SchemaBuilder::map(basic(Type::int32), built(SchemaBuilder(*place).nullable())))
      .field("either", SchemaBuilder::union_of({basic(Type::string), place}).nullable())
      .field("parent", SchemaBuilder::reference("fleet.All").nullable());
}

TEST(Schema, ReadsAsTextForMessages) {
  EXPECT_EQ(
      built(everything())->to_string(),
      "struct fleet.All<tiny int8 = -5, price decimal(10, 2)? = 1.50, at timestamp(us, UTC), wall timestamp(ns, no "
      "zone), opens time(ms), kind enum fleet.Kind(ENTER, EXIT), track array<struct fleet.Place<lat float64, lon "
      "float64>>, stops map<int32, struct fleet.Place?>, either union<string, struct fleet.Place>?, parent "
      "reference fleet.All?>");
}

TEST(Schema, TextOfALargeOneIsCutOff) {
  auto builder = SchemaBuilder::structure("Wide");
  for (int i = 0; i < 2000; ++i) builder.field(fmt::format("column_{}", i), Type::int64);
  const std::string text = built(builder)->to_string();
  EXPECT_LT(text.size(), 2100U);
  EXPECT_TRUE(text.ends_with("...>")) << text.substr(text.size() - 20);
}

TEST(Schema, IsEqualAndHashesAlikeWhenMadeAlike) {
  const SchemaPtr one = built(everything());
  const SchemaPtr other = built(everything());
  EXPECT_NE(one, other);
  EXPECT_EQ(*one, *other);
  EXPECT_EQ(std::hash<Schema>()(*one), std::hash<Schema>()(*other));
  const SchemaBuilder changes[]{
      SchemaBuilder(*one).nullable(),
      SchemaBuilder(*one).doc("d"),
      SchemaBuilder(*one).version(2),
      SchemaBuilder(*one).parameter("k", "v"),
      SchemaBuilder(*one).annotation("a", ""),
      SchemaBuilder(*one).name("fleet.Other"),
      SchemaBuilder(*one).field("more", Type::date),
  };
  for (const auto& change : changes) {
    const SchemaPtr changed = built(change);
    EXPECT_FALSE(*changed == *one) << changed->to_string();
    EXPECT_NE(changed->hash(), one->hash()) << changed->to_string();
  }
  EXPECT_EQ(*built(SchemaBuilder(*built(SchemaBuilder(*one).nullable())).nullable(false)), *one);
}

TEST(Schema, CannotBeChanged) {
  const SchemaPtr schema = built(everything());
  static_assert(std::is_same_v<SchemaPtr::element_type, const Schema>);
  static_assert(!std::is_default_constructible_v<Schema>);
  static_assert(std::is_const_v<std::remove_reference_t<decltype(schema->fields())>>);
  static_assert(std::is_const_v<std::remove_reference_t<decltype(schema->element())>>);
  // A copy with another property shares what did not change.
  EXPECT_EQ(built(SchemaBuilder(*schema).nullable())->identity(), schema->identity());
  EXPECT_NE(built(SchemaBuilder(*schema).field("more", Type::date))->identity(), schema->identity());
}

TEST(Schema, FindsFieldsAndSymbolsByName) {
  const SchemaPtr schema = built(everything());
  EXPECT_EQ(schema->field_index("tiny"), 0);
  EXPECT_EQ(schema->field_index("parent"), 9);
  EXPECT_EQ(schema->field_index("none"), -1);
  EXPECT_EQ(schema->fields()[5].schema->symbol_index("EXIT"), 1);
  EXPECT_EQ(schema->fields()[5].schema->symbol_index("exit"), -1);
  EXPECT_EQ(basic(Type::string)->field_index("x"), -1);
}

TEST(Schema, KnowsWhatItsReferencesMayMean) {
  const SchemaPtr schema = built(everything());
  EXPECT_TRUE(schema->has_references());
  const auto named = named_structures(*schema);
  ASSERT_EQ(named.size(), 2U);
  EXPECT_EQ(named.at("fleet.All"), schema.get());
  EXPECT_FALSE(basic(Type::int32)->has_references());
}

// A schema that doubles with each level costs what its text costs, not what it would be written out.
TEST(Schema, SharedPartsAreLookedAtOnce) {
  const auto doubling = [] {
    SchemaPtr schema = built(SchemaBuilder::structure("S0").field("x", Type::int32));
    for (int i = 1; i < 60; ++i)
      schema = built(SchemaBuilder::structure(fmt::format("S{}", i)).field("a", schema).field("b", schema));
    return schema;
  };
  const SchemaPtr schema = doubling();
  EXPECT_EQ(named_structures(*schema).size(), 60U);
  EXPECT_LT(schema->to_string().size(), 3000U);
  EXPECT_FALSE(*schema == *built(SchemaBuilder(*schema).nullable()));
  EXPECT_EQ(*schema, *doubling());
}

TEST(SchemaBuilder, SaysWhatIsWrong) {
  const auto structure = [] { return SchemaBuilder::structure("S"); };
  const SchemaPtr optional = built(SchemaBuilder(Type::int32).nullable());
  const std::pair<SchemaBuilder, std::string_view> cases[]{
      {SchemaBuilder::decimal(0, 0), "decimal(0, 0): a precision of 1 or more"},
      {SchemaBuilder::decimal(3, 4), "a scale from 0 to it"},
      {SchemaBuilder::decimal(3, -1), "a scale from 0 to it"},
      {SchemaBuilder(Type::decimal), "decimal needs more than its type"},
      {SchemaBuilder(Type::array), "array needs more"},
      {SchemaBuilder(Type::null).nullable(), "null is nullable already"},
      {SchemaBuilder::reference(""), "a reference without a name"},
      {SchemaBuilder::array(nullptr), "array without a type of its elements"},
      {SchemaBuilder::map(nullptr, basic(Type::int32)), "map without a type of its keys"},
      {structure().field("", Type::int32), "a field without a name"},
      {structure().field("x", SchemaPtr()), "the field x has no type"},
      {structure().field("x", Type::int32).field("x", Type::string), "the field x is there twice"},
      {structure().field("x", SchemaBuilder::decimal(0, 0)), "field x: build schema: decimal"},
      {SchemaBuilder::enumeration("E", {"A", "B", "A"}), "the symbol A is there twice"},
      {SchemaBuilder::enumeration("E", {""}), "a symbol without a name"},
      {SchemaBuilder::union_of({basic(Type::int32), basic(Type::int32)}), "the branch int32 is there twice"},
      {SchemaBuilder::union_of({basic(Type::null)}), "make the union nullable"},
      {SchemaBuilder::union_of({optional}), "the branch int32? is nullable"},
      {SchemaBuilder::union_of({built(SchemaBuilder::union_of({}))}), "a union directly within a union"},
      {SchemaBuilder::union_of({SchemaPtr()}), "a branch without a type"},
  };
  for (const auto& [builder, reason] : cases) {
    const auto schema = builder.build();
    ASSERT_FALSE(schema.ok()) << reason;
    EXPECT_EQ(schema.status().code(), Code::invalid_argument);
    EXPECT_NE(schema.status().message().find(reason), std::string::npos) << schema.status().message();
  }
}

TEST(SchemaBuilder, RefusesNestingThatWouldBreakTheStack) {
  SchemaPtr schema = basic(Type::int32);
  for (int i = 0; i < 511; ++i) schema = built(SchemaBuilder::array(schema));
  EXPECT_EQ(schema->depth(), 512);
  EXPECT_FALSE(SchemaBuilder::array(schema).build().ok());
}

TEST(SchemaBuilder, TakesDefaultsThatAreValues) {
  const SchemaPtr place =
      built(SchemaBuilder::structure().field("x", SchemaBuilder(Type::int32).default_value(1)).field("y", Type::int32));
  struct Case {
    SchemaBuilder schema;
    std::vector<std::string_view> good;
    std::vector<std::string_view> bad;
  };
  const Case cases[]{
      {Type::boolean, {"true"}, {"1", "null"}},
      {Type::int8, {"-128", "127"}, {"128", "1.0", "\"1\""}},
      {Type::int16, {"-32768"}, {"32768"}},
      {Type::int32, {"2147483647"}, {"2147483648"}},
      {Type::int64, {"9223372036854775807"}, {"9223372036854775808"}},
      {Type::float32, {"1", "1e3", "\"NaN\"", "\"-Infinity\""}, {"\"nan\"", "true"}},
      {SchemaBuilder::decimal(4, 2), {"12.34", "-0.5", "7", "1.500"}, {"123.45", "1.234", "\"1\"", "1e1"}},
      {Type::string, {"\"\""}, {"1"}},
      {Type::bytes, {"\"\\u00ff\""}, {"\"\\u0100\""}},
      {Type::date, {"-1"}, {"2147483648"}},
      {SchemaBuilder::time(TimeUnit::millis), {"0", "86399999"}, {"86400000", "-1"}},
      {SchemaBuilder::time(TimeUnit::nanos), {"86399999999999"}, {"86400000000000"}},
      {SchemaBuilder::timestamp(TimeUnit::millis, true), {"-1"}, {"\"now\""}},
      {Type::uuid, {"\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\""}, {"\"f81d4fae\""}},
      {SchemaBuilder::enumeration("E", {"A"}), {"\"A\""}, {"\"B\"", "0"}},
      {SchemaBuilder::array(basic(Type::int32)), {"[]", "[1,2]"}, {"[1,\"2\"]", "{}"}},
      {SchemaBuilder::map(basic(Type::string), basic(Type::int32)), {"{\"a\":1}"}, {"{\"a\":\"1\"}", "[]"}},
      {SchemaBuilder::map(basic(Type::int32), basic(Type::int32)), {"[[1,2]]", "[]"}, {"{}", "[[1]]", "[[\"1\",2]]"}},
      {SchemaBuilder(*place), {"{\"y\":2}", "{\"x\":0,\"y\":2}"}, {"{\"x\":0}", "{\"x\":\"0\",\"y\":2}"}},
      {SchemaBuilder::union_of({basic(Type::int32), basic(Type::string)}), {"1", "\"a\""}, {"true", "null"}},
      {SchemaBuilder(Type::int32).nullable(), {"null", "1"}, {"\"\""}},
      {Type::null, {"null"}, {"0"}},
  };
  for (const auto& c : cases) {
    for (const auto text : c.good)
      EXPECT_TRUE(SchemaBuilder(c.schema).default_value(*Json::parse(text)).build().ok()) << text;
    for (const auto text : c.bad)
      EXPECT_FALSE(SchemaBuilder(c.schema).default_value(*Json::parse(text)).build().ok()) << text;
  }
}

TEST(Decimal, IsTextAndTheShortestBytes) {
  struct Case {
    std::string_view text;
    int32_t scale;
    std::string_view bytes;
    std::string_view again;  // the text of the bytes; empty: the same
  };
  const Case cases[]{
      {"0", 0, "00", ""},
      {"1", 0, "01", ""},
      {"-1", 0, "ff", ""},
      {"127", 0, "7f", ""},
      {"128", 0, "00 80", ""},
      {"-128", 0, "80", ""},
      {"-129", 0, "ff 7f", ""},
      {"12.5", 2, "04 e2", "12.50"},
      {"-12.50", 2, "fb 1e", ""},
      {"0.05", 2, "05", ""},
      {"-0.05", 2, "fb", ""},
      {"1.500", 1, "0f", "1.5"},
      {"007", 0, "07", "7"},
      {"123456789012345678901234567890.12", 2, "00 9b d3 0a 3c 64 59 43 dd 16 90 a0 3a 14", ""},
  };
  for (const auto& c : cases) {
    const auto bytes = decimal_from_text(c.text, 40, c.scale);
    ASSERT_TRUE(bytes) << c.text;
    EXPECT_EQ(hex(*bytes), c.bytes) << c.text;
    EXPECT_EQ(decimal_text(*bytes, c.scale), c.again.empty() ? c.text : c.again);
  }
  for (const auto* bad : {"", "-", ".", "1.", ".5", "1e3", "+1", "1.2.3", "x", "1.234", "12345678901"})
    EXPECT_FALSE(decimal_from_text(bad, 10, 2)) << bad;
  for (const int64_t number : {INT64_MIN, INT64_C(-129), INT64_C(-1), INT64_C(0), INT64_C(255), INT64_MAX}) {
    EXPECT_EQ(decimal_as_int64(decimal_from_int64(number)), number);
    EXPECT_EQ(decimal_text(decimal_from_int64(number), 0), std::to_string(number));
  }
  EXPECT_FALSE(decimal_as_int64(Bytes("\x01\0\0\0\0\0\0\0\0", 9)));
}

TEST(Decimal, OrdersAsNumbersDo) {
  const int64_t numbers[]{INT64_MIN, -65536, -256, -255, -129, -128, -2,    -1,
                          0,         1,      127,  128,  255,  256,  65536, INT64_MAX};
  for (const int64_t a : numbers) {
    for (const int64_t b : numbers) {
      const int order = compare_decimals(decimal_from_int64(a), decimal_from_int64(b));
      EXPECT_EQ(order < 0, a < b) << a << " " << b;
      EXPECT_EQ(order == 0, a == b) << a << " " << b;
    }
  }
  EXPECT_EQ(compare_decimals(BytesView(), BytesView()), 0) << "no bytes, which lie nowhere";
}

TEST(Uuid, IsText) {
  const std::string_view text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
  EXPECT_EQ(Uuid::parse(text)->to_string(), text);
  EXPECT_EQ(Uuid::parse("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6")->to_string(), text);
  for (const auto* bad : {"", "f81d4fae7dec11d0a76500a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
                          "f81d4fae-7dec-11d0-a765-00a0c91e6bfg", "f81d4fae-7dec-11d0-a765+00a0c91e6bf6"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

}  // namespace
}  // namespace muir::schema
