// Lists that a peer sends in several headers are one list (RFC 9110, 5.3), whoever asks for them.
#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/http_request_head.h"

namespace muir::net {
namespace {

TEST(HttpLists, OfSeveralHeadersAreOne) {
  const struct {
    const char* what;
    HttpFields sent;
    HttpFields joined;
  } cases[] = {
      {"nothing", {}, {}},
      {"once", {{"accept", "a"}}, {{"accept", "a"}}},
      {"twice", {{"accept", "a"}, {"accept", "b, c"}}, {{"accept", "a, b, c"}}},
      {"with others between them",
       {{"x", "1"}, {"accept", "a"}, {"y", "2"}, {"connection", "k"}, {"accept", "b"}, {"connection", "u"}, {"z", "3"}},
       {{"x", "1"}, {"accept", "a, b"}, {"y", "2"}, {"connection", "k, u"}, {"z", "3"}}},
      {"three times", {{"via", "1"}, {"via", "2"}, {"via", "3"}}, {{"via", "1, 2, 3"}}},
      {"an empty one", {{"connection", "k"}, {"connection", ""}}, {{"connection", "k"}}},
      {"empty ones at first", {{"via", ""}, {"via", ""}, {"via", "1"}}, {{"via", "1"}}},
      {"what is no list", {{"x-a", "1"}, {"x-a", "2"}}, {{"x-a", "1"}, {"x-a", "2"}}},
      {"what the parser has looked at",
       {{"expect", "100-continue"}, {"expect", "100-continue"}},
       {{"expect", "100-continue"}, {"expect", "100-continue"}}},
      {"cookies that are set", {{"set-cookie", "a"}, {"set-cookie", "b"}}, {{"set-cookie", "a"}, {"set-cookie", "b"}}},
  };
  for (const auto& c : cases) {
    HttpFields fields = c.sent;
    join_lists(fields);
    EXPECT_EQ(fields, c.joined) << c.what;
  }
}

TEST(HttpLists, GzipIsTakenByWhoSaysSo) {
  const struct {
    const char* accepted;
    bool taken;
  } cases[] = {
      {"", false},           {"gzip", true},           {"GZIP", true},
      {"x-gzip", true},      {"br, gzip", true},       {"br;q=1.0, gzip;q=0.8", true},
      {"gzip;q=0", false},   {"gzip; q=0.000", false}, {"gzip; q=0.001", true},
      {"br", false},         {"notgzip", false},       {"gzipped", false},
      {"*", true},           {"*;q=0", false},         {"*, gzip;q=0", false},
      {"*;q=0, gzip", true}, {"identity", false},
  };
  for (const auto& c : cases) EXPECT_EQ(takes_gzip(c.accepted), c.taken) << c.accepted;
}

TEST(HttpLists, AnElementIsAWholeOne) {
  EXPECT_TRUE(lists("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(lists("upgrade", "upgrade"));
  EXPECT_FALSE(lists("keep-alive, no-upgrade", "upgrade"));
  EXPECT_FALSE(lists("", "upgrade"));
}

TEST(HttpLists, HandlersSeeAllOfThem) {
  EventLoop loop("http", 1);
  const auto server = HttpServer::create(loop, {});
  server->route("GET", "/told", [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.body = Bytes(request.header("accept")) + "|" + Bytes(request.header("accept-encoding")) + "|" +
                                Bytes(request.header("x-a"))});
  });
  ASSERT_TRUE(server->start().ok());
  const auto client = HttpClient::create(fmt::format("http://localhost:{}", server->port())).value();
  const auto answer = client->request("GET", "/told", {},
                                      {{"Accept", "text/html"},
                                       {"Accept-Encoding", "br"},
                                       {"X-A", "1"},
                                       {"Accept", "application/json;q=0.5"},
                                       {"accept-encoding", "gzip"},
                                       {"X-A", "2"}});
  ASSERT_TRUE(answer.ok()) << answer.status().to_string();
  EXPECT_EQ(answer->body, "text/html, application/json;q=0.5|br, gzip|1");
  server->stop();
}

}  // namespace
}  // namespace muir::net
