#include "registry/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/clock.h"
#include "client/cluster_memory.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "registry/http_registry_client.h"
#include "serde/serde.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"

namespace fleet {
struct Fix {
  std::string vehicle;
  double lat = 0;
};
inline void describe(muir::Fields& f, Fix& x) { f("vehicle", x.vehicle)("lat", x.lat); }
}  // namespace fleet

namespace muir::registry {
namespace {

class RunningRegistry : public ::testing::Test {
 protected:
  void SetUp() override { start(); }

  void start() {
    registry_.reset();
    auto registry = Registry::start(*client_, {.port = 0, .metrics = &metrics_, .metrics_endpoint = &endpoint_});
    ASSERT_TRUE(registry.ok()) << registry.status().message();
    registry_ = std::move(*registry);
  }

  std::unique_ptr<HttpRegistryClient> http() {
    auto client = HttpRegistryClient::create(registry_->url());
    EXPECT_TRUE(client.ok());
    return std::move(*client);
  }

  MetricsRegistry metrics_;
  net::MetricsEndpoint endpoint_{metrics_};
  client::MemoryCluster cluster_{system_clock(), {.blocking = true}};
  std::unique_ptr<client::Client> client_ = cluster_.client();
  std::unique_ptr<Registry> registry_;
};

TEST_F(RunningRegistry, ServesClientsOverHttp) {
  auto client = http();
  const auto id = client->register_schema("a/b c", R"("int")");  // a subject that needs encoding
  ASSERT_TRUE(id.ok()) << id.status().message();
  EXPECT_EQ(*id, 1);
  EXPECT_EQ(*client->find_schema("a/b c", R"("int")"), 1);
  EXPECT_EQ(*client->schema_by_id(1), R"("int")");
  const auto latest = client->latest_schema("a/b c");
  ASSERT_TRUE(latest.ok()) << latest.status().message();
  EXPECT_EQ(latest->subject, "a/b c");
  EXPECT_EQ(latest->version, 1);

  EXPECT_EQ(client->schema_by_id(99).status().number(Domain::registry), 40403);
  EXPECT_EQ(client->register_schema("s", "nonsense").status().code(), Code::invalid_argument);
  EXPECT_EQ(client->register_schema("a/b c", R"("string")").status().number(Domain::registry), 409);
  EXPECT_EQ(client->latest_schema("no").status().code(), Code::not_found);
}

TEST_F(RunningRegistry, ShowsWhatItHoldsAndHasWritten) {
  using testing::metric_value;
  ASSERT_TRUE(http()->register_schema("s", R"("int")").ok());
  ASSERT_TRUE(http()->register_schema("s", R"("int")").ok());
  ASSERT_TRUE(http()->register_schema("t", R"("int")").ok());
  EXPECT_EQ(metric_value(metrics_, "muir_registry_subjects"), 2);
  EXPECT_EQ(metric_value(metrics_, "muir_registry_versions"), 2);
  EXPECT_EQ(metric_value(metrics_, "muir_registry_max_schema_id"), 1);
  EXPECT_EQ(metric_value(metrics_, "muir_registry_log_writes_total"), 2);
  const auto client = net::HttpClient::create(registry_->url());
  ASSERT_TRUE((*client)->request("DELETE", "/subjects/t").ok());
  EXPECT_EQ(metric_value(metrics_, "muir_registry_subjects"), 1);
  EXPECT_EQ(metric_value(metrics_, "muir_registry_deleted_versions"), 1);
  EXPECT_EQ(metric_value(metrics_, "muir_registry_log_write_failures_total"), 0);
  const auto text = (*client)->request("GET", "/metrics");
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->body.find("muir_http_requests_total{code=\"200\",method=\"DELETE\",route=\"/subjects/{subject}\","
                            "server=\"registry\"} 1\n"),
            std::string::npos)
      << text->body;
}

// A union of `n` records, none of which is one of another prefix: each has to be compared with each.
std::string many_records(std::string_view prefix, int n) {
  std::string text = "[";
  for (int i = 0; i < n; ++i) {
    text += fmt::format(R"({}{{"type":"record","name":"{}{}","fields":[]}})", i == 0 ? "" : ",", prefix, i);
  }
  return text + "]";
}

TEST_F(RunningRegistry, ReadsDoNotWaitForASlowCheck) {
  constexpr int kReadsMin = 20;  // a few may be answered before the check has begun
  ASSERT_TRUE(http()->register_schema("wide", many_records("A", 1500)).ok());
  std::atomic<bool> done{false};
  std::thread checking([&] {
    const auto client = net::HttpClient::create(registry_->url());
    const auto answer = (*client)->request("POST", "/compatibility/subjects/wide/versions",
                                           schema::Json{{"schema", many_records("B", 1500)}}.to_string());
    EXPECT_TRUE(answer.ok() && answer->body == R"({"is_compatible":false})");
    done = true;
  });
  const auto client = net::HttpClient::create(registry_->url());
  int reads = 0;
  while (!done) {
    const auto answer = (*client)->request("GET", "/subjects");
    EXPECT_TRUE(answer.ok() && answer->body == R"(["wide"])");
    reads += done ? 0 : 1;
  }
  checking.join();
  EXPECT_GT(reads, kReadsMin);
}

TEST_F(RunningRegistry, FindsItsStateAgainAfterARestart) {
  ASSERT_EQ(*http()->register_schema("s", R"("int")"), 1);
  ASSERT_EQ(*registry_->port_for_serdes().register_schema("t", R"("long")"), 2);
  start();
  EXPECT_EQ(*http()->schema_by_id(2), R"("long")");
  EXPECT_EQ(*registry_->port_for_serdes().register_schema("u", R"("string")"), 3);
  const auto configs = (*client_->admin())->topic_configs("_schemas");
  ASSERT_TRUE(configs.ok());
  EXPECT_EQ(configs->at("cleanup.policy"), "compact");
}

TEST_F(RunningRegistry, ServesSerdes) {
  auto client = http();
  auto writer = default_serde<fleet::Fix>();
  auto reader = default_serde<fleet::Fix>();
  ASSERT_TRUE(writer.configure({client.get()}, false).ok());
  ASSERT_TRUE(reader.configure({&registry_->port_for_serdes()}, false).ok());
  Bytes bytes;
  ASSERT_TRUE(writer.serialize("fixes", {"V1", 52.2}, bytes).ok());
  const auto fix = reader.deserialize("fixes", bytes);
  ASSERT_TRUE(fix.ok()) << fix.status().message();
  EXPECT_EQ(fix->vehicle, "V1");
  EXPECT_TRUE(client->latest_schema("fixes-value").ok());
}

TEST_F(RunningRegistry, GivesSerdesSchemasWithTheirReferencesInside) {
  ASSERT_TRUE(http()
                  ->register_schema("place",
                                    R"({"type":"record","name":"geo.Place","fields":[{"name":"lat","type":"double"}]})")
                  .ok());
  auto raw = net::HttpClient::create(registry_->url()).value();
  const auto response = raw->request(
      "POST", "/subjects/stop/versions",
      R"({"schema":"{\"type\":\"record\",\"name\":\"Stop\",\"fields\":[{\"name\":\"at\",\"type\":\"geo.Place\"}]}",)"
      R"("references":[{"name":"geo.Place","subject":"place","version":1}]})",
      {{"Content-Type", "application/json"}});
  ASSERT_TRUE(response.ok());
  ASSERT_EQ(response->body, R"({"id":2})");
  const std::string inside =
      R"({"type":"record","name":"Stop","fields":[{"name":"at","type":{"type":"record","name":"Place","namespace":"geo","fields":[{"name":"lat","type":"double"}]}}]})";
  EXPECT_EQ(http()->schema_by_id(2).value_or(""), inside);
  EXPECT_EQ(registry_->port_for_serdes().schema_by_id(2).value_or(""), inside);
}

TEST_F(RunningRegistry, AnswersInItsOwnFormWhatDoesNotReachAnOperation) {
  constexpr const char* kNotFound = R"({"error_code":404,"message":"HTTP 404 Not Found"})";
  constexpr const char* kWrongMethod = R"({"error_code":405,"message":"HTTP 405 Method Not Allowed"})";
  struct Row {
    const char* method;
    const char* target;
    std::string body;
    int status;
    const char* expected;  // nullptr: {"error_code":<status>,...}
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "/nowhere", "", 404, kNotFound},
           {"GET", "/subjects/s/versions/1/more", "", 404, kNotFound},
           {"PUT", "/subjects/s/versions", "", 405, kWrongMethod},
           {"OPTIONS", "/subjects", "", 405, kWrongMethod},
           {"PATCH", "/config/s/", "", 405, kWrongMethod},
           {"BREW", "/", "", 405, kWrongMethod},
           {"GET", "/subjects/%zz/versions", "", 400, nullptr},
           {"GET", "/subjects/%/versions", "", 400, nullptr},
           {"POST", "/subjects/s/versions", std::string(5U << 20, ' '), 413, nullptr},
       }) {
    auto client = net::HttpClient::create(registry_->url()).value();
    Result<net::HttpClientResponse> response = error(Code::unavailable, "not asked yet");
    // More than once, because the client stops at a body that the server does not want to read.
    ASSERT_TRUE(testing::eventually([&] {
      response = client->request(row.method, row.target, row.body, {{"Accept", "application/json"}});
      return response.ok();
    })) << row.target;
    EXPECT_EQ(response->status, row.status) << row.method << " " << row.target;
    const std::string begin = fmt::format("{{\"error_code\":{},\"message\":\"", row.status);
    EXPECT_TRUE(row.expected != nullptr ? response->body == row.expected : response->body.starts_with(begin))
        << row.target << ": " << response->body;
  }
}

TEST_F(RunningRegistry, PassesOverTrailingAndDoubledSlashes) {
  ASSERT_EQ(*http()->register_schema("s", R"("int")"), 1);
  const std::string schema = R"({"schema":"\"int\""})";
  struct Row {
    const char* method;
    const char* target;
    std::string body;
    const char* expected;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"POST", "/compatibility/subjects/s/versions/", schema, R"({"is_compatible":true})"},
           {"POST", "/compatibility/subjects/s/versions//latest", schema, R"({"is_compatible":true})"},
           {"POST", "/subjects/s/versions/", schema, R"({"id":1})"},
           {"GET", "//subjects", "", R"(["s"])"},
           {"GET", "/subjects/", "", R"(["s"])"},
           {"GET", "/subjects//s//versions//", "", "[1]"},
           {"GET", "/schemas/ids/1/?fetchMaxId=true", "", R"({"schema":"\"int\"","maxId":1})"},
           {"GET", "/config/?defaultToGlobal=true", "", R"({"compatibilityLevel":"BACKWARD"})"},
           {"GET", "//", "", "{}"},
       }) {
    auto client = net::HttpClient::create(registry_->url()).value();
    const auto response = client->request(row.method, row.target, row.body, {{"Content-Type", "application/json"}});
    ASSERT_TRUE(response.ok()) << row.target << ": " << response.status().message();
    EXPECT_EQ(response->body, row.expected) << row.method << " " << row.target;
  }
}

TEST_F(RunningRegistry, TwoInstancesSeeEachOthersSchemas) {
  auto other = Registry::start(*client_, {.port = 0});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(*registry_->port_for_serdes().register_schema("s", R"("int")"), 1);
  EXPECT_EQ(*(*other)->port_for_serdes().register_schema("s", R"("int")"), 1);
  EXPECT_EQ(*(*other)->port_for_serdes().register_schema("t", R"("long")"), 2);
}

TEST_F(RunningRegistry, TwoInstancesThatWriteAtOnceGiveEachSchemaItsOwnId) {
  auto other = Registry::start(*client_, {.port = 0});
  ASSERT_TRUE(other.ok());
  constexpr int kSchemas = 20;
  std::vector<std::thread> threads;
  for (auto* registry : {registry_.get(), other->get()}) {
    threads.emplace_back([registry] {
      for (int i = 0; i < kSchemas; ++i) {
        const auto schema = fmt::format(R"({{"type":"fixed","name":"F","size":{}}})", registry->port() * 100 + i);
        EXPECT_TRUE(
            registry->port_for_serdes().register_schema(fmt::format("s{}-{}", registry->port(), i), schema).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  start();
  for (auto* registry : {registry_.get(), other->get()}) {
    std::set<std::string> texts;
    for (int id = 1; id <= 2 * kSchemas; ++id) texts.insert(registry->port_for_serdes().schema_by_id(id).value_or(""));
    EXPECT_EQ(texts.size(), static_cast<size_t>(2 * kSchemas));
    EXPECT_FALSE(texts.contains(""));
  }
}

TEST(RegistryStart, RefusesATopicThatWouldLoseSchemas) {
  struct Case {
    int32_t partitions;
    std::string policy;
  };
  for (const auto& c : {Case{3, "compact"}, Case{1, "delete"}}) {
    client::MemoryCluster cluster(system_clock(), {.blocking = true});
    const auto client = cluster.client();
    ASSERT_TRUE(
        (*client->admin())
            ->create_topic({.name = "_schemas", .partitions = c.partitions, .configs = {{"cleanup.policy", c.policy}}})
            .ok());
    EXPECT_EQ(Registry::start(*client, {.port = 0}).status().code(), Code::failed_precondition);
  }
}

// A registry may refuse to register what it has: one that is read-only, or has no id left.
TEST(HttpRegistryClientUrls, FindsWhatIsRegisteredWhereNothingNewIsTaken) {
  struct Row {
    const char* what;
    int versions_status;  // of POST /subjects/s/versions
    const char* versions;
    int look_up_status;  // of POST /subjects/s
    const char* look_up;
    Result<int> expected;
    int asked;  // for two registrations
  };
  const Status read_only(Code::invalid_argument, "read-only", {Domain::registry, 42205});
  const Status no_id(Code::unavailable, "no id", {Domain::registry, 50001});
  for (const Row& row : std::initializer_list<Row>{
           {"registered", 200, R"({"id":7})", 500, "{}", 7, 1},
           {"read-only, and there", 422, R"({"error_code":42205,"message":"read-only"})", 200, R"({"id":7})", 7, 2},
           {"no id left, and there", 500, R"({"error_code":50001,"message":"no id"})", 200, R"({"id":7})", 7, 3},
           {"read-only, and not there", 422, R"({"error_code":42205,"message":"read-only"})", 404,
            R"({"error_code":40403,"message":"Schema not found"})", read_only, 4},
           {"no id left, and not there", 500, R"({"error_code":50001,"message":"no id"})", 404,
            R"({"error_code":40403,"message":"Schema not found"})", no_id, 6},
       }) {
    net::EventLoop loop("registry");
    const auto server = net::HttpServer::create(loop, {});
    std::atomic<int> asked{0};
    const auto answer = [&asked](int status, const char* body) {
      return [&asked, status, body](const net::HttpRequest&, const auto& responder) {
        ++asked;
        responder->respond({.status = status, .body = body});
      };
    };
    server->route("POST", "/subjects/{s}/versions", answer(row.versions_status, row.versions));
    server->route("POST", "/subjects/{s}", answer(row.look_up_status, row.look_up));
    ASSERT_TRUE(server->start().ok());
    const auto http =
        std::move(*HttpRegistryClient::create(fmt::format("http://127.0.0.1:{}", server->port()), {.rounds_max = 2}));
    for (int time = 0; time < 2; ++time) {
      const auto id = http->register_schema("s", R"("int")");
      ASSERT_EQ(id.ok(), row.expected.ok()) << row.what << ": " << id.status().to_string();
      if (id.ok()) {
        EXPECT_EQ(*id, *row.expected) << row.what;
      } else {
        EXPECT_EQ(id.status().domain_code(), row.expected.status().domain_code()) << row.what;
      }
    }
    EXPECT_EQ(asked, row.asked) << row.what;
    server->stop();
  }
}

TEST(HttpRegistryClientUrls, TriesTheNextWhenOneDoesNotAnswer) {
  client::MemoryCluster cluster(system_clock(), {.blocking = true});
  const auto client = cluster.client();
  auto registry = Registry::start(*client, {.port = 0});
  ASSERT_TRUE(registry.ok());
  // Port 1 refuses.
  auto http = HttpRegistryClient::create("http://127.0.0.1:1, " + (*registry)->url() + "/");
  ASSERT_TRUE(http.ok());
  EXPECT_EQ(*(*http)->register_schema("s", R"("int")"), 1);
  EXPECT_FALSE(HttpRegistryClient::create("").ok());
}

}  // namespace
}  // namespace muir::registry
