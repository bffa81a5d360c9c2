#include "apps/vts/schemas.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "apps/vts/records.h"
#include "apps/vts/vts.h"
#include "client/cluster_memory.h"
#include "net/http_client.h"
#include "schema/json.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::vts {
namespace {

using testing::eventually;

// Takes new schemas until it is closed, or has `ids` of them; those that are there are always found.
class ClosingRegistry final : public RegistryPort {
 public:
  explicit ClosingRegistry(int ids = INT32_MAX) : ids_(ids) {}
  void close() { closed_ = true; }
  [[nodiscard]] int refused() const { return refused_; }
  [[nodiscard]] std::set<std::string> subjects() const {
    const std::lock_guard lock(mutex_);
    return subjects_;
  }

  Result<int> register_schema(std::string_view subject, std::string_view schema) override {
    if (const auto known = registry_.find_schema(subject, schema); known.ok()) return known;
    const std::lock_guard lock(mutex_);
    if (closed_ || static_cast<int>(subjects_.size()) >= ids_) {
      ++refused_;
      return error(Code::invalid_argument, "Subject {} is in read-only mode", subject);
    }
    subjects_.emplace(subject);
    return registry_.register_schema(subject, schema);
  }
  Result<int> find_schema(std::string_view subject, std::string_view schema) override {
    return registry_.find_schema(subject, schema);
  }
  Result<std::string> schema_by_id(int id) override { return registry_.schema_by_id(id); }
  Result<RegisteredSchema> latest_schema(std::string_view subject) override { return registry_.latest_schema(subject); }

 private:
  MemoryRegistry registry_;
  const int ids_;
  std::atomic<bool> closed_{false};
  std::atomic<int> refused_{0};
  mutable std::mutex mutex_;
  std::set<std::string> subjects_;
};

class Schemas : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Vts>> start(RegistryPort& registry) {
    auto config = VtsConfig::parse({{"vts.http.port", "0"}, {"vts.partitions", "1"}}, dir_.str());
    EXPECT_TRUE(config.ok()) << config.status().to_string();
    return Vts::start({.config = *config, .cluster_name = "memory"}, *client_, registry);
  }
  bool has_topic(std::string_view name) { return (*client_->admin())->describe_topic(std::string(name)).ok(); }

  const testing::TempDir dir_;
  client::MemoryCluster cluster_{system_clock(), {.blocking = true}};
  std::unique_ptr<client::Client> client_ = cluster_.client();
};

TEST_F(Schemas, AreAllThereBeforeAnythingIsAccepted) {
  ClosingRegistry registry;
  auto vts = start(registry);
  ASSERT_TRUE(vts.ok()) << vts.status().to_string();
  registry.close();
  ASSERT_TRUE((*vts)->wait_until_running(muir::testing::kPatienceMs).ok());
  const auto http = std::move(*net::HttpClient::create((*vts)->url()));
  const auto call = [&http](const char* method, const std::string& path, const std::string& body = {}) {
    auto answer = http->request(method, path, body);
    EXPECT_TRUE(answer.ok()) << answer.status().to_string();
    return answer.ok() ? std::move(*answer) : net::HttpClientResponse{};
  };
  // Something of everything: a row of each kind, a fix that enters a zone and ends an overspeed, a dead letter.
  EXPECT_EQ(call("PUT", "/api/v1/vehicles/V1", R"({"line":"189"})").status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/zones/z",
                 R"({"geometry":{"type":"Polygon","coordinates":[[[21,52],[22,52],[22,53],[21,53],[21,52]]]}})")
                .status,
            200);
  EXPECT_EQ(call("POST", "/api/v1/positions",
                 R"([{"vehicleId":"V1","lat":52.5,"lon":20.9999,"speed":90,"timestamp":1767268800},)"
                 R"({"vehicleId":"V1","lat":52.5,"lon":21.0001,"speed":10,"timestamp":1767268810},)"
                 R"({"vehicleId":"V1","lat":91,"lon":21,"timestamp":1767268820}])")
                .status,
            207);
  const auto size_of = [&](const std::string& path, std::string_view member) {
    const auto json = schema::Json::parse(call("GET", path).body);
    const schema::Json* list = json.ok() ? json->find(member) : nullptr;
    return list == nullptr || list->as_array() == nullptr ? size_t{0} : list->as_array()->size();
  };
  EXPECT_TRUE(eventually([&] { return size_of("/api/v1/alerts", "alerts") == 2; }));
  EXPECT_TRUE(eventually([&] { return size_of("/api/v1/dead-letters", "deadLetters") == 1; }));
  EXPECT_TRUE(eventually([&] { return size_of("/api/v1/vehicles/V1/speed", "windows") == 1; }));
  EXPECT_TRUE(eventually([&] { return size_of("/api/v1/zones/z/vehicles", "vehicles") == 1; }));
  EXPECT_EQ(call("DELETE", "/api/v1/vehicles/V1").status, 200);
  EXPECT_EQ(registry.refused(), 0);
  EXPECT_EQ(registry.subjects().size(), 12U);
}

TEST_F(Schemas, AreNeededToStart) {
  for (const int ids : {0, 1, 5, 11}) {
    ClosingRegistry registry(ids);
    const auto vts = start(registry);
    ASSERT_FALSE(vts.ok()) << ids;
    EXPECT_TRUE(vts.status().message().starts_with("schema registry: the schema of ")) << vts.status().message();
    EXPECT_NE(vts.status().message().find("is in read-only mode"), std::string::npos) << vts.status().message();
    EXPECT_NE(vts.status().message().find("the registry must take it once"), std::string::npos);
    EXPECT_FALSE(has_topic(kRawTopic)) << "nothing was made";
  }
}

TEST_F(Schemas, MayBeThereAlready) {
  ClosingRegistry registry;
  ASSERT_TRUE(register_schemas(registry, "muir-vts").ok());
  registry.close();
  const auto vts = start(registry);
  ASSERT_TRUE(vts.ok()) << vts.status().to_string();
  EXPECT_TRUE((*vts)->wait_until_running(muir::testing::kPatienceMs).ok());
  EXPECT_EQ(registry.refused(), 0);
}

}  // namespace
}  // namespace muir::vts
