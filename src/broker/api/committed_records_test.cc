#include "broker/api/committed_records.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/file_fault.h"
#include "broker/internal/broker_core.h"
#include "testing/eventually.h"
#include "wire/batch_builder.h"

namespace muir::broker {
namespace {

using testing::eventually;

BrokerConfig in_memory(Properties properties = {}) {
  BrokerConfig config;
  config.data_dir = "/data";
  config.network_threads = 1;
  config.properties = std::move(properties);
  config.properties["offsets.topic.num.partitions"] = "1";
  config.properties["transaction.state.log.num.partitions"] = "1";
  return config;
}

void append(storage::Partition& partition) {
  wire::BatchBuilder builder;
  builder.add(0, std::nullopt, "value");
  const Bytes bytes = builder.build();
  (void)partition.append(*wire::BatchView::parse(bytes)).ok();
}

// The power goes at a random moment: no commit that was let through is ahead of what is left of the log.
TEST(CommittedRecords, NoCommitIsAheadOfTheDiskWhenThePowerGoes) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    FaultEnv env;
    std::atomic<int64_t> committed{0};
    {
      auto core = BrokerCore::open(in_memory(), env).value();
      ASSERT_TRUE(core->context().logs->create_topic("t", 1, {}).ok());
      const auto partition = core->context().logs->find_partition("t", PartitionId(0));
      std::atomic<bool> off{false};
      const uint64_t records = 20 + random() % 200;
      for (uint64_t i = 0; i < records; ++i) {
        append(*partition);
        if (random() % 3 != 0) continue;
        const Offset seen = partition->offsets().high_watermark;
        when_records_durable(core->context(), {{"t", PartitionId(0), seen}}, [&, seen](const Status& status) {
          if (!status.ok() || off) return;
          int64_t before = committed;
          while (before < seen.value() && !committed.compare_exchange_weak(before, seen.value())) {
          }
        });
      }
      env.crash(seed);
      off = true;
      (void)core->stop().ok();
    }
    auto core = BrokerCore::open(in_memory(), env).value();
    EXPECT_GE(core->context().logs->find_partition("t", PartitionId(0))->offsets().log_end.value(), committed.load());
  }
}

TEST(CommittedRecords, WhatNeedsNoDiskIsLetThrough) {
  const struct {
    const char* name;
    CommittedPosition position;
  } cases[] = {
      {"the beginning", {"t", PartitionId(0), Offset(0)}},
      {"a number far behind the end", {"t", PartitionId(0), Offset(1'000'000)}},
      {"no such partition", {"t", PartitionId(7), Offset(3)}},
      {"no such topic", {"none", PartitionId(0), Offset(3)}},
      {"a negative offset", {"t", PartitionId(0), Offset(-1)}},
  };
  FaultEnv env;
  auto core = BrokerCore::open(in_memory(), env).value();
  ASSERT_TRUE(core->context().logs->create_topic("t", 1, {}).ok());
  append(*core->context().logs->find_partition("t", PartitionId(0)));
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    std::atomic<bool> done{false};
    when_records_durable(core->context(), {c.position}, [&](const Status& status) { done = status.ok(); });
    EXPECT_TRUE(eventually([&] { return done.load(); }));
  }
}

TEST(CommittedRecords, AFailedDiskRefusesTheCommit) {
  FaultEnv env;
  auto core = BrokerCore::open(in_memory(), env).value();
  ASSERT_TRUE(core->context().logs->create_topic("t", 1, {}).ok());
  env.fail_syncs(true);
  append(*core->context().logs->find_partition("t", PartitionId(0)));
  std::atomic<int> refused{0};
  when_records_durable(core->context(), {{"t", PartitionId(0), Offset(1)}},
                       [&](const Status& status) { refused = status.ok() ? -1 : 1; });
  EXPECT_TRUE(eventually([&] { return refused.load() != 0; }));
  EXPECT_EQ(refused.load(), 1);
}

TEST(CommittedRecords, WithoutFlushAcksNothingWaits) {
  FaultEnv env;
  auto core = BrokerCore::open(in_memory({{"log.flush.acks", "false"}}), env).value();
  ASSERT_TRUE(core->context().logs->create_topic("t", 1, {}).ok());
  append(*core->context().logs->find_partition("t", PartitionId(0)));
  bool done = false;
  when_records_durable(core->context(), {{"t", PartitionId(0), Offset(1)}}, [&](const Status&) { done = true; });
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace muir::broker
