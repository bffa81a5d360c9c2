#include "registry/rest_api.h"

#include <algorithm>

#include "registry/media_type.h"
#include "registry/registry_error.h"

namespace muir::registry {
namespace {

using schema::Json;

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

// ---- operations

using Body = Result<std::string>;
using Service = RegistryService;

Body get_subjects(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  auto subjects = service.subjects(request.subject_prefix(), request.flag("deleted"), request.flag("deletedOnly"));
  return list(page.part_of(std::move(subjects))).to_string();
}

Body get_versions(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  const bool negative = request.flag("deletedAsNegative");
  const bool only_deleted = request.flag("deletedOnly");
  const auto& subject = request.params[0];
  auto numbers = MUIR_TRY(service.versions(subject, negative || request.flag("deleted"), only_deleted));
  if (negative) {
    const auto live = service.versions(subject, false, false).value_or(std::vector<int>());
    for (int& version : numbers) {
      if (std::find(live.begin(), live.end(), version) == live.end()) version = -version;
    }
  }
  return list(page.part_of(std::move(numbers))).to_string();
}

Body get_version(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(request.version());
  const auto version = MUIR_TRY(service.version(request.params[0], spec, request.flag("deleted")));
  return version_json(version).to_string();
}

Body get_version_schema(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(request.version());
  return MUIR_TRY(service.version(request.params[0], spec, request.flag("deleted"))).schema;
}

Body get_referenced_by(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  const auto spec = MUIR_TRY(request.version());
  auto ids = MUIR_TRY(service.referenced_by(request.params[0], spec, request.flag("deleted")));
  return list(page.part_of(std::move(ids))).to_string();
}

Body post_version(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(request.schema());
  const int id = MUIR_TRY(service.register_schema(request.params[0], schema));
  return Json{{"id", id}}.to_string();
}

Body post_subject(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(request.schema());
  return version_json(MUIR_TRY(service.look_up(request.params[0], schema, request.flag("deleted")))).to_string();
}

Body delete_subject(Service& service, const RestRequest& request) {
  return list(MUIR_TRY(service.delete_subject(request.params[0], request.flag("permanent")))).to_string();
}

Body delete_version(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(request.version());
  return std::to_string(MUIR_TRY(service.delete_version(request.params[0], spec, request.flag("permanent"))));
}

Body get_id(Service& service, const RestRequest& request) {
  const int id = MUIR_TRY(request.id());
  const auto version = MUIR_TRY(service.by_id(id));
  Json json{Json::Object()};
  if (const auto subject = request.text("subject"); !subject.empty()) {
    const auto versions = MUIR_TRY(service.versions_of_id(version.id, true));
    for (const auto& place : versions) {
      if (place.subject != subject) continue;
      json.set("subject", place.subject);
      json.set("version", place.version);
    }
  }
  add_schema(json, version);
  if (request.flag("fetchMaxId")) json.set("maxId", service.id_max());
  return json.to_string();
}

Body get_id_schema(Service& service, const RestRequest& request) {
  const int id = MUIR_TRY(request.id());
  return MUIR_TRY(service.by_id(id)).schema;
}

Body get_id_places(Service& service, const RestRequest& request, bool with_versions) {
  const Page page = MUIR_TRY(Page::of(request));
  const int id = MUIR_TRY(request.id());
  const auto versions = MUIR_TRY(service.versions_of_id(id, request.flag("deleted")));
  const auto subject = request.text("subject");
  Json::Array items;
  for (const auto& place : versions) {
    if (!subject.empty() && place.subject != subject) continue;
    Json item = with_versions ? Json{{"subject", place.subject}, {"version", place.version}} : Json(place.subject);
    if (items.empty() || !(items.back() == item)) items.push_back(std::move(item));
  }
  return Json(page.part_of(std::move(items))).to_string();
}
Body get_id_subjects(Service& service, const RestRequest& request) { return get_id_places(service, request, false); }
Body get_id_versions(Service& service, const RestRequest& request) { return get_id_places(service, request, true); }

Body get_schemas(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  Json::Array items;
  for (const auto& version :
       service.schemas(request.subject_prefix(), request.flag("deleted"), request.flag("latestOnly")))
    items.push_back(version_json(version));
  return Json(page.part_of(std::move(items))).to_string();
}

Body post_compatibility(Service& service, const RestRequest& request) {
  std::optional<VersionSpec> spec;
  if (request.params.size() > 1) spec = MUIR_TRY(request.version());
  const bool verbose = request.flag("verbose");
  const auto schema = MUIR_TRY(request.schema());
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

// PUT says "compatibility", GET says "compatibilityLevel": so it has always been.
Json level_json(std::string_view key, Compatibility level) { return {{std::string(key), to_string(level)}}; }

Body get_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel", MUIR_TRY(service.config(request.subject(), request.flag("defaultToGlobal"))))
      .to_string();
}
Body put_config(Service& service, const RestRequest& request) {
  const Json body = MUIR_TRY(request.object());
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
  MUIR_RETURN_IF_ERROR(service.set_config(request.subject(), *level));
  return level_json("compatibility", *level).to_string();
}
Body delete_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel", MUIR_TRY(service.delete_config(request.subject()))).to_string();
}

Json mode_json(Mode mode) { return {{"mode", to_string(mode)}}; }

Body get_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.mode(request.subject(), request.flag("defaultToGlobal")))).to_string();
}
Body put_mode(Service& service, const RestRequest& request) {
  const Json body = MUIR_TRY(request.object());
  const Json* member = body.find("mode");
  const auto mode =
      member == nullptr || member->as_string() == nullptr ? std::nullopt : mode_from(*member->as_string());
  if (!mode)
    return registry_error(ErrorCode::invalid_mode,
                          "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE and IMPORT");
  if (*mode == Mode::forward) {
    return registry_error(ErrorCode::invalid_mode,
                          "Forward mode only supported on global level, of all contexts; this registry has one");
  }
  MUIR_RETURN_IF_ERROR(service.set_mode(request.subject(), *mode, request.flag("force")));
  return mode_json(*mode).to_string();
}
Body delete_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.delete_mode(request.subject()))).to_string();
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

RestResponse plain_error(int status, std::string_view message, std::string_view accept) {
  RestResponse response;
  response.status = http_status(status);
  response.body = Json{{"error_code", status}, {"message", message}}.to_string();
  response.content_type = accepted_type(accept).value_or(preferred_type());
  return response;
}

RestResponse call(const RestRoute& route, RegistryService& service, const RestRequest& request) {
  if (!is_body_type(request.content_type) && !request.body.empty())
    return plain_error(415, "HTTP 415 Unsupported Media Type", request.accept);
  if (!accepted_type(request.accept)) return plain_error(406, "HTTP 406 Not Acceptable", request.accept);
  auto body = route.run(service, request);
  if (!body.ok()) {
    const int code = body.status().detail();
    return plain_error(is_error_code(code) ? code : 500, body.status().message(), request.accept);
  }
  RestResponse response = plain_error(200, "", request.accept);
  response.body = std::move(*body);
  return response;
}

}  // namespace muir::registry
