// Requests that a client sends without waiting for answers take effect in the order in which they were sent.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "broker/internal/broker_fixture.h"
#include "broker/internal/handlers.h"

namespace muir::broker {
namespace {

using namespace wire;

// One client with a topic, a group and a transactional id of its own, which it uses by a script: a letter per request.
class ScriptedClient {
 public:
  ScriptedClient(uint16_t port, std::string name) : client_(port), name_(std::move(name)) {
    EXPECT_EQ(create(), ErrorCode::none);
    FindCoordinatorRequest find;
    find.key_type = 0;
    find.coordinator_keys = {name_};
    EXPECT_EQ(client_.call(find, 4).coordinators.at(0).error_code, ErrorCode::none);
    InitProducerIdRequest init;
    init.transactional_id = name_;
    init.transaction_timeout_ms = 60'000;
    const auto producer = client_.call(init, 4);
    EXPECT_EQ(producer.error_code, ErrorCode::none);
    id_ = producer.producer_id;
    epoch_ = producer.producer_epoch;
  }

  // The answers, a word for each.
  std::vector<std::string> one_at_a_time(const std::string& script) {
    std::vector<std::string> out;
    for (const char step : script) out.push_back(ask(step)());
    return out;
  }
  std::vector<std::string> pipelined(const std::string& script) {
    std::vector<std::function<std::string()>> answers;
    for (const char step : script) answers.push_back(ask(step));
    std::vector<std::string> out;
    for (const auto& answer : answers) out.push_back(answer());
    return out;
  }

 private:
  using Answer = std::function<std::string()>;
  using Partitions = std::vector<int32_t>;

  // Sends the request of one letter; what it returns receives the answer.
  Answer ask(char step) {
    switch (step) {
      case 'a': return add_partition();
      case 'p': return produce(true, -1);
      case 'o': return send(AddOffsetsToTxnRequest{name_, id_, epoch_, name_ + "-txn"}, 3, error_of);
      case 'c': return txn_offset_commit();
      case 'e': return end(true);
      case 'x': return end(false);
      case 'P': return produce(false, -1);
      case '1': return produce(false, 1);
      case 'l': return list_end();
      case 'k': return offset_commit();
      case 'g': return offset_fetch();
      case 'n': return add_partitions_to_topic();
      case 'm': return metadata();
      case 'w': return long_poll();
      default: ADD_FAILURE() << step; return {};
    }
  }

  template <class Request, class Describe>
  Answer send(const Request& request, int16_t version, Describe describe) {
    client_.send(request, version);
    return [this, version, describe, id = client_.correlation_id()] {
      const auto response = client_.receive_response<typename Request::Response>(version);
      EXPECT_EQ(client_.last_correlation_id(), id);
      return std::string(Request::Response::kName) + " " + describe(response);
    };
  }
  static std::string text(ErrorCode error) { return std::to_string(static_cast<int>(error)); }
  static constexpr auto error_of = [](const auto& response) { return text(response.error_code); };

  ErrorCode create() {
    CreateTopicsRequest request;
    request.topics.push_back({name_, 1, 1, {}, {}, {}});
    return client_.call(request).topics.at(0).error_code;
  }
  Answer add_partition() {
    AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = name_;
    request.v3_and_below_producer_id = id_;
    request.v3_and_below_producer_epoch = epoch_;
    request.v3_and_below_topics.push_back({name_, {0}, {}});
    added_ = true;
    return send(request, 3, [](const auto& response) {
      return text(response.results_by_topic_v3_and_below.at(0).results_by_partition.at(0).partition_error_code);
    });
  }
  Answer produce(bool in_transaction, int16_t acks) {
    BatchOptions options;
    if (in_transaction) {
      options.producer_id = ProducerId(id_);
      options.producer_epoch = ProducerEpoch(epoch_);
      options.transactional = true;
      options.base_sequence = sequence_;
      if (added_) ++sequence_;
    }
    BatchBuilder builder(options);
    builder.add(1000, std::nullopt, "value");
    Bytes batch;
    EXPECT_TRUE(builder.build(batch).ok());
    ProduceRequest request;
    if (in_transaction) request.transactional_id = name_;
    request.acks = acks;
    request.timeout_ms = 5000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = name_;
    topic.partition_data.push_back({0, BytesView(batch), {}});
    return send(request, 10, [](const auto& response) {
      const auto& partition = response.responses.at(0).partition_responses.at(0);
      return text(partition.error_code) + "@" + std::to_string(partition.base_offset);
    });
  }
  Answer txn_offset_commit() {
    TxnOffsetCommitRequest request;
    request.transactional_id = name_;
    request.group_id = name_ + "-txn";
    request.producer_id = id_;
    request.producer_epoch = epoch_;
    request.topics.push_back({name_, {{0, 1, -1, std::nullopt, {}}}, {}});
    return send(request, 3,
                [](const auto& response) { return text(response.topics.at(0).partitions.at(0).error_code); });
  }
  Answer end(bool commit) {
    added_ = false;
    return send(EndTxnRequest{name_, id_, epoch_, commit, {}}, 3, error_of);
  }
  Answer list_end() {
    ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({name_, {{0, -1, -1, {}}}, {}});
    return send(request, 7, [](const auto& response) {
      return "@" + std::to_string(response.topics.at(0).partitions.at(0).offset);
    });
  }
  Answer offset_commit() {
    OffsetCommitRequest request;
    request.group_id = name_;
    request.generation_id_or_member_epoch = -1;
    OffsetCommitRequest::Partition partition;
    partition.committed_offset = ++committed_;
    auto& topic = request.topics.emplace_back();
    topic.name = name_;
    topic.partitions.push_back(partition);
    return send(request, 8,
                [](const auto& response) { return text(response.topics.at(0).partitions.at(0).error_code); });
  }
  Answer offset_fetch() {
    OffsetFetchRequest request;
    request.group_id = name_;
    request.topics.emplace().push_back({name_, {0}, {}});
    return send(request, 7, [](const auto& response) {
      return "@" + std::to_string(response.topics.at(0).partitions.at(0).committed_offset);
    });
  }
  Answer add_partitions_to_topic() {
    CreatePartitionsRequest request;
    request.timeout_ms = 5000;
    auto& topic = request.topics.emplace_back();
    topic.name = name_;
    topic.count = ++partitions_;
    return send(request, 3, [](const auto& response) { return text(response.results.at(0).error_code); });
  }
  Answer metadata() {
    MetadataRequest request;
    request.topics.emplace().emplace_back().name = name_;
    return send(request, 12,
                [](const auto& response) { return std::to_string(response.topics.at(0).partitions.size()); });
  }
  Answer long_poll() {
    FetchRequest request;
    request.max_wait_ms = 3;
    request.min_bytes = 1 << 30;
    request.max_bytes = 1 << 20;
    FetchRequest::Partition partition;
    partition.partition_max_bytes = 1 << 20;
    auto& topic = request.topics.emplace_back();
    topic.topic = name_;
    topic.partitions.push_back(partition);
    return send(request, 12, [](const auto& response) {
      const auto& found = response.responses.at(0).partitions.at(0);
      return text(found.error_code) + "@" + std::to_string(found.high_watermark);
    });
  }

  TestClient client_;
  const std::string name_;
  int64_t id_ = -1;
  int16_t epoch_ = -1;
  int32_t sequence_ = 0;
  bool added_ = false;
  int64_t committed_ = 0;
  int32_t partitions_ = 1;
};

// A script whose answers do not depend on how quickly it is asked: a transaction that has been ended is not looked at
// until the next one has begun, which waits for its markers.
std::string random_script(std::mt19937& random) {
  std::string out;
  bool ended = false;
  for (int i = 0; i < 60; ++i) {
    const char step = "aapoce1xPlkgnmwppc"[random() % 18];
    const bool needs_the_end = step == 'e' || step == 'x' || step == 'l' || step == 'w' || step == 'P' || step == '1';
    if (ended && needs_the_end) continue;
    if (step == 'e' || step == 'x') ended = true;
    if (step == 'a' || step == 'o') ended = false;
    out.push_back(step);
  }
  return out;
}

TEST(Pipeline, RequestsTakeEffectInTheirOrderWhateverTheyWaitFor) {
  const struct {
    const char* name;
    const char* script;
  } cases[] = {
      {"a transaction", "ape"},
      {"two transactions", "apeape"},
      {"offsets in a transaction", "aopcape"},
      {"an aborted one and a committed one", "apxape"},
      {"a transaction ended before it began", "pce"},
      {"a topic grows and is described", "nmnm"},
      {"offsets are committed and asked for", "kgkg"},
      {"records are written and looked for", "Pl1lPl1l"},
      {"a long poll comes before the records", "wPw1w"},
  };
  TestBroker broker;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedClient patient(broker->port(), std::string("patient-") + c.script);
    ScriptedClient eager(broker->port(), std::string("eager-") + c.script);
    EXPECT_EQ(eager.pipelined(c.script), patient.one_at_a_time(c.script));
  }
}

TEST(Pipeline, RandomRequestsAreAnsweredAsIfSentOneAtATime) {
  TestBroker broker;
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    std::mt19937 random(seed);
    const std::string script = random_script(random);
    SCOPED_TRACE(std::to_string(seed) + ": " + script);
    ScriptedClient patient(broker->port(), "patient-" + std::to_string(seed));
    ScriptedClient eager(broker->port(), "eager-" + std::to_string(seed));
    EXPECT_EQ(eager.pipelined(script), patient.one_at_a_time(script));
  }
}

TEST(Pipeline, AHundredTransactionsInOneGo) {
  TestBroker broker;
  ScriptedClient client(broker->port(), "t");
  std::string script;
  for (int i = 0; i < 100; ++i) script += "apoce";
  for (const std::string& answer : client.pipelined(script))
    EXPECT_TRUE(answer.find(" 0") != std::string::npos) << answer;
}

}  // namespace
}  // namespace muir::broker
