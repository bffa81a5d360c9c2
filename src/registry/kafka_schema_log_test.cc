// What a registry answers when the cluster fails it: never a code of Kafka's.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "client/cluster_memory.h"
#include "registry/rest_api.h"
#include "schema/json.h"

namespace muir::registry {
namespace {

using client::Client;
using client::TopicPartition;

struct Faults {
  std::optional<Status> of_offsets{};
  std::optional<Status> of_send{};
  std::optional<Status> of_delivery{};
};

class FaultyAdmin final : public client::Admin {
 public:
  FaultyAdmin(std::unique_ptr<Admin> admin, const Faults& faults) : admin_(std::move(admin)), faults_(faults) {}
  Status create_topic(const client::NewTopic& topic, int64_t timeout_ms) override {
    return admin_->create_topic(topic, timeout_ms);
  }
  Status create_partitions(const std::string& name, int32_t total, int64_t timeout_ms) override {
    return admin_->create_partitions(name, total, timeout_ms);
  }
  Status delete_topic(const std::string& name, int64_t timeout_ms) override {
    return admin_->delete_topic(name, timeout_ms);
  }
  Result<client::TopicDescription> describe_topic(const std::string& name, int64_t timeout_ms) override {
    return admin_->describe_topic(name, timeout_ms);
  }
  Result<std::vector<client::TopicDescription>> list_topics(int64_t timeout_ms) override {
    return admin_->list_topics(timeout_ms);
  }
  Result<client::ClusterDescription> describe_cluster(int64_t timeout_ms) override {
    return admin_->describe_cluster(timeout_ms);
  }
  Result<std::map<std::string, std::string>> topic_configs(const std::string& name, int64_t timeout_ms) override {
    return admin_->topic_configs(name, timeout_ms);
  }
  Result<std::map<TopicPartition, Offset>> list_offsets(const std::vector<TopicPartition>& partitions,
                                                        client::OffsetSpec at, client::IsolationLevel isolation,
                                                        int64_t timeout_ms) override {
    if (faults_.of_offsets) return *faults_.of_offsets;
    return admin_->list_offsets(partitions, at, isolation, timeout_ms);
  }
  Result<client::Offsets> committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                            bool require_stable, int64_t timeout_ms) override {
    return admin_->committed_offsets(group, partitions, require_stable, timeout_ms);
  }
  Status delete_records(const std::map<TopicPartition, Offset>& before, int64_t timeout_ms) override {
    return admin_->delete_records(before, timeout_ms);
  }

 private:
  std::unique_ptr<Admin> admin_;
  const Faults& faults_;
};

class FaultyProducer final : public client::Producer {
 public:
  explicit FaultyProducer(const Faults& faults) : faults_(faults) {}
  Status send(std::span<const client::ProducedRecord> records, client::DeliveryCallback on_done) override {
    if (faults_.of_send) return *faults_.of_send;
    const client::Delivery failed{.code = faults_.of_delivery->code(),
                                  .error = faults_.of_delivery->number(Domain::kafka)};
    on_done(*faults_.of_delivery, std::vector<client::Delivery>(records.size(), failed));
    return {};
  }
  Status flush(int64_t) override { return {}; }
  Result<int32_t> partition_count(const std::string&) override { return 1; }
  Status init_transactions(int64_t) override { return {}; }
  Status begin_transaction() override { return {}; }
  Status send_offsets_to_transaction(const client::Offsets&, const client::GroupMetadata&, int64_t) override {
    return {};
  }
  Status transaction_failure() override { return {}; }
  Status commit_transaction(int64_t) override { return {}; }
  Status abort_transaction(int64_t) override { return {}; }

 private:
  const Faults& faults_;
};

class FaultyClient final : public Client {
 public:
  FaultyClient(std::unique_ptr<Client> client, const Faults& faults) : client_(std::move(client)), faults_(faults) {}
  Result<std::unique_ptr<client::Producer>> producer(const Properties&) override {
    return std::unique_ptr<client::Producer>(std::make_unique<FaultyProducer>(faults_));
  }
  Result<std::unique_ptr<client::Consumer>> consumer(const Properties& overrides) override {
    return client_->consumer(overrides);
  }
  Result<std::unique_ptr<client::Admin>> admin(const Properties& overrides) override {
    return std::unique_ptr<client::Admin>(std::make_unique<FaultyAdmin>(MUIR_TRY(client_->admin(overrides)), faults_));
  }
  Result<std::unique_ptr<client::GroupMember>> group_member(const client::GroupMemberOptions& options,
                                                            client::GroupProtocol& protocol) override {
    return client_->group_member(options, protocol);
  }

 private:
  std::unique_ptr<Client> client_;
  const Faults& faults_;
};

TEST(KafkaSchemaLog, TurnsWhatTheClusterSaysIntoCodesOfTheRegistry) {
  client::MemoryCluster cluster(system_clock(), {.blocking = true});
  Faults faults;
  FaultyClient client(cluster.client(), faults);
  auto service = RegistryService::start(make_kafka_schema_log(client, {}));
  ASSERT_TRUE(service.ok()) << service.status().message();
  const net::Rest rest(rest_routes(**service), rest_options());

  struct Row {
    const char* name;
    Status cause;
    int reading;  // the code that is answered when reading the end of the log, or writing to it, fails so
    int writing;
  };
  // As the client makes them of Kafka's codes.
  for (const Row& row : std::initializer_list<Row>{
           {"no leader", Status(Code::unavailable, "it: LEADER_NOT_AVAILABLE", {Domain::kafka, 5}), 50002, 50002},
           {"another leader", Status(Code::unavailable, "it: NOT_LEADER_OR_FOLLOWER", {Domain::kafka, 6}), 50002,
            50002},
           {"no leader until the end", Status(Code::timed_out, "it: LEADER_NOT_AVAILABLE", {Domain::kafka, 5}), 50002,
            50002},
           {"too few replicas", Status(Code::unavailable, "it: NOT_ENOUGH_REPLICAS", {Domain::kafka, 19}), 50002,
            50002},
           {"nobody answers", error(Code::unavailable, "connection refused"), 50002, 50002},
           {"no answer in time", Status(Code::timed_out, "it: Local: Message timed out", {Domain::librdkafka, -192}),
            50002, 50002},
           {"too large", Status(Code::resource_exhausted, "it: MESSAGE_TOO_LARGE", {Domain::kafka, 10}), 50001, 42209},
           {"not allowed", Status(Code::permission_denied, "it: TOPIC_AUTHORIZATION_FAILED", {Domain::kafka, 29}),
            50001, 50001},
           {"no such topic", Status(Code::not_found, "it: UNKNOWN_TOPIC_OR_PARTITION", {Domain::kafka, 3}), 50001,
            50001},
           {"a failing disk", Status(Code::io_error, "it: KAFKA_STORAGE_ERROR", {Domain::kafka, 56}), 50001, 50001},
           {"the queue is full", error(Code::resource_exhausted, "buffer.memory"), 50001, 50001},
           {"a code like an HTTP status", Status(Code::internal, "it", {Domain::http, 404}), 50001, 50001},
           {"a code like one of the registry's", Status(Code::internal, "it", {Domain::kafka, 40401}), 50001, 50001},
       }) {
    for (const std::string_view place : {"reading", "sending", "delivering"}) {
      faults = {};
      (place == "reading" ? faults.of_offsets : place == "sending" ? faults.of_send : faults.of_delivery) = row.cause;
      const auto response =
          rest.answer({.method = "PUT", .body = R"({"compatibility":"FULL"})", .raw_path = "/config/s"});
      const int code = place == "reading" ? row.reading : row.writing;
      const auto body = schema::Json::parse(response.body);
      ASSERT_TRUE(body.ok()) << response.body;
      EXPECT_EQ(response.status, code == 50002 ? 503 : code / 100) << row.name << ", " << place;
      EXPECT_EQ(body->find("error_code")->as_int64(), code) << row.name << ", " << place << ": " << response.body;
    }
  }
}

}  // namespace
}  // namespace muir::registry
