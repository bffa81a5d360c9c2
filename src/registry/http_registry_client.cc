#include "registry/http_registry_client.h"

#include "net/url.h"
#include "registry/registry_error.h"
#include "registry/schema_record.h"
#include "schema/avro_parse.h"
#include "schema/avro_text.h"

namespace muir::registry {
namespace {

using schema::Json;

bool is_worth_another(int status) { return status == 408 || status == 429 || status >= 500; }

Status failure_of(const std::string& target, const net::HttpClientResponse& response) {
  const auto json = Json::parse(response.body);
  const Json* message = json.ok() ? json->find("message") : nullptr;
  const Json* code = json.ok() ? json->find("error_code") : nullptr;
  const Code kind = response.status == 404              ? Code::not_found
                    : response.status == 409            ? Code::failed_precondition
                    : response.status == 422            ? Code::invalid_argument
                    : is_worth_another(response.status) ? Code::unavailable
                                                        : Code::permission_denied;
  const std::string text =
      message != nullptr && message->as_string() != nullptr ? *message->as_string() : response.body.substr(0, 200);
  // A number that is no code of a registry could be taken for one of Kafka's.
  const int64_t number = code == nullptr ? response.status : code->as_int64().value_or(response.status);
  return Status(kind, fmt::format("schema registry {}: HTTP {}: {}", target, response.status, text),
                {Domain::registry, is_error_code(number) ? static_cast<int>(number) : response.status});
}

Status malformed(const std::string& target) {
  return error(Code::data_loss, "schema registry {}: the answer is not what it should be", target);
}

Result<int> int_member(const Json& json, std::string_view name, const std::string& target) {
  const Json* member = json.find(name);
  const auto value = member == nullptr ? std::nullopt : member->as_int64();
  if (!value || *value < INT32_MIN || *value > INT32_MAX) return malformed(target);
  return static_cast<int>(*value);
}
Result<std::string> text_member(const Json& json, std::string_view name, const std::string& target) {
  const Json* member = json.find(name);
  if (member == nullptr || member->as_string() == nullptr) return malformed(target);
  return *member->as_string();
}

}  // namespace

Result<std::unique_ptr<HttpRegistryClient>> HttpRegistryClient::create(const std::string& urls,
                                                                       HttpRegistryClientOptions options) {
  std::vector<std::unique_ptr<net::HttpClient>> registries;
  std::string_view rest = urls;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    std::string url(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    url.erase(0, url.find_first_not_of(' '));
    while (!url.empty() && (url.back() == ' ' || url.back() == '/')) url.pop_back();
    if (url.empty()) continue;
    registries.push_back(MUIR_TRY(net::HttpClient::create(url, {.connect_timeout_ms = options.request_timeout_ms,
                                                                .request_timeout_ms = options.request_timeout_ms,
                                                                .tls = options.tls})));
  }
  if (registries.empty()) return error(Code::invalid_argument, "schema.registry.url is empty");
  return over(std::move(registries), options);
}

std::unique_ptr<HttpRegistryClient> HttpRegistryClient::over(std::vector<std::unique_ptr<net::HttpClient>> registries,
                                                             HttpRegistryClientOptions options) {
  std::unique_ptr<HttpRegistryClient> client(new HttpRegistryClient(std::move(options)));
  client->clients_ = std::move(registries);
  return client;
}

Result<Json> HttpRegistryClient::request(const std::string& method, const std::string& target,
                                         const std::string& body) {
  Status last;
  const size_t attempts = clients_.size() * static_cast<size_t>(options_.rounds_max);
  for (size_t i = 0; i < attempts; ++i, current_ = (current_ + 1) % clients_.size()) {
    auto response =
        clients_[current_]->request(method, target, body,
                                    {{"Content-Type", "application/vnd.schemaregistry.v1+json"},
                                     {"Accept", "application/vnd.schemaregistry.v1+json, application/json"}});
    if (!response.ok()) {
      last = response.status().annotate("schema registry " + target);
      continue;
    }
    if (response->status == 200) {
      auto json = Json::parse(response->body);
      if (!json.ok()) return malformed(target);
      return json;
    }
    last = failure_of(target, *response);
    if (!is_worth_another(response->status)) return last;
  }
  return last;
}

Result<int> HttpRegistryClient::id_of(Ids& known, std::string_view subject, std::string_view schema_json,
                                      const std::string& target) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(std::string(subject), std::string(schema_json));
  if (const auto found = known.find(key); found != known.end()) return found->second;
  const Json answer = MUIR_TRY(request("POST", target, Json{{"schema", schema_json}}.to_string()));
  const int id = MUIR_TRY(int_member(answer, "id", target));
  known.emplace(key, id);
  return id;
}

Result<int> HttpRegistryClient::register_schema(std::string_view subject, std::string_view schema_json) {
  const auto id = id_of(registered_, subject, schema_json, "/subjects/" + net::percent_encode(subject) + "/versions");
  // A registry that takes none now, whatever the reason, may refuse even one that it has.
  const bool answered = id.status().number(Domain::registry) != 0;
  if (id.ok() || !answered) return id;
  const auto known = find_schema(subject, schema_json);
  if (!known.ok()) return id;
  const std::lock_guard lock(mutex_);
  registered_.emplace(std::make_pair(std::string(subject), std::string(schema_json)), *known);
  return known;
}

Result<int> HttpRegistryClient::find_schema(std::string_view subject, std::string_view schema_json) {
  return id_of(found_, subject, schema_json, "/subjects/" + net::percent_encode(subject));
}

Result<std::string> HttpRegistryClient::schema_by_id(int id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = texts_.find(id); found != texts_.end()) return found->second;
  const std::string target = fmt::format("/schemas/ids/{}", id);
  const Json answer = MUIR_TRY(request("GET", target));
  std::string text = MUIR_TRY(text_member(answer, "schema", target));
  Referenced known;
  if (answer.find("references") != nullptr) text = schema::avro::to_text(*MUIR_TRY(resolve(answer, target, known, 0)));
  return texts_[id] = std::move(text);
}

Result<schema::avro::SchemaPtr> HttpRegistryClient::resolve(const Json& answer, const std::string& target,
                                                            Referenced& known, int depth) {
  if (depth > kReferenceDepthMax)
    return error(Code::invalid_argument, "schema registry {}: references are nested too deeply, or in a circle",
                 target);
  schema::avro::ParseOptions options{.strict = false};
  if (const Json* member = answer.find("references"); member != nullptr && !member->is_null()) {
    const auto references = MUIR_TRY(references_from(*member));
    for (const auto& reference : references) {
      // Even a deleted one: data written with it exists.
      const std::string next = fmt::format("/subjects/{}/versions/{}?deleted=true",
                                           net::percent_encode(reference.subject), reference.version);
      auto found = known.find(next);
      if (found == known.end()) {
        const Json inner = MUIR_TRY(request("GET", next));
        found = known.emplace(next, MUIR_TRY(resolve(inner, next, known, depth + 1))).first;
      }
      options.known.push_back(found->second);
    }
  }
  const std::string text = MUIR_TRY(text_member(answer, "schema", target));
  return schema::avro::parse(text, options);
}

Result<RegisteredSchema> HttpRegistryClient::latest_schema(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  const std::string target = "/subjects/" + net::percent_encode(subject) + "/versions/latest";
  const Json answer = MUIR_TRY(request("GET", target));
  return RegisteredSchema{MUIR_TRY(int_member(answer, "id", target)), MUIR_TRY(int_member(answer, "version", target)),
                          MUIR_TRY(text_member(answer, "subject", target)),
                          MUIR_TRY(text_member(answer, "schema", target))};
}

}  // namespace muir::registry
