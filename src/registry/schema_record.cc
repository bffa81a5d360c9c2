#include "registry/schema_record.h"

#include <algorithm>
#include <array>

namespace muir::registry {
namespace {

using schema::Json;

constexpr std::array<std::string_view, 6> kKindNames{"SCHEMA",         "CONFIG",        "MODE",
                                                     "DELETE_SUBJECT", "CLEAR_SUBJECT", "NOOP"};

// Of all subjects: no member, as the JVM registry has it since 7.0.
void set_subject(Json& json, const std::optional<std::string>& subject) {
  if (subject) json.set("subject", *subject);
}

// A 32-bit integer member, or nothing.
std::optional<int> int_member(const Json& json, std::string_view key) {
  const Json* member = json.find(key);
  const auto value = member == nullptr ? std::nullopt : member->as_int64();
  if (!value || *value < INT32_MIN || *value > INT32_MAX) return std::nullopt;
  return static_cast<int>(*value);
}
const std::string* text_member(const Json& json, std::string_view key) {
  const Json* member = json.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

// The value of a setting.
Result<Json> setting(BytesView bytes) {
  auto json = Json::parse(bytes);
  if (!json.ok()) return json.status();
  if (json->as_object() == nullptr) return error(Code::invalid_argument, "it is {}, not an object", json->excerpt());
  return json;
}

// What a member names, in capitals; spaces around it are as nothing. Nothing if it names nothing.
template <class Parse>
auto named(const Json* member, Parse parse) -> decltype(parse(std::string_view())) {
  const auto* text = member == nullptr ? nullptr : member->as_string();
  if (text == nullptr) return std::nullopt;
  std::string_view name = *text;
  while (name.starts_with(' ')) name.remove_prefix(1);
  while (name.ends_with(' ')) name.remove_suffix(1);
  const auto value = parse(name);
  return value && to_string(*value) == name ? value : std::nullopt;
}

}  // namespace

Bytes encode_key(const RecordKey& key) {
  Json json{{"keytype", kKindNames[static_cast<size_t>(key.kind)]}};
  switch (key.kind) {
    case RecordKind::schema:
      set_subject(json, key.subject);
      json.set("version", key.version);
      json.set("magic", 1);
      return json.to_string();
    case RecordKind::noop: break;
    default: set_subject(json, key.subject);
  }
  json.set("magic", 0);
  return json.to_string();
}

Result<RecordKey> decode_key(BytesView bytes) {
  const Json json = MUIR_TRY(Json::parse(bytes));
  const auto* keytype = text_member(json, "keytype");
  if (keytype == nullptr) return error(Code::invalid_argument, "key of _schemas: no keytype");
  RecordKey key;
  key.kind = RecordKind::other;
  key.keytype = *keytype;
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == *keytype) key.kind = static_cast<RecordKind>(i);
  }
  if (const auto* subject = text_member(json, "subject")) key.subject = *subject;
  if (key.kind == RecordKind::schema) {
    const auto version = int_member(json, "version");
    if (!key.subject || !version || *version < 1)
      return error(Code::invalid_argument, "key of _schemas: SCHEMA without subject and version");
    key.version = *version;
  }
  if ((key.kind == RecordKind::delete_subject || key.kind == RecordKind::clear_subject) && !key.subject) {
    return error(Code::invalid_argument, "key of _schemas: {} without subject", *keytype);
  }
  return key;
}

Json to_json(const std::vector<Reference>& references) {
  Json::Array items;
  for (const auto& reference : references) {
    items.push_back({{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
  }
  return items;
}

Result<std::vector<Reference>> references_from(const Json& json) {
  const auto* items = json.as_array();
  if (items == nullptr) return error(Code::invalid_argument, "references must be an array");
  std::vector<Reference> references;
  for (const auto& item : *items) {
    const auto* name = text_member(item, "name");
    const auto* subject = text_member(item, "subject");
    const auto version = int_member(item, "version");
    if (name == nullptr || subject == nullptr || !version)
      return error(Code::invalid_argument, "a reference needs name, subject and version");
    references.push_back({*name, *subject, *version});
  }
  return references;
}

Bytes encode_schema(const SchemaVersion& version) {
  Json json{{"subject", version.subject}, {"version", version.version}, {"id", version.id}};
  if (version.schema_type != "AVRO") json.set("schemaType", version.schema_type);
  if (!version.references.empty()) json.set("references", to_json(version.references));
  for (const auto& [key, value] : version.other) json.set(key, value);
  json.set("schema", version.schema);
  json.set("deleted", version.deleted);
  return json.to_string();
}

Result<SchemaVersion> decode_schema(BytesView bytes) {
  const Json json = MUIR_TRY(Json::parse(bytes));
  SchemaVersion out;
  const auto* subject = text_member(json, "subject");
  const auto version = int_member(json, "version");
  const auto id = int_member(json, "id");
  const auto* text = text_member(json, "schema");
  if (subject == nullptr || !version || !id || text == nullptr)
    return error(Code::invalid_argument, "value of _schemas: a schema needs subject, version, id and schema");
  out.subject = *subject;
  out.version = *version;
  out.id = *id;
  out.schema = *text;
  if (const auto* type = text_member(json, "schemaType")) out.schema_type = *type;
  if (const Json* references = json.find("references"); references != nullptr && !references->is_null())
    out.references = MUIR_TRY(references_from(*references));
  if (const Json* deleted = json.find("deleted"); deleted != nullptr && deleted->as_bool() != nullptr)
    out.deleted = *deleted->as_bool();
  for (const auto& member : *json.as_object()) {
    static constexpr std::string_view kKnown[]{"subject",    "version",    "id",     "schema",
                                               "schemaType", "references", "deleted"};
    if (std::find(std::begin(kKnown), std::end(kKnown), member.key) == std::end(kKnown)) out.other.push_back(member);
  }
  return out;
}

Bytes encode_config(const std::optional<std::string>& subject, Compatibility level,
                    const std::vector<schema::JsonMember>* before) {
  Json json{Json::Object()};
  set_subject(json, subject);
  json.set("compatibilityLevel", to_string(level));
  if (before != nullptr) {
    for (const auto& [key, value] : *before) {
      if (key != "subject" && json.find(key) == nullptr) json.set(key, value);
    }
  }
  return json.to_string();
}
Bytes encode_mode(const std::optional<std::string>& subject, Mode mode) {
  Json json{Json::Object()};
  set_subject(json, subject);
  json.set("mode", to_string(mode));
  return json.to_string();
}

Result<ConfigRecord> decode_config(BytesView bytes) {
  Json json = MUIR_TRY(setting(bytes));
  ConfigRecord config;
  if (const Json* level = json.find("compatibilityLevel"); level != nullptr && !level->is_null()) {
    config.level = named(level, compatibility_from);
    if (!config.level)
      return error(Code::invalid_argument, "compatibilityLevel is {}, which is no level of compatibility",
                   level->excerpt());
  }
  config.members = std::move(*json.as_object());
  return config;
}

Result<Mode> decode_mode(BytesView bytes) {
  const Json json = MUIR_TRY(setting(bytes));
  const Json* member = json.find("mode");
  const auto mode = named(member, mode_from);
  if (!mode) {
    return error(Code::invalid_argument, "mode is {}, which is no mode",
                 member == nullptr ? std::string("missing") : member->excerpt());
  }
  return *mode;
}

Bytes encode_delete_subject(const std::string& subject, int version) {
  return Json{{"subject", subject}, {"version", version}}.to_string();
}
Bytes encode_clear_subject(const std::string& subject) { return Json{{"subject", subject}}.to_string(); }

int fuzz_schema_record(BytesView input) {
  const auto key = decode_key(input);
  if (const auto config = decode_config(input); config.ok() && config->level) {
    const auto again = decode_config(encode_config(std::nullopt, *config->level, &config->members));
    CHECK(again.ok() && again->level == config->level, "a level of _schemas does not survive");
  }
  if (const auto mode = decode_mode(input); mode.ok()) {
    const auto again = decode_mode(encode_mode("s", *mode));
    CHECK(again.ok() && *again == *mode, "a mode of _schemas does not survive");
  }
  if (key.ok() && key->kind != RecordKind::other) {
    const auto again = decode_key(encode_key(*key));
    CHECK(again.ok() && again->kind == key->kind && again->version == key->version,
          "a key of _schemas does not survive");
  }
  const auto value = decode_schema(input);
  if (value.ok()) {
    const auto again = decode_schema(encode_schema(*value));
    CHECK(again.ok() && again->schema == value->schema && again->references == value->references,
          "a value of _schemas does not survive");
  }
  return key.ok() || value.ok() ? 1 : 0;
}

}  // namespace muir::registry
