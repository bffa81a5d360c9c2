// The registry over https, and its client with the keys that Java's serdes have (schema.registry.ssl.*).
#include <gtest/gtest.h>

#include "base/clock.h"
#include "client/cluster_memory.h"
#include "net/tls_config.h"
#include "registry/http_registry_client.h"
#include "registry/registry.h"
#include "testing/certificates.h"

namespace muir::registry {
namespace {

TEST(RegistryOverTls, ServesClientsThatTrustItAndThatItTrusts) {
  const muir::testing::CertificateAuthority authority;
  const auto server = authority.issue();
  const auto alice = authority.issue({.common_name = "alice", .hosts = {}});
  const auto tls = net::tls_server({{"ssl.keystore.type", "PEM"},
                                    {"ssl.keystore.certificate.chain", server.chain},
                                    {"ssl.keystore.key", server.key},
                                    {"ssl.truststore.type", "PEM"},
                                    {"ssl.truststore.certificates", authority.certificate()},
                                    {"ssl.client.auth", "required"}});
  ASSERT_TRUE(tls.ok()) << tls.status().to_string();
  client::MemoryCluster cluster(system_clock(), {.blocking = true});
  const auto client = cluster.client();
  auto registry = Registry::start(*client, {.port = 0, .tls = *tls});
  ASSERT_TRUE(registry.ok()) << registry.status().to_string();
  EXPECT_TRUE((*registry)->url().starts_with("https://127.0.0.1:")) << (*registry)->url();

  Properties keys = {{"schema.registry.ssl.truststore.type", "PEM"},
                     {"schema.registry.ssl.truststore.certificates", authority.certificate()}};
  const auto nobody = net::tls_client(keys, {"schema.registry."});
  ASSERT_TRUE(nobody.ok()) << nobody.status().to_string();
  auto refused = HttpRegistryClient::create((*registry)->url(), {.tls = *nobody});
  ASSERT_TRUE(refused.ok());
  const auto said = (*refused)->register_schema("s", R"("int")").status();
  EXPECT_NE(said.message().find("it wants a certificate from us"), std::string::npos) << said.to_string();

  keys.insert({{"schema.registry.ssl.keystore.type", "PEM"},
               {"schema.registry.ssl.keystore.certificate.chain", alice.chain},
               {"schema.registry.ssl.keystore.key", alice.key}});
  const auto known = net::tls_client(keys, {"schema.registry."});
  ASSERT_TRUE(known.ok()) << known.status().to_string();
  auto http = HttpRegistryClient::create((*registry)->url(), {.tls = *known});
  ASSERT_TRUE(http.ok());
  const auto id = (*http)->register_schema("s", R"("int")");
  ASSERT_TRUE(id.ok()) << id.status().to_string();
  EXPECT_EQ(*(*http)->schema_by_id(*id), R"("int")");
}

}  // namespace
}  // namespace muir::registry
