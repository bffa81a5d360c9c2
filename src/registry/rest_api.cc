#include "registry/rest_api.h"

#include <algorithm>

#include "registry/media_type.h"
#include "registry/registry_error.h"
#include "registry/rest_request.h"

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
using Operation = Body (*)(Service&, const RestRequest&);

Body get_subjects(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  auto subjects = service.subjects(request.subject_prefix(), request.flag("deleted"), request.flag("deletedOnly"));
  return list(page.part_of(std::move(subjects))).to_string();
}

Body get_versions(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  const bool negative = request.flag("deletedAsNegative");
  const bool only_deleted = request.flag("deletedOnly");
  const auto& subject = request.subject();
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
  const auto version = MUIR_TRY(service.version(request.subject(), spec, request.flag("deleted")));
  return version_json(version).to_string();
}

Body get_version_schema(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(request.version());
  return MUIR_TRY(service.version(request.subject(), spec, request.flag("deleted"))).schema;
}

Body get_referenced_by(Service& service, const RestRequest& request) {
  const Page page = MUIR_TRY(Page::of(request));
  const auto spec = MUIR_TRY(request.version());
  auto ids = MUIR_TRY(service.referenced_by(request.subject(), spec, request.flag("deleted")));
  return list(page.part_of(std::move(ids))).to_string();
}

Body post_version(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(request.schema());
  const int id = MUIR_TRY(service.register_schema(request.subject(), schema));
  return Json{{"id", id}}.to_string();
}

Body post_subject(Service& service, const RestRequest& request) {
  const auto schema = MUIR_TRY(request.schema());
  return version_json(MUIR_TRY(service.look_up(request.subject(), schema, request.flag("deleted")))).to_string();
}

Body delete_subject(Service& service, const RestRequest& request) {
  return list(MUIR_TRY(service.delete_subject(request.subject(), request.flag("permanent")))).to_string();
}

Body delete_version(Service& service, const RestRequest& request) {
  const auto spec = MUIR_TRY(request.version());
  return std::to_string(MUIR_TRY(service.delete_version(request.subject(), spec, request.flag("permanent"))));
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

Body post_compatibility(Service& service, const RestRequest& request) {
  std::optional<VersionSpec> spec;
  if (request.names_version()) spec = MUIR_TRY(request.version());
  const bool verbose = request.flag("verbose");
  const auto schema = MUIR_TRY(request.schema());
  auto messages = service.test_compatibility(request.subject(), schema, spec);
  if (!messages.ok()) {
    // Asked to explain, a schema that does not parse is an explanation, not an error.
    if (!verbose || !is(messages.status(), ErrorCode::invalid_schema)) return messages.status();
    messages = std::vector<std::string>{messages.status().message()};
  }
  Json json{{"is_compatible", messages->empty()}};
  if (verbose) json.set("messages", list(*messages));
  return json.to_string();
}

// PUT says "compatibility", GET says "compatibilityLevel": so it has always been.
Json level_json(std::string_view key, Compatibility level) { return {{std::string(key), to_string(level)}}; }

Body get_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel",
                    MUIR_TRY(service.config(request.setting_of(), request.flag("defaultToGlobal"))))
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
  MUIR_RETURN_IF_ERROR(service.set_config(request.setting_of(), *level));
  return level_json("compatibility", *level).to_string();
}
Body delete_config(Service& service, const RestRequest& request) {
  return level_json("compatibilityLevel", MUIR_TRY(service.delete_config(request.setting_of()))).to_string();
}

Json mode_json(Mode mode) { return {{"mode", to_string(mode)}}; }

Body get_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.mode(request.setting_of(), request.flag("defaultToGlobal")))).to_string();
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
  MUIR_RETURN_IF_ERROR(service.set_mode(request.setting_of(), *mode, request.flag("force")));
  return mode_json(*mode).to_string();
}
Body delete_mode(Service& service, const RestRequest& request) {
  return mode_json(MUIR_TRY(service.delete_mode(request.setting_of()))).to_string();
}

Body get_root(Service&, const RestRequest&) { return std::string("{}"); }
Body get_types(Service&, const RestRequest&) { return std::string(R"(["AVRO"])"); }
Body get_contexts(Service&, const RestRequest&) { return std::string(R"(["."])"); }

// ---- answering

net::HttpResponse answer_of(std::string body, std::string_view accept) {
  return {.content_type = std::string(accepted_type(accept).value_or(preferred_type())), .body = std::move(body)};
}

net::RestError error_of(const Status& status) {
  const int number = status.number(Domain::registry);
  const int code = number != 0 ? number : 500;
  net::RestError error{.status = http_status(code), .message = status.message(), .number = code};
  if (error.status == 503) error.headers.emplace_back("Retry-After", "1");
  return error;
}

// {"error_code":40401,"message":"..."}. Errors that no operation made have no number; where the JVM registry's server
// has words of its own, they get those.
void dress(net::HttpResponse& response, const net::RestError& error, std::string_view accept) {
  std::string_view message = error.message;
  if (error.number == 0 && error.status == 404) message = "HTTP 404 Not Found";
  if (error.number == 0 && error.status == 405) message = "HTTP 405 Method Not Allowed";
  const int code = error.number == 0 ? error.status : error.number;
  net::HttpResponse dressed = answer_of(Json{{"error_code", code}, {"message", message}}.to_string(), accept);
  response.content_type = std::move(dressed.content_type);
  response.body = std::move(dressed.body);
}

// Everything that the registry holds may be long: it is written part by part, as the client reads.
class SchemaList {
 public:
  SchemaList(Service& service, SchemaCursor cursor, std::optional<size_t> limit)
      : service_(service), cursor_(std::move(cursor)), left_(limit.value_or(SIZE_MAX)) {}

  // The next part of the text; empty after the last.
  Bytes next() {
    if (ended_) return {};
    Bytes part;
    const auto versions = left_ == 0 ? std::vector<SchemaVersion>() : service_.schemas(cursor_, kPartBytes);
    for (const auto& version : versions) {
      --left_;
      part += begun_ ? ',' : '[';
      begun_ = true;
      version_json(version).append_to(part);
      if (left_ == 0) break;
    }
    ended_ = versions.empty() || left_ == 0;
    if (ended_) part += begun_ ? "]" : "[]";
    return part;
  }

 private:
  static constexpr size_t kPartBytes = 64 * 1024;

  Service& service_;
  SchemaCursor cursor_;
  size_t left_;
  bool begun_ = false;
  bool ended_ = false;
};

net::RestAnswer get_schemas(Service& service, const RestRequest& request, std::string_view accept) {
  const auto page = Page::of(request);
  if (!page.ok()) return error_of(page.status());
  SchemaCursor cursor{.subject_prefix = request.subject_prefix(),
                      .include_deleted = request.flag("deleted"),
                      .only_latest = request.flag("latestOnly"),
                      .skip = page->offset()};
  net::HttpResponse response = answer_of({}, accept);
  response.source = net::body_of(
      [list = SchemaList(service, std::move(cursor), page->limit())]() mutable { return Result<Bytes>(list.next()); });
  return response;
}

std::optional<net::RestError> check_types(const net::HttpRequest& request) {
  if (!request.body.empty() && !is_body_type(request.header("content-type")))
    return net::RestError{.status = 415, .message = "HTTP 415 Unsupported Media Type"};
  if (!accepted_type(request.header_list("accept")))
    return net::RestError{.status = 406, .message = "HTTP 406 Not Acceptable"};
  return std::nullopt;
}

}  // namespace

net::RestOptions rest_options() { return {.form = dress, .check = check_types, .merge_slashes = true}; }

std::vector<net::RestRoute> rest_routes(RegistryService& service) {
  using net::RestWork;
  struct Row {
    const char* method;
    const char* path;
    RestWork work;  // in_turn: it waits for the log; slow: its schema may be large
    Operation run;
  };
  static constexpr Row kRows[]{
      {"GET", "/", RestWork::at_once, get_root},
      {"POST", "/", RestWork::at_once, get_root},
      {"GET", "/subjects", RestWork::at_once, get_subjects},
      {"POST", "/subjects/{subject}", RestWork::slow, post_subject},
      {"DELETE", "/subjects/{subject}", RestWork::in_turn, delete_subject},
      {"GET", "/subjects/{subject}/versions", RestWork::at_once, get_versions},
      {"POST", "/subjects/{subject}/versions", RestWork::in_turn, post_version},
      {"GET", "/subjects/{subject}/versions/{version}", RestWork::at_once, get_version},
      {"DELETE", "/subjects/{subject}/versions/{version}", RestWork::in_turn, delete_version},
      {"GET", "/subjects/{subject}/versions/{version}/schema", RestWork::at_once, get_version_schema},
      {"GET", "/subjects/{subject}/versions/{version}/referencedby", RestWork::at_once, get_referenced_by},
      {"GET", "/schemas/types", RestWork::at_once, get_types},
      {"GET", "/schemas/ids/{id}", RestWork::at_once, get_id},
      {"GET", "/schemas/ids/{id}/schema", RestWork::at_once, get_id_schema},
      {"GET", "/schemas/ids/{id}/subjects", RestWork::at_once, get_id_subjects},
      {"GET", "/schemas/ids/{id}/versions", RestWork::at_once, get_id_versions},
      {"POST", "/compatibility/subjects/{subject}/versions", RestWork::slow, post_compatibility},
      {"POST", "/compatibility/subjects/{subject}/versions/{version}", RestWork::slow, post_compatibility},
      {"GET", "/config", RestWork::at_once, get_config},
      {"PUT", "/config", RestWork::in_turn, put_config},
      {"DELETE", "/config", RestWork::in_turn, delete_config},
      {"GET", "/config/{subject}", RestWork::at_once, get_config},
      {"PUT", "/config/{subject}", RestWork::in_turn, put_config},
      {"DELETE", "/config/{subject}", RestWork::in_turn, delete_config},
      {"GET", "/mode", RestWork::at_once, get_mode},
      {"PUT", "/mode", RestWork::in_turn, put_mode},
      {"DELETE", "/mode", RestWork::in_turn, delete_mode},
      {"GET", "/mode/{subject}", RestWork::at_once, get_mode},
      {"PUT", "/mode/{subject}", RestWork::in_turn, put_mode},
      {"DELETE", "/mode/{subject}", RestWork::in_turn, delete_mode},
      {"GET", "/contexts", RestWork::at_once, get_contexts},
  };
  std::vector<net::RestRoute> routes;
  for (const Row& row : kRows) {
    routes.push_back({.method = row.method,
                      .path = row.path,
                      .work = row.work,
                      .run = [&service, run = row.run](net::RestCall& call) -> net::RestAnswer {
                        auto body = run(service, RestRequest(call));
                        if (!body.ok()) return error_of(body.status());
                        return answer_of(*std::move(body), call.request().header_list("accept"));
                      }});
  }
  routes.push_back({.method = "GET", .path = "/schemas", .run = [&service](net::RestCall& call) {
                      return get_schemas(service, RestRequest(call), call.request().header_list("accept"));
                    }});
  return routes;
}

}  // namespace muir::registry
