#include "testing/kafka_cluster.h"

#include <gtest/gtest.h>

namespace muir::testing {
namespace {

TEST(KafkaCluster, ThreeBrokersServeTopicsWhileOneIsKilled) {
  auto cluster = KafkaCluster::start(3);
  ASSERT_TRUE(cluster.ok()) << cluster.status().to_string();
  const auto topics = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--bootstrap-server", cluster->bootstrap_servers()});
    return run(KafkaCluster::tool("org.apache.kafka.tools.TopicCommand", more));
  };
  const auto created = topics({"--create", "--topic", "positions", "--partitions", "3", "--replication-factor", "3"});
  ASSERT_TRUE(created.ok()) << created.status().to_string();
  ASSERT_TRUE(cluster->kill(1).ok());
  const auto listed = topics({"--list"});
  ASSERT_TRUE(listed.ok()) << listed.status().to_string();
  EXPECT_NE(listed->find("positions"), std::string::npos);
}

}  // namespace
}  // namespace muir::testing
