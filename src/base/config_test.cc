#include "base/config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir {
namespace {

TEST(Properties, AreReadFromWhatCanBeReadToItsEnd) {
  const testing::TempDir folder;
  const auto path = [&folder](const char* name) { return folder.str() + "/" + name; };
  std::ofstream(path("file")) << "a=1\n";
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path("fifo")) << "b=2\n"; });
  const struct {
    std::string path;
    Code code;
    Properties want;
  } cases[] = {
      {path("file"), Code::ok, {{"a", "1"}}},
      {path("fifo"), Code::ok, {{"b", "2"}}},
      {"/dev/null", Code::ok, {}},
      {folder.str(), Code::invalid_argument, {}},
      {path("missing"), Code::not_found, {}},
      {path("file") + "/below", Code::not_found, {}},
  };
  for (const auto& c : cases) {
    const auto got = load_properties(c.path);
    EXPECT_EQ(got.status().code(), c.code) << c.path << ": " << got.status().to_string();
    if (got.ok()) {
      EXPECT_EQ(*got, c.want) << c.path;
    } else {
      EXPECT_NE(got.status().message().find(c.path), std::string::npos) << got.status().message();
    }
  }
  writer.join();
}

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
