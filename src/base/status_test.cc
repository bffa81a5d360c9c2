#include "base/status.h"

#include <gtest/gtest.h>

namespace muir {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return error(Code::invalid_argument, "half of {}: odd", n);
  return n / 2;
}

Result<int> quarter(int n) {
  const int h = MUIR_TRY(half(n));
  return half(h);
}

TEST(Status, OkHasNoMessage) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status().message(), "");
}

TEST(Status, AnnotatePutsContextBeforeTheMessageAndKeepsTheDetail) {
  const Status s = Status(Code::fenced, "epoch 3 is old", 90).annotate("commit");
  EXPECT_EQ(s.message(), "commit: epoch 3 is old");
  EXPECT_EQ(s.code(), Code::fenced);
  EXPECT_EQ(s.detail(), 90);
}

TEST(Result, TryYieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).status().message(), "half of 3: odd");
  EXPECT_EQ(quarter(7).status().message(), "half of 7: odd");
}

}  // namespace
}  // namespace muir
