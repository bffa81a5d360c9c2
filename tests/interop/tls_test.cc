// Foreign clients over TLS against a broker with two listeners: kcat (librdkafka) and Kafka 4.3.1's command line tools.
#include <gtest/gtest.h>

#include <fstream>

#include "broker/broker.h"
#include "java.h"
#include "testing/certificates.h"
#include "testing/child_process.h"
#include "testing/temp_dir.h"

namespace muir::interop {
namespace {

class TlsListener : public ::testing::Test {
 protected:
  void SetUp() override {
    const testing::IssuedCertificate server = authority_.issue({.common_name = "broker"});
    const testing::IssuedCertificate alice = authority_.issue({.common_name = "alice", .hosts = {}});
    broker::BrokerConfig config;
    config.data_dir = folder_.str() + "/data";
    config.properties = {
        {"listeners", "INTERNAL://127.0.0.1:0,EXTERNAL://127.0.0.1:0"},
        {"listener.security.protocol.map", "INTERNAL:PLAINTEXT,EXTERNAL:SSL"},
        {"advertised.listeners", "EXTERNAL://localhost:0"},
        {"group.initial.rebalance.delay.ms", "0"},
        {"listener.name.external.ssl.keystore.type", "PEM"},
        {"listener.name.external.ssl.keystore.location", write("server.pem", server.key + server.chain)},
        {"listener.name.external.ssl.truststore.type", "PEM"},
        {"listener.name.external.ssl.truststore.location", write("ca.pem", authority_.certificate())},
        {"listener.name.external.ssl.client.auth", "required"}};
    auto started = broker::Broker::start(config);
    ASSERT_TRUE(started.ok()) << started.status().to_string();
    broker_ = std::move(*started);
    plain_ = fmt::format("127.0.0.1:{}", broker_->listeners().at(0).port);
    tls_ = fmt::format("localhost:{}", broker_->listeners().at(1).port);
    alice_ = {"-X", "security.protocol=ssl",
              "-X", "ssl.ca.location=" + path("ca.pem"),
              "-X", "ssl.certificate.location=" + write("alice.crt", alice.chain),
              "-X", "ssl.key.location=" + write("alice.key", alice.key)};
    // The Java client as its users configure it: a PKCS12 key store, and a PEM trust store.
    write("alice.p12", testing::pkcs12_key_store(alice, "changeit"));
    client_properties_ = write("client.properties", fmt::format("security.protocol=SSL\n"
                                                                "ssl.keystore.type=PKCS12\n"
                                                                "ssl.keystore.location={}\n"
                                                                "ssl.keystore.password=changeit\n"
                                                                "ssl.key.password=changeit\n"
                                                                "ssl.truststore.type=PEM\n"
                                                                "ssl.truststore.location={}\n",
                                                                path("alice.p12"), path("ca.pem")));
  }
  void TearDown() override { EXPECT_TRUE(broker_ == nullptr || broker_->stop().ok()); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_.str() + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  Result<std::string> kcat(const std::string& servers, std::vector<std::string> arguments,
                           const std::vector<std::string>& security = {}) const {
    std::vector<std::string> command = {"timeout", "40", "kcat", "-b", servers,
                                        // It gives up when the first address refuses, and localhost may be ::1 first.
                                        "-X", "broker.address.family=v4"};
    command.insert(command.end(), security.begin(), security.end());
    command.insert(command.end(), arguments.begin(), arguments.end());
    return testing::run({.command = command, .stderr_file = path("kcat.log")});
  }
  ToolAnswer tool(const std::string& name, std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), {"--bootstrap-server", tls_, "--command-config", client_properties_});
    return run_tool("org.apache.kafka.tools." + name, arguments, input);
  }

  testing::TempDir folder_;
  testing::CertificateAuthority authority_;
  std::unique_ptr<broker::Broker> broker_;
  std::string plain_;
  std::string tls_;
  std::vector<std::string> alice_;
  std::string client_properties_;
};

TEST_F(TlsListener, ClientsAreToldTheAddressOfTheListenerTheyCameBy) {
  const auto over_tls = kcat(tls_, {"-L", "-J"}, alice_);
  ASSERT_TRUE(over_tls.ok()) << over_tls.status().to_string();
  EXPECT_NE(over_tls->find(fmt::format("\"name\":\"{}\"", tls_)), std::string::npos) << *over_tls;
  EXPECT_EQ(over_tls->find(plain_), std::string::npos) << *over_tls;
  const auto in_plaintext = kcat(plain_, {"-L", "-J"});
  ASSERT_TRUE(in_plaintext.ok()) << in_plaintext.status().to_string();
  EXPECT_NE(in_plaintext->find(fmt::format("\"name\":\"{}\"", plain_)), std::string::npos) << *in_plaintext;
}

TEST_F(TlsListener, KcatNeedsACertificateAndThenReadsWhatItWrote) {
  const std::string lines = write("lines", "a:1\nb:2\nc:" + std::string(100'000, 'x') + "\n");
  const auto sent = kcat(tls_, {"-P", "-t", "kcat-tls", "-K:", "-l", lines}, alice_);
  ASSERT_TRUE(sent.ok()) << sent.status().to_string();
  const auto read = kcat(tls_, {"-C", "-q", "-e", "-t", "kcat-tls", "-f", "%k:%s\n"}, alice_);
  ASSERT_TRUE(read.ok()) << read.status().to_string();
  EXPECT_EQ(*read, "a:1\nb:2\nc:" + std::string(100'000, 'x') + "\n");
  EXPECT_EQ(*kcat(plain_, {"-C", "-q", "-e", "-t", "kcat-tls", "-f", "%k"}), "abc");
  const std::vector<std::string> nobody = {"-X", "security.protocol=ssl", "-X", "ssl.ca.location=" + path("ca.pem")};
  EXPECT_FALSE(kcat(tls_, {"-L", "-m", "2"}, nobody).ok());
  EXPECT_FALSE(kcat(tls_, {"-L", "-m", "2"}).ok());  // plain text on the port of TLS
}

TEST_F(TlsListener, JavaToolsWork) {
  const auto made = tool("TopicCommand", {"--create", "--topic", "java-tls", "--partitions", "2"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  const auto sent =
      tool("ConsoleProducer",
           {"--topic", "java-tls", "--reader-property", "parse.key=true", "--reader-property", "key.separator=:"},
           "a:1\nb:2\n");
  EXPECT_EQ(sent.exit_code, 0) << sent.output;
  const auto read = tool("consumer.ConsoleConsumer", {"--topic", "java-tls", "--from-beginning", "--max-messages", "2",
                                                      "--timeout-ms", "20000", "--group", "java-tls-group"});
  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_TRUE(read.has("1\n") && read.has("2\n")) << read.output;
  const auto groups = tool("consumer.group.ConsumerGroupCommand", {"--list"});
  EXPECT_TRUE(groups.has("java-tls-group")) << groups.output;
}

// Stores as Java's own tool makes them; the old form is refused with the command that converts it.
TEST_F(TlsListener, KeytoolsStoresAreRead) {
  const auto keytool = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "keytool");
    arguments.insert(arguments.end(), {"-storepass", "changeit"});
    const auto ran = testing::run({.command = arguments, .stderr_file = path("keytool.log")});
    ASSERT_TRUE(ran.ok()) << ran.status().to_string();
  };
  const auto generate = [&](const std::string& type, const std::string& file) {
    keytool({"-genkeypair", "-alias", "muir", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=keytool",
             "-ext", "san=dns:localhost", "-storetype", type, "-keystore", path(file), "-keypass", "changeit"});
  };
  generate("PKCS12", "keytool.p12");
  generate("JKS", "keytool.jks");
  keytool({"-exportcert", "-rfc", "-alias", "muir", "-keystore", path("keytool.p12"), "-file", path("keytool.pem")});
  keytool({"-importcert", "-noprompt", "-alias", "muir", "-file", path("keytool.pem"), "-storetype", "PKCS12",
           "-keystore", path("trust.p12")});
  broker::BrokerConfig config;
  config.data_dir = path("data2");
  config.properties = {{"listeners", "SSL://localhost:0"},      {"ssl.keystore.location", path("keytool.p12")},
                       {"ssl.keystore.password", "changeit"},   {"ssl.truststore.location", path("trust.p12")},
                       {"ssl.truststore.password", "changeit"}, {"ssl.client.auth", "requested"}};
  auto started = broker::Broker::start(config);
  ASSERT_TRUE(started.ok()) << started.status().to_string();
  const auto listed = kcat(fmt::format("localhost:{}", (*started)->port()), {"-L", "-m", "10"},
                           {"-X", "security.protocol=ssl", "-X", "ssl.ca.location=" + path("keytool.pem")});
  EXPECT_TRUE(listed.ok()) << listed.status().to_string();
  EXPECT_TRUE((*started)->stop().ok());

  config.properties["ssl.keystore.location"] = path("keytool.jks");
  const auto refused = broker::Broker::start(config).status();
  EXPECT_NE(refused.message().find("keytool -importkeystore -srckeystore " + path("keytool.jks")), std::string::npos)
      << refused.to_string();
}

}  // namespace
}  // namespace muir::interop
