// Numbers of JSON as the Java library writes them again after it has read them.
#pragma once

#include <optional>
#include <string_view>

#include "schema/json.h"

namespace muir::schema::internal {

// "1.50", "1e3" and "0.0001" become "1.5", "1000.0" and "1.0E-4"; integers stay what they are, however long.
// Goes through arrays and objects.
void rewrite_numbers_as_java(Json& json);

// What Double.valueOf makes of a text: " 1 ", "+.5", "1e3", "1d", "0x1p3", "-Infinity"; nothing where it throws.
std::optional<double> java_double_from(std::string_view text);

}  // namespace muir::schema::internal
