#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/websocket_client.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

struct Fixture {
  explicit Fixture(HttpServerOptions options = {}) : server(HttpServer::create(loop, options)) {
    server->route("GET", "/hello", [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
      responder->respond({.content_type = "text/plain", .body = "hello " + request.query_param("name", "you")});
    });
    server->route("POST", "/echo", [](HttpRequest request, const std::shared_ptr<HttpResponder>& responder) {
      responder->respond({.body = std::move(request.body)});
    });
    server->route("GET", "/subjects/{subject}/versions/{version}",
                  [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
                    responder->respond({.body = request.path_params[0] + "|" + request.path_params[1]});
                  });
    server->route("GET", "/subjects/{subject}/versions/latest",
                  [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
                    responder->respond({.body = request.path_params[0] + "|newest"});
                  });
    server->route("GET", "/dropped", [](const HttpRequest&, const std::shared_ptr<HttpResponder>&) {});
    server->route("GET", "/throws", [](const HttpRequest&, const std::shared_ptr<HttpResponder>&) {
      throw std::runtime_error("a user's mistake");
    });
    server->route("GET", "/split", [](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
      responder->respond({.body = "x", .headers = {{"X-Note", "a\r\nInjected: yes"}}});
    });
    server->route("GET", "/kept", [this](const HttpRequest&, std::shared_ptr<HttpResponder> responder) {
      const std::lock_guard lock(mutex);
      kept.push_back(std::move(responder));
    });
  }
  void start() {
    const Status status = server->start();
    ASSERT_TRUE(status.ok()) << status.to_string();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", server->port()); }
  std::unique_ptr<HttpClient> client() const { return std::move(*HttpClient::create(url())); }
  HttpClientResponse get(const std::string& target) const { return request("GET", target); }
  HttpClientResponse request(const std::string& method, const std::string& target, BytesView body = {}) const {
    auto response = client()->request(method, target, body);
    EXPECT_TRUE(response.ok()) << response.status().to_string();
    return response.ok() ? std::move(*response) : HttpClientResponse{};
  }
  std::unique_ptr<BlockingSocket> raw() const {
    return std::move(*BlockingSocket::connect("127.0.0.1", server->port(), kWaitMs));
  }
  // Everything the server says until it closes.
  std::string conversation(std::string_view sent) const {
    const auto socket = raw();
    EXPECT_TRUE(socket->write_all(std::span(&sent, 1), INT64_MAX).ok());
    std::string out;
    char buffer[4096];
    for (;;) {
      const auto n = socket->read_some(buffer, INT64_MAX);
      if (!n.ok()) break;
      out.append(buffer, *n);
    }
    return out;
  }

  EventLoop loop{"http", 2};
  std::mutex mutex;
  std::vector<std::shared_ptr<HttpResponder>> kept;
  std::unique_ptr<HttpServer> server;
};

std::string header_of(const HttpClientResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

constexpr const char* kNotFound = R"({"error":{"code":"not_found","message":"not found"}})";

TEST(HttpServer, AnswersByMethodAndPath) {
  Fixture fixture;
  fixture.start();
  struct Row {
    const char* method;
    const char* target;
    int status;
    const char* body;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/hello", 200, "hello you"},
           {"GET", "/hello?name=a%20b+c", 200, "hello a b c"},
           {"GET", "/hello?x=1&name=%C5%81", 200, "hello \xC5\x81"},
           {"GET", "/hello?name=%zz", 200, "hello you"},
           {"GET", "/%68ello", 404, kNotFound},
           {"GET", "/hello/", 404, kNotFound},
           {"GET", "/", 404, kNotFound},
           {"PUT", "/hello", 405, R"({"error":{"code":"method_not_allowed","message":"method not allowed"}})"},
           {"GET", "/subjects/a%2Fb/versions/3", 200, "a/b|3"},
           {"GET", "/subjects/x/versions/latest", 200, "x|newest"},
           {"GET", "/subjects//versions/3", 404, kNotFound},
           {"GET", "/subjects/%/versions/3", 400, R"({"error":{"code":"bad_request","message":"malformed path"}})"},
           {"GET", "/dropped", 500, R"({"error":{"code":"internal","message":"the request was dropped"}})"},
           {"GET", "/throws", 500, R"({"error":{"code":"internal","message":"the request failed"}})"},
       }) {
    const auto response = fixture.request(row.method, row.target);
    EXPECT_EQ(response.status, row.status) << row.target;
    EXPECT_EQ(response.body, row.body) << row.target;
  }
  EXPECT_EQ(header_of(fixture.request("PUT", "/hello"), "allow"), "GET, HEAD");
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  Fixture fixture;
  fixture.start();
  const auto response = fixture.request("HEAD", "/hello");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_of(response, "content-length"), "9");
  EXPECT_EQ(response.body, "");
}

TEST(HttpServer, EchoesBodiesOverOneConnection) {
  Fixture fixture;
  fixture.start();
  const auto client = fixture.client();
  for (const size_t size : {1UL, 1000UL, 64'000UL, 3'000'000UL, 10UL}) {
    const Bytes body(size, 'b');
    const auto response = client->request("POST", "/echo", body);
    ASSERT_TRUE(response.ok()) << response.status().to_string();
    EXPECT_TRUE(response->body == body);
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Fixture fixture;
  fixture.start();
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += fmt::format("GET /hello?name={} HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
  requests += "GET /hello?name=last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const std::string answers = fixture.conversation(requests);
  size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = answers.find(fmt::format("hello {}", i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_TRUE(answers.ends_with("hello last"));
}

TEST(HttpServer, RefusesMalformedAndOversizedRequests) {
  Fixture fixture({.body_bytes_max = 1000, .header_bytes_max = 1000});
  fixture.start();
  struct Row {
    std::string sent;
    const char* status;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"nonsense\r\n\r\n", "400"},
           {"GET /hello\r\n\r\n", "400"},
           {"GET /hello HTTP/9.9\r\nHost: localhost\r\n\r\n", "505"},
           {"GET /hel lo HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"},
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n", "400"},
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n", "413"},
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3f0\r\n" +
                std::string(1008, 'x') + "\r\n0\r\n\r\n",
            "413"},
           {"GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(2000, 'x') + "\r\n\r\n", "431"},
       }) {
    const std::string answer = fixture.conversation(row.sent);
    EXPECT_EQ(answer.substr(9, 3), row.status) << row.sent.substr(0, 80);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(answer.find("\r\n\r\n{\"error\":{\"code\":\""), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\"}}")) << answer;
  }
}

TEST(HttpServer, GivesItsOwnErrorsTheOwnersForm) {
  const auto form = [](HttpResponse& response, std::string_view message, std::string_view accept) {
    response.content_type = "text/plain";
    response.body = fmt::format("<{} {} {}>", response.status, message.empty() ? "?" : "!", accept);
  };
  Fixture fixture({.body_bytes_max = 1000, .header_bytes_max = 1000, .merge_slashes = true, .error_form = form});
  fixture.start();
  struct Row {
    const char* name;
    std::string sent;
    const char* body;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"unknown path", "GET /no HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "<404 ! a/b>"},
           {"unknown method", "BREW /hello HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "<405 ! a/b>"},
           {"OPTIONS", "OPTIONS /hello/ HTTP/1.1\r\nHost: localhost\r\n", "<405 ! >"},
           {"malformed path", "GET /hello/% HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "<400 ! a/b>"},
           {"no HTTP", "nonsense\r\n", "<400 ! >"},
           {"HTTP of another version", "GET /hello HTTP/9.9\r\nHost: localhost\r\n", "<505 ! >"},
           {"large body", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n", "<413 ! >"},
           {"large header", "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(2000, 'x') + "\r\n",
            "<431 ! >"},
           {"page of another origin", "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://y\r\nAccept: a/b\r\n",
            "<403 ! a/b>"},
           {"exception", "GET /throws HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "<500 ! a/b>"},
           {"no answer", "GET /dropped HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "<500 ! a/b>"},
           {"a handler's answer", "GET //hello/ HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\n", "hello you"},
       }) {
    const std::string answer = fixture.conversation(row.sent + "Connection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with(std::string("\r\n\r\n") + row.body)) << row.name << ": " << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain\r\n"), std::string::npos) << row.name;
  }
}

TEST(HttpServer, TakesChunkedBodiesAndAnswers100Continue) {
  Fixture fixture;
  fixture.start();
  EXPECT_TRUE(fixture
                  .conversation("POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: "
                                "chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
                  .ends_with("\r\n\r\nhello world"));
  const auto socket = fixture.raw();
  BytesView head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  ASSERT_TRUE(socket->write_all(std::span(&head, 1), INT64_MAX).ok());
  char buffer[256];
  const auto n = socket->read_some(buffer, INT64_MAX);
  ASSERT_TRUE(n.ok());
  EXPECT_EQ(std::string_view(buffer, *n), "HTTP/1.1 100 Continue\r\n\r\n");
  head = "body";
  ASSERT_TRUE(socket->write_all(std::span(&head, 1), INT64_MAX).ok());
  const auto m = socket->read_some(buffer, INT64_MAX);
  ASSERT_TRUE(m.ok());
  EXPECT_TRUE(std::string_view(buffer, *m).ends_with("body"));
}

TEST(HttpServer, ClosesHttp10UnlessAskedToKeep) {
  Fixture fixture;
  fixture.start();
  EXPECT_TRUE(fixture.conversation("GET /hello HTTP/1.0\r\n\r\n").ends_with("hello you"));
}

TEST(HttpServer, LetsNoValueBeginAHeader) {
  Fixture fixture;
  fixture.start();
  const auto response = fixture.get("/split");
  EXPECT_EQ(header_of(response, "injected"), "");
}

TEST(HttpServer, AnswersLaterFromAnotherThread) {
  Fixture fixture;
  fixture.start();
  std::thread other([&] {
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard lock(fixture.mutex);
      return fixture.kept.size() == 1;
    }));
    const std::lock_guard lock(fixture.mutex);
    fixture.kept[0]->respond({.body = "late"});
    fixture.kept[0]->respond({.body = "ignored"});
  });
  EXPECT_EQ(fixture.get("/kept").body, "late");
  other.join();
}

TEST(HttpServer, StopsWhileRequestsAreUnanswered) {
  Fixture fixture;
  fixture.start();
  std::thread other([&] { EXPECT_FALSE(fixture.client()->request("GET", "/kept").ok()); });
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(fixture.mutex);
    return fixture.kept.size() == 1;
  }));
  fixture.server->stop();
  fixture.server->stop();
  other.join();
  fixture.kept[0]->respond({.body = "too late"});
}

// A client has its answer before the thread that gave it is done: what the server and its loop are must stay until
// then.
TEST(HttpServer, GoesWhileAnotherThreadIsAnswering) {
  EventLoop answering("answering");
  for (int round = 0; round < 200; ++round) {
    EventLoop loop("short");
    const auto server = HttpServer::create(loop, {});
    server->route("GET", "/", [&](const HttpRequest&, std::shared_ptr<HttpResponder> responder) {
      answering.post([responder = std::move(responder)] { responder->respond({.body = "here"}); });
    });
    ASSERT_TRUE(server->start().ok());
    const auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server->port()));
    const auto response = (*client)->request("GET", "/");
    ASSERT_TRUE(response.ok()) << response.status().to_string();
    EXPECT_EQ(response->body, "here");
  }
}

TEST(HttpServer, Answers408ToAStalledRequestAndClosesAnIdleConnection) {
  Fixture fixture({.idle_timeout_ms = 50});
  fixture.start();
  const std::string answer = fixture.conversation("GET /hello HTTP/1.1\r\nHo");
  EXPECT_EQ(answer.substr(9, 3), "408");
  EXPECT_TRUE(
      answer.ends_with(R"({"error":{"code":"request_timeout","message":"the request did not arrive in time"}})"));
  EXPECT_EQ(fixture.conversation(""), "");
}

TEST(HttpServer, RefusesConnectionsBeyondTheMaximumWith503) {
  Fixture fixture({.connections_max = 1});
  fixture.start();
  const auto first = fixture.client();
  ASSERT_TRUE(first->request("GET", "/hello").ok());
  const std::string answer = fixture.conversation("");
  EXPECT_EQ(answer.substr(9, 3), "503");
  EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
  const std::string body =
      R"({"error":{"code":"unavailable","message":"all 1 connections are taken; try again later"}})";
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), body);
  EXPECT_NE(answer.find(fmt::format("Content-Length: {}\r\n", body.size())), std::string::npos);
}

// When all connections are taken, those that have been silent for the longest time make room: idle ones, half requests,
// answers that are not read; no request that is worked on, and no WebSocket.
TEST(HttpServer, SilentConnectionsMakeRoomForNewOnes) {
  constexpr size_t kMax = 5;
  Fixture fixture({.connections_max = kMax});
  fixture.server->websocket("/feed", {});
  fixture.start();
  const auto working = fixture.raw();
  const std::string_view kept = "GET /kept HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_TRUE(working->write_all(std::span(&kept, 1), INT64_MAX).ok());
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(fixture.mutex);
    return fixture.kept.size() == 1;
  }));
  const auto socket = WebSocketClient::connect(fmt::format("ws://127.0.0.1:{}/feed", fixture.server->port()));
  ASSERT_TRUE(socket.ok()) << socket.status().to_string();
  std::vector<std::unique_ptr<BlockingSocket>> silent;
  for (const std::string_view sent : {"", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf",
                                      "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    silent.push_back(fixture.raw());
    ASSERT_TRUE(silent.back()->write_all(std::span(&sent, 1), INT64_MAX).ok());
  }
  // Each takes the place of a silent one, as soon as that has been silent for long enough.
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (size_t i = 0; i < silent.size(); ++i) {
    clients.push_back(fixture.client());
    EXPECT_TRUE(eventually([&] {
      const auto answer = clients.back()->request("GET", "/hello");
      return answer.ok() && answer->status == 200;
    })) << i;
  }
  for (const auto& one : silent) {
    char buffer[4096];
    auto n = one->read_some(buffer, INT64_MAX);
    while (n.ok()) n = one->read_some(buffer, INT64_MAX);
    EXPECT_EQ(n.status().code(), Code::unavailable);
  }
  fixture.kept.at(0)->respond({.body = "in the end"});
  char buffer[4096];
  const auto n = working->read_some(buffer, INT64_MAX);
  ASSERT_TRUE(n.ok()) << "the request that is worked on kept its connection";
  EXPECT_NE(std::string_view(buffer, *n).find("in the end"), std::string_view::npos);
}

TEST(HttpServer, GivesEveryAnswerAnIdAndRepeatsTheClients) {
  Fixture fixture;
  fixture.start();
  const auto id_of = [&fixture](std::string_view request) {
    const std::string answer = fixture.conversation(request);
    const size_t at = answer.find("X-Request-Id: ") + 14;
    return answer.substr(at, answer.find('\r', at) - at);
  };
  const auto ask = [&id_of](const std::string& target, const std::string& header) {
    return id_of("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + "\r\n");
  };
  EXPECT_EQ(ask("/hello", "X-Request-Id: gateway-7:42\r\n"), "gateway-7:42");
  EXPECT_EQ(ask("/missing", "x-request-id: a\r\n"), "a");
  EXPECT_EQ(ask("/dropped", "x-request-id: b\r\n"), "b");
  const std::string first = ask("/hello", "");
  EXPECT_GT(first.size(), 16U);
  EXPECT_NE(ask("/hello", ""), first);
  EXPECT_NE(ask("/hello", "X-Request-Id: " + std::string(129, 'x') + "\r\n").front(), 'x');  // too long to repeat
  EXPECT_NE(ask("/hello", "X-Request-Id: a b\r\n"), "a b");
  EXPECT_GT(id_of("no HTTP\r\n\r\n").size(), 16U);
}

TEST(HttpServer, IsClosedToPagesOfOtherOriginsUnlessTheyAreAllowed) {
  Fixture fixture({.allowed_origins = {"https://fleet.example.com"}});
  fixture.server->websocket("/live", {});
  fixture.start();
  const auto ask = [&fixture](const std::string& method, const std::string& target, const std::string& headers) {
    return fixture.conversation(method + " " + target + " HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n" +
                                headers + "\r\n");
  };
  struct Row {
    const char* method;
    const char* target;
    const char* headers;
    const char* status;
    bool readable;  // by the page that asks
  };
  for (const Row& row : std::initializer_list<Row>{
           {"POST", "/echo", "", "200", false},
           {"POST", "/echo", "Origin: http://localhost:8080\r\n", "200", false},
           {"POST", "/echo", "Origin: https://LOCALHOST:8080\r\n", "200", false},  // a proxy took the TLS off
           {"POST", "/echo", "Origin: http://evil.example\r\n", "403", false},
           {"POST", "/echo", "Origin: http://localhost:8081\r\n", "403", false},
           {"POST", "/echo", "Origin: null\r\n", "403", false},
           {"POST", "/echo", "Origin: https://fleet.example.com\r\n", "200", true},
           {"GET", "/hello", "Origin: http://evil.example\r\n", "200", false},
           {"GET", "/hello", "Origin: https://fleet.example.com\r\n", "200", true},
           {"GET", "/live", "Origin: http://evil.example\r\n", "403", false},
           {"GET", "/live", "Origin: http://localhost:8080\r\n", "426", false},
           {"OPTIONS", "/echo", "Origin: https://fleet.example.com\r\nAccess-Control-Request-Method: POST\r\n", "204",
            true},
           {"OPTIONS", "/echo", "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n", "405", false},
       }) {
    const std::string answer = ask(row.method, row.target, row.headers);
    EXPECT_EQ(answer.substr(9, 3), row.status) << row.method << ' ' << row.headers;
    EXPECT_EQ(answer.find("Access-Control-Allow-Origin: https://fleet.example.com\r\n") != std::string::npos,
              row.readable)
        << row.method << ' ' << row.headers;
  }
}

TEST(HttpServer, ServesFilesAndNothingOutsideTheFolder) {
  const testing::TempDir dir;
  std::filesystem::create_directories(dir.path() / "site" / "sub");
  std::ofstream(dir.path() / "secret.txt") << "secret";
  std::ofstream(dir.path() / "site" / "index.html") << "<p>home</p>";
  std::ofstream(dir.path() / "site" / "sub" / "a b.js") << "let x;";
  std::ofstream(dir.path() / "site" / ".hidden") << "hidden";
  std::filesystem::create_symlink(dir.path() / "secret.txt", dir.path() / "site" / "link.txt");
  Fixture fixture;
  fixture.server->files("/", (dir.path() / "site").string());
  fixture.start();
  struct Row {
    const char* target;
    int status;
    const char* type;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"/", 200, "text/html; charset=utf-8"},
           {"/index.html", 200, "text/html; charset=utf-8"},
           {"/sub/a%20b.js", 200, "text/javascript; charset=utf-8"},
           {"/sub", 404, nullptr},
           {"/missing.css", 404, nullptr},
           {"/.hidden", 404, nullptr},
           {"/link.txt", 404, nullptr},
           {"/../secret.txt", 404, nullptr},
           {"/%2e%2e/secret.txt", 404, nullptr},
           {"/sub/..%2f..%2fsecret.txt", 404, nullptr},
           {"/sub/%2e%2e/index.html", 404, nullptr},
           {"//etc/passwd", 404, nullptr},
           {"/index.html%00.js", 404, nullptr},
           {"/..%5csecret.txt", 404, nullptr},
           {"/hello", 200, "text/plain"},
       }) {
    const auto response = fixture.get(row.target);
    EXPECT_EQ(response.status, row.status) << row.target;
    if (row.type != nullptr) {
      EXPECT_EQ(header_of(response, "content-type"), row.type);
    }
    EXPECT_EQ(response.body.find("secret"), Bytes::npos);
  }
  const auto client = fixture.client();
  const std::string etag = header_of(*client->request("GET", "/"), "etag");
  EXPECT_EQ(client->request("GET", "/", {}, {{"If-None-Match", etag}})->status, 304);
  EXPECT_EQ(client->request("GET", "/", {}, {{"If-None-Match", "\"other\""}})->status, 200);
}

TEST(HttpServer, KnowsWhatIsThereBeforeItLooksAtTheMethod) {
  const testing::TempDir dir;
  std::ofstream(dir.path() / "index.html") << "<p>home</p>";
  std::ofstream(dir.path() / ".hidden") << "hidden";
  Fixture fixture;
  fixture.server->files("/", dir.str());
  fixture.start();
  struct Row {
    const char* target;
    int status;
    const char* allow;
  };
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    for (const Row& row : std::initializer_list<Row>{
             {"/index.html", 405, "GET, HEAD"},
             {"/", 405, "GET, HEAD"},
             {"/dropped", 405, "GET, HEAD"},
             {"/nope", 404, ""},
             {"/hello/nope", 404, ""},
             {"/.hidden", 404, ""},
             {"/%2e%2e/index.html", 404, ""},
         }) {
      const auto response = fixture.request(method, row.target);
      EXPECT_EQ(response.status, row.status) << method << " " << row.target;
      EXPECT_EQ(header_of(response, "allow"), row.allow) << method << " " << row.target;
    }
  }
  const std::string all = fixture.conversation("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 204 ")) << all;
  EXPECT_NE(all.find("\r\nAllow: GET, HEAD, POST\r\n"), std::string::npos) << all;
}

TEST(HttpServer, SendsThePackedFileBesideAFileToThoseWhoTakeIt) {
  const testing::TempDir dir;
  std::ofstream(dir.path() / "app.js") << "plain";
  std::ofstream(dir.path() / "app.js.gz") << "packed";
  std::ofstream(dir.path() / "old.js") << "plain";
  std::ofstream(dir.path() / "old.js.gz") << "packed";
  std::filesystem::last_write_time(dir.path() / "old.js.gz",
                                   std::filesystem::last_write_time(dir.path() / "old.js") - std::chrono::hours(1));
  std::ofstream(dir.path() / "link.js") << "plain";
  std::filesystem::create_symlink("/etc/hostname", dir.path() / "link.js.gz");
  Fixture fixture;
  fixture.server->files("/", dir.path().string());
  fixture.start();
  struct Row {
    const char* target;
    const char* accepted;
    const char* body;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"/app.js", "gzip, deflate, br", "packed"},
           {"/app.js", "br;q=1.0, gzip;q=0.8", "packed"},
           {"/app.js", "gzip;q=0, br", "plain"},
           {"/app.js", "gzip;q=0.0", "plain"},
           {"/app.js", "identity", "plain"},
           {"/app.js", "", "plain"},
           {"/old.js", "gzip", "plain"},  // what was packed is not what lies there now
           {"/link.js", "gzip", "plain"},
       }) {
    const auto response = fixture.client()->request("GET", row.target, {}, {{"Accept-Encoding", row.accepted}});
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->body, row.body) << row.target << ' ' << row.accepted;
    EXPECT_EQ(header_of(*response, "content-encoding"), response->body == "packed" ? "gzip" : "") << row.accepted;
    EXPECT_EQ(header_of(*response, "content-type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(header_of(*response, "vary"), std::string_view(row.target) == "/app.js" ? "Accept-Encoding" : "")
        << row.target;
  }
}

TEST(HttpClient, SendsAgainWhenTheServerClosedTheIdleConnection) {
  Fixture fixture({.idle_timeout_ms = 30});
  fixture.start();
  const auto client = fixture.client();
  for (int i = 0; i < 3; ++i) {
    const auto response = client->request("GET", "/hello");
    ASSERT_TRUE(response.ok()) << response.status().to_string();
    const auto idle = fixture.raw();  // closed by the server after as long an idle time
    char byte;
    EXPECT_FALSE(idle->read_some({&byte, 1}, INT64_MAX).ok());
  }
}

// A refusal is given before the body has been read, and the connection ends: the client tells it, not that its bytes
// were not wanted.
TEST(HttpClient, TellsARefusalThatComesBeforeTheBodyIsRead) {
  Fixture fixture({.body_bytes_max = 1000});
  fixture.start();
  const auto client = fixture.client();
  for (const size_t size : {size_t{1001}, size_t{300'000}, size_t{30'000'000}}) {
    const auto answer = client->request("POST", "/echo", Bytes(size, 'b'));
    ASSERT_TRUE(answer.ok()) << size << ": " << answer.status().to_string();
    EXPECT_EQ(answer->status, 413);
    EXPECT_EQ(fixture.client()->request("POST", "/echo", "small")->status, 200);
  }
  // The same client goes on.
  EXPECT_EQ(client->request("POST", "/echo", "small")->body, "small");
}

TEST(HttpClient, SaysWhatFailed) {
  const auto client = std::move(*HttpClient::create("http://127.0.0.1:1"));
  const auto response = client->request("GET", "/x");
  EXPECT_NE(response.status().message().find("GET http://127.0.0.1:1/x"), std::string::npos)
      << response.status().message();
  EXPECT_FALSE(HttpClient::create("ftp://x").ok());
}

// ---- WebSocket

struct EchoSocket {
  explicit EchoSocket(HttpServerOptions options = {}) : fixture(options) {
    fixture.server->websocket(
        "/feed", {.on_open =
                      [this](const std::shared_ptr<WebSocket>& socket, const HttpRequest& request) {
                        {
                          const std::lock_guard lock(fixture.mutex);
                          sockets.push_back(socket);
                        }
                        // Last: who has read it may ask for the socket.
                        socket->send_text(std::make_shared<std::string>("welcome " + request.query));
                      },
                  .on_text = [](const std::shared_ptr<WebSocket>& socket,
                                std::string_view text) { socket->send_text(std::make_shared<std::string>(text)); },
                  .on_close = [this](const std::shared_ptr<WebSocket>&) { ++closed; }});
    fixture.start();
  }
  std::unique_ptr<WebSocketClient> client(const std::string& query = "") {
    auto connected = WebSocketClient::connect(fmt::format("ws://127.0.0.1:{}/feed{}", fixture.server->port(), query));
    EXPECT_TRUE(connected.ok()) << connected.status().to_string();
    return std::move(*connected);
  }
  std::shared_ptr<WebSocket> socket() {
    const std::lock_guard lock(fixture.mutex);
    return sockets.at(0);
  }
  Fixture fixture;
  std::vector<std::shared_ptr<WebSocket>> sockets;
  std::atomic<int> closed{0};
};

TEST(WebSocket, EchoesMessagesOfEverySize) {
  EchoSocket server;
  const auto client = server.client("?who=me");
  EXPECT_EQ(*client->receive_text(kWaitMs), "welcome who=me");
  for (const size_t size : {0UL, 125UL, 126UL, 65'535UL, 65'536UL, 900'000UL}) {
    const std::string sent(size, 'm');
    ASSERT_TRUE(client->send_text(sent).ok());
    const auto received = client->receive_text(kWaitMs);
    ASSERT_TRUE(received.ok()) << received.status().to_string();
    EXPECT_TRUE(*received == sent) << size;
  }
  EXPECT_EQ(client->receive_text(5).status().code(), Code::timed_out);
}

TEST(WebSocket, TellsItsOwnerWhenThePeerIsGone) {
  EchoSocket server;
  server.client();
  EXPECT_TRUE(eventually([&] { return server.closed == 1; }));
  server.socket()->send_text(std::make_shared<std::string>("into the void"));
}

TEST(WebSocket, ClosesOnAMessageBeyondTheLimit) {
  EchoSocket server({.websocket_message_bytes_max = 1000});
  const auto client = server.client();
  EXPECT_TRUE(client->receive_text(kWaitMs).ok());
  ASSERT_TRUE(client->send_text(std::string(1001, 'x')).ok());
  EXPECT_EQ(client->receive_text(kWaitMs).status().code(), Code::unavailable);
}

TEST(WebSocket, ShowsTheQueueOfASlowReader) {
  EchoSocket server;
  const auto client = server.client();
  ASSERT_TRUE(client->receive_text(kWaitMs).ok());
  const auto big = std::make_shared<const std::string>(1'000'000, 'x');
  for (int i = 0; i < 20; ++i) server.socket()->send_text(big);
  EXPECT_GT(server.socket()->send_queue_bytes(), 1'000'000U);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client->receive_text(kWaitMs).ok());
  EXPECT_TRUE(eventually([&] { return server.socket()->send_queue_bytes() == 0; }));
}

TEST(WebSocket, OutlivesTheIdleTimeoutWhileThePeerAnswersPings) {
  EchoSocket server({.idle_timeout_ms = 500});  // long enough to answer a ping on a busy machine
  const auto client = server.client();
  ASSERT_TRUE(client->receive_text(kWaitMs).ok());
  EXPECT_EQ(client->receive_text(1500).status().code(), Code::timed_out);  // answers pings meanwhile
  ASSERT_TRUE(client->send_text("still here").ok());
  EXPECT_EQ(*client->receive_text(kWaitMs), "still here");
}

TEST(WebSocket, RefusesWhatIsNoUpgrade) {
  EchoSocket server;
  EXPECT_EQ(server.fixture.get("/feed").status, 426);
  EXPECT_EQ(server.fixture
                .conversation(
                    "GET /feed HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n")
                .substr(9, 3),
            "400");
  EXPECT_EQ(server.fixture
                .conversation("GET /feed HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, "
                              "close\r\nSec-WebSocket-Version: 8\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
                .substr(9, 3),
            "426");
}

TEST(HttpServer, ServesManyClientsAtOnce) {
  EchoSocket server;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto client = server.fixture.client();
      const auto socket = server.client();
      (void)socket->receive_text(kWaitMs);
      for (int i = 0; i < 50; ++i) {
        const std::string text = fmt::format("{}-{}", t, i);
        const auto response = client->request("POST", "/echo", text);
        if (response.ok() && response->body == text && socket->send_text(text).ok() &&
            socket->receive_text(kWaitMs).value_or("") == text)
          ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

}  // namespace
}  // namespace muir::net
