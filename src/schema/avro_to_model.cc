#include <map>
#include <set>

#include "schema/avro_model.h"
#include "schema/internal/avro_mapping.h"
#include "schema/schema_builder.h"

namespace muir::schema::avro {
namespace {

using internal::NameMaker;

// Deeper than schemas are that people write; a hostile one would exhaust the stack.
constexpr int kDepthMax = 100;

class ToModel {
 public:
  explicit ToModel(const Schema& root) { count(root); }

  // The model of a type where it is used. `default_value`: of the field; `is_field`: whether it could have one.
  Result<schema::SchemaPtr> use(const Schema& node, bool is_field, const Json* default_value = nullptr) {
    if (depth_ >= kDepthMax)
      return error(Code::invalid_argument, "model of an Avro schema: types nest more than {} deep", kDepthMax);
    ++depth_;
    auto made = use_here(node, is_field, default_value);
    --depth_;
    return made;
  }

 private:
  Result<schema::SchemaPtr> use_here(const Schema& node, bool is_field, const Json* default_value) {
    SchemaBuilder builder =
        node.type == Type::union_of ? MUIR_TRY(union_of(node, default_value)) : MUIR_TRY(type(node, is_field));
    if (default_value != nullptr) {
      // What the model says otherwise, or what is no value of the type, is kept as it stands in the text.
      const auto plain = builder.build();
      if (!plain.ok()) return plain.status();
      Json value = internal::default_to_model(**plain, *default_value);
      const bool comes_back = internal::default_from_model(**plain, value) == *default_value;
      builder.default_value(std::move(value));
      if (!comes_back || !builder.build().ok()) {
        builder.no_default().annotation(internal::kDefault, default_value->to_string());
      }
    }
    return builder.build();
  }

  static std::string text_of(const std::vector<JsonMember>& members) { return Json(Json::Object(members)).to_string(); }

  Result<SchemaBuilder> type(const Schema& node, bool is_field) {
    if (const auto known = known_.find(&node); known != known_.end()) {
      if (known->second != nullptr) return SchemaBuilder(*known->second).no_default();
      if (unnamed_.contains(&node))
        return error(Code::invalid_argument, "model of an Avro schema: {} has itself within, but no name",
                     node.name.full());
      return SchemaBuilder::reference(node.name.full());
    }
    SchemaBuilder builder = MUIR_TRY(made(node));
    if (!node.properties.empty()) read_properties(node, is_field, builder);
    const auto built = builder.build();
    if (!built.ok()) return built.status().annotate("model of an Avro schema");
    // A default that is no field's is among the properties.
    const bool same = internal::properties_of(**built, true) == node.properties;
    if (!same) builder.annotation(internal::kProperties, text_of(node.properties));
    if (node.is_named()) known_[&node] = MUIR_TRY(builder.build());
    return builder;
  }

  Result<SchemaBuilder> made(const Schema& node) {
    switch (node.type) {
      case Type::null: return SchemaBuilder(schema::Type::null);
      case Type::boolean: return SchemaBuilder(schema::Type::boolean);
      case Type::int32: return of_int(node);
      case Type::int64: return of_long(node);
      case Type::float32: return SchemaBuilder(schema::Type::float32);
      case Type::float64: return SchemaBuilder(schema::Type::float64);
      case Type::string: return SchemaBuilder(node.logical_type == "uuid" ? schema::Type::uuid : schema::Type::string);
      case Type::bytes: return of_bytes(node);
      case Type::fixed: return named(node, of_bytes(node).annotation(internal::kFixed, std::to_string(node.size)));
      case Type::enumeration: return of_enum(node);
      case Type::array: return of_array(node);
      case Type::map: return SchemaBuilder::map(basic(schema::Type::string), MUIR_TRY(use(*node.element, false)));
      case Type::record: return of_record(node);
      case Type::union_of: break;
    }
    return union_of(node, nullptr);
  }

  static SchemaBuilder of_int(const Schema& node) {
    if (node.logical_type == "date") return SchemaBuilder(schema::Type::date);
    if (node.logical_type == "time-millis") return SchemaBuilder::time(TimeUnit::millis);
    const Json* connect = node.property(internal::kConnectType);
    if (connect != nullptr && *connect == Json("int8")) return SchemaBuilder(schema::Type::int8);
    if (connect != nullptr && *connect == Json("int16")) return SchemaBuilder(schema::Type::int16);
    return SchemaBuilder(schema::Type::int32);
  }

  static SchemaBuilder of_long(const Schema& node) {
    static constexpr std::pair<std::string_view, TimeUnit> kUnits[]{
        {"millis", TimeUnit::millis}, {"micros", TimeUnit::micros}, {"nanos", TimeUnit::nanos}};
    for (const auto& [name, unit] : kUnits) {
      if (node.logical_type == fmt::format("timestamp-{}", name)) return SchemaBuilder::timestamp(unit, true);
      if (node.logical_type == fmt::format("local-timestamp-{}", name)) return SchemaBuilder::timestamp(unit, false);
    }
    if (node.logical_type == "time-micros") return SchemaBuilder::time(TimeUnit::micros);
    const Json* own = node.property(internal::kMuirType);
    if (own != nullptr && *own == Json("time-nanos")) return SchemaBuilder::time(TimeUnit::nanos);
    return SchemaBuilder(schema::Type::int64);
  }

  static SchemaBuilder of_bytes(const Schema& node) {
    if (node.logical_type == "uuid" && node.type == Type::fixed) return SchemaBuilder(schema::Type::uuid);
    if (node.logical_type == "decimal") {
      const auto number = [&](std::string_view key) {
        const Json* member = node.property(key);
        return member == nullptr ? 0 : member->as_int64().value_or(0);
      };
      // Larger ones than anybody can mean stay bytes.
      if (number("precision") <= INT32_MAX)
        return SchemaBuilder::decimal(static_cast<int32_t>(number("precision")), static_cast<int32_t>(number("scale")));
    }
    return SchemaBuilder(schema::Type::bytes);
  }

  // Name, doc and aliases of what has them in Avro.
  static SchemaBuilder named(const Schema& node, SchemaBuilder builder) {
    builder.name(node.name.full());
    if (node.doc) builder.doc(*node.doc);
    if (!node.aliases.empty()) {
      Json::Array aliases;
      for (const auto& alias : node.aliases) aliases.emplace_back(alias.full());
      builder.annotation(internal::kAliases, Json(std::move(aliases)).to_string());
    }
    return builder;
  }

  // Takes the name away that stands for none.
  void unname(const Schema& node, std::string_view made_name, SchemaBuilder& builder) {
    const Json* unnamed = node.property(internal::kUnnamed);
    if (unnamed == nullptr || node.name.full() != made_name) return;
    builder.name("");
    unnamed_.insert(&node);
  }

  SchemaBuilder of_enum(const Schema& node) {
    SchemaBuilder builder = named(node, SchemaBuilder::enumeration("", node.symbols));
    if (node.property(internal::kUnnamed) != nullptr) unname(node, names_.enumeration(), builder);
    if (node.default_symbol) builder.annotation(internal::kDefaultSymbol, *node.default_symbol);
    return builder;
  }

  Result<SchemaBuilder> of_record(const Schema& node) {
    SchemaBuilder builder = named(node, SchemaBuilder::structure());
    if (node.property(internal::kUnnamed) != nullptr) unname(node, names_.record(), builder);
    if (node.is_error) builder.annotation(internal::kError, "true");
    known_.emplace(&node, nullptr);
    for (const auto& field : node.fields) {
      FieldAttributes attributes{.doc = field.doc};
      const auto annotate = [&](std::string_view key, std::string value) {
        attributes.annotations.emplace(key, std::move(value));
      };
      if (!field.aliases.empty())
        annotate(internal::kAliases, Json(Json::Array(field.aliases.begin(), field.aliases.end())).to_string());
      if (field.order != FieldOrder::ascending)
        annotate(internal::kOrder, field.order == FieldOrder::descending ? "descending" : "ignore");
      if (!field.properties.empty()) annotate(internal::kProperties, text_of(field.properties));
      builder.field(field.name,
                    MUIR_TRY(use(*field.schema, true, field.default_value ? &*field.default_value : nullptr)),
                    std::move(attributes));
    }
    return builder;
  }

  Result<SchemaBuilder> of_array(const Schema& node) {
    if (!is_entries(*node.element)) return SchemaBuilder::array(MUIR_TRY(use(*node.element, false)));
    (void)names_.entry();
    const auto part = [&](const Field& field) {
      return use(*field.schema, true, field.default_value ? &*field.default_value : nullptr);
    };
    auto key = MUIR_TRY(part(node.element->fields[0]));
    return SchemaBuilder::map(std::move(key), MUIR_TRY(part(node.element->fields[1])));
  }

  // Whether an array of this is what from_model makes of a map, to the letter: all else stays an array.
  bool is_entries(const Schema& node) const {
    if (node.type != Type::record || mentioned_.at(&node) > 1 || node.is_error || node.doc || !node.aliases.empty() ||
        !node.properties.empty() || node.fields.size() != 2 || node.name.full() != names_.next_entry())
      return false;
    for (size_t i = 0; i < 2; ++i) {
      const Field& field = node.fields[i];
      if (field.name != (i == 0 ? "key" : "value") || field.doc || !field.aliases.empty() ||
          field.order != FieldOrder::ascending || !field.properties.empty())
        return false;
    }
    const Schema& key = *node.fields[0].schema;
    return key.type != Type::string || !key.properties.empty() || node.fields[0].default_value.has_value();
  }

  // How often each node is a part of another.
  void count(const Schema& node) {
    if (mentioned_[&node]++ > 0) return;
    for (const auto& field : node.fields) count(*field.schema);
    for (const auto* branch : node.branches) count(*branch);
    if (node.element != nullptr) count(*node.element);
  }

  Result<SchemaBuilder> union_of(const Schema& node, const Json* default_value) {
    std::vector<const Schema*> others;
    std::optional<size_t> null_at;
    for (size_t i = 0; i < node.branches.size(); ++i) {
      if (node.branches[i]->type == Type::null) {
        null_at = i;
      } else {
        others.push_back(node.branches[i]);
      }
    }
    const auto made = [&]() -> Result<SchemaBuilder> {
      if (null_at && others.size() == 1) return type(*others[0], true);
      std::vector<schema::SchemaPtr> branches;
      for (const Schema* branch : others) branches.push_back(MUIR_TRY(use(*branch, true)));
      return SchemaBuilder::union_of(std::move(branches));
    };
    SchemaBuilder builder = MUIR_TRY(made());
    if (!null_at) return builder;
    builder.nullable();
    if (*null_at != internal::usual_null_place(others.size(), default_value))
      builder.annotation(internal::kNull, std::to_string(*null_at));
    if (const auto& properties = node.branches[*null_at]->properties; !properties.empty())
      builder.annotation(internal::kNullProperties, text_of(properties));
    return builder;
  }

  static void read_properties(const Schema& node, bool is_field, SchemaBuilder& builder) {
    const auto text = [&](std::string_view key) -> const std::string* {
      const Json* value = node.property(key);
      return value == nullptr ? nullptr : value->as_string();
    };
    if (!node.is_named()) {
      if (const auto* name = text(internal::kConnectName)) builder.name(*name);
      if (const auto* doc = text(internal::kConnectDoc)) builder.doc(*doc);
    }
    if (const Json* version = node.property(internal::kConnectVersion); version != nullptr) {
      const auto number = version->as_int64();
      if (number && *number >= INT32_MIN && *number <= INT32_MAX) builder.version(static_cast<int32_t>(*number));
    }
    if (const Json* parameters = node.property(internal::kConnectParameters);
        parameters != nullptr && parameters->as_object() != nullptr) {
      for (const auto& [key, value] : *parameters->as_object()) {
        if (value.as_string() != nullptr) builder.parameter(key, *value.as_string());
      }
    }
    if (const Json* value = node.property(internal::kConnectDefault); value != nullptr && !is_field) {
      const auto plain = builder.build();
      if (!plain.ok()) return;
      SchemaBuilder with_default = builder;
      if (with_default.default_value(internal::default_to_model(**plain, *value)).build().ok()) builder = with_default;
    }
  }

  NameMaker names_;
  int depth_ = 0;
  std::map<const Schema*, schema::SchemaPtr> known_;  // named types; null while it is being made
  std::set<const Schema*> unnamed_;
  std::map<const Schema*, size_t> mentioned_;
};

}  // namespace

Result<schema::SchemaPtr> to_model(const Schema& schema) { return ToModel(schema).use(schema, false); }

}  // namespace muir::schema::avro
