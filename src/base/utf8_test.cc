#include "base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace muir {
namespace {

TEST(Utf8, KnowsWhatIsWellFormedAndWhatItSays) {
  struct Row {
    const char* name;
    std::string_view text;
    size_t length;  // 0: not well-formed
    uint32_t code_point;
  };
  using namespace std::string_view_literals;
  for (const Row& row : std::initializer_list<Row>{
           {"NUL", "\0"sv, 1, 0},
           {"ASCII", "a", 1, 'a'},
           {"last of one", "\x7F", 1, 0x7F},
           {"first of two", "\xC2\x80", 2, 0x80},
           {"last of two", "\xDF\xBF", 2, 0x7FF},
           {"first of three", "\xE0\xA0\x80", 3, 0x800},
           {"before the surrogates", "\xED\x9F\xBF", 3, 0xD7FF},
           {"after the surrogates", "\xEE\x80\x80", 3, 0xE000},
           {"last of three", "\xEF\xBF\xBF", 3, 0xFFFF},
           {"first of four", "\xF0\x90\x80\x80", 4, 0x10000},
           {"last of all", "\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
           {"a continuation alone", "\x80", 0, 0},
           {"cut short", "\xC3", 0, 0},
           {"a wrong continuation", "\xC3(", 0, 0},
           {"overlong in two", "\xC0\x80", 0, 0},
           {"overlong in three", "\xE0\x9F\xBF", 0, 0},
           {"overlong in four", "\xF0\x8F\xBF\xBF", 0, 0},
           {"first surrogate", "\xED\xA0\x80", 0, 0},
           {"last surrogate", "\xED\xBF\xBF", 0, 0},
           {"above the last", "\xF4\x90\x80\x80", 0, 0},
           {"no lead", "\xF5\x80\x80\x80", 0, 0},
           {"Latin-1", "\xFF", 0, 0},
       }) {
    EXPECT_EQ(utf8_length(row.text), row.length) << row.name;
    EXPECT_EQ(is_utf8(row.text), row.length > 0) << row.name;
    if (row.length > 0) {
      EXPECT_EQ(utf8_code_point(row.text, row.length), row.code_point) << row.name;
    }
    EXPECT_EQ(is_utf8("ab\xC3\xA9" + std::string(row.text)), row.length > 0) << row.name;
  }
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8, TellsControlCharacters) {
  for (const char* text : {"", "a b", "\xC2\xA0", "\xC3\x85", "\U0001F68C", "\xE2\x80\xA8"})
    EXPECT_FALSE(has_control_character(text)) << text;
  for (const std::string& text : {std::string(1, '\0'), std::string("a\x1F"), std::string("\x7F"),
                                  std::string("\xC2\x80"), std::string("a\xC2\x9F")})
    EXPECT_TRUE(has_control_character(text)) << text;
}

TEST(Utf8, IsReadPastItsByteOrderMark) {
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB\xBF{}"), "{}");
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB"), "\xEF\xBB");
  EXPECT_EQ(without_byte_order_mark(" \xEF\xBB\xBF"), " \xEF\xBB\xBF");
  EXPECT_EQ(without_byte_order_mark(""), "");
}

}  // namespace
}  // namespace muir
