// A source topic that is deleted ends the application that reads it, on Muir's broker and on Apache Kafka: at once,
// with its name, whatever is not committed yet. Kafka Streams 4.3.1 ends with MissingSourceTopicException, about a
// second after the deletion, or a minute when it has something to commit. The other cases are in
// src/streams/deleted_topics_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "client/kafka_client.h"
#include "interop/brokers.h"
#include "streams/dsl.h"
#include "streams/kafka_streams.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::streams {
namespace {

using DeletedTopicsOnACluster = interop::OnBothBrokers;

TEST_P(DeletedTopicsOnACluster, ThatAreSourcesEndTheApplicationAndAreNamed) {
  const auto client = client::connect_kafka({{"bootstrap.servers", bootstrap()}}).value();
  const auto admin = client->admin().value();
  struct Row {
    const char* name;
    const char* guarantee;
    const char* commit_interval_ms;
  };
  for (const Row& row : {Row{"gone-idle", "at_least_once", "100"}, Row{"gone-working", "at_least_once", "3600000"},
                         Row{"gone-transaction", "exactly_once_v2", "9000"}}) {
    SCOPED_TRACE(row.name);
    const std::string topic = row.name;
    const Status created = admin->create_topic({.name = topic, .partitions = 2, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.message();
    StreamsBuilder builder;
    builder.stream<std::string, std::string>(topic).group_by_key().count({.store = "counts"});
    muir::testing::TempDir folder;
    const auto config = StreamsConfig::parse({{"application.id", topic + "-app"},
                                              {"bootstrap.servers", bootstrap()},
                                              {"processing.guarantee", row.guarantee},
                                              {"commit.interval.ms", row.commit_interval_ms},
                                              {"state.dir", folder.str()}});
    ASSERT_TRUE(config.ok()) << config.status().message();
    const auto app = KafkaStreams::create(*builder.build(), *config, *client).value();
    ASSERT_TRUE(app->start().ok());
    ASSERT_TRUE(app->wait_until_running(muir::testing::kPatienceMs).ok());
    const auto producer = client->producer().value();
    const client::ProducedRecord record{.topic = topic, .key = "k", .value = "v", .timestamp_ms = 5};
    ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
    ASSERT_TRUE(producer->flush(muir::testing::kPatienceMs).ok());
    ASSERT_TRUE(muir::testing::eventually([&] { return app->metrics().records_processed == 1; }));
    const Status deleted = admin->delete_topic(topic);
    ASSERT_TRUE(deleted.ok()) << deleted.message();
    EXPECT_TRUE(muir::testing::eventually([&] { return app->state() == StreamsState::error; }));
    EXPECT_NE(app->failure().message().find("missing source topics of application " + topic + "-app: " + topic),
              std::string::npos)
        << app->failure().message();
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, DeletedTopicsOnACluster, interop::kBothVendors, interop::vendor_name);

}  // namespace
}  // namespace muir::streams
