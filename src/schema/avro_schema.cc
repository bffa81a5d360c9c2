#include "schema/avro_schema.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.h"

namespace muir::schema::avro {
namespace {

constexpr std::array<std::string_view, 14> kTypeNames{"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                                      "string", "record",  "enum", "array", "map",   "union",  "fixed"};

constexpr size_t kFewNames = 16;

std::string_view name_of_field(const Field& field) { return field.name; }
std::string_view name_of_symbol(const std::string& symbol) { return symbol; }

// `sorted` is empty or holds the indices of all items in the order of their names.
template <class Items, class NameOf>
int index_of(const Items& items, const std::vector<uint32_t>& sorted, std::string_view name, NameOf&& name_of) {
  if (!sorted.empty()) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), name, [&](uint32_t index, std::string_view wanted) {
      return name_of(items[index]) < wanted;
    });
    return at != sorted.end() && name_of(items[*at]) == name ? static_cast<int>(*at) : -1;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (name_of(items[i]) == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

std::string_view to_string(Type type) { return kTypeNames[static_cast<size_t>(type)]; }

std::optional<Type> primitive_from(std::string_view name) {
  for (size_t i = 0; i <= static_cast<size_t>(Type::string); ++i) {
    if (kTypeNames[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

// A schema may have thousands of names, and comparing two looks each of them up.
void Schema::index_names() {
  const auto sort = [&](const auto& items, auto&& name_of) {
    if (items.size() <= kFewNames) return;
    by_name_.resize(items.size());
    std::iota(by_name_.begin(), by_name_.end(), 0U);
    std::sort(by_name_.begin(), by_name_.end(),
              [&](uint32_t a, uint32_t b) { return name_of(items[a]) < name_of(items[b]); });
  };
  if (type == Type::record) sort(fields, name_of_field);
  if (type == Type::enumeration) sort(symbols, name_of_symbol);
}

int Schema::field_index(std::string_view field_name) const {
  return index_of(fields, by_name_, field_name, name_of_field);
}

int Schema::symbol_index(std::string_view symbol) const { return index_of(symbols, by_name_, symbol, name_of_symbol); }

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

}  // namespace muir::schema::avro
