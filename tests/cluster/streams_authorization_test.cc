// What an application does on Apache Kafka when it may not write: its thread ends at once and says what is denied.
// Muir's broker has no authorizer.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/child_process.h"
#include "testing/eventually.h"
#include "testing/kafka_cluster.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

struct Denied {
  std::string name;
  std::string application;
  bool exactly_once;
  std::string topic;               // that is written
  std::vector<std::string> parts;  // of what the failure says
};

void acl(const std::string& bootstrap, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--bootstrap-server", bootstrap, "--add"});
  const auto done =
      muir::testing::run(muir::testing::KafkaCluster::tool("org.apache.kafka.tools.AclCommand", arguments));
  ASSERT_TRUE(done.ok()) << done.status().to_string();
}

TEST(StreamsAuthorization, WhatMayNotBeWrittenEndsTheThreadAtOnceAndIsNamed) {
  auto cluster = muir::testing::KafkaCluster::start(
      1, {{"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"},
          {"allow.everyone.if.no.acl.found", "true"}});
  ASSERT_TRUE(cluster.ok()) << cluster.status().to_string();
  const std::string& bootstrap = cluster->bootstrap_servers();
  auto client = client::connect_kafka({{"bootstrap.servers", bootstrap}}).value();
  auto admin = client->admin({}).value();
  for (const char* topic : {"in", "read-only", "hidden", "free"}) {
    const Status created = admin->create_topic({.name = topic, .partitions = 1, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  auto producer = client->producer({}).value();
  const client::ProducedRecord record{.topic = "in", .key = "a", .value = "x", .timestamp_ms = 5};
  ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
  ASSERT_TRUE(producer->flush(muir::testing::kPatienceMs).ok());
  // A resource with any rule denies what none allows.
  acl(bootstrap, {"--allow-principal", "User:*", "--operation", "Describe", "--operation", "DescribeConfigs", "--topic",
                  "read-only"});
  acl(bootstrap, {"--deny-principal", "User:*", "--operation", "All", "--topic", "hidden"});
  acl(bootstrap, {"--deny-principal", "User:*", "--operation", "Write", "--transactional-id", "no-id",
                  "--resource-pattern-type", "prefixed"});

  const std::string topic_denied = "TOPIC_AUTHORIZATION_FAILED";
  const Denied cases[] = {
      {"a topic", "app-1", false, "read-only", {topic_denied, "task 0_0", "topic read-only partition=0"}},
      {"a topic in a transaction", "app-2", true, "read-only", {topic_denied, "transactional.id=app-2", "read-only"}},
      {"a topic that is hidden", "app-3", false, "hidden", {topic_denied, "task 0_0", "topic hidden"}},
      {"a hidden topic in a transaction", "app-4", true, "hidden", {topic_denied, "hidden"}},
      {"a transactional id", "no-id", true, "free", {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "no-id-"}},
  };
  for (const Denied& c : cases) {
    SCOPED_TRACE(c.name);
    StreamsBuilder builder;
    builder.stream<std::string, std::string>("in").to(c.topic);
    muir::testing::TempDir folder;
    const auto config =
        StreamsConfig::parse({{"application.id", c.application},
                              {"bootstrap.servers", bootstrap},
                              {"processing.guarantee", c.exactly_once ? "exactly_once_v2" : "at_least_once"},
                              {"production.exception.handler", "log_and_continue"},  // is not asked
                              {"state.dir", folder.str()},
                              {"commit.interval.ms", "100"}});
    auto app = KafkaStreams::create(*builder.build(), *config, *client);
    ASSERT_TRUE(app.ok()) << app.status().to_string();
    ASSERT_TRUE((*app)->start().ok());
    // Well before task.timeout.ms, 300 s.
    EXPECT_TRUE(muir::testing::eventually([&] { return (*app)->state() == StreamsState::error; }));
    const std::string message = (*app)->failure().message();
    for (const std::string& part : c.parts) EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ((*app)->metrics().records_dropped, 0u);
  }
}

}  // namespace
}  // namespace muir::streams
