#include "base/strong_id.h"

#include <gtest/gtest.h>

#include <sstream>
#include <unordered_set>

#include "base/kafka_ids.h"

namespace muir {
namespace {

// What must not compile, said as facts about types.
template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a == b;
};

static_assert(!std::is_convertible_v<int64_t, Offset>, "an integer becomes an offset only when asked");
static_assert(!std::is_convertible_v<Offset, int64_t>, "an offset becomes an integer only when asked");
static_assert(!std::is_constructible_v<PartitionId, Offset>, "an offset is no partition");
static_assert(!Comparable<Offset, ProducerId>, "ids of different kinds do not compare");
static_assert(!Comparable<Offset, int64_t>, "an offset does not compare with an integer");
static_assert(Addable<Offset, int64_t> && !Addable<Offset, Offset>, "a distance is added, not another offset");
static_assert(!Addable<PartitionId, int32_t>, "a partition's number does not count");
static_assert(sizeof(Offset) == sizeof(int64_t) && sizeof(ProducerEpoch) == sizeof(int16_t));
static_assert(std::is_trivially_copyable_v<Offset>);

TEST(StrongId, OrdersHashesAndPrintsAsItsNumber) {
  EXPECT_LT(PartitionId(1), PartitionId(2));
  EXPECT_EQ(std::unordered_set<PartitionId>({PartitionId(1), PartitionId(1), PartitionId(2)}).size(), 2U);
  EXPECT_EQ(fmt::format("{}@{}", PartitionId(7), Offset(42)), "7@42");
  std::ostringstream out;
  out << ProducerId(4000);
  EXPECT_EQ(out.str(), "4000");
  EXPECT_EQ(PartitionId().value(), 0);
}

TEST(Ordinal, AddsDistancesAndMeasuresThem) {
  Offset offset(10);
  ++offset;
  offset += 4;
  EXPECT_EQ(offset, Offset(15));
  EXPECT_EQ(offset + 5, Offset(20));
  EXPECT_EQ(offset - 16, kNoOffset);
  EXPECT_EQ(Offset(20) - offset, 5);
}

}  // namespace
}  // namespace muir
