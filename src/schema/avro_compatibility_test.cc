#include "schema/avro_compatibility.h"

#include <gtest/gtest.h>

#include "schema/avro_parse.h"

namespace muir::schema::avro {
namespace {

SchemaPtr schema(std::string_view text) {
  auto parsed = parse(text);
  EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
  return *parsed;
}

std::string record(std::string_view fields, std::string_view name = "R") {
  return fmt::format(R"({{"type":"record","name":"{}","fields":[{}]}})", name, fields);
}

using Kind = IncompatibilityKind;
struct Case {
  std::string name;
  std::string reader, writer;
  std::vector<Incompatibility> expected;
};

class AvroCompatibility : public testing::TestWithParam<Case> {};

TEST_P(AvroCompatibility, FindsWhatJavaFinds) {
  const Case& c = GetParam();
  const auto findings = check_readable(*schema(c.reader), *schema(c.writer));
  ASSERT_EQ(findings.size(), c.expected.size());
  for (size_t i = 0; i < findings.size(); ++i) {
    EXPECT_EQ(to_string(findings[i].kind), to_string(c.expected[i].kind));
    EXPECT_EQ(findings[i].path, c.expected[i].path);
    EXPECT_EQ(findings[i].message, c.expected[i].message);
  }
}

const std::string kFieldA = R"({"name":"a","type":"int"})";
const std::string kEnumAB = R"({"type":"enum","name":"E","symbols":["A","B"]})";

INSTANTIATE_TEST_SUITE_P(
    Table, AvroCompatibility,
    testing::Values(
        Case{"same_primitive", R"("int")", R"("int")", {}}, Case{"int_to_long", R"("long")", R"("int")", {}},
        Case{"long_to_float", R"("float")", R"("long")", {}}, Case{"float_to_double", R"("double")", R"("float")", {}},
        Case{"string_to_bytes", R"("bytes")", R"("string")", {}},
        Case{"bytes_to_string", R"("string")", R"("bytes")", {}},
        Case{"long_to_int",
             R"("int")",
             R"("long")",
             {{Kind::type_mismatch, "/", "reader type: INT not compatible with writer type: LONG"}}},
        Case{"int_to_string",
             R"("string")",
             R"("int")",
             {{Kind::type_mismatch, "/", "reader type: STRING not compatible with writer type: INT"}}},
        Case{"double_to_float",
             R"("float")",
             R"("double")",
             {{Kind::type_mismatch, "/", "reader type: FLOAT not compatible with writer type: DOUBLE"}}},
        Case{"items",
             R"({"type":"array","items":"int"})",
             R"({"type":"array","items":"string"})",
             {{Kind::type_mismatch, "/items", "reader type: INT not compatible with writer type: STRING"}}},
        Case{"values",
             R"({"type":"map","values":"int"})",
             R"({"type":"map","values":"string"})",
             {{Kind::type_mismatch, "/values", "reader type: INT not compatible with writer type: STRING"}}},
        Case{"array_is_not_map",
             R"({"type":"array","items":"int"})",
             R"({"type":"map","values":"int"})",
             {{Kind::type_mismatch, "/", "reader type: ARRAY not compatible with writer type: MAP"}}},
        Case{"logical_types_do_not_matter",
             R"({"type":"long","logicalType":"timestamp-micros"})",
             R"({"type":"long","logicalType":"timestamp-millis"})",
             {}},
        Case{"field_removed", record(""), record(kFieldA), {}},
        Case{"field_added_with_default", record(R"({"name":"a","type":"int","default":1})"), record(""), {}},
        Case{"field_added_with_null_default",
             record(R"({"name":"a","type":["null","int"],"default":null})"),
             record(""),
             {}},
        Case{"field_added_without_default",
             record(kFieldA),
             record(""),
             {{Kind::reader_field_missing_default_value, "/fields/0", "a"}}},
        Case{"enum_default_does_not_stand_in_for_a_field",
             record(R"({"name":"a","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}})"),
             record(""),
             {{Kind::type_mismatch, "/fields/0/type", "reader type: ENUM not compatible with writer type: RECORD"}}},
        Case{"field_that_several_written_ones_match",
             record(R"({"name":"b","aliases":["a"],"type":"int"})"),
             record(kFieldA + R"(,{"name":"b","type":"int"})"),
             {{Kind::name_mismatch, "/fields/0", "reader field b matches several fields of the writer"}}},
        Case{"field_renamed_with_alias", record(R"({"name":"b","aliases":["a"],"type":"int"})"), record(kFieldA), {}},
        Case{"field_type_changed",
             record(R"({"name":"a","type":"string"})"),
             record(kFieldA),
             {{Kind::type_mismatch, "/fields/0/type", "reader type: STRING not compatible with writer type: INT"}}},
        Case{"record_renamed", record("", "S"), record("", "R"), {{Kind::name_mismatch, "/name", "expected: R"}}},
        Case{"record_renamed_with_alias",
             R"({"type":"record","name":"S","aliases":["R"],"fields":[]})",
             record("", "R"),
             {}},
        Case{"namespaces_do_not_matter", record("", "a.R"), record("", "b.R"), {}},
        Case{"alias_must_be_the_full_name",
             R"({"type":"record","name":"S","aliases":["R"],"fields":[]})",
             record("", "n.R"),
             {{Kind::name_mismatch, "/name", "expected: n.R"}}},
        Case{"symbol_added", R"({"type":"enum","name":"E","symbols":["A","B","C"]})", kEnumAB, {}},
        Case{"symbols_removed",
             R"({"type":"enum","name":"E","symbols":["C"]})",
             kEnumAB,
             {{Kind::missing_enum_symbols, "/symbols", "[A, B]"}}},
        Case{"symbol_removed_with_default", R"({"type":"enum","name":"E","symbols":["A"],"default":"A"})", kEnumAB, {}},
        Case{"fixed_size",
             R"({"type":"fixed","name":"F","size":4})",
             R"({"type":"fixed","name":"F","size":8})",
             {{Kind::fixed_size_mismatch, "/size", "expected: 8, found: 4"}}},
        Case{"fixed_name_and_size",
             R"({"type":"fixed","name":"G","size":4})",
             R"({"type":"fixed","name":"F","size":8})",
             {{Kind::name_mismatch, "/name", "expected: F"},
              {Kind::fixed_size_mismatch, "/size", "expected: 8, found: 4"}}},
        Case{"union_widened", R"(["null","int","string"])", R"(["null","int"])", {}},
        Case{"union_narrowed",
             R"(["null","int"])",
             R"(["null","string","int"])",
             {{Kind::missing_union_branch, "/1", "reader union lacking writer type: STRING"}}},
        Case{"union_branch_promoted", R"(["null","long"])", R"(["null","int"])", {}},
        Case{"into_union", R"(["null","long"])", R"("int")", {}},
        Case{"into_union_without_branch",
             R"(["null","long"])",
             R"("string")",
             {{Kind::missing_union_branch, "/", "reader union lacking writer type: STRING"}}},
        Case{"out_of_union_all_branches", R"("long")", R"(["int","long"])", {}},
        Case{"out_of_union_a_branch_differs",
             R"("long")",
             R"(["null","long"])",
             {{Kind::type_mismatch, "/0", "reader type: LONG not compatible with writer type: NULL"}}},
        Case{"recursive",
             record(R"({"name":"next","type":["null","R"]})"),
             record(R"({"name":"next","type":["null","R"]},{"name":"x","type":"int"})"),
             {}},
        Case{"several_findings",
             record(R"({"name":"a","type":"string"},{"name":"b","type":"int"})"),
             record(kFieldA),
             {{Kind::type_mismatch, "/fields/0/type", "reader type: STRING not compatible with writer type: INT"},
              {Kind::reader_field_missing_default_value, "/fields/1", "b"}}}),
    [](const auto& test) { return test.param.name; });

TEST(AvroCompatibilityBounds, FindingsThatDoubleAtEveryLevelEndInTime) {
  // Forty records, each with two fields of the next one; the last ones do not match.
  const auto chain = [](std::string_view last) {
    std::string text = fmt::format(R"({{"type":"record","name":"R40","fields":[{{"name":"x","type":"{}"}}]}})", last);
    for (int i = 39; i >= 0; --i) {
      text = fmt::format(
          R"({{"type":"record","name":"R{}","fields":[{{"name":"a","type":{}}},{{"name":"b","type":"R{}"}}]}})", i,
          text, i + 1);
    }
    return text;
  };
  EXPECT_EQ(check_readable(*schema(chain("int")), *schema(chain("string"))).size(), 1000U);
}

TEST(AvroCompatibilityBounds, RecordsOfManyFieldsAndEnumsOfManySymbolsEndInTime) {
  const auto many_fields = [](std::string_view prefix) {
    std::string fields;
    for (int i = 0; i < 10'000; ++i)
      fields += fmt::format(R"({}{{"name":"{}{}","type":"int"}})", i == 0 ? "" : ",", prefix, i);
    return record(fields);
  };
  EXPECT_TRUE(check_readable(*schema(many_fields("a")), *schema(many_fields("a"))).empty());
  EXPECT_EQ(check_readable(*schema(many_fields("a")), *schema(many_fields("b"))).size(), 1000U);  // as many as are told
  const auto many_symbols = [](std::string_view prefix) {
    std::string symbols;
    for (int i = 0; i < 10'000; ++i) symbols += fmt::format(R"({}"{}{}")", i == 0 ? "" : ",", prefix, i);
    return fmt::format(R"({{"type":"enum","name":"E","symbols":[{}]}})", symbols);
  };
  EXPECT_TRUE(check_readable(*schema(many_symbols("a")), *schema(many_symbols("a"))).empty());
  EXPECT_EQ(check_readable(*schema(many_symbols("a")), *schema(many_symbols("b"))).size(), 1U);
}

TEST(AvroCompatibilityBounds, UnionsOfManyRecordsEndInTime) {
  const auto many = [](std::string_view prefix) {
    std::string text = "[";
    for (int i = 0; i < 1000; ++i)
      text += fmt::format("{}{}", i == 0 ? "" : ",", record(kFieldA, fmt::format("{}{}", prefix, i)));
    return text + "]";
  };
  EXPECT_FALSE(check_readable(*schema(many("A")), *schema(many("B"))).empty());
}

}  // namespace
}  // namespace muir::schema::avro
