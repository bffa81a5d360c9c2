#include "client/internal/fetch_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muir::client::internal {
namespace {

constexpr size_t kMiB = 1024 * 1024;

TEST(FetchShare, IsDividedWhenThePartitionsDoNotFitIntoTheBudget) {
  struct Case {
    const char* name;
    size_t budget;
    size_t partitions;
    FetchShare want;
  };
  const Case cases[] = {
      {"one partition", 64 * kMiB, 1, {5'000, 512, kMiB, 4 * kMiB}},
      {"none is counted as one", 64 * kMiB, 0, {5'000, 512, kMiB, 4 * kMiB}},
      {"ten partitions", 65 * kMiB, 10, {5'000, 512, kMiB, 4 * kMiB}},
      {"a budget for half of them", partition_bytes({}) * 5, 10, {2'500, 256, kMiB, 520'199}},
      {"a thousand partitions", 64 * kMiB, 1'000, {50, 5, kMiB, kMiB}},
      {"no budget to speak of", 1, 1'000, {16, 1, kMiB, 65'536}},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const FetchShare got = share_of({}, one.budget, one.partitions, 0);
    EXPECT_EQ(got.messages, one.want.messages);
    EXPECT_EQ(got.kbytes, one.want.kbytes);
    EXPECT_EQ(got.fetch_bytes, one.want.fetch_bytes);
    EXPECT_EQ(got.answer_bytes, one.want.answer_bytes);
  }
}

TEST(FetchShare, QueuesOfAnyNumberOfPartitionsTogetherStayWithinTheBudget) {
  const uint32_t seed = 20261128;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto queued = [](const FetchShare& share, size_t partitions) {
    return (partition_bytes(share) - partition_bytes({.messages = 0})) * partitions;
  };
  const size_t least = queued(share_of({}, 1, 1, 0), 1);
  for (int round = 0; round < 2'000; ++round) {
    const size_t partitions = 1 + random() % 5'000;
    const size_t budget = kMiB * (1 + random() % 256);
    const auto halvings = static_cast<unsigned>(random() % 5);
    const FetchShare share = share_of({}, budget, partitions, halvings);
    EXPECT_LE(queued(share, partitions), std::max(budget >> halvings, least * partitions))
        << partitions << " partitions, " << budget << " bytes, " << halvings << " halvings";
    EXPECT_LE(share_of({}, budget, partitions, halvings + 1).messages, share.messages);
  }
}

TEST(FetchShare, NeverExceedsWhatTheConfigurationAsksFor) {
  const FetchShare most{.messages = 1, .kbytes = 1, .fetch_bytes = 500, .answer_bytes = 1'000};
  for (const size_t partitions : {1, 10, 1'000}) EXPECT_EQ(share_of(most, 64 * kMiB, partitions, 0), most);
}

}  // namespace
}  // namespace muir::client::internal
