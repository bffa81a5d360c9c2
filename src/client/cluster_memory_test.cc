// The in-memory cluster, rule by rule: what a real cluster would answer, and that one seed gives one history.
#include "client/cluster_memory.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "testing/eventually.h"
#include "wire/error_code.h"
#include "wire/murmur2.h"

namespace muir::client {
namespace {

const TopicPartition kOrders{"orders", PartitionId(0)};

ProducedRecord record(std::string_view topic, PartitionId partition, std::string_view key, std::string_view value,
                      int64_t timestamp_ms = -1) {
  return {.topic = topic, .partition = partition, .key = key, .value = value, .timestamp_ms = timestamp_ms};
}

// A cluster with topic "orders" of two partitions, and shorthands for what most tests do.
class MemoryClusterTest : public ::testing::Test {
 protected:
  MemoryClusterTest()
      : cluster_(clock_, {.keep_history = true}), client_(cluster_.client()), admin_(client_->admin({}).value()) {
    EXPECT_TRUE(admin_->create_topic({.name = "orders", .partitions = 2}).ok());
  }
  std::unique_ptr<Producer> transactional(const std::string& id) {
    auto producer = client_->producer({{"transactional.id", id}}).value();
    EXPECT_TRUE(producer->init_transactions(1000).ok());
    return producer;
  }
  static Status send(Producer& producer, std::string_view value, PartitionId partition = {}) {
    const ProducedRecord one = record("orders", partition, "k", value);
    return producer.send({&one, 1});
  }
  // Every value of partition 0 that a reader sees, and where its position ends.
  std::pair<std::vector<std::string>, Offset> read(const std::string& isolation) {
    auto consumer = client_->consumer({{"isolation.level", isolation}}).value();
    EXPECT_TRUE(consumer->assign({{kOrders, kOffsetEarliest}}).ok());
    std::vector<std::string> values;
    while (true) {
      auto records = consumer->poll(0).value();
      if (records->empty()) break;
      for (const PartitionRecords& part : records->partitions()) {
        for (const ConsumedRecord& one : part.records) values.emplace_back(*one.value);
      }
    }
    return {values, consumer->position(kOrders).value()};
  }

  ManualClock clock_{1'000'000};
  MemoryCluster cluster_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
};

using Values = std::vector<std::string>;

TEST_F(MemoryClusterTest, RecordsKeepEveryPartOfThemselves) {
  auto producer = client_->producer({}).value();
  const Header headers[] = {{"trace", "abc"}, {"none", std::nullopt}};
  const ProducedRecord sent[] = {
      {.topic = "orders", .partition = PartitionId(0), .key = "k", .value = "v", .timestamp_ms = 5, .headers = headers},
      {.topic = "orders", .partition = PartitionId(0), .key = std::nullopt, .value = "", .timestamp_ms = 0},
      {.topic = "orders", .partition = PartitionId(0), .key = "", .value = std::nullopt},
  };
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(producer
                  ->send(sent,
                         [&](const Status& status, std::span<const Delivery> done) {
                           EXPECT_TRUE(status.ok());
                           deliveries.assign(done.begin(), done.end());
                         })
                  .ok());
  ASSERT_EQ(deliveries.size(), 3u);
  EXPECT_EQ(deliveries[2].offset, Offset(2));

  auto consumer = client_->consumer({}).value();
  ASSERT_TRUE(consumer->assign({{kOrders, kOffsetEarliest}}).ok());
  auto records = consumer->poll(0).value();
  ASSERT_EQ(records->count(), 3u);
  const auto got = records->partitions()[0].records;
  EXPECT_EQ(got[0].timestamp_ms, 5);
  ASSERT_EQ(got[0].headers.size(), 2u);
  EXPECT_EQ(got[0].headers[0].name, "trace");
  EXPECT_EQ(got[0].headers[0].value, "abc");
  EXPECT_FALSE(got[0].headers[1].value.has_value());
  EXPECT_FALSE(got[1].key.has_value());
  EXPECT_EQ(got[1].value, "");
  EXPECT_EQ(got[1].timestamp_ms, 0);
  EXPECT_EQ(got[2].key, "");
  EXPECT_FALSE(got[2].value.has_value());
  EXPECT_EQ(got[2].timestamp_ms, clock_.now_ms());
}

TEST_F(MemoryClusterTest, KeysGoWhereTheJavaClientSendsThem) {
  ASSERT_TRUE(admin_->create_topic({.name = "seven", .partitions = 7}).ok());
  auto producer = client_->producer({}).value();
  for (const std::string key : {"", "a", "vehicle-17", "Zażółć"}) {
    const ProducedRecord one{.topic = "seven", .key = key, .value = "v"};
    ASSERT_TRUE(producer
                    ->send({&one, 1},
                           [&](const Status&, std::span<const Delivery> done) {
                             EXPECT_EQ(done[0].partition, wire::partition_for_key(key, 7)) << key;
                           })
                    .ok());
  }
}

TEST_F(MemoryClusterTest, ReadCommittedSeesOnlyCommittedTransactionsAndStopsAtTheFirstOpenOne) {
  auto first = transactional("first");
  ASSERT_TRUE(first->begin_transaction().ok());
  ASSERT_TRUE(send(*first, "a").ok());
  ASSERT_TRUE(first->commit_transaction(1000).ok());  // offsets 0, marker 1
  auto second = transactional("second");
  ASSERT_TRUE(second->begin_transaction().ok());
  ASSERT_TRUE(send(*second, "b").ok());
  auto plain = client_->producer({}).value();
  ASSERT_TRUE(send(*plain, "c").ok());

  EXPECT_EQ(read("read_committed"), std::make_pair(Values({"a"}), Offset(2)));
  EXPECT_EQ(read("read_uncommitted"), std::make_pair(Values({"a", "b", "c"}), Offset(4)));
  EXPECT_EQ(admin_->list_offsets({kOrders}, OffsetSpec::latest(), IsolationLevel::read_committed).value().at(kOrders),
            Offset(2));
  EXPECT_EQ(admin_->list_offsets({kOrders}, OffsetSpec::latest(), IsolationLevel::read_uncommitted).value().at(kOrders),
            Offset(4));

  ASSERT_TRUE(second->abort_transaction(1000).ok());  // marker 4
  EXPECT_EQ(read("read_committed"), std::make_pair(Values({"a", "c"}), Offset(5)));
}

TEST_F(MemoryClusterTest, ANewerProducerOfATransactionalIdAbortsAndFencesTheOlder) {
  auto older = transactional("app");
  ASSERT_TRUE(older->begin_transaction().ok());
  ASSERT_TRUE(send(*older, "lost").ok());
  auto newer = transactional("app");
  EXPECT_EQ(older->commit_transaction(1000).code(), Code::fenced);
  EXPECT_EQ(older->abort_transaction(1000).code(), Code::fenced);
  EXPECT_TRUE(newer->begin_transaction().ok());
  EXPECT_EQ(read("read_committed").first, Values());
}

TEST_F(MemoryClusterTest, ATransactionThatOutlivesItsTimeoutIsAbortedAndItsProducerFenced) {
  auto producer = transactional("slow");
  ASSERT_TRUE(producer->begin_transaction().ok());
  ASSERT_TRUE(send(*producer, "late").ok());
  clock_.advance_ms(60'001);
  EXPECT_EQ(producer->commit_transaction(1000).code(), Code::fenced);
  EXPECT_EQ(read("read_committed"), std::make_pair(Values(), Offset(2)));
}

TEST_F(MemoryClusterTest, OffsetsOfATransactionCountWhenItCommits) {
  auto producer = transactional("app");
  const GroupMetadata nobody{.group_id = "g"};
  ASSERT_TRUE(producer->begin_transaction().ok());
  ASSERT_TRUE(producer->send_offsets_to_transaction({{kOrders, {Offset(7)}}}, nobody, 1000).ok());
  EXPECT_TRUE(admin_->committed_offsets("g", {kOrders}, false).value().empty());
  EXPECT_EQ(admin_->committed_offsets("g", {kOrders}, true).status().code(), Code::timed_out);
  ASSERT_TRUE(producer->commit_transaction(1000).ok());
  EXPECT_EQ(admin_->committed_offsets("g", {kOrders}, true).value().at(kOrders).offset, Offset(7));

  ASSERT_TRUE(producer->begin_transaction().ok());
  ASSERT_TRUE(producer->send_offsets_to_transaction({{kOrders, {Offset(9)}}}, nobody, 1000).ok());
  ASSERT_TRUE(producer->abort_transaction(1000).ok());
  EXPECT_EQ(admin_->committed_offsets("g", {kOrders}, true).value().at(kOrders).offset, Offset(7));
}

TEST_F(MemoryClusterTest, OffsetsOfATransactionGoWithTheirTopic) {
  auto producer = transactional("app");
  ASSERT_TRUE(producer->begin_transaction().ok());
  ASSERT_TRUE(producer->send_offsets_to_transaction({{kOrders, {Offset(7)}}}, {.group_id = "g"}, 1000).ok());
  ASSERT_TRUE(admin_->delete_topic(kOrders.topic).ok());
  ASSERT_TRUE(producer->commit_transaction(1000).ok());
  EXPECT_TRUE(admin_->committed_offsets("g", {kOrders}, true).value().empty());
}

TEST_F(MemoryClusterTest, AnOffsetThatDoesNotExistIsOutOfRangeAndNamesThePartition) {
  auto producer = client_->producer({}).value();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send(*producer, "v").ok());
  ASSERT_TRUE(admin_->delete_records({{kOrders, Offset(3)}}).ok());
  auto consumer = client_->consumer({}).value();
  ASSERT_TRUE(consumer->assign({{kOrders, Offset(1)}}).ok());
  const Status status = consumer->poll(0).status();
  EXPECT_EQ(status.code(), Code::out_of_range);
  ASSERT_NE(status.partition(), nullptr) << status.message();
  EXPECT_EQ(*status.partition(), kOrders);
  ASSERT_TRUE(consumer->seek({kOrders, kOffsetEarliest}).ok());
  EXPECT_EQ(consumer->poll(0).value()->count(), 2u);
  ASSERT_TRUE(consumer->seek({kOrders, Offset(6)}).ok());
  EXPECT_EQ(consumer->poll(0).status().code(), Code::out_of_range);
}

TEST_F(MemoryClusterTest, PausedPartitionsReturnNothingAndFullPollsServePartitionsInTurn) {
  auto producer = client_->producer({}).value();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(send(*producer, "p0", PartitionId(0)).ok());
    ASSERT_TRUE(send(*producer, "p1", PartitionId(1)).ok());
  }
  auto consumer = client_->consumer({}).value();
  const TopicPartition other{"orders", PartitionId(1)};
  ASSERT_TRUE(consumer->assign({{kOrders, kOffsetEarliest}, {other, kOffsetEarliest}}).ok());
  std::vector<PartitionId> served;
  for (int i = 0; i < 4; ++i) served.push_back(consumer->poll(0, 1).value()->partitions()[0].partition.partition);
  EXPECT_NE(served[0], served[1]);
  EXPECT_EQ(served[0], served[2]);
  ASSERT_TRUE(consumer->pause({kOrders}).ok());
  auto records = consumer->poll(0).value();
  ASSERT_EQ(records->partitions().size(), 1u);
  EXPECT_EQ(records->partitions()[0].partition, other);
  ASSERT_TRUE(consumer->resume({kOrders}).ok());
  EXPECT_EQ(consumer->poll(0).value()->count(), 2u);
}

TEST_F(MemoryClusterTest, AdminSaysWhatIsWrong) {
  EXPECT_EQ(admin_->create_topic({.name = "orders"}).code(), Code::already_exists);
  EXPECT_EQ(admin_->create_topic({.name = "no spaces"}).code(), Code::invalid_argument);
  EXPECT_EQ(admin_->create_topic({.name = "none", .partitions = 0}).code(), Code::invalid_argument);
  EXPECT_EQ(admin_->describe_topic("absent").status().code(), Code::not_found);
  EXPECT_EQ(admin_->delete_topic("absent").code(), Code::not_found);
  EXPECT_EQ(admin_->describe_topic("orders").value().partitions, 2);
  ASSERT_TRUE(admin_->create_topic({.name = "table", .configs = {{"cleanup.policy", "compact"}}}).ok());
  EXPECT_EQ(admin_->topic_configs("table").value().at("cleanup.policy"), "compact");
  ASSERT_TRUE(admin_->delete_topic("table").ok());
  EXPECT_EQ(admin_->list_topics().value().size(), 1u);
}

TEST_F(MemoryClusterTest, OffsetsAreFoundByTime) {
  auto producer = client_->producer({}).value();
  for (int64_t time : {100, 200, 300}) {
    const ProducedRecord one = record("orders", PartitionId(0), "k", "v", time);
    ASSERT_TRUE(producer->send({&one, 1}).ok());
  }
  const std::pair<int64_t, int64_t> expected[] = {{0, 0}, {100, 0}, {101, 1}, {300, 2}, {301, 3}};
  for (const auto& [time, offset] : expected) {
    EXPECT_EQ(admin_->list_offsets({kOrders}, OffsetSpec::at_time(time), IsolationLevel::read_uncommitted)
                  .value()
                  .at(kOrders),
              Offset(offset))
        << time;
  }
}

// Gives the whole topic to members in the order of their ids, one partition each, and notes what happens to it.
class RoundRobin final : public GroupProtocol {
 public:
  std::vector<std::pair<std::string, Bytes>> metadata() override { return {{name, subscription}}; }
  Result<std::map<std::string, Bytes>> assign(const std::string&,
                                              const std::map<std::string, Bytes>& members) override {
    std::map<std::string, Bytes> all;
    int next = 0;
    for (const auto& [id, bytes] : members) all[id] = std::to_string(next++);
    return all;
  }
  void on_prepare(GenerationId, const std::string&) override { events += 'p'; }
  Status on_assigned(GenerationId generation, const std::string&, BytesView bytes) override {
    events += fmt::format("{}:{} ", generation, bytes);
    return {};
  }
  void on_lost() override { events += 'l'; }

  std::string name = "range";
  Bytes subscription = "orders";
  std::string events;
};

TEST_F(MemoryClusterTest, MembersJoinRebalanceAndLeaveOneGenerationAtATime) {
  RoundRobin first_protocol;
  RoundRobin second_protocol;
  auto first = client_->group_member({.group_id = "g"}, first_protocol).value();
  ASSERT_TRUE(first->poll(0).ok());
  EXPECT_TRUE(first->stable());
  EXPECT_EQ(first_protocol.events, "p1:0 ");
  auto second = client_->group_member({.group_id = "g"}, second_protocol).value();
  ASSERT_TRUE(second->poll(0).ok());
  EXPECT_FALSE(second->stable());
  EXPECT_EQ(first->commit({{kOrders, {Offset(1)}}}, 1000).code(), Code::ok)
      << "a rebalance that prepares still takes commits";
  ASSERT_TRUE(first->poll(0).ok());
  ASSERT_TRUE(second->poll(0).ok());
  EXPECT_EQ(first_protocol.events, "p1:0 p2:0 ");
  EXPECT_EQ(second_protocol.events, "p2:1 ");
  ASSERT_TRUE(first->leave().ok());
  ASSERT_TRUE(second->poll(0).ok());
  EXPECT_EQ(second_protocol.events, "p2:1 p3:0 ");
  EXPECT_EQ(cluster_.generation("g"), GenerationId(3));
}

TEST_F(MemoryClusterTest, ALostMemberIsToldAndItsCommitsAreRefused) {
  RoundRobin protocol;
  auto member = client_->group_member({.group_id = "g"}, protocol).value();
  ASSERT_TRUE(member->poll(0).ok());
  const GroupMetadata before = member->metadata();
  cluster_.expire_member("g", before.member_id);
  const Status refused = member->commit({{kOrders, {Offset(1)}}}, 1000);
  EXPECT_EQ(refused.code(), Code::aborted);
  EXPECT_EQ(refused.number(Domain::kafka), static_cast<int>(wire::ErrorCode::unknown_member_id));
  auto producer = transactional("app");
  ASSERT_TRUE(producer->begin_transaction().ok());
  EXPECT_EQ(producer->send_offsets_to_transaction({{kOrders, {Offset(1)}}}, before, 1000).code(), Code::aborted);
  EXPECT_EQ(producer->commit_transaction(1000).code(), Code::aborted);
  EXPECT_TRUE(producer->abort_transaction(1000).ok());
  ASSERT_TRUE(member->poll(0).ok());
  EXPECT_EQ(protocol.events, "p1:0 lp3:0 ");
  EXPECT_TRUE(member->stable());
}

TEST_F(MemoryClusterTest, AMemberThatDoesNotPollLosesItsPlace) {
  RoundRobin protocol;
  RoundRobin other_protocol;
  auto silent = client_->group_member({.group_id = "g"}, protocol).value();
  auto other = client_->group_member({.group_id = "g"}, other_protocol).value();
  ASSERT_TRUE(silent->poll(0).ok());
  ASSERT_TRUE(other->poll(0).ok());
  clock_.advance_ms(200'000);
  ASSERT_TRUE(other->poll(0).ok());
  clock_.advance_ms(200'000);  // 400 s without a poll of the first; max.poll.interval.ms is 300 s
  ASSERT_TRUE(other->poll(0).ok());
  EXPECT_TRUE(other->stable());
  ASSERT_TRUE(silent->poll(0).ok());
  EXPECT_NE(protocol.events.find('l'), std::string::npos);
}

TEST_F(MemoryClusterTest, AStaticMemberComesBackWithoutARebalanceAndFencesItsPredecessor) {
  RoundRobin protocol;
  RoundRobin successor_protocol;
  const GroupMemberOptions options{.group_id = "g", .group_instance_id = "pod-1"};
  auto member = client_->group_member(options, protocol).value();
  ASSERT_TRUE(member->poll(0).ok());
  auto successor = client_->group_member(options, successor_protocol).value();
  ASSERT_TRUE(successor->poll(0).ok());
  EXPECT_EQ(successor_protocol.events, "p1:0 ");
  EXPECT_EQ(cluster_.generation("g"), GenerationId(1));
  EXPECT_EQ(member->poll(0).code(), Code::fenced);
  EXPECT_EQ(member->poll(0).code(), Code::fenced) << "for good";
}

TEST_F(MemoryClusterTest, MembersWithoutACommonProtocolCannotShareAGroup) {
  RoundRobin protocol;
  RoundRobin stranger;
  stranger.name = "stream";
  auto member = client_->group_member({.group_id = "g"}, protocol).value();
  ASSERT_TRUE(member->poll(0).ok());
  auto other = client_->group_member({.group_id = "g"}, stranger).value();
  EXPECT_EQ(other->poll(0).number(Domain::kafka), static_cast<int>(wire::ErrorCode::inconsistent_group_protocol));
}

TEST_F(MemoryClusterTest, ARequestedRejoinMakesANewGeneration) {
  RoundRobin protocol;
  auto member = client_->group_member({.group_id = "g"}, protocol).value();
  ASSERT_TRUE(member->poll(0).ok());
  member->request_rejoin();
  ASSERT_TRUE(member->poll(0).ok());
  EXPECT_EQ(member->metadata().generation_id, GenerationId(2));
}

// What a faulty run did, for one seed.
std::vector<std::string> run_with_faults(uint64_t seed) {
  ManualClock clock(0);
  MemoryCluster cluster(clock, {.keep_history = true});
  auto client = cluster.client();
  auto admin = client->admin({}).value();
  EXPECT_TRUE(admin->create_topic({.name = "orders", .partitions = 1}).ok());
  cluster.inject({.seed = seed, .send_fails = 0.2, .commit_aborted = 0.2, .commit_unanswered = 0.2, .poll_empty = 0.3});
  auto producer = client->producer({{"transactional.id", "app"}}).value();
  EXPECT_TRUE(producer->init_transactions(0).ok());
  for (int i = 0; i < 50; ++i) {
    while (true) {
      EXPECT_TRUE(producer->begin_transaction().ok());
      const std::string value = std::to_string(i);
      const ProducedRecord one{.topic = "orders", .partition = PartitionId(0), .key = "k", .value = value};
      (void)producer->send({&one, 1});
      Status status = producer->commit_transaction(0);
      if (status.code() == Code::timed_out) status = producer->commit_transaction(0);
      if (status.ok()) break;
      EXPECT_TRUE(producer->abort_transaction(0).ok());
    }
  }
  auto consumer = client->consumer({{"isolation.level", "read_committed"}}).value();
  EXPECT_TRUE(consumer->assign({{{"orders", PartitionId(0)}, kOffsetEarliest}}).ok());
  int64_t next = 0;
  while (next < 50) {
    auto records = consumer->poll(0, 7).value();
    for (const auto& part : records->partitions()) {
      for (const auto& one : part.records) EXPECT_EQ(*one.value, std::to_string(next++)) << "seed " << seed;
    }
  }
  return cluster.history();
}

TEST(MemoryClusterFaults, EachValueIsReadOnceInOrderWhateverFailsAndOneSeedGivesOneHistory) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(run_with_faults(seed), run_with_faults(seed)) << "seed " << seed;
  EXPECT_NE(run_with_faults(1), run_with_faults(2));
}

TEST(MemoryClusterBlocking, APollWaitsForAnotherThreadsRecordAndEndsOnWakeup) {
  MemoryCluster cluster(system_clock(), {.blocking = true});
  auto client = cluster.client();
  auto admin = client->admin({}).value();
  ASSERT_TRUE(admin->create_topic({.name = "orders", .partitions = 1}).ok());
  auto consumer = client->consumer({}).value();
  ASSERT_TRUE(consumer->assign({{kOrders, kOffsetEarliest}}).ok());
  std::thread writer([&] {
    auto producer = client->producer({}).value();
    const ProducedRecord one{.topic = "orders", .partition = PartitionId(0), .key = "k", .value = "v"};
    EXPECT_TRUE(producer->send({&one, 1}).ok());
  });
  EXPECT_EQ(consumer->poll(30'000).value()->count(), 1u);
  writer.join();
  std::thread waker([&] { consumer->wakeup(); });
  EXPECT_TRUE(consumer->poll(30'000).value()->empty());
  waker.join();
}

TEST(MemoryClusterBlocking, MembersOnThreadsOfTheirOwnAgreeOnOneGeneration) {
  MemoryCluster cluster(system_clock(), {.blocking = true});
  auto client = cluster.client();
  RoundRobin protocols[3];
  std::atomic<bool> stop = false;
  std::atomic<int> stable{0};
  std::vector<std::thread> threads;
  for (RoundRobin& protocol : protocols) {
    threads.emplace_back([&] {
      auto member = client->group_member({.group_id = "g"}, protocol).value();
      bool counted = false;
      while (!stop) {
        EXPECT_TRUE(member->poll(10).ok());
        if (!counted && member->stable() && cluster.assignments("g").size() == 3) {
          counted = true;
          ++stable;
        }
      }
    });
  }
  EXPECT_TRUE(muir::testing::eventually([&] { return stable == 3; }));
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace muir::client
