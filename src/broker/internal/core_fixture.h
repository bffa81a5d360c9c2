// For tests of the coordinators over a real log: a broker without a network, on a disk in memory, asked in frames.
#pragma once

#include <gtest/gtest.h>

#include <future>

#include "base/file_fault.h"
#include "broker/api/api_table.h"
#include "broker/internal/broker_core.h"
#include "testing/eventually.h"
#include "wire/messages/add_offsets_to_txn.h"
#include "wire/messages/add_partitions_to_txn.h"
#include "wire/messages/end_txn.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/offset_fetch.h"
#include "wire/messages/txn_offset_commit.h"

namespace muir::broker {

class KeptReply final : public ReplySlot {
 public:
  void send(std::vector<net::Piece> frame) override {
    Bytes out;
    for (const auto& piece : frame) out += piece.view();
    answer.set_value(std::move(out));
  }
  void send_nothing() override { answer.set_value({}); }
  void close_connection() override { answer.set_value({}); }

  std::promise<Bytes> answer;
};

class CoreFixture : public ::testing::Test {
 protected:
  CoreFixture() {
    config_.data_dir = "/data";
    config_.network_threads = 1;
    config_.properties = {{"offsets.topic.num.partitions", "1"}, {"transaction.state.log.num.partitions", "1"}};
    start();
    EXPECT_TRUE(core_->context().logs->create_topic("t", 2, {}).ok());
    // So that the topics of the coordinators are there.
    EXPECT_TRUE(testing::eventually([&] { return commit(1) == wire::ErrorCode::none; }));
    EXPECT_TRUE(testing::eventually([&] { return init("warm").error_code == wire::ErrorCode::none; }));
  }
  void start() { core_ = BrokerCore::open(config_, env_).value(); }
  void restart() {
    core_.reset();
    start();
  }

  template <class Request>
  typename Request::Response ask(const Request& request, int16_t version) {
    Bytes frame;
    wire::encode_request(request, version, 1, "test", frame);
    const auto slot = std::make_shared<KeptReply>();
    auto answer = slot->answer.get_future();
    static const Listener listener;
    constexpr size_t kLengthBytes = 4;
    EXPECT_TRUE(dispatch(core_->context(), listener, "127.0.0.1:1", frame.substr(kLengthBytes), slot).ok());
    frame_ = answer.get();
    typename Request::Response response;
    EXPECT_TRUE(wire::decode_response(frame_, version, response).ok());
    return response;
  }
  wire::ErrorCode commit(int64_t offset) {
    wire::OffsetCommitRequest request;
    request.group_id = "g";
    request.generation_id_or_member_epoch = -1;
    wire::OffsetCommitRequest::Partition partition;
    partition.committed_offset = offset;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back(partition);
    return ask(request, 8).topics.at(0).partitions.at(0).error_code;
  }
  int64_t committed() {
    wire::OffsetFetchRequest request;
    request.group_id = "g";
    request.topics.emplace().push_back({"t", {0}, {}});
    return ask(request, 7).topics.at(0).partitions.at(0).committed_offset;
  }
  wire::InitProducerIdResponse init(const std::optional<std::string>& id) {
    wire::InitProducerIdRequest request;
    request.transactional_id = id;
    request.transaction_timeout_ms = 60'000;
    return ask(request, 4);
  }
  // t-1.
  wire::ErrorCode add_partition(const std::string& id, const wire::InitProducerIdResponse& producer) {
    wire::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = id;
    request.v3_and_below_producer_id = producer.producer_id;
    request.v3_and_below_producer_epoch = producer.producer_epoch;
    request.v3_and_below_topics.push_back({"t", {1}, {}});
    return ask(request, 3).results_by_topic_v3_and_below.at(0).results_by_partition.at(0).partition_error_code;
  }
  wire::ErrorCode end(const std::string& id, const wire::InitProducerIdResponse& producer) {
    return end(id, producer, true);
  }
  wire::ErrorCode end(const std::string& id, const wire::InitProducerIdResponse& producer, bool commits) {
    return ask(wire::EndTxnRequest{id, producer.producer_id, producer.producer_epoch, commits, {}}, 3).error_code;
  }
  wire::ErrorCode commit_in_txn(const std::string& id, const wire::InitProducerIdResponse& producer, int64_t offset) {
    const wire::AddOffsetsToTxnRequest add{id, producer.producer_id, producer.producer_epoch, "g", {}};
    if (const auto error = ask(add, 3).error_code; error != wire::ErrorCode::none) return error;
    wire::TxnOffsetCommitRequest request;
    request.transactional_id = id;
    request.group_id = "g";
    request.producer_id = producer.producer_id;
    request.producer_epoch = producer.producer_epoch;
    wire::TxnOffsetCommitRequest::Partition partition;
    partition.committed_offset = offset;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back(partition);
    return ask(request, 3).topics.at(0).partitions.at(0).error_code;
  }

  FaultEnv env_;
  BrokerConfig config_;
  std::unique_ptr<BrokerCore> core_;
  Bytes frame_;
};

}  // namespace muir::broker
