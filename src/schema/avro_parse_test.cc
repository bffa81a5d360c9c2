#include "schema/avro_parse.h"

#include <gtest/gtest.h>

#include "schema/avro_compatibility.h"
#include "schema/avro_text.h"
#include "testing/mutations.h"

namespace muir::schema::avro {
namespace {

std::string text_of(std::string_view schema) {
  const auto parsed = parse(schema);
  return parsed.ok() ? to_text(**parsed) : "ERROR " + parsed.status().message();
}

TEST(AvroParse, KeepsEverythingInTheOrderOfTheJavaLibrary) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {R"("int")", R"("int")"},
      {R"( {"type" : "string"} )", R"("string")"},
      {R"({"type":"string","avro.java.string":"String"})", R"({"type":"string","avro.java.string":"String"})"},
      {R"({"logicalType":"date","type":"int"})", R"({"type":"int","logicalType":"date"})"},
      {R"({"items":{"type":"long"},"type":"array","x":[1.0]})", R"({"type":"array","items":"long","x":[1.0]})"},
      {R"(["null",{"type":"int"}])", R"(["null","int"])"},
      {R"({"fields":[],"doc":"d","namespace":"n","name":"R","type":"record","p":1,"aliases":["A","m.B","n.C","n.A"]})",
       R"({"type":"record","name":"R","namespace":"n","doc":"d","fields":[],"p":1,"aliases":["A","m.B","C"]})"},
      {R"({"type":"record","name":"n.R","namespace":"ignored","fields":[]})",
       R"({"type":"record","name":"R","namespace":"n","fields":[]})"},
      {R"({"type":"record","name":"R","fields":[{"order":"descending","default":1.0,"aliases":["g"],"doc":"x","type":"double","name":"f","q":null}]})",
       R"({"type":"record","name":"R","fields":[{"name":"f","type":"double","doc":"x","default":1.0,"order":"descending","aliases":["g"],"q":null}]})"},
      {R"({"type":"record","name":"R","fields":[{"name":"f","type":"long","default":9223372036854775807,"order":"ascending"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"f","type":"long","default":9223372036854775807}]})"},
      {R"({"type":"enum","symbols":["A","B"],"default":"A","name":"E","aliases":["F"],"z":1})",
       R"({"type":"enum","name":"E","symbols":["A","B"],"default":"A","z":1,"aliases":["F"]})"},
      {R"({"size":12,"type":"fixed","name":"F","doc":""})", R"({"type":"fixed","name":"F","doc":"","size":12})"},
      {R"({"type":"error","name":"E","fields":[]})", R"({"type":"error","name":"E","fields":[]})"},
      // what the name of a type could be taken for
      {R"({"type":"record","name":"R","namespace":"q","aliases":["int","enum","x.int"],"fields":[]})",
       R"({"type":"record","name":"R","namespace":"q","fields":[],"aliases":["q.int","q.enum","x.int"]})"},
      {R"({"type":"record","name":"R","aliases":["int"],"fields":[]})",
       R"({"type":"record","name":"R","fields":[],"aliases":["int"]})"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"DESCENDING"},{"name":"b","type":"int","order":"Ascending"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"descending"},{"name":"b","type":"int"}]})"},
      {"// of a fleet\n{\"type\" /* of the state */ : \"long\", \"doc\":\"/* kept */ // as it is\", \"x\":\"/*y*/\"}",
       R"({"type":"long","x":"/*y*/"})"},
  };
  for (const auto& [schema, expected] : cases) EXPECT_EQ(text_of(schema), expected) << schema;
}

TEST(AvroParse, ResolvesNamesInTheEnclosingNamespace) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {R"({"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":1}},{"name":"y","type":"F"},{"name":"z","type":"a.F"}]})",
       R"({"name":"a.R","type":"record","fields":[{"name":"x","type":{"name":"a.F","type":"fixed","size":1}},{"name":"y","type":"a.F"},{"name":"z","type":"a.F"}]})"},
      {R"({"type":"record","name":"a.R","fields":[{"name":"x","type":{"type":"record","name":"S","namespace":"","fields":[{"name":"s","type":["null","S"]}]}},{"name":"y","type":"S"}]})",
       R"({"name":"a.R","type":"record","fields":[{"name":"x","type":{"name":"S","type":"record","fields":[{"name":"s","type":["null","S"]}]}},{"name":"y","type":"S"}]})"},
      {R"({"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":{"type":"record","name":"S","namespace":"b","fields":[{"name":"t","type":{"type":"enum","name":"T","symbols":["A"]}}]}}]})",
       R"({"name":"a.R","type":"record","fields":[{"name":"x","type":{"name":"b.S","type":"record","fields":[{"name":"t","type":{"name":"b.T","type":"enum","symbols":["A"]}}]}}]})"},
  };
  for (const auto& [schema, expected] : cases) {
    const auto parsed = parse(schema);
    ASSERT_TRUE(parsed.ok()) << schema << parsed.status().message();
    EXPECT_EQ(canonical_form(**parsed), expected);
  }
}

TEST(AvroParse, WritesNamesSoThatTheyReadBack) {
  const std::string_view texts[]{
      R"({"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":{"type":"record","name":"S","namespace":"","fields":[]}},{"name":"y","type":"S"}]})",
      R"({"type":"record","name":"record","namespace":"a","fields":[{"name":"self","type":["null","a.record"]}]})",
      R"({"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":{"type":"enum","name":"E","namespace":"b","symbols":["A"]}},{"name":"y","type":["null","b.E","R"]}]})",
  };
  for (const auto text : texts) EXPECT_EQ(text_of(text), text);
}

TEST(AvroParse, RefusesInvalidSchemas) {
  const std::pair<std::string_view, std::string_view> cases[]{
      {"", "parse JSON"},
      {"1", "a schema is a name"},
      {R"("X")", "unknown type X"},
      {R"({"type":"X"})", "unknown type X"},
      {R"({"name":"X"})", "no type"},
      {R"({"type":"record","fields":[]})", "no name"},
      {R"({"type":"record","name":"R"})", "no fields"},
      {R"({"type":"record","name":"1R","fields":[]})", "illegal name"},
      {R"({"type":"record","name":"a-b","fields":[]})", "illegal name"},
      {R"({"type":"record","name":"R","namespace":"a..b","fields":[]})", "illegal name"},
      {R"({"type":"record","name":"int","fields":[]})", "primitive"},
      {R"({"type":"record","name":"R","fields":[{"type":"int"}]})", "no name"},
      {R"({"type":"record","name":"R","fields":[{"name":"a"}]})", "no type"},
      {R"({"type":"record","name":"R","fields":[{"name":"a b","type":"int"}]})", "illegal field name"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]})",
       "two fields a"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"R","size":1}}]})",
       "defined twice"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"up"}]})", "unknown order"},
      {R"({"type":"enum","name":"E"})", "no symbols"},
      {R"({"type":"enum","name":"E","symbols":["A","A"]})", "twice"},
      {R"({"type":"enum","name":"E","symbols":["A-B"]})", "illegal symbol"},
      {R"({"type":"enum","name":"E","symbols":["A"],"default":"B"})", "not one of its symbols"},
      {R"({"type":"enum","name":"E","symbols":["A"],"aliases":["1a"]})", "illegal alias"},
      {R"({"type":"enum","name":"E","symbols":["A"],"aliases":["a."]})", "illegal alias"},
      {R"({"type":"fixed","name":"F"})", "needs a size"},
      {R"({"type":"fixed","name":"F","size":-1})", "needs a size"},
      {R"({"type":"array"})", "no items"},
      {R"({"type":"map"})", "no values"},
      {R"(["int",["null"]])", "hold a union"},
      {R"(["int","int"])", "twice"},
      {R"(["int",{"type":"int","logicalType":"date"}])", "twice"},
  };
  for (const auto& [schema, reason] : cases) {
    const auto parsed = parse(schema);
    ASSERT_FALSE(parsed.ok()) << schema;
    EXPECT_NE(parsed.status().message().find(reason), std::string::npos) << schema << ": " << parsed.status().message();
  }
}

TEST(AvroParse, TakesLettersAndDigitsOfEveryScriptInNames) {
  struct Row {
    const char* name;
    bool simple;  // of a field or a symbol
    bool full;    // of a type
    bool space;   // a namespace
  };
  // Right values: Apache Avro's Java library 1.12.1 with its UTF_VALIDATOR.
  for (const Row& row : std::initializer_list<Row>{
           {"größe", true, true, true},
           {"日本", true, true, true},
           {"имя", true, true, true},
           {"ª", true, true, true},
           {"_9", true, true, true},
           {"a٣", true, true, true},  // a digit of another script
           {"٣a", false, false, false},
           {"9a", false, false, false},
           {"Ⅷ", false, false, false},                 // a number, but no digit
           {"a\xCC\x81", false, false, false},         // a combining accent
           {"a\xE2\x80\x8B", false, false, false},     // a space of no width
           {"\xF0\x9D\x92\xB3", false, false, false},  // a letter above U+FFFF
           {"a$", false, false, false},
           {"ä.größe", false, true, true},
           {".ä", false, true, false},  // of the null namespace
           {"ä.", false, false, false},
           {"ä..b", false, false, false},
           {"", false, false, true},  // the null namespace
       }) {
    const std::string name = row.name;
    EXPECT_EQ(parse(R"({"type":"record","name":"R","fields":[{"name":")" + name + R"(","type":"int"}]})").ok(),
              row.simple)
        << name;
    EXPECT_EQ(parse(R"({"type":"enum","name":"E","symbols":[")" + name + R"("]})").ok(), row.simple) << name;
    EXPECT_EQ(parse(R"({"type":"fixed","name":")" + name + R"(","size":1})").ok(), row.full) << name;
    EXPECT_EQ(parse(R"({"type":"fixed","name":"F","namespace":")" + name + R"(","size":1})").ok(), row.space) << name;
  }
}

TEST(AvroParse, NestsAsDeepAsTheJavaLibrary) {
  const auto repeat = [](int times, const std::string& text) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  const auto records = [](int depth) {
    std::string text = R"("int")";
    for (int i = 0; i < depth; ++i)
      text = fmt::format(R"({{"type":"record","name":"R{}","fields":[{{"name":"f","type":{}}}]}})", i, text);
    return text;
  };
  const auto arrays = [&](int depth) {
    return repeat(depth, R"({"type":"array","items":)") + R"("int")" + repeat(depth, "}");
  };
  const auto unions = [&](int depth) {
    return repeat(depth, R"([{"type":"map","values":)") + R"("int")" + repeat(depth, "}]");
  };
  const auto defaults = [&](int depth) {
    return R"({"type":"record","name":"R","fields":[{"name":"f","type":)" + arrays(depth) + R"(,"default":)" +
           repeat(depth, "[") + repeat(depth, "]") + "}]}";
  };
  struct Row {
    const char* name;
    std::string text;
    bool parses;
    bool compares = true;  // a comparison nests thrice per union
  };
  for (const Row& row : std::initializer_list<Row>{
           {"300 records", records(300), true},
           {"333 records", records(333), true},
           {"334 records", records(334), false},
           {"1000 arrays", arrays(1000), true},
           {"1001 arrays", arrays(1001), false},
           {"300 unions of a map", unions(300), true},
           {"500 unions of a map", unions(500), true, false},
           {"501 unions of a map", unions(501), false},
           {"a default of 900 arrays", defaults(900), true},
           {"what has no end", std::string(1'000'000, '['), false},
       }) {
    const auto parsed = parse(row.text);
    EXPECT_EQ(parsed.ok(), row.parses) << row.name << ": " << parsed.status().message();
    if (!parsed.ok()) continue;
    const auto again = parse(to_text(**parsed));
    ASSERT_TRUE(again.ok()) << row.name;
    EXPECT_EQ(canonical_form(**again), canonical_form(**parsed)) << row.name;
    EXPECT_EQ(check_readable(**parsed, **again).empty(), row.compares) << row.name;
  }
}

TEST(AvroParse, ReadsIllegalNamesOfStoredSchemasWhenNotStrict) {
  const auto parsed = parse(R"({"type":"record","name":"a-b","fields":[{"name":"x y","type":"int","default":"no"}]})",
                            {.strict = false});
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
}

TEST(AvroParse, ChecksDefaultsAgainstTheirType) {
  struct Case {
    std::string_view type, value;
    bool valid;
  };
  const Case cases[]{
      {R"("null")", "null", true},
      {R"("null")", "0", false},
      {R"("boolean")", "true", true},
      {R"("boolean")", "1", false},
      {R"("int")", "1", true},
      {R"("int")", "1.0", false},
      {R"("int")", "2147483648", false},
      {R"("long")", "2147483648", true},
      {R"("long")", "1e3", false},
      {R"("float")", "1", true},
      {R"("double")", "1.5", true},
      {R"("double")", "\"x\"", false},
      {R"("double")", "\"NaN\"", true},
      {R"("float")", "\"-Infinity\"", true},
      {R"("float")", "\"1.5\"", true},
      {R"("float")", "\" +.5e3f \"", true},  // whatever Double.valueOf reads
      {R"("double")", "\"0x1p3\"", true},
      {R"("double")", "\"0x1\"", false},
      {R"("double")", "\"1_0\"", false},
      {R"("double")", "\"\"", false},
      {R"("double")", "\"inf\"", false},
      {R"({"type":"array","items":"double"})", "[\"NaN\"]", false},
      {R"("string")", "\"x\"", true},
      {R"("string")", "1", false},
      {R"("bytes")", R"("\u00ff")", true},
      {R"("bytes")", R"("\u0100")", true},  // as in Java: it fails where the default is used
      {R"("bytes")", "1", false},
      {R"(["null","int"])", "null", true},
      {R"(["null","int"])", "1", true},
      {R"(["null","int"])", "\"x\"", false},
      {R"({"type":"array","items":"int"})", "[1,2]", true},
      {R"({"type":"array","items":"int"})", "[null]", false},
      {R"({"type":"map","values":"int"})", R"({"a":1})", true},
      {R"({"type":"map","values":"int"})", "[]", false},
      {R"({"type":"enum","name":"E","symbols":["A"]})", "\"A\"", true},
      {R"({"type":"enum","name":"E","symbols":["A"]})", "\"B\"", true},  // the same as of bytes
      {R"({"type":"enum","name":"E","symbols":["A"]})", "1", false},
      {R"({"type":"fixed","name":"F","size":2})", "\"ab\"", true},
      {R"({"type":"fixed","name":"F","size":2})", "\"abc\"", true},  // the same
      {R"({"type":"fixed","name":"F","size":2})", "[]", false},
      {R"({"type":"record","name":"S","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":2}]})",
       R"({"a":1})", true},
      {R"({"type":"record","name":"S","fields":[{"name":"a","type":"int"}]})", "{}", false},
  };
  for (const auto& c : cases) {
    const std::string text = fmt::format(
        R"({{"type":"record","name":"R","fields":[{{"name":"f","type":{},"default":{}}}]}})", c.type, c.value);
    EXPECT_EQ(parse(text).ok(), c.valid) << text;
  }
}

TEST(AvroParse, LeavesDefaultsUncheckedWhenAsked) {
  const std::string_view text =
      R"({"type":"record","name":"R","fields":[{"name":"f","type":"int","default":"x"},{"name":"g","type":"string","default":null}]})";
  EXPECT_FALSE(parse(text).ok());
  for (const ParseOptions& options : {ParseOptions{.check_defaults = false}, ParseOptions{.strict = false}}) {
    const auto parsed = parse(text, options);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(to_text(**parsed), text);
    EXPECT_TRUE(check_readable(**parsed, **parsed).empty());
  }
  EXPECT_FALSE(parse(R"({"type":"fixed","name":"a-b","size":1})", {.check_defaults = false}).ok());
}

TEST(AvroParse, JudgesWhatItParsesLeniently) {
  struct Row {
    const char* schema;
    const char* fault;  // the beginning of it; nothing: the text is good
  };
  for (
      const auto& [text, fault] : std::initializer_list<Row>{
          {R"("int")", ""},
          {R"({"type":"fixed","name":"a-b","size":1})", "parse Avro schema: illegal name a-b"},
          {R"({"type":"enum","name":"E","symbols":["1","2"]})", "parse Avro schema: enum E: illegal symbol '1'"},
          {R"({"type":"enum","name":"E","symbols":["A"],"aliases":["."]})", "parse Avro schema: E: illegal alias '.'"},
          {R"({"type":"record","name":"R","fields":[{"name":"x y","type":"int","default":"no"}]})",
           "parse Avro schema: record R: illegal field name 'x y'"},
          {R"({"type":"record","name":"R","fields":[{"name":"x","type":"int","default":"no"},{"name":"y","type":"int","default":null}]})",
           "parse Avro schema: record R: field x: invalid default"},
      }) {
    const auto judged = parse_and_judge(text);
    ASSERT_TRUE(judged.ok()) << text << judged.status().message();
    EXPECT_EQ(judged->fault.message().substr(0, std::string_view(fault).size()), fault) << text;
    const auto strict = parse(text);
    EXPECT_EQ(strict.ok(), judged->fault.ok()) << text;
    EXPECT_EQ(judged->fault.message(), strict.status().message()) << text;
    EXPECT_EQ(to_text(*judged->schema), to_text(**parse(text, {.strict = false}))) << text;
  }
  EXPECT_FALSE(parse_and_judge("nonsense").ok());
  const char* odd = R"({"type":"record","name":"R","fields":[{"name":"x","type":"int","default":"no"}]})";
  EXPECT_TRUE(parse_and_judge(odd, {.check_defaults = false})->fault.ok());
}

TEST(AvroParse, RefusesTextsWithHalfAComment) {
  for (const char* text : {"/* \"int\"", "\"int\" /*", "/ \"int\"", "\"int\"/", "/*/\"int\"", "//", "\"int\" /* */ */"})
    EXPECT_FALSE(parse(text).ok()) << text;
}

TEST(AvroParse, WritesNumbersAsTheJavaLibraryWritesThemAgain) {
  const std::pair<std::string_view, std::string_view> cases[]{{"1", "1"},
                                                              {"-0", "0"},
                                                              {"1.50", "1.5"},
                                                              {"1e3", "1000.0"},
                                                              {"1.0E6", "1000000.0"},
                                                              {"1e7", "1.0E7"},
                                                              {"12345678.5", "1.23456785E7"},
                                                              {"0.001", "0.001"},
                                                              {"0.0001", "1.0E-4"},
                                                              {"-0.0", "-0.0"},
                                                              {"1e20", "1.0E20"},
                                                              {"3.4028236e39", "3.4028236E39"},
                                                              {"1e400", "\"Infinity\""},
                                                              {"123456789012345678901", "123456789012345678901"}};
  for (const auto& [number, expected] : cases) {
    EXPECT_EQ(text_of(fmt::format(R"({{"type":"int","p":[{{"q":{}}}]}})", number)),
              fmt::format(R"({{"type":"int","p":[{{"q":{}}}]}})", expected));
  }
  EXPECT_EQ(text_of(R"({"type":"record","name":"R","fields":[{"name":"f","type":"float","default":"1.50"}]})"),
            R"({"type":"record","name":"R","fields":[{"name":"f","type":"float","default":1.5}]})");
}

TEST(AvroParse, TakesARepeatedDefinitionForAReference) {
  const auto twice = [](std::string_view second) {
    return fmt::format(
        R"({{"type":"record","name":"n.R","fields":[{{"name":"a","type":{{"type":"enum","name":"E","symbols":["A"]}}}},{{"name":"b","type":{}}}]}})",
        second);
  };
  EXPECT_EQ(
      text_of(twice(R"({"type":"enum","name":"E","symbols":["A"]})")),
      R"({"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"enum","name":"E","symbols":["A"]}},{"name":"b","type":"E"}]})");
  EXPECT_TRUE(text_of(twice(R"({"type":"enum","name":"E","symbols":["B"]})")).starts_with("ERROR"));
}

TEST(AvroParse, DefaultsThatTryEveryBranchEndInTime) {
  // Each level doubles the ways to fail.
  std::string value = "1";
  for (int i = 0; i < 60; ++i) value = R"({"x":)" + value + "}";
  const std::string text =
      R"({"type":"record","name":"A","fields":[{"name":"x","type":["null","A",{"type":"record","name":"B","fields":[{"name":"x","type":["null","A","B"]}]}],"default":)" +
      value + "}]}";
  EXPECT_FALSE(parse(text).ok());
}

TEST(AvroParse, IgnoresInvalidLogicalTypesButKeepsThem) {
  struct Case {
    std::string_view schema, logical;
  };
  const Case cases[]{
      {R"({"type":"int","logicalType":"date"})", "date"},
      {R"({"type":"long","logicalType":"date"})", ""},
      {R"({"type":"long","logicalType":"timestamp-millis"})", "timestamp-millis"},
      {R"({"type":"bytes","logicalType":"decimal","precision":4,"scale":2})", "decimal"},
      {R"({"type":"bytes","logicalType":"decimal","precision":0})", ""},
      {R"({"type":"bytes","logicalType":"decimal","precision":2,"scale":3})", ""},
      {R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4})", "decimal"},
      {R"({"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":5})", ""},
      {R"({"type":"string","logicalType":"uuid"})", "uuid"},
      {R"({"type":"int","logicalType":"no-such"})", ""},
  };
  for (const auto& c : cases) {
    const auto schema = parse(c.schema);
    ASSERT_TRUE(schema.ok()) << c.schema;
    EXPECT_EQ((*schema)->logical_type, c.logical) << c.schema;
    EXPECT_EQ(to_text(**schema), c.schema);
  }
}

TEST(AvroParse, RefersToKnownSchemasOfOtherTexts) {
  const auto address = parse(R"({"type":"record","name":"geo.Place","fields":[{"name":"lat","type":"double"}]})");
  ASSERT_TRUE(address.ok());
  const std::string text = R"({"type":"record","name":"R","fields":[{"name":"place","type":"geo.Place"}]})";
  EXPECT_FALSE(parse(text).ok());
  const auto schema = parse(text, {.known = {*address}});
  ASSERT_TRUE(schema.ok()) << schema.status().message();
  EXPECT_EQ(to_text(**schema, {"geo.Place"}), text);
}

// The cases of the Avro specification's own suite that have a fingerprint known from it.
TEST(AvroText, CanonicalFormAndRabinFingerprint) {
  struct Case {
    std::string_view schema, canonical;
    int64_t fingerprint;
  };
  const Case cases[]{
      {R"("null")", R"("null")", 7195948357588979594},
      {R"({"type":"null"})", R"("null")", 7195948357588979594},
      {R"("boolean")", R"("boolean")", -6970731678124411036},
      {R"("int")", R"("int")", 8247732601305521295},
      {R"("long")", R"("long")", -3434872931120570953},
      {R"("float")", R"("float")", 5583340709985441680},
      {R"("double")", R"("double")", -8181574048448539266},
      {R"("bytes")", R"("bytes")", 5746618253357095269},
      {R"("string")", R"("string")", -8142146995180207161},
      {R"([  ])", "[]", -1241056759729112623},
      {R"({"fields":[], "type":"record", "name":"foo"})", R"({"name":"foo","type":"record","fields":[]})",
       -4824392279771201922},
      {R"({"fields":[], "type":"record", "name":"foo", "namespace":"x.y"})",
       R"({"name":"x.y.foo","type":"record","fields":[]})", 5916914534497305771},
      {R"({"fields":[{"type":{"type":"boolean"}, "name":"f1"}], "type":"record", "name":"foo"})",
       R"({"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"}]})", 7843277075252814651},
      {R"({"type":"enum", "name":"foo", "symbols":["A1"]})", R"({"name":"foo","type":"enum","symbols":["A1"]})",
       -6342190197741309591},
      {R"({"type":"fixed", "name":"foo", "size":15})", R"({"name":"foo","type":"fixed","size":15})",
       1756455273707447556},
  };
  for (const auto& c : cases) {
    const auto schema = parse(c.schema);
    ASSERT_TRUE(schema.ok()) << c.schema;
    EXPECT_EQ(canonical_form(**schema), c.canonical);
    EXPECT_EQ(static_cast<int64_t>(rabin(c.canonical)), c.fingerprint) << c.canonical;
  }
}

TEST(AvroText, DigestsMatchTheirStandards) {
  const auto hex_of = [](const auto& digest) {
    std::string out;
    for (const unsigned char byte : digest) out += fmt::format("{:02x}", byte);
    return out;
  };
  EXPECT_EQ(hex_of(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex_of(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_of(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890")),
            "57edf4a22be3c955ac49da2e2107b67a");
  EXPECT_EQ(hex_of(md5("\"string\"")), "095d71cf12556b9d5e330ad575b3df5d");  // the registry's id of the schema "string"
  EXPECT_EQ(hex_of(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(AvroParse, RefusesMoreNamesThanCanBeLookedThrough) {
  std::string symbols;
  std::string fields;
  for (int i = 0; i < 10'001; ++i) {
    symbols += fmt::format("{}\"s{}\"", i == 0 ? "" : ",", i);
    fields += fmt::format("{}{{\"name\":\"f{}\",\"type\":\"int\"}}", i == 0 ? "" : ",", i);
  }
  for (const std::string& text :
       {fmt::format(R"({{"type":"enum","name":"E","symbols":[{}]}})", symbols),
        fmt::format(R"({{"type":"record","name":"R","fields":[{}]}})", fields),
        fmt::format(R"({{"type":"fixed","name":"F","size":1,"aliases":[{}]}})", symbols), "[" + symbols + "]"}) {
    const auto schema = parse(text);
    ASSERT_FALSE(schema.ok());
    EXPECT_NE(schema.status().message().find("at most 10000 are allowed"), std::string::npos);
  }
}

TEST(FuzzAvroSchema, SurvivesMutations) {
  testing::survive_mutations(
      "schema_avro_schema", fuzz_avro_schema,
      {R"({"type":"record","name":"a.R","aliases":["Q"],"fields":[{"name":"x","type":["null",{"type":"map","values":"R"}],"default":null},)"
       R"({"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"],"default":"A"},"default":"B"},{"name":"f","type":{"type":"fixed","name":"b.F","size":3}}]})",
       R"({"type":"record","name":"T","namespace":"n","doc":"d","fields":[{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"},"default":-5},)"
       R"({"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2},"default":"\u00ff\u0000","order":"ignore"},)"
       R"({"name":"l","type":{"type":"array","items":["null","string",{"type":"map","values":"double"}]},"default":[null,"x"],"x-prop":[1.5]}]})",
       R"(["int","string"])", R"("bytes")", R"( {"type":"record","name":"odd name","fields":[]})"},
      {.rounds = 30'000, .alphabet = "{}[]\",:\\RABrecordnulspmiaty0123"});
}

}  // namespace
}  // namespace muir::schema::avro
