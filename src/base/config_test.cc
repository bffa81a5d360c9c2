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

}  // namespace
}  // namespace muir
