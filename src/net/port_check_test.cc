#include "net/port_check.h"

#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

TEST(PortCheck, SaysBeforehandWhatListeningWouldSay) {
  EventLoop loop("port-check-test", 1);
  const auto server = HttpServer::create(loop, {});
  server->route("GET", "/", [](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.body = "{}"});
  });
  ASSERT_TRUE(server->start().ok());
  const uint16_t port = server->port();
  struct Row {
    const char* host;
    uint16_t port;
    Code code;
  };
  for (const Row& row : std::initializer_list<Row>{{"127.0.0.1", 0, Code::ok},
                                                   {"localhost", 0, Code::ok},
                                                   {"0.0.0.0", 0, Code::ok},
                                                   {"127.0.0.1", port, Code::already_exists},
                                                   {"localhost", port, Code::already_exists},
                                                   {"0.0.0.0", port, Code::already_exists},
                                                   {"192.0.2.1", 0, Code::invalid_argument},
                                                   {"no such host", 0, Code::invalid_argument}}) {
    const Status said = check_port(row.host, row.port);
    EXPECT_EQ(said.code(), row.code) << row.host << ":" << row.port << " " << said.to_string();
    const auto other = HttpServer::create(loop, {.host = row.host, .port = row.port});
    EXPECT_EQ(other->start().ok(), said.ok()) << row.host << ":" << row.port;
    other->stop();
  }
  // The one that listens has not noticed, and a connection that has just ended is no other program.
  const auto client = std::move(*HttpClient::create(fmt::format("http://127.0.0.1:{}", port)));
  EXPECT_EQ(client->request("GET", "/")->status, 200);
  server->stop();
  EXPECT_TRUE(check_port("127.0.0.1", port).ok());
}

TEST(PortCheck, APortIsWaitedForAsLongAsItIsTaken) {
  struct Row {
    const char* host;
    int ends_at;  // the question at which the other program ends; 0: never
    int asked;
    Code code;
  };
  for (const Row& row : std::initializer_list<Row>{{"127.0.0.1", 1, 1, Code::ok},
                                                   {"127.0.0.1", 3, 3, Code::ok},
                                                   {"127.0.0.1", 0, 4, Code::already_exists},
                                                   {"192.0.2.1", 0, 0, Code::invalid_argument}}) {
    EventLoop loop("port-check-test", 1);
    const auto server = HttpServer::create(loop, {});
    ASSERT_TRUE(server->start().ok());
    int asked = 0;
    const Status said = wait_for_port(row.host, server->port(), [&] {
      if (++asked == row.ends_at) {
        server->stop();
        // The kernel may hold its socket for a moment longer.
        EXPECT_TRUE(testing::eventually([&] { return check_port(row.host, server->port()).ok(); }));
      }
      return asked < 4;
    });
    EXPECT_EQ(said.code(), row.code) << said.to_string();
    EXPECT_EQ(asked, row.asked) << row.host << " " << row.ends_at;
    server->stop();
  }
}

}  // namespace
}  // namespace muir::net
