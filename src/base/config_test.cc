#include "base/config.h"

#include <gtest/gtest.h>

#include "testing/mutations.h"

namespace muir {
namespace {

TEST(Properties, AreReadAsJavaReadsThem) {
  struct Case {
    const char* name;
    const char* text;
    Properties want;
  };
  const std::vector<Case> cases = {
      {"separators", "a=1\nb: 2\nc 3\nd = x y \n", {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "x y"}}},
      {"comments and blank lines", "# no\n! no\n\n  # no\nk=v\n", {{"k", "v"}}},
      {"continued line", "hosts=a,\\\n   b,\\\n   c\n", {{"hosts", "a,b,c"}}},
      {"escapes", "path=C\\:\\\\x\\ty\nk\\=1=v\nu=\\u00e9\n", {{"path", "C:\\x\ty"}, {"k=1", "v"}, {"u", "é"}}},
      {"surrogate pairs", "bus=\\ud83d\\ude8c\n", {{"bus", "🚌"}}},
      {"escaped blanks stay", "a=\\ x\\ \nb=x\\\\ \n", {{"a", " x "}, {"b", "x\\"}}},
      {"empty value", "a=\nb\n", {{"a", ""}, {"b", ""}}},
      {"last one wins", "a=1\na=2\n", {{"a", "2"}}},
      {"windows line ends", "a=1\r\nb=2\r\n", {{"a", "1"}, {"b", "2"}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = parse_properties(c.text, "test");
    ASSERT_TRUE(got.ok()) << got.status().to_string();
    EXPECT_EQ(*got, c.want);
  }
}

TEST(Properties, ErrorsNameFileAndLine) {
  EXPECT_EQ(parse_properties("a=1\nb=\\u12\n", "x.properties").status().message(),
            "x.properties line 2: \\u needs four hexadecimal digits");
  EXPECT_EQ(parse_properties("a=\\ude8c\n", "x.properties").status().message(),
            "x.properties line 1: half a surrogate pair");
  EXPECT_EQ(parse_properties("=1\n", "x.properties").status().message(), "x.properties line 1: a value without a key");
}

TEST(FuzzProperties, SurviveMutations) {
  testing::survive_mutations("base_properties", fuzz_properties,
                             {"# c\na=1\nb: 2\nc 3\nd = x y \n", "hosts=a,\\\n   b,\\\r\n   c\n",
                              "path=C\\:\\\\x\\ty\nk\\=1=v\nu=\\u00e9\\ud83d\\ude8c\n!\n"},
                             {.alphabet = "\\u=: \n#!"});
}

TEST(Properties, EnvironmentNamesBecomeKeys) {
  const char* environment[] = {
      "MUIR_NUM_PARTITIONS=3", "PATH=/bin",        "MUIR_LOG_LEVEL=debug", "MUIR_BINARY=/bin/muir",
      "MUIR_SCREENSHOT=a.png", "MUIR_TEST_LONG=1", "MUIR_TEST=x",          nullptr};
  EXPECT_EQ(properties_from_environment(environment), (Properties{{"num.partitions", "3"}, {"test", "x"}}));
}

const ConfigDef& definition() {
  static const ConfigDef def(
      "broker", {
                    {.name = "num.partitions", .type = ConfigType::integer, .fallback = "1", .min = 1, .max = 100},
                    {.name = "auto.create.topics.enable", .type = ConfigType::boolean, .fallback = "true"},
                    {.name = "cleanup.policy", .fallback = "delete", .allowed = {"delete", "compact"}},
                    {.name = "sasl.password", .secret = true},
                    {.name = "quota.share", .type = ConfigType::number, .fallback = "1", .above = 0, .below = 10},
                    {.name = "any.number", .type = ConfigType::number, .fallback = "1"},
                    {.name = "host", .fallback = "localhost", .filled = true},
                    {.name = "log.dirs", .type = ConfigType::list, .fallback = "data"},
                });
  return def;
}

TEST(ConfigDef, WrongValuesAreRefusedWithWhatIsAllowed) {
  struct Case {
    Properties given;
    const char* want;
  };
  const std::vector<Case> cases = {
      {{{"num.partitions", "3"}}, ""},
      {{{"num.partitions", "0"}},
       "broker configuration num.partitions=0: expected a whole number of at least 1 and at most 100"},
      {{{"num.partitions", "3x"}},
       "broker configuration num.partitions=3x: expected a whole number of at least 1 and at most 100"},
      {{{"auto.create.topics.enable", "yes"}},
       "broker configuration auto.create.topics.enable=yes: expected true or false"},
      {{{"quota.share", "0.5"}}, ""},
      {{{"quota.share", "-5"}}, "broker configuration quota.share=-5: expected a number above 0 and below 10"},
      {{{"quota.share", "0"}}, "broker configuration quota.share=0: expected a number above 0 and below 10"},
      {{{"quota.share", "10"}}, "broker configuration quota.share=10: expected a number above 0 and below 10"},
      {{{"quota.share", "nan"}}, "broker configuration quota.share=nan: expected a number above 0 and below 10"},
      {{{"quota.share", "1e400"}}, "broker configuration quota.share=1e400: expected a number above 0 and below 10"},
      {{{"any.number", "-1e300"}}, ""},
      {{{"any.number", "inf"}}, "broker configuration any.number=inf: expected a number"},
      {{{"host", " "}}, "broker configuration host= : expected something"},
      {{{"cleanup.policy", "drop"}}, "broker configuration cleanup.policy=drop: expected one of delete, compact"},
  };
  for (const auto& c : cases) EXPECT_EQ(definition().validate(c.given).message(), c.want);
}

TEST(ConfigDef, UnknownKeysAreNamedWithTheNearestKnownOne) {
  const auto warnings =
      definition().unknown_keys({{"num.partition", "1"}, {"producer.acks", "1"}, {"zzz", ""}}, {"producer."});
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          "broker does not know the configuration key num.partition; did you mean num.partitions?",
                          "broker does not know the configuration key zzz"}));
}

TEST(ConfigDef, FallbacksListsAndSecrets) {
  EXPECT_EQ(definition().integer({}, "num.partitions"), 1);
  EXPECT_TRUE(definition().boolean({}, "auto.create.topics.enable"));
  EXPECT_EQ(definition().list({{"log.dirs", "a, b,,c"}}, "log.dirs"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(definition().redacted({{"sasl.password", "x"}})["sasl.password"], "[hidden]");
}

}  // namespace
}  // namespace muir
