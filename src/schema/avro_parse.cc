#include "schema/avro_parse.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "schema/avro_compatibility.h"
#include "schema/avro_default.h"
#include "schema/avro_model.h"
#include "schema/avro_text.h"
#include "schema/internal/avro_name.h"
#include "schema/internal/java_number.h"

namespace muir::schema::avro {
namespace {

using internal::is_valid_name;
using internal::is_valid_namespace;

// How deep the JSON of a schema may nest, as in the Java library: 333 records within each other.
constexpr int kJsonDepthMax = 1000;

// Everything a SchemaPtr keeps alive.
struct Tree {
  std::deque<Schema> nodes;  // addresses are stable
  std::vector<SchemaPtr> known;
};

// "a.b.C" carries its namespace; "C" lives in `space`.
Name name_from(std::string_view text, std::string_view space) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {std::string(space), std::string(text)};
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

const std::string* text_member(const Json& json, std::string_view key) {
  const Json* member = json.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

// Attributes that the model holds; all others are kept as properties. The lists are those of the Java library,
// because texts must survive as they do there.
bool is_model_attribute(std::string_view key, Type type) {
  static constexpr std::string_view kSchemaKeys[]{"doc",  "fields",  "items",  "name", "namespace",
                                                  "size", "symbols", "values", "type", "aliases"};
  return std::find(std::begin(kSchemaKeys), std::end(kSchemaKeys), key) != std::end(kSchemaKeys) ||
         (type == Type::enumeration && key == "default");
}
bool is_field_attribute(std::string_view key) {
  static constexpr std::string_view kFieldKeys[]{"default", "doc", "name", "order", "type", "aliases"};
  return std::find(std::begin(kFieldKeys), std::end(kFieldKeys), key) != std::end(kFieldKeys);
}

// Fields of a record, symbols of an enum, branches of a union, aliases: they are looked through one by one, which must
// stay bearable.
constexpr size_t kNamesMax = 10'000;

void collect_named(const Schema& schema, std::map<std::string, const Schema*, std::less<>>& names,
                   std::set<const Schema*>& seen) {
  if (!seen.insert(&schema).second) return;
  if (schema.is_named()) names.emplace(schema.name.full(), &schema);
  for (const auto& field : schema.fields) collect_named(*field.schema, names, seen);
  for (const auto* branch : schema.branches) collect_named(*branch, names, seen);
  if (schema.element != nullptr) collect_named(*schema.element, names, seen);
}

class Parser {
 public:
  // With `fault`, which is OK, a text that breaks the rules for names and defaults is parsed all the same, and `fault`
  // is the first that it breaks.
  Parser(Tree& tree, const ParseOptions& options, Status* fault)
      : tree_(tree),
        fault_(fault),
        check_names_(options.strict || fault != nullptr),
        check_defaults_(check_names_ && options.check_defaults) {
    std::set<const Schema*> seen;
    for (const auto& known : options.known) collect_named(*known, names_, seen);
  }

  Result<const Schema*> parse_root(const Json& json) {
    const Schema* root = MUIR_TRY(parse(json, ""));
    // Only now are all types complete: a default may be a value of the record that it stands in.
    for (const auto& [record, index] : with_default_) {
      const Field& field = record->fields[index];
      const Status valid = check_defaults_ ? check_default(*field.schema, *field.default_value) : Status();
      if (valid.ok()) continue;
      MUIR_RETURN_IF_ERROR(
          broken("record {}: field {}: invalid default: {}", record->name.full(), field.name, valid.message()));
    }
    return root;
  }

 private:
  Result<const Schema*> parse(const Json& json, const std::string& space) {
    if (const auto* name = json.as_string()) return reference(*name, space);
    if (const auto* branches = json.as_array()) return parse_union(*branches, space);
    if (json.as_object() == nullptr) return fail("a schema is a name, an object or an array, not {}", json.excerpt());
    const auto* type = text_member(json, "type");
    if (type == nullptr) return fail("no type in {}", json.excerpt());
    if (const auto primitive_type = primitive_from(*type)) return parse_primitive(*primitive_type, json);
    if (const Schema* same = defined_alike(json, space)) return same;
    if (*type == "record" || *type == "error") return parse_record(json, space, *type == "error");
    if (*type == "enum") return parse_enum(json, space);
    if (*type == "fixed") return parse_fixed(json, space);
    if (*type == "array") return parse_container(Type::array, "items", json, space);
    if (*type == "map") return parse_container(Type::map, "values", json, space);
    return reference(*type, space);
  }

  template <class... A>
  static Status fail(fmt::format_string<A...> format, A&&... args) {
    return Status(Code::invalid_argument, "parse Avro schema: " + fmt::format(format, std::forward<A>(args)...));
  }

  // A rule for new schemas is broken.
  template <class... A>
  Status broken(fmt::format_string<A...> format, A&&... args) {
    if (fault_ == nullptr) return fail(format, std::forward<A>(args)...);
    if (fault_->ok()) *fault_ = fail(format, std::forward<A>(args)...);
    return {};
  }

  Schema& add(Type type) {
    Schema& schema = tree_.nodes.emplace_back();
    schema.type = type;
    return schema;
  }

  void keep_properties(Schema& schema, const Json& json) {
    for (const auto& member : *json.as_object()) {
      if (!is_model_attribute(member.key, schema.type)) keep(schema.properties, member);
    }
    // Unknown and invalid logical types are ignored, as the specification asks.
    if (const auto* logical = text_member(json, "logicalType");
        logical != nullptr && is_valid_logical_type(schema, *logical)) {
      schema.logical_type = *logical;
    }
  }

  static bool is_valid_logical_type(const Schema& schema, std::string_view logical) {
    const auto starts = [&](std::string_view prefix) { return logical.substr(0, prefix.size()) == prefix; };
    if (logical == "decimal") return is_valid_decimal(schema);
    if (logical == "big-decimal") return schema.type == Type::bytes;
    if (logical == "uuid") return schema.type == Type::string || (schema.type == Type::fixed && schema.size == 16);
    if (logical == "date" || logical == "time-millis") return schema.type == Type::int32;
    if (logical == "time-micros" || starts("timestamp-") || starts("local-timestamp-"))
      return schema.type == Type::int64;
    if (logical == "duration") return schema.type == Type::fixed && schema.size == 12;
    return false;
  }
  static bool is_valid_decimal(const Schema& schema) {
    if (schema.type != Type::bytes && schema.type != Type::fixed) return false;
    // -1 stands for "no integer", which no bound below admits.
    const auto number = [&](std::string_view key, int64_t otherwise) {
      const Json* member = schema.property(key);
      return member == nullptr ? otherwise : member->as_int64().value_or(-1);
    };
    const int64_t precision = number("precision", -1);
    const int64_t scale = number("scale", 0);
    if (precision <= 0 || scale < 0 || scale > precision) return false;
    if (schema.type == Type::bytes) return true;
    const double digits_max = std::floor(std::log10(2.0) * (8.0 * static_cast<double>(schema.size) - 1));
    return static_cast<double>(precision) <= digits_max;
  }

  Result<const Schema*> parse_primitive(Type type, const Json& json) {
    const bool has_properties = std::any_of(json.as_object()->begin(), json.as_object()->end(),
                                            [&](const auto& member) { return !is_model_attribute(member.key, type); });
    if (!has_properties) return &primitive(type);
    Schema& schema = add(type);
    keep_properties(schema, json);
    return &schema;
  }

  Result<const Schema*> reference(const std::string& text, const std::string& space) {
    if (const auto primitive_type = primitive_from(text)) return &primitive(*primitive_type);
    auto found = names_.find(name_from(text, space).full());
    if (found == names_.end()) found = names_.find(text);  // a name of the null namespace, seen from within another
    if (found == names_.end()) return fail("unknown type {}", text);
    return found->second;
  }

  static Name name_of(const Json& json, const std::string& name, const std::string& space) {
    const auto* own_space = text_member(json, "namespace");
    return name_from(name, own_space != nullptr ? *own_space : space);
  }

  // A definition that repeats an earlier one word for word stands for it, as generators of schemas rely on.
  const Schema* defined_alike(const Json& json, const std::string& space) {
    const auto* text = text_member(json, "name");
    if (text == nullptr) return nullptr;
    const auto earlier = definitions_.find(name_of(json, *text, space).full());
    return earlier != definitions_.end() && *earlier->second.json == json ? earlier->second.schema : nullptr;
  }

  // Reads name, namespace, doc and aliases, and makes the type known, so that it may refer to itself.
  Status define(Schema& schema, const Json& json, const std::string& space) {
    const auto* text = text_member(json, "name");
    if (text == nullptr) return fail("no name in {}", json.excerpt());
    schema.name = name_of(json, *text, space);
    if (schema.name.simple.empty()) return fail("illegal name {}", schema.name.full());
    const bool valid = !check_names_ || (is_valid_name(schema.name.simple) &&
                                         (schema.name.space.empty() || is_valid_namespace(schema.name.space)));
    if (!valid) MUIR_RETURN_IF_ERROR(broken("illegal name {}", schema.name.full()));
    if (primitive_from(schema.name.full())) return fail("a type may not be named {}, which is a primitive type", *text);
    if (const auto* doc = text_member(json, "doc")) schema.doc = *doc;
    if (const Json* aliases = json.find("aliases")) {
      std::set<std::string> seen;  // aliases are a set, in the order in which they first occur
      for (const auto& text_alias : MUIR_TRY(strings_of(*aliases, "aliases"))) {
        Name alias = name_from(text_alias, schema.name.space);
        if (check_names_ && !is_valid_name(alias.simple))
          MUIR_RETURN_IF_ERROR(broken("{}: illegal alias '{}'", schema.name.full(), text_alias));
        if (seen.insert(alias.full()).second) schema.aliases.push_back(std::move(alias));
      }
    }
    if (!names_.emplace(schema.name.full(), &schema).second)
      return fail("{} is defined twice, differently", schema.name.full());
    definitions_.emplace(schema.name.full(), Definition{&json, &schema});
    return {};
  }

  static Result<std::vector<std::string>> strings_of(const Json& json, std::string_view what) {
    const auto* array = json.as_array();
    if (array == nullptr) return fail("{} must be an array, not {}", what, json.excerpt());
    if (array->size() > kNamesMax) return fail("{} {}; at most {} are allowed", array->size(), what, kNamesMax);
    std::vector<std::string> out;
    for (const auto& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr) return fail("{} must hold strings, not {}", what, item.excerpt());
      out.push_back(*text);
    }
    return out;
  }

  Result<const Schema*> parse_record(const Json& json, const std::string& space, bool is_error) {
    Schema& schema = add(Type::record);
    schema.is_error = is_error;
    MUIR_RETURN_IF_ERROR(define(schema, json, space));
    const Json* fields_member = json.find("fields");
    const auto* fields = fields_member == nullptr ? nullptr : fields_member->as_array();
    if (fields == nullptr) return fail("record {} has no fields", schema.name.full());
    if (fields->size() > kNamesMax)
      return fail("record {} has {} fields; at most {} are allowed", schema.name.full(), fields->size(), kNamesMax);
    std::set<std::string_view> seen;
    schema.fields.reserve(fields->size());  // keeps the names that `seen` borrows in place
    for (const auto& member : *fields) {
      Field field = MUIR_TRY(parse_field(schema, member));
      schema.fields.push_back(std::move(field));
      if (!seen.insert(schema.fields.back().name).second) {
        return fail("record {} has two fields {}", schema.name.full(), schema.fields.back().name);
      }
    }
    schema.index_names();
    keep_properties(schema, json);
    return &schema;
  }

  Result<Field> parse_field(const Schema& record, const Json& json) {
    Field field;
    const auto* name = text_member(json, "name");
    if (name == nullptr) return fail("record {}: a field has no name: {}", record.name.full(), json.excerpt());
    if (name->empty()) return fail("record {}: illegal field name ''", record.name.full());
    if (check_names_ && !is_valid_name(*name))
      MUIR_RETURN_IF_ERROR(broken("record {}: illegal field name '{}'", record.name.full(), *name));
    field.name = *name;
    const Json* type = json.find("type");
    if (type == nullptr) return fail("record {}: field {} has no type", record.name.full(), *name);
    field.schema = MUIR_TRY(parse(*type, record.name.space));
    if (const auto* doc = text_member(json, "doc")) field.doc = *doc;
    if (const Json* value = json.find("default")) {
      field.default_value = MUIR_TRY(default_from(*value, field.schema->type));
      with_default_.emplace_back(&record, record.fields.size());
    }
    if (const auto* order = text_member(json, "order")) {
      const auto known = order_from(*order);
      if (!known) return fail("record {}: field {}: unknown order {}", record.name.full(), *name, *order);
      field.order = *known;
    }
    if (const Json* aliases = json.find("aliases")) {
      std::set<std::string> seen;
      for (auto& alias : MUIR_TRY(strings_of(*aliases, "aliases"))) {
        if (seen.insert(alias).second) field.aliases.push_back(std::move(alias));
      }
    }
    for (const auto& member : *json.as_object()) {
      if (!is_field_attribute(member.key)) keep(field.properties, member);
    }
    return field;
  }

  // In any case, as in Java.
  static std::optional<FieldOrder> order_from(std::string_view text) {
    constexpr std::pair<std::string_view, FieldOrder> kOrders[]{
        {"ascending", FieldOrder::ascending}, {"descending", FieldOrder::descending}, {"ignore", FieldOrder::ignore}};
    for (const auto& [name, order] : kOrders) {
      const bool same = std::equal(text.begin(), text.end(), name.begin(), name.end(), [](char c, char wanted) {
        return c == wanted || (c >= 'A' && c <= 'Z' && c - 'A' + 'a' == wanted);
      });
      if (same) return order;
    }
    return std::nullopt;
  }

  // A text that stands for a floating point number becomes that number, as in Java.
  static Result<Json> default_from(Json value, Type type) {
    if (const auto* text = value.as_string(); text != nullptr && (type == Type::float32 || type == Type::float64)) {
      const auto number = internal::java_double_from(*text);
      if (!number) return fail("the default {} is not a number", value.excerpt());
      Json out(*number);
      internal::rewrite_numbers_as_java(out);
      return out;
    }
    internal::rewrite_numbers_as_java(value);
    return value;
  }

  static void keep(std::vector<JsonMember>& properties, const JsonMember& member) {
    properties.push_back(member);
    internal::rewrite_numbers_as_java(properties.back().value);
  }

  Result<const Schema*> parse_enum(const Json& json, const std::string& space) {
    Schema& schema = add(Type::enumeration);
    MUIR_RETURN_IF_ERROR(define(schema, json, space));
    const Json* symbols = json.find("symbols");
    if (symbols == nullptr) return fail("enum {} has no symbols", schema.name.full());
    schema.symbols = MUIR_TRY(strings_of(*symbols, "symbols"));
    std::set<std::string_view> seen;
    for (const auto& symbol : schema.symbols) {
      if (check_names_ && !is_valid_name(symbol))
        MUIR_RETURN_IF_ERROR(broken("enum {}: illegal symbol '{}'", schema.name.full(), symbol));
      if (!seen.insert(symbol).second) return fail("enum {} has symbol {} twice", schema.name.full(), symbol);
    }
    if (const auto* symbol = text_member(json, "default")) {
      if (!seen.contains(*symbol))
        return fail("enum {}: the default {} is not one of its symbols", schema.name.full(), *symbol);
      schema.default_symbol = *symbol;
    }
    schema.index_names();
    keep_properties(schema, json);
    return &schema;
  }

  Result<const Schema*> parse_fixed(const Json& json, const std::string& space) {
    Schema& schema = add(Type::fixed);
    MUIR_RETURN_IF_ERROR(define(schema, json, space));
    const Json* member = json.find("size");
    const auto size = member == nullptr ? std::nullopt : member->as_int64();
    if (!size || *size < 0 || *size > INT32_MAX)
      return fail("fixed {} needs a size from 0 to 2147483647", schema.name.full());
    schema.size = *size;
    keep_properties(schema, json);
    return &schema;
  }

  Result<const Schema*> parse_container(Type type, std::string_view element_key, const Json& json,
                                        const std::string& space) {
    const Json* element = json.find(element_key);
    if (element == nullptr) return fail("{} has no {}", to_string(type), element_key);
    Schema& schema = add(type);
    schema.element = MUIR_TRY(parse(*element, space));
    keep_properties(schema, json);
    return &schema;
  }

  Result<const Schema*> parse_union(const Json::Array& branches, const std::string& space) {
    if (branches.size() > kNamesMax) return fail("a union of {}; at most {} are allowed", branches.size(), kNamesMax);
    Schema& schema = add(Type::union_of);
    std::set<std::string> seen;
    for (const auto& member : branches) {
      const Schema* branch = MUIR_TRY(parse(member, space));
      if (branch->type == Type::union_of) return fail("a union may not hold a union directly");
      if (!seen.insert(branch->branch_name()).second) return fail("a union holds {} twice", branch->branch_name());
      schema.branches.push_back(branch);
    }
    return &schema;
  }

  Tree& tree_;
  Status* const fault_;
  const bool check_names_;
  const bool check_defaults_;
  struct Definition {
    const Json* json;
    const Schema* schema;
  };

  std::map<std::string, const Schema*, std::less<>> names_;
  std::map<std::string, Definition> definitions_;               // of the text being parsed
  std::vector<std::pair<const Schema*, size_t>> with_default_;  // records and the index of a field
};

Result<SchemaPtr> parse_json(const Json& json, const ParseOptions& options, Status* fault) {
  auto tree = std::make_shared<Tree>();
  tree->known = options.known;
  const Schema* root = MUIR_TRY(Parser(*tree, options, fault).parse_root(json));
  return SchemaPtr(std::move(tree), root);
}

Result<Json> json_of(std::string_view text) {
  auto json =
      Json::parse(text, {.depth_max = kJsonDepthMax, .comments = true, .half = JsonParseOptions::Half::question_mark});
  if (!json.ok()) return json.status().annotate("parse Avro schema");
  return json;
}

}  // namespace

Result<SchemaPtr> parse_json(const Json& json, const ParseOptions& options) {
  return parse_json(json, options, nullptr);
}

Result<SchemaPtr> parse(std::string_view text, const ParseOptions& options) {
  return parse_json(MUIR_TRY(json_of(text)), options);
}

Result<JudgedSchema> parse_and_judge(std::string_view text, const ParseOptions& options) {
  JudgedSchema out;
  const Json json = MUIR_TRY(json_of(text));
  out.schema = MUIR_TRY(parse_json(json, options, &out.fault));
  return out;
}

int fuzz_avro_schema(BytesView input) {
  const auto schema = parse(input, {.strict = !input.empty() && input.front() != ' '});
  if (!schema.ok()) return 0;
  const std::string text = to_text(**schema);
  const auto again = parse(text, {.strict = false});
  CHECK(again.ok(), "text of a schema does not parse: {}: {}", text, again.status().message());
  CHECK(to_text(**again) == text, "text of a schema changes: {}", text);
  const std::string canonical = canonical_form(**schema);
  const auto from_canonical = parse(canonical, {.strict = false});
  CHECK(from_canonical.ok() && canonical_form(**from_canonical) == canonical, "canonical form changes: {}", canonical);
  if (const auto model = to_model(**schema); model.ok()) {
    const auto from_model_again = from_model(**model, {.strict = false});
    CHECK(from_model_again.ok(), "a model is no Avro schema: {}: {}", text, from_model_again.status().message());
    CHECK(to_text(**from_model_again) == text, "the model loses something of {}: {}", text,
          to_text(**from_model_again));
  }
  // May find something: by Java's rules a record whose aliases name its own other fields cannot be read with itself.
  (void)check_readable(**schema, **again);
  return 1;
}

}  // namespace muir::schema::avro
