// What lingers in a client is written in the end, whether or not anybody asks.
#include "simulation/network.h"

#include <gtest/gtest.h>

#include "client/cluster_memory.h"

namespace muir::simulation {
namespace {

struct Row {
  const char* name;
  void (*befall)(Link&, ManualClock&);
  bool transactional;
  size_t written;  // kLingersMs after it was sent
};

TEST(Link, WhatLingersIsWrittenInAWhile) {
  const auto nothing = [](Link&, ManualClock&) {};
  const Row rows[] = {
      {"nobody asks for it", nothing, false, 1},
      {"in a transaction", nothing, true, 1},
      {"brokers do not answer", [](Link& link, ManualClock& clock) { link.away_until_ms = clock.now_ms() + 10'000; },
       false, 0},
      {"they did not", [](Link& link, ManualClock& clock) { link.away_until_ms = clock.now_ms() + 100; }, false, 1},
      {"the process is dead", [](Link& link, ManualClock&) { link.cut(); }, false, 0},
      {"changelogs wait for the commit",
       [](Link& link, ManualClock&) { link.sabotage = Sabotage::changelogs_after_commit; }, false, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ManualClock clock(1'000'000);
    client::MemoryCluster cluster(clock);
    ASSERT_TRUE(cluster.client()->admin().value()->create_topic({.name = "t", .replication_factor = 1}).ok());
    const client::TopicPartition partition{"t", PartitionId(0)};
    Dice dice(1);
    Link link(dice, clock);
    link.faults.lingers = 1;
    const auto client = behind(link, cluster.client());
    const auto producer =
        client->producer(row.transactional ? Properties{{"transactional.id", "one"}} : Properties{}).value();
    if (row.transactional) {
      ASSERT_TRUE(producer->init_transactions(1'000).ok() && producer->begin_transaction().ok());
    }
    bool told = false;
    const client::ProducedRecord record{.topic = "t", .partition = PartitionId(0), .key = "k", .value = "v"};
    ASSERT_TRUE(producer->send({&record, 1}, [&](const Status& status, auto) { told = status.ok(); }).ok());
    row.befall(link, clock);
    clock.advance_ms(kLingersMs - 1);
    link.turn();
    EXPECT_TRUE(cluster.stored(partition).empty());
    clock.advance_ms(1);
    link.turn();
    EXPECT_EQ(cluster.stored(partition).size(), row.written);
    EXPECT_EQ(told, row.written == 1);
  }
}

}  // namespace
}  // namespace muir::simulation
