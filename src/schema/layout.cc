#include "schema/layout.h"

#include <set>

#include "base/check.h"
#include "schema/avro_parse.h"

namespace muir::schema {
namespace {

// The Avro JSON of a layout.
class LayoutText {
 public:
  Json write(const Layout& layout, std::string_view logical_type) {
    const std::string_view logical = logical_type.empty() ? std::string_view(layout.logical_type) : logical_type;
    switch (layout.kind) {
      case LayoutKind::boolean: return primitive_json("boolean", logical);
      case LayoutKind::int32: return primitive_json("int", logical);
      case LayoutKind::int64: return primitive_json("long", logical);
      case LayoutKind::float32: return primitive_json("float", logical);
      case LayoutKind::float64: return primitive_json("double", logical);
      case LayoutKind::string: return primitive_json("string", logical);
      case LayoutKind::bytes: return primitive_json("bytes", logical);
      case LayoutKind::optional: return Json::Array{"null", write(*layout.element, logical)};
      case LayoutKind::array: return {{"type", "array"}, {"items", write(*layout.element, logical)}};
      case LayoutKind::map: return {{"type", "map"}, {"values", write(*layout.element, logical)}};
      case LayoutKind::record:
      case LayoutKind::enumeration: break;
    }
    if (!defined_.insert(layout.name).second) return layout.name;
    return layout.kind == LayoutKind::record ? record(layout) : enumeration(layout);
  }

 private:
  static Json primitive_json(std::string_view type, std::string_view logical) {
    if (logical.empty()) return type;
    return {{"type", type}, {"logicalType", logical}};
  }
  static Json strings(const std::vector<std::string>& items) { return Json::Array(items.begin(), items.end()); }

  static Json begin(const Layout& layout, std::string_view type) {
    Json json{{"type", type}, {"name", layout.name}};
    if (!layout.doc.empty()) json.set("doc", layout.doc);
    if (!layout.aliases.empty()) json.set("aliases", strings(layout.aliases));
    return json;
  }

  Json enumeration(const Layout& layout) {
    Json json = begin(layout, "enum");
    json.set("symbols", strings(layout.symbols));
    if (!layout.default_symbol.empty()) json.set("default", layout.default_symbol);
    return json;
  }

  Json record(const Layout& layout) {
    Json json = begin(layout, "record");
    Json::Array fields;
    for (const auto& field : layout.fields) {
      Json member{{"name", field.name}, {"type", write(*field.layout, field.logical_type)}};
      if (!field.doc.empty()) member.set("doc", field.doc);
      if (!field.default_json.empty()) {
        auto value = Json::parse(field.default_json);
        CHECK(value.ok(), "describe {}: default of {}: {}", layout.name, field.name, value.status().message());
        member.set("default", std::move(*value));
      } else if (field.layout->kind == LayoutKind::optional) {
        member.set("default", Json());
      }
      if (!field.aliases.empty()) member.set("aliases", strings(field.aliases));
      fields.push_back(std::move(member));
    }
    json.set("fields", std::move(fields));
    return json;
  }

  std::set<std::string> defined_;
};

}  // namespace

avro::SchemaPtr schema_of(const Layout& layout) {
  const Json json = LayoutText().write(layout, "");
  auto schema = avro::parse_json(json);
  CHECK(schema.ok(), "describe {}: {}", layout.name, schema.status().message());
  return std::move(*schema);
}

}  // namespace muir::schema
