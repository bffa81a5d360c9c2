// Names of types, fields and symbols, as the Java library has them since 1.9: letters and digits of every script.
#pragma once

#include <string_view>

namespace muir::schema::internal {

// A letter or '_', then letters, digits and '_', as Java's Character tells them, which looks at UTF-16 units: letters
// above U+FFFF are none.
bool is_valid_name(std::string_view name);

// Valid names with dots between them.
bool is_valid_namespace(std::string_view space);

}  // namespace muir::schema::internal
