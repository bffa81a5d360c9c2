// The schema registry keeps its state on each cluster it may meet: Muir's broker and Apache Kafka.
#include <gtest/gtest.h>

#include <string>

#include "broker/broker.h"
#include "client/kafka_client.h"
#include "registry/http_registry_client.h"
#include "registry/registry.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::registry {
namespace {

// Registers over HTTP, restarts, and looks again; `servers` has no `_schemas` yet.
void survives_a_restart(const std::string& servers) {
  auto client = client::connect_kafka({{"bootstrap.servers", servers}, {"client.id", "registry"}});
  ASSERT_TRUE(client.ok()) << client.status().to_string();
  auto registry = Registry::start(**client, {.port = 0});
  ASSERT_TRUE(registry.ok()) << registry.status().to_string();
  auto http = HttpRegistryClient::create((*registry)->url()).value();
  for (int i = 1; i <= 20; ++i) {
    const auto id = http->register_schema(
        "s",
        fmt::format(
            R"({{"type":"record","name":"R","fields":[{{"name":"f{}","type":["null","int"],"default":null}}]}})", i));
    ASSERT_TRUE(id.ok()) << id.status().to_string();
    EXPECT_EQ(*id, i);
  }
  EXPECT_EQ(http->register_schema("s", R"("int")").status().number(Domain::registry), 409);

  // More than a topic takes by itself, and than librdkafka sends by itself.
  const std::string large =
      fmt::format(R"({{"type":"fixed","name":"Large","doc":"{}","size":1}})", std::string(1'200'000, 'x'));
  const Status too_large = http->register_schema("large", large).status();
  EXPECT_EQ(too_large.number(Domain::registry), 42209) << too_large.to_string();
  EXPECT_EQ(http->latest_schema("large").status().number(Domain::registry), 40401);

  (*registry)->stop();
  *registry = nullptr;
  registry = Registry::start(**client, {.port = 0});
  ASSERT_TRUE(registry.ok()) << registry.status().to_string();
  const auto latest = (*registry)->port_for_serdes().latest_schema("s");
  ASSERT_TRUE(latest.ok()) << latest.status().to_string();
  EXPECT_EQ(latest->version, 20);
  EXPECT_EQ((*registry)->port_for_serdes().register_schema("t", R"("int")").value_or(0), 21);
  const auto configs = (*client)->admin().value()->topic_configs("_schemas");
  ASSERT_TRUE(configs.ok()) << configs.status().to_string();
  EXPECT_EQ(configs->at("cleanup.policy"), "compact");
}

TEST(RegistryOnACluster, KeepsItsSchemasOnMuirsBroker) {
  const muir::testing::TempDir folder;
  broker::BrokerConfig config;
  config.port = 0;
  config.data_dir = folder.str();
  auto broker = broker::Broker::start(config);
  ASSERT_TRUE(broker.ok()) << broker.status().to_string();
  survives_a_restart(fmt::format("127.0.0.1:{}", (*broker)->port()));
}

TEST(RegistryOnACluster, KeepsItsSchemasOnApacheKafka) {
  auto cluster = muir::testing::KafkaCluster::start(3);
  ASSERT_TRUE(cluster.ok()) << cluster.status().to_string();
  survives_a_restart(cluster->bootstrap_servers());
}

}  // namespace
}  // namespace muir::registry
