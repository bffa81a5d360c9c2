// The client while brokers of a real cluster die: nothing acknowledged is lost or doubled, and the group goes on.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client/kafka_client.h"
#include "testing/eventually.h"
#include "testing/kafka_cluster.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

class Quiet final : public GroupProtocol {
 public:
  std::vector<std::pair<std::string, Bytes>> metadata() override { return {{"quiet", "m"}}; }
  Result<std::map<std::string, Bytes>> assign(const std::string&,
                                              const std::map<std::string, Bytes>& members) override {
    std::map<std::string, Bytes> all;
    for (const auto& [id, bytes] : members) all[id] = "a";
    return all;
  }
  void on_prepare(GenerationId, const std::string&) override {}
  Status on_assigned(GenerationId, const std::string&, BytesView) override { return {}; }
  void on_lost() override {}
};

// Transactions of ten numbers each, with the offset that goes with them, until `stop`; returns how many were committed.
int64_t write_transactions(Producer& producer, GroupMember& member, std::mutex& member_mutex,
                           const std::atomic<bool>& stop) {
  int64_t next = 0;
  while (!stop) {
    Status status = producer.begin_transaction();
    for (int64_t i = 0; status.ok() && i < 10; ++i) {
      const std::string value = std::to_string(next + i);
      const ProducedRecord one{.topic = "numbers", .partition = PartitionId(0), .key = "k", .value = value};
      status = producer.send({&one, 1});
    }
    if (status.ok()) {
      const std::lock_guard lock(member_mutex);
      status = producer.send_offsets_to_transaction({{{"numbers", PartitionId(0)}, {Offset(next + 10)}}},
                                                    member.metadata(), kWaitMs);
    }
    if (status.ok()) status = producer.commit_transaction(kWaitMs);
    if (status.ok()) {
      next += 10;
      continue;
    }
    EXPECT_EQ(status.code(), Code::aborted) << status.to_string();
    if (const Status aborted = producer.abort_transaction(kWaitMs); !aborted.ok()) {
      ADD_FAILURE() << aborted.to_string();
      break;
    }
  }
  return next;
}

TEST(ClientDisruption, TransactionsAndMembershipOutliveBrokersThatAreKilled) {
  auto cluster = muir::testing::KafkaCluster::start(3);
  ASSERT_TRUE(cluster.ok()) << cluster.status().to_string();
  auto client =
      connect_kafka({{"bootstrap.servers", cluster->bootstrap_servers()}, {"client.id", "disrupted"}}).value();
  auto admin = client->admin({}).value();
  const Status created = admin->create_topic(
      {.name = "numbers", .partitions = 1, .replication_factor = 3, .configs = {{"min.insync.replicas", "2"}}},
      kWaitMs);
  ASSERT_TRUE(created.ok()) << created.to_string();

  Quiet protocol;
  auto member = client->group_member({.group_id = "g", .heartbeat_interval_ms = 200}, protocol).value();
  ASSERT_TRUE(muir::testing::eventually([&] { return member->poll(50).ok() && member->stable(); }));
  auto producer = client->producer({{"transactional.id", "app"}}).value();
  ASSERT_TRUE(producer->init_transactions(kWaitMs).ok());

  std::atomic<bool> stop = false;
  std::mutex member_mutex;
  int64_t written = 0;
  std::thread writer([&] { written = write_transactions(*producer, *member, member_mutex, stop); });

  // A reader that follows along and sees each number once, in order.
  auto reader = client->consumer({{"isolation.level", "read_committed"}}).value();
  EXPECT_TRUE(reader->assign({{{"numbers", PartitionId(0)}, Offset(0)}}).ok());
  int64_t seen = 0;
  const auto read_until = [&](const std::function<bool()>& done) {
    return muir::testing::eventually([&] {
      auto records = reader->poll(100);
      EXPECT_TRUE(records.ok()) << records.status().to_string();
      if (records.ok()) {
        for (const PartitionRecords& some : (*records)->partitions()) {
          for (const ConsumedRecord& one : some.records) EXPECT_EQ(*one.value, std::to_string(seen++));
        }
      }
      const std::lock_guard lock(member_mutex);
      EXPECT_NE(member->poll(0).code(), Code::fenced);
      return done();
    });
  };
  for (const int node : {0, 2}) {
    const int64_t before = seen;
    ASSERT_TRUE(read_until([&] { return seen >= before + 200; }));
    ASSERT_TRUE(cluster->kill(node).ok());
    const int64_t at_kill = seen;
    EXPECT_TRUE(read_until([&] { return seen >= at_kill + 200; })) << "after node " << node << " died";
    ASSERT_TRUE(cluster->restart(node).ok());
  }
  stop = true;
  writer.join();
  EXPECT_TRUE(read_until([&] { return seen >= written; }));
  EXPECT_EQ(seen, written);
  EXPECT_TRUE(read_until([&] { return member->stable(); }));
  const auto committed = admin->committed_offsets("g", {{"numbers", PartitionId(0)}}, true, kWaitMs);
  ASSERT_TRUE(committed.ok()) << committed.status().to_string();
  EXPECT_EQ(committed->at({"numbers", PartitionId(0)}).offset, Offset(written));
}

}  // namespace
}  // namespace muir::client
