#include "base/status.h"

#include <gtest/gtest.h>

#include "base/topic_partition.h"

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

TEST(Status, ANumberIsOnlyThatOfItsDomain) {
  const Status s(Code::fenced, "epoch 3 is old", {Domain::kafka, 90});
  EXPECT_EQ(s.number(Domain::kafka), 90);
  for (const Domain other : {Domain::none, Domain::librdkafka, Domain::registry, Domain::http, Domain::system})
    EXPECT_EQ(s.number(other), 0);
  EXPECT_EQ(Status().number(Domain::kafka), 0);
  EXPECT_EQ(error(Code::internal, "why").domain_code(), DomainCode());
}

TEST(Status, WhatChangesOneFieldKeepsTheOthers) {
  const TopicPartition where{"orders", PartitionId(3)};
  const Status s = Status(Code::fenced, "epoch 3 is old", {Domain::kafka, 90}).at(where);
  const struct {
    const char* what;
    Status changed;
    Code code;
    const char* message;
    DomainCode number;
  } cases[] = {
      {"context", s.annotate("commit"), Code::fenced, "commit: epoch 3 is old", {Domain::kafka, 90}},
      {"message", s.with_message("too old"), Code::fenced, "too old", {Domain::kafka, 90}},
      {"code", s.with(Code::aborted), Code::aborted, "epoch 3 is old", {Domain::kafka, 90}},
      {"number", s.with({Domain::registry, 409}), Code::fenced, "epoch 3 is old", {Domain::registry, 409}},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(one.changed.code(), one.code) << one.what;
    EXPECT_EQ(one.changed.message(), one.message) << one.what;
    EXPECT_EQ(one.changed.domain_code(), one.number) << one.what;
    ASSERT_NE(one.changed.partition(), nullptr) << one.what;
    EXPECT_EQ(*one.changed.partition(), where) << one.what;
  }
  EXPECT_EQ(s.message(), "epoch 3 is old");
}

TEST(Status, OkStaysOkWhateverIsSaidOfIt) {
  const TopicPartition where{"orders", PartitionId(3)};
  for (const Status& s : {Status().annotate("commit"), Status().with_message("x"), Status().with(Code::aborted),
                          Status().with({Domain::kafka, 1}), Status().at(where)})
    EXPECT_TRUE(s.ok());
}

TEST(Result, TryYieldsTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).status().message(), "half of 3: odd");
  EXPECT_EQ(quarter(7).status().message(), "half of 7: odd");
}

}  // namespace
}  // namespace muir
