// HttpRegistryClient: the serdes' port onto any Schema Registry over HTTP.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/http_client.h"
#include "schema/avro_schema.h"
#include "schema/json.h"
#include "serde/registry_port.h"

namespace muir::registry {

struct HttpRegistryClientOptions {
  int64_t request_timeout_ms = 10'000;
  int rounds_max = 2;                            // how often the list of URLs is gone through
  std::shared_ptr<const net::TlsContext> tls{};  // of https URLs, shared by their connections; null: the system's trust
};

// Thread-safe; one request at a time. Ids and texts are kept for good, as they never change; failures are not kept.
class HttpRegistryClient final : public RegistryPort {
 public:
  // `urls`: "http://host:port" or "https://host:port", several separated by commas; the next is tried when one does not
  // answer, or answers 408, 429 or 5xx.
  static Result<std::unique_ptr<HttpRegistryClient>> create(const std::string& urls,
                                                            HttpRegistryClientOptions options = {});
  // Over registries that are asked in this order; at least one.
  static std::unique_ptr<HttpRegistryClient> over(std::vector<std::unique_ptr<net::HttpClient>> registries,
                                                  HttpRegistryClientOptions options = {});

  Result<int> register_schema(std::string_view subject, std::string_view schema_json) override;
  Result<int> find_schema(std::string_view subject, std::string_view schema_json) override;
  Result<std::string> schema_by_id(int id) override;
  Result<RegisteredSchema> latest_schema(std::string_view subject) override;

 private:
  using Ids = std::map<std::pair<std::string, std::string>, int>;  // by subject and text

  explicit HttpRegistryClient(HttpRegistryClientOptions options) : options_(std::move(options)) {}
  // The parsed body of a 200; else a failure with the registry's error code. Expects mutex_.
  Result<schema::Json> request(const std::string& method, const std::string& target, const std::string& body = {});
  // The schema of an answer that holds "schema" and perhaps "references", which are asked for in turn.
  using Referenced = std::map<std::string, schema::avro::SchemaPtr>;  // by target
  Result<schema::avro::SchemaPtr> resolve(const schema::Json& answer, const std::string& target, Referenced& known,
                                          int depth);
  Result<int> id_of(Ids& known, std::string_view subject, std::string_view schema_json, const std::string& target);

  const HttpRegistryClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<net::HttpClient>> clients_;
  size_t current_ = 0;  // the client that answered last
  Ids registered_;
  Ids found_;
  std::map<int, std::string> texts_;
};

// Answers of a registry from arbitrary bytes: one a paragraph, its status and its body, each asked for once. Returns 1
// when something was learned from them.
int fuzz_answer(BytesView input);

}  // namespace muir::registry
