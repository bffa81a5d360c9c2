#include "schema/schema.h"

#include <array>

#include "base/check.h"

namespace muir::schema {
namespace {

constexpr std::array<std::string_view, 14> kTypeNames{"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                                      "string", "record",  "enum", "array", "map",   "union",  "fixed"};

}  // namespace

std::string_view to_string(Type type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<Type> primitive_from(std::string_view name) {
  for (size_t i = 0; i <= static_cast<size_t>(Type::string); ++i) {
    if (kTypeNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

int Schema::field_index(std::string_view field_name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == field_name) return static_cast<int>(i);
  }
  return -1;
}

int Schema::symbol_index(std::string_view symbol) const {
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i] == symbol) return static_cast<int>(i);
  }
  return -1;
}

const Json* Schema::property(std::string_view key) const {
  for (const auto& member : properties) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

const Schema& primitive(Type type) {
  CHECK(type <= Type::string, "{} is not a primitive type", to_string(type));
  static const auto schemas = [] {
    std::array<Schema, 8> all;
    for (size_t i = 0; i < all.size(); ++i) all[i].type = static_cast<Type>(i);
    return all;
  }();
  return schemas[static_cast<size_t>(type)];
}

}  // namespace muir::schema
