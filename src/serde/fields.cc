#include "serde/fields.h"

#include <functional>
#include <mutex>

namespace muir {

Fields& Fields::name(std::string_view full_name) {
  layout_.name = full_name;
  return *this;
}
Fields& Fields::doc(std::string_view text) {
  layout_.doc = text;
  return *this;
}
Fields& Fields::alias(std::string_view full_name) {
  layout_.aliases.emplace_back(full_name);
  return *this;
}

void Fields::add(std::string_view field_name, const void* member, const schema::Layout& layout,
                 const FieldOptions& options) {
  const char* at = static_cast<const char*>(member);
  CHECK(std::less_equal<>()(object_, at) && std::less<>()(at, object_ + object_size_),
        "describe {}: field {} is not a member of the object", layout_.name, field_name);
  CHECK(!options.bytes || layout.kind == schema::LayoutKind::string,
        "describe {}: field {}: only a std::string can hold bytes", layout_.name, field_name);
  schema::FieldLayout field;
  field.name = field_name;
  field.offset = static_cast<size_t>(at - object_);
  field.layout = options.bytes ? &internal::bytes_layout() : &layout;
  field.doc = options.doc;
  field.default_json = options.default_json;
  field.logical_type = options.logical;
  field.aliases = options.aliases;
  layout_.fields.push_back(std::move(field));
}

namespace internal {

void build_layout(schema::Layout& layout, void (*fill)(schema::Layout&)) {
  if (layout.ready.load(std::memory_order_acquire)) return;
  // One lock for all types, taken again by the types of members.
  static std::recursive_mutex mutex;
  const std::lock_guard lock(mutex);
  if (layout.building || layout.ready.load(std::memory_order_relaxed)) return;
  layout.building = true;
  fill(layout);
  layout.building = false;
  layout.ready.store(true, std::memory_order_release);
}

std::string record_name_from(std::string_view pretty_function) {
  // "std::string muir::internal::cpp_record_name() [with T = fleet::Position; std::string = ...]" (GCC), "[T =
  // fleet::Position]" (clang)
  const size_t start = pretty_function.find("T = ");
  CHECK(start != std::string_view::npos, "the compiler's name of a type: {}", pretty_function);
  std::string_view rest = pretty_function.substr(start + 4);
  rest = rest.substr(0, rest.find_first_of(";]"));
  std::string name;
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest.substr(i, 2) == "::") {
      name.push_back('.');
      ++i;
    } else if (rest[i] == '{' || rest[i] == '(') {  // {anonymous}, (anonymous namespace)
      const size_t end = rest.find_first_of("})", i);
      i = rest.substr(end + 1, 2) == "::" ? end + 2 : end;
    } else {
      name.push_back(is_word(rest[i]) ? rest[i] : '_');  // template arguments
    }
  }
  return name;
}

const schema::Layout& bytes_layout() {
  static schema::Layout layout;
  build_layout(layout, [](schema::Layout& l) { l.kind = schema::LayoutKind::bytes; });
  return layout;
}

}  // namespace internal
}  // namespace muir
