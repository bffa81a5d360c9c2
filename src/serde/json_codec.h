// Objects of described types as JSON text: for REST, tools, and topics with JSON values.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "schema/json.h"
#include "serde/fields.h"

namespace muir {

// Appends the object as compact JSON: members in the order of describe(), an absent optional as null, bytes as a string
// of U+0000 to U+00FF, time points as their count, an enum as its symbol. Fails only on an enum value without a symbol.
Status write_json(const schema::Layout& layout, const void* object, std::string& out);

// Assigns from JSON. Unknown members are skipped; an absent one takes its default, or null for an optional; without
// either it is an error that names the path. A value of the wrong type, or a number out of range, is too.
Status read_json(const schema::Layout& layout, const schema::Json& json, void* object);
Status read_json(const schema::Layout& layout, std::string_view text, void* object);

// Reads arbitrary bytes into a struct of every kind of member; what it could read must read back the same. Returns 1
// for an object.
int fuzz_json_object(BytesView input);

template <class T>
Result<std::string> to_json_text(const T& object) {
  std::string out;
  MUIR_RETURN_IF_ERROR(write_json(layout_of<T>(), &object, out));
  return out;
}
template <class T>
Result<T> from_json_text(std::string_view text) {
  T object{};
  MUIR_RETURN_IF_ERROR(read_json(layout_of<T>(), text, &object));
  return object;
}

}  // namespace muir
