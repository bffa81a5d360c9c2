// The contract of Client, run alike against the cluster in memory, Muir's broker and Apache Kafka.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "clusters.h"
#include "testing/eventually.h"
#include "wire/error_code.h"
#include "wire/murmur2.h"

namespace muir::client {
namespace {

constexpr int64_t kWaitMs = muir::testing::kPatienceMs;

class ClientContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    client_ = client_of(GetParam());
    ASSERT_NE(client_, nullptr);
    admin_ = client_->admin({}).value();
    static std::atomic<int> next{0};
    topic_ = fmt::format("topic-{}", next++);
    const Status created = admin_->create_topic({.name = topic_, .partitions = 3, .replication_factor = 1});
    ASSERT_TRUE(created.ok()) << created.to_string();
  }
  [[nodiscard]] TopicPartition part(PartitionId partition) const { return {topic_, partition}; }
  [[nodiscard]] TopicPartition part(int32_t partition) const { return part(PartitionId(partition)); }

  std::unique_ptr<Producer> transactional(const std::string& id) {
    auto producer = client_->producer({{"transactional.id", topic_ + id}}).value();
    const Status status = producer->init_transactions(kWaitMs);
    EXPECT_TRUE(status.ok()) << status.to_string();
    return producer;
  }
  void send(Producer& producer, std::string_view value, int32_t partition = 0) const {
    const ProducedRecord one{.topic = topic_, .partition = PartitionId(partition), .key = "k", .value = value};
    const Status status = producer.send({&one, 1});
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  std::unique_ptr<Consumer> consumer(const std::string& isolation, std::vector<PartitionStart> starts) {
    auto made = client_->consumer({{"isolation.level", isolation}}).value();
    const Status status = made->assign(starts);
    EXPECT_TRUE(status.ok()) << status.to_string();
    return made;
  }
  // Values until `count` have come.
  static std::vector<std::string> read(Consumer& consumer, size_t count) {
    std::vector<std::string> values;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kWaitMs);
    while (values.size() < count && std::chrono::steady_clock::now() < until) {
      auto records = consumer.poll(1000);
      EXPECT_TRUE(records.ok()) << records.status().to_string();
      if (!records.ok()) break;
      for (const PartitionRecords& some : (*records)->partitions()) {
        for (const ConsumedRecord& one : some.records) values.emplace_back(one.value.value_or("<null>"));
      }
    }
    return values;
  }
  // The values read until the position has arrived at `end`, which control records may lie before.
  std::vector<std::string> read_to(Consumer& consumer, Offset end) {
    std::vector<std::string> values;
    EXPECT_TRUE(muir::testing::eventually([&] {
      for (const std::string& one : read_once(consumer)) values.push_back(one);
      const Result<Offset> position = consumer.position(part(0));
      return position.ok() && *position >= end;
    }));
    EXPECT_EQ(consumer.position(part(0)).value_or(kNoOffset), end);
    return values;
  }
  static std::vector<std::string> read_once(Consumer& consumer) {
    std::vector<std::string> values;
    auto records = consumer.poll(100);
    EXPECT_TRUE(records.ok()) << records.status().to_string();
    if (!records.ok()) return values;
    for (const PartitionRecords& some : (*records)->partitions()) {
      for (const ConsumedRecord& one : some.records) values.emplace_back(one.value.value_or("<null>"));
    }
    return values;
  }

  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
  std::string topic_;
};

using Values = std::vector<std::string>;

TEST_P(ClientContract, RecordsKeepEveryPartOfThemselves) {
  auto producer = client_->producer({}).value();
  const Header headers[] = {{"trace", "abc"}, {"none", std::nullopt}, {"empty", ""}};
  const ProducedRecord sent[] = {
      {.topic = topic_, .partition = PartitionId(1), .key = "k", .value = "v", .timestamp_ms = 5, .headers = headers},
      {.topic = topic_, .partition = PartitionId(1), .key = std::nullopt, .value = "", .timestamp_ms = 6},
      {.topic = topic_, .partition = PartitionId(1), .key = "", .value = std::nullopt, .timestamp_ms = 7},
  };
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(producer
                  ->send(sent,
                         [&](const Status& status, std::span<const Delivery> done) {
                           EXPECT_TRUE(status.ok()) << status.to_string();
                           deliveries.assign(done.begin(), done.end());
                         })
                  .ok());
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  ASSERT_EQ(deliveries.size(), 3u);
  EXPECT_EQ(deliveries[2].offset, Offset(2));
  EXPECT_EQ(deliveries[2].partition, PartitionId(1));

  auto reader = consumer("read_uncommitted", {{part(1), kOffsetEarliest}});
  size_t seen = 0;
  ASSERT_TRUE(muir::testing::eventually([&] {
    auto records = reader->poll(1000).value();
    for (const PartitionRecords& some : records->partitions()) {
      EXPECT_EQ(some.partition, part(1));
      for (const ConsumedRecord& one : some.records) {
        const ProducedRecord& expected = sent[seen];
        EXPECT_EQ(one.offset, Offset(static_cast<int64_t>(seen)));
        EXPECT_EQ(one.key, expected.key);
        EXPECT_EQ(one.value, expected.value);
        EXPECT_EQ(one.timestamp_ms, expected.timestamp_ms);
        EXPECT_EQ(one.headers.size(), expected.headers.size());
        for (size_t i = 0; i < one.headers.size(); ++i) {
          EXPECT_EQ(one.headers[i].name, expected.headers[i].name);
          EXPECT_EQ(one.headers[i].value, expected.headers[i].value);
        }
        ++seen;
      }
    }
    return seen == 3;
  }));
}

// librdkafka does not end its threads then; that must not be the caller's affair.
TEST_P(ClientContract, AConsumerWhoseTopicWasDeletedCloses) {
  send(*client_->producer({}).value(), "v");
  auto reader = consumer("read_uncommitted", {{part(0), Offset(0)}});
  size_t read = 0;
  ASSERT_TRUE(testing::eventually([&] {
    const auto records = reader->poll(100);
    read += records.ok() ? (*records)->count() : 0;
    return read > 0;
  }));
  ASSERT_TRUE(admin_->delete_topic(topic_).ok());
  // Until its client has heard of it.
  ASSERT_TRUE(testing::eventually([&] {
    (void)reader->poll(100).status();
    return admin_->describe_topic(topic_).status().code() == Code::not_found;
  }));
  for (int i = 0; i < 10; ++i) (void)reader->poll(100).status();
  reader.reset();
}

TEST_P(ClientContract, KeysGoWhereTheJavaClientSendsThem) {
  auto producer = client_->producer({}).value();
  EXPECT_EQ(producer->partition_count(topic_).value(), 3);
  EXPECT_EQ(producer->partition_count("absent-" + topic_).status().code(), Code::not_found);
  const Values keys = {"", "a", "vehicle-17", "Zażółć", std::string("\0\1", 2)};
  std::vector<ProducedRecord> records;
  for (const std::string& key : keys) records.push_back({.topic = topic_, .key = key, .value = "v"});
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(producer
                  ->send(records, [&](const Status&,
                                      std::span<const Delivery> done) { deliveries.assign(done.begin(), done.end()); })
                  .ok());
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  ASSERT_EQ(deliveries.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(deliveries[i].partition, wire::partition_for_key(keys[i], 3)) << i;
}

TEST_P(ClientContract, AFailureWithoutCallbackIsToldByTheNextFlushAndOnlyOnce) {
  auto producer = client_->producer({}).value();
  ASSERT_TRUE(producer->partition_count(topic_).ok());
  send(*producer, "nowhere", 99);
  EXPECT_EQ(producer->flush(kWaitMs).code(), Code::not_found);
  EXPECT_TRUE(producer->flush(kWaitMs).ok());
}

TEST_P(ClientContract, ReadCommittedSkipsAbortedRecordsAndItsPositionPassesControlRecords) {
  auto producer = transactional("-a");
  ASSERT_TRUE(producer->begin_transaction().ok());
  send(*producer, "a");
  ASSERT_TRUE(producer->commit_transaction(kWaitMs).ok());  // offset 0, marker 1
  ASSERT_TRUE(producer->begin_transaction().ok());
  send(*producer, "b");
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  const Status aborted = producer->abort_transaction(kWaitMs);  // offset 2, marker 3
  ASSERT_TRUE(aborted.ok()) << aborted.to_string();
  ASSERT_TRUE(muir::testing::eventually([&] {
    return admin_->list_offsets({part(0)}, OffsetSpec::latest(), IsolationLevel::read_committed).value().at(part(0)) ==
           Offset(4);
  }));
  EXPECT_EQ(read_to(*consumer("read_committed", {{part(0), kOffsetEarliest}}), Offset(4)), Values({"a"}));
  EXPECT_EQ(read_to(*consumer("read_uncommitted", {{part(0), kOffsetEarliest}}), Offset(4)), Values({"a", "b"}));
}

TEST_P(ClientContract, AnOpenTransactionHoldsBackReadCommittedReaders) {
  auto open = transactional("-open");
  ASSERT_TRUE(open->begin_transaction().ok());
  send(*open, "held");
  ASSERT_TRUE(open->flush(kWaitMs).ok());
  auto plain = client_->producer({}).value();
  send(*plain, "behind");
  ASSERT_TRUE(plain->flush(kWaitMs).ok());
  EXPECT_EQ(admin_->list_offsets({part(0)}, OffsetSpec::latest(), IsolationLevel::read_committed).value().at(part(0)),
            Offset(0));
  EXPECT_EQ(admin_->list_offsets({part(0)}, OffsetSpec::latest(), IsolationLevel::read_uncommitted).value().at(part(0)),
            Offset(2));
  auto reader = consumer("read_committed", {{part(0), kOffsetEarliest}});
  EXPECT_TRUE(read_once(*reader).empty());
  ASSERT_TRUE(open->commit_transaction(kWaitMs).ok());
  EXPECT_EQ(read(*reader, 2), Values({"held", "behind"}));
}

// What restoring state under exactly-once rests on: up to the end that is asked for without regard to transactions, a
// reader of committed records gets all of them, or has to wait. The last stable offset would end before "later".
TEST_P(ClientContract, ACommitBehindAnOpenTransactionIsBeforeTheEndAndIsReadOnceTheOpenOneHasEnded) {
  auto dead = transactional("-dead");
  ASSERT_TRUE(dead->begin_transaction().ok());
  send(*dead, "never");
  ASSERT_TRUE(dead->flush(kWaitMs).ok());
  auto owner = transactional("-owner");
  ASSERT_TRUE(owner->begin_transaction().ok());
  send(*owner, "later");
  ASSERT_TRUE(owner->commit_transaction(kWaitMs).ok());
  const auto end_by = [&](IsolationLevel isolation) {
    return admin_->list_offsets({part(0)}, OffsetSpec::latest(), isolation).value().at(part(0));
  };
  EXPECT_EQ(end_by(IsolationLevel::read_committed), Offset(0));
  const Offset end = end_by(IsolationLevel::read_uncommitted);
  EXPECT_GE(end, Offset(2));
  auto reader = consumer("read_committed", {{part(0), kOffsetEarliest}});
  EXPECT_TRUE(read_once(*reader).empty());
  EXPECT_LT(reader->position(part(0)).value_or(kNoOffset), end);
  const auto successor = transactional("-dead");  // ends what its predecessor left open
  EXPECT_EQ(read(*reader, 1), Values({"later"}));
  EXPECT_TRUE(muir::testing::eventually([&] {
    EXPECT_TRUE(read_once(*reader).empty());
    return reader->position(part(0)).value_or(kNoOffset) >= end;
  }));
}

TEST_P(ClientContract, ANewerProducerOfATransactionalIdFencesTheOlder) {
  auto older = transactional("-fence");
  ASSERT_TRUE(older->begin_transaction().ok());
  send(*older, "lost");
  ASSERT_TRUE(older->flush(kWaitMs).ok());
  auto newer = transactional("-fence");
  const Status status = older->commit_transaction(kWaitMs);
  EXPECT_EQ(status.code(), Code::fenced) << status.to_string();
  ASSERT_TRUE(newer->begin_transaction().ok());
  send(*newer, "kept");
  ASSERT_TRUE(newer->commit_transaction(kWaitMs).ok());
  EXPECT_EQ(read(*consumer("read_committed", {{part(0), kOffsetEarliest}}), 1), Values({"kept"}));
}

TEST_P(ClientContract, OffsetsOfATransactionCountWhenItCommits) {
  auto producer = transactional("-offsets");
  const std::string group = topic_ + "-group";
  ASSERT_TRUE(producer->begin_transaction().ok());
  send(*producer, "x");
  const Status sent = producer->send_offsets_to_transaction({{part(0), {Offset(7), kNoLeaderEpoch, "note"}}},
                                                            {.group_id = group}, kWaitMs);
  ASSERT_TRUE(sent.ok()) << sent.to_string();
  EXPECT_TRUE(admin_->committed_offsets(group, {part(0), part(1)}, false).value().empty());
  const Status unstable = admin_->committed_offsets(group, {part(0)}, true, 500).status();
  EXPECT_EQ(unstable.number(Domain::kafka), static_cast<int>(wire::ErrorCode::unstable_offset_commit))
      << unstable.to_string();
  ASSERT_TRUE(producer->commit_transaction(kWaitMs).ok());
  const auto committed = admin_->committed_offsets(group, {part(0), part(1)}, true);
  ASSERT_TRUE(committed.ok()) << committed.status().to_string();
  ASSERT_EQ(committed->size(), 1u);
  EXPECT_EQ(committed->at(part(0)).offset, Offset(7));
  EXPECT_EQ(committed->at(part(0)).metadata, "note");
}

TEST_P(ClientContract, AnOffsetThatDoesNotExistIsOutOfRangeAndTheOwnerSeeks) {
  auto producer = client_->producer({}).value();
  for (int i = 0; i < 5; ++i) send(*producer, std::to_string(i));
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  ASSERT_TRUE(admin_->delete_records({{part(0), Offset(3)}}).ok());
  EXPECT_EQ(
      admin_->list_offsets({part(0)}, OffsetSpec::earliest(), IsolationLevel::read_uncommitted).value().at(part(0)),
      Offset(3));
  auto reader = consumer("read_uncommitted", {{part(0), Offset(1)}});
  Status status;
  ASSERT_TRUE(muir::testing::eventually([&] {
    status = reader->poll(1000).status();
    return !status.ok();
  }));
  EXPECT_EQ(status.code(), Code::out_of_range) << status.to_string();
  EXPECT_NE(status.message().find(fmt::format("topic={} partition=0", topic_)), std::string::npos) << status.message();
  ASSERT_TRUE(reader->seek({part(0), kOffsetEarliest}).ok());
  EXPECT_EQ(read(*reader, 2), Values({"3", "4"}));
}

TEST_P(ClientContract, PartitionsArePausedSoughtAddedAndRemovedOneByOne) {
  auto producer = client_->producer({}).value();
  for (int32_t partition = 0; partition < 3; ++partition) {
    for (int i = 0; i < 3; ++i) send(*producer, fmt::format("{}:{}", partition, i), partition);
  }
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  auto reader = consumer("read_uncommitted", {{part(0), Offset(1)}, {part(1), kOffsetEarliest}});
  EXPECT_EQ(reader->assign({{part(1), Offset(0)}}).code(), Code::already_exists);
  EXPECT_EQ(reader->pause({part(2)}).code(), Code::failed_precondition);
  Values values = read(*reader, 5);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, Values({"0:1", "0:2", "1:0", "1:1", "1:2"}));
  ASSERT_TRUE(reader->pause({part(0)}).ok());
  ASSERT_TRUE(reader->seek({part(0), Offset(0)}).ok());
  ASSERT_TRUE(reader->unassign({part(1)}).ok());
  ASSERT_TRUE(reader->assign({{part(2), Offset(2)}}).ok());
  EXPECT_EQ(read(*reader, 1), Values({"2:2"}));
  EXPECT_TRUE(read_once(*reader).empty());
  ASSERT_TRUE(reader->resume({part(0)}).ok());
  EXPECT_EQ(read(*reader, 3), Values({"0:0", "0:1", "0:2"}));
  EXPECT_EQ(reader->position(part(0)).value(), Offset(3));
}

// What a reader may see next of each partition that it owns.
struct Expected {
  Offset next;
  bool paused = false;
};

TEST_P(ClientContract, WhateverStepsItsOwnerTakesEachPartitionComesInOrderFromItsPosition) {
  constexpr int64_t kRecords = 500;
  auto producer = client_->producer({}).value();
  for (int64_t i = 0; i < kRecords; ++i) {
    const std::string value = std::to_string(i);
    for (int32_t partition = 0; partition < 3; ++partition) send(*producer, value, partition);
  }
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  const uint32_t seed = 20261121;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto reader = client_->consumer({}).value();
  std::map<PartitionId, Expected> expected;
  const auto poll = [&](int64_t timeout_ms) {
    auto records = reader->poll(timeout_ms, 1 + random() % 200);
    ASSERT_TRUE(records.ok()) << records.status().to_string();
    for (const PartitionRecords& some : (*records)->partitions()) {
      const auto it = expected.find(some.partition.partition);
      ASSERT_NE(it, expected.end()) << "partition " << some.partition.partition << " is not assigned";
      ASSERT_FALSE(it->second.paused) << "partition " << some.partition.partition << " is paused";
      for (const ConsumedRecord& one : some.records) {
        ASSERT_EQ(one.offset, it->second.next);
        ASSERT_EQ(one.value, fmt::format("{}", one.offset));
        ++it->second.next;
      }
      ASSERT_EQ(reader->position(some.partition).value(), it->second.next);
    }
  };
  for (int step = 0; step < 300 && !HasFatalFailure(); ++step) {
    const PartitionId partition(static_cast<int32_t>(random() % 3));
    const Offset offset(static_cast<int64_t>(random() % kRecords));
    const bool assigned = expected.contains(partition);
    switch (random() % 8) {
      case 0:
        ASSERT_EQ(reader->assign({{part(partition), offset}}).ok(), !assigned);
        if (!assigned) expected[partition] = {offset};
        break;
      case 1:
        ASSERT_EQ(reader->unassign({part(partition)}).ok(), assigned);
        expected.erase(partition);
        break;
      case 2:
        ASSERT_EQ(reader->seek({part(partition), offset}).ok(), assigned);
        if (assigned) expected[partition].next = offset;
        break;
      case 3:
        ASSERT_EQ(reader->pause({part(partition)}).ok(), assigned);
        if (assigned) expected[partition].paused = true;
        break;
      case 4:
        ASSERT_EQ(reader->resume({part(partition)}).ok(), assigned);
        if (assigned) expected[partition].paused = false;
        break;
      default: poll(static_cast<int64_t>(random() % 10));
    }
  }
  for (auto& [partition, one] : expected) {
    ASSERT_TRUE(reader->resume({part(partition)}).ok());
    one.paused = false;
  }
  EXPECT_TRUE(muir::testing::eventually([&] {
    poll(100);
    return HasFatalFailure() || std::all_of(expected.begin(), expected.end(),
                                            [](const auto& one) { return one.second.next == Offset(kRecords); });
  }));
}

TEST_P(ClientContract, LatestMeansRecordsFromNowOn) {
  auto producer = client_->producer({}).value();
  send(*producer, "old");
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  auto reader = consumer("read_uncommitted", {{part(0), kOffsetLatest}});
  ASSERT_TRUE(muir::testing::eventually([&] {
    EXPECT_TRUE(read_once(*reader).empty());
    return reader->position(part(0)).ok();
  }));
  send(*producer, "new");
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  EXPECT_EQ(read(*reader, 1), Values({"new"}));
}

TEST_P(ClientContract, WakeupEndsAPollThatWaits) {
  auto reader = consumer("read_uncommitted", {{part(0), kOffsetLatest}});
  ASSERT_TRUE(muir::testing::eventually([&] {
    EXPECT_TRUE(read_once(*reader).empty());
    return reader->position(part(0)).ok();
  }));
  std::thread waker([&] { reader->wakeup(); });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(reader->poll(kWaitMs).value()->empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(kWaitMs / 2));
  waker.join();
}

TEST_P(ClientContract, AdminDescribesWhatThereIsAndSaysWhatIsWrong) {
  EXPECT_EQ(admin_->create_topic({.name = topic_, .partitions = 1}).code(), Code::already_exists);
  EXPECT_EQ(admin_->create_topic({.name = "no spaces", .partitions = 1}).code(), Code::invalid_argument);
  EXPECT_EQ(admin_->create_topic({.name = topic_ + "-much", .partitions = 1, .replication_factor = 9}).code(),
            Code::invalid_argument);
  EXPECT_EQ(admin_->describe_topic("absent-" + topic_).status().code(), Code::not_found);
  EXPECT_EQ(admin_->delete_topic("absent-" + topic_).code(), Code::not_found);
  EXPECT_EQ(
      admin_
          ->list_offsets({{"absent-" + topic_, PartitionId(0)}}, OffsetSpec::latest(), IsolationLevel::read_uncommitted)
          .status()
          .code(),
      Code::not_found);
  EXPECT_EQ(admin_->describe_topic(topic_).value().partitions, 3);
  EXPECT_EQ(admin_->describe_topic(topic_).value().replication_factor, 1);
  const std::string table = topic_ + "-table";
  ASSERT_TRUE(admin_->create_topic({.name = table, .partitions = 1, .configs = {{"cleanup.policy", "compact"}}}).ok());
  EXPECT_EQ(admin_->topic_configs(table).value().at("cleanup.policy"), "compact");
  const auto listed = admin_->list_topics().value();
  EXPECT_TRUE(std::any_of(listed.begin(), listed.end(), [&](const auto& one) { return one.name == table; }));
  ASSERT_TRUE(admin_->delete_topic(table).ok());
  EXPECT_TRUE(
      muir::testing::eventually([&] { return admin_->describe_topic(table).status().code() == Code::not_found; }));
  const auto cluster = admin_->describe_cluster().value();
  EXPECT_EQ(cluster.brokers.size(), 1u);
  EXPECT_FALSE(cluster.cluster_id.empty());
}

TEST_P(ClientContract, OffsetsAreFoundByTime) {
  auto producer = client_->producer({}).value();
  for (int64_t time : {100, 200, 300}) {
    const ProducedRecord one{
        .topic = topic_, .partition = PartitionId(0), .key = "k", .value = "v", .timestamp_ms = time};
    ASSERT_TRUE(producer->send({&one, 1}).ok());
  }
  ASSERT_TRUE(producer->flush(kWaitMs).ok());
  const std::pair<int64_t, int64_t> expected[] = {{0, 0}, {100, 0}, {101, 1}, {300, 2}, {301, 3}};
  for (const auto& [time, offset] : expected) {
    EXPECT_EQ(admin_->list_offsets({part(0)}, OffsetSpec::at_time(time), IsolationLevel::read_uncommitted)
                  .value()
                  .at(part(0)),
              Offset(offset))
        << time;
  }
}

// Numbers the members; what a member was given is "<generation>:<number>".
class Numbering final : public GroupProtocol {
 public:
  explicit Numbering(Bytes subscription = "s") : subscription_(std::move(subscription)) {}
  std::vector<std::pair<std::string, Bytes>> metadata() override { return {{"numbering", subscription_}}; }
  Result<std::map<std::string, Bytes>> assign(const std::string& name,
                                              const std::map<std::string, Bytes>& members) override {
    EXPECT_EQ(name, "numbering");
    std::map<std::string, Bytes> all;
    int next = 0;
    for (const auto& [id, bytes] : members) {
      all[id] = fmt::format("{}/{}", next++, members.size());
      EXPECT_EQ(bytes, subscription_);
    }
    return all;
  }
  void on_prepare(GenerationId, const std::string&) override { ++prepared; }
  Status on_assigned(GenerationId, const std::string&, BytesView bytes) override {
    assigned = bytes;
    return {};
  }
  void on_lost() override { ++lost; }

  int prepared = 0;
  int lost = 0;
  Bytes assigned;

 private:
  const Bytes subscription_;
};

// Polls all members in turn until the condition holds.
bool drive(std::vector<GroupMember*> members, const std::function<bool()>& done) {
  return muir::testing::eventually([&] {
    for (GroupMember* member : members) {
      const Status status = member->poll(20);
      EXPECT_TRUE(status.ok()) << status.to_string();
    }
    return done();
  });
}

GroupMemberOptions quick(const std::string& group) {
  return {
      .group_id = group, .session_timeout_ms = 10'000, .rebalance_timeout_ms = 20'000, .heartbeat_interval_ms = 100};
}

TEST_P(ClientContract, MembersShareAGroupAndTakeOverWhatOneLeaves) {
  Numbering protocols[2];
  const std::string group = topic_ + "-group";
  auto first = client_->group_member(quick(group), protocols[0]).value();
  ASSERT_TRUE(drive({first.get()}, [&] { return first->stable(); }));
  EXPECT_EQ(protocols[0].assigned, "0/1");
  const GroupMetadata before = first->metadata();
  EXPECT_GE(before.generation_id, GenerationId(1));
  EXPECT_FALSE(before.member_id.empty());
  ASSERT_TRUE(first->commit({{part(0), {Offset(5), kNoLeaderEpoch, "m"}}, {part(1), {Offset(6)}}}, kWaitMs).ok());
  EXPECT_EQ(admin_->committed_offsets(group, {part(0)}, true).value().at(part(0)).metadata, "m");

  auto second = client_->group_member(quick(group), protocols[1]).value();
  ASSERT_TRUE(drive({first.get(), second.get()},
                    [&] { return first->stable() && second->stable() && protocols[1].assigned.ends_with("/2"); }));
  EXPECT_TRUE(protocols[0].assigned.ends_with("/2"));
  EXPECT_NE(protocols[0].assigned, protocols[1].assigned);
  EXPECT_EQ(first->metadata().generation_id, second->metadata().generation_id);

  auto producer = transactional("-stale");
  ASSERT_TRUE(producer->begin_transaction().ok());
  send(*producer, "x");
  const Status stale = producer->send_offsets_to_transaction({{part(0), {Offset(9)}}}, before, kWaitMs);
  EXPECT_EQ(stale.code(), Code::aborted) << stale.to_string();
  EXPECT_EQ(stale.number(Domain::kafka), static_cast<int>(wire::ErrorCode::illegal_generation)) << stale.to_string();
  EXPECT_TRUE(producer->abort_transaction(kWaitMs).ok());
  ASSERT_TRUE(producer->begin_transaction().ok());
  send(*producer, "y");
  const Status current = producer->send_offsets_to_transaction({{part(0), {Offset(9)}}}, first->metadata(), kWaitMs);
  EXPECT_TRUE(current.ok()) << current.to_string();
  EXPECT_TRUE(producer->commit_transaction(kWaitMs).ok());

  second.reset();
  ASSERT_TRUE(drive({first.get()}, [&] { return protocols[0].assigned == "0/1" && first->stable(); }));
  EXPECT_EQ(protocols[0].lost, 0);
}

TEST_P(ClientContract, ARequestedRejoinMakesANewGeneration) {
  Numbering protocol;
  auto member = client_->group_member(quick(topic_ + "-group"), protocol).value();
  ASSERT_TRUE(drive({member.get()}, [&] { return member->stable(); }));
  const GenerationId generation = member->metadata().generation_id;
  member->request_rejoin();
  ASSERT_TRUE(drive({member.get()}, [&] { return member->metadata().generation_id > generation; }));
  EXPECT_GE(protocol.prepared, 2);
}

TEST_P(ClientContract, AStaticMemberComesBackWithoutARebalanceAndFencesItsPredecessor) {
  Numbering protocols[2];
  GroupMemberOptions options = quick(topic_ + "-group");
  options.group_instance_id = "pod-1";
  auto member = client_->group_member(options, protocols[0]).value();
  ASSERT_TRUE(drive({member.get()}, [&] { return member->stable(); }));
  auto successor = client_->group_member(options, protocols[1]).value();
  ASSERT_TRUE(drive({successor.get()}, [&] { return successor->stable(); }));
  EXPECT_EQ(successor->metadata().generation_id, member->metadata().generation_id);
  EXPECT_EQ(protocols[1].assigned, "0/1");
  Status status;
  ASSERT_TRUE(muir::testing::eventually([&] {
    status = member->poll(20);
    return !status.ok();
  }));
  EXPECT_EQ(status.code(), Code::fenced) << status.to_string();
  EXPECT_EQ(member->poll(0).code(), Code::fenced);
  EXPECT_EQ(protocols[0].lost, 1);
}

TEST_P(ClientContract, AMemberThatLeftIsRefusedAndJoinsAnew) {
  Numbering protocol;
  auto member = client_->group_member(quick(topic_ + "-group"), protocol).value();
  ASSERT_TRUE(drive({member.get()}, [&] { return member->stable(); }));
  const GroupMetadata before = member->metadata();
  ASSERT_TRUE(member->leave().ok());
  EXPECT_EQ(member->commit({{part(0), {Offset(1)}}}, kWaitMs).code(), Code::failed_precondition);
  ASSERT_TRUE(drive({member.get()}, [&] { return member->stable(); }));
  EXPECT_NE(member->metadata().member_id, before.member_id);
}

INSTANTIATE_TEST_SUITE_P(Clusters, ClientContract, kClusters, [](const auto& kind) { return kind.param; });

}  // namespace
}  // namespace muir::client
