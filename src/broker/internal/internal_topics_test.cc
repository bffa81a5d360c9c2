#include "broker/internal/internal_topics.h"

#include <gtest/gtest.h>

#include "log/kafka_error.h"

namespace muir::broker {
namespace {

TEST(InternalTopics, WhatCouldNeverBeOpenedIsRefusedAtTheStart) {
  const struct {
    int64_t offsets;
    int64_t transactions;
    int64_t open_files;
    Code code;
  } rows[] = {{50, 50, 100, Code::ok},
              {50, 51, 100, Code::invalid_argument},
              {10'000, 10'000, 1024, Code::invalid_argument},
              {10'000, 10'000, 20'000, Code::ok}};
  for (const auto& row : rows) {
    BrokerSettings settings;
    settings.offsets_topic_partitions = row.offsets;
    settings.transactions_topic_partitions = row.transactions;
    const Status said = check_internal_room(settings, row.open_files);
    EXPECT_EQ(said.code(), row.code) << row.offsets << " " << row.transactions << " " << said.to_string();
  }
}

TEST(InternalTopics, NoneIsMadeThatFilesMayNotBeOpenedFor) {
  const struct {
    int64_t there;
    int64_t more;
    int64_t open_files;
    wire::ErrorCode code;
  } rows[] = {{0, 50, 50, wire::ErrorCode::none},
              {1, 50, 50, wire::ErrorCode::policy_violation},
              {974, 50, 1024, wire::ErrorCode::none},
              {975, 50, 1024, wire::ErrorCode::policy_violation}};
  for (const auto& row : rows)
    EXPECT_EQ(storage::kafka_code(check_files(row.there, row.more, row.open_files)), row.code) << row.there;
}

}  // namespace
}  // namespace muir::broker
