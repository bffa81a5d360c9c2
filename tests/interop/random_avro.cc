#include "random_avro.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/bytes.h"

namespace muir::interop {
namespace {

using schema::Json;
using schema::avro::Type;
using schema::avro::Value;

constexpr int kDepthMax = 4;
constexpr std::string_view kPrimitives[]{"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
constexpr std::string_view kNames[]{"A", "B", "C", "D", "größe"};
constexpr std::string_view kSpaces[]{"x", "x.日本"};
constexpr std::string_view kFieldNames[]{"a", "b", "ç", "d", "名", "f"};
constexpr std::string_view kSymbols[]{"P", "Q", "Ж", "S", "T"};

std::string text_of(std::string_view text) { return std::string(text); }

Json& member(Json& json, std::string_view key) {
  auto& members = *json.as_object();
  return std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.key == key; })->value;
}

void remove(Json& json, std::string_view key) {
  std::erase_if(*json.as_object(), [&](const auto& m) { return m.key == key; });
}

}  // namespace

// A type without a namespace inside one that has one cannot be told apart by its bare name, on which Avro's releases do
// not agree: a schema has namespaces throughout, or none.
std::string RandomAvro::space() { return with_spaces_ ? text_of(one_of(kSpaces)) : ""; }

Json RandomAvro::schema() {
  defined_.clear();
  with_spaces_ = once_in(2);
  return once_in(4) ? type(0) : named(0);
}

Json RandomAvro::type(int depth) {
  if (depth >= kDepthMax) return primitive();
  switch (below(10)) {
    case 0: return Json{{"type", "array"}, {"items", type(depth + 1)}};
    case 1: return Json{{"type", "map"}, {"values", type(depth + 1)}};
    case 2:
    case 3: return union_of(depth);
    case 4:
    case 5: return named(depth);
    case 6:
      if (!defined_.empty()) return defined_[below(defined_.size())];
      return primitive();
    default: return primitive();
  }
}

Json RandomAvro::primitive() {
  if (once_in(6)) {
    static const std::pair<std::string_view, std::string_view> kLogical[]{{"int", "date"},
                                                                          {"long", "timestamp-millis"},
                                                                          {"long", "time-micros"},
                                                                          {"string", "uuid"},
                                                                          {"int", "time-millis"},
                                                                          {"bytes", "decimal"},
                                                                          {"string", "unheard-of"},
                                                                          {"int", "uuid"},
                                                                          {"long", "local-timestamp-nanos"}};
    const auto& [type, logical] = one_of(kLogical);
    Json json{{"type", type}, {"logicalType", logical}};
    if (logical == "decimal") {
      json.set("precision", static_cast<int>(below(5)));
      json.set("scale", static_cast<int>(below(6)));
    }
    return json;
  }
  const auto name = one_of(kPrimitives);
  if (once_in(8)) {
    Json json{{"type", name}};
    if (once_in(2)) json.set("avro.java.string", "String");
    return json;
  }
  return name;
}

void RandomAvro::add_attributes(Json& json) {
  if (once_in(6)) json.set("doc", once_in(2) ? "says \"what\"" : "\xC3\xA9\xE2\x82\xAC");
  if (once_in(8)) {
    static const std::string_view kValues[]{
        "1",  "1.0", "[1,{\"b\":null}]", "\"text\"", "true", "1234567890123", "null", "0.1", "-0.0", "1e3",
        "{}", "1.50"};
    json.set(once_in(2) ? "prop" : "another", *Json::parse(one_of(kValues)));
  }
}

Json RandomAvro::named(int depth) {
  const auto name = text_of(one_of(kNames));
  const auto space = this->space();
  const bool dotted = once_in(3) && !space.empty();
  const auto full = space.empty() ? name : space + "." + name;
  static const std::string_view kTypes[]{"record", "record", "record", "enum", "fixed"};
  const auto kind = one_of(kTypes);
  Json json{{"type", kind}, {"name", dotted ? full : name}};
  if (!dotted && (!space.empty() || once_in(3))) json.set("namespace", space);
  add_attributes(json);
  if (once_in(4)) {
    static const std::string_view kAliases[]{"Old", "x.Old", "Older", "x.日本.Älter", "1", "x.", ".Old"};
    Json::Array aliases{one_of(kAliases)};
    if (once_in(3)) aliases.emplace_back(one_of(kAliases));
    json.set("aliases", std::move(aliases));
  }
  defined_.push_back(full);
  if (kind == "record") return record(std::move(json), depth);
  if (kind == "fixed") {
    json.set("size", static_cast<int>(below(5) + (once_in(4) ? 12 : 0)));
    if (once_in(6)) json.set("logicalType", once_in(2) ? "duration" : "uuid");
    return json;
  }
  Json::Array symbols;
  const size_t first = below(3);
  const size_t count = 1 + below(3);
  for (size_t i = 0; i < count; ++i) symbols.emplace_back(kSymbols[first + i]);
  if (once_in(3)) json.set("default", symbols[below(count)]);
  json.set("symbols", std::move(symbols));
  return json;
}

Json RandomAvro::record(Json json, int depth) {
  Json::Array fields;
  std::vector<std::string> names(std::begin(kFieldNames), std::end(kFieldNames));
  std::shuffle(names.begin(), names.end(), random_);
  for (size_t count = below(5); count > 0 && !names.empty(); --count) {
    const std::string name = names.back();
    names.pop_back();
    fields.push_back(field(name, names, depth + 1));
  }
  json.set("fields", std::move(fields));
  return json;
}

Json RandomAvro::field(const std::string& name, std::vector<std::string>& unused, int depth) {
  Json json{{"name", name}};
  json.set("type", type(depth));
  add_attributes(json);
  if (once_in(3)) json.set("default", default_of(*json.find("type")));
  if (once_in(8)) json.set("order", once_in(2) ? "descending" : once_in(2) ? "ignore" : "ascending");
  if (once_in(8) && !unused.empty()) {
    json.set("aliases", Json::Array{unused.back()});
    unused.pop_back();
  }
  return json;
}

Json RandomAvro::union_of(int depth) {
  Json::Array branches;
  const size_t count = 1 + below(3);
  if (once_in(2)) branches.emplace_back("null");
  for (size_t i = 0; i < count; ++i) branches.push_back(type(depth + 1));
  return branches;
}

// Usually fits the type; a name of a type gets anything.
Json RandomAvro::default_of(const Json& type) {
  static const std::string_view kAny[]{"0", "\"\"", "null", "{}", "[]", "true", "1.5"};
  if (const auto* branches = type.as_array()) {
    if (branches->empty()) return Json();
    Json value = default_of((*branches)[once_in(3) ? below(branches->size()) : 0]);
    // Java puts any number into the first branch that is one, and cuts it off to fit.
    return value.is_number() ? Json(5) : value;
  }
  const Json* inner = type.as_object() != nullptr ? type.find("type") : nullptr;
  const std::string* name = inner != nullptr ? inner->as_string() : type.as_string();
  if (name == nullptr || once_in(20)) return *Json::parse(one_of(kAny));
  static const std::string_view kIntegers[]{"0", "-1", "2147483647", "2147483648", "9223372036854775807", "1.0"};
  static const std::string_view kNumbers[]{
      "0",       "1.5",      "-0.0",      "1e20",    "\"NaN\"",      "3.4028236e39", "100000000.0",   "1e3",
      "1e-5",    "0.000123", "1.500000",  "12",      "\"Infinity\"", "\"0x1.8p1\"",  "\" +1.5e2d \"", "\"-.5\"",
      "\"1_0\"", "\"-0\"",   "\"1e400\"", "\"+NaN\""};
  if (*name == "null") return Json();
  if (*name == "boolean") return once_in(2);
  if (*name == "int" || *name == "long") return *Json::parse(one_of(kIntegers));
  if (*name == "float" || *name == "double") return *Json::parse(one_of(kNumbers));
  if (*name == "string" || *name == "bytes") return once_in(2) ? "a\xC3\xBF" : "";
  if (*name == "array") return once_in(2) ? Json(Json::Array{}) : Json(Json::Array{default_of(*type.find("items"))});
  if (*name == "map") return once_in(2) ? Json(Json::Object{}) : Json{{"k", default_of(*type.find("values"))}};
  if (*name == "enum") return (*type.find("symbols")->as_array())[0];
  if (*name == "fixed") return std::string(static_cast<size_t>(*type.find("size")->as_int64()), 'z');
  if (*name == "record") {
    Json json{Json::Object()};
    for (const auto& field : *type.find("fields")->as_array()) {
      if (field.find("default") == nullptr || once_in(2))
        json.set(*field.find("name")->as_string(), default_of(*field.find("type")));
    }
    return json;
  }
  return *Json::parse(one_of(kAny));
}

// ---- changes

Json RandomAvro::changed(const Json& json, bool with_alias) {
  with_alias_ = with_alias;
  defined_.clear();
  Json out = json;
  for (size_t n = 1 + below(3); n > 0; --n) out = change(std::move(out), 0);
  return out;
}

Json RandomAvro::change(Json json, int depth) {
  if (once_in(12)) return once_in(2) ? Json(Json::Array{"null", std::move(json)}) : type(kDepthMax - 1);
  if (auto* branches = json.as_array()) {
    if (branches->empty()) return json;
    const size_t at = below(branches->size());
    switch (below(4)) {
      case 0: branches->erase(branches->begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 1: branches->push_back(primitive()); break;
      case 2: return (*branches)[at];
      default: (*branches)[at] = change((*branches)[at], depth + 1);
    }
    return json;
  }
  if (json.as_object() != nullptr) return change_object(std::move(json), depth);
  if (json.as_string() == nullptr) return json;
  static const std::pair<std::string_view, std::string_view> kWider[]{
      {"int", "long"},     {"int", "float"},    {"long", "double"}, {"long", "float"}, {"float", "double"},
      {"string", "bytes"}, {"bytes", "string"}, {"int", "double"},  {"long", "int"}};
  for (const auto& [from, to] : kWider) {
    if (*json.as_string() == from && once_in(3)) return to;
  }
  return json;
}

Json RandomAvro::change_object(Json json, int depth) {
  const Json* kind = json.find("type");
  if (kind == nullptr) return json;
  if (kind->as_string() == nullptr) {
    member(json, "type") = change(member(json, "type"), depth + 1);
    return json;
  }
  const std::string type = *kind->as_string();
  if (type == "array" || type == "map") {
    auto& inner = member(json, type == "array" ? "items" : "values");
    inner = change(inner, depth + 1);
    return json;
  }
  if (json.find("name") == nullptr) {
    if (schema::avro::primitive_from(type)) member(json, "type") = change(type, depth + 1);
    return json;
  }
  change_name(json);
  if (type == "fixed" && once_in(4)) member(json, "size") = static_cast<int>(below(5));
  if (type == "enum") {
    auto& symbols = *member(json, "symbols").as_array();
    if (once_in(3)) symbols.emplace_back(one_of(kSymbols));
    if (once_in(3) && symbols.size() > 1) symbols.erase(symbols.begin());
    if (once_in(3)) json.set("default", symbols[below(symbols.size())]);
  }
  return type == "record" ? change_fields(std::move(json), depth) : json;
}

void RandomAvro::change_name(Json& json) {
  if (!once_in(8)) return;
  const std::string old = *json.find("name")->as_string();
  const Json* space = json.find("namespace");
  const bool bare = old.find('.') == std::string::npos;
  const std::string full =
      bare && space != nullptr && !space->as_string()->empty() ? *space->as_string() + "." + old : old;
  if (with_alias_ && (json.find("aliases") != nullptr || (bare && space == nullptr && with_spaces_))) return;
  if (with_alias_ || once_in(2)) json.set("aliases", Json::Array{full});
  member(json, "name") = one_of(kNames);
  if (once_in(2) && with_spaces_) json.set("namespace", this->space());
}

// Names that no field has, neither as its own nor as an alias.
std::vector<std::string> RandomAvro::unused_names(const Json::Array& fields) {
  std::vector<std::string> unused;
  for (const auto name : kFieldNames) {
    const bool used = std::any_of(fields.begin(), fields.end(), [&](const Json& field) {
      const Json* aliases = field.find("aliases");
      return *field.find("name") == Json(name) || (aliases != nullptr && (*aliases->as_array())[0] == Json(name));
    });
    if (!used) unused.emplace_back(name);
  }
  std::shuffle(unused.begin(), unused.end(), random_);
  return unused;
}

Json RandomAvro::change_fields(Json json, int depth) {
  auto& fields = *member(json, "fields").as_array();
  auto unused = unused_names(fields);
  switch (below(6)) {
    case 0:
      if (!fields.empty()) fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(below(fields.size())));
      break;
    case 1:
      if (!unused.empty()) {
        const std::string name = unused.back();
        unused.pop_back();
        fields.push_back(field(name, unused, kDepthMax - 1));
      }
      break;
    case 2: std::shuffle(fields.begin(), fields.end(), random_); break;
    case 3:
      if (!fields.empty() && !unused.empty()) {  // another name, with the old one as alias or without
        Json& field = fields[below(fields.size())];
        const Json old = *field.find("name");
        field.set("name", unused.back());
        if (!once_in(4)) field.set("aliases", Json::Array{old});
      }
      break;
    case 4:
      if (!fields.empty()) {
        Json& field = fields[below(fields.size())];
        remove(field, "default");
        if (once_in(2)) field.set("default", default_of(*field.find("type")));
      }
      break;
    default:
      if (!fields.empty()) {
        Json& type = member(fields[below(fields.size())], "type");
        type = change(type, depth + 1);
      }
  }
  return json;
}

// ---- data

std::optional<Value> RandomAvro::value(const schema::avro::Schema& schema) {
  parts_left_ = 2000;
  Value value = part(schema, 0);
  if (parts_left_ < 0) return std::nullopt;
  return value;
}

Value RandomAvro::part(const schema::avro::Schema& schema, int depth) {
  if (--parts_left_ < 0) return {};
  switch (schema.type) {
    case Type::null: return {};
    case Type::boolean: return once_in(2);
    case Type::int32: return static_cast<int32_t>(once_in(2) ? random_() : below(200));
    case Type::int64: return static_cast<int64_t>(once_in(2) ? random_() * 4294967311ULL : below(200)) - 100;
    case Type::float32: return once_in(2) ? std::bit_cast<float>(static_cast<uint32_t>(random_()) & 0xFF7FFFFFU) : 1.5F;
    case Type::float64: return once_in(2) ? static_cast<double>(random_()) * 1e-3 : -0.0;
    case Type::bytes: return Value::Blob{std::string(below(4), static_cast<char>('a' + below(20)))};
    case Type::string: return std::string(once_in(2) ? "\xC3\xA9" : "abc");
    case Type::fixed: return Value::Blob{std::string(static_cast<size_t>(schema.size), 'f')};
    case Type::enumeration: return Value::Symbol{static_cast<int32_t>(below(schema.symbols.size()))};
    case Type::record: {
      Value::Record record;
      for (const auto& field : schema.fields) record.fields.push_back(part(*field.schema, depth + 1));
      return record;
    }
    case Type::array: {
      Value::Array array;
      for (size_t n = depth > 8 ? 0 : below(3); n > 0; --n) array.items.push_back(part(*schema.element, depth + 1));
      return array;
    }
    case Type::map: {
      Value::Map map;
      for (size_t n = depth > 8 ? 0 : below(3); n > 0; --n)
        map.entries.emplace_back(std::string(n, 'k'), part(*schema.element, depth + 1));
      return map;
    }
    case Type::union_of: {
      // So that recursive types end: the first branch is null more often than not.
      const size_t branch = depth > 8 ? 0 : below(schema.branches.size());
      return Value::in_branch(static_cast<int32_t>(branch), part(*schema.branches[branch], depth + 1));
    }
  }
  return {};
}

}  // namespace muir::interop
