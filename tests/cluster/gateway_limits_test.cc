// The tracking system's gateway on brokers whose topics take less than a request brings.
#include <gtest/gtest.h>

#include "apps/vts/vts.h"
#include "base/clock.h"
#include "broker/broker.h"
#include "client/kafka_client.h"
#include "net/http_client.h"
#include "serde/registry_port.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

TEST(GatewayLimits, PositionsOfARequestNeedNotFitIntoOneBatch) {
  testing::TempDir folder;
  broker::BrokerConfig broker_config{.port = 0, .data_dir = folder.str() + "/broker"};
  broker_config.properties = {{"message.max.bytes", "100000"}, {"group.initial.rebalance.delay.ms", "0"}};
  const auto broker = broker::Broker::start(broker_config);
  ASSERT_TRUE(broker.ok()) << broker.status().to_string();
  const std::string servers = fmt::format("127.0.0.1:{}", (*broker)->port());
  const auto client = client::connect_kafka({{"bootstrap.servers", servers}}).value();
  MemoryRegistry registry;
  const auto config =
      VtsConfig::parse({{"bootstrap.servers", servers}, {"vts.http.port", "0"}, {"vts.partitions", "1"}}, folder.str());
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  const auto vts = Vts::start({.config = *config, .cluster_name = "small"}, *client, registry);
  ASSERT_TRUE(vts.ok()) << vts.status().to_string();
  ASSERT_TRUE((*vts)->wait_until_running(muir::testing::kPatienceMs).ok());
  const auto http = net::HttpClient::create((*vts)->url()).value();
  for (const int count : {2'000, 10'000}) {
    std::string body = "[";
    for (int i = 0; i < count; ++i) {
      body += fmt::format(R"({}{{"vehicleId":"vehicle-{:05}","lat":52.2,"lon":21.0,"speed":10,"timestamp":{}}})",
                          i == 0 ? "" : ",", i, system_clock().now_ms());
    }
    const auto answer = http->request("POST", "/api/v1/positions", body + "]");
    ASSERT_TRUE(answer.ok()) << answer.status().to_string();
    EXPECT_EQ(answer->status, 200) << answer->body.substr(0, 300);
    EXPECT_TRUE(answer->body.starts_with(fmt::format(R"({{"accepted":{})", count))) << answer->body.substr(0, 100);
  }
}

}  // namespace
}  // namespace muir::vts
