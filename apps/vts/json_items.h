// Where in a JSON text that cannot be parsed the fault is: for people who have to find it among thousands of items.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muir::vts {

struct BadItem {
  std::optional<size_t> index;  // of the item in the array, from 0; nothing when the text is no array
  size_t line = 1;              // where the item begins, from 1
  size_t column = 1;            // in bytes, from 1
  std::string why;
};

// Why an item of its own is no JSON; empty when it is.
using ItemCheck = std::function<std::string(std::string_view item)>;

// The first item of the array `text` that `check` finds fault with, else what is wrong beside the items; nothing
// (`why` is empty) when all is well. What is no array is one item. Its time and memory are linear in the text.
BadItem find_bad_item(std::string_view text, const ItemCheck& check);

// How deep the arrays and objects of a JSON text nest: 1 for "[]".
size_t nesting_of(std::string_view text);

// "item 3 (line 4, column 7): why"
std::string to_string(const BadItem& item);

// Fuzz entry: arbitrary bytes as an array of items. Returns 1 when it has a bad one.
int fuzz_json_items(BytesView input);

}  // namespace muir::vts
