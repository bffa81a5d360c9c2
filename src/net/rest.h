// Rest: the operations of an API as a table of routes, served over HTTP.
//
//   const std::vector<RestRoute> routes{
//       {.method = "GET", .path = "/vehicles/{id}", .run = [&](RestCall& call) { return show(call.param("id")); }},
//       {.method = "POST", .path = "/checks", .work = RestWork::slow, .run = check}};
//   Rest rest(routes, {.form = json_error});
//   rest.add_to(*server);
//
// What every operation needs is done once, here: who asks, what its parameters are, on which thread it runs, for how
// long somebody waits, and how an error looks. Which paths there are, HEAD, 405 with Allow and metrics by route are the
// server's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "net/http_server.h"

namespace muir::net {

// Who asks.
struct Principal {
  std::string name{};  // empty: anybody
};

// Why an operation was not done. The API's form makes an answer of it.
struct RestError {
  int status = 500;
  std::string message{};
  int number = 0;      // of APIs that number their errors; 0: the status
  std::string code{};  // of APIs that name them
  std::vector<std::pair<std::string, std::string>> headers{};
};
// 503 with Retry-After.
RestError rest_unavailable(std::string message, std::string code = "unavailable");

using RestAnswer = std::variant<HttpResponse, RestError>;

// One request that is being worked on. Answered once, from any thread; dropped unanswered it is answered 500.
class RestCall : public HttpResponder {
 public:
  [[nodiscard]] const HttpRequest& request() const { return request_; }
  [[nodiscard]] const Principal& principal() const { return principal_; }
  // The value of a placeholder of the route, decoded; there is one of that name.
  [[nodiscard]] const std::string& param(std::string_view name) const;
  [[nodiscard]] const std::string* find_param(std::string_view name) const;  // nullptr: there is none

  // The body has been read: it does not have to be kept until the answer. Before others know the call.
  void drop_body() { request_.body = {}; }

  // Whether nobody waits for the answer any more: the client has hung up, or was told that it took too long. Long work
  // asks now and then, and ends.
  [[nodiscard]] virtual bool cancelled() const = 0;
  virtual void answer(RestAnswer answer) = 0;

  // ---- HttpResponder
  void respond(HttpResponse response) override { answer(std::move(response)); }
  [[nodiscard]] bool gone() const override { return cancelled(); }

 protected:
  RestCall(HttpRequest request, const std::vector<std::string>& names) : request_(std::move(request)), names_(names) {}
  HttpRequest request_;
  Principal principal_;

 private:
  const std::vector<std::string>& names_;  // of the route's placeholders
};

// Where an operation runs.
enum class RestWork : unsigned char {
  at_once,  // on the event loop: it neither waits nor takes long
  slow,     // on a few threads
  in_turn,  // one at a time, in the order of the requests
};

struct RestRoute {
  std::string method;
  std::string path;  // "/subjects/{subject}/versions/{version}"
  RestWork work = RestWork::at_once;
  std::function<RestAnswer(RestCall&)> run{};
  // Instead of `run`: keeps the call and answers later.
  std::function<void(std::shared_ptr<RestCall>)> begin{};
  // What the query may name, each once; others are answered 400 "bad_parameter". Absent: any may
  // be named, in a well-formed way.
  std::optional<std::vector<std::string>> query{};
  bool open = false;  // to those who are not authenticated, too
};

struct RestQueueOptions {
  int threads = 1;
  size_t waiting_max = 1000;
  std::string busy = "too many requests wait; try again later";  // what those beyond are told, with 503
};

struct RestOptions {
  // Sets body and content type; status and headers are set already.
  std::function<void(HttpResponse& response, const RestError& error, std::string_view accept)> form{};
  // Who asks, or why that is not said (401 with WWW-Authenticate). Called on the loop. Null: anybody.
  std::function<std::variant<Principal, RestError>(const HttpRequest& request)> authenticate{};
  // Asked of every request before its operation: of media types and the like.
  std::function<std::optional<RestError>(const HttpRequest& request)> check{};
  // By the name of a placeholder: what its values may be, wherever it stands.
  std::map<std::string, std::function<std::optional<RestError>(const std::string& value)>, std::less<>> params{};
  RestQueueOptions slow{.threads = 2, .waiting_max = 200};
  RestQueueOptions in_turn{};
  // Of what is not done at once; then the client is told 503. 0: for ever.
  int64_t timeout_ms = 60'000;
  EventLoop* loop = nullptr;   // whose timers these are; null: none
  bool merge_slashes = false;  // as HttpServerOptions has it, for answer()
  MetricsRegistry* metrics = nullptr;
  std::string metrics_name = "http";
};

// Thread-safe. Outlives the servers that it was added to; ended before what its operations use.
class Rest {
 public:
  Rest(std::vector<RestRoute> routes, RestOptions options);
  ~Rest();
  Rest(const Rest&) = delete;
  Rest& operator=(const Rest&) = delete;

  // Before the server starts.
  void add_to(HttpServer& server);
  // For HttpServerOptions: what the server itself answers in the form of this API.
  [[nodiscard]] HttpErrorForm server_form() const;

  // Answers on the calling thread, without a server: of a request its method, raw_path, query, headers and body.
  HttpResponse answer(HttpRequest request) const;

  // Of calls that have not begun.
  [[nodiscard]] size_t waiting(RestWork work) const;
  // Drops what has not begun, and waits for what has. Idempotent.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace muir::net
