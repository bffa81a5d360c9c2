// TLS with programs of others at the other end: openssl s_client, openssl s_server and curl.
#include "base/file.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/tls_fixture.h"
#include "testing/child_process.h"
#include "testing/temp_dir.h"

namespace muir::net {
namespace {

using testing::ChildProcess;

class TlsPeers : public ::testing::Test {
 protected:
  void serve(const TlsOptions& options) {
    server_ = HttpServer::create(loop_, {.tls = server_context(options)});
    server_->route("GET", "/hello", [](const HttpRequest&, const std::shared_ptr<HttpResponder>& responder) {
      responder->respond({.content_type = "text/plain", .body = "hello from muir"});
    });
    ASSERT_TRUE(server_->start().ok());
  }
  std::string write(const std::string& name, BytesView content) {
    std::string path = folder_.str() + "/" + name;
    EXPECT_TRUE(system_env().write_file(path, content).ok());
    return path;
  }
  Result<std::string> curl(std::vector<std::string> arguments) {
    std::vector<std::string> command{"curl", "--silent", "--show-error", "--max-time", "20"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back(fmt::format("https://localhost:{}/hello", server_->port()));
    return testing::run({.command = command, .stderr_file = folder_.str() + "/stderr"});
  }
  std::string complaint() { return system_env().read_file(folder_.str() + "/stderr").value_or(Bytes()); }

  testing::TempDir folder_;
  EventLoop loop_{"peers"};
  std::unique_ptr<HttpServer> server_;
  const std::string trusted_ = write("ca.pem", authority().certificate());
};

TEST_F(TlsPeers, CurlIsAnsweredOverEveryVersion) {
  serve(server_options());
  for (const char* version : {"1.2", "1.3"}) {
    const auto answer = curl({"--cacert", trusted_, fmt::format("--tlsv{}", version), "--tls-max", version});
    ASSERT_TRUE(answer.ok()) << answer.status().to_string() << complaint();
    EXPECT_EQ(*answer, "hello from muir") << version;
  }
  EXPECT_FALSE(curl({"--cacert", trusted_, "--tls-max", "1.1"}).ok());
  EXPECT_FALSE(curl({}).ok());  // the authority of this test is nobody's
  EXPECT_NE(complaint().find("certificate"), std::string::npos) << complaint();
}

TEST_F(TlsPeers, CurlNeedsACertificateWhereItIsRequired) {
  serve(server_options(with_trust({.client_auth = TlsClientAuth::required})));
  EXPECT_FALSE(curl({"--cacert", trusted_}).ok());
  const auto alice = authority().issue({.common_name = "alice", .hosts = {}});
  const auto answer =
      curl({"--cacert", trusted_, "--cert", write("alice.pem", alice.chain), "--key", write("alice.key", alice.key)});
  ASSERT_TRUE(answer.ok()) << answer.status().to_string() << complaint();
  EXPECT_EQ(*answer, "hello from muir");
}

TEST_F(TlsPeers, OpensslClientAgreesOnHostChainAndEnd) {
  const auto middle = authority().intermediate("Middle authority");
  serve(with_identity(middle.issue()));
  auto client =
      ChildProcess::start({.command = {"openssl", "s_client", "-connect", fmt::format("127.0.0.1:{}", server_->port()),
                                       "-servername", "localhost", "-CAfile", trusted_, "-verify_return_error",
                                       "-verify_hostname", "localhost", "-ign_eof"},
                           .stderr_file = folder_.str() + "/stderr"});
  ASSERT_TRUE(client.ok()) << client.status().to_string();
  ASSERT_TRUE(client->write_line("GET /hello HTTP/1.0\r\n\r").ok());
  const auto said = client->read_all();
  ASSERT_TRUE(said.ok()) << said.status().to_string();
  EXPECT_NE(said->find("Verify return code: 0 (ok)"), std::string::npos) << *said;
  EXPECT_NE(said->find("hello from muir"), std::string::npos) << *said;
  EXPECT_NE(said->find("closed\n"), std::string::npos) << *said;  // a close_notify came
  const auto code = client->wait();
  EXPECT_TRUE(code.ok() && *code == 0) << complaint();
}

TEST_F(TlsPeers, OpensslServerIsUnderstood) {
  const auto identity = authority().issue();
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    auto server = ChildProcess::start(
        {.command = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", write("s.pem", identity.chain), "-key",
                     write("s.key", identity.key), "-www", version},
         .stderr_file = folder_.str() + "/stderr"});
    ASSERT_TRUE(server.ok()) << server.status().to_string();
    std::string line;
    while (!line.starts_with("ACCEPT ")) {
      const auto next = server->read_line();
      ASSERT_TRUE(next.ok()) << next.status().to_string() << complaint();
      line = *next;
    }
    const std::string port = line.substr(line.rfind(':') + 1);
    const auto client = HttpClient::create("https://localhost:" + port, {.tls = client_context(with_trust())});
    for (int i = 0; i < 2; ++i) {
      const auto answer = (*client)->request("GET", "/");
      ASSERT_TRUE(answer.ok()) << answer.status().to_string();
      EXPECT_EQ(answer->status, 200);
      EXPECT_NE(answer->body.find("Secure Renegotiation"), Bytes::npos);
    }
  }
}

}  // namespace
}  // namespace muir::net
