// What clients may rely on in single requests, in the bytes of the protocol: on our broker and on Apache Kafka 4.3.1.
#include <gtest/gtest.h>

#include <string>

#include "broker/internal/scripted_client_fixture.h"
#include "brokers.h"
#include "testing/eventually.h"
#include "wire/messages/add_offsets_to_txn.h"
#include "wire/messages/alter_configs.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/end_txn.h"
#include "wire/messages/find_coordinator.h"
#include "wire/messages/incremental_alter_configs.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/metadata.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/txn_offset_commit.h"

namespace muir::interop {
namespace {

using broker::ScriptedClient;
using broker::TestClient;
using wire::ErrorCode;

class RequestContract : public OnBothBrokers {
 protected:
  [[nodiscard]] uint16_t port() const {
    return static_cast<uint16_t>(std::stoi(bootstrap().substr(bootstrap().rfind(':') + 1)));
  }
};

TEST_P(RequestContract, PipelinedRequestsOfOneConnectionTakeEffectInOrder) {
  const struct {
    const char* name;
    const char* script;
  } cases[] = {
      {"a transaction", "ape"},
      {"offsets in a transaction", "aopcape"},
      {"an aborted one", "aapopcx"},
      {"a transaction ended before it began", "pc"},
      {"offsets are committed and asked for", "kgkgkg"},
      {"records are written and looked for", "Pl1lPl1l"},
      {"a long poll comes before the records", "wPw1w"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedClient patient(port(), std::string("patient-") + c.script);
    ScriptedClient eager(port(), std::string("eager-") + c.script);
    EXPECT_EQ(eager.pipelined(c.script), patient.one_at_a_time(c.script));
  }
}

TEST_P(RequestContract, OwnWritesAreSeenAsSoonAsTheyAreAnswered) {
  ScriptedClient client(port(), "own-writes");
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.one_at_a_time("1l"), (std::vector<std::string>{"ProduceResponse 0@" + std::to_string(i),
                                                                    "ListOffsetsResponse @" + std::to_string(i + 1)}));
  }
}

TEST_P(RequestContract, ARequestMakesAtMostTenThousandPartitions) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics.push_back({"too-many", 6000, 1, {}, {}, {}});
  create.topics.push_back({"even-more", 4001, 1, {}, {}, {}});
  for (const auto& topic : client.call(create, 7).topics) {
    EXPECT_EQ(topic.error_code, ErrorCode::policy_violation) << topic.name;
    EXPECT_TRUE(topic.error_message.value_or("").starts_with("Excessively large number of partitions per request"));
  }
  create.topics = {{"just-one", 1, 1, {}, {}, {}}};
  EXPECT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
  wire::CreatePartitionsRequest grow;
  grow.timeout_ms = 20'000;
  grow.topics.push_back({"just-one", 10'002, std::nullopt, {}});
  // Apache Kafka runs into the limit of its own records, and has no better word for it than UNKNOWN_SERVER_ERROR.
  const auto expected = GetParam() == Vendor::muir ? ErrorCode::policy_violation : ErrorCode::unknown_server_error;
  EXPECT_EQ(client.call(grow, 3).results.at(0).error_code, expected);
}

// Offsets of what does not exist: each partition is answered for itself, and the transaction goes on.
TEST_P(RequestContract, OffsetsOfUnknownTopicsAreRefusedPartitionByPartition) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"with-offsets", 1, 1, {}, {}, {}}};
  ASSERT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
  const std::string id = "offsets-of-unknown-topics";
  const auto made = [&](ErrorCode error) { return error == ErrorCode::none; };
  for (const int8_t type : {int8_t{0}, int8_t{1}}) {
    ASSERT_TRUE(testing::eventually(
        [&] { return made(client.call(wire::FindCoordinatorRequest{.key = id, .key_type = type}, 3).error_code); }));
  }
  wire::InitProducerIdRequest init;
  init.transactional_id = id;
  init.transaction_timeout_ms = 60'000;
  wire::InitProducerIdResponse producer;
  ASSERT_TRUE(testing::eventually([&] { return made((producer = client.call(init, 4)).error_code); }));
  const wire::AddOffsetsToTxnRequest add{id, producer.producer_id, producer.producer_epoch, id, {}};
  ASSERT_TRUE(testing::eventually([&] { return made(client.call(add, 3).error_code); }));
  wire::TxnOffsetCommitRequest in_txn;
  in_txn.transactional_id = in_txn.group_id = id;
  in_txn.producer_id = producer.producer_id;
  in_txn.producer_epoch = producer.producer_epoch;
  wire::OffsetCommitRequest plain;
  plain.group_id = id + "-plain";
  plain.generation_id_or_member_epoch = -1;
  const struct {
    const char* topic;
    int32_t partition;
    ErrorCode expected;
  } rows[] = {{"with-offsets", 0, ErrorCode::none},
              {"with-offsets", 1, ErrorCode::unknown_topic_or_partition},
              {"with-offsets", -1, ErrorCode::unknown_topic_or_partition},
              {"never-was", 0, ErrorCode::unknown_topic_or_partition},
              {"no topic's name", 0, ErrorCode::unknown_topic_or_partition}};
  for (const auto& row : rows) {
    SCOPED_TRACE(fmt::format("{}-{}", row.topic, row.partition));
    wire::TxnOffsetCommitRequest::Partition one;
    one.partition_index = row.partition;
    one.committed_offset = 5;
    in_txn.topics = {{row.topic, {one}, {}}};
    const auto asked_in_txn = [&] { return client.call(in_txn, 3).topics.at(0).partitions.at(0).error_code; };
    // Apache Kafka's coordinator learns of a new topic a moment later.
    EXPECT_TRUE(testing::eventually([&] { return asked_in_txn() == row.expected; }))
        << static_cast<int>(asked_in_txn());
    wire::OffsetCommitRequest::Partition other;
    other.partition_index = row.partition;
    other.committed_offset = 5;
    plain.topics.clear();
    plain.topics.emplace_back().name = row.topic;
    plain.topics.back().partitions.push_back(other);
    EXPECT_EQ(client.call(plain, 8).topics.at(0).partitions.at(0).error_code, row.expected);
  }
  const wire::EndTxnRequest end{id, producer.producer_id, producer.producer_epoch, true, {}};
  EXPECT_EQ(client.call(end, 3).error_code, ErrorCode::none);
}

// What a topic cannot have is refused by every way in which it may be asked for, in the same words.
TEST_P(RequestContract, SettingsOfTopicsAreRefusedInTheSameWords) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"settings", 1, 1, {}, {}, {}}};
  ASSERT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
  const struct {
    std::string key;
    std::string value;
    std::string answer;  // empty: it is taken
  } cases[] = {
      {"remote.storage.enable", "true",
       "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."},
      {"remote.storage.enable", "false", ""},
      {"remote.log.copy.disable", "true", ""},
      {"local.retention.ms", "-3", "Invalid value -3 for configuration local.retention.ms: Value must be at least -2"},
      {"flush.messages", "0", "Invalid value 0 for configuration flush.messages: Value must be at least 1"},
      {"follower.replication.throttled.replicas", "none",
       "Invalid value [none] for configuration follower.replication.throttled.replicas: "
       "follower.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: "
       "[partitionId]:[brokerId],[partitionId]:[brokerId],..."},
      {"min.insync.replicas", "2", ""},
      {"cleanup.policy", "compact,", "Configuration 'cleanup.policy' values must not be empty."},
      {"compression.type", " gzip", ""},
      {"retention.bytes", "-2", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.key + "=" + c.value);
    const auto expected = c.answer.empty() ? ErrorCode::none : ErrorCode::invalid_config;
    wire::CreateTopicsRequest made;
    made.timeout_ms = 20'000;
    made.validate_only = true;
    made.topics = {{"with-settings", 1, 1, {}, {{c.key, c.value, {}}}, {}}};
    const auto created = client.call(made, 7).topics.at(0);
    EXPECT_EQ(created.error_code, expected);
    EXPECT_EQ(created.error_message.value_or(""), c.answer);
    constexpr int8_t kTopic = 2;
    wire::AlterConfigsRequest whole;
    whole.validate_only = true;
    whole.resources = {{kTopic, "settings", {{c.key, c.value, {}}}, {}}};
    const auto altered = client.call(whole, 2).responses.at(0);
    EXPECT_EQ(altered.error_code, expected);
    EXPECT_EQ(altered.error_message.value_or(""), c.answer);
    wire::IncrementalAlterConfigsRequest one;
    one.validate_only = true;
    one.resources = {{kTopic, "settings", {{c.key, 0, c.value, {}}}, {}}};
    const auto changed = client.call(one, 1).responses.at(0);
    EXPECT_EQ(changed.error_code, expected);
    EXPECT_EQ(changed.error_message.value_or(""), c.answer);
  }
}

// Settings that are taken back, changed twice, or are none.
TEST_P(RequestContract, ChangesOfSettingsAreAnsweredTheSame) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"changed", 1, 1, {}, {}, {}}, {"changed-too", 1, 1, {}, {}, {}}};
  for (const auto& made : client.call(create, 7).topics) ASSERT_EQ(made.error_code, ErrorCode::none);
  using Change = wire::IncrementalAlterConfigsRequest::Config;
  constexpr int8_t kSet = 0;
  constexpr int8_t kDelete = 1;
  constexpr int8_t kAppend = 2;
  constexpr int8_t kSubtract = 3;
  const struct {
    const char* name;
    std::vector<Change> changes;
    ErrorCode expected;
    std::string answer;
  } cases[] = {
      {"no such key is set",
       {{"nosuchkey", kSet, "1", {}}},
       ErrorCode::invalid_config,
       "Unknown topic config name: nosuchkey"},
      {"no such key is deleted", {{"nosuchkey", kDelete, std::nullopt, {}}}, ErrorCode::none, ""},
      {"no such key is appended to",
       {{"nosuchkey", kAppend, "1", {}}},
       ErrorCode::invalid_config,
       "Can't APPEND to key nosuchkey because its type is not LIST."},
      {"no such key is subtracted from",
       {{"nosuchkey", kSubtract, "1", {}}},
       ErrorCode::invalid_config,
       "Can't SUBTRACT to key nosuchkey because its type is not LIST."},
      {"a key that is not set is deleted", {{"retention.ms", kDelete, std::nullopt, {}}}, ErrorCode::none, ""},
      {"deleted with a value", {{"retention.ms", kDelete, "1", {}}}, ErrorCode::none, ""},
      {"set to null",
       {{"retention.ms", kSet, std::nullopt, {}}},
       ErrorCode::invalid_request,
       "Null value not supported for : retention.ms"},
      {"set twice",
       {{"retention.ms", kSet, "1", {}}, {"retention.ms", kSet, "2", {}}},
       ErrorCode::invalid_request,
       "Error due to duplicate config keys"},
      {"set and deleted",
       {{"retention.ms", kSet, "1", {}}, {"retention.ms", kDelete, std::nullopt, {}}},
       ErrorCode::invalid_request,
       "Error due to duplicate config keys"},
      {"appended to a number",
       {{"retention.ms", kAppend, "1", {}}},
       ErrorCode::invalid_config,
       "Can't APPEND to key retention.ms because its type is not LIST."},
      {"operation 4", {{"retention.ms", 4, "1", {}}}, ErrorCode::unknown_server_error, ""},
      {"nothing", {}, ErrorCode::none, ""},
      {"an empty key", {{"", kSet, "1", {}}}, ErrorCode::invalid_config, "Unknown topic config name: "},
      {"a good and a bad one",
       {{"retention.ms", kSet, "1", {}}, {"nosuchkey", kSet, "1", {}}},
       ErrorCode::invalid_config,
       "Unknown topic config name: nosuchkey"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    wire::IncrementalAlterConfigsRequest request;
    request.validate_only = true;
    request.resources = {{2, "changed", c.changes, {}}};
    const auto changed = client.call(request, 1).responses.at(0);
    EXPECT_EQ(wire::name_of(changed.error_code), wire::name_of(c.expected));
    if (c.expected != ErrorCode::unknown_server_error) {
      EXPECT_EQ(changed.error_message.value_or(""), c.answer);
    }
  }
}

TEST_P(RequestContract, WhatIsNamedTwice) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"named-twice", 1, 1, {}, {}, {}}, {"named-once", 1, 1, {}, {}, {}}};
  for (const auto& made : client.call(create, 7).topics) ASSERT_EQ(made.error_code, ErrorCode::none);
  wire::MetadataRequest metadata;
  metadata.topics.emplace();
  for (const char* topic : {"named-twice", "never-was", "named-twice", "never-was"})
    metadata.topics->emplace_back().name = topic;
  metadata.allow_auto_topic_creation = false;
  EXPECT_EQ(client.call(metadata, 8).topics.size(), 2u);
  wire::IncrementalAlterConfigsRequest change;
  for (const char* topic : {"named-twice", "named-once", "named-twice"})
    change.resources.push_back({2, topic, {{"retention.ms", 0, "1", {}}}, {}});
  for (const auto& changed : client.call(change, 1).responses) {
    const bool once = changed.resource_name == "named-once";
    EXPECT_EQ(changed.error_code, once ? ErrorCode::none : ErrorCode::invalid_request);
    EXPECT_EQ(changed.error_message.value_or(""), once ? "" : "Each resource must appear at most once.");
  }
}

TEST_P(RequestContract, TheTopicOfTheControllersIsNotMade) {
  TestClient client(port());
  wire::CreateTopicsRequest create;
  create.timeout_ms = 20'000;
  create.topics = {{"__cluster_metadata", 1, 1, {}, {}, {}}};
  const auto made = client.call(create, 7).topics.at(0);
  EXPECT_EQ(made.error_code, ErrorCode::invalid_request);
  EXPECT_EQ(made.error_message.value_or(""), "Creation of internal topic __cluster_metadata is prohibited.");
}

// Replicas that a client chooses itself, when it makes a topic and when it adds partitions to one of a single
// partition.
TEST_P(RequestContract, AssignmentsOfReplicasNameBrokersThatExistOnceAndForEveryPartition) {
  TestClient client(port());
  const std::string empty = "The manual partition assignment includes an empty replica list.";
  const std::string twice = "The manual partition assignment includes the broker 1 more than once.";
  const std::string stranger = "The manual partition assignment includes broker 9, but no such broker is registered.";
  const struct {
    const char* name;
    std::vector<std::vector<int32_t>> replicas;  // of partitions 0, 1, ...
    std::string refused_create;                  // empty: it is made
    int32_t count;
    std::string refused_growth;  // empty: they are added
  } cases[] = {
      {"fits", {{1}}, "", 2, ""},
      {"none", {{}}, empty, 2, empty},
      {"twice", {{1, 1}}, twice, 2, twice},
      {"stranger", {{9}}, stranger, 2, stranger},
      {"stranger-behind", {{1}, {9}}, stranger, 3, stranger},
      {"short", {{1}}, "", 3, "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string made = std::string("assigned-") + c.name;
    const std::string grown = std::string("grown-") + c.name;
    wire::CreateTopicsRequest create;
    create.timeout_ms = 20'000;
    create.topics.push_back({grown, 1, 1, {}, {}, {}});
    ASSERT_EQ(client.call(create, 7).topics.at(0).error_code, ErrorCode::none);
    create.topics = {{made, -1, -1, {}, {}, {}}};
    wire::CreatePartitionsRequest grow;
    grow.timeout_ms = 20'000;
    grow.topics.push_back({grown, c.count, std::vector<wire::CreatePartitionsRequest::Assignment>(), {}});
    for (size_t i = 0; i < c.replicas.size(); ++i) {
      create.topics[0].assignments.push_back({static_cast<int32_t>(i), c.replicas[i], {}});
      grow.topics[0].assignments->push_back({c.replicas[i], {}});
    }
    const auto answer = [](ErrorCode code, const std::optional<std::string>& message) {
      return fmt::format("{} {}", wire::name_of(code), message.value_or(""));
    };
    const auto expected = [&answer](const std::string& message) {
      return answer(message.empty() ? ErrorCode::none : ErrorCode::invalid_replica_assignment, message);
    };
    const auto created = client.call(create, 7).topics.at(0);
    EXPECT_EQ(answer(created.error_code, created.error_message), expected(c.refused_create));
    const auto added = client.call(grow, 3).results.at(0);
    EXPECT_EQ(answer(added.error_code, added.error_message), expected(c.refused_growth));
  }
}

INSTANTIATE_TEST_SUITE_P(Brokers, RequestContract, kBothVendors, vendor_name);

}  // namespace
}  // namespace muir::interop
