// A disk that takes no more, as coordinators' requests meet it: clients are told to try again, nothing of a refused
// request counts, and everything goes on when there is space.
#include <gtest/gtest.h>

#include <future>

#include "base/file_fault.h"
#include "broker/internal/api_table.h"
#include "broker/internal/broker_core.h"
#include "testing/eventually.h"
#include "wire/messages/add_partitions_to_txn.h"
#include "wire/messages/end_txn.h"
#include "wire/messages/init_producer_id.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/offset_fetch.h"

namespace muir::broker {
namespace {

using testing::eventually;
using wire::ErrorCode;

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

// A broker on a disk in memory, asked in frames but without a network.
class DiskFull : public ::testing::Test {
 protected:
  DiskFull() {
    config_.data_dir = "/data";
    config_.network_threads = 1;
    config_.properties = {{"offsets.topic.num.partitions", "1"}, {"transaction.state.log.num.partitions", "1"}};
    start();
    EXPECT_TRUE(core_->context().logs->create_topic("t", 2, {}).ok());
    // So that the topics of the coordinators are there.
    EXPECT_TRUE(eventually([&] { return commit(1) == ErrorCode::none; }));
    EXPECT_TRUE(eventually([&] { return init("warm").error_code == ErrorCode::none; }));
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
    EXPECT_TRUE(dispatch(core_->context(), listener, "127.0.0.1:1", BytesView(frame).substr(kLengthBytes), slot).ok());
    frame_ = answer.get();
    typename Request::Response response;
    EXPECT_TRUE(wire::decode_response(frame_, version, response).ok());
    return response;
  }
  ErrorCode commit(int64_t offset) {
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
  ErrorCode add_partition(const std::string& id, const wire::InitProducerIdResponse& producer) {
    wire::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = id;
    request.v3_and_below_producer_id = producer.producer_id;
    request.v3_and_below_producer_epoch = producer.producer_epoch;
    request.v3_and_below_topics.push_back({"t", {1}, {}});
    return ask(request, 3).results_by_topic_v3_and_below.at(0).results_by_partition.at(0).partition_error_code;
  }
  ErrorCode end(const std::string& id, const wire::InitProducerIdResponse& producer) {
    return ask(wire::EndTxnRequest{id, producer.producer_id, producer.producer_epoch, true, {}}, 3).error_code;
  }

  FaultEnv env_;
  BrokerConfig config_;
  std::unique_ptr<BrokerCore> core_;
  Bytes frame_;
};

TEST_F(DiskFull, OffsetsAreCommittedAgainWhenThereIsSpace) {
  env_.fail_writes_after(0);
  EXPECT_EQ(commit(2), ErrorCode::not_coordinator);
  EXPECT_EQ(commit(3), ErrorCode::not_coordinator);
  EXPECT_EQ(committed(), 1);
  env_.fail_writes_after(std::nullopt);
  EXPECT_EQ(commit(4), ErrorCode::none);
  EXPECT_EQ(committed(), 4);
  restart();
  EXPECT_TRUE(eventually([&] { return committed() == 4; }));
}

TEST_F(DiskFull, ATransactionGoesOnWhenThereIsSpace) {
  const auto producer = init("txn");
  ASSERT_EQ(producer.error_code, ErrorCode::none);
  env_.fail_writes_after(0);
  EXPECT_EQ(add_partition("txn", producer), ErrorCode::not_coordinator);
  EXPECT_EQ(init("another").error_code, ErrorCode::not_coordinator);
  env_.fail_writes_after(std::nullopt);
  EXPECT_EQ(end("txn", producer), ErrorCode::invalid_txn_state) << "the refused partition is not in it";
  EXPECT_EQ(add_partition("txn", producer), ErrorCode::none);
  env_.fail_writes_after(0);
  EXPECT_EQ(end("txn", producer), ErrorCode::not_coordinator);
  env_.fail_writes_after(std::nullopt);
  EXPECT_TRUE(eventually([&] { return end("txn", producer) == ErrorCode::none; }));
  EXPECT_EQ(init("another").error_code, ErrorCode::none);
}

// An idempotent producer's number is either given out of a block that is on the disk, or not at all.
TEST_F(DiskFull, ProducerIdsAreNotGivenTwice) {
  env_.fail_writes_after(0);
  int64_t last = -1;
  for (int i = 0; i < 2000; ++i) {
    const auto producer = init(std::nullopt);
    if (producer.error_code != ErrorCode::none) {
      EXPECT_EQ(producer.error_code, ErrorCode::coordinator_load_in_progress);
      break;
    }
    EXPECT_GT(producer.producer_id, last);
    last = producer.producer_id;
    ASSERT_LT(i, 1999) << "the block has no end";
  }
  env_.fail_writes_after(std::nullopt);
  restart();
  const auto producer = init(std::nullopt);
  EXPECT_EQ(producer.error_code, ErrorCode::none);
  EXPECT_GT(producer.producer_id, last);
}

// The process ends when a topic is deleted and before its offsets are: the next start drops them.
TEST_F(DiskFull, OffsetsOfATopicDeletedBeforeTheEndAreGoneAfterwards) {
  ASSERT_EQ(committed(), 1);
  ASSERT_TRUE(core_->context().logs->delete_topic("t").ok());
  restart();
  EXPECT_TRUE(eventually([&] { return committed() == -1; }));
  ASSERT_TRUE(core_->context().logs->create_topic("t", 2, {}).ok());
  EXPECT_EQ(committed(), -1);
}

}  // namespace
}  // namespace muir::broker
