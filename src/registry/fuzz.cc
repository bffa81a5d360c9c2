// Fuzz entries of the REST interface, from both sides: scripts of requests against a registry whose log is in memory,
// and scripts of answers to its client.
#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "net/rest.h"
#include "registry/http_registry_client.h"
#include "registry/rest_api.h"

namespace muir::registry {
namespace {

constexpr int kStepsMax = 12;

using Records = std::vector<std::pair<Bytes, OptBytes>>;

// Applies every record as it is written. `records` outlives it.
class MemoryLog final : public SchemaLog {
 public:
  explicit MemoryLog(Records& records) : records_(records) {}
  Status start(Apply apply) override {
    apply_ = std::move(apply);
    for (const auto& [key, value] : records_) apply_(key, to_view(value));
    return {};
  }
  Status catch_up() override { return {}; }
  Status append(BytesView key, OptBytesView value) override {
    records_.emplace_back(key, to_owned(value));
    apply_(key, value);
    return {};
  }
  void stop() override {}

 private:
  Records& records_;
  Apply apply_;
};

net::HttpResponse ask(RegistryService& service, std::string_view method, std::string_view target,
                      std::string_view body) {
  const size_t question = std::min(target.find('?'), target.size());
  return net::Rest(rest_routes(service), rest_options())
      .answer({.method = std::string(method),
               .query = std::string(target.substr(std::min(question + 1, target.size()))),
               .body = Bytes(body),
               .raw_path = std::string(target.substr(0, question))});
}

// What a registry says about everything it holds.
std::string everything(RegistryService& service) {
  std::string out;
  for (const std::string_view target : {"/schemas?deleted=true", "/subjects?deleted=true", "/config", "/mode"})
    out += ask(service, "GET", target, "").body + '\n';
  return out;
}

std::unique_ptr<RegistryService> started(Records& records) {
  auto service = RegistryService::start(std::make_unique<MemoryLog>(records));
  CHECK(service.ok(), "a registry does not start: {}", service.status().to_string());
  return std::move(*service);
}

// Gives each paragraph of a script once; then nobody answers any more.
class ScriptedRegistry final : public net::HttpClient {
 public:
  explicit ScriptedRegistry(BytesView script) : script_(script) {}
  Result<net::HttpClientResponse> request(const std::string&, const std::string&, BytesView,
                                          const std::vector<std::pair<std::string, std::string>>&) override {
    if (script_.empty()) return error(Code::unavailable, "the script is at its end");
    const size_t end = std::min(script_.find("\n\n"), script_.size());
    const BytesView text = script_.substr(0, end);
    script_.remove_prefix(std::min(end + 2, script_.size()));
    const size_t space = std::min(text.find(' '), text.size());
    net::HttpClientResponse response{.status = 200};
    std::from_chars(text.data(), text.data() + space, response.status);
    response.body = Bytes(text.substr(std::min(space + 1, text.size())));
    return response;
  }

 private:
  BytesView script_;
};

}  // namespace

int fuzz_answer(BytesView input) {
  std::vector<std::unique_ptr<net::HttpClient>> registries;
  registries.push_back(std::make_unique<ScriptedRegistry>(input));
  const auto client = HttpRegistryClient::over(std::move(registries));
  const auto text = client->schema_by_id(1);
  CHECK(!text.ok() || *client->schema_by_id(1) == *text, "a schema is not kept");
  const auto latest = client->latest_schema("s");
  const auto id = client->register_schema("s", "\"int\"");
  CHECK(!id.ok() || *client->register_schema("s", "\"int\"") == *id, "an id is not kept");
  const auto found = client->find_schema("s", "\"string\"");
  return text.ok() || latest.ok() || id.ok() || found.ok() ? 1 : 0;
}

int fuzz_rest(BytesView input) {
  Records records;
  auto service = started(records);
  int answered = 0;
  for (int step = 0; step < kStepsMax && !input.empty(); ++step) {
    const size_t end = std::min(input.find("\n\n"), input.size());
    const BytesView text = input.substr(0, end);
    input.remove_prefix(std::min(end + 2, input.size()));
    const size_t line = std::min(text.find('\n'), text.size());
    const BytesView body = text.substr(std::min(line + 1, text.size()));
    const size_t space = std::min(text.find(' '), line);
    const BytesView method = text.substr(0, space);
    const BytesView target = text.substr(std::min(space + 1, line), line - std::min(space + 1, line));
    if (method == "RECORD") {  // somebody else's, in the topic
      records.emplace_back(target, body.empty() ? OptBytes() : OptBytes(body));
      service = started(records);
    } else {
      const int status = ask(*service, method, target, body).status;
      CHECK(status >= 200 && status < 600, "status {}", status);
      if (status == 200) answered = 1;
    }
  }
  CHECK(everything(*started(records)) == everything(*service), "a registry that starts again knows something else");
  return answered;
}

}  // namespace muir::registry
