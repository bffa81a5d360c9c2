// The client over TLS, with certificates on both sides, against Muir's broker and Apache Kafka: librdkafka's half
// (records) and our own half (groups, administration), which get the same keys.
#include <gtest/gtest.h>

#include <fstream>

#include "broker/broker.h"
#include "client/kafka_client.h"
#include "testing/certificates.h"
#include "testing/eventually.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

// One authority for everybody; its files live as long as the process.
struct Identities {
  Identities() {
    const testing::IssuedCertificate broker = authority.issue({.common_name = "broker"});
    write("keystore.pem", broker.key + broker.chain);
    write("trust.pem", authority.certificate());
    write("broker.p12", testing::pkcs12_key_store(broker, "broker-secret"));
    const testing::IssuedCertificate alice = authority.issue({.common_name = "alice", .hosts = {}});
    write("alice.p12", testing::pkcs12_key_store(alice, "alice-secret"));
    write("alice.pem", testing::encrypted_key(alice.key, "key-secret") + alice.chain);
    // The authority that counts is the second one.
    const std::string many = testing::CertificateAuthority("Another").certificate() + authority.certificate();
    write("trust.p12", testing::pkcs12_trust_store(many, "trust-secret"));
    write("strangers.pem", testing::CertificateAuthority("Stranger").certificate());
  }
  [[nodiscard]] std::string path(const std::string& name) const { return folder.str() + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }

  testing::TempDir folder;
  testing::CertificateAuthority authority;
};

const Identities& identities() {
  static const Identities made;
  return made;
}

std::string muir_servers() {
  static testing::TempDir folder;
  broker::BrokerConfig config;
  config.data_dir = folder.str();
  config.properties = {{"listeners", "PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0"},
                       {"advertised.listeners", "SSL://localhost:0"},
                       {"group.initial.rebalance.delay.ms", "0"},
                       {"ssl.truststore.type", "PEM"},
                       {"ssl.truststore.location", identities().path("trust.pem")},
                       {"listener.name.ssl.ssl.client.auth", "required"},
                       {"listener.name.ssl.ssl.keystore.location", identities().path("broker.p12")},
                       {"listener.name.ssl.ssl.keystore.password", "broker-secret"}};
  static Result<std::unique_ptr<broker::Broker>> running = broker::Broker::start(config);
  EXPECT_TRUE(running.ok()) << running.status().to_string();
  return running.ok() ? fmt::format("localhost:{}", (*running)->listeners().at(1).port) : std::string();
}

std::string kafka_servers() {
  static Result<testing::KafkaCluster> cluster =
      testing::KafkaCluster::start(1, {{"ssl.client.auth", "required"}}, identities().folder.str());
  EXPECT_TRUE(cluster.ok()) << cluster.status().to_string();
  return cluster.ok() ? cluster->tls_bootstrap_servers() : std::string();
}

class TlsCluster : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    servers_ = GetParam() == "MuirBroker" ? muir_servers() : kafka_servers();
    ASSERT_FALSE(servers_.empty());
  }
  // A client that trusts the authority; `more` says who it is.
  [[nodiscard]] Properties with(Properties more) const {
    Properties all = {{"bootstrap.servers", servers_},
                      {"security.protocol", "SSL"},
                      {"request.timeout.ms", "5000"},
                      {"ssl.truststore.location", identities().path("trust.p12")},
                      {"ssl.truststore.password", "trust-secret"}};
    for (auto& [key, value] : more) all.insert_or_assign(key, value);
    return all;
  }
  [[nodiscard]] Properties alice() const {
    return with({{"ssl.keystore.location", identities().path("alice.p12")}, {"ssl.keystore.password", "alice-secret"}});
  }
  std::string servers_;
};

class OneOwner final : public GroupProtocol {
 public:
  std::vector<std::pair<std::string, Bytes>> metadata() override { return {{"one", "me"}}; }
  Result<std::map<std::string, Bytes>> assign(const std::string&,
                                              const std::map<std::string, Bytes>& members) override {
    std::map<std::string, Bytes> out;
    for (const auto& [member, given] : members) out[member] = "everything";
    return out;
  }
  void on_prepare(GenerationId, const std::string&) override {}
  Status on_assigned(GenerationId, const std::string&, BytesView assignment) override {
    assigned = assignment;
    return {};
  }
  void on_lost() override {}

  Bytes assigned;
};

TEST_P(TlsCluster, RecordsAndGroupsTravelOverTls) {
  const Properties forms[] = {
      alice(),
      with({{"ssl.keystore.type", "PEM"},
            {"ssl.keystore.location", identities().path("alice.pem")},
            {"ssl.key.password", "key-secret"},
            {"ssl.enabled.protocols", "TLSv1.2"},
            {"ssl.cipher.suites", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}}),
  };
  int next = 0;
  for (const Properties& properties : forms) {
    const std::string topic = fmt::format("over-tls-{}", next++);
    auto client = connect_kafka(properties);
    ASSERT_TRUE(client.ok()) << client.status().to_string();
    auto admin = (*client)->admin({}).value();
    const Status created = admin->create_topic({.name = topic, .partitions = 1, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();

    auto producer = (*client)->producer({}).value();
    const std::string large(200'000, 'x');
    const ProducedRecord sent[] = {{.topic = topic, .partition = PartitionId(0), .key = "k", .value = "secret"},
                                   {.topic = topic, .partition = PartitionId(0), .key = "k", .value = large}};
    ASSERT_TRUE(producer->send(sent).ok());
    const Status flushed = producer->flush(kWaitMs);
    ASSERT_TRUE(flushed.ok()) << flushed.to_string();

    auto consumer = (*client)->consumer({}).value();
    ASSERT_TRUE(consumer->assign({{{topic, PartitionId(0)}, kOffsetEarliest}}).ok());
    std::vector<std::string> values;
    ASSERT_TRUE(testing::eventually([&] {
      auto records = consumer->poll(1000).value();
      for (const PartitionRecords& some : records->partitions()) {
        for (const ConsumedRecord& one : some.records) values.emplace_back(one.value.value_or("<null>"));
      }
      return values.size() == 2;
    }));
    EXPECT_EQ(values, (std::vector<std::string>{"secret", large}));

    OneOwner protocol;
    auto member = (*client)->group_member({.group_id = "group-of-" + topic}, protocol).value();
    ASSERT_TRUE(testing::eventually([&] {
      const Status polled = member->poll(1000);
      EXPECT_TRUE(polled.ok()) << polled.to_string();
      return member->stable();
    }));
    EXPECT_EQ(protocol.assigned, "everything");
    EXPECT_TRUE(member->leave().ok());
  }
}

TEST_P(TlsCluster, WhoIsNotTrustedIsRefusedAtOnceAndToldWhy) {
  struct Row {
    const char* name;
    Properties properties;
    const char* said;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"no client certificate", with({}), "it wants a certificate from us"},
           {"a broker nobody here trusts",
            with({{"ssl.truststore.type", "PEM"},
                  {"ssl.truststore.location", identities().path("strangers.pem")},
                  {"ssl.keystore.location", identities().path("alice.p12")},
                  {"ssl.keystore.password", "alice-secret"}}),
            "the issuer of its certificate CN=broker is not trusted"},
       }) {
    auto client = connect_kafka(row.properties);
    ASSERT_TRUE(client.ok()) << client.status().to_string();
    auto admin = (*client)->admin({}).value();
    const Status created = admin->create_topic({.name = "refused", .partitions = 1, .replication_factor = 1});
    EXPECT_EQ(created.code(), Code::permission_denied) << row.name << ": " << created.to_string();
    // Apache Kafka answers a missing certificate with bad_certificate; the reason is its own business then.
    if (created.message().find("the peer refused") == std::string::npos) {
      EXPECT_NE(created.message().find(row.said), std::string::npos) << row.name << ": " << created.to_string();
    }
  }
}

TEST(TlsClientConfiguration, IsCheckedBeforeTheFirstConnection) {
  struct Row {
    Properties more;
    const char* said;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{{"ssl.keystore.location", "/nowhere/alice.p12"}},
            "configuration keys ssl.*: key store /nowhere/alice.p12: "},
           {{{"ssl.keystore.location", identities().path("alice.p12")}, {"ssl.keystore.password", "wrong"}},
            "alice.p12: wrong password"},
           {{{"security.protocol", "SASL_SSL"}}, "SASL is not spoken here"},
       }) {
    Properties properties = {{"bootstrap.servers", "localhost:1"}, {"security.protocol", "SSL"}};
    for (const auto& [key, value] : row.more) properties.insert_or_assign(key, value);
    const auto client = connect_kafka(properties);
    ASSERT_FALSE(client.ok()) << row.said;
    EXPECT_NE(client.status().message().find(row.said), std::string::npos) << client.status().to_string();
    EXPECT_EQ(client.status().message().find("\"wrong\""), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(, TlsCluster, ::testing::Values("MuirBroker", "ApacheKafka"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace muir::client
