#include "registry/rest_request.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "net/url.h"
#include "registry/registry_error.h"

namespace muir::registry {
namespace {

using schema::Json;

template <class... A>
Status refused(int code, fmt::format_string<A...> format, A&&... args) {
  return Status(Code::invalid_argument, fmt::format(format, std::forward<A>(args)...), {Domain::registry, code});
}

template <class T = int>
std::optional<T> int_from(std::string_view text) {
  T value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// An integer of the query.
Result<int> number(const RestRequest& request, std::string_view name, int otherwise) {
  const std::string value = request.text(name);
  if (value.empty()) return otherwise;
  const auto number = int_from(value);
  if (!number) return refused(404, "HTTP 404 Not Found: {}={} is not an integer", name, value);
  return *number;
}

// Nothing when the member is absent or null. Numbers may stand in quotes.
Result<std::optional<int>> int_member(const Json& body, std::string_view name) {
  const Json* member = body.find(name);
  if (member == nullptr || member->is_null()) return std::optional<int>();
  const auto value = member->as_string() != nullptr ? int_from<int64_t>(*member->as_string()) : member->as_int64();
  if (!value || *value < INT32_MIN || *value > INT32_MAX)
    return refused(400, "{} must be an integer of 32 bits, not {}", name, member->excerpt());
  return std::optional(static_cast<int>(*value));
}

// The same of a text; other scalars stand for their text.
Result<std::optional<std::string>> text_member(const Json& body, std::string_view name) {
  const Json* member = body.find(name);
  if (member == nullptr || member->is_null()) return std::optional<std::string>();
  if (const auto* text = member->as_string()) return std::optional(*text);
  if (member->as_object() != nullptr || member->as_array() != nullptr)
    return refused(400, "{} must be a string, not {}", name, member->excerpt());
  return std::optional(member->to_string());
}

Status check_no_contract(const Json& body) {
  for (const std::string_view name : {"metadata", "ruleSet"}) {
    if (const Json* member = body.find(name); member != nullptr && !member->is_null())
      return registry_error(ErrorCode::invalid_rule_set, "Invalid {}: this registry does not hold data contracts",
                            name);
  }
  return {};
}

}  // namespace

bool RestRequest::flag(std::string_view name) const {
  const std::string value = text(name);
  constexpr std::string_view kTrue = "true";
  return std::equal(value.begin(), value.end(), kTrue.begin(), kTrue.end(),
                    [](char c, char wanted) { return (c | 0x20) == wanted; });
}

std::string RestRequest::text(std::string_view name) const {
  return net::find_query_param(call_.request().query, name).value_or("");
}

std::string RestRequest::subject_prefix() const {
  std::string prefix = text("subjectPrefix");
  if (prefix.starts_with(":*:")) prefix.erase(0, 3);
  return prefix;
}

std::optional<std::string> RestRequest::setting_of() const {
  const std::string* subject = call_.find_param("subject");
  return subject == nullptr ? std::nullopt : std::optional(*subject);
}

Result<VersionSpec> RestRequest::version() const { return VersionSpec::parse(call_.param("version")); }

Result<int> RestRequest::id() const {
  const auto id = int_from(call_.param("id"));
  if (!id) return refused(404, "HTTP 404 Not Found");
  return *id;
}

Result<Json> RestRequest::object() const {
  const std::string& body = call_.request().body;
  if (body.find_first_not_of(" \t\r\n") == std::string::npos)
    return refused(422, "the request has no body; it must be a JSON object");
  auto json = Json::parse(without_byte_order_mark(body));
  if (!json.ok()) return refused(400, "{}", json.status().message());
  if (json->is_null()) return refused(422, "the body is null; it must be a JSON object");
  if (json->as_object() == nullptr) return refused(400, "the body must be a JSON object, not {}", json->excerpt());
  return json;
}

Result<SchemaRequest> RestRequest::schema() const {
  const Json json = MUIR_TRY(object());
  if (flag("normalize")) {
    return registry_error(
        ErrorCode::invalid_schema,
        "Invalid schema: this registry compares schemas as they are; register without normalize=true");
  }
  MUIR_RETURN_IF_ERROR(check_no_contract(json));
  SchemaRequest out;
  out.schema = MUIR_TRY(text_member(json, "schema")).value_or("");
  out.schema_type = MUIR_TRY(text_member(json, "schemaType")).value_or(out.schema_type);
  if (const Json* references = json.find("references"); references != nullptr && !references->is_null()) {
    if (references->as_array() == nullptr)
      return refused(400, "references must be an array, not {}", references->excerpt());
    auto parsed = references_from(*references);
    if (!parsed.ok()) return registry_error(ErrorCode::invalid_schema, "Invalid schema: {}", parsed.status().message());
    out.references = std::move(*parsed);
  }
  out.id = MUIR_TRY(int_member(json, "id"));
  if (out.id && *out.id < 0) out.id.reset();  // how clients say that they have none
  out.version = MUIR_TRY(int_member(json, "version"));
  if (out.version && *out.version == 0) out.version.reset();  // the same
  if (out.version && *out.version < -1) return VersionSpec::parse(std::to_string(*out.version)).status();
  return out;
}

Result<Page> Page::of(const RestRequest& request) {
  Page page;
  const int offset = MUIR_TRY(number(request, "offset", 0));
  if (offset < 0) return refused(422, "offset={}: it is the number of items to leave out, at least 0", offset);
  page.offset_ = static_cast<size_t>(offset);
  const int limit = MUIR_TRY(number(request, "limit", -1));
  if (limit > 0) page.limit_ = static_cast<size_t>(limit);
  return page;
}

}  // namespace muir::registry
