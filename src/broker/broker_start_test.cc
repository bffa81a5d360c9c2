// What a broker is started with: keys, files of Kafka's, and what it tells of them.
#include <gtest/gtest.h>

#include <map>

#include "broker/broker.h"
#include "broker/internal/broker_fixture.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/metadata.h"

namespace muir::broker {
namespace {

using namespace wire;

TEST(BrokerStart, ASecondBrokerOnTheSameFolderIsRefused) {
  TestBroker first;
  BrokerConfig config;
  config.port = 0;
  config.data_dir = first.folder();
  const auto second = Broker::start(config);
  EXPECT_EQ(second.status().code(), Code::already_exists);
  EXPECT_NE(second.status().message().find("in use by another broker"), std::string::npos);
}

TEST(BrokerStart, WrongSettingsAreRefusedAndUnknownOnesGetASuggestion) {
  BrokerConfig config;
  config.data_dir = "/nonexistent/never-made";
  config.properties = {{"num.partitions", "many"}};
  EXPECT_EQ(Broker::start(config).status().code(), Code::invalid_argument);
  const auto complaints =
      check_properties({{"num.partition", "3"}, {"log.retention.hours", "1"}, {"log.segment.bytes", "100000"}});
  ASSERT_EQ(complaints.unknown.size(), 1u);
  EXPECT_NE(complaints.unknown[0].find("num.partitions"), std::string::npos) << complaints.unknown[0];
  EXPECT_TRUE(complaints.wrong.empty());
  for (const char* key : {"log.retention.hours", "log.retention.minutes", "log.roll.hours", "log.segment.bytes"})
    EXPECT_EQ(check_properties({{key, "soon"}}).wrong.size(), 1u) << key;
}

TEST(BrokerStart, EveryNumberHasItsRange) {
  for (const ConfigKey& key : broker_config().keys()) {
    const bool number = key.type == ConfigType::int32 || key.type == ConfigType::int64;
    if (!number) continue;
    for (const char* value : {"-5", "", "x", "1x", "99999999999999999999"})
      EXPECT_EQ(check_properties({{key.name, value}}).wrong.size(), 1u) << key.name << "=" << value;
    EXPECT_TRUE(check_properties({{key.name, key.fallback}}).wrong.empty()) << key.name;
  }
  struct Row {
    Properties properties;
    const char* wrong;  // empty: nothing
  };
  for (const Row& row : std::initializer_list<Row>{
           {{{"remote.log.storage.system.enable", "true"}},
            "remote.log.storage.system.enable=true: there is no tiered storage here"},
           {{{"flush.messages", "0"}},
            ""},  // a topic's key: unknown to a broker, which has log.flush.interval.messages
           {{{"log.flush.interval.messages", "0"}},
            "log.flush.interval.messages=0: expected a whole number of at least 1"},
           {{{"num.partitions", "0"}}, "num.partitions=0: expected a whole number"},
           {{{"listeners", ""}}, "listeners=: at least one is needed"},
           {{{"listeners", " , "}}, "listeners= , : at least one is needed"},
           {{{"advertised.listeners", ""}}, "advertised.listeners=: at least one is needed"},
           {{{"log.dirs", " "}}, "log.dirs= : at least one is needed"},
           {{{"log.dir", ""}}, "log.dir=: at least one is needed"},
           {{{"fetch.max.bytes", "1023"}}, "fetch.max.bytes=1023"},
           {{{"max.connections", "0"}}, ""},
           {{{"num.network.threads", "256"}}, ""},
           {{{"num.network.threads", "257"}}, "num.network.threads=257: expected a whole number from 1 to 256"},
           {{{"num.recovery.threads.per.data.dir", "100000"}},
            "num.recovery.threads.per.data.dir=100000: expected a whole number from 1 to 256"},
           {{{"offsets.topic.segment.bytes", "13"}}, "offsets.topic.segment.bytes=13: expected "},
           {{{"transaction.state.log.segment.bytes", "13"}}, "transaction.state.log.segment.bytes=13: expected "},
           {{{"log.cleaner.min.compaction.lag.ms", "50"}, {"log.cleaner.max.compaction.lag.ms", "50"}}, ""},
           {{{"log.cleaner.min.compaction.lag.ms", "100"}, {"log.cleaner.max.compaction.lag.ms", "50"}},
            "log.cleaner.min.compaction.lag.ms=100: above log.cleaner.max.compaction.lag.ms=50"},
           {{{"max.partitions", "100"}}, ""},
           {{{"max.partitions", "99"}}, "max.partitions=99: is less than 100, offsets.topic.num.partitions=50 and"},
           {{{"max.partitions", "5"},
             {"offsets.topic.num.partitions", "3"},
             {"transaction.state.log.num.partitions", "2"}},
            ""},
           {{{"max.partitions", "5"},
             {"offsets.topic.num.partitions", "3"},
             {"transaction.state.log.num.partitions", "3"}},
            "max.partitions=5: is less than 6"},
           {{{"log.retention.hours", "-1"}}, ""},
           {{{"log.retention.hours", "0"}}, "log.retention.hours=0"},
           {{{"log.retention.ms", "-7"}}, "log.retention.ms=-7: expected "},
           {{{"log.segment.bytes", "1"}}, "log.segment.bytes=1: expected "},
           {{{"log.retention.minutes", "-2"}}, "log.retention.minutes=-2"},
           {{{"log.roll.hours", "-1"}}, "log.roll.hours=-1"},
           {{{"group.min.session.timeout.ms", "9000"}, {"group.max.session.timeout.ms", "8000"}},
            "group.min.session.timeout.ms=9000: above group.max.session.timeout.ms=8000"}}) {
    const auto wrong = check_properties(row.properties).wrong;
    EXPECT_EQ(wrong.empty(), *row.wrong == 0);
    const std::string first = status_of(wrong).message();
    EXPECT_NE(first.find(row.wrong), std::string::npos) << first;
  }
}

TEST(BrokerStart, ClientsAreToldTheAdvertisedAddress) {
  TestBroker broker(Properties{{"advertised.listeners", "PLAINTEXT://bus.example:19092"}});
  TestClient client(broker->port());
  const auto metadata = client.call(MetadataRequest{}, 9);
  EXPECT_EQ(metadata.brokers.at(0).host, "bus.example");
  EXPECT_EQ(metadata.brokers.at(0).port, 19092);
}

TEST(BrokerStart, ReadsKafkasListenersAndFolders) {
  const auto config = BrokerConfig::from_properties({{"listeners", "PLAINTEXT://0.0.0.0:19092,SSL://x:1"},
                                                     {"advertised.listeners", "PLAINTEXT://host.example:9092"},
                                                     {"log.dirs", "/var/lib/muir"},
                                                     {"node.id", "7"}});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->host, "0.0.0.0");
  EXPECT_EQ(config->port, 19092);
  EXPECT_EQ(config->listeners()->at(0).advertised_host, "host.example");
  EXPECT_EQ(config->data_dir, "/var/lib/muir");
  EXPECT_EQ(config->node_id, 7);
  EXPECT_FALSE(BrokerConfig::from_properties({{"listeners", "localhost"}}).ok());
  EXPECT_EQ(BrokerConfig::from_properties({{"broker.id", "3"}})->node_id, 3);
  EXPECT_EQ(BrokerConfig::from_properties({{"log.dir", "/a"}})->data_dir, "/a");
  EXPECT_EQ(BrokerConfig::from_properties({{"log.dir", "/a"}, {"log.dirs", "/b"}})->data_dir, "/b");
  const struct {
    Properties properties;
    const char* wrong;
  } refused[] = {
      {{{"log.dirs", "/a,/b"}}, "log.dirs=/a,/b: one data folder is supported"},
      {{{"log.dirs", " "}}, "log.dirs= : one data folder is supported"},
      {{{"log.dirs", ""}}, "log.dirs=: one data folder is supported"},
      {{{"broker.id", "x"}}, "configuration broker.id=x: expected a whole number from 0"},
      {{{"broker.id", "3"}, {"node.id", "4"}}, "broker.id=3: node.id=4 is given too"},
  };
  for (const auto& row : refused) {
    const auto read = BrokerConfig::from_properties(row.properties);
    ASSERT_FALSE(read.ok()) << row.wrong;
    EXPECT_TRUE(read.status().message().starts_with(row.wrong)) << read.status().message();
  }
}

// The keys of the file that Apache Kafka ships for a node that is broker and controller.
TEST(BrokerStart, TakesKafkasServerProperties) {
  const Properties shipped{{"process.roles", "broker,controller"},
                           {"node.id", "1"},
                           {"controller.quorum.bootstrap.servers", "localhost:9093"},
                           {"listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"},
                           {"inter.broker.listener.name", "PLAINTEXT"},
                           {"advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"},
                           {"controller.listener.names", "CONTROLLER"},
                           {"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL"},
                           {"num.network.threads", "3"},
                           {"num.io.threads", "8"},
                           {"socket.send.buffer.bytes", "102400"},
                           {"socket.receive.buffer.bytes", "102400"},
                           {"socket.request.max.bytes", "104857600"},
                           {"log.dirs", "/tmp/kraft-combined-logs"},
                           {"num.partitions", "1"},
                           {"num.recovery.threads.per.data.dir", "2"},
                           {"offsets.topic.replication.factor", "1"},
                           {"share.coordinator.state.topic.replication.factor", "1"},
                           {"share.coordinator.state.topic.min.isr", "1"},
                           {"transaction.state.log.replication.factor", "1"},
                           {"transaction.state.log.min.isr", "1"},
                           {"log.retention.hours", "168"},
                           {"log.segment.bytes", "1073741824"},
                           {"log.retention.check.interval.ms", "300000"}};
  const ConfigComplaints complaints = check_properties(shipped);
  EXPECT_EQ(complaints.unknown, std::vector<std::string>{});
  EXPECT_EQ(status_of(complaints.wrong).message(), "");
  const auto config = BrokerConfig::from_properties(shipped);
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  EXPECT_EQ(config->data_dir, "/tmp/kraft-combined-logs");
  EXPECT_EQ(config->network_threads, 3);
}

TEST(BrokerStart, KeysThatWouldProtectItAreRefusedAndOthersThatDoNothingAreNamed) {
  for (const char* key : {"authorizer.class.name", "super.users", "sasl.enabled.mechanisms"}) {
    const auto wrong = check_properties({{key, "x"}}).wrong;
    ASSERT_EQ(wrong.size(), 1u) << key;
    EXPECT_EQ(wrong[0].key, key);
    EXPECT_TRUE(wrong[0].why.starts_with("this broker has neither SASL nor ACLs")) << wrong[0].why;
  }
  EXPECT_EQ(check_properties({{"quota.window.num", "11"}}).unknown,
            std::vector<std::string>{"quota.window.num: a key of Kafka's that has no effect here"});
}

TEST(BrokerStart, DescribesTheSettingsThatAreInUse) {
  TestBroker broker(Properties{});
  TestClient client(broker->port());
  wire::DescribeConfigsRequest request;
  request.resources.push_back({4, "1", std::nullopt, {}});
  std::map<std::string, std::string> shown;
  const auto described = client.call(request, 4).results.at(0);
  EXPECT_EQ(described.error_message.value_or(""), "");
  for (const auto& config : described.configs) shown[config.name] = config.value.value_or("");
  const std::string address = fmt::format("PLAINTEXT://127.0.0.1:{}", broker->port());
  EXPECT_EQ(shown["listeners"], address);
  EXPECT_EQ(shown["advertised.listeners"], address);
  EXPECT_EQ(shown["log.dirs"], broker.folder());
  EXPECT_EQ(shown["node.id"], "1");
}

}  // namespace
}  // namespace muir::broker
