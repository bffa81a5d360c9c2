#include "clusters.h"

#include "broker/broker.h"
#include "client/cluster_memory.h"
#include "client/kafka_client.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::client {
namespace {

const std::string& broker_servers() {
  static muir::testing::TempDir folder;
  broker::BrokerConfig config;
  config.port = 0;
  config.data_dir = folder.str();
  config.properties = {{"auto.create.topics.enable", "false"}, {"group.initial.rebalance.delay.ms", "0"}};
  static Result<std::unique_ptr<broker::Broker>> running = broker::Broker::start(config);
  EXPECT_TRUE(running.ok()) << running.status().to_string();
  static const std::string servers = running.ok() ? fmt::format("127.0.0.1:{}", (*running)->port()) : std::string();
  return servers;
}

const std::string& kafka_servers() {
  static Result<muir::testing::KafkaCluster> cluster = muir::testing::KafkaCluster::start(1);
  EXPECT_TRUE(cluster.ok()) << cluster.status().to_string();
  static const std::string servers = cluster.ok() ? cluster->bootstrap_servers() : std::string();
  return servers;
}

const std::string& servers_of(const std::string& kind) {
  return kind == "MuirBroker" ? broker_servers() : kafka_servers();
}

}  // namespace

std::unique_ptr<Client> client_of(const std::string& kind) {
  if (kind == "Memory") {
    static MemoryCluster cluster(system_clock(), {.blocking = true});
    return cluster.client();
  }
  const std::string& servers = servers_of(kind);
  if (servers.empty()) return nullptr;
  return connect_kafka({{"bootstrap.servers", servers}, {"client.id", "contract"}}).value();
}

uint16_t port_of(const std::string& kind) {
  if (kind == "Memory") return 0;
  const std::string& servers = servers_of(kind);
  return static_cast<uint16_t>(std::stoi(servers.substr(servers.rfind(':') + 1)));
}

}  // namespace muir::client
