#include "base/backoff.h"

#include <gtest/gtest.h>

#include <vector>

namespace muir {
namespace {

TEST(Backoff, DoublesUpToItsLimitAndBeginsAnewWhenItHasWorked) {
  Backoff backoff(100, 1000);
  std::vector<int64_t> waits;
  for (int i = 0; i < 6; ++i) waits.push_back(backoff.next_ms());
  EXPECT_EQ(waits, (std::vector<int64_t>{100, 200, 400, 800, 1000, 1000}));
  backoff.reset();
  EXPECT_EQ(backoff.next_ms(), 100);
}

}  // namespace
}  // namespace muir
