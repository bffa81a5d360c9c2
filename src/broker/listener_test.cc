#include "broker/listener.h"

#include "broker/broker_config.h"

namespace muir::broker {
namespace {

// "INSIDE 127.0.0.1:9092 plain as bus:1, ..."
std::string described(const std::vector<Listener>& listeners) {
  std::string out;
  for (const Listener& one : listeners) {
    out +=
        fmt::format("{}{} {}:{} {}", out.empty() ? "" : ", ", one.name, one.host, one.port, one.tls ? "tls" : "plain");
    if (!one.advertised_host.empty()) out += fmt::format(" as {}:{}", one.advertised_host, one.advertised_port);
  }
  return out;
}

TEST(Listeners, AreReadAsKafkaReadsThem) {
  struct Row {
    Properties given;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{}, "PLAINTEXT 127.0.0.1:9092 plain"},
           {{{"listeners", "PLAINTEXT://:9092"}}, "PLAINTEXT 0.0.0.0:9092 plain"},
           {{{"listeners", "plaintext://a:1, ssl://b:2"}}, "PLAINTEXT a:1 plain, SSL b:2 tls"},
           {{{"listeners", "SSL://[::1]:0,PLAINTEXT://[::]:0"}}, "SSL ::1:0 tls, PLAINTEXT :::0 plain"},
           {{{"listeners", "INSIDE://a:1,OUTSIDE://b:2"},
             {"listener.security.protocol.map", "INSIDE:PLAINTEXT,OUTSIDE:SSL"},
             {"advertised.listeners", "OUTSIDE://bus.example:19092"}},
            "INSIDE a:1 plain, OUTSIDE b:2 tls as bus.example:19092"},
           {{{"listeners", "PLAINTEXT://a:1"}, {"listener.security.protocol.map", "PLAINTEXT:SSL"}},
            "PLAINTEXT a:1 tls"},
           {{{"listeners", "PLAINTEXT://a:1,CONTROLLER://a:2"}, {"controller.listener.names", "CONTROLLER"}},
            "PLAINTEXT a:1 plain"},
           {{{"listeners", "PLAINTEXT://a:1,https://a:8081"}}, "PLAINTEXT a:1 plain"},
           {{{"listeners", "https://a:8081"}}, ""},
           {{{"listeners", "SSL://a:0"}, {"advertised.listeners", "SSL://b:0"}}, "SSL a:0 tls as b:0"},
       }) {
    const auto listeners = read_listeners(row.given);
    ASSERT_TRUE(listeners.ok()) << listeners.status().to_string();
    EXPECT_EQ(described(*listeners), row.expected);
  }
}

TEST(Listeners, AreRefusedWithWhatToWrite) {
  struct Row {
    Properties given;
    Code code;
    const char* said;
  };
  for (const Row& row : std::initializer_list<Row>{
           {{{"listeners", "localhost"}}, Code::invalid_argument, "write it as PLAINTEXT://host:port"},
           {{{"listeners", "PLAINTEXT://a:99999"}}, Code::invalid_argument, "write it as PLAINTEXT://host:port"},
           {{{"listeners", "PLAINTEXT://a:"}}, Code::invalid_argument, "write it as PLAINTEXT://host:port"},
           {{{"listeners", "INSIDE://a:1"}},
            Code::invalid_argument,
            "what listener INSIDE speaks is not said: add INSIDE:PLAINTEXT or INSIDE:SSL"},
           {{{"listeners", "SASL_SSL://a:1"}}, Code::unsupported, "SASL is not spoken here"},
           {{{"listeners", "IN://a:1"}, {"listener.security.protocol.map", "IN:SASL_PLAINTEXT"}},
            Code::unsupported,
            "SASL is not spoken here"},
           {{{"listeners", "IN://a:1"}, {"listener.security.protocol.map", "IN:TLS"}},
            Code::invalid_argument,
            "\"TLS\" is not PLAINTEXT or SSL"},
           {{{"listeners", "IN://a:1"}, {"listener.security.protocol.map", "IN"}},
            Code::invalid_argument,
            "write it as NAME:SSL"},
           {{{"listeners", "SSL://a:1,SSL://a:2"}}, Code::invalid_argument, "two listeners SSL"},
           {{{"listeners", "SSL://a:1,PLAINTEXT://b:1"}}, Code::invalid_argument, "have the same port"},
           {{{"listeners", "SSL://a:1"}, {"advertised.listeners", "PLAINTEXT://b:1"}},
            Code::invalid_argument,
            "there is no listener PLAINTEXT"},
           {{{"listeners", "SSL://a:1"}, {"advertised.listeners", "SSL://0.0.0.0:1"}},
            Code::invalid_argument,
            "clients need a host"},
       }) {
    const auto listeners = read_listeners(row.given);
    ASSERT_FALSE(listeners.ok()) << row.said;
    EXPECT_EQ(listeners.status().code(), row.code) << row.said;
    EXPECT_NE(listeners.status().message().find(row.said), std::string::npos) << listeners.status().message();
  }
}

TEST(Listeners, HaveKeysOfTheirOwn) {
  EXPECT_EQ(listener_prefix({.name = "OUTSIDE"}), "listener.name.outside.");
  EXPECT_TRUE(is_known_property("ssl.keystore.location"));
  EXPECT_TRUE(is_known_property("listener.name.outside.ssl.keystore.location"));
  EXPECT_FALSE(is_known_property("listener.name.outside.ssl.keystore.lokation"));
  EXPECT_FALSE(is_known_property("listener.name.outside"));
}

}  // namespace
}  // namespace muir::broker
