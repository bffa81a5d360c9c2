// The whole system in one process: HTTP in, the topology on a cluster in memory, REST and WebSocket out.
#include "apps/vts/vts.h"

#include <fstream>
#include <thread>

#include "apps/vts/replay.h"
#include "client/cluster_memory.h"
#include "net/http_client.h"
#include "net/websocket_client.h"
#include "schema/avro_container.h"
#include "schema/json.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

using schema::Json;
using testing::eventually;

class System {
 public:
  // `topics` are there before it starts.
  explicit System(Properties properties = {}, const std::vector<client::NewTopic>& topics = {}) {
    for (const client::NewTopic& topic : topics) EXPECT_TRUE((*client_->admin())->create_topic(topic).ok());
    properties.insert({"vts.http.port", "0"});
    properties.insert({"vts.partitions", "2"});
    auto config = VtsConfig::parse(properties, dir_.str());
    EXPECT_TRUE(config.ok()) << config.status().to_string();
    auto started = Vts::start({.config = *config, .cluster_name = "memory", .metrics = &metrics_}, *client_, registry_);
    EXPECT_TRUE(started.ok()) << started.status().to_string();
    vts_ = std::move(*started);
    const Status running = vts_->wait_until_running(muir::testing::kPatienceMs);
    EXPECT_TRUE(running.ok()) << running.to_string();
    http_ = std::move(*net::HttpClient::create(vts_->url()));
  }

  net::HttpClientResponse call(const std::string& method, const std::string& target, const std::string& body = {}) {
    auto response = http_->request(method, target, body);
    EXPECT_TRUE(response.ok()) << response.status().to_string();
    return response.ok() ? std::move(*response) : net::HttpClientResponse{};
  }
  Json get(const std::string& target) {
    auto json = Json::parse(call("GET", target).body);
    EXPECT_TRUE(json.ok()) << target;
    return json.ok() ? std::move(*json) : Json();
  }
  int64_t stat(std::string_view name) { return get("/api/v1/stats").find(name)->as_int64().value_or(-1); }
  size_t size_of(const std::string& target, std::string_view member) {
    return get(target).find(member)->as_array()->size();
  }
  double metric(std::string_view name, const Labels& labels = {}) const {
    return testing::metric_value(metrics_, name, labels);
  }
  std::string url() const { return vts_->url(); }
  std::string feed_url() const { return "ws" + vts_->url().substr(4) + "/api/v1/feed"; }

  void put_east() {
    const auto response = call(
        "PUT", "/api/v1/zones/east",
        R"({"type":"Feature","properties":{"name":"East side","kind":"test"},"geometry":{"type":"Polygon","coordinates":[[[21,52],[22,52],[22,53],[21,53],[21,52]]]}})");
    EXPECT_EQ(response.status, 200) << response.body;
  }

 private:
  const testing::TempDir dir_;
  client::MemoryCluster cluster_{system_clock(), {.blocking = true}};
  std::unique_ptr<client::Client> client_ = cluster_.client();
  MemoryRegistry registry_;
  MetricsRegistry metrics_;
  std::unique_ptr<Vts> vts_;
  std::unique_ptr<net::HttpClient> http_;
};

std::string position(const char* vehicle, double lon, int64_t timestamp, double speed = 40) {
  return fmt::format(R"({{"vehicleId":"{}","lat":52.5,"lon":{},"speed":{},"heading":90,"timestamp":{}}})", vehicle, lon,
                     speed, timestamp);
}

constexpr int64_t kBase = 1'708'354'800'000;

TEST(Vts, AnswersForEveryPositionOfARequest) {
  System system;
  const std::string good = position("V1", 20.5, kBase);
  struct Row {
    std::string body;
    int status;
    const char* answer;
  };
  for (
      const Row& row : std::initializer_list<Row>{
          {good, 200, R"({"accepted":1,"rejected":0,"refused":0,"results":[]})"},
          {"[]", 200, R"({"accepted":0,"rejected":0,"refused":0,"results":[]})"},
          {"[" + good + R"(,{"lat":1},{"vehicleId":"V1","lat":91,"lon":1,"timestamp":5}])", 207,
           R"({"accepted":1,"rejected":1,"refused":1,"results":[{"index":1,"status":"refused","error":"vehicleId is missing"},)"
           R"({"index":2,"status":"rejected","rule":"latitude_out_of_range","error":"latitude 91 is not within -90 and 90"}]})"},
          {R"([{"lat":1},7])", 400,
           R"({"accepted":0,"rejected":0,"refused":2,"results":[{"index":0,"status":"refused","error":"vehicleId is missing"},)"
           R"({"index":1,"status":"refused","error":"not an object"}]})"},
      }) {
    const auto response = system.call("POST", "/api/v1/positions", row.body);
    EXPECT_EQ(response.status, row.status) << row.body;
    EXPECT_EQ(response.body, row.answer) << row.body;
  }
  EXPECT_EQ(system.call("POST", "/api/v1/positions", "{").status, 400);
  EXPECT_EQ(system.call("GET", "/api/v1/positions").status, 405);
}

TEST(Vts, ShowsWhatBecomesOfPositionsAsMetrics) {
  System system;
  auto page = net::WebSocketClient::connect(system.feed_url());
  ASSERT_TRUE(page.ok());
  const std::string good = position("V1", 20.5, kBase);
  system.call("POST", "/api/v1/positions",
              "[" + good + "," + good + R"(,{"lat":1},{"vehicleId":"V1","lat":91,"lon":1,"timestamp":5}])");
  ASSERT_TRUE(eventually([&] { return system.metric("muir_vts_positions_received_total") == 3; }));
  ASSERT_TRUE(eventually([&] {
    return system.metric("muir_vts_positions_rejected_total", {{"rule", "latitude_out_of_range"}}) == 1;
  }));
  EXPECT_EQ(system.metric("muir_vts_positions_accepted_total"), 1);
  EXPECT_EQ(system.metric("muir_vts_positions_duplicate_total"), 1);
  EXPECT_EQ(system.metric("muir_vts_gateway_received_total"), 4);
  EXPECT_EQ(system.metric("muir_vts_gateway_refused_total"), 1);
  EXPECT_EQ(system.metric("muir_vts_gateway_acknowledged_total"), 3);
  EXPECT_EQ(system.metric("muir_vts_gateway_waiting"), 0);
  EXPECT_TRUE(eventually([&] { return system.metric("muir_vts_latency_seconds") == 1; }));
  EXPECT_EQ(system.metric("muir_vts_page_connections"), 1);
  EXPECT_EQ(system.metric("muir_vts_vehicles"), 1);
  EXPECT_TRUE(eventually([&] {
    return system.metric("muir_streams_state", {{"application", "muir-vts"}, {"state", "RUNNING"}}) == 1;
  }));
  EXPECT_GT(system.metric("muir_store_block_cache_max_bytes"), 0);
  EXPECT_GE(system.metric("muir_http_requests_total",
                          {{"server", "vts"}, {"method", "POST"}, {"route", "/api/v1/positions"}, {"code", "207"}}),
            1);
}

TEST(Vts, ShowsWhatWasPosted) {
  System system;
  system.put_east();
  EXPECT_EQ(system.call("PUT", "/api/v1/vehicles/V1", R"({"line":"189","speedLimit":30})").status, 200);
  // The row reaches the topology beside the positions: old fixes, until one of them knows the line.
  int64_t probes = 0;
  ASSERT_TRUE(eventually([&] {
    const int64_t timestamp = kBase - 10'000'000 + probes++;
    system.call("POST", "/api/v1/positions",
                fmt::format(R"({{"vehicleId":"V1","lat":52.5,"lon":20.99,"timestamp":{}}})", timestamp));
    EXPECT_TRUE(eventually([&] { return system.stat("accepted") == probes; }));
    return eventually([&] { return system.call("GET", "/api/v1/vehicles/V1").status == 200; }) &&
           system.call("GET", "/api/v1/vehicles/V1").body.find("189") != std::string::npos;
  }));
  system.call("POST", "/api/v1/positions", position("V1", 20.99, kBase));
  system.call("POST", "/api/v1/positions", position("V1", 21.01, kBase + 60'000));
  system.call("POST", "/api/v1/positions", position("V1", 21.01, kBase + 60'000));  // again
  system.call("POST", "/api/v1/positions", position("V1", 21.02, kBase + 120'000, 20));
  system.call("POST", "/api/v1/positions", R"({"vehicleId":"V2","lat":0,"lon":0,"timestamp":1})");
  ASSERT_TRUE(eventually([&] { return system.stat("received") == probes + 5; }))
      << system.call("GET", "/api/v1/stats").body;
  EXPECT_EQ(system.stat("accepted"), probes + 3);
  EXPECT_EQ(system.stat("duplicates"), 1);
  EXPECT_EQ(system.stat("deadLetters"), 1);
  ASSERT_TRUE(eventually([&] { return system.size_of("/api/v1/alerts", "alerts") == 2; }));

  // What comes by other topics than the counts is waited for.
  Json state;
  ASSERT_TRUE(eventually([&] {
    state = system.get("/api/v1/vehicles/V1");
    const Json* timestamp = state.find("timestamp");
    return timestamp != nullptr && timestamp->as_int64() == kBase + 120'000;
  })) << state.to_string();
  EXPECT_EQ(*state.find("line")->as_string(), "189");
  EXPECT_EQ(state.find("zones")->to_string(), R"(["east"])");
  EXPECT_EQ(system.call("GET", "/api/v1/vehicles/V1/location").body,
            R"({"vehicleId":"V1","lat":52.5,"lon":21.02,"speed":20.0,"heading":90.0,"timestamp":1708354920000})");
  const Json alerts = system.get("/api/v1/alerts");
  EXPECT_EQ(*(*alerts.find("alerts")->as_array())[0].find("kind")->as_string(), "overspeed");  // newest first
  EXPECT_EQ(*(*alerts.find("alerts")->as_array())[1].find("zoneName")->as_string(), "East side");
  ASSERT_TRUE(eventually([&] {
    return system.call("GET", "/api/v1/zones/east/vehicles").body == R"({"zoneId":"east","vehicles":["V1"]})";
  }));
  ASSERT_TRUE(
      eventually([&] { return system.get("/api/v1/zones").to_string().find(R"("vehicles":1)") != std::string::npos; }));
  ASSERT_TRUE(eventually([&] { return system.size_of("/api/v1/vehicles/V1/speed", "windows") == 1; }));
  ASSERT_TRUE(eventually([&] { return system.size_of("/api/v1/dead-letters", "deadLetters") == 1; }));
  EXPECT_NE(system.call("GET", "/api/v1/dead-letters").body.find("null_island"), std::string::npos);

  for (const char* unknown : {"/api/v1/vehicles/V9", "/api/v1/vehicles/V9/location", "/api/v1/vehicles/V9/speed",
                              "/api/v1/zones/west/vehicles"}) {
    const auto response = system.call("GET", unknown);
    EXPECT_EQ(response.status, 404) << unknown;
    EXPECT_NE(response.body.find(R"({"error":{"code":"not_found")"), std::string::npos);
  }
  EXPECT_EQ(system.call("GET", "/api/v1/vehicles/V1/trail?limit=2").body,
            R"({"vehicleId":"V1","fixes":[{"lat":52.5,"lon":21.01,"speed":40.0,"timestamp":1708354860000},)"
            R"({"lat":52.5,"lon":21.02,"speed":20.0,"timestamp":1708354920000}]})");
  EXPECT_EQ(system.size_of("/api/v1/vehicles/V1/trail?limit=1", "fixes"), 1U);
}

TEST(Vts, RefusesWhatItDoesNotUnderstand) {
  System system;
  struct Row {
    const char* method;
    std::string target;
    const char* body;
    int status;
    const char* answer;  // part of it
  };
  const std::string long_id(129, 'x');
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/api/v1/alerts?limit=x", "", 400,
            R"({"error":{"code":"bad_parameter","message":"limit 'x': a number from 1 up"}})"},
           {"GET", "/api/v1/alerts?limit=", "", 400, "limit ''"},
           {"GET", "/api/v1/alerts?limit=0", "", 400, "limit '0'"},
           {"GET", "/api/v1/alerts?limit=-1", "", 400, "limit '-1'"},
           {"GET", "/api/v1/dead-letters?limit=99999999999999999999", "", 400, "limit '99999999999999999999'"},
           {"GET", "/api/v1/alerts?limti=5", "", 400, "did you mean 'limit'?"},
           {"GET", "/api/v1/alerts?limit=5&limit=6", "", 400, "given twice"},
           {"GET", "/api/v1/vehicles?line=189", "", 400, "this path takes none"},
           {"GET", "/api/v1/stats?pretty", "", 400, "unknown query parameter 'pretty'"},
           {"GET", "/api/v1/vehicles/V9/trail", "", 404, "no vehicle V9"},
           {"POST", "/api/v1/positions?key=1", "[]", 400, "unknown query parameter 'key'"},
           {"POST", "/api/v1/positions", "", 400, "malformed_json"},
           {"PUT", "/api/v1/vehicles/" + long_id, "{}", 400, "129 bytes, at most 128"},
           {"PUT", "/api/v1/zones/" + long_id, "{}", 400, "129 bytes, at most 128"},
           {"PUT", "/api/v1/vehicles/V1", R"({"speedlimit":3})", 400, "did you mean 'speedLimit'?"},
           {"PUT", "/api/v1/zones/z", "{}", 400, "malformed_zone"},
           {"PUT", "/api/v1/zones/%ff", "{}", 400, "the id is not UTF-8"},
           {"PUT", "/api/v1/vehicles/V%C3%28", "{}", 400, "the id is not UTF-8"},
           {"PATCH", "/api/v1/vehicles/V1", "{}", 405, "method_not_allowed"},
           {"GET", "/api/v1/nothing", "", 404, "not_found"},
       }) {
    const auto response = system.call(row.method, row.target, row.body);
    EXPECT_EQ(response.status, row.status) << row.target;
    EXPECT_NE(response.body.find(row.answer), std::string::npos) << row.target << ": " << response.body;
    EXPECT_TRUE(Json::parse(response.body).ok()) << response.body;
  }
}

// No 503, which says that the same may be asked again.
TEST(Vts, RefusesAZoneThatItsTopicDoesNotTake) {
  System system({}, {{.name = std::string(kZoneMasterTopic),
                      .partitions = 2,
                      .configs = {{"cleanup.policy", "compact"}, {"max.message.bytes", "2000"}}}});
  std::string ring;
  for (int i = 0; i < 200; ++i) ring += fmt::format("[{},{}],", 21 + i * 0.001, 52 + (i % 2) * 0.5);
  const auto response =
      system.call("PUT", "/api/v1/zones/z",
                  R"({"geometry":{"type":"Polygon","coordinates":[[)" + ring + "[22,51],[20,51],[21,52]]]}}");
  EXPECT_EQ(response.status, 413) << response.body;
  EXPECT_NE(response.body.find(R"({"error":{"code":"too_large",)"), std::string::npos) << response.body;
  EXPECT_EQ(system.size_of("/api/v1/zones", "zones"), 0U);
  system.put_east();
  EXPECT_EQ(system.size_of("/api/v1/zones", "zones"), 1U);
}

TEST(Vts, DeletesNothingThatHasNoId) {
  System system;
  for (const char* id : {"%C3%28", "%00", ".", "..", "a%0Ab"}) {
    for (const char* kind : {"vehicles", "zones"}) {
      const std::string target = fmt::format("/api/v1/{}/{}", kind, id);
      EXPECT_EQ(system.call("DELETE", target).status, 400) << target;
      EXPECT_EQ(system.call("PUT", target, "{}").status, 400) << target;
    }
  }
}

TEST(Vts, ShowsAZoneAsSoonAsItsWriteIsAnswered) {
  System system;
  for (int round = 0; round < 10; ++round) {
    system.put_east();
    EXPECT_EQ(system.size_of("/api/v1/zones", "zones"), 1U) << round;
    EXPECT_EQ(system.call("GET", "/api/v1/zones/east/vehicles").status, 200) << round;
    EXPECT_EQ(system.call("DELETE", "/api/v1/zones/east").body, R"({"zoneId":"east"})");
    EXPECT_EQ(system.size_of("/api/v1/zones", "zones"), 0U) << round;
    EXPECT_EQ(system.call("GET", "/api/v1/zones/east/vehicles").status, 404) << round;
  }
  EXPECT_EQ(system.call("DELETE", "/api/v1/zones/never").status, 200);
}

TEST(Vts, AVehicleIsGoneAsSoonAsItsDeletionIsAnswered) {
  System system;
  const auto feed = std::move(*net::WebSocketClient::connect(system.feed_url()));
  for (int round = 0; round < 3; ++round) {
    system.call("POST", "/api/v1/positions", position("V1", 20.5, kBase + round));
    ASSERT_TRUE(eventually([&] { return system.call("GET", "/api/v1/vehicles/V1/speed").body.size() > 60; }));
    EXPECT_EQ(system.call("DELETE", "/api/v1/vehicles/V1").body, R"({"vehicleId":"V1"})");
    for (const char* path : {"", "/location", "/speed", "/trail"})
      EXPECT_EQ(system.call("GET", fmt::format("/api/v1/vehicles/V1{}", path)).status, 404) << path;
    EXPECT_EQ(system.size_of("/api/v1/vehicles", "vehicles"), 0U);
    for (bool told = false; !told;) {
      const auto text = feed->receive_text(muir::testing::kPatienceMs);
      ASSERT_TRUE(text.ok()) << text.status().to_string();
      told = text->find(R"("removedVehicles":["V1"])") != std::string::npos;
    }
  }
  EXPECT_EQ(system.call("DELETE", "/api/v1/vehicles/never").body, R"({"vehicleId":"never"})");
}

TEST(VtsConfig, EveryNumberHasItsRange) {
  for (const ConfigKey& key : vts_config().keys()) {
    if (key.type != ConfigType::int32 && key.type != ConfigType::int64 && key.type != ConfigType::float64) continue;
    for (const char* value : {"-5", "", " ", "x", "5x", "nan", "inf", "-inf", "1e999", "99999999999999999999"}) {
      EXPECT_FALSE(VtsConfig::parse({{key.name, value}}, "/unused").ok()) << key.name << "=" << value;
    }
    EXPECT_TRUE(VtsConfig::parse({{key.name, key.fallback}}, "/unused").ok()) << key.name;
  }
  struct Row {
    const char* key;
    const char* value;
    bool good;
  };
  for (const Row& row : std::initializer_list<Row>{{"vts.speed.limit.kmh", "0", false},
                                                   {"vts.speed.limit.kmh", "0.5", true},
                                                   {"vts.speed.limit.kmh", "1000", false},
                                                   {"vts.implied.speed.limit.kmh", "0", false},
                                                   {"vts.future.limit.ms", "0", true},
                                                   {"vts.future.limit.ms", "9223372036854775807", false},
                                                   {"vts.http.host", "", false},
                                                   {"bootstrap.servers", "", false},
                                                   {"consumer.heartbeat.interval.ms", "45000", false}}) {
    EXPECT_EQ(VtsConfig::parse({{row.key, row.value}}, "/unused").ok(), row.good) << row.key << "=" << row.value;
  }
}

TEST(VtsConfig, TakesOriginsAndNothingElse) {
  struct Row {
    const char* value;
    bool good;
  };
  for (const Row& row : std::initializer_list<Row>{{"", true},
                                                   {"*", true},
                                                   {"https://fleet.example.com,http://localhost:3000", true},
                                                   {"fleet.example.com", false},
                                                   {"https://fleet.example.com/", false},
                                                   {"://x", false}}) {
    EXPECT_EQ(VtsConfig::parse({{"vts.http.allowed.origins", row.value}}, "/unused").ok(), row.good) << row.value;
  }
}

TEST(VtsConfig, AllowedHostsAreNamesWithoutPort) {
  struct Row {
    const char* value;
    bool good;
  };
  for (const Row& row : std::initializer_list<Row>{{"", true},
                                                   {"*", true},
                                                   {"fleet.example.com, .example.com", true},
                                                   {"2001:db8::1", true},
                                                   {"fleet.example.com:8080", false},
                                                   {"https://fleet.example.com", false},
                                                   {"fleet.example.com/map", false},
                                                   {"[::1]", false}}) {
    EXPECT_EQ(VtsConfig::parse({{"http.allowed.hosts", row.value}}, "/unused").ok(), row.good) << row.value;
  }
}

TEST(Vts, FeedsASnapshotAndThenWhatChanges) {
  System system;
  system.call("POST", "/api/v1/positions", position("V1", 20.5, kBase));
  ASSERT_TRUE(eventually([&] { return system.size_of("/api/v1/vehicles", "vehicles") == 1; }));
  const auto feed = std::move(*net::WebSocketClient::connect(system.feed_url()));
  const Json first = *Json::parse(*feed->receive_text(muir::testing::kPatienceMs));
  EXPECT_EQ(*first.find("type")->as_string(), "snapshot");
  EXPECT_EQ(first.find("vehicles")->as_array()->size(), 1U);
  ASSERT_TRUE(feed->send_text(R"({"type":"latency","p50":12,"p99":34,"n":5})").ok());
  ASSERT_TRUE(feed->send_text("nonsense").ok());
  system.call("POST", "/api/v1/positions", position("V2", 20.6, kBase));
  bool seen = false;
  while (!seen) {
    const auto text = feed->receive_text(muir::testing::kPatienceMs);
    ASSERT_TRUE(text.ok()) << text.status().to_string();
    const Json update = *Json::parse(*text);
    EXPECT_EQ(*update.find("type")->as_string(), "update");
    for (const Json& vehicle : *update.find("vehicles")->as_array()) {
      if (*vehicle.find("vehicleId")->as_string() == "V2") seen = true;
    }
  }
  ASSERT_TRUE(eventually([&] { return system.get("/api/v1/stats").find("screenLatencyMs") != nullptr; }));
  EXPECT_NE(system.get("/api/v1/stats").find("latencyMs")->find("p50"), nullptr);
}

TEST(Vts, TakesAReplayAndShiftsItsTimes) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "fixes.csv").string();
  std::ofstream(path) << "vehicle_id,ts_ms,lat,lon,speed_kmh,heading\nA,1700000001000,52.1,21.1,10,\nB,"
                         "1700000001500,52.2,21.2,,90\nA,1700000002000,52.1001,21.1,12,5\n";
  System system;
  Replay replay(path, {.url = system.url(), .speed = 0}, system_clock());
  const int64_t before = system_clock().now_ms();
  ASSERT_TRUE(replay.run().ok());
  EXPECT_EQ(replay.progress().sent, 3U);
  ASSERT_TRUE(eventually([&] { return system.stat("accepted") == 3; }));
  // The vehicle comes by another topic than the count.
  ASSERT_TRUE(eventually([&] { return system.get("/api/v1/vehicles/A").find("timestamp") != nullptr; }));
  const int64_t shifted = *system.get("/api/v1/vehicles/A").find("timestamp")->as_int64();
  EXPECT_GE(shifted, before);  // the recording's last fix, as nothing may be ahead of the clock
  EXPECT_LE(shifted, system_clock().now_ms());

  Replay kept(path, {.url = system.url(), .speed = 0, .keep_times = true}, system_clock());
  ASSERT_TRUE(kept.run().ok());
  ASSERT_TRUE(eventually([&] { return system.stat("late") == 3; }));
}

TEST(Replay, LeavesOutTheSeamOfALoop) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "fixes.csv").string();
  // Ends 11 km from where it begins.
  std::ofstream(path) << "vehicle_id,ts_ms,lat,lon\nA,1000,52.1,21.1\nA,601000,52.2,21.1\n";
  System system;
  Replay replay(path, {.url = system.url(), .speed = 100'000, .loop = true}, system_clock());
  std::thread runner([&] { EXPECT_TRUE(replay.run().ok()); });
  EXPECT_TRUE(eventually([&] { return replay.progress().left_out > 0; }));
  replay.stop();
  runner.join();
}

TEST(Replay, PostsAnAvroFileOfPositions) {
  const testing::TempDir dir;
  const std::string path = (dir.path() / "fixes.avro").string();
  const schema::Layout& layout = layout_of<RawPosition>();
  auto writer = schema::avro::ContainerWriter::create(path, schema::avro::schema_of(layout), {});
  ASSERT_TRUE(writer.ok()) << writer.status().to_string();
  const std::vector<RawPosition> positions = {
      {.vehicle_id = "A", .lat = 52.1, .lon = 21.1, .speed = 30, .timestamp = kBase},
      {.vehicle_id = "B", .lat = 52.2, .lon = 21.2, .heading = 90, .timestamp = kBase + 1000},
      {.vehicle_id = "C", .lat = 52.3, .lon = 21.3, .timestamp_text = "yesterday"},  // without a time: left out
      {.vehicle_id = "A", .lat = 52.1001, .lon = 21.1, .timestamp = kBase + 10'000},
  };
  for (const RawPosition& position : positions) ASSERT_TRUE((*writer)->append(layout, &position).ok());
  ASSERT_TRUE((*writer)->close().ok());

  System system;
  Replay replay(path, {.url = system.url(), .speed = 0, .keep_times = true}, system_clock());
  const Status status = replay.run();
  ASSERT_TRUE(status.ok()) << status.to_string();
  EXPECT_EQ(replay.progress().sent, 3U);
  ASSERT_TRUE(eventually([&] { return system.stat("accepted") == 3 && system.stat("vehicles") == 2; }));
  EXPECT_TRUE(eventually([&] {  // counts and states are read from two topics
    return system.get("/api/v1/vehicles/A").find("timestamp")->as_int64() == kBase + 10'000;
  }));
  EXPECT_EQ(system.get("/api/v1/vehicles/B").find("heading")->as_double(), 90);
}

TEST(Replay, SaysWhatIsWrongWithAFile) {
  const testing::TempDir dir;
  const auto run = [&dir](const std::string& text) {
    const std::string path = (dir.path() / "x.csv").string();
    std::ofstream(path) << text;
    Replay replay(path, {.url = "http://127.0.0.1:1", .speed = 0}, system_clock());
    return replay.run().message();
  };
  EXPECT_NE(run("a,b\n").find("no column vehicle_id"), std::string::npos);
  EXPECT_NE(run("vehicle_id,ts_ms,lat,lon\nA,x,1,2\n").find("line 2: ts_ms 'x': milliseconds are needed"),
            std::string::npos);
  Replay missing("/nonexistent.csv", {}, system_clock());
  EXPECT_EQ(missing.run().code(), Code::not_found);
}

}  // namespace
}  // namespace muir::vts
