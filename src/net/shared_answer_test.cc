// Large answers that go to many connections: held once, sent as each peer reads, and no peer waits for another.
#include <atomic>
#include <mutex>

#include "base/memory.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/tls_fixture.h"
#include "net/websocket_client.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr size_t kSnapshotBytes = 16 * 1024 * 1024;
constexpr size_t kPeers = 40;

class SharedAnswer : public ::testing::TestWithParam<bool> {
 protected:
  SharedAnswer() {
    server_->route("GET", "/snapshot", [this](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
      ++asked_;
      responder->respond({.content_type = "text/plain", .shared_body = snapshot_});
    });
    server_->websocket("/feed", {.on_open =
                                     [this](const std::shared_ptr<WebSocket>& socket, const HttpRequest&) {
                                       socket->send_text(snapshot_);
                                       const std::lock_guard lock(mutex_);
                                       socket_ = socket;
                                     },
                                 .on_drained = [this](const std::shared_ptr<WebSocket>&) { ++drained_; }});
    EXPECT_TRUE(server_->start().ok());
  }
  ~SharedAnswer() override { server_->stop(); }

  [[nodiscard]] std::string origin(std::string_view scheme) const {
    return fmt::format("{}{}://localhost:{}", scheme, tls_ ? "s" : "", server_->port());
  }
  [[nodiscard]] std::unique_ptr<BlockingSocket> ask_without_reading(BytesView request) const {
    auto socket = BlockingSocket::connect("localhost", server_->port(), kWaitMs, tls_);
    EXPECT_TRUE(socket.ok()) << socket.status().to_string();
    EXPECT_TRUE((*socket)->write_all(std::span(&request, 1), INT64_MAX).ok());
    return std::move(*socket);
  }

  // The one of the client that has connected.
  [[nodiscard]] std::shared_ptr<WebSocket> server_socket() {
    EXPECT_TRUE(eventually([this] {
      const std::lock_guard lock(mutex_);
      return socket_ != nullptr;
    }));
    return socket_;
  }

  const std::shared_ptr<const std::string> snapshot_ = std::make_shared<const std::string>(kSnapshotBytes, 's');
  const std::shared_ptr<const TlsContext> tls_ = GetParam() ? client_context(with_trust()) : nullptr;
  std::atomic<size_t> asked_{0};
  std::atomic<int> drained_{0};
  std::mutex mutex_;
  std::shared_ptr<WebSocket> socket_;
  EventLoop loop_{"http", 1};
  std::unique_ptr<HttpServer> server_ =
      HttpServer::create(loop_, {.tls = GetParam() ? server_context(server_options()) : nullptr});
};

constexpr size_t kHeadBytesMax = 1024;
constexpr size_t kTlsBytesMax = 64 * 1024;

TEST_P(SharedAnswer, IsHeldOnceForAllPeersThatDoNotReadAndAnotherPeerReadsItAtOnce) {
  [[maybe_unused]] const size_t before = resident_bytes();
  std::vector<std::unique_ptr<BlockingSocket>> peers;
  for (size_t i = 0; i < kPeers; ++i)
    peers.push_back(ask_without_reading("GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  ASSERT_TRUE(eventually([this] { return asked_ == kPeers; })) << asked_;

  auto client = HttpClient::create(origin("http"), {.tls = tls_});
  const auto answer = (*client)->request("GET", "/snapshot");
  ASSERT_TRUE(answer.ok()) << answer.status().to_string();
  EXPECT_TRUE(answer->body == *snapshot_);
  client->reset();
  // The reader's own copies, and what TLS has in work for each: far from a copy for each.
#ifndef MUIR_SANITIZED  // which keep what has been given back
  EXPECT_LT(resident_bytes(), before + 8 * kSnapshotBytes);
#endif
  // And each connection's own: the answer's head, which nobody reads either, and what TLS takes.
  const size_t connections = (kPeers + 1) * (kHeadBytesMax + (GetParam() ? kTlsBytesMax : 0));
  EXPECT_GE(server_->memory_use().now, kSnapshotBytes);
  EXPECT_LE(server_->memory_use().now, kSnapshotBytes + connections);
  EXPECT_LE(server_->memory_use().peak, kSnapshotBytes + connections);
  peers.clear();
  EXPECT_TRUE(eventually([this] { return server_->memory_use().now == 0; })) << server_->memory_use().now;
  EXPECT_EQ(snapshot_.use_count(), 1);
}

TEST_P(SharedAnswer, OfAWebSocketTellsItsOwnerWhenASlowPeerHasReadAll) {
  const auto slow = WebSocketClient::connect(origin("ws") + "/feed", kWaitMs, tls_);
  ASSERT_TRUE(slow.ok()) << slow.status().to_string();
  const auto socket = server_socket();
  EXPECT_GT(socket->send_queue_bytes(), 0U);
  EXPECT_EQ(drained_, 0);
  EXPECT_EQ((*slow)->receive_text(kWaitMs).value_or("").size(), kSnapshotBytes);
  EXPECT_TRUE(eventually([this] { return drained_ == 1; }));
  EXPECT_EQ(socket->send_queue_bytes(), 0U);
}

INSTANTIATE_TEST_SUITE_P(With, SharedAnswer, ::testing::Bool(),
                         [](const auto& tls) { return tls.param ? "Tls" : "PlainText"; });

}  // namespace
}  // namespace muir::net
