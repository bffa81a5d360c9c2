#include "net/rest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <latch>
#include <thread>

#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/internal/blocking_socket.h"
#include "net/query_check.h"
#include "net/rest_auth.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "testing/mutations.h"

namespace muir::net {
namespace {

using testing::eventually;
using testing::metric_value;

void numbered(HttpResponse& response, const RestError& error, std::string_view accept) {
  response.content_type = accept == "text/plain" ? "text/plain" : "application/json";
  response.body = fmt::format("{}:{}:{}", error.number == 0 ? error.status : error.number, error.code, error.message);
}

HttpResponse text(std::string body) { return {.content_type = "text/plain", .body = std::move(body)}; }

// A door that calls wait at.
class Door {
 public:
  void wait() {
    ++arrived;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::atomic<int> arrived{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class RestServer {
 public:
  RestServer(std::vector<RestRoute> routes, RestOptions options) {
    options.form = numbered;
    options.loop = &loop;
    options.metrics = &metrics;
    options.metrics_name = "t";
    rest = std::make_unique<Rest>(std::move(routes), std::move(options));
    server = HttpServer::create(loop, {.error_form = rest->server_form(), .metrics = &metrics, .metrics_name = "t"});
    rest->add_to(*server);
    const Status status = server->start();
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  ~RestServer() {
    server->stop();
    rest->stop();
  }

  HttpClientResponse ask(const std::string& method, const std::string& target, BytesView body = {},
                         const std::vector<std::pair<std::string, std::string>>& headers = {}) const {
    const auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server->port()));
    auto response = (*client)->request(method, target, body, headers);
    EXPECT_TRUE(response.ok()) << response.status().to_string();
    return response.ok() ? *std::move(response) : HttpClientResponse{};
  }
  // A request whose answer nobody reads.
  [[nodiscard]] std::unique_ptr<BlockingSocket> send(const std::string& method, const std::string& target) const {
    auto socket = std::move(*BlockingSocket::connect("127.0.0.1", server->port(), 20'000));
    const std::string request = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n\r\n", method, target);
    const BytesView view = request;
    EXPECT_TRUE(socket->write_all(std::span(&view, 1), INT64_MAX).ok());
    return socket;
  }
  static std::string header(const HttpClientResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  MetricsRegistry metrics;
  EventLoop loop{"rest", 1};
  std::unique_ptr<Rest> rest;
  std::unique_ptr<HttpServer> server;
};

std::vector<RestRoute> simple_routes() {
  return {
      {.method = "GET",
       .path = "/subjects/{subject}/versions/{version}",
       .run = [](RestCall& call) -> RestAnswer { return text(call.param("subject") + "|" + call.param("version")); }},
      {.method = "GET",
       .path = "/typed",
       .run = [](RestCall&) -> RestAnswer {
         return RestError{.status = 422, .message = "no", .number = 42201, .code = "bad", .headers = {{"X-Why", "so"}}};
       }},
      {.method = "GET",
       .path = "/limited",
       .run = [](RestCall& call) -> RestAnswer { return text(call.request().query_param("limit", "none")); },
       .query = std::vector<std::string>{"limit"}},
      {.method = "GET",
       .path = "/throws",
       .run = [](RestCall&) -> RestAnswer { throw std::runtime_error("a mistake"); }},
      {.method = "GET", .path = "/drops", .begin = [](const std::shared_ptr<RestCall>&) {}},
      {.method = "POST",
       .path = "/later",
       .begin =
           [](std::shared_ptr<RestCall> call) {
             std::thread([call = std::move(call)] { call->answer(text("later " + call->request().body)); }).detach();
           }},
      {.method = "GET",
       .path = "/slow/throws",
       .work = RestWork::slow,
       .run = [](RestCall&) -> RestAnswer { throw std::runtime_error("a mistake"); }},
  };
}

RestOptions simple_options() {
  return {.check = [](const HttpRequest& request) -> std::optional<RestError> {
            if (request.header("content-type") == "text/xml") return RestError{.status = 415, .message = "no xml"};
            return std::nullopt;
          },
          .params = {{"version", [](const std::string& value) -> std::optional<RestError> {
                        if (value == "7") return std::nullopt;
                        return RestError{.status = 422, .message = "not a version: " + value, .number = 42202};
                      }}}};
}

TEST(Rest, AnswersByItsTable) {
  RestServer rest(simple_routes(), simple_options());
  struct Row {
    const char* method;
    const char* target;
    std::vector<std::pair<std::string, std::string>> headers;
    int status;
    const char* body;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/subjects/a%2Fb/versions/7", {}, 200, "a/b|7"},
           {"GET", "/subjects/a/versions/x%20y", {}, 422, "42202::not a version: x y"},
           {"GET", "/typed", {}, 422, "42201:bad:no"},
           {"GET", "/typed", {{"Content-Type", "text/xml"}}, 415, "415::no xml"},
           {"GET", "/limited?limit=5", {}, 200, "5"},
           {"GET", "/limited?", {}, 200, "none"},
           {"GET",
            "/limited?limti=5",
            {},
            400,
            "400:bad_parameter:unknown query parameter 'limti'; did you mean 'limit'?"},
           {"GET", "/limited?limit=1&limit=2", {}, 400, "400:bad_parameter:query parameter 'limit' is given twice"},
           {"GET", "/subjects/a/versions/7?x=1&x=2&&y", {}, 200, "a|7"},
           {"GET",
            "/subjects/a/versions/7?x=%zz",
            {},
            400,
            "400:bad_parameter:query parameter 'x=%zz': malformed percent-encoding"},
           {"GET", "/throws", {}, 500, "500:internal:the request failed"},
           {"GET", "/slow/throws", {}, 500, "500:internal:the request failed"},
           {"GET", "/drops", {}, 500, "500:internal:the request was dropped"},
           {"GET", "/nowhere", {}, 404, "404:not_found:not found"},
           {"DELETE", "/typed", {}, 405, "405:method_not_allowed:method not allowed"},
           {"OPTIONS", "/later", {}, 405, "405:method_not_allowed:method not allowed"},
           {"HEAD", "/subjects/a/versions/7", {}, 200, ""},
       }) {
    const auto answer = rest.ask(row.method, row.target, {}, row.headers);
    EXPECT_EQ(answer.status, row.status) << row.method << " " << row.target;
    EXPECT_EQ(answer.body, row.body) << row.method << " " << row.target;
  }
  EXPECT_EQ(rest.ask("POST", "/later", "x").body, "later x");
  EXPECT_EQ(RestServer::header(rest.ask("GET", "/typed"), "x-why"), "so");
  EXPECT_EQ(RestServer::header(rest.ask("DELETE", "/typed"), "allow"), "GET, HEAD");
  const auto plain = rest.ask("GET", "/nowhere", {}, {{"Accept", "text/plain"}});
  EXPECT_EQ(RestServer::header(plain, "content-type"), "text/plain");
  // Labels are templates, not paths.
  EXPECT_EQ(
      metric_value(
          rest.metrics, "muir_http_requests_total",
          {{"route", "/subjects/{subject}/versions/{version}"}, {"code", "422"}, {"method", "GET"}, {"server", "t"}}),
      1);
}

TEST(Rest, AnswersTheSameWithoutAServer) {
  RestServer served(simple_routes(), simple_options());
  for (const auto& [method, target] : std::initializer_list<std::pair<std::string, std::string>>{
           {"GET", "/subjects/a%2Fb/versions/7"},
           {"GET", "/subjects/a/versions/x%20y"},
           {"GET", "/typed"},
           {"GET", "/limited?limit=5"},
           {"GET", "/limited?x"},
           {"GET", "/throws"},
           {"GET", "/slow/throws"},
           {"GET", "/drops"},
           {"GET", "/nowhere"},
           {"GET", "/"},
           {"DELETE", "/typed"},
       }) {
    const size_t question = std::min(target.find('?'), target.size());
    const HttpResponse alone = served.rest->answer({.method = method,
                                                    .query = target.substr(std::min(question + 1, target.size())),
                                                    .raw_path = target.substr(0, question)});
    const auto over_http = served.ask(method, target);
    EXPECT_EQ(alone.status, over_http.status) << target;
    EXPECT_EQ(alone.body, over_http.body) << target;
    EXPECT_EQ(alone.content_type, RestServer::header(over_http, "content-type")) << target;
  }
}

TEST(Rest, SlowWorkDelaysNothingElseAndIsBounded) {
  Door door;
  const auto wait = [&](RestCall&) -> RestAnswer {
    door.wait();
    return text("done");
  };
  RestServer rest({{.method = "GET", .path = "/slow", .work = RestWork::slow, .run = wait},
                   {.method = "GET", .path = "/turn", .work = RestWork::in_turn, .run = wait},
                   {.method = "GET", .path = "/quick", .run = [](RestCall&) -> RestAnswer { return text("quick"); }}},
                  {.slow = {.threads = 2, .waiting_max = 3, .busy = "too many checks"},
                   .in_turn = {.waiting_max = 1, .busy = "too many writes"}});
  std::vector<std::thread> clients;
  std::atomic<int> done{0};
  const auto start = [&](const char* path, int n) {
    for (int i = 0; i < n; ++i) {
      clients.emplace_back([&, path] {
        if (rest.ask("GET", path).body == "done") ++done;
      });
    }
  };
  start("/slow", 2);
  start("/turn", 1);
  EXPECT_TRUE(eventually([&] { return door.arrived == 3; }));
  start("/slow", 3);
  start("/turn", 1);
  EXPECT_TRUE(eventually(
      [&] { return rest.rest->waiting(RestWork::slow) == 3 && rest.rest->waiting(RestWork::in_turn) == 1; }));

  EXPECT_EQ(rest.ask("GET", "/quick").body, "quick");
  const auto checks = rest.ask("GET", "/slow");
  EXPECT_EQ(checks.status, 503);
  EXPECT_EQ(checks.body, "503:unavailable:too many checks");
  EXPECT_EQ(RestServer::header(checks, "retry-after"), "1");
  EXPECT_EQ(rest.ask("GET", "/turn").body, "503:unavailable:too many writes");
  EXPECT_EQ(metric_value(rest.metrics, "muir_http_work_waiting", {{"server", "t"}, {"work", "slow"}}), 3);
  EXPECT_EQ(metric_value(rest.metrics, "muir_http_work_running", {{"server", "t"}, {"work", "slow"}}), 2);
  EXPECT_EQ(metric_value(rest.metrics, "muir_http_work_running", {{"server", "t"}, {"work", "in_turn"}}), 1);
  EXPECT_EQ(metric_value(rest.metrics, "muir_http_work_refused_total", {{"server", "t"}, {"work", "slow"}}), 1);

  door.open();
  for (auto& client : clients) client.join();
  EXPECT_EQ(done, 7);
}

TEST(Rest, WhoWaitsTooLongIsToldSoAndTheWorkCanKnow) {
  Door door;
  std::atomic<bool> was_cancelled{false};
  RestServer rest({{.method = "GET",
                    .path = "/slow",
                    .work = RestWork::slow,
                    .run = [&](RestCall& call) -> RestAnswer {
                      door.wait();
                      was_cancelled = call.cancelled();
                      return text("nobody reads it");
                    }}},
                  {.timeout_ms = 10});
  const auto answer = rest.ask("GET", "/slow");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "503:timed_out:not done within 10 ms; it may yet be");
  EXPECT_EQ(RestServer::header(answer, "retry-after"), "1");
  door.open();
  EXPECT_TRUE(eventually([&] { return was_cancelled.load(); }));
}

TEST(Rest, WorkOfAClientThatHungUpIsGivenUp) {
  std::atomic<bool> running{false};
  std::atomic<bool> noticed{false};
  std::atomic<bool> may_end{false};
  std::atomic<int> others{0};
  RestServer rest({{.method = "GET",
                    .path = "/first",
                    .work = RestWork::in_turn,
                    .run = [&](RestCall& call) -> RestAnswer {
                      running = true;
                      noticed = eventually([&] { return call.cancelled(); });
                      EXPECT_TRUE(eventually([&] { return may_end.load(); }));
                      return text("");
                    }},
                   {.method = "GET",
                    .path = "/second",
                    .work = RestWork::in_turn,
                    .run = [&](RestCall&) -> RestAnswer {
                      ++others;
                      return text("second");
                    }},
                   {.method = "GET", .path = "/quick", .run = [](RestCall&) -> RestAnswer { return text("quick"); }}},
                  {});
  auto first = rest.send("GET", "/first");
  ASSERT_TRUE(eventually([&] { return running.load(); }));
  auto second = rest.send("GET", "/second");
  ASSERT_TRUE(eventually([&] { return rest.rest->waiting(RestWork::in_turn) == 1; }));
  second.reset();
  first.reset();
  ASSERT_TRUE(eventually([&] { return noticed.load(); }));
  EXPECT_EQ(rest.ask("GET", "/quick").body, "quick");  // what came before it the loop has seen by now
  may_end = true;
  EXPECT_EQ(rest.ask("GET", "/second").body, "second");  // behind the one that was given up
  EXPECT_EQ(others, 1);
}

TEST(Rest, SaysWhoAsks) {
  // As of htpasswd: one user, and one who may be anybody.
  const auto check = [](std::string_view user, std::string_view password) -> std::optional<Principal> {
    if (user == "grażyna" && password == "pass:wörd") return Principal{std::string(user)};
    if (user == "empty" && password.empty()) return Principal{"empty"};
    return std::nullopt;
  };
  const auto who = [](RestCall& call) -> RestAnswer { return text("<" + call.principal().name + ">"); };
  RestServer rest({{.method = "GET", .path = "/who", .run = who},
                   {.method = "GET", .path = "/slow", .work = RestWork::slow, .run = who},
                   {.method = "GET", .path = "/open", .run = who, .open = true}},
                  {.authenticate = basic_authentication("the \"fleet\"", check)});
  struct Row {
    const char* what;
    const char* header;
    const char* principal;  // nothing: 401
  };
  for (const Row& row : std::initializer_list<Row>{
           {"right", "Basic Z3Jhxbx5bmE6cGFzczp3w7ZyZA==", "grażyna"},
           {"scheme in any case", "bAsIc Z3Jhxbx5bmE6cGFzczp3w7ZyZA==", "grażyna"},
           {"spaces", "Basic   Z3Jhxbx5bmE6cGFzczp3w7ZyZA==", "grażyna"},
           {"no password", "Basic ZW1wdHk6", "empty"},
           {"nothing", "", nullptr},
           {"wrong password", "Basic Z3Jhxbx5bmE6eA==", nullptr},
           {"another user", "Basic eDp4", nullptr},
           {"another scheme", "Bearer Z3Jhxbx5bmE6cGFzczp3w7ZyZA==", nullptr},
           {"scheme alone", "Basic", nullptr},
           {"scheme and a space", "Basic ", nullptr},
           {"no colon", "Basic eHh4", nullptr},
           {"no base64", "Basic Z3Jh!!!!", nullptr},
           {"cut off", "Basic Z3Jhxbx5bmE6cGFzczp3w7ZyZA", nullptr},
           {"padding inside", "Basic Z3==hxbx", nullptr},
           {"more behind it", "Basic ZW1wdHk6 x", nullptr},
           {"Latin-1", "Basic Z3Jhv3luYTp4", nullptr},
           {"a control character", "Basic ZW1wdHk6AA==", nullptr},
       }) {
    for (const char* path : {"/who", "/slow"}) {
      const auto answer = rest.ask("GET", path, {}, {{"Authorization", row.header}});
      EXPECT_EQ(answer.status, row.principal ? 200 : 401) << row.what;
      EXPECT_EQ(answer.body, row.principal ? fmt::format("<{}>", row.principal)
                                           : "401:unauthorized:user and password are needed, and have to be right")
          << row.what;
      EXPECT_EQ(RestServer::header(answer, "www-authenticate"),
                row.principal ? "" : R"(Basic realm="the \"fleet\"", charset="UTF-8")")
          << row.what;
    }
  }
  EXPECT_EQ(rest.ask("GET", "/open").body, "<>");
  EXPECT_EQ(rest.ask("GET", "/nowhere").status, 404);
}

TEST(Rest, StopsWithCallsThatWaitAndRun) {
  Door door;
  std::atomic<int> ran{0};
  auto rest = std::make_unique<RestServer>(std::vector<RestRoute>{{.method = "GET",
                                                                   .path = "/",
                                                                   .work = RestWork::in_turn,
                                                                   .run = [&](RestCall&) -> RestAnswer {
                                                                     ++ran;
                                                                     door.wait();
                                                                     return text("late");
                                                                   }}},
                                           RestOptions{});
  std::vector<std::unique_ptr<BlockingSocket>> sockets;
  for (int i = 0; i < 5; ++i) sockets.push_back(rest->send("GET", "/"));
  ASSERT_TRUE(eventually([&] { return ran == 1 && rest->rest->waiting(RestWork::in_turn) == 4; }));
  rest->server->stop();
  std::thread stopping([&] { rest->rest->stop(); });
  EXPECT_TRUE(eventually([&] { return rest->rest->waiting(RestWork::in_turn) == 0; }));  // they are dropped
  door.open();
  stopping.join();
  EXPECT_EQ(ran, 1);
}

TEST(FuzzRest, SurvivesMutations) {
  testing::survive_mutations("net_basic_authentication", fuzz_basic_authentication,
                             {"Basic Z3Jhxbx5bmE6cGFzczp3w7ZyZA==", "Basic ZW1wdHk6"}, {.alphabet = "ABCabc=+/ "});
  testing::survive_mutations("net_query", fuzz_query, {"limit=10", "", "&&limit=%31&"}, {.alphabet = "limt=&%10"});
}

}  // namespace
}  // namespace muir::net
