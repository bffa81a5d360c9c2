#include "schema/layout.h"

#include <map>

#include "base/check.h"
#include "schema/avro_model.h"
#include "schema/internal/avro_mapping.h"
#include "schema/schema_builder.h"

namespace muir::schema {
namespace {

using avro::internal::kAliases;

// The model of a layout: each type defined where it first occurs, by name within itself.
class LayoutModel {
 public:
  SchemaBuilder make(const Layout& layout, std::string_view logical_type) {
    const std::string_view logical = logical_type.empty() ? std::string_view(layout.logical_type) : logical_type;
    switch (layout.kind) {
      case LayoutKind::boolean: return primitive(Type::boolean, logical);
      case LayoutKind::int32: return primitive(Type::int32, logical);
      case LayoutKind::int64: return primitive(Type::int64, logical);
      case LayoutKind::float32: return primitive(Type::float32, logical);
      case LayoutKind::float64: return primitive(Type::float64, logical);
      case LayoutKind::string: return primitive(Type::string, logical);
      case LayoutKind::bytes: return primitive(Type::bytes, logical);
      case LayoutKind::optional: return make(*layout.element, logical).nullable();
      case LayoutKind::array: return SchemaBuilder::array(built(make(*layout.element, logical), layout));
      case LayoutKind::map:
        return SchemaBuilder::map(basic(Type::string), built(make(*layout.element, logical), layout));
      case LayoutKind::enumeration:
      case LayoutKind::record: break;
    }
    return named(layout);
  }

  static SchemaPtr built(const SchemaBuilder& builder, const Layout& layout) {
    auto schema = builder.build();
    CHECK(schema.ok(), "describe {}: {}", layout.name, schema.status().message());
    return *schema;
  }

 private:
  static SchemaBuilder primitive(Type type, std::string_view logical) {
    struct Logical {
      Type type;
      std::string_view name;
      SchemaBuilder schema;
    };
    static const Logical kLogical[]{
        {Type::int32, "date", Type::date},
        {Type::int32, "time-millis", SchemaBuilder::time(TimeUnit::millis)},
        {Type::int64, "time-micros", SchemaBuilder::time(TimeUnit::micros)},
        {Type::int64, "timestamp-millis", SchemaBuilder::timestamp(TimeUnit::millis, true)},
        {Type::int64, "timestamp-micros", SchemaBuilder::timestamp(TimeUnit::micros, true)},
        {Type::int64, "timestamp-nanos", SchemaBuilder::timestamp(TimeUnit::nanos, true)},
        {Type::int64, "local-timestamp-millis", SchemaBuilder::timestamp(TimeUnit::millis, false)},
        {Type::int64, "local-timestamp-micros", SchemaBuilder::timestamp(TimeUnit::micros, false)},
        {Type::int64, "local-timestamp-nanos", SchemaBuilder::timestamp(TimeUnit::nanos, false)},
        {Type::string, "uuid", Type::uuid},
    };
    if (logical.empty()) return type;
    for (const auto& known : kLogical) {
      if (known.type == type && known.name == logical) return known.schema;
    }
    // Of somebody's own: it stands in the Avro schema as it is.
    return SchemaBuilder(type).annotation(avro::internal::kProperties, Json{{"logicalType", logical}}.to_string());
  }

  SchemaBuilder named(const Layout& layout) {
    if (const auto known = known_.find(&layout); known != known_.end())
      return known->second == nullptr ? SchemaBuilder::reference(layout.name) : SchemaBuilder(*known->second);
    known_.emplace(&layout, nullptr);
    SchemaBuilder builder = layout.kind == LayoutKind::record ? record(layout) : enumeration(layout);
    if (!layout.doc.empty()) builder.doc(layout.doc);
    if (!layout.aliases.empty()) builder.annotation(kAliases, text_of(layout.aliases));
    known_[&layout] = built(builder, layout);
    return builder;
  }

  static std::string text_of(const std::vector<std::string>& items) {
    return Json(Json::Array(items.begin(), items.end())).to_string();
  }

  static SchemaBuilder enumeration(const Layout& layout) {
    SchemaBuilder builder = SchemaBuilder::enumeration(layout.name, layout.symbols);
    if (!layout.default_symbol.empty()) builder.annotation(avro::internal::kDefaultSymbol, layout.default_symbol);
    return builder;
  }

  SchemaBuilder record(const Layout& layout) {
    SchemaBuilder builder = SchemaBuilder::structure(layout.name);
    for (const auto& field : layout.fields) {
      SchemaBuilder schema = make(*field.layout, field.logical_type);
      set_default(layout, field, schema);
      FieldAttributes attributes;
      if (!field.doc.empty()) attributes.doc = field.doc;
      if (!field.aliases.empty()) attributes.annotations.emplace(kAliases, text_of(field.aliases));
      builder.field(field.name, schema, std::move(attributes));
    }
    return builder;
  }

  static void set_default(const Layout& layout, const FieldLayout& field, SchemaBuilder& schema) {
    const bool optional = field.layout->kind == LayoutKind::optional;
    if (field.default_json.empty()) {
      if (optional) schema.default_value(Json());
      return;
    }
    auto value = Json::parse(field.default_json);
    CHECK(value.ok(), "describe {}: default of {}: {}", layout.name, field.name, value.status().message());
    // An optional is written with null first whatever its default.
    if (optional && !value->is_null()) schema.annotation(avro::internal::kNull, "0");
    SchemaBuilder with_default = schema;
    if (with_default.default_value(*value).build().ok()) {
      schema = with_default;
    } else {
      schema.annotation(avro::internal::kDefault, value->to_string());  // Avro says whether it is one
    }
  }

  std::map<const Layout*, SchemaPtr> known_;  // null while it is being made
};

}  // namespace

SchemaPtr model_of(const Layout& layout) { return LayoutModel::built(LayoutModel().make(layout, ""), layout); }

avro::SchemaPtr avro::schema_of(const Layout& layout) {
  auto schema = from_model(*model_of(layout));
  CHECK(schema.ok(), "describe {}: {}", layout.name, schema.status().message());
  return std::move(*schema);
}

}  // namespace muir::schema
