// A thousand connections that take memory and give nothing: the server, a process of its own, keeps within its bounds,
// answers an ordinary client beside them, and gives the memory back to the system afterwards.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "net/hostile_fixture.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/read_space.h"
#include "net/internal/websocket_codec.h"
#include "testing/deflated.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

using testing::eventually;

constexpr const char* kServer = "HostileConnections.DISABLED_Server";
constexpr size_t kMemoryMax = 64 * kMiB;
constexpr size_t kBigBytes = 6 * kMiB;
constexpr size_t kBodyMax = 4 * kMiB;
constexpr size_t kMessageMax = kMiB;
// What a connection costs by itself, and what an allocator keeps between what is used, on a machine with two cores.
constexpr size_t kConnectionBytes = 16 * 1024;
constexpr size_t kSlackBytes = 96 * kMiB;

// Not a test of its own: the server, until its standard input ends. A line is answered by what it holds.
TEST(HostileConnections, DISABLED_Server) {
  EventLoop loop("http", 2);
  HttpServerOptions options{.body_bytes_max = kBodyMax,
                            .websocket_message_bytes_max = kMessageMax,
                            .memory_bytes_max = kMemoryMax,
                            .idle_timeout_ms = 3'600'000};  // nothing ends by its time
  options.tls = ServerProcess::tls();
  const auto server = HttpServer::create(loop, options);
  server->route("POST", "/size", [](const HttpRequest& request, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.content_type = "text/plain", .body = std::to_string(request.body.size())});
  });
  server->route("GET", "/big", [](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.content_type = "text/plain", .body = Bytes(kBigBytes, 'b')});
  });
  server->route("GET", "/small", [](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.content_type = "text/plain", .body = Bytes(900, 's')});
  });
  server->websocket("/feed", {.on_open = [](const std::shared_ptr<WebSocket>& socket, const HttpRequest&) {
                      for (int i = 0; i < 10; ++i)
                        socket->send_text(std::make_shared<const std::string>(kMiB / 4, 'w'));
                    }});
  ASSERT_TRUE(server->start().ok());
  ServerProcess::serve_until_told(server->port(), [&] { return server->memory_use(); });
  server->stop();
}

std::vector<Kind> kinds() {
  const std::string host = "Host: localhost\r\n";
  const std::string post = "POST /size HTTP/1.1\r\n" + host;
  const std::string upgrade = "GET /feed HTTP/1.1\r\n" + host +
                              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  const std::string zeros(64 * 1024, '\0');
  const std::string bomb = testing::gzipped(std::string(kBodyMax, '\0'));
  Bytes fragment("\x01\xff\0\0\0\0\0\x0f\0\0\1\2\3\4", 14);  // of a text of 983,040 bytes, masked, not the last
  Bytes pings;
  while (pings.size() < 64 * 1024) pings += Bytes("\x89\x80\1\2\3\4", 6);
  std::string pipelined;
  while (pipelined.size() < 64 * 1024) pipelined += "GET /big HTTP/1.1\r\n" + host + "\r\n";
  return {
      {"half a body", post + fmt::format("Content-Length: {}\r\n\r\n", kBodyMax), zeros, kBodyMax - 100'000},
      {"half a body in chunks", post + "Transfer-Encoding: chunked\r\n\r\n200000\r\n", zeros, kBodyMax / 2},
      {"half a body of gzip",
       post + fmt::format("Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.size()) +
           bomb.substr(0, bomb.size() - 1),
       "", 0},
      {"half a header", "GET /big HTTP/1.1\r\n" + host, "X: " + std::string(95, 'x') + "\r\n", 12'000},
      {"an answer unread", "GET /big HTTP/1.1\r\n" + host + "\r\n", "", 0},
      {"an answer unread, the last", "GET /big HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n", "", 0},
      {"many requests at once", "", pipelined, kMiB},
      {"half a handshake", upgrade.substr(0, upgrade.size() - 2), "", 0},
      {"messages unread", upgrade, "", 0},
      {"half a message", upgrade + fragment, zeros, 900'000},
      {"a message of many parts", upgrade,
       Bytes("\x01\x80\1\2\3\4", 6) + Bytes("\0\xfe\x40\0\1\2\3\4", 8) + std::string(0x4000, 'x'), 16'406},
      {"pings", upgrade, pings, 4 * kMiB},
      {"nothing", "", "", 0},
  };
}

// Asks as anybody would, again and again. While the others arrive, an answer may be cut off or put off (503); once they
// are all there, every request must be answered.
class OrdinaryClient {
 public:
  explicit OrdinaryClient(uint16_t port)
      : client_(std::move(*HttpClient::create(fmt::format("http://localhost:{}", port),
                                              {.request_timeout_ms = testing::kPatienceMs}))) {
    thread_ = std::thread([this] {
      while (!stop_) ask();
    });
  }
  ~OrdinaryClient() {
    stop_ = true;
    thread_.join();
  }
  OrdinaryClient(const OrdinaryClient&) = delete;
  OrdinaryClient& operator=(const OrdinaryClient&) = delete;
  void be_strict() { strict_ = true; }
  [[nodiscard]] int refused() const { return refused_; }
  [[nodiscard]] int answered() const { return answered_; }
  [[nodiscard]] int64_t slowest_ms() const { return slowest_ms_; }

 private:
  void ask() {
    const bool strict = strict_;
    const auto begin = std::chrono::steady_clock::now();
    const auto posted = client_->request("POST", "/size", Bytes(500'000, 'p'));
    const bool taken = posted.ok() && posted->status == 200 && posted->body == "500000";
    EXPECT_TRUE(taken || !strict) << (posted.ok() ? std::to_string(posted->status) + posted->body
                                                  : posted.status().to_string());
    const auto got = client_->request("GET", "/big");
    const bool given = got.ok() && got->status == 200 && got->body.size() == kBigBytes;
    EXPECT_TRUE(given || !strict) << (got.ok() ? std::to_string(got->status) : got.status().to_string());
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    slowest_ms_ = std::max<int64_t>(slowest_ms_, took.count());
    ++(taken && given ? answered_ : refused_);
  }

  std::unique_ptr<HttpClient> client_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> strict_{false};
  std::atomic<int> answered_{0};
  std::atomic<int> refused_{0};
  std::atomic<int64_t> slowest_ms_{0};
  std::thread thread_;
};

TEST(HostileConnections, TakeNoMoreThanTheServersBudgetAndLeaveAnOrdinaryClientAlone) {
  allow_many_files();
  ServerProcess server(kServer);
  const ServerProcess::Use before = server.use();
  const auto all_kinds = kinds();
  const auto seed = static_cast<unsigned>(::getpid());
  fmt::print("seed {}\n", seed);
  std::mt19937 random(seed);
  OrdinaryClient ordinary(server.port());
  std::vector<std::unique_ptr<HostileClient>> clients;
  for (size_t i = 0; i < kConnections; ++i) {
    const size_t kind = i < all_kinds.size() ? i : random() % all_kinds.size();
    clients.push_back(std::make_unique<HostileClient>(all_kinds[kind], server.port()));
    if (i % 100 == 99) flood(clients);
  }
  ordinary.be_strict();
  const int answered = ordinary.answered();
  EXPECT_TRUE(eventually([&] { return ordinary.answered() >= answered + 20; }));
  const ServerProcess::Use during = server.use();
  fmt::print(
      "held {}, at most {}; resident {} before, {} now; the ordinary client was answered {} times and {} times not, at "
      "the slowest in {} ms\n",
      during.now, during.peak, before.resident, during.resident, ordinary.answered(), ordinary.refused(),
      ordinary.slowest_ms());
  EXPECT_GT(during.peak, kMemoryMax / 2) << "the clients were not hostile enough";
  EXPECT_LE(during.now, kMemoryMax + kBigBytes);
  // What is being given up counts until it is gone; meanwhile each thread goes on with one request at most.
  EXPECT_LE(during.peak, kMemoryMax + 4 * (kBodyMax + kBigBytes));
  if (kMemoryIsMeasured) {
    EXPECT_LE(during.resident, before.resident + kMemoryMax + kConnections * kConnectionBytes + kSlackBytes);
  }

  clients.clear();
  EXPECT_TRUE(eventually([&] { return server.use().now <= kBigBytes + kMiB; }));  // the ordinary client's
  if (!kMemoryIsMeasured) return;
  EXPECT_TRUE(eventually([&] { return server.use().resident < before.resident + kSlackBytes / 2; }))
      << "resident " << server.use().resident << ", before " << before.resident;
}

// Clients send so much and fall silent. Beside what is counted, and so is bounded, each takes little for itself.
TEST(HostileConnections, AllThatSilentClientsTakeIsCountedButForALittle) {
  if (!kMemoryIsMeasured) GTEST_SKIP() << "sanitizers take memory of their own";
  constexpr size_t kEachBytes = 5 * 1024;
  constexpr size_t kProcessBytes = 12 * kMiB;
  allow_many_files();
  const std::string host = "Host: localhost\r\n";
  const std::string post = "POST /size HTTP/1.1\r\n" + host;
  const std::string announced = post + fmt::format("Content-Length: {}\r\n\r\n", kBodyMax);
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n200000\r\n";
  const std::string upgrade = "GET /feed HTTP/1.1\r\n" + host +
                              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  const std::string ping("\x89\x80\1\2\3\4", 6);
  const std::string hello("\x16\3\1\x20\0\1\2\0\0\3\3", 11);  // of 131,072 bytes
  struct Row {
    std::string name;
    std::string sent;
    size_t counted = 0;  // at least, for each
    bool tls = false;
    bool handshake = false;
  };
  const auto repeated = [](const std::string& text, size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += text;
    return out;
  };
  for (const Row& row : {
           Row{"nothing", ""},
           Row{"a body, as much as one packet", announced + std::string(100, 'x'), 100},
           Row{"a body, more than is read at first", announced + std::string(4000, 'x'), 4000},
           Row{"a body, as much as is read at once", announced + std::string(kReadSpaceBytes, 'x'), 8000},
           Row{"a chunk, more than is read at first", chunked + std::string(4000, 'x'), 4000},
           Row{"requests whose answers are small and not read",
               repeated("GET /small HTTP/1.1\r\n" + host + "\r\n", 256 * 1024)},
           Row{"pings whose answers are not read", upgrade + repeated(ping, 64 * 1024)},
           Row{"nothing, not even a ClientHello", "", 10'000, true},
           Row{"a ClientHello that announces much", hello + std::string(5000, 'x'), 0, true},
           Row{"a record that is not whole", std::string("\x16\3\1\x02\0\1\0\1\xfc\3\3", 11), 40'000, true},
           Row{"a handshake and nothing", "", 10'000, true, true},
           Row{"a body within TLS", announced + std::string(4000, 'x'), 14'000, true, true},
       }) {
    SCOPED_TRACE(row.name);
    ServerProcess server(kServer, row.tls);
    const auto before = server.use();
    const Kind kind{row.name, row.sent, "", 0};
    const SilentClients clients(row.sent, server.port(), row.handshake);
    const auto use = server.use_at_rest(row.counted * kConnections);
    print_use(row.name, before, use);
    EXPECT_LE(use.now, kMemoryMax);
    EXPECT_LE(use.resident, before.resident + use.now + kConnections * kEachBytes + kProcessBytes);
  }
}

}  // namespace
}  // namespace muir::net
