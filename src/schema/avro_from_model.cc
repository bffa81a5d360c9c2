#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "schema/avro_model.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"
#include "schema/internal/avro_mapping.h"
#include "schema/internal/java_number.h"

namespace muir::schema::avro {
namespace {

using internal::annotation;
using internal::NameMaker;

constexpr int kJsonDepthMax = 1000;  // as in the text of a schema

template <class... A>
Status fail(fmt::format_string<A...> format, A&&... args) {
  return Status(Code::invalid_argument, "Avro schema of a model: " + fmt::format(format, std::forward<A>(args)...));
}

Name name_from(std::string_view full) {
  const size_t dot = full.rfind('.');
  if (dot == std::string_view::npos) return {{}, std::string(full)};
  return {std::string(full.substr(0, dot)), std::string(full.substr(dot + 1))};
}

// JSON that this module wrote, or that somebody else put into an annotation.
Result<Json> json_of(const schema::Schema& schema, std::string_view key, const std::string& text) {
  auto json = Json::parse(text, {.depth_max = kJsonDepthMax});
  if (!json.ok()) return fail("annotation {} of {}: {}", key, schema.to_string(), json.status().message());
  return json;
}
Result<Json::Object> members_of(const schema::Schema& schema, std::string_view key, const std::string& text) {
  Json json = MUIR_TRY(json_of(schema, key, text));
  if (json.as_object() == nullptr) return fail("annotation {} of {}: no object", key, schema.to_string());
  return std::move(*json.as_object());
}
Result<std::vector<std::string>> strings_of(std::string_view key, const std::string& text) {
  auto json = Json::parse(text, {.depth_max = kJsonDepthMax});
  if (!json.ok() || json->as_array() == nullptr) return fail("annotation {}: no array", key);
  std::vector<std::string> out;
  for (const auto& item : *json->as_array()) {
    if (item.as_string() == nullptr) return fail("annotation {}: no array of strings", key);
    out.push_back(*item.as_string());
  }
  return out;
}

Type primitive_of(const schema::Schema& schema) {
  switch (schema.type()) {
    case schema::Type::null: return Type::null;
    case schema::Type::boolean: return Type::boolean;
    case schema::Type::int8:
    case schema::Type::int16:
    case schema::Type::int32:
    case schema::Type::date: return Type::int32;
    case schema::Type::time: return schema.unit() == TimeUnit::millis ? Type::int32 : Type::int64;
    case schema::Type::int64:
    case schema::Type::timestamp: return Type::int64;
    case schema::Type::float32: return Type::float32;
    case schema::Type::float64: return Type::float64;
    case schema::Type::bytes:
    case schema::Type::decimal: return Type::bytes;
    default: return Type::string;
  }
}

class FromModel {
 public:
  explicit FromModel(std::deque<Schema>& nodes) : nodes_(nodes) {}

  Result<const Schema*> use(const schema::Schema& schema, bool is_field) {
    if (schema.type() == schema::Type::union_of || schema.is_nullable()) return union_of(schema, is_field);
    return type(schema, is_field);
  }

 private:
  struct Defined {
    const Schema* node;
    const schema::Schema* model;
  };

  Result<const Schema*> type(const schema::Schema& schema, bool is_field) {
    switch (schema.type()) {
      case schema::Type::reference: {
        const auto known = defined_.find(schema.name());
        if (known == defined_.end()) return fail("nothing before it is named {}, which is referred to", schema.name());
        MUIR_RETURN_IF_ERROR(check_default_place(schema, is_field));
        return known->second.node;
      }
      case schema::Type::structure: return record(schema, is_field);
      case schema::Type::enumeration: return enumeration(schema, is_field);
      case schema::Type::array:
      case schema::Type::map: return container(schema, is_field);
      default: break;
    }
    if (annotation(schema.annotations(), internal::kFixed) != nullptr) return fixed(schema, is_field);
    auto properties = MUIR_TRY(properties_of(schema, is_field));
    if (properties.empty()) return &primitive(primitive_of(schema));
    Schema& node = add(primitive_of(schema));
    return finished(node, std::move(properties));
  }

  Schema& add(Type type) {
    Schema& node = nodes_.emplace_back();
    node.type = type;
    return node;
  }

  static Result<std::vector<JsonMember>> properties_of(const schema::Schema& schema, bool is_field) {
    if (const auto* text = annotation(schema.annotations(), internal::kProperties))
      return members_of(schema, internal::kProperties, *text);
    return internal::properties_of(schema, !is_field);
  }

  const Schema* finished(Schema& node, std::vector<JsonMember> properties) {
    node.properties = std::move(properties);
    for (auto& property : node.properties) schema::internal::rewrite_numbers_as_java(property.value);
    node.index_names();
    return &node;
  }

  Result<const Schema*> container(const schema::Schema& schema, bool is_field) {
    const bool is_map = schema.type() == schema::Type::map && is_avro_map(schema);
    Schema& node = add(is_map ? Type::map : Type::array);
    if (schema.type() == schema::Type::map && !is_map) {
      Schema& entry = add(Type::record);
      entry.name = name_from(names_.entry());
      node.element = &entry;
      for (const auto& [name, part] : {std::pair("key", schema.key()), std::pair("value", schema.element())}) {
        entry.fields.emplace_back();
        Field field{.name = name, .schema = MUIR_TRY(use(*part, true))};
        field.default_value = MUIR_TRY(default_of(*part));
        entry.fields.back() = std::move(field);
      }
    } else {
      node.element = MUIR_TRY(use(*schema.element(), false));
    }
    return finished(node, MUIR_TRY(properties_of(schema, is_field)));
  }

  static Result<std::optional<Json>> default_of(const schema::Schema& schema) {
    std::optional<Json> out;
    if (const auto* text = annotation(schema.annotations(), internal::kDefault)) {
      out = MUIR_TRY(json_of(schema, internal::kDefault, *text));
    } else if (schema.default_value() != nullptr) {
      out = internal::default_from_model(schema, *schema.default_value());
    }
    if (out) schema::internal::rewrite_numbers_as_java(*out);
    return out;
  }

  // The node of a named type when it is defined already.
  Result<const Schema*> known(const schema::Schema& schema, bool is_field) {
    const Schema* node = nullptr;
    if (schema.name().empty()) {
      const auto found = unnamed_.find(schema.identity());
      node = found == unnamed_.end() ? nullptr : found->second;
    } else if (const auto found = defined_.find(schema.name()); found != defined_.end()) {
      if (!same_definition(*found->second.model, schema))
        return fail("{} is defined twice, differently", schema.name());
      node = found->second.node;
    }
    if (node != nullptr) MUIR_RETURN_IF_ERROR(check_default_place(schema, is_field));
    return node;
  }

  static bool same_definition(const schema::Schema& a, const schema::Schema& b) {
    const auto fixed = [](const schema::Schema& s) { return annotation(s.annotations(), internal::kFixed); };
    return a.type() == b.type() && a.doc() == b.doc() && a.version() == b.version() &&
           a.parameters() == b.parameters() && (fixed(a) == nullptr || fixed(b) == nullptr || *fixed(a) == *fixed(b)) &&
           (a.identity() == b.identity() || (a.fields() == b.fields() && a.symbols() == b.symbols()));
  }

  // A name alone has no place for it.
  static Status check_default_place(const schema::Schema& schema, bool is_field) {
    if (is_field || schema.default_value() == nullptr) return {};
    return fail("a default of what is no field has no place beside a name: {}", schema.to_string());
  }

  // Everything that named types share.
  Result<Schema*> define(Type type, const schema::Schema& schema, std::string name) {
    Schema& node = add(type);
    node.name = name_from(name);
    node.doc = schema.doc();
    if (const auto* text = annotation(schema.annotations(), internal::kAliases)) {
      for (const auto& alias : MUIR_TRY(strings_of(internal::kAliases, *text)))
        node.aliases.push_back(name_from(alias));
    }
    if (schema.name().empty()) {
      unnamed_.emplace(schema.identity(), &node);
    } else {
      defined_.emplace(schema.name(), Defined{&node, &schema});
    }
    return &node;
  }

  Result<const Schema*> record(const schema::Schema& schema, bool is_field) {
    if (const Schema* before = MUIR_TRY(known(schema, is_field))) return before;
    Schema& node = *MUIR_TRY(define(Type::record, schema, schema.name().empty() ? names_.record() : schema.name()));
    node.is_error = annotation(schema.annotations(), internal::kError) != nullptr;
    for (const auto& part : schema.fields()) {
      Field field{.name = part.name, .schema = MUIR_TRY(use(*part.schema, true)), .doc = part.doc};
      field.default_value = MUIR_TRY(default_of(*part.schema));
      if (const auto* text = annotation(part.annotations, internal::kAliases))
        field.aliases = MUIR_TRY(strings_of(internal::kAliases, *text));
      if (const auto* order = annotation(part.annotations, internal::kOrder))
        field.order = *order == "descending" ? FieldOrder::descending : FieldOrder::ignore;
      if (const auto* text = annotation(part.annotations, internal::kProperties))
        field.properties = MUIR_TRY(members_of(*part.schema, internal::kProperties, *text));
      node.fields.push_back(std::move(field));
    }
    return finished(node, MUIR_TRY(properties_of(schema, is_field)));
  }

  Result<const Schema*> enumeration(const schema::Schema& schema, bool is_field) {
    if (const Schema* before = MUIR_TRY(known(schema, is_field))) return before;
    Schema& node =
        *MUIR_TRY(define(Type::enumeration, schema, schema.name().empty() ? names_.enumeration() : schema.name()));
    node.symbols = schema.symbols();
    if (const auto* symbol = annotation(schema.annotations(), internal::kDefaultSymbol)) node.default_symbol = *symbol;
    return finished(node, MUIR_TRY(properties_of(schema, is_field)));
  }

  Result<const Schema*> fixed(const schema::Schema& schema, bool is_field) {
    if (schema.name().empty()) return fail("fixed bytes without a name");
    if (const Schema* before = MUIR_TRY(known(schema, is_field))) return before;
    const Json size(Json::Number{*annotation(schema.annotations(), internal::kFixed)});
    if (!size.as_int64()) return fail("annotation {} of {}: no number", internal::kFixed, schema.name());
    Schema& node = *MUIR_TRY(define(Type::fixed, schema, schema.name()));
    node.size = *size.as_int64();
    return finished(node, MUIR_TRY(properties_of(schema, is_field)));
  }

  Result<const Schema*> union_of(const schema::Schema& schema, bool is_field) {
    const bool is_choice = schema.type() == schema::Type::union_of;
    if (is_choice && (!schema.name().empty() || schema.doc() || schema.version() || !schema.parameters().empty()))
      return fail("a union has no place for a name, doc, version or parameters: {}", schema.to_string());
    if (!is_field && schema.default_value() != nullptr)
      return fail("a default of what is no field has no place in a union: {}", schema.to_string());
    Schema& node = add(Type::union_of);
    std::vector<const Schema*> branches;
    if (is_choice) {
      for (const auto& branch : schema.branches()) branches.push_back(MUIR_TRY(use(*branch, true)));
    } else {
      branches.push_back(MUIR_TRY(type(schema, true)));
    }
    if (schema.is_nullable()) {
      const auto default_value = MUIR_TRY(default_of(schema));
      size_t place = internal::usual_null_place(branches.size(), default_value ? &*default_value : nullptr);
      if (const auto* text = annotation(schema.annotations(), internal::kNull)) {
        const auto number = Json(Json::Number{*text}).as_int64();
        if (!number || *number < 0 || static_cast<size_t>(*number) > branches.size())
          return fail("annotation {}: {} is no place in {}", internal::kNull, *text, schema.to_string());
        place = static_cast<size_t>(*number);
      }
      const Schema* null = &primitive(Type::null);
      if (const auto* text = annotation(schema.annotations(), internal::kNullProperties)) {
        Schema& with_properties = add(Type::null);
        with_properties.properties = MUIR_TRY(members_of(schema, internal::kNullProperties, *text));
        null = &with_properties;
      }
      branches.insert(branches.begin() + static_cast<std::ptrdiff_t>(place), null);
    }
    node.branches = std::move(branches);
    return &node;
  }

  std::deque<Schema>& nodes_;
  NameMaker names_;
  std::map<std::string, Defined, std::less<>> defined_;
  std::map<const void*, const Schema*> unnamed_;
};

// What the parser made of the text of `own`: only it knows which logical types are valid. Both are alike but for what a
// text cannot say, such as an alias of the null namespace within another.
class LogicalTypes {
 public:
  explicit LogicalTypes(std::deque<Schema>& nodes) {
    for (auto& node : nodes) own_.emplace(&node, &node);
  }
  void take(const Schema& own, const Schema& parsed) {
    const auto found = own_.find(&own);  // else it is a primitive type without properties
    if (found == own_.end() || own.type != parsed.type || !seen_.insert(&own).second) return;
    found->second->logical_type = parsed.logical_type;
    if (own.element != nullptr) take(*own.element, *parsed.element);
    for (size_t i = 0; i < std::min(own.fields.size(), parsed.fields.size()); ++i)
      take(*own.fields[i].schema, *parsed.fields[i].schema);
    for (size_t i = 0; i < std::min(own.branches.size(), parsed.branches.size()); ++i)
      take(*own.branches[i], *parsed.branches[i]);
  }

 private:
  std::map<const Schema*, Schema*> own_;
  std::set<const Schema*> seen_;
};

}  // namespace

Result<SchemaPtr> from_model(const schema::Schema& schema, const FromModelOptions& options) {
  const auto nodes = std::make_shared<std::deque<Schema>>();
  const Schema* root = MUIR_TRY(FromModel(*nodes).use(schema, false));
  // The parser alone knows what names, unions and defaults may be.
  const auto parsed = parse(to_text(*root), {.strict = options.strict});
  if (!parsed.ok()) return parsed.status().annotate("Avro schema of a model");
  LogicalTypes(*nodes).take(*root, **parsed);
  return SchemaPtr(nodes, root);
}

}  // namespace muir::schema::avro
