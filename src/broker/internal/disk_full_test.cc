// A disk that takes no more, as coordinators' requests meet it: clients are told to try again, nothing of a refused
// request counts, and everything goes on when there is space.
#include "broker/internal/core_fixture.h"

namespace muir::broker {
namespace {

using testing::eventually;
using wire::ErrorCode;

using DiskFull = CoreFixture;

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
