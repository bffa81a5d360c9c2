#include "client/client_keys.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <random>

#include "client/internal/kafka_config.h"
#include "client/internal/key_table.h"
#include "client/kafka_client.h"

namespace muir::client {
namespace {

std::string value_in(const internal::Conf& conf, std::string_view key) {
  std::array<char, 256> text{};
  size_t size = text.size();
  const auto found = rd_kafka_conf_get(conf.get(), std::string(key).c_str(), text.data(), &size);
  return found == RD_KAFKA_CONF_OK ? std::string(text.data()) : "(none)";
}

// What is written down as taking effect reaches librdkafka, at both ends of its range.
TEST(ClientKeys, ReachLibrdkafkaWithEveryValueTheyMayHave) {
  for (const internal::ClientKey& key : internal::client_keys()) {
    for (const auto role : {internal::Role::producer, internal::Role::consumer}) {
      const bool producer = role == internal::Role::producer;
      if ((key.use & (producer ? internal::kProducer : internal::kConsumer)) == 0) continue;
      if (key.rdkafka == internal::kNotRdkafkas || key.config.name == "bootstrap.servers" ||
          key.config.name == "security.protocol" ||
          (!producer && (key.config.name == "request.timeout.ms" || key.config.name == "retry.backoff.ms"))) {
        continue;  // read by this module
      }
      std::vector<std::string> values{"x"};
      if (!key.config.allowed.empty()) values = {key.config.allowed.front()};
      if (key.config.type == ConfigType::boolean) values = {"true", "false"};
      if (key.config.type == ConfigType::int32 || key.config.type == ConfigType::int64)
        values = {std::to_string(key.config.min), std::to_string(key.config.max)};
      for (const std::string& value : values) {
        SCOPED_TRACE(fmt::format("{}={}", key.config.name, value));
        const auto conf = internal::make_conf(role, {{key.config.name, value}});
        ASSERT_TRUE(conf.ok()) << conf.status().to_string();
        const std::string want = key.config.name == "acks" ? "-1" : internal::rdkafka_value(key, value);
        EXPECT_EQ(value_in(*conf, key.rdkafka.empty() ? std::string_view(key.config.name) : key.rdkafka), want);
      }
    }
  }
}

// Values that are right by themselves and not together: as Kafka's ProducerConfig has it, and librdkafka.
TEST(ClientKeys, ValuesThatContradictEachOtherAreNamed) {
  struct Case {
    Properties given;
    std::string want;  // empty: they go together
  };
  for (const Case& c : {
           Case{{{"acks", "0"}}, ""},  // nobody asked for idempotence
           Case{{{"retries", "0"}}, ""},
           Case{{{"acks", "-1"}, {"enable.idempotence", "true"}}, ""},
           Case{{{"acks", "1"}, {"enable.idempotence", "true"}},
                "acks=1: expected all, which enable.idempotence=true needs"},
           Case{{{"retries", "0"}, {"enable.idempotence", "TRUE"}},
                "retries=0: expected at least 1, which enable.idempotence=true needs"},
           Case{{{"max.in.flight.requests.per.connection", "6"}},
                "max.in.flight.requests.per.connection=6: expected at most 5, which enable.idempotence=true needs"},
           Case{{{"max.in.flight.requests.per.connection", "6"}, {"enable.idempotence", "false"}}, ""},
           Case{{{"transactional.id", "t"}, {"acks", "1"}},
                "transactional.id=t: needs enable.idempotence=true, acks=all and retries"},
           Case{{{"transactional.id", "t"}, {"enable.idempotence", "false"}},
                "transactional.id=t: needs enable.idempotence=true, acks=all and retries"},
           Case{{{"delivery.timeout.ms", "1000"}},
                "delivery.timeout.ms=1000: expected at least linger.ms + request.timeout.ms, which are 30005"},
           Case{{{"delivery.timeout.ms", "1000"}, {"request.timeout.ms", "900"}, {"linger.ms", "100"}}, ""},
           Case{{{"reconnect.backoff.ms", "20000"}}, ""},
           Case{{{"reconnect.backoff.ms", "200"}, {"reconnect.backoff.max.ms", "100"}},
                "reconnect.backoff.max.ms=100: expected at least reconnect.backoff.ms, which is 200"},
           Case{{{"bootstrap.servers", "nowhere"}},
                "bootstrap.servers=nowhere: bootstrap.servers: \"nowhere\" is not host:port"},
           Case{{{"security.protocol", "SASL_SSL"}},
                "security.protocol: \"SASL_SSL\": SASL is not spoken here; PLAINTEXT and SSL are"},
           Case{{{"rdkafka.debug", "all"}}, ""},
           Case{{{"rdkafka.debug", "nothing at all"}}, "rdkafka.debug=nothing at all: Invalid value"},
           Case{{{"rdkafka.no.such", "1"}}, "rdkafka.no.such=1: No such configuration property"},
           Case{{{"rdkafka.acks", "0"}}, "rdkafka.acks=0: is Kafka's key acks: write it so"},
           Case{{{"rdkafka.request.required.acks", "0"}},
                "rdkafka.request.required.acks=0: is Kafka's key acks: write it so"},
           Case{{{"rdkafka.transactional.id", "t"}}, "rdkafka.transactional.id=t: is Kafka's key transactional.id"},
           Case{{{"rdkafka.partitioner", "random"}}, "rdkafka.partitioner=random: is decided by the client"},
           Case{{{"rdkafka.sasl.password", "hush"}}, "rdkafka.sasl.password=[hidden]: is set by Kafka's keys of TLS"},
       }) {
    const Status said = status_of(client_mistakes(ClientKind::producer, {.values = c.given}));
    EXPECT_EQ(said.ok(), c.want.empty()) << said.message();
    EXPECT_NE(said.message().find(c.want), std::string::npos) << said.message() << "\n" << c.want;
    EXPECT_EQ(said.message().find("hush"), std::string::npos) << said.message();
  }
}

// Random values of random keys: what is taken, a client is made of.
TEST(ClientKeys, AClientIsMadeOfWhateverIsFoundRight) {
  const auto seed = static_cast<uint32_t>(std::random_device()());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  const auto any = [&](int64_t min, int64_t max) { return std::uniform_int_distribution<int64_t>(min, max)(random); };
  int taken = 0;
  for (int attempt = 0; attempt < 400; ++attempt) {
    const ClientKind kind = attempt % 2 == 0 ? ClientKind::producer : ClientKind::consumer;
    Properties given{{"bootstrap.servers", "127.0.0.1:1"}};
    const auto& keys = client_config(kind).keys();
    for (int64_t i = any(1, 4); i > 0; --i) {
      const ConfigKey& key = keys[static_cast<size_t>(any(0, static_cast<int64_t>(keys.size()) - 1))];
      if (key.name == "bootstrap.servers" || key.name == "security.protocol") continue;
      std::string value = "x";
      if (!key.allowed.empty())
        value = key.allowed[static_cast<size_t>(any(0, static_cast<int64_t>(key.allowed.size()) - 1))];
      if (key.type == ConfigType::boolean) value = any(0, 1) == 0 ? "true" : "false";
      // Ends of the range, what is common, and what lies between.
      const int64_t somewhere = any(0, 2) == 0 ? any(key.min, key.max) : any(key.min, std::min<int64_t>(key.max, 5000));
      if (key.type == ConfigType::int32 || key.type == ConfigType::int64)
        value = std::to_string(any(0, 3) == 0 ? key.min : any(0, 3) == 0 ? key.max : somewhere);
      given[key.name] = value;
    }
    if (!client_mistakes(kind, {.values = given}).empty()) continue;
    ++taken;
    const auto client = connect_kafka({{"bootstrap.servers", "127.0.0.1:1"}});
    ASSERT_TRUE(client.ok());
    const Status made =
        kind == ClientKind::producer ? (*client)->producer(given).status() : (*client)->consumer(given).status();
    std::string text;
    for (const auto& [key, value] : given) text += fmt::format("{}={} ", key, value);
    EXPECT_TRUE(made.ok()) << made.message() << "\n" << text;
  }
  EXPECT_GT(taken, 100);
}

}  // namespace
}  // namespace muir::client
