// What clients may rely on in single requests, in the bytes of the protocol: on our broker and on Apache Kafka 4.3.1.
#include <gtest/gtest.h>

#include <string>

#include "broker/internal/scripted_client_fixture.h"
#include "brokers.h"
#include "wire/messages/alter_configs.h"
#include "wire/messages/create_topics.h"
#include "wire/messages/incremental_alter_configs.h"

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
