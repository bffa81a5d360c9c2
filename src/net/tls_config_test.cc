#include "net/tls_config.h"

#include "net/tls_fixture.h"

namespace muir::net {
namespace {

// The options in one line: "store=a.p12 trust=... tls1.2-1.3".
std::string described(const TlsOptions& o) {
  std::string out =
      fmt::format("{}{}{} trust={}{}{}", o.key_store.path, o.certificate_chain.path, o.certificate_chain.text,
                  o.trust_store.path, o.trusted_certificates.path, o.trusted_certificates.text);
  out += fmt::format(" {}-{}", o.version_min == TlsVersion::v1_2 ? "1.2" : "1.3",
                     o.version_max == TlsVersion::v1_2 ? "1.2" : "1.3");
  out +=
      fmt::format(" auth={} host={} suites={}", static_cast<int>(o.client_auth), o.check_host, o.cipher_suites.size());
  return out;
}

TEST(TlsKeys, MeanWhatTheyMeanInKafka) {
  struct Row {
    Properties given;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{}, " trust= 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.keystore.location", "a.p12"}, {"ssl.truststore.location", "t.p12"}},
            "a.p12 trust=t.p12 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.keystore.type", "JKS"}, {"ssl.keystore.location", "a.jks"}},
            "a.jks trust= 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.keystore.type", "pem"}, {"ssl.keystore.location", "a.pem"}},
            "a.pem trust= 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.keystore.type", "PEM"}, {"ssl.keystore.certificate.chain", "CHAIN"}, {"ssl.keystore.key", "KEY"}},
            "CHAIN trust= 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.truststore.type", "PEM"}, {"ssl.truststore.certificates", "CA"}},
            " trust=CA 1.2-1.3 auth=0 host=true suites=0"},
           {{{"ssl.enabled.protocols", "TLSv1.3"}, {"ssl.client.auth", "required"}},
            " trust= 1.3-1.3 auth=2 host=true suites=0"},
           {{{"ssl.enabled.protocols", "TLSv1.2"}, {"ssl.endpoint.identification.algorithm", ""}},
            " trust= 1.2-1.2 auth=0 host=false suites=0"},
           {{{"ssl.cipher.suites", "TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256"}, {"ssl.client.auth", "requested"}},
            " trust= 1.2-1.3 auth=1 host=true suites=2"},
           {{{"ssl.keystore.location", "general.p12"},
             {"ssl.truststore.location", "trust.p12"},
             {"listener.name.in.ssl.keystore.location", "in.p12"},
             {"listener.name.out.ssl.keystore.location", "out.p12"},
             {"listener.name.in.ssl.client.auth", "required"}},
            "in.p12 trust=trust.p12 1.2-1.3 auth=2 host=true suites=0"},
       }) {
    const auto options = tls_options(row.given, {"listener.name.in.", ""});
    ASSERT_TRUE(options.ok()) << options.status().to_string();
    EXPECT_EQ(described(*options), row.expected);
  }
}

TEST(TlsKeys, AreRefusedByName) {
  struct Row {
    Properties given;
    const char* said;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{{"ssl.keystore.type", "BKS"}}, "configuration ssl.keystore.type=BKS: expected one of PKCS12, PEM, JKS"},
           {{{"x.ssl.keystore.type", "BKS"}},
            "configuration x.ssl.keystore.type=BKS: expected one of PKCS12, PEM, JKS"},
           {{{"ssl.keystore.key", "KEY"}},
            "configuration ssl.keystore.key=[hidden]: is PEM text; set x.ssl.keystore.type=PEM with it"},
           {{{"ssl.keystore.key", "KEY"}, {"ssl.keystore.type", "PKCS12"}}, "set ssl.keystore.type=PEM with it"},
           {{{"x.ssl.truststore.certificates", "CA"}},
            "configuration x.ssl.truststore.certificates=(PEM): is PEM text; set x.ssl.truststore.type=PEM with it"},
           {{{"ssl.keystore.type", "PEM"}, {"ssl.keystore.location", "a"}, {"ssl.keystore.key", "KEY"}},
            "ssl.keystore.key=[hidden]: ssl.keystore.location is given, too: give one of them"},
           {{{"ssl.truststore.type", "PEM"}, {"ssl.truststore.location", "a"}, {"ssl.truststore.certificates", "CA"}},
            "ssl.truststore.location is given, too: give one of them"},
           {{{"ssl.enabled.protocols", "TLSv1.1,TLSv1.2"}},
            "ssl.enabled.protocols=TLSv1.1,TLSv1.2: expected a list of TLSv1.2, TLSv1.3"},
           {{{"ssl.enabled.protocols", ""}}, "ssl.enabled.protocols=: expected a list of TLSv1.2, TLSv1.3"},
           {{{"ssl.client.auth", "yes"}}, "ssl.client.auth=yes: expected one of none, requested, required"},
           {{{"ssl.endpoint.identification.algorithm", "ldap"}}, "algorithm=ldap: expected https or nothing"},
           {{{"ssl.client.auth", "yes"}, {"x.ssl.truststore.type", "BKS"}},
            "configuration: 2 values are wrong\n  ssl.client.auth=yes: expected one of none, requested, required\n"
            "  x.ssl.truststore.type=BKS: expected one of PKCS12, PEM, JKS"},
       }) {
    const auto options = tls_options(row.given, {"x.", ""});
    ASSERT_FALSE(options.ok()) << row.said;
    EXPECT_NE(options.status().message().find(row.said), std::string::npos) << options.status().message();
    EXPECT_EQ(options.status().message().find("KEY"), std::string::npos) << options.status().message();
  }
  const auto missing = tls_server({{"x.ssl.keystore.location", "/nowhere.p12"}}, {"x.", ""});
  EXPECT_EQ(missing.status().code(), Code::not_found);
  EXPECT_TRUE(missing.status().message().starts_with("configuration keys x.ssl.*: key store /nowhere.p12: "))
      << missing.status().message();
}

TEST(TlsKeys, AreNamedAsTheyWereGiven) {
  const auto general = tls_server({{"ssl.keystore.location", "/nowhere.p12"}}, {"x.", ""});
  EXPECT_TRUE(general.status().message().starts_with("configuration keys ssl.*: ")) << general.status().message();
}

TEST(SecurityProtocol, IsPlaintextOrSsl) {
  EXPECT_FALSE(*is_tls_protocol("PLAINTEXT"));
  EXPECT_TRUE(*is_tls_protocol("SSL"));
  EXPECT_TRUE(*is_tls_protocol("ssl"));
  EXPECT_EQ(is_tls_protocol("SASL_SSL").status().code(), Code::unsupported);
  EXPECT_EQ(is_tls_protocol("SASL_PLAINTEXT").status().code(), Code::unsupported);
  EXPECT_EQ(is_tls_protocol("TLS", "security.protocol").status().message(),
            "configuration key security.protocol: \"TLS\" is not PLAINTEXT or SSL");
}

}  // namespace
}  // namespace muir::net
