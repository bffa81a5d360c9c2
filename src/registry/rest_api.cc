#include "registry/rest_api.h"

#include <algorithm>
#include <charconv>

#include "net/url.h"
#include "registry/registry_error.h"

namespace muir::registry {
namespace {

using schema::Json;

constexpr std::string_view kContentTypes[]{"application/vnd.schemaregistry.v1+json",
                                           "application/vnd.schemaregistry+json", "application/json"};

// ---- reading requests

bool flag(const RestRequest& request, std::string_view name) {
  const auto value = net::find_query_param(request.query, name);
  return value && (*value == "true" || *value == "True" || *value == "TRUE");
}

int number(const RestRequest& request, std::string_view name, int otherwise) {
  const auto value = net::find_query_param(request.query, name);
  int out = otherwise;
  if (value) std::from_chars(value->data(), value->data() + value->size(), out);
  return out;
}

// The part of a list that offset and limit ask for; a negative limit is none.
template <class T>
std::vector<T> page(const RestRequest& request, std::vector<T> items) {
  const auto offset = static_cast<size_t>(std::max(0, number(request, "offset", 0)));
  items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(offset, items.size())));
  const int limit = number(request, "limit", -1);
  if (limit >= 0 && static_cast<size_t>(limit) < items.size()) items.resize(static_cast<size_t>(limit));
  return items;
}

// ":*:" stands for every context, of which there is one.
std::string subject_prefix(const RestRequest& request) {
  std::string prefix = net::find_query_param(request.query, "subjectPrefix").value_or("");
  if (prefix.starts_with(":*:")) prefix.erase(0, 3);
  return prefix;
}

Result<Json> body_of(const RestRequest& request) {
  auto json = Json::parse(request.body);
  if (!json.ok()) return Status(Code::invalid_argument, json.status().message(), 400);
  if (json->as_object() == nullptr) return Status(Code::invalid_argument, "the body must be a JSON object", 400);
  return json;
}

Result<std::optional<int>> int_member(const Json& body, std::string_view name) {
  const Json* member = body.find(name);
  if (member == nullptr || member->is_null()) return std::optional<int>();
  const auto value = member->as_int64();
  if (!value || *value < INT32_MIN || *value > INT32_MAX)
    return Status(Code::invalid_argument, fmt::format("{} must be an integer", name), 400);
  return std::optional(static_cast<int>(*value));
}

Result<SchemaRequest> schema_of(const RestRequest& request) {
  const Json body = MUIR_TRY(body_of(request));
  if (flag(request, "normalize")) {
    return registry_error(
        ErrorCode::invalid_schema,
        "Invalid schema: this registry compares schemas as they are; register without normalize=true");
  }
  for (const std::string_view name : {"metadata", "ruleSet"}) {
    if (const Json* member = body.find(name); member != nullptr && !member->is_null()) {
      return registry_error(ErrorCode::invalid_rule_set, "Invalid {}: this registry does not hold data contracts",
                            name);
    }
  }
  SchemaRequest out;
  if (const Json* text = body.find("schema"); text != nullptr && text->as_string() != nullptr)
    out.schema = *text->as_string();
  if (const Json* type = body.find("schemaType"); type != nullptr && type->as_string() != nullptr)
    out.schema_type = *type->as_string();
  if (const Json* references = body.find("references"); references != nullptr && !references->is_null()) {
    auto parsed = references_from(*references);
    if (!parsed.ok()) return registry_error(ErrorCode::invalid_schema, "Invalid schema: {}", parsed.status().message());
    out.references = std::move(*parsed);
  }
  out.id = MUIR_TRY(int_member(body, "id"));
  if (out.id && *out.id < 0) out.id.reset();  // how clients say that they have none
  out.version = MUIR_TRY(int_member(body, "version"));
  return out;
}

Result<int> id_of(const RestRequest& request) {
  int id = 0;
  const auto& text = request.params[0];
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (ec != std::errc() || end != text.data() + text.size()) return Status(Code::not_found, "HTTP 404 Not Found", 404);
  return id;
}

// ---- writing responses

template <class T>
Json list(const std::vector<T>& items) {
  return Json::Array(items.begin(), items.end());
}

// The type is left out for Avro, as by every registry before 8.0: older clients refuse it.
void add_schema(Json& json, const SchemaVersion& version) {
  if (version.schema_type != "AVRO") json.set("schemaType", version.schema_type);
  if (!version.references.empty()) json.set("references", to_json(version.references));
  json.set("schema", version.schema);
}

Json version_json(const SchemaVersion& version) {
  Json json{{"subject", version.subject}, {"version", version.version}, {"id", version.id}};
  add_schema(json, version);
  return json;
}

Result<VersionSpec> spec_of(const RestRequest& request) { return VersionSpec::parse(request.params[1]); }

// ---- operations

using Body = Result<std::string>;
using Service = RegistryService;

Body get_subjects(Service& service, const RestRequest& request) {
  const auto prefix = subject_prefix(request);
  return list(page(request, service.subjects(prefix, flag(request, "deleted"), flag(request, "deletedOnly"))))
      .to_string();
}

Body get_versions(Service& service, const RestRequest& request) {
  const bool negative = flag(request, "deletedAsNegative");
  const bool only_deleted = flag(request, "deletedOnly");
  const auto& subject = request.params[0];
  auto numbers = MUIR_TRY(service.versions(subject, negative || flag(request, "deleted"), only_deleted));
  if (negative) {
    const auto live = service.versions(subject, false, false).value_or(std::vector<int>());
    for (int& version : numbers) {
      if (std::find(live.begin(), live.end(), version) == live.end()) version = -version;
    }
  }
  return list(page(request, std::move(numbers))).to_string();
}

Body get_version(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(spec_of(request));
  const auto version = MUIR_TRY(service.version(request.params[0], spec, flag(request, "deleted")));
  return version_json(version).to_string();
}

Body get_version_schema(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(spec_of(request));
  return MUIR_TRY(service.version(request.params[0], spec, flag(request, "deleted"))).schema;
}

Body get_referenced_by(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(spec_of(request));
  auto ids = MUIR_TRY(service.referenced_by(request.params[0], spec, flag(request, "deleted")));
  return list(page(request, std::move(ids))).to_string();
}

Body post_version(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(schema_of(request));
  const int id = MUIR_TRY(service.register_schema(request.params[0], schema));
  return Json{{"id", id}}.to_string();
}

Body post_subject(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(schema_of(request));
  return version_json(MUIR_TRY(service.look_up(request.params[0], schema, flag(request, "deleted")))).to_string();
}

Body delete_subject(Service& service, const RestRequest& request) {
  return list(MUIR_TRY(service.delete_subject(request.params[0], flag(request, "permanent")))).to_string();
}

Body delete_version(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(spec_of(request));
  return std::to_string(MUIR_TRY(service.delete_version(request.params[0], spec, flag(request, "permanent"))));
}

Body get_id(Service& service, const RestRequest& request) {
  const int id = MUIR_TRY(id_of(request));
  const auto version = MUIR_TRY(service.by_id(id));
  Json json{Json::Object()};
  if (const auto subject = net::find_query_param(request.query, "subject"); subject && !subject->empty()) {
    const auto versions = MUIR_TRY(service.versions_of_id(version.id, true));
    for (const auto& place : versions) {
      if (place.subject != *subject) continue;
      json.set("subject", place.subject);
      json.set("version", place.version);
    }
  }
  add_schema(json, version);
  if (flag(request, "fetchMaxId")) json.set("maxId", service.id_max());
  return json.to_string();
}

Body get_id_schema(Service& service, const RestRequest& request) {
  const int id = MUIR_TRY(id_of(request));
  return MUIR_TRY(service.by_id(id)).schema;
}

Body get_id_places(Service& service, const RestRequest& request, bool with_versions) {
  const int id = MUIR_TRY(id_of(request));
  const auto versions = MUIR_TRY(service.versions_of_id(id, flag(request, "deleted")));
  const auto subject = net::find_query_param(request.query, "subject").value_or("");
  Json::Array items;
  for (const auto& place : versions) {
    if (!subject.empty() && place.subject != subject) continue;
    Json item = with_versions ? Json{{"subject", place.subject}, {"version", place.version}} : Json(place.subject);
    if (items.empty() || !(items.back() == item)) items.push_back(std::move(item));
  }
  return Json(page(request, std::move(items))).to_string();
}
Body get_id_subjects(Service& service, const RestRequest& request) { return get_id_places(service, request, false); }
Body get_id_versions(Service& service, const RestRequest& request) { return get_id_places(service, request, true); }

Body get_schemas(Service& service, const RestRequest& request) {
  const auto prefix = subject_prefix(request);
  Json::Array items;
  for (const auto& version : service.schemas(prefix, flag(request, "deleted"), flag(request, "latestOnly")))
    items.push_back(version_json(version));
  return Json(page(request, std::move(items))).to_string();
}

Body post_compatibility(Service& service, const RestRequest& request) {
  std::optional<VersionSpec> spec;
  if (request.params.size() > 1) spec = MUIR_TRY(spec_of(request));
  const bool verbose = flag(request, "verbose");
  const auto schema = MUIR_TRY(schema_of(request));
  auto messages = service.test_compatibility(request.params[0], schema, spec);
  if (!messages.ok()) {
    // Asked to explain, a schema that does not parse is an explanation, not an error.
    if (!verbose || messages.status().detail() != static_cast<int>(ErrorCode::invalid_schema)) return messages.status();
    messages = std::vector<std::string>{messages.status().message()};
  }
  Json json{{"is_compatible", messages->empty()}};
  if (verbose) json.set("messages", list(*messages));
  return json.to_string();
}

std::optional<std::string> subject_param(const RestRequest& request) {
  return request.params.empty() ? std::nullopt : std::optional(request.params[0]);
}

// PUT says "compatibility", GET says "compatibilityLevel": so it has always been.
Json level_json(std::string_view key, Compatibility level) { return {{std::string(key), to_string(level)}}; }

Body get_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel",
                    MUIR_TRY(service.config(subject_param(request), flag(request, "defaultToGlobal"))))
      .to_string();
}
Body put_config(Service& service, const RestRequest& request) {
  const Json body = MUIR_TRY(body_of(request));
  const Json* member = body.find("compatibility");
  const auto level =
      member == nullptr || member->as_string() == nullptr ? std::nullopt : compatibility_from(*member->as_string());
  if (!level) {
    return registry_error(ErrorCode::invalid_compatibility,
                          "Invalid compatibility level. Valid values are none, backward, forward, full, "
                          "backward_transitive, forward_transitive, and full_transitive");
  }
  for (const auto& [name, value] : *body.as_object()) {
    const bool off = value.is_null() || (value.as_bool() != nullptr && !*value.as_bool());
    if (name != "compatibility" && !off)
      return registry_error(ErrorCode::invalid_compatibility, "This registry has no setting {}", name);
  }
  MUIR_RETURN_IF_ERROR(service.set_config(subject_param(request), *level));
  return level_json("compatibility", *level).to_string();
}
Body delete_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel", MUIR_TRY(service.delete_config(subject_param(request)))).to_string();
}

Json mode_json(Mode mode) { return {{"mode", to_string(mode)}}; }

Body get_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.mode(subject_param(request), flag(request, "defaultToGlobal")))).to_string();
}
Body put_mode(Service& service, const RestRequest& request) {
  const Json body = MUIR_TRY(body_of(request));
  const Json* member = body.find("mode");
  const auto mode =
      member == nullptr || member->as_string() == nullptr ? std::nullopt : mode_from(*member->as_string());
  if (!mode)
    return registry_error(ErrorCode::invalid_mode,
                          "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT");
  MUIR_RETURN_IF_ERROR(service.set_mode(subject_param(request), *mode, flag(request, "force")));
  return mode_json(*mode).to_string();
}
Body delete_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.delete_mode(subject_param(request)))).to_string();
}

Body get_root(Service&, const RestRequest&) { return std::string("{}"); }
Body get_types(Service&, const RestRequest&) { return std::string(R"(["AVRO"])"); }
Body get_contexts(Service&, const RestRequest&) { return std::string(R"(["."])"); }

}  // namespace

const std::vector<RestRoute>& rest_routes() {
  static const std::vector<RestRoute> kRoutes{
      {"GET", "/", false, get_root},
      {"POST", "/", false, get_root},
      {"GET", "/subjects", false, get_subjects},
      {"POST", "/subjects/{subject}", false, post_subject},
      {"DELETE", "/subjects/{subject}", true, delete_subject},
      {"GET", "/subjects/{subject}/versions", false, get_versions},
      {"POST", "/subjects/{subject}/versions", true, post_version},
      {"GET", "/subjects/{subject}/versions/{version}", false, get_version},
      {"DELETE", "/subjects/{subject}/versions/{version}", true, delete_version},
      {"GET", "/subjects/{subject}/versions/{version}/schema", false, get_version_schema},
      {"GET", "/subjects/{subject}/versions/{version}/referencedby", false, get_referenced_by},
      {"GET", "/schemas", false, get_schemas},
      {"GET", "/schemas/types", false, get_types},
      {"GET", "/schemas/ids/{id}", false, get_id},
      {"GET", "/schemas/ids/{id}/schema", false, get_id_schema},
      {"GET", "/schemas/ids/{id}/subjects", false, get_id_subjects},
      {"GET", "/schemas/ids/{id}/versions", false, get_id_versions},
      {"POST", "/compatibility/subjects/{subject}/versions", false, post_compatibility},
      {"POST", "/compatibility/subjects/{subject}/versions/{version}", false, post_compatibility},
      {"GET", "/config", false, get_config},
      {"PUT", "/config", true, put_config},
      {"DELETE", "/config", true, delete_config},
      {"GET", "/config/{subject}", false, get_config},
      {"PUT", "/config/{subject}", true, put_config},
      {"DELETE", "/config/{subject}", true, delete_config},
      {"GET", "/mode", false, get_mode},
      {"PUT", "/mode", true, put_mode},
      {"DELETE", "/mode", true, delete_mode},
      {"GET", "/mode/{subject}", false, get_mode},
      {"PUT", "/mode/{subject}", true, put_mode},
      {"DELETE", "/mode/{subject}", true, delete_mode},
      {"GET", "/contexts", false, get_contexts},
  };
  return kRoutes;
}

namespace {

// "text/html;q=0.9" -> "text/html", in lower case.
std::string media_type(std::string_view text) {
  std::string out(text.substr(0, text.find(';')));
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t'; });
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool is_ours(std::string_view type) {
  return std::find(std::begin(kContentTypes), std::end(kContentTypes), type) != std::end(kContentTypes);
}

// The type of the answer: the first that the client names in our order of preference, the newest when it does not care,
// and nothing when it wants none of ours.
std::optional<std::string_view> accepted_type(std::string_view accept) {
  if (accept.empty()) return kContentTypes[0];
  std::vector<std::string> named;
  while (true) {
    const size_t comma = accept.find(',');
    named.push_back(media_type(accept.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    accept.remove_prefix(comma + 1);
  }
  const auto names = [&](std::string_view type) { return std::find(named.begin(), named.end(), type) != named.end(); };
  for (const auto type : kContentTypes) {
    if (names(type)) return type;
  }
  return names("*/*") || names("application/*") ? std::optional(kContentTypes[0]) : std::nullopt;
}

}  // namespace

RestResponse plain_error(int status, std::string_view message, std::string_view accept) {
  RestResponse response;
  response.status = status >= 1000 ? status / 100 : status;
  response.body = Json{{"error_code", status}, {"message", message}}.to_string();
  response.content_type = accepted_type(accept).value_or(kContentTypes[0]);
  return response;
}

RestResponse call(const RestRoute& route, RegistryService& service, const RestRequest& request) {
  const std::string type = media_type(request.content_type);
  const bool known_type = type.empty() || type == "application/octet-stream" || is_ours(type);
  if (!known_type && !request.body.empty()) return plain_error(415, "HTTP 415 Unsupported Media Type", request.accept);
  if (!accepted_type(request.accept)) return plain_error(406, "HTTP 406 Not Acceptable", request.accept);
  auto body = route.run(service, request);
  if (!body.ok()) {
    const int detail = body.status().detail();
    return plain_error(detail != 0 ? detail : 500, body.status().message(), request.accept);
  }
  RestResponse response = plain_error(200, "", request.accept);
  response.body = std::move(*body);
  return response;
}

}  // namespace muir::registry
