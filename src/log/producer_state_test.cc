#include "log/producer_state.h"

#include <gtest/gtest.h>

#include "log/kafka_error.h"

namespace muir::storage {
namespace {

using wire::ErrorCode;

// A batch of `count` records that starts at `sequence`; its offsets equal its sequences unless told otherwise.
ProducerBatch batch(int32_t sequence, int32_t count = 1, ProducerEpoch epoch = {}, bool transactional = false) {
  const auto last = static_cast<int32_t>((static_cast<int64_t>(sequence) + count - 1) & INT32_MAX);
  const Offset first(sequence);
  return {ProducerId(7), epoch, sequence, last, first, first + count - 1, 0, transactional};
}

ErrorCode code_of(const ProducerState& state, const ProducerBatch& next) {
  return kafka_code(state.check(next).status());
}

TEST(ProducerState, SequencesAreContiguousPerEpoch) {
  ProducerState state;
  EXPECT_EQ(code_of(state, batch(17)), ErrorCode::none) << "a producer that is not known may start anywhere";
  state.append(batch(0, 5));
  const struct {
    ProducerBatch next;
    ErrorCode expected;
    const char* why;
  } cases[] = {
      {batch(5), ErrorCode::none, "next"},
      {batch(6), ErrorCode::out_of_order_sequence_number, "gap"},
      {batch(3), ErrorCode::out_of_order_sequence_number, "part of an older batch"},
      {batch(0, 5), ErrorCode::none, "repeated"},
      {batch(0, 4), ErrorCode::out_of_order_sequence_number, "same start, other end"},
      {batch(0, 1, ProducerEpoch(1)), ErrorCode::none, "a new epoch starts at 0"},
      {batch(5, 1, ProducerEpoch(1)), ErrorCode::out_of_order_sequence_number, "a new epoch does not continue"},
      {batch(5, 1, ProducerEpoch(-1)), ErrorCode::invalid_producer_epoch, "older epoch"},
  };
  for (const auto& c : cases) EXPECT_EQ(code_of(state, c.next), c.expected) << c.why;
}

TEST(ProducerState, RepeatedBatchesOfTheLastFiveGetTheirOffsets) {
  ProducerState state;
  for (int32_t i = 0; i < 7; ++i) {
    ProducerBatch next = batch(i * 10, 10);
    next.first_offset += 1000;
    next.last_offset += 1000;
    state.append(next);
  }
  for (int32_t i = 2; i < 7; ++i) {
    const auto found = state.check(batch(i * 10, 10));
    ASSERT_TRUE(found.ok() && found->has_value()) << i;
    EXPECT_EQ((*found)->last_offset - (*found)->offset_delta, Offset(1000 + i * 10));
  }
  EXPECT_EQ(code_of(state, batch(10, 10)), ErrorCode::out_of_order_sequence_number) << "out of the window";
}

TEST(ProducerState, SequencesWrapToZero) {
  ProducerState state;
  state.append(batch(INT32_MAX - 1, 2));
  EXPECT_EQ(code_of(state, batch(0)), ErrorCode::none);
  state.append({ProducerId(7), ProducerEpoch(0), 0, 2, Offset(100), Offset(102), 0, false});
  state.append({ProducerId(7), ProducerEpoch(0), INT32_MAX, 1, Offset(200), Offset(202), 0, false});
  const auto found = state.check({ProducerId(7), ProducerEpoch(0), INT32_MAX, 1, kNoOffset, kNoOffset, 0, false});
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->last_offset, Offset(202));
}

TEST(ProducerState, OpenTransactionsHoldTheStableOffset) {
  ProducerState state;
  EXPECT_EQ(state.first_unstable_offset(), std::nullopt);
  state.append(batch(0, 5, ProducerEpoch(0), true));
  EXPECT_EQ(state.first_unstable_offset(), Offset(0));
  EXPECT_EQ(code_of(state, batch(5)), ErrorCode::invalid_txn_state) << "a plain batch inside of a transaction";
  EXPECT_EQ(state.append_marker(ProducerId(7), ProducerEpoch(0), LeaderEpoch(0), Offset(5), 0), Offset(0));
  EXPECT_EQ(state.first_unstable_offset(), Offset(0)) << "until the marker is below the high watermark";
  state.on_high_watermark(Offset(5));
  EXPECT_EQ(state.first_unstable_offset(), Offset(0));
  state.on_high_watermark(Offset(6));
  EXPECT_EQ(state.first_unstable_offset(), std::nullopt);
  EXPECT_EQ(state.append_marker(ProducerId(7), ProducerEpoch(0), LeaderEpoch(0), Offset(6), 0), std::nullopt)
      << "an empty transaction";
}

TEST(ProducerState, MarkersOfOldEpochsAreFenced) {
  ProducerState state;
  state.append(batch(0, 1, ProducerEpoch(3), true));
  EXPECT_EQ(kafka_code(state.check_marker(ProducerId(7), ProducerEpoch(2), LeaderEpoch(0))),
            ErrorCode::invalid_producer_epoch);
  EXPECT_TRUE(state.check_marker(ProducerId(7), ProducerEpoch(3), LeaderEpoch(5)).ok());
  state.append_marker(ProducerId(7), ProducerEpoch(4), LeaderEpoch(5), Offset(1), 0);
  EXPECT_EQ(kafka_code(state.check_marker(ProducerId(7), ProducerEpoch(4), LeaderEpoch(4))),
            ErrorCode::transaction_coordinator_fenced);
  EXPECT_EQ(code_of(state, batch(1, 1, ProducerEpoch(3))), ErrorCode::invalid_producer_epoch)
      << "the marker has raised the epoch";
  EXPECT_EQ(code_of(state, batch(0, 1, ProducerEpoch(4))), ErrorCode::none);
}

TEST(ProducerState, SilentProducersAreForgottenUnlessTheyHaveATransaction) {
  ProducerState state;
  state.append(batch(0));
  ProducerBatch other = batch(0, 1, ProducerEpoch(0), true);
  other.producer_id = ProducerId(8);
  state.append(other);
  state.expire(1);
  EXPECT_FALSE(state.producers().contains(ProducerId(7)));
  EXPECT_TRUE(state.producers().contains(ProducerId(8)));
}

}  // namespace
}  // namespace muir::storage
