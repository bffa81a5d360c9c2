// Answers that are made while the peer reads them.
#include "net/body_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "net/event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr size_t kPartBytes = 16 * 1024;

// Parts on request of the test, and whether somebody still waits.
struct Told {
  std::atomic<int> asked{0};
  std::atomic<bool> ended{false};
  std::mutex mutex;
  BodySource::Done done;
  void give(Result<Bytes> part) {
    BodySource::Done taken;
    {
      const std::lock_guard lock(mutex);
      taken = std::exchange(done, nullptr);
    }
    ASSERT_TRUE(taken);
    taken(std::move(part));
  }
};

class Asked final : public BodySource {
 public:
  explicit Asked(Told& told) : told_(told) {}
  ~Asked() override { told_.ended = true; }
  void next(Done done) override {
    const std::lock_guard lock(told_.mutex);
    told_.done = std::move(done);
    ++told_.asked;
  }

 private:
  Told& told_;
};

class Streaming : public ::testing::Test {
 protected:
  Streaming() {
    server_->route("GET", "/parts/{n}", [this](const HttpRequest& request, const auto& responder) {
      responder->respond(
          {.content_type = "text/plain",
           .source = body_of([this, left = std::stoi(request.path_params[0])]() mutable -> Result<Bytes> {
             ++made_;
             if (left-- == 0) return Bytes();
             return Bytes(kPartBytes, static_cast<char>('a' + left % 26));
           })});
    });
    server_->route("GET", "/told", [this](const HttpRequest&, const auto& responder) {
      responder->respond({.source = std::make_shared<Asked>(told_)});
    });
    server_->route("GET", "/throws", [](const HttpRequest&, const auto& responder) {
      responder->respond({.source = body_of([]() -> Result<Bytes> { throw std::runtime_error("a mistake"); })});
    });
    EXPECT_TRUE(server_->start().ok());
  }
  ~Streaming() override { server_->stop(); }

  [[nodiscard]] std::unique_ptr<BlockingSocket> send(const std::string& request) const {
    auto socket = std::move(*BlockingSocket::connect("127.0.0.1", server_->port(), kWaitMs));
    const BytesView view = request;
    EXPECT_TRUE(socket->write_all(std::span(&view, 1), INT64_MAX).ok());
    return socket;
  }
  static std::string read_all(BlockingSocket& socket) {
    std::string out;
    char buffer[4096];
    for (auto n = socket.read_some(buffer, INT64_MAX); n.ok() && *n > 0; n = socket.read_some(buffer, INT64_MAX))
      out.append(buffer, *n);
    return out;
  }

  Told told_;
  std::atomic<int> made_{0};
  EventLoop loop_{"stream"};
  std::unique_ptr<HttpServer> server_ = HttpServer::create(loop_, {});
};

TEST_F(Streaming, ABodyArrivesWholeOverOneConnection) {
  const auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server_->port()));
  for (const int parts : {0, 1, 5, 300, 2}) {
    const auto response = (*client)->request("GET", fmt::format("/parts/{}", parts));
    ASSERT_TRUE(response.ok()) << response.status().to_string();
    std::string expected;
    for (int left = parts; left-- > 0;) expected.append(kPartBytes, static_cast<char>('a' + left % 26));
    EXPECT_EQ(response->body, expected) << parts;
  }
}

TEST_F(Streaming, TheFormIsTheClients) {
  struct Row {
    const char* request;
    const char* has;
    const char* end;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET /parts/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "Transfer-Encoding: chunked\r\n",
            "\r\n\r\n0\r\n\r\n"},
           {"GET /parts/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "\r\n\r\n4000\r\naaaa",
            "aaaa\r\n0\r\n\r\n"},
           {"GET /parts/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: close\r\n\r\naaaa", "aaaa"},
           {"HEAD /parts/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "Transfer-Encoding: chunked\r\n",
            "\r\n\r\n"},
       }) {
    const std::string answer = read_all(*send(row.request));
    EXPECT_NE(answer.find(row.has), std::string::npos) << row.request << answer.substr(0, 300);
    EXPECT_TRUE(answer.ends_with(row.end)) << row.request;
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << row.request;
  }
}

TEST_F(Streaming, PipelinedRequestsWaitForTheEnd) {
  const auto socket = send(
      "GET /told HTTP/1.1\r\nHost: localhost\r\n\r\nGET /parts/0 HTTP/1.1\r\nHost: localhost\r\nConnection: "
      "close\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return told_.asked == 1; }));
  told_.give(Bytes("first"));
  ASSERT_TRUE(eventually([&] { return told_.asked == 2; }));
  EXPECT_EQ(made_, 0);
  told_.give(Bytes());
  const std::string all = read_all(*socket);
  EXPECT_LT(all.find("5\r\nfirst\r\n0\r\n\r\nHTTP/1.1 200"), all.size()) << all;
}

TEST_F(Streaming, NoMoreIsMadeThanThePeerReads) {
  const int parts = 10'000;  // 160 MB
  const auto socket =
      send(fmt::format("GET /parts/{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", parts));
  // It ends with what the sockets' buffers and the queue take.
  int before = -1;
  ASSERT_TRUE(eventually([&] { return std::exchange(before, made_.load()) == made_ && made_ > 4; }));
  EXPECT_LT(made_, parts / 4);
  EXPECT_LT(server_->memory_use().peak, 2u << 20);
  const std::string all = read_all(*socket);
  EXPECT_EQ(made_, parts + 1);
  EXPECT_GT(all.size(), parts * kPartBytes);
  EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
}

TEST_F(Streaming, ASourceEndsWithItsConnection) {
  auto socket = send("GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return told_.asked == 1; }));
  socket.reset();
  told_.give(Bytes(1'000'000, 'x'));  // nobody is there to read it
  ASSERT_TRUE(eventually([&] {
    if (told_.ended) return true;
    if (told_.asked == 2) told_.asked = 1, told_.give(Bytes(1'000'000, 'x'));
    return false;
  }));
}

TEST_F(Streaming, AnErrorIsNotTheEnd) {
  const auto client = HttpClient::create(fmt::format("http://127.0.0.1:{}", server_->port()));
  EXPECT_FALSE((*client)->request("GET", "/throws").ok());
  std::thread giving([&] {
    EXPECT_TRUE(eventually([&] { return told_.asked == 1; }));
    told_.give(Bytes("half"));
    EXPECT_TRUE(eventually([&] { return told_.asked == 2; }));
    told_.give(error(Code::io_error, "the disk"));
  });
  EXPECT_FALSE((*client)->request("GET", "/told").ok());
  giving.join();
  EXPECT_TRUE(eventually([&] { return told_.ended.load(); }));
}

TEST_F(Streaming, TheServerStopsWhilePartsAreMade) {
  const auto socket = send("GET /told HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return told_.asked == 1; }));
  server_->stop();
  EXPECT_TRUE(told_.ended);
  told_.give(Bytes("late"));
}

}  // namespace
}  // namespace muir::net
