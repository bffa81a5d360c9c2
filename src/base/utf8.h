// UTF-8 (RFC 3629): what is well-formed, and its code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muir {

// Length of the sequence at the start of `text`, which is not empty; 0 when it is not well-formed: cut short, overlong,
// a surrogate, above U+10FFFF.
size_t utf8_length(std::string_view text);

// Whether all of `text` is well-formed.
bool is_utf8(std::string_view text);

// Whether well-formed `text` has one of U+0000 to U+001F, U+007F to U+009F.
bool has_control_character(std::string_view text);

// Whether nothing of well-formed `text` is seen: it has only white space of Unicode and signs of no width.
bool is_blank(std::string_view text);

// `text` without the byte order mark that some programs put before UTF-8, which RFC 8259 lets readers pass over.
std::string_view without_byte_order_mark(std::string_view text);

// The code point of a well-formed sequence of that length.
uint32_t utf8_code_point(std::string_view text, size_t length);

}  // namespace muir
