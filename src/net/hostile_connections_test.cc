// A thousand connections that take memory and give nothing: the server, a process of its own, keeps within its bounds,
// answers an ordinary client beside them, and gives the memory back to the system afterwards.
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "base/memory.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/internal/read_space.h"
#include "net/internal/websocket_codec.h"
#include "net/tls_fixture.h"
#include "testing/child_process.h"
#include "testing/deflated.h"
#include "testing/eventually.h"
#include "testing/raw_socket.h"

namespace muir::net {
namespace {

using testing::eventually;

constexpr size_t kMiB = 1024 * 1024;
constexpr size_t kMemoryMax = 64 * kMiB;
constexpr size_t kBigBytes = 6 * kMiB;
constexpr size_t kBodyMax = 4 * kMiB;
constexpr size_t kMessageMax = kMiB;
// What a connection costs by itself, and what an allocator keeps between what is used, on a machine with two cores.
constexpr size_t kConnectionBytes = 16 * 1024;
constexpr size_t kSlackBytes = 96 * kMiB;

void allow_many_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Not a test of its own: the server, until its standard input ends. A line is answered by what it holds.
TEST(HostileConnections, DISABLED_Server) {
  EventLoop loop("http", 2);
  HttpServerOptions options{.body_bytes_max = kBodyMax,
                            .websocket_message_bytes_max = kMessageMax,
                            .memory_bytes_max = kMemoryMax,
                            .idle_timeout_ms = 3'600'000};  // nothing ends by its time
  if (const char* chain = std::getenv("CHAIN"); chain != nullptr) {
    options.tls = server_context({.certificate_chain = {.text = chain},
                                  .private_key = {.text = std::getenv("KEY")},
                                  .handshake_timeout_ms = 3'600'000});
  }
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
  fmt::print("port {}\n", server->port());
  std::fflush(stdout);
  for (char line[64]; std::fgets(line, sizeof line, stdin) != nullptr;) {
    const HttpMemoryUse use = server->memory_use();
    fmt::print("use {} {} {}\n", use.now, use.peak, resident_bytes());
    std::fflush(stdout);
  }
  server->stop();
}

class ServerProcess {
 public:
  explicit ServerProcess(const std::map<std::string, std::string>& environment = {})
      : child_(std::move(*testing::ChildProcess::start(
            {.command = {"/proc/self/exe", "--gtest_filter=HostileConnections.DISABLED_Server",
                         "--gtest_also_run_disabled_tests"},
             .environment = environment}))) {
    answer("port ") >> port_;
  }
  [[nodiscard]] uint16_t port() const { return port_; }

  struct Use {
    size_t now = 0;
    size_t peak = 0;
    size_t resident = 0;
  };
  Use use() {
    EXPECT_TRUE(child_.write_line("use").ok());
    Use out;
    answer("use ") >> out.now >> out.peak >> out.resident;
    return out;
  }

 private:
  std::istringstream answer(const std::string& word) {
    for (;;) {
      const auto line = child_.read_line();
      EXPECT_TRUE(line.ok()) << line.status().to_string();
      if (!line.ok()) return {};
      if (line->starts_with(word)) return std::istringstream(line->substr(word.size()));
    }
  }
  testing::ChildProcess child_;
  uint16_t port_ = 0;
};

// What one kind of hostile client sends: `head`, then `filler` again and again up to `bytes`. It reads nothing.
struct Kind {
  std::string name;
  std::string head;
  std::string filler;
  size_t bytes = 0;
};

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

class HostileClient {
 public:
  HostileClient(const Kind& kind, uint16_t port) : kind_(kind), socket_(port), left_(kind.head.size() + kind.bytes) {}

  [[nodiscard]] bool wants_to_send() const { return left_ > 0; }
  [[nodiscard]] int fd() const { return socket_.fd(); }
  void send_some() {
    const size_t sent = kind_.head.size() + kind_.bytes - left_;
    std::string_view part =
        sent < kind_.head.size()
            ? std::string_view(kind_.head).substr(sent)
            : std::string_view(kind_.filler).substr((sent - kind_.head.size()) % kind_.filler.size());
    part = part.substr(0, left_);
    const ssize_t n = socket_.send_some(part);
    left_ = n < 0 ? 0 : left_ - static_cast<size_t>(n);  // the server has had enough of it
  }

 private:
  const Kind& kind_;
  testing::RawSocket socket_;
  size_t left_;
};

// Sends until everything is sent, or refused, or the server takes no more.
void flood(const std::vector<std::unique_ptr<HostileClient>>& clients) {
  for (;;) {
    std::vector<pollfd> waiting;
    std::vector<HostileClient*> senders;
    for (const auto& client : clients) {
      if (!client->wants_to_send()) continue;
      waiting.push_back({client->fd(), POLLOUT, 0});
      senders.push_back(client.get());
    }
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), 100) == 0) return;
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) senders[i]->send_some();
    }
  }
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

#ifdef MUIR_SANITIZED  // each byte takes ten times as long, and several in memory
constexpr size_t kConnections = 100;
constexpr bool kMemoryIsMeasured = false;
#else
constexpr size_t kConnections = 1000;
constexpr bool kMemoryIsMeasured = true;
#endif

TEST(HostileConnections, TakeNoMoreThanTheServersBudgetAndLeaveAnOrdinaryClientAlone) {
  allow_many_files();
  ServerProcess server;
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
  constexpr size_t kPlainBytes = 10 * 1024;
  constexpr size_t kTlsBytes = 48 * 1024;  // OpenSSL's buffers of a handshake under way: a record's and a message's
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
           Row{"a body, as much as one packet", announced + std::string(100, 'x')},
           Row{"a body, more than is read at first", announced + std::string(4000, 'x')},
           Row{"a body, as much as is read at once", announced + std::string(kReadSpaceBytes, 'x')},
           Row{"a chunk, more than is read at first", chunked + std::string(4000, 'x')},
           Row{"requests whose answers are small and not read",
               repeated("GET /small HTTP/1.1\r\n" + host + "\r\n", 256 * 1024)},
           Row{"pings whose answers are not read", upgrade + repeated(ping, 64 * 1024)},
           Row{"a ClientHello that announces much", hello + std::string(5000, 'x'), true},
           Row{"a record that is not whole", std::string("\x16\3\1\x02\0\1\0\1\xfc\3\3", 11), true},
           Row{"a handshake and nothing", "", true, true},
           Row{"a body within TLS", announced + std::string(4000, 'x'), true, true},
       }) {
    SCOPED_TRACE(row.name);
    const TlsOptions identity = server_options();
    std::map<std::string, std::string> environment;
    if (row.tls) environment = {{"CHAIN", identity.certificate_chain.text}, {"KEY", identity.private_key.text}};
    ServerProcess server(environment);
    const auto before = server.use();
    const Kind kind{row.name, row.sent, "", 0};
    std::vector<std::unique_ptr<HostileClient>> raw;
    std::vector<std::unique_ptr<BlockingSocket>> shaken;
    const auto context = client_context(with_trust());
    for (size_t i = 0; i < kConnections; ++i) {
      if (!row.handshake) {
        raw.push_back(std::make_unique<HostileClient>(kind, server.port()));
        continue;
      }
      auto socket = BlockingSocket::connect("localhost", server.port(), 60'000, context);
      ASSERT_TRUE(socket.ok()) << socket.status().to_string();
      const BytesView part(row.sent);
      ASSERT_TRUE((*socket)->write_all({&part, 1}, system_clock().steady_ms() + 60'000).ok());
      shaken.push_back(std::move(*socket));
    }
    flood(raw);
    const size_t each = row.tls ? kTlsBytes : kPlainBytes;
    auto use = server.use();
    EXPECT_TRUE(eventually([&] {  // it may be busy with what has come
      const auto now = server.use();
      const bool still = now.now == use.now && now.resident == use.resident;
      use = now;
      return still;
    }));
    fmt::print("{}: counted {} KiB, resident {} KiB more: {} bytes for each connection beside what is counted\n",
               row.name, use.now / 1024, (use.resident - before.resident) / 1024,
               (static_cast<int64_t>(use.resident - before.resident) - static_cast<int64_t>(use.now)) /
                   static_cast<int64_t>(kConnections));
    EXPECT_LE(use.now, kMemoryMax);
    EXPECT_LE(use.resident, before.resident + use.now + kConnections * each + kProcessBytes);
  }
}

}  // namespace
}  // namespace muir::net
