// For tests of the order of requests: a client that asks by a script, one request at a time or all at once.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/internal/broker_fixture.h"
#include "testing/eventually.h"

namespace muir::broker {

// One client with a topic, a group and a transactional id of its own, which it uses by a script: a letter per request.
class ScriptedClient {
 public:
  ScriptedClient(uint16_t port, std::string name) : client_(port), name_(std::move(name)) {
    EXPECT_EQ(create(), wire::ErrorCode::none);
    // Apache Kafka needs some time for topics, its own as well.
    EXPECT_TRUE(testing::eventually([&] { return list_end()() == "ListOffsetsResponse @0"; }));
    for (const std::string& group : {name_, name_ + "-txn"}) {
      wire::OffsetFetchRequest offsets;
      offsets.group_id = group;
      EXPECT_TRUE(testing::eventually(
          [&] { return find_coordinator(0, group) && client_.call(offsets, 7).error_code == wire::ErrorCode::none; }));
    }
    wire::InitProducerIdRequest init;
    init.transactional_id = name_;
    init.transaction_timeout_ms = 60'000;
    EXPECT_TRUE(testing::eventually([&] {
      if (!find_coordinator(1, name_)) return false;
      const auto producer = client_.call(init, 4);
      id_ = producer.producer_id;
      epoch_ = producer.producer_epoch;
      return producer.error_code == wire::ErrorCode::none;
    }));
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
      case 'o': return send(wire::AddOffsetsToTxnRequest{name_, id_, epoch_, name_ + "-txn"}, 3, error_of);
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
  static std::string text(wire::ErrorCode error) { return std::to_string(static_cast<int>(error)); }
  static constexpr auto error_of = [](const auto& response) { return text(response.error_code); };

  bool find_coordinator(int8_t type, const std::string& key) {
    wire::FindCoordinatorRequest find;
    find.key_type = type;
    find.coordinator_keys = {key};
    return client_.call(find, 4).coordinators.at(0).error_code == wire::ErrorCode::none;
  }
  wire::ErrorCode create() {
    wire::CreateTopicsRequest request;
    request.topics.push_back({name_, 1, 1, {}, {}, {}});
    return client_.call(request).topics.at(0).error_code;
  }
  Answer add_partition() {
    wire::AddPartitionsToTxnRequest request;
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
    wire::BatchOptions options;
    if (in_transaction) {
      options.producer_id = ProducerId(id_);
      options.producer_epoch = ProducerEpoch(epoch_);
      options.transactional = true;
      options.base_sequence = sequence_;
      if (added_) ++sequence_;
    }
    wire::BatchBuilder builder(options);
    builder.add(1000, std::nullopt, "value");
    Bytes batch;
    EXPECT_TRUE(builder.build(batch).ok());
    wire::ProduceRequest request;
    if (in_transaction) request.transactional_id = name_;
    request.acks = acks;
    request.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
    auto& topic = request.topic_data.emplace_back();
    topic.name = name_;
    topic.partition_data.push_back({0, BytesView(batch), {}});
    return send(request, 10, [](const auto& response) {
      const auto& partition = response.responses.at(0).partition_responses.at(0);
      return text(partition.error_code) + "@" + std::to_string(partition.base_offset);
    });
  }
  Answer txn_offset_commit() {
    wire::TxnOffsetCommitRequest request;
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
    return send(wire::EndTxnRequest{name_, id_, epoch_, commit, {}}, 3, error_of);
  }
  Answer list_end() {
    wire::ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({name_, {{0, -1, -1, {}}}, {}});
    return send(request, 7, [](const auto& response) {
      return "@" + std::to_string(response.topics.at(0).partitions.at(0).offset);
    });
  }
  Answer offset_commit() {
    wire::OffsetCommitRequest request;
    request.group_id = name_;
    request.generation_id_or_member_epoch = -1;
    wire::OffsetCommitRequest::Partition partition;
    partition.committed_offset = ++committed_;
    auto& topic = request.topics.emplace_back();
    topic.name = name_;
    topic.partitions.push_back(partition);
    return send(request, 8,
                [](const auto& response) { return text(response.topics.at(0).partitions.at(0).error_code); });
  }
  Answer offset_fetch() {
    wire::OffsetFetchRequest request;
    request.group_id = name_;
    request.topics.emplace().push_back({name_, {0}, {}});
    return send(request, 7, [](const auto& response) {
      return "@" + std::to_string(response.topics.at(0).partitions.at(0).committed_offset);
    });
  }
  Answer add_partitions_to_topic() {
    wire::CreatePartitionsRequest request;
    request.timeout_ms = static_cast<int32_t>(testing::kPatienceMs);
    auto& topic = request.topics.emplace_back();
    topic.name = name_;
    topic.count = ++partitions_;
    return send(request, 3, [](const auto& response) { return text(response.results.at(0).error_code); });
  }
  Answer metadata() {
    wire::MetadataRequest request;
    request.topics.emplace().emplace_back().name = name_;
    return send(request, 12,
                [](const auto& response) { return std::to_string(response.topics.at(0).partitions.size()); });
  }
  Answer long_poll() {
    wire::FetchRequest request;
    request.max_wait_ms = 3;
    request.min_bytes = 1 << 30;
    request.max_bytes = 1 << 20;
    wire::FetchRequest::Partition partition;
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

}  // namespace muir::broker
