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

// The code point of a well-formed sequence of that length.
uint32_t utf8_code_point(std::string_view text, size_t length);

}  // namespace muir
