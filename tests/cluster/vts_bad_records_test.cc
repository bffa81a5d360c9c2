// Records that other programs write to the tracking system's input topics, and results that a topic refuses, on Muir's
// broker and on Apache Kafka: dead letters, while what comes after is processed.
#include <gtest/gtest.h>

#include <set>

#include "apps/vts/records.h"
#include "apps/vts/vts.h"
#include "base/clock.h"
#include "client/kafka_client.h"
#include "interop/brokers.h"
#include "net/http_client.h"
#include "schema/json.h"
#include "serde/registry_port.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

using schema::Json;

class BadRecordsOnACluster : public interop::OnBothBrokers {};

TEST_P(BadRecordsOnACluster, AreDeadLettersAndStopNothing) {
  const auto client = client::connect_kafka({{"bootstrap.servers", bootstrap()}}).value();
  const auto admin = client->admin().value();
  ASSERT_TRUE(admin
                  ->create_topic(
                      {.name = std::string(kEnrichedTopic), .partitions = 1, .configs = {{"max.message.bytes", "500"}}})
                  .ok());
  testing::TempDir folder;
  MemoryRegistry registry;
  const auto config = VtsConfig::parse(
      {{"bootstrap.servers", bootstrap()}, {"vts.http.port", "0"}, {"vts.partitions", "1"}}, folder.str());
  ASSERT_TRUE(config.ok()) << config.status().to_string();
  const auto vts = Vts::start({.config = *config, .cluster_name = "both"}, *client, registry);
  ASSERT_TRUE(vts.ok()) << vts.status().to_string();
  ASSERT_TRUE((*vts)->wait_until_running(60'000).ok());
  const auto http = net::HttpClient::create((*vts)->url()).value();
  const auto call = [&http](const char* method, const std::string& path, const std::string& body = {}) {
    auto answer = http->request(method, path, body);
    EXPECT_TRUE(answer.ok()) << answer.status().to_string();
    return answer.ok() ? std::move(*answer) : net::HttpClientResponse{};
  };

  const auto producer = client->producer().value();
  for (const std::string_view topic : {kRawTopic, kVehicleMasterTopic, kZoneMasterTopic}) {
    const client::ProducedRecord record{.topic = topic, .key = BytesView("V1"), .value = BytesView("nonsense")};
    ASSERT_TRUE(producer->send(std::span(&record, 1), nullptr).ok());
  }
  ASSERT_TRUE(producer->flush(30'000).ok());
  const std::string name(250, 'n');
  EXPECT_EQ(call("PUT", "/api/v1/vehicles/long", Json{{"name", name}, {"line", name}}.to_string()).status, 200);
  const auto post = [&](const char* vehicle) {
    const auto answer = call(
        "POST", "/api/v1/positions",
        Json{{"vehicleId", vehicle}, {"lat", 52.5}, {"lon", 21.0}, {"timestamp", system_clock().now_ms()}}.to_string());
    EXPECT_EQ(answer.status, 200) << answer.body;
  };
  post("long");
  post("V1");

  std::set<std::string> letters;
  EXPECT_TRUE(testing::eventually([&] {
    const auto json = Json::parse(call("GET", "/api/v1/dead-letters").body);
    if (!json.ok()) return false;
    letters.clear();
    for (const Json& letter : *json->find("deadLetters")->as_array()) {
      const std::string message = *letter.find("message")->as_string();
      letters.insert(fmt::format("{} {} {}{}", *letter.find("topic")->as_string(), *letter.find("offset")->as_int64(),
                                 *letter.find("rule")->as_string(),
                                 message.find("MESSAGE_TOO_LARGE") != std::string::npos ? ", too large" : ""));
    }
    return letters.size() == 4;
  }));
  EXPECT_EQ(letters,
            (std::set<std::string>{"vehicle.location.raw 0 undecodable", "vehicle.master 0 undecodable",
                                   "zone.master 0 undecodable", "vehicle.location.raw 1 not_processed, too large"}));
  EXPECT_TRUE(testing::eventually([&] { return call("GET", "/api/v1/vehicles/V1").status == 200; }));
  const auto health = call("GET", "/health");
  EXPECT_EQ(health.status, 200) << health.body;
}

// All that is left of zone.master may be a record that is no zone: the zone before it is there at the next start, of
// this instance and of one that has never seen it.
TEST_P(BadRecordsOnACluster, DoNotTakeTheZoneBeforeThemAlthoughItsRecordIsGone) {
  const auto client = client::connect_kafka({{"bootstrap.servers", bootstrap()}}).value();
  const auto admin = client->admin().value();
  const std::string id = "kept";
  const auto forget = [&] {
    const auto topics = admin->list_topics();
    ASSERT_TRUE(topics.ok()) << topics.status().message();
    for (const auto& topic : *topics) {
      if (topic.name.starts_with("vehicle.") || topic.name.starts_with("zone.") || topic.name.starts_with("kept-"))
        (void)admin->delete_topic(topic.name);
    }
    EXPECT_TRUE(testing::eventually([&] {  // so that records can be deleted
      return admin
          ->create_topic({.name = std::string(kZoneMasterTopic),
                          .partitions = 1,
                          .configs = {{"cleanup.policy", "compact,delete"}}})
          .ok();
    }));
  };
  forget();
  MemoryRegistry registry;
  testing::TempDir first;
  testing::TempDir second;
  const auto start = [&](const testing::TempDir& folder) {
    const auto config = VtsConfig::parse({{"bootstrap.servers", bootstrap()},
                                          {"application.id", "kept"},
                                          {"vts.http.port", "0"},
                                          {"vts.partitions", "1"}},
                                         folder.str());
    auto vts = Vts::start({.config = *config, .cluster_name = "both"}, *client, registry);
    EXPECT_TRUE(vts.ok() && (*vts)->wait_until_running(60'000).ok()) << vts.status().to_string();
    return std::move(*vts);
  };
  const auto zone_of = [&](Vts& vts) {
    const auto answer = net::HttpClient::create(vts.url()).value()->request("GET", "/api/v1/zones");
    return answer.ok() ? answer->body : answer.status().to_string();
  };
  const client::TopicPartition partition{std::string(kZoneMasterTopic), PartitionId(0)};
  std::string before;
  {
    const auto vts = start(first);
    const auto http = net::HttpClient::create(vts->url()).value();
    const auto put =
        http->request("PUT", "/api/v1/zones/" + id,
                      R"({"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}})");
    ASSERT_TRUE(put.ok() && put->status < 300) << put->body;
    before = zone_of(*vts);
    EXPECT_NE(before.find("\"kept\""), std::string::npos) << before;
    const auto producer = client->producer().value();
    const client::ProducedRecord record{
        .topic = kZoneMasterTopic, .key = BytesView(id), .value = BytesView("nonsense")};
    ASSERT_TRUE(producer->send(std::span(&record, 1), nullptr).ok());
    ASSERT_TRUE(producer->flush(30'000).ok());
    // Its dead letter is written with all that came before it.
    EXPECT_TRUE(testing::eventually([&] {
      const auto letters = http->request("GET", "/api/v1/dead-letters?limit=1");
      return letters.ok() && letters->body.find("\"zone.master\"") != std::string::npos;
    }));
  }
  const auto ends = admin->list_offsets(std::vector{partition}, client::OffsetSpec::latest(),
                                        client::IsolationLevel::read_uncommitted);
  ASSERT_TRUE(ends.ok());
  const Status deleted = admin->delete_records({{partition, ends->at(partition) - 1}});
  ASSERT_TRUE(deleted.ok()) << deleted.to_string();
  for (const testing::TempDir* folder : {&first, &second}) {
    const auto vts = start(*folder);
    EXPECT_EQ(zone_of(*vts), before);
  }
  forget();
}

INSTANTIATE_TEST_SUITE_P(Brokers, BadRecordsOnACluster, interop::kBothVendors, interop::vendor_name);

}  // namespace
}  // namespace muir::vts
