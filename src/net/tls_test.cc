// TLS connections of net's own servers and clients: who is let in, what is said when not, and that nothing hangs.
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <thread>

#include "net/frame_client.h"
#include "net/frame_server.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/internal/blocking_socket.h"
#include "net/internal/tls_session.h"
#include "net/tls_fixture.h"
#include "net/websocket_client.h"
#include "testing/eventually.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

// What this process logs from its construction on.
class CapturedLog {
 public:
  CapturedLog() : file_(std::tmpfile()), stderr_(::dup(STDERR_FILENO)) { ::dup2(::fileno(file_), STDERR_FILENO); }
  ~CapturedLog() {
    ::dup2(stderr_, STDERR_FILENO);
    ::close(stderr_);
    std::fclose(file_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  [[nodiscard]] std::string text() const {
    std::string out(64 * 1024, '\0');
    out.resize(static_cast<size_t>(std::max<ssize_t>(::pread(::fileno(file_), out.data(), out.size(), 0), 0)));
    return out;
  }

 private:
  std::FILE* const file_;
  const int stderr_;
};

class Echo final : public FrameSession {
 public:
  Echo(std::shared_ptr<FrameConnection> connection, std::atomic<int>& closed)
      : connection_(std::move(connection)), closed_(closed) {}
  void on_frame(Bytes frame) override {
    const bool last = frame == "close";
    connection_->send(std::move(frame));
    if (last) connection_->close();
  }
  void on_closed() override { ++closed_; }

 private:
  std::shared_ptr<FrameConnection> connection_;
  std::atomic<int>& closed_;
};

struct EchoServer {
  explicit EchoServer(FrameServerOptions options) {
    auto started = FrameServer::start(loop, std::move(options), [this](std::shared_ptr<FrameConnection> connection) {
      ++opened;
      return std::make_unique<Echo>(std::move(connection), closed);
    });
    MUIR_CHECK(started.ok(), "{}", started.status().to_string());
    server = std::move(*started);
  }
  explicit EchoServer(const TlsOptions& options) : EchoServer(FrameServerOptions{.tls = server_context(options)}) {}

  Result<std::unique_ptr<FrameClient>> connect(const std::shared_ptr<const TlsContext>& tls,
                                               const std::string& host = "127.0.0.1") {
    return FrameClient::connect(host, server->port(), {.connect_timeout_ms = kWaitMs, .tls = tls});
  }
  std::unique_ptr<BlockingSocket> raw() {
    return std::move(*BlockingSocket::connect("127.0.0.1", server->port(), kWaitMs));
  }

  EventLoop loop{"tls", 2};
  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::unique_ptr<FrameServer> server;
};

// "" when an echo comes back, else why not. In TLS 1.3 a client learns only with its first read that it is refused.
std::string echo_or_reason(const Result<std::unique_ptr<FrameClient>>& client) {
  if (!client.ok()) return client.status().to_string();
  if (const Status sent = (*client)->send("hello", kWaitMs); !sent.ok()) return sent.to_string();
  const auto answer = (*client)->receive(kWaitMs);
  return answer.ok() ? (*answer == "hello" ? "" : "another answer") : answer.status().to_string();
}

TEST(Tls, LetsInWhoIsTrustedAndSaysWhyNot) {
  const testing::CertificateAuthority stranger("Stranger");
  const auto middle = authority().intermediate("Middle authority");
  const auto alice = authority().issue({.common_name = "alice", .hosts = {}});
  const auto mallory = stranger.issue({.common_name = "mallory", .hosts = {}});
  const auto elsewhere = authority().issue({.common_name = "elsewhere", .hosts = {"example.com", "10.0.0.1"}});
  const TlsOptions demanding = server_options(with_trust({.client_auth = TlsClientAuth::required}));
  const TlsOptions asking = server_options(with_trust({.client_auth = TlsClientAuth::requested}));
  TlsOptions leaf_only;
  leaf_only.trusted_certificates.text = server_options().certificate_chain.text;
  struct Row {
    const char* name;
    TlsOptions server;
    TlsOptions client;
    const char* host;
    const char* client_says;  // empty: connected
    const char* server_logs;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"by address", server_options(), with_trust(), "127.0.0.1", "", ""},
           {"by name", server_options(), with_trust(), "localhost", "", ""},
           {"TLS 1.2", server_options({.version_max = TlsVersion::v1_2}), with_trust(), "localhost", "", ""},
           {"TLS 1.3", server_options({.version_min = TlsVersion::v1_3}), with_trust(), "localhost", "", ""},
           {"behind an intermediate authority", with_identity(middle.issue()), with_trust(), "localhost", "", ""},
           {"the server's own certificate is trusted", server_options(), leaf_only, "localhost", "", ""},
           {"one suite of TLS 1.2", server_options({.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}),
            with_trust(), "localhost", "", ""},
           {"a client certificate", demanding, with_identity(alice, with_trust()), "localhost", "", ""},
           {"a client certificate that is not demanded", asking, with_identity(alice, with_trust()), "localhost", "",
            ""},
           {"no client certificate where it is not demanded", asking, with_trust(), "localhost", "", ""},
           {"another host", with_identity(elsewhere), with_trust(), "localhost",
            "certificate CN=elsewhere is for example.com, 10.0.0.1, not for localhost", "the peer refused"},
           {"another address", with_identity(elsewhere), with_trust(), "127.0.0.1", "not for 127.0.0.1",
            "the peer refused"},
           {"another host, unchecked", with_identity(elsewhere), with_trust({.check_host = false}), "localhost", "",
            ""},
           {"an unknown issuer", with_identity(stranger.issue()), with_trust(), "localhost",
            "the issuer of its certificate CN=test server is not trusted: CN=Stranger is not among",
            "it does not trust the issuer of our certificate"},
           {"the system's trust",
            server_options(),
            {},
            "localhost",
            "CN=Test authority is not among",
            "it does not trust the issuer of our certificate"},
           {"no client certificate", demanding, with_trust(), "localhost",
            "it wants a certificate from us, and none is configured",
            "the peer gave no certificate, and one is required"},
           {"a stranger's client certificate", demanding, with_identity(mallory, with_trust()), "localhost",
            "the peer refused", "the issuer of its certificate CN=mallory is not trusted: CN=Stranger is not among"},
           {"a stranger's certificate where none is demanded", asking, with_identity(mallory, with_trust()),
            "localhost", "the peer refused", "CN=mallory is not trusted"},
           {"no version in common", server_options({.version_min = TlsVersion::v1_3}),
            with_trust({.version_max = TlsVersion::v1_2}), "localhost", "no TLS version in common",
            "unsupported protocol"},
           {"no suite in common", server_options({.cipher_suites = {"TLS_AES_128_GCM_SHA256"}}),
            with_trust({.cipher_suites = {"TLS_AES_256_GCM_SHA384"}}), "localhost", "handshake failure",
            "no shared cipher"},
       }) {
    CapturedLog log;
    std::string said;
    int64_t opened = 0;
    {
      EchoServer server(row.server);
      said = echo_or_reason(server.connect(client_context(row.client), row.host));
      const bool logs = *row.server_logs != '\0';
      EXPECT_TRUE(eventually([&] { return !logs || !log.text().empty(); })) << row.name;
      server.server->stop();
      opened = server.opened;
    }
    const std::string logged = log.text();
    if (std::string_view(row.client_says).empty()) {
      EXPECT_EQ(said, "") << row.name;
      EXPECT_EQ(logged, "") << row.name;
    } else {
      EXPECT_NE(said.find(row.client_says), std::string::npos) << row.name << ": " << said;
      EXPECT_NE(logged.find(row.server_logs), std::string::npos) << row.name << ": " << logged;
      EXPECT_NE(logged.find("TLS handshake with 127.0.0.1:"), std::string::npos) << row.name << ": " << logged;
      EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 1) << row.name << ": " << logged;
      EXPECT_EQ(opened, 0) << row.name;
    }
  }
}

TEST(Tls, RefusesAnExpiredCertificate) {
  // No server of ours starts with one, so the client of a session without a socket meets it.
  const std::time_t issued = std::time(nullptr);
  const auto brief = authority().issue({.valid_to_s = 2});
  const auto server_tls = server_context(with_identity(brief));
  ASSERT_TRUE(eventually([&] { return std::time(nullptr) > issued + 3; }));  // OpenSSL's clock
  ASSERT_FALSE(TlsContext::server(with_identity(brief)).ok());
  TlsSession server(server_tls, "");
  TlsSession client(client_context(with_trust()), "localhost");
  Result<bool> done = false;
  for (int i = 0; i < 4 && done.ok() && !*done; ++i) {
    done = client.handshake();
    server.feed(client.take_output());
    if (!done.ok()) break;
    ASSERT_TRUE(server.handshake().ok());
    client.feed(server.take_output());
  }
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.status().code(), Code::permission_denied);
  EXPECT_NE(done.status().message().find("certificate CN=test server expired on 20"), std::string::npos)
      << done.status().message();
}

TEST(Tls, CarriesFramesOfEverySize) {
  for (const TlsVersion version : {TlsVersion::v1_2, TlsVersion::v1_3}) {
    EchoServer server(server_options({.version_max = version}));
    auto client = server.connect(client_context(with_trust()));
    ASSERT_TRUE(client.ok()) << client.status().to_string();
    for (const size_t size : {0UL, 1UL, 16'379UL, 16'380UL, 16'381UL, 65'532UL, 300'000UL, 9'000'000UL}) {
      Bytes sent(size, '\0');
      for (size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(i * 31 + i / 253);
      std::thread sender([&] { EXPECT_TRUE((*client)->send(sent, kWaitMs).ok()); });
      sender.join();
      const auto received = (*client)->receive(kWaitMs);
      ASSERT_TRUE(received.ok()) << received.status().to_string();
      EXPECT_TRUE(*received == sent) << size;
    }
  }
}

TEST(Tls, KeepsFramesWholeWhicheverThreadsSend) {
  EventLoop loop("tls", 2);
  std::shared_ptr<FrameConnection> connection;
  std::atomic<bool> open{false};
  std::atomic<int> closed{0};
  auto server = FrameServer::start(loop, {.tls = server_context(server_options())},
                                   [&](std::shared_ptr<FrameConnection> accepted) {
                                     connection = accepted;
                                     open = true;
                                     return std::make_unique<Echo>(std::move(accepted), closed);
                                   });
  ASSERT_TRUE(server.ok());
  auto client = FrameClient::connect("localhost", (*server)->port(), {.tls = client_context(with_trust())});
  ASSERT_TRUE(client.ok()) << client.status().to_string();
  ASSERT_TRUE(eventually([&] { return open.load(); }));
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) connection->send(Bytes(5000 + 100 * t, static_cast<char>('a' + t)));
    });
  }
  for (int i = 0; i < 200; ++i) ASSERT_TRUE((*client)->send("mine", kWaitMs).ok());
  for (int i = 0; i < 1000; ++i) {
    const auto frame = (*client)->receive(kWaitMs);
    ASSERT_TRUE(frame.ok()) << frame.status().to_string();
    EXPECT_TRUE(*frame == "mine" || frame->find_first_not_of((*frame)[0]) == Bytes::npos);
  }
  for (auto& sender : senders) sender.join();
}

TEST(Tls, EndsWithACloseNotifyAfterTheLastFrame) {
  EchoServer server(server_options());
  const auto socket =
      BlockingSocket::connect("localhost", server.server->port(), kWaitMs, client_context(with_trust()));
  ASSERT_TRUE(socket.ok()) << socket.status().to_string();
  const BytesView frame("\0\0\0\5close", 9);
  ASSERT_TRUE((*socket)->write_all(std::span(&frame, 1), INT64_MAX).ok());
  char buffer[100];
  ASSERT_EQ(*(*socket)->read_some(buffer, INT64_MAX), 9U);
  EXPECT_EQ((*socket)->read_some(buffer, INT64_MAX).status().code(), Code::unavailable);
  EXPECT_FALSE((*socket)->truncated());
  EXPECT_TRUE(eventually([&] { return server.closed == 1; }));
}

TEST(Tls, StopEndsConnectionsAndHalfDoneHandshakes) {
  EchoServer server(server_options());
  auto client = server.connect(client_context(with_trust()));
  ASSERT_EQ(echo_or_reason(client), "");
  const auto silent = server.raw();
  server.server->stop();
  EXPECT_EQ(server.closed, 1);
  EXPECT_EQ((*client)->receive(kWaitMs).status().code(), Code::unavailable);
  char byte = 0;
  EXPECT_EQ(silent->read_some(std::span(&byte, 1), INT64_MAX).status().code(), Code::unavailable);
}

TEST(Tls, APlaintextClientIsToldApartAndEnded) {
  for (const BytesView hello : {BytesView("\0\0\0\x1f\0\x12\0\4\0\0\0\1\0\x07rdkafka", 21),
                                BytesView("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), BytesView("\0", 1)}) {
    CapturedLog log;
    {
      EchoServer server(server_options());
      const auto socket = server.raw();
      ASSERT_TRUE(socket->write_all(std::span(&hello, 1), INT64_MAX).ok());
      char buffer[100];
      Result<size_t> n = size_t{0};
      do n = socket->read_some(buffer, INT64_MAX);
      while (n.ok());
      EXPECT_EQ(n.status().code(), Code::unavailable);
      EXPECT_EQ(server.opened, 0);
    }
    const std::string logged = log.text();
    EXPECT_NE(logged.find("failed: the peer does not speak TLS"), std::string::npos) << logged;
    EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 1) << logged;
  }
}

// OpenSSL takes the announced bytes from memory before they come.
TEST(Tls, AClientHelloThatAnnouncesMuchIsRefusedAtOnce) {
  const struct {
    const char* name;
    BytesView sent;
    const char* logged;  // empty: it is waited for
  } cases[] = {
      {"much", BytesView("\x16\3\1\x20\0\1\2\0\0", 9), "a ClientHello of 131072 bytes, in a record of 8192"},
      {"a byte more than is taken", BytesView("\x16\3\1\x20\0\1\0\x40\1", 9), "a ClientHello of 16385 bytes"},
      {"its length in several records", BytesView("\x16\3\1\0\2\1\2\x16\3\1\0\2\0\0", 14), "in a record of 2;"},
      {"as much as is taken", BytesView("\x16\3\1\x20\0\1\0\x40\0", 9), ""},
      {"the beginning of one", BytesView("\x16\3\1\x20", 4), ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    CapturedLog log;
    {
      EchoServer server(server_options());
      const auto socket = server.raw();
      ASSERT_TRUE(socket->write_all(std::span(&c.sent, 1), INT64_MAX).ok());
      if (*c.logged != '\0') {
        char byte = 0;
        EXPECT_EQ(socket->read_some(std::span(&byte, 1), INT64_MAX).status().code(), Code::unavailable);
      } else {
        EXPECT_EQ(echo_or_reason(server.connect(client_context(with_trust()))), "");
      }
    }
    const std::string logged = log.text();
    EXPECT_NE(logged.find(c.logged), std::string::npos) << logged;
    EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), *c.logged == '\0' ? 0 : 1) << logged;
  }
}

TEST(Tls, ATlsClientOnAPlaintextPortIsToldApartAndEnded) {
  CapturedLog log;
  std::string frames_say;
  std::string http_says;
  {
    EchoServer frames(FrameServerOptions{});
    frames_say = frames.connect(client_context(with_trust())).status().to_string();
    const auto http = HttpServer::create(frames.loop, {});
    ASSERT_TRUE(http->start().ok());
    const auto client = HttpClient::create(fmt::format("https://localhost:{}", http->port()));
    ASSERT_TRUE(client.ok());
    http_says = (*client)->request("GET", "/").status().to_string();
    http->stop();
  }
  const std::string logged = log.text();
  EXPECT_NE(frames_say.find("does this port speak TLS?"), std::string::npos) << frames_say;
  EXPECT_NE(http_says.find("the peer does not speak TLS"), std::string::npos) << http_says;
  EXPECT_NE(logged.find("frame from 127.0.0.1:"), std::string::npos) << logged;
  EXPECT_NE(logged.find("HTTP from 127.0.0.1:"), std::string::npos) << logged;
  EXPECT_EQ(std::count(logged.begin(), logged.end(), '\n'), 2) << logged;
}

TEST(Tls, HandshakesHaveATimeLimitAndCountAsConnections) {
  CapturedLog log;
  {
    EchoServer server(FrameServerOptions{.connections_max = 2,
                                         .tls = server_context(server_options({.handshake_timeout_ms = 1500}))});
    const auto silent = server.raw();
    const auto slow = server.raw();  // sends all but the last byte of its hello
    TlsSession session(client_context(with_trust()), "localhost");
    ASSERT_TRUE(session.handshake().ok());
    const Bytes hello = session.take_output();
    const BytesView most = BytesView(hello).substr(0, hello.size() - 1);
    ASSERT_TRUE(slow->write_all(std::span(&most, 1), INT64_MAX).ok());
    const auto third = server.connect(client_context(with_trust()));
    EXPECT_FALSE(third.ok());
    char byte = 0;
    EXPECT_EQ(silent->read_some(std::span(&byte, 1), INT64_MAX).status().code(), Code::unavailable);
    EXPECT_EQ(slow->read_some(std::span(&byte, 1), INT64_MAX).status().code(), Code::unavailable);
    EXPECT_TRUE(eventually([&] { return echo_or_reason(server.connect(client_context(with_trust()))).empty(); }));
  }
  const std::string logged = log.text();
  const std::string said = "failed: it was not done in 1500 ms";
  const size_t first = logged.find(said);
  ASSERT_NE(first, std::string::npos) << logged;
  EXPECT_NE(logged.find(said, first + 1), std::string::npos) << logged;
  EXPECT_NE(logged.find("refused, 2 are open"), std::string::npos) << logged;
}

TEST(Tls, AHandshakeMayArriveByteByByte) {
  EchoServer server(server_options());
  const auto socket = server.raw();
  TlsSession session(client_context(with_trust()), "localhost");
  const auto trickle = [&](const Bytes& bytes) {
    for (const char& c : bytes) {
      const BytesView one(&c, 1);
      ASSERT_TRUE(socket->write_all(std::span(&one, 1), INT64_MAX).ok());
    }
  };
  char buffer[65'536];
  for (;;) {
    const auto done = session.handshake();
    ASSERT_TRUE(done.ok()) << done.status().to_string();
    trickle(session.take_output());
    if (*done) break;
    const auto n = socket->read_some(buffer, INT64_MAX);
    ASSERT_TRUE(n.ok());
    session.feed({buffer, *n});
  }
  const BytesView frame("\0\0\0\2hi", 6);
  ASSERT_TRUE(session.write(std::span(&frame, 1)).ok());
  trickle(session.take_output());
  Result<size_t> n = size_t{0};
  while (n.ok() && *n == 0) {
    const auto more = socket->read_some(buffer, INT64_MAX);
    ASSERT_TRUE(more.ok());
    session.feed({buffer, *more});
    n = session.read(buffer);
  }
  EXPECT_EQ(*n, 6U);
}

TEST(Tls, AClientDoesNotWaitForASilentServer) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::listen(listener, 1), 0);  // bound to a free port; nobody ever accepts
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  uint16_t port = 0;
  std::memcpy(&port, reinterpret_cast<const char*>(&address) + 2, 2);
  const auto client = FrameClient::connect("127.0.0.1", static_cast<uint16_t>(port >> 8 | port << 8),
                                           {.connect_timeout_ms = 200, .tls = client_context(with_trust())});
  EXPECT_EQ(client.status().code(), Code::timed_out) << client.status().to_string();
  EXPECT_NE(client.status().message().find("does this port speak TLS?"), std::string::npos);
  ::close(listener);
}

TEST(Https, ServesRequestsAndWebSockets) {
  EventLoop loop("tls", 2);
  const auto server = HttpServer::create(loop, {.tls = server_context(server_options())});
  server->route("POST", "/echo", [](HttpRequest request, const std::shared_ptr<HttpResponder>& responder) {
    responder->respond({.body = std::move(request.body)});
  });
  server->websocket("/live", {.on_text = [](const std::shared_ptr<WebSocket>& socket, std::string_view text) {
                      socket->send_text(std::make_shared<const std::string>(text));
                      if (text == "last") socket->close();
                    }});
  ASSERT_TRUE(server->start().ok());
  const auto tls = client_context(with_trust());
  const auto client = HttpClient::create(fmt::format("https://localhost:{}", server->port()), {.tls = tls});
  ASSERT_TRUE(client.ok());
  for (const size_t size : {0UL, 10UL, 100'000UL, 5'000'000UL}) {  // over one connection
    const auto answer = (*client)->request("POST", "/echo", Bytes(size, 'x'));
    ASSERT_TRUE(answer.ok()) << answer.status().to_string();
    EXPECT_EQ(answer->body.size(), size);
  }
  auto socket = WebSocketClient::connect(fmt::format("wss://localhost:{}/live", server->port()), kWaitMs, tls);
  ASSERT_TRUE(socket.ok()) << socket.status().to_string();
  for (const std::string& text : {std::string("a"), std::string(200'000, 'b'), std::string("last")}) {
    ASSERT_TRUE((*socket)->send_text(text).ok());
    EXPECT_EQ(*(*socket)->receive_text(kWaitMs), text);
  }
  EXPECT_FALSE((*socket)->receive_text(kWaitMs).ok());
  const auto distrustful = WebSocketClient::connect(fmt::format("wss://localhost:{}/live", server->port()), kWaitMs);
  EXPECT_EQ(distrustful.status().code(), Code::permission_denied) << distrustful.status().to_string();
  server->stop();
}

TEST(Https, AnAnswerThatIsCutOffIsNotBelieved) {
  // The server: one connection, an answer that ends with the connection, with close_notify or without.
  for (const bool goodbye : {true, false}) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    uint16_t port = 0;
    std::memcpy(&port, reinterpret_cast<const char*>(&address) + 2, 2);
    std::thread server([&] {
      const int fd = ::accept(listener, nullptr, nullptr);
      TlsSession session(server_context(server_options()), "");
      char buffer[16'384];
      size_t asked = 0;
      while (asked == 0) {
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        session.feed({buffer, static_cast<size_t>(n)});
        const auto done = session.handshake();
        if (done.ok() && *done) asked = session.read(buffer).value_or(size_t{1});
        const Bytes out = session.take_output();
        EXPECT_EQ(::send(fd, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
      }
      const BytesView answer = "HTTP/1.1 200 OK\r\n\r\nhalf of it";
      EXPECT_TRUE(session.write(std::span(&answer, 1)).ok());
      if (goodbye) session.close();
      const Bytes out = session.take_output();
      EXPECT_EQ(::send(fd, out.data(), out.size(), MSG_NOSIGNAL), static_cast<ssize_t>(out.size()));
      ::close(fd);
    });
    const auto client =
        HttpClient::create(fmt::format("https://127.0.0.1:{}", static_cast<uint16_t>(port >> 8 | port << 8)),
                           {.tls = client_context(with_trust())});
    const auto answer = (*client)->request("GET", "/");
    server.join();
    ::close(listener);
    if (goodbye) {
      ASSERT_TRUE(answer.ok()) << answer.status().to_string();
      EXPECT_EQ(answer->body, "half of it");
    } else {
      EXPECT_EQ(answer.status().code(), Code::data_loss) << answer.status().to_string();
    }
  }
}

}  // namespace
}  // namespace muir::net
