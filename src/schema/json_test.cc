#include "schema/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/mutations.h"

namespace muir::schema {
namespace {

TEST(Json, KeepsTheOrderOfMembersAndTheTextOfNumbers) {
  const std::string texts[]{
      R"({"b":1.0,"a":1,"c":9223372036854775807,"d":1e3,"e":-0.10})",
      R"([true,false,null,"",[],{}])",
      R"("zażółć €")",
      R"(18446744073709551616123)",
  };
  for (const auto& text : texts) {
    const auto json = Json::parse(text);
    ASSERT_TRUE(json.ok()) << text << ": " << json.status().message();
    EXPECT_EQ(json->to_string(), text);
  }
}

TEST(Json, ReadsEscapesAndWritesOnlyTheNecessaryOnes) {
  const auto json = Json::parse(R"("a\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude8c\u0001")");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json->as_string(), "a\"\\/\b\f\n\r\tAé€🚌\x01");
  EXPECT_EQ(json->to_string(), "\"a\\\"\\\\/\\b\\f\\n\\r\\tAé€🚌\\u0001\"");
}

TEST(Json, RefusesWhatIsNotJson) {
  const std::string_view texts[]{
      "",   " ",   "{",   "[1,]",    "{\"a\":}",    "{\"a\" 1}", "{a:1}",       "01",       "1.",  "-",
      "1e", "nul", "\"a", "\"\\x\"", "\"\\u12\"",   "\"\n\"",    "\"\\ud800\"", "\"\xff\"", "1 2", "\"\xc0\x80\"",
      "+1", ".5",  "[1",  "tru",     "\"\\udc00\"", "{\"a\":1,}"};
  for (const auto text : texts) EXPECT_FALSE(Json::parse(text).ok()) << text;
}

TEST(Json, BoundsNesting) {
  EXPECT_TRUE(Json::parse(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_FALSE(Json::parse(std::string(100'000, '[')).ok());
}

TEST(Json, ShowsTheBeginningOfAnyValueInAMessage) {
  const auto xs = [](size_t count) { return std::string(count, 'x'); };
  const std::pair<std::string, std::string> cases[]{
      {"1", "1"},
      {R"({"a":[1,{},[],"x"],"b":null})", R"({"a":[1,{},[],"x"],"b":null})"},
      {fmt::format("\"{}\"", xs(1'000'000)), fmt::format("\"{}...", xs(99))},
      {fmt::format(R"({{"a":"{}"}})", xs(1'000'000)), fmt::format(R"({{"a":"{}...)", xs(94))},
      {fmt::format("\"{}\xC3\xA9\"", xs(98)), fmt::format("\"{}...", xs(98))},
      {fmt::format("{:[<1000}{:]<1000}", "", ""), fmt::format("{:[<100}...", "")},
  };
  for (const auto& [text, expected] : cases) {
    const auto json = Json::parse(text, 1000);
    ASSERT_TRUE(json.ok()) << text.substr(0, 100);
    EXPECT_EQ(json->excerpt(), expected);
  }
}

TEST(Json, TakesTheLastOfEqualMembersInTheFirstPlace) {
  EXPECT_EQ(Json::parse(R"({"a":1,"b":2,"a":3})")->to_string(), R"({"a":3,"b":2})");
}

TEST(Json, TellsIntegersFromOtherNumbers) {
  EXPECT_EQ(Json::parse("-9223372036854775808")->as_int64(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(Json::parse("9223372036854775808")->as_int64(), std::nullopt);
  EXPECT_EQ(Json::parse("1.0")->as_int64(), std::nullopt);
  EXPECT_EQ(Json::parse("1e2")->as_double(), 100.0);
  EXPECT_EQ(Json::parse("\"1\"")->as_double(), std::nullopt);
}

TEST(Json, WritesDoublesThatReadBackTheSame) {
  const std::pair<double, std::string_view> cases[]{
      {1, "1.0"},     {0.1, "0.1"},         {1e300, "1e+300"},
      {-0.0, "-0.0"}, {52.2297, "52.2297"}, {std::numeric_limits<double>::infinity(), "\"Infinity\""}};
  for (const auto& [value, text] : cases) {
    std::string out;
    append_json_double(out, value);
    EXPECT_EQ(out, text);
  }
}

TEST(FuzzJson, SurvivesMutations) {
  testing::survive_mutations(
      "schema_json", fuzz_json,
      {R"({"type":"record","name":"a\u00e9b\ud83d\ude8c","fields":[{"x":[1,2.5e-3,null,true]},{}]})",
       "[[[[-0.0, 1E+300, 9223372036854775807, 123456789012345678901234567890]]], false, \"\xc3\xa9\\\"\\\\\\/\\n\"]",
       R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":0,"k":1,"l":2,"m":3,"n":4,"o":5,"p":6,"q":7,"a":8})"},
      {.rounds = 20'000, .alphabet = "{}[]\",:\\u0123456789.eE+-"});
}

}  // namespace
}  // namespace muir::schema
