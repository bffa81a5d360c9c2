// What a TlsContext is made of: every form of certificates and keys, and every mistake in them.
#include "base/file.h"
#include "net/internal/tls_material.h"
#include "net/tls_fixture.h"
#include "testing/mutations.h"
#include "testing/temp_dir.h"

namespace muir::net {
namespace {

class TlsFiles : public ::testing::Test {
 protected:
  std::string write(const std::string& name, BytesView content) {
    std::string path = folder_.str() + "/" + name;
    EXPECT_TRUE(system_env().write_file(path, content).ok());
    return path;
  }
  testing::TempDir folder_;
  const testing::IssuedCertificate identity_ = authority().issue({.common_name = "broker-1"});
};

// As in a properties file whose author knows nothing of line ends.
std::string on_one_line(std::string pem) {
  std::replace(pem.begin(), pem.end(), '\n', ' ');
  return pem;
}

TEST_F(TlsFiles, AreReadInEveryForm) {
  const auto middle = authority().intermediate("Middle authority");
  const auto below = middle.issue({.common_name = "broker-2"});
  struct Row {
    const char* name;
    TlsOptions options;
    size_t chain;
    const char* subject;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"PEM text", with_identity(identity_), 1, "CN=broker-1"},
           {"PEM text with a chain", with_identity(below), 2, "CN=broker-2"},
           {"PEM text on one line",
            {.certificate_chain = {.text = on_one_line(below.chain)}, .private_key = {.text = on_one_line(below.key)}},
            2,
            "CN=broker-2"},
           {"two PEM files",
            {.certificate_chain = {.path = write("c.pem", identity_.chain)},
            .private_key = {.path = write("k.pem", identity_.key)}},
            1,
            "CN=broker-1"},
           {"one PEM file",
            {.certificate_chain = {.path = write("both.pem", identity_.key + below.chain)},
            .private_key = {.path = write("both.pem", below.key + below.chain)}},
            2,
            "CN=broker-2"},
           {"an encrypted key",
            {.certificate_chain = {.text = identity_.chain},
            .private_key = {.text = testing::encrypted_key(identity_.key, "pass word")},
            .key_password = "pass word"},
            1,
            "CN=broker-1"},
           {"an encrypted key on one line",
            {.certificate_chain = {.text = identity_.chain},
            .private_key = {.text = on_one_line(testing::encrypted_key(identity_.key, "pw"))},
            .key_password = "pw"},
            1,
            "CN=broker-1"},
           {"PKCS12",
            {.key_store = {.path = write("a.p12", testing::pkcs12_key_store(below, "changeit")),
                          .password = "changeit"}},
            2,
            "CN=broker-2"},
           {"PKCS12 without a password",
            {.key_store = {.path = write("b.p12", testing::pkcs12_key_store(identity_, ""))}},
            1,
            "CN=broker-1"},
       }) {
    const auto identity = load_identity(row.options);
    ASSERT_TRUE(identity.ok()) << row.name << ": " << identity.status().to_string();
    EXPECT_EQ(identity->chain.size(), row.chain) << row.name;
    EXPECT_EQ(subject_of(identity->chain[0].get()), row.subject) << row.name;
    EXPECT_TRUE(TlsContext::server(row.options).ok()) << row.name;
    const auto texts = tls_pem_texts(row.options);
    ASSERT_TRUE(texts.ok()) << row.name;
    EXPECT_TRUE(load_identity({.certificate_chain = {.text = texts->certificate_chain},
                               .private_key = {.text = texts->private_key}})
                    .ok())
        << row.name;
  }
}

TEST_F(TlsFiles, OfTrustHoldOneOrManyCertificates) {
  const testing::CertificateAuthority other("Other authority");
  const std::string both = authority().certificate() + other.certificate();
  const auto p12 = write("trust.p12", testing::pkcs12_trust_store(both, "changeit"));
  EXPECT_EQ(load_trusted({})->size(), 0U);
  EXPECT_EQ(load_trusted({.trusted_certificates = {.text = both}})->size(), 2U);
  EXPECT_EQ(load_trusted({.trusted_certificates = {.path = write("trust.pem", both)}})->size(), 2U);
  EXPECT_EQ(load_trusted({.trust_store = {.path = p12, .password = "changeit"}})->size(), 2U);
  EXPECT_EQ(tls_pem_texts({.trust_store = {.path = p12, .password = "changeit"}})->trusted_certificates.size(),
            both.size());
}

TEST_F(TlsFiles, SayWhatIsWrongWithThem) {
  const std::string key_file = write("key.pem", identity_.key);
  const std::string chain_file = write("chain.pem", identity_.chain);
  const std::string damaged = write("damaged.pem", identity_.chain.substr(0, 200) + "\n-----END CERTIFICATE-----\n");
  const std::string p12 = write("store.p12", testing::pkcs12_key_store(identity_, "changeit"));
  const std::string trust = write("trust.p12", testing::pkcs12_trust_store(authority().certificate(), "changeit"));
  const std::string jks = write("store.jks", Bytes("\xFE\xED\xFE\xED\0\0\0\2", 8));
  const auto other = authority().issue({.common_name = "other"});
  const auto expired = authority().issue({.common_name = "old", .valid_from_s = -7200, .valid_to_s = -3600});
  const auto early = authority().issue({.common_name = "young", .valid_from_s = 3600});
  const std::string locked = testing::encrypted_key(identity_.key, "right");
  const std::string missing = folder_.str() + "/missing";
  const auto pem = [](const std::string& chain, const std::string& key) {
    return TlsOptions{.certificate_chain = {.path = chain}, .private_key = {.path = key}};
  };
  struct Row {
    TlsOptions options;
    Code code;
    std::string said;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{}, Code::invalid_argument, "needs a certificate and its private key"},
           {pem(missing, key_file), Code::not_found, "certificate chain " + missing},
           {pem(chain_file, missing), Code::not_found, "private key " + missing},
           {{.key_store = {.path = missing}}, Code::not_found, "key store " + missing},
           {{.certificate_chain = {.path = chain_file}}, Code::invalid_argument, "no private key"},
           {{.private_key = {.path = key_file}}, Code::invalid_argument, "no certificate chain"},
           {pem(key_file, key_file), Code::invalid_argument, "key.pem: holds no certificate"},
           {pem(chain_file, chain_file), Code::invalid_argument, "chain.pem: holds no private key"},
           {pem(damaged, key_file), Code::invalid_argument, "damaged.pem: certificate number 1 is damaged"},
           {{.key_store = {.path = p12, .password = "wrong"}}, Code::invalid_argument, "store.p12: wrong password"},
           {{.key_store = {.path = p12}}, Code::invalid_argument, "store.p12: needs a password"},
           {{.key_store = {.path = chain_file}}, Code::invalid_argument, "chain.pem: is PEM text"},
           {{.key_store = {.path = write("x", "nothing")}}, Code::invalid_argument, "is not a PKCS12 file"},
           {{.key_store = {.path = trust, .password = "changeit"}}, Code::invalid_argument, "holds no private key"},
           {{.key_store = {.path = jks}},
            Code::invalid_argument,
            "keytool -importkeystore -srckeystore " + jks + " -destkeystore " + jks + ".p12 -deststoretype PKCS12"},
           {{.certificate_chain = {.text = identity_.chain}, .private_key = {.text = locked}},
            Code::invalid_argument,
            "private key (PEM text): is encrypted, and no key password is given"},
           {{.certificate_chain = {.text = identity_.chain}, .private_key = {.text = locked}, .key_password = "wrong"},
            Code::invalid_argument,
            "private key (PEM text): cannot be decrypted"},
           {{.certificate_chain = {.text = identity_.chain}, .private_key = {.text = other.key}},
            Code::invalid_argument,
            "does not belong to the first certificate of the certificate chain (PEM text) (CN=broker-1)"},
           {with_identity(expired), Code::invalid_argument, "certificate CN=old expired on 20"},
           {with_identity(early), Code::invalid_argument, "certificate CN=young is valid only from 20"},
           {with_identity(identity_, {.key_store = {.path = p12}}), Code::invalid_argument, "give one of them"},
           {with_identity(identity_, {.trusted_certificates = {.path = missing}}), Code::not_found,
            "trusted certificates " + missing},
           {with_identity(identity_, {.trust_store = {.path = trust, .password = "wrong"}}), Code::invalid_argument,
            "trust.p12: wrong password"},
           {with_identity(identity_, {.client_auth = TlsClientAuth::required}), Code::invalid_argument,
            "no trusted certificates are given"},
           {with_identity(identity_, {.cipher_suites = {"TLS_AES_256_GCM_SHA384", "TLS_RSA_WITH_NONSENSE"}}),
            Code::invalid_argument, "cipher suite \"TLS_RSA_WITH_NONSENSE\" is unknown"},
           {with_identity(identity_, {.version_min = TlsVersion::v1_3,
                                     .cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}),
            Code::invalid_argument, "none of the cipher suites is one of TLS 1.3"},
       }) {
    const auto context = TlsContext::server(row.options);
    ASSERT_FALSE(context.ok()) << row.said;
    EXPECT_EQ(context.status().code(), row.code) << context.status().to_string();
    EXPECT_NE(context.status().message().find(row.said), std::string::npos)
        << context.status().to_string() << "\n  wants: " << row.said;
    for (const char* secret : {"wrong", "changeit", "right"}) {
      const std::string said = context.status().message();
      if (row.said.find(secret) != std::string::npos) continue;
      EXPECT_EQ(said.find(secret), std::string::npos) << said;
    }
  }
}

TEST(FuzzTlsMaterial, SurvivesMutations) {
  const auto identity = authority().issue();
  testing::survive_mutations("net_tls_material", fuzz_tls_material,
                             {identity.chain + identity.key, authority().certificate(),
                              testing::pkcs12_trust_store(authority().certificate(), "password")},
                             {.rounds = 2000});
}

}  // namespace
}  // namespace muir::net
