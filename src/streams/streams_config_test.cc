#include "streams/streams_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "client/client_keys.h"

namespace muir::streams {
namespace {

using Map = std::map<std::string, std::string>;

Map with(Map more) {
  more.emplace("application.id", "app");
  more.emplace("bootstrap.servers", "localhost:9092");
  return more;
}

TEST(StreamsConfig, HasKafkasDefaults) {
  const auto config = StreamsConfig::parse(with({}));
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->exactly_once);
  EXPECT_EQ(config->commit_interval_ms, 30'000);
  EXPECT_EQ(config->num_stream_threads, 1);
  EXPECT_EQ(config->main_consumer.at("isolation.level"), "read_uncommitted");
  EXPECT_EQ(config->producer.at("linger.ms"), "100");
  EXPECT_TRUE(config->reset_earliest);
}

TEST(StreamsConfig, ExactlyOnceCommitsOftenAndReadsCommitted) {
  const auto config = StreamsConfig::parse(with({{"processing.guarantee", "exactly_once_v2"}}));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->commit_interval_ms, 100);
  EXPECT_EQ(config->main_consumer.at("isolation.level"), "read_committed");
  EXPECT_EQ(config->transaction_timeout_ms, 10'000);
}

TEST(StreamsConfig, NoPrefixChangesWhatTheGuaranteeRestsOn) {
  const auto config = StreamsConfig::parse(with({{"processing.guarantee", "exactly_once_v2"},
                                                 {"consumer.isolation.level", "read_uncommitted"},
                                                 {"main.consumer.isolation.level", "read_uncommitted"},
                                                 {"restore.consumer.isolation.level", "read_uncommitted"},
                                                 {"global.consumer.enable.auto.commit", "true"},
                                                 {"producer.enable.idempotence", "false"}}));
  ASSERT_TRUE(config.ok());
  for (const auto* consumer : {&config->main_consumer, &config->restore_consumer, &config->global_consumer}) {
    EXPECT_EQ(consumer->at("isolation.level"), "read_committed");
    EXPECT_EQ(consumer->at("enable.auto.commit"), "false");
  }
  EXPECT_EQ(config->producer.at("enable.idempotence"), "true");
}

TEST(StreamsConfig, PrefixesReachTheirClients) {
  const auto config = StreamsConfig::parse(with({{"consumer.fetch.min.bytes", "1"},
                                                 {"main.consumer.fetch.min.bytes", "2"},
                                                 {"restore.consumer.fetch.max.bytes", "3"},
                                                 {"producer.compression.type", "lz4"},
                                                 {"admin.request.timeout.ms", "4"},
                                                 {"topic.segment.bytes", "5"},
                                                 {"security.protocol", "SSL"},
                                                 {"session.timeout.ms", "6000"}}));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->main_consumer.at("fetch.min.bytes"), "2");
  EXPECT_EQ(config->global_consumer.at("fetch.min.bytes"), "1");
  EXPECT_EQ(config->restore_consumer.at("fetch.max.bytes"), "3");
  EXPECT_EQ(config->producer.at("compression.type"), "lz4");
  EXPECT_EQ(config->admin.at("request.timeout.ms"), "4");
  EXPECT_EQ(config->topic_configs.at("segment.bytes"), "5");
  EXPECT_EQ(config->common.at("security.protocol"), "SSL");
  EXPECT_EQ(config->session_timeout_ms, 6'000);
}

TEST(StreamsConfig, ErrorPoliciesHaveKafkasClassNamesAndShortOnes) {
  const auto config = StreamsConfig::parse(
      with({{"deserialization.exception.handler", "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler"},
            {"processing.exception.handler", "log_and_continue"}}));
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->on_deserialization_error, ErrorPolicy::resume);
  EXPECT_EQ(config->on_processing_error, ErrorPolicy::resume);
  EXPECT_EQ(config->on_production_error, ErrorPolicy::fail);
}

TEST(StreamsConfig, SaysWhichValueIsWrongAndWhatItMayBe) {
  const std::vector<std::pair<Map, const char*>> cases = {
      {{{"application.id", ""}}, "application.id is missing"},
      {with({{"num.stream.threads", "0"}}), "num.stream.threads=0: expected a whole number from 1 to 1000"},
      {with({{"poll.ms", "fast"}}), "poll.ms=fast: expected a whole number"},
      {with({{"processing.guarantee", "exactly_once"}}), "expected at_least_once or exactly_once_v2"},
      {with({{"auto.offset.reset", "none"}}), "expected earliest or latest"},
      {with({{"num.standby.replicas", "1"}}), "keeps no standby replicas"},
      {with({{"processing.guarantee", "exactly_once_v2"}, {"commit.interval.ms", "20000"}}),
       "transaction.timeout.ms=10000"},
      {with({{"session.timeout.ms", "3000000000"}}),
       "session.timeout.ms=3000000000: expected a whole number from 1 to"},
      {with({{"session.timeout.ms", "6000"}, {"consumer.heartbeat.interval.ms", "6000"}}),
       "heartbeat.interval.ms=6000: must be less than session.timeout.ms=6000"},
      {with({{"processing.exception.handler", "ignore"}}), "expected log_and_fail or log_and_continue"},
  };
  for (const auto& [properties, text] : cases) {
    const auto config = StreamsConfig::parse(properties);
    EXPECT_EQ(config.ok(), false) << text;
    EXPECT_NE(config.status().message().find(text), std::string::npos) << config.status().message();
  }
}

TEST(StreamsConfig, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_EQ(
      unknown_keys({{"num.stream.thread", "2"}}),
      (std::vector<std::string>{"unknown configuration key 'num.stream.thread'; did you mean 'num.stream.threads'?"}));
  EXPECT_TRUE(unknown_keys(with({{"topic.anything", "x"}, {"sasl.mechanism", "PLAIN"}})).empty());
  EXPECT_TRUE(unknown_keys(with({{"schema.registry.url", "http://localhost:8081"}})).empty());
}

TEST(StreamsConfig, KeysOfClientsThatNeedAPrefixAreToldWithIt) {
  const std::string decided = " has no effect: the application decides about it";
  for (const auto& [key, want] : std::map<std::string, std::string>{
           {"acks", "unknown configuration key 'acks'; did you mean 'producer.acks'?"},
           {"retries", "unknown configuration key 'retries'; did you mean 'producer.retries'?"},
           {"retriez", "unknown configuration key 'retriez'; did you mean 'producer.retries'?"},
           {"enable.idempotence", "configuration key 'enable.idempotence'" + decided},
           {"isolation.level", "configuration key 'isolation.level'" + decided},
           {"nothing.of.the.kind", "unknown configuration key 'nothing.of.the.kind'"}}) {
    EXPECT_EQ(unknown_keys({{key, "1"}}), std::vector{want}) << key;
  }
}

TEST(StreamsConfig, KeysUnderAPrefixAreToldByNameWhenTheyHaveNoEffect) {
  const std::string later = " of the Java client is not supported yet and has no effect";
  const std::string decided = " has no effect: the application decides about it";
  struct Case {
    std::string key;
    std::string want;  // empty: it takes effect
  };
  for (const Case& c : {
           Case{"producer.linger.ms", ""},
           Case{"producer.ssl.truststore.location", ""},
           Case{"producer.rdkafka.debug", ""},
           Case{"producer.liger.ms",
                "unknown configuration key 'producer.liger.ms'; did you mean 'producer.linger.ms'?"},
           Case{"producer.anything", "unknown configuration key 'producer.anything'"},
           Case{"producer.fetch.min.bytes",
                "configuration key 'producer.fetch.min.bytes' is not one of producers and has no effect"},
           Case{"producer.interceptor.classes", "configuration key 'producer.interceptor.classes'" + later},
           Case{"producer.transactional.id", "configuration key 'producer.transactional.id'" + decided},
           Case{"consumer.fetch.mim.bytes",
                "unknown configuration key 'consumer.fetch.mim.bytes'; did you mean 'consumer.fetch.min.bytes'?"},
           Case{"consumer.isolation.level", "configuration key 'consumer.isolation.level'" + decided},
           Case{"consumer.session.timeout.ms", ""},
           Case{"main.consumer.max.poll.records", ""},
           Case{"main.consumer.group.protocol", "configuration key 'main.consumer.group.protocol'" + later},
           Case{"main.consumer.linger.ms",
                "configuration key 'main.consumer.linger.ms' is not one of consumers and has no effect"},
           Case{"restore.consumer.max.poll.records", "configuration key 'restore.consumer.max.poll.records'" + later},
           Case{"restore.consumer.fetch.max.byte",
                "unknown configuration key 'restore.consumer.fetch.max.byte'; did you mean "
                "'restore.consumer.fetch.max.bytes'?"},
           Case{"global.consumer.group.id", "configuration key 'global.consumer.group.id'" + decided},
           Case{"admin.request.timeout.ms", ""},
           Case{"admin.request.timeout",
                "unknown configuration key 'admin.request.timeout'; did you mean 'admin.request.timeout.ms'?"},
           Case{"admin.retries", "configuration key 'admin.retries'" + later},
           Case{"admin.sasl.jaas.config", "configuration key 'admin.sasl.jaas.config'" + later},
       }) {
    EXPECT_EQ(unknown_keys({{c.key, "1"}}), c.want.empty() ? std::vector<std::string>() : std::vector{c.want}) << c.key;
  }
}

// A value for each type; what a key of this kind does not take.
std::pair<std::string, std::string> good_and_bad(const muir::ConfigKey& key) {
  if (!key.allowed.empty()) return {key.allowed.front(), "neither"};
  if (key.name == "delivery.timeout.ms") return {"60000", "1000"};  // less than a request may take
  if (key.name == "bootstrap.servers") return {"there:9092", "nowhere"};
  if (key.type == ConfigType::boolean) return {"false", "perhaps"};
  if (key.type == ConfigType::int32 || key.type == ConfigType::int64)
    return {std::to_string(std::max<int64_t>(key.min, 1)), "many"};
  return {key.name == "security.protocol" ? "PLAINTEXT" : "x", ""};
}

TEST(StreamsConfig, EveryKeyOfAClientReachesItUnderEachOfItsPrefixesAndIsCheckedThere) {
  struct Prefix {
    std::string prefix;
    client::ClientKind kind;
    const Properties StreamsConfig::*target;
  };
  const std::set<std::string> decided{"isolation.level", "enable.idempotence", "transactional.id"};
  for (const Prefix& p : {Prefix{"consumer.", client::ClientKind::consumer, &StreamsConfig::main_consumer},
                          Prefix{"consumer.", client::ClientKind::consumer, &StreamsConfig::restore_consumer},
                          Prefix{"consumer.", client::ClientKind::consumer, &StreamsConfig::global_consumer},
                          Prefix{"main.consumer.", client::ClientKind::consumer, &StreamsConfig::main_consumer},
                          Prefix{"restore.consumer.", client::ClientKind::consumer, &StreamsConfig::restore_consumer},
                          Prefix{"global.consumer.", client::ClientKind::consumer, &StreamsConfig::global_consumer},
                          Prefix{"producer.", client::ClientKind::producer, &StreamsConfig::producer},
                          Prefix{"admin.", client::ClientKind::admin, &StreamsConfig::admin}}) {
    for (const muir::ConfigKey& key : client::client_config(p.kind).keys()) {
      if (decided.contains(key.name)) continue;
      SCOPED_TRACE(p.prefix + key.name);
      const auto [good, bad] = good_and_bad(key);
      const auto config = StreamsConfig::parse(with({{p.prefix + key.name, good}}));
      ASSERT_TRUE(config.ok()) << config.status().to_string();
      const Properties& properties = (*config).*p.target;
      ASSERT_TRUE(properties.contains(key.name));
      EXPECT_EQ(properties.at(key.name), good);
      if (bad.empty()) continue;
      const auto wrong = StreamsConfig::parse(with({{p.prefix + key.name, bad}}));
      ASSERT_FALSE(wrong.ok());
      EXPECT_NE(wrong.status().message().find(p.prefix + key.name), std::string::npos) << wrong.status().message();
      EXPECT_NE(wrong.status().message().find(bad), std::string::npos) << wrong.status().message();
    }
  }
}

// What the guarantee rests on, and what only goes together with something else: refused by the name it was given under.
TEST(StreamsConfig, ValuesThatContradictTheGuaranteeOrEachOtherAreRefused) {
  struct Case {
    Map given;
    std::string want;  // empty: they are taken
  };
  for (const char* guarantee : {"at_least_once", "exactly_once_v2"}) {
    for (const Case& c : {
             Case{{{"producer.acks", "0"}}, "producer.acks=0: expected all, which enable.idempotence=true needs"},
             Case{{{"producer.acks", "1"}}, "producer.acks=1: expected all"},
             Case{{{"producer.acks", "-1"}}, ""},
             Case{{{"producer.retries", "0"}}, "producer.retries=0: expected at least 1"},
             Case{{{"producer.max.in.flight.requests.per.connection", "6"}},
                  "producer.max.in.flight.requests.per.connection=6: expected at most 5"},
             Case{{{"producer.delivery.timeout.ms", "1000"}},
                  "producer.delivery.timeout.ms=1000: expected at least linger.ms + request.timeout.ms"},
             Case{{{"delivery.timeout.ms", "1000"}}, "configuration delivery.timeout.ms=1000: expected at least"},
             Case{{{"linger.ms", "many"}}, "configuration linger.ms=many: expected a whole number from 0 to 900000"},
             Case{{{"producer.rdkafka.transactional.id", "mine"}},
                  "producer.rdkafka.transactional.id=mine: is Kafka's key transactional.id"},
             Case{{{"rdkafka.enable.idempotence", "false"}}, "rdkafka.enable.idempotence=false: is Kafka's key"},
             Case{{{"rdkafka.debug", "broker"}}, ""},
             Case{{{"consumer.rdkafka.isolation.level", "read_uncommitted"}}, "is Kafka's key isolation.level"},
             Case{{{"main.consumer.rdkafka.enable.auto.commit", "true"}}, "is decided by the client"},
             Case{{{"restore.consumer.reconnect.backoff.ms", "9"}, {"consumer.reconnect.backoff.max.ms", "8"}},
                  "consumer.reconnect.backoff.max.ms=8: expected at least reconnect.backoff.ms, which is 9"},
             Case{{{"consumer.session.timeout.ms", "3000"}},
                  "heartbeat.interval.ms=3000: must be less than session.timeout.ms=3000"},
             Case{{{"main.consumer.session.timeout.ms", "0"}}, "main.consumer.session.timeout.ms=0: expected a whole"},
             Case{{{"security.protocol", "CARRIER_PIGEON"}}, "security.protocol: \"CARRIER_PIGEON\""},
             Case{{{"admin.bootstrap.servers", "nowhere"}}, "admin.bootstrap.servers=nowhere"},
             Case{{{"application.server", "nowhere"}}, "application.server=nowhere: is not host:port"},
             Case{{{"state.dir", ""}}, "state.dir=: expected something"},
             Case{{{"max.poll.interval.ms", "100"}}, "max.poll.interval.ms=100: must be greater than poll.ms=100"},
             Case{{{"poll.ms", "9223372036854775807"}}, "must be greater than poll.ms="},
             Case{{{"task.timeout.ms", "9223372036854775807"}}, ""},
             Case{{{"replication.factor", "0"}}, "replication.factor=0: expected -1"},
             Case{{{"errors.dead.letter.queue.topic.name", "no topic"}}, "is no name that a topic may have"},
         }) {
      Map given = with(c.given);
      given["processing.guarantee"] = guarantee;
      const auto config = StreamsConfig::parse(given);
      EXPECT_EQ(config.ok(), c.want.empty()) << config.status().message();
      EXPECT_NE(config.status().message().find(c.want), std::string::npos) << config.status().message() << "\n"
                                                                           << c.want;
    }
  }
}

TEST(StreamsConfig, EveryMistakeIsToldAtOnce) {
  const auto config = StreamsConfig::parse({{"poll.ms", "fast"},
                                            {"producer.acks", "some"},
                                            {"consumer.fetch.min.bytes", "0"},
                                            {"admin.rdkafka.x", "1"},
                                            {"num.standby.replicas", "1"}});
  EXPECT_EQ(
      config.status().message(),
      "configuration: 5 values are wrong\n"
      "  num.standby.replicas=1: this application keeps no standby replicas; state is restored from the changelog "
      "topics\n"
      "  poll.ms=fast: expected a whole number of at least 0\n"
      "  application.id is missing, and has no default\n"
      "  consumer.fetch.min.bytes=0: expected a whole number from 1 to 100000000\n"
      "  producer.acks=some: expected one of all, -1, 0, 1");
}

TEST(StreamsConfig, KafkasKeysThatHaveNoEffectYetAreToldAsSuch) {
  struct Case {
    const char* key;
    const char* value;
    bool told;  // false: the value asks for what happens anyway
  };
  for (const Case& c : {Case{"topology.optimization", "all", true}, Case{"topology.optimization", "none", false},
                        Case{"max.warmup.replicas", "2", true}, Case{"default.key.serde", "x", true},
                        Case{"rocksdb.config.setter", "x", true}, Case{"metrics.recording.level", "DEBUG", true},
                        Case{"state.cleanup.delay.ms", "1", true}, Case{"group.protocol", "streams", true},
                        Case{"group.protocol", "classic", false}}) {
    const std::vector<std::string> want{
        fmt::format("configuration key '{}' of Kafka Streams is not supported yet and has no effect", c.key)};
    EXPECT_EQ(unknown_keys({{c.key, c.value}}), c.told ? want : std::vector<std::string>()) << c.key << "=" << c.value;
  }
}

TEST(StreamsConfig, TheRecordCachesHaveTwoNamesOfWhichTheNewerCounts) {
  struct Case {
    std::map<std::string, std::string> given;
    int64_t want;  // -1: refused
  };
  for (const auto& c : std::vector<Case>{{{}, 0},
                                         {{{"cache.max.bytes.buffering", "5"}}, 5},
                                         {{{"cache.max.bytes.buffering", "5"}, {"statestore.cache.max.bytes", "7"}}, 7},
                                         {{{"statestore.cache.max.bytes", "-1"}}, -1}}) {
    auto properties = c.given;
    EXPECT_EQ(unknown_keys(properties), std::vector<std::string>());
    properties["application.id"] = "app";
    const auto config = StreamsConfig::parse(properties);
    EXPECT_EQ(config.ok() ? config->cache_max_bytes : -1, c.want);
  }
}

}  // namespace
}  // namespace muir::streams
