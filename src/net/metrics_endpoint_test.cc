#include "net/metrics_endpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <latch>
#include <thread>

#include "base/metrics_text.h"
#include "net/http_client.h"
#include "net/websocket_client.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::net {
namespace {

using testing::eventually;

std::string header(const HttpClientResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

class MetricsEndpointTest : public ::testing::Test {
 protected:
  MetricsEndpointTest() {
    endpoint_.add_to(*server_);
    server_->route("GET", "/things/{id}", [](const HttpRequest& request, const auto& responder) {
      responder->respond({.status = request.path_params[0] == "none" ? 404 : 200});
    });
    server_->websocket("/feed", {});
    const Status status = server_->start();
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  ~MetricsEndpointTest() override {
    endpoint_.stop();
    server_->stop();
  }

  HttpClientResponse get(const std::string& path,
                         const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server_->port()));
    auto response = (*client)->request("GET", path, {}, headers);
    EXPECT_TRUE(response.ok()) << response.status().to_string();
    return response.ok() ? *std::move(response) : HttpClientResponse{};
  }
  bool shows(const std::string& line) { return get("/metrics").body.find(line + "\n") != std::string::npos; }

  MetricsRegistry registry_;
  MetricsEndpoint endpoint_{registry_};
  EventLoop loop_{"test"};
  std::unique_ptr<HttpServer> server_ =
      HttpServer::create(loop_, {.connections_max = 8, .metrics = &registry_, .metrics_name = "test"});
};

TEST_F(MetricsEndpointTest, AnswersInTheFormatThatIsAskedFor) {
  MetricsGroup group(&registry_);
  group.counter("a_total", "A.").add(7);
  const auto text = get("/metrics");
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(header(text, "content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(text.body.find("# TYPE a_total counter\n# HELP a_total A.\na_total 7\n"), std::string::npos) << text.body;
  const auto open = get("/metrics", {{"Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}});
  EXPECT_EQ(header(open, "content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_NE(open.body.find("# TYPE a counter\n# HELP a A.\na_total 7\n"), std::string::npos) << open.body;
  EXPECT_TRUE(open.body.ends_with("# EOF\n"));
}

TEST_F(MetricsEndpointTest, RequestsAreCountedByRouteAndStatus) {
  (void)get("/things/a");
  (void)get("/things/b");
  (void)get("/things/none");
  (void)get("/elsewhere/x");
  (void)get("/elsewhere/y");
  for (const char* line : {
           R"(muir_http_requests_total{code="200",method="GET",route="/things/{id}",server="test"} 2)",
           R"(muir_http_requests_total{code="404",method="GET",route="/things/{id}",server="test"} 1)",
           R"(muir_http_requests_total{code="404",method="any",route="none",server="test"} 2)",
           R"(muir_http_request_duration_seconds_count{method="GET",route="/things/{id}",server="test"} 3)",
           R"(muir_net_connections_max{server="test"} 8)",
           R"(muir_net_connections_refused_total{server="test"} 0)",
       })
    EXPECT_TRUE(shows(line)) << line << "\n" << get("/metrics").body;
  // Each request had a connection of its own, as has the one that asks.
  EXPECT_TRUE(eventually([&] { return shows(R"(muir_net_connections{server="test"} 1)"); }));
}

TEST(HttpRoutes, WhatIsNoFileIsNotCountedAsOne) {
  const testing::TempDir dir;
  std::ofstream(dir.path() / "index.html") << "<p>home</p>";
  struct Row {
    const char* method;
    const char* path;
    int status;
    const char* counted;  // method and route
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/", 200, R"(method="GET",route="files")"},
           {"HEAD", "/index.html", 200, R"(method="GET",route="files")"},
           {"GET", "/missing.css", 404, R"(method="any",route="none")"},
           {"GET", "/../secret", 404, R"(method="any",route="none")"},
           {"GET", "/things/a/", 404, R"(method="any",route="none")"},
           {"PUT", "/things/a/", 404, R"(method="any",route="none")"},
           {"DELETE", "/things/a/", 404, R"(method="any",route="none")"},
           {"POST", "/index.html", 405, R"(method="any",route="none")"},
           {"PUT", "/things/a", 405, R"(method="any",route="none")"},
           {"GET", "/things/a", 200, R"(method="GET",route="/things/{id}")"},
           {"GET", "/things/%zz", 400, R"(method="any",route="none")"},
       }) {
    MetricsRegistry registry;
    EventLoop loop("test");
    const auto server = HttpServer::create(loop, {.metrics = &registry, .metrics_name = "test"});
    server->route("GET", "/things/{id}", [](const HttpRequest&, const auto& responder) { responder->respond({}); });
    server->files("/", dir.str());
    ASSERT_TRUE(server->start().ok());
    const auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server->port()));
    const auto response = (*client)->request(row.method, row.path);
    ASSERT_TRUE(response.ok()) << row.method << ' ' << row.path << ": " << response.status().to_string();
    EXPECT_EQ(response->status, row.status) << row.method << ' ' << row.path;
    const std::string line =
        fmt::format("muir_http_requests_total{{code=\"{}\",{},server=\"test\"}} 1\n", row.status, row.counted);
    const std::string text = metrics_text(registry.collect(), metrics_format(""));
    EXPECT_NE(text.find(line), std::string::npos) << row.method << ' ' << row.path << ": " << line << text;
    server->stop();
  }
}

TEST_F(MetricsEndpointTest, OpenWebSocketsAreCounted) {
  auto socket = WebSocketClient::connect(fmt::format("ws://127.0.0.1:{}/feed", server_->port()));
  ASSERT_TRUE(socket.ok()) << socket.status().to_string();
  EXPECT_TRUE(shows(R"(muir_http_websockets{server="test"} 1)"));
  socket->reset();
  EXPECT_TRUE(eventually([&] { return shows(R"(muir_http_websockets{server="test"} 0)"); }));
}

TEST_F(MetricsEndpointTest, ASlowPartHoldsUpNobodyElse) {
  std::latch collecting(1);
  std::latch released(1);
  MetricsGroup slow(&registry_);
  slow.gauge_of("slow", "Slow.", {}, [&] {
    collecting.count_down();
    released.wait();
    return 1;
  });
  std::thread waits([&] { EXPECT_TRUE(shows("slow 1")); });
  collecting.wait();
  EXPECT_EQ(get("/things/a").status, 200);
  released.count_down();
  waits.join();
}

TEST_F(MetricsEndpointTest, AnswersNobodyAfterItsEnd) {
  EXPECT_EQ(get("/metrics").status, 200);
  endpoint_.stop();
  const auto refused = get("/metrics");
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(header(refused, "retry-after").empty());
}

}  // namespace
}  // namespace muir::net
