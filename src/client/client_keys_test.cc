#include "client/client_keys.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>

#include "client/internal/kafka_config.h"
#include "client/internal/key_table.h"

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
      if (key.rdkafka == internal::kNotRdkafkas || key.name == "bootstrap.servers" || key.name == "security.protocol" ||
          (!producer && (key.name == "request.timeout.ms" || key.name == "retry.backoff.ms"))) {
        continue;  // read by this module
      }
      std::vector<std::string> values{"x"};
      if (!key.allowed.empty()) values = {std::string(key.allowed.substr(0, key.allowed.find('|')))};
      if (key.type == ConfigType::boolean) values = {"true", "false"};
      if (key.type == ConfigType::integer) values = {std::to_string(key.min), std::to_string(key.max)};
      for (const std::string& value : values) {
        SCOPED_TRACE(fmt::format("{}={}", key.name, value));
        const auto conf = internal::make_conf(role, {{std::string(key.name), value}});
        ASSERT_TRUE(conf.ok()) << conf.status().to_string();
        const std::string want = key.name == "acks" ? "-1" : internal::rdkafka_value(key, value);
        EXPECT_EQ(value_in(*conf, key.rdkafka.empty() ? key.name : key.rdkafka), want);
      }
    }
  }
}

}  // namespace
}  // namespace muir::client
