// What a topic is read as: its end whatever lies there, what begins anew, what fails; and for any history of a topic,
// what its reader holds is what is in it.
#include "client/topic_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "client/cluster_memory.h"
#include "wire/error_code.h"

namespace muir::client {
namespace {

using Values = std::vector<std::string>;

// What a program makes of a topic: the newest value of each key, as long as it is in the topic.
struct Table {
  std::map<int32_t, std::map<std::string, std::string>> rows;
  Values values;  // as they came
  Values resets;
  int caught_up = 0;

  TopicHandlers handlers() {
    return {.on_records =
                [this](const PartitionRecords& part) {
                  for (const ConsumedRecord& record : part.records) {
                    values.emplace_back(record.value.value_or("<null>"));
                    rows[part.partition.partition.value()][std::string(record.key.value_or(""))] = values.back();
                  }
                  return Status();
                },
            .on_reset =
                [this](const PartitionReset& reset) {
                  rows.erase(reset.partition.partition.value());
                  resets.push_back(fmt::format("{}: {} to {}, {}", reset.partition.partition, reset.before, reset.from,
                                               to_string(reset.reason)));
                  return Status();
                },
            .on_caught_up = [this] { ++caught_up; }};
  }
};

class TopicReaderTest : public ::testing::Test {
 public:
  TopicReaderTest() : client_(cluster_.client()), admin_(client_->admin().value()) {
    EXPECT_TRUE(admin_->create_topic({.name = "t", .partitions = 2}).ok());
  }
  void send(Producer& producer, const std::string& value, int32_t partition = 0, std::string key = {}) const {
    if (key.empty()) key = value;
    const ProducedRecord one{.topic = "t", .partition = PartitionId(partition), .key = key, .value = value};
    EXPECT_TRUE(producer.send({&one, 1}).ok());
  }
  void send(const Values& values, int32_t partition = 0) const {
    auto producer = client_->producer().value();
    for (const std::string& value : values) send(*producer, value, partition);
  }
  std::unique_ptr<Producer> transaction(const std::string& id, const Values& values) const {
    auto producer = client_->producer({{"transactional.id", id}}).value();
    EXPECT_TRUE(producer->init_transactions(1000).ok());
    EXPECT_TRUE(producer->begin_transaction().ok());
    for (const std::string& value : values) send(*producer, value);
    return producer;
  }
  void make_anew(int32_t partitions) const {
    EXPECT_TRUE(admin_->delete_topic("t").ok());
    EXPECT_TRUE(admin_->create_topic({.name = "t", .partitions = partitions}).ok());
  }
  // Until nothing comes any more.
  void settle(TopicReader& reader, Table& table) {
    for (size_t quiet = 0; quiet < 3; ++quiet) {
      const size_t before = table.values.size() + table.resets.size();
      const auto failure = reader.step(0);
      ASSERT_FALSE(failure) << failure->status.to_string();
      if (table.values.size() + table.resets.size() > before) quiet = 0;
    }
  }

  ManualClock clock_{1'000'000};
  MemoryCluster cluster_{clock_};
  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
};

TEST_F(TopicReaderTest, TheEndIsReachedWhateverLiesThere) {
  struct Row {
    const char* name;
    std::function<void(TopicReaderTest&)> history;
    Values committed;    // what a reader of committed records gets
    Values uncommitted;  // and another one
    Offset position;     // of partition 0, for the first
  };
  std::vector<std::unique_ptr<Producer>> open;
  const Row rows[] = {
      {"nothing", [](auto&) {}, {}, {}, Offset(0)},
      {"records",
       [](auto& t) {
         t.send({"a", "b"});
       },
       {"a", "b"},
       {"a", "b"},
       Offset(2)},
      {"the marker of a commit",
       [](auto& t) { EXPECT_TRUE(t.transaction("c", {"a"})->commit_transaction(1000).ok()); },
       {"a"},
       {"a"},
       Offset(2)},
      {"records that were aborted",
       [](auto& t) {
         t.send({"a"});
         EXPECT_TRUE(t.transaction("b", {"x", "y"})->abort_transaction(1000).ok());
       },
       {"a"},
       {"a", "x", "y"},
       Offset(4)},
      {"a transaction that is open",
       [&open](auto& t) {
         t.send({"a"});
         open.push_back(t.transaction("o", {"x"}));
         t.send({"b"});
       },
       {"a"},
       {"a", "x", "b"},
       Offset(1)},
      {"records before which all is cut",
       [](auto& t) {
         t.send({"a", "b", "c"});
         EXPECT_TRUE(t.admin_->delete_records({{{"t", PartitionId(0)}, Offset(2)}}).ok());
       },
       {"c"},
       {"c"},
       Offset(3)},
      {"all is cut",
       [](auto& t) {
         t.send({"a", "b"});
         EXPECT_TRUE(t.admin_->delete_records({{{"t", PartitionId(0)}, Offset(2)}}).ok());
       },
       {},
       {},
       Offset(2)},
  };
  for (const Row& row : rows) {
    for (const bool committed : {true, false}) {
      make_anew(2);
      row.history(*this);
      Table table;
      TopicReader reader(*client_,
                         {.topics = {{"t"}},
                          .isolation = committed ? IsolationLevel::read_committed : IsolationLevel::read_uncommitted},
                         table.handlers(), clock_);
      settle(reader, table);
      EXPECT_EQ(table.values, committed ? row.committed : row.uncommitted) << row.name;
      EXPECT_EQ(table.caught_up, 1) << row.name << (committed ? "" : ", uncommitted");
      EXPECT_TRUE(reader.caught_up()) << row.name;
      EXPECT_EQ(reader.remaining(), 0) << row.name;
      if (committed) {
        EXPECT_EQ(reader.positions().at({"t", PartitionId(0)}), row.position) << row.name;
      }
      send({"later"}, 1);
      settle(reader, table);
      EXPECT_EQ(table.values.back(), "later") << row.name;
      open.clear();
    }
  }
}

TEST_F(TopicReaderTest, StartsWhereItIsTold) {
  send({"a", "b", "c", "d"});
  send({"e"}, 1);
  struct Row {
    const char* name;
    TopicReaderOptions options;
    Values values;
    Values resets;
  };
  const TopicPartition first{"t", PartitionId(0)};
  const Row rows[] = {
      {"at the beginning", {.topics = {{"t"}}}, {"a", "b", "c", "d", "e"}, {}},
      {"one partition", {.topics = {{"t", PartitionId(1)}}}, {"e"}, {}},
      {"the last ones", {.topics = {{"t", std::nullopt, 2}}}, {"c", "d", "e"}, {}},
      {"where it was", {.topics = {{"t"}}, .resume = {{first, Offset(3)}}}, {"d", "e"}, {}},
      {"behind the end",
       {.topics = {{"t"}}, .resume = {{first, Offset(9)}}},
       {"a", "b", "c", "d", "e"},
       {"0: 9 to 0, the partition ends before what was read"}},
      {"in a partition that is no more",
       {.topics = {{"t"}}, .resume = {{{"t", PartitionId(2)}, Offset(9)}}},
       {"a", "b", "c", "d", "e"},
       {"2: 9 to -1, the topic was made anew with fewer partitions"}},
  };
  for (const Row& row : rows) {
    Table table;
    TopicReader reader(*client_, row.options, table.handlers(), clock_);
    settle(reader, table);
    EXPECT_EQ(table.values, row.values) << row.name;
    EXPECT_EQ(table.resets, row.resets) << row.name;
    EXPECT_TRUE(reader.caught_up()) << row.name;
  }
}

TEST_F(TopicReaderTest, WhatBeginsAnewIsToldBeforeItComes) {
  struct Row {
    const char* name;
    std::function<void(TopicReaderTest&)> change;  // of a topic of which a, b and c were read
    Values values;
    Values resets;
  };
  const Row rows[] = {
      {"cut behind what was read",
       [](auto& t) {
         EXPECT_TRUE(t.admin_->delete_records({{{"t", PartitionId(0)}, Offset(3)}}).ok());
         t.send({"d"});
       },
       {"d"},
       {}},
      {"cut before it was read",
       [](auto& t) {
         t.send({"d", "e"});
         EXPECT_TRUE(t.admin_->delete_records({{{"t", PartitionId(0)}, Offset(4)}}).ok());
       },
       {"e"},
       {"0: 3 to 4, the records that were to come are gone"}},
      {"made anew, and shorter",
       [](auto& t) {
         t.make_anew(2);
         t.send({"x"});
       },
       {"x"},
       {"0: 3 to 0, the topic was made anew", "1: 0 to 0, the topic was made anew"}},
      {"made anew, and longer",
       [](auto& t) {
         t.make_anew(2);
         t.send({"u", "v", "w", "x", "y"});
       },
       {"u", "v", "w", "x", "y"},
       {"0: 3 to 0, the topic was made anew", "1: 0 to 0, the topic was made anew"}},
      {"made anew with fewer partitions",
       [](auto& t) {
         t.make_anew(1);
         t.send({"x"});
       },
       {"x"},
       {"0: 3 to 0, the topic was made anew", "1: 0 to -1, the topic was made anew with fewer partitions"}},
      {"more partitions",
       [](auto& t) {
         EXPECT_TRUE(t.admin_->create_partitions("t", 3).ok());
         t.send({"x"}, 2);
       },
       {"x"},
       {}},
  };
  for (const Row& row : rows) {
    make_anew(2);
    send({"a", "b", "c"});
    Table table;
    TopicReader reader(*client_, {.topics = {{"t"}}}, table.handlers(), clock_);
    settle(reader, table);
    ASSERT_EQ(table.values, (Values{"a", "b", "c"})) << row.name;
    table.values.clear();
    row.change(*this);
    clock_.advance_ms(60'000);  // changes are looked for
    settle(reader, table);
    // Those of a topic made anew with as many records would be taken for later ones until it is looked at.
    EXPECT_EQ(table.values, row.values) << row.name;
    EXPECT_EQ(table.resets, row.resets) << row.name;
    EXPECT_EQ(table.caught_up, 1) << row.name;
  }
}

TEST_F(TopicReaderTest, FailuresHaveNamesAndPass) {
  struct Row {
    wire::ErrorCode code;
    TopicFailureKind kind;
  };
  const Row rows[] = {
      {wire::ErrorCode::not_leader_or_follower, TopicFailureKind::away},
      {wire::ErrorCode::request_timed_out, TopicFailureKind::away},
      {wire::ErrorCode::kafka_storage_error, TopicFailureKind::away},
      {wire::ErrorCode::unknown_server_error, TopicFailureKind::away},
      {wire::ErrorCode::unknown_topic_or_partition, TopicFailureKind::unknown_topic},
      {wire::ErrorCode::topic_authorization_failed, TopicFailureKind::not_authorized},
      {wire::ErrorCode::sasl_authentication_failed, TopicFailureKind::not_authorized},
      {wire::ErrorCode::corrupt_message, TopicFailureKind::damaged},
      {wire::ErrorCode::unsupported_version, TopicFailureKind::fatal},
      {wire::ErrorCode::offset_out_of_range, TopicFailureKind::away},  // although there is such an offset
  };
  send({"a"});
  for (const Row& row : rows) {
    const std::string name(wire::name_of(row.code));
    Table table;
    TopicReader reader(*client_, {.topics = {{"t"}}}, table.handlers(), clock_);
    cluster_.inject({.unreadable_topics = {{"t", static_cast<int>(row.code)}}});
    const auto failure = reader.step(0);
    ASSERT_TRUE(failure) << name;
    EXPECT_EQ(failure->kind, row.kind) << name << ": " << failure->status.to_string();
    EXPECT_EQ(reader.failures(), 1u) << name;
    // Until the pause is over it is not tried, and still failing.
    const auto still = reader.step(0);
    ASSERT_TRUE(still) << name;
    EXPECT_EQ(reader.failures(), 1u) << name;
    cluster_.inject({});
    clock_.advance_ms(100);
    settle(reader, table);
    EXPECT_EQ(table.values, Values{"a"}) << name;
    EXPECT_TRUE(reader.caught_up()) << name;
  }
}

TEST_F(TopicReaderTest, ATopicThatIsDeletedIsMissingUntilItIsThereAgain) {
  send({"a"});
  Table table;
  TopicReader reader(*client_, {.topics = {{"t"}}}, table.handlers(), clock_);
  settle(reader, table);
  EXPECT_TRUE(admin_->delete_topic("t").ok());
  for (int i = 0; i < 5; ++i) {
    const auto failure = reader.step(0);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, TopicFailureKind::unknown_topic);
    clock_.advance_ms(5'000);
  }
  EXPECT_TRUE(admin_->create_topic({.name = "t", .partitions = 2}).ok());
  send({"b"});
  settle(reader, table);
  EXPECT_EQ(table.values, (Values{"a", "b"}));
  EXPECT_EQ(table.rows[0], (std::map<std::string, std::string>{{"b", "b"}}));
}

TEST_F(TopicReaderTest, AFailureOfAHandlerIsFinalAndNamesTheRecords) {
  send({"a", "b"});
  int called = 0;
  TopicReader reader(*client_, {.topics = {{"t"}}},
                     {.on_records =
                          [&](const PartitionRecords&) {
                            ++called;
                            return error(Code::invalid_argument, "no use");
                          }},
                     clock_);
  for (int i = 0; i < 3; ++i) {
    const auto failure = reader.step(0);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, TopicFailureKind::rejected);
    EXPECT_EQ(failure->status.message(), "topic=t partition=0 offsets=0 to 1: no use");
    clock_.advance_ms(60'000);
  }
  EXPECT_EQ(called, 1);
  EXPECT_EQ(reader.positions().at({"t", PartitionId(0)}), Offset(0));
}

TEST_F(TopicReaderTest, BatchesAreNoLargerThanAskedFor) {
  Values all;
  for (int i = 0; i < 100; ++i) all.push_back(std::to_string(i));
  send(all);
  size_t largest = 0;
  size_t count = 0;
  TopicReader reader(*client_, {.topics = {{"t"}}, .batch_records_max = 7},
                     {.on_records =
                          [&](const PartitionRecords& part) {
                            largest = std::max(largest, part.records.size());
                            count += part.records.size();
                            return Status();
                          }},
                     clock_);
  while (!reader.caught_up()) ASSERT_FALSE(reader.step(0));
  EXPECT_EQ(largest, 7u);
  EXPECT_EQ(count, 100u);
}

// Any history of writes, transactions, cuts, deletions and faults: in the end the reader holds what a new one would.
TEST_F(TopicReaderTest, HoldsWhatIsInTheTopicWhateverHappenedToIt) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t n) { return static_cast<int32_t>(random() % n); };
    make_anew(1 + below(3));
    Table table;
    TopicReader reader(*client_, {.topics = {{"t"}}, .batch_records_max = 1 + random() % 5, .look_every_ms = 1'000},
                       table.handlers(), clock_);
    std::unique_ptr<Producer> transactional = client_->producer({{"transactional.id", "w"}}).value();
    ASSERT_TRUE(transactional->init_transactions(1000).ok());
    const auto plain = client_->producer().value();
    const auto partitions = [&] { return admin_->describe_topic("t").value().partitions; };
    int next = 0;
    const auto write = [&](Producer& producer) {
      send(producer, fmt::format("v{}", next++), below(static_cast<uint64_t>(partitions())),
           fmt::format("k{}", below(4)));
    };
    cluster_.inject({.seed = seed, .poll_empty = 0.2, .poll_away = 0.1});
    for (int step = 0; step < 80; ++step) {
      switch (below(12)) {
        case 0:
        case 1:
        case 2: write(*plain); break;
        case 3:
        case 4: {
          ASSERT_TRUE(transactional->begin_transaction().ok());
          for (int i = below(3); i >= 0; --i) write(*transactional);
          const bool commits = below(2) == 0;
          const Status ended =
              commits ? transactional->commit_transaction(1000) : transactional->abort_transaction(1000);
          ASSERT_TRUE(ended.ok()) << ended.to_string();
          break;
        }
        case 5: {
          const TopicPartition one{"t", PartitionId(below(static_cast<uint64_t>(partitions())))};
          const auto stored = cluster_.stored(one);
          if (stored.empty()) break;
          const Offset before = stored[random() % stored.size()].offset + 1;
          ASSERT_TRUE(admin_->delete_records({{one, before}}).ok());
          break;
        }
        case 6:
          if (below(4) == 0) make_anew(1 + below(3));
          break;
        case 7:
          if (below(3) == 0) {
            ASSERT_TRUE(admin_->create_partitions("t", partitions() + 1).ok());
          }
          break;
        default: {
          (void)reader.step(0);
          clock_.advance_ms(below(400));
        }
      }
    }
    cluster_.inject({});
    clock_.advance_ms(10'000);
    settle(reader, table);
    Table fresh;
    TopicReader another(*client_, {.topics = {{"t"}}}, fresh.handlers(), clock_);
    settle(another, fresh);
    // What was cut after it was read is history to the one, and unknown to the other.
    for (auto& [partition, rows] : table.rows) {
      std::erase_if(rows, [&, number = partition](const auto& row) {
        const auto stored = cluster_.stored({"t", PartitionId(number)});
        return std::none_of(stored.begin(), stored.end(), [&](const auto& r) {
          return r.state == StoredRecord::State::committed && r.value == row.second;
        });
      });
    }
    std::erase_if(table.rows, [](const auto& entry) { return entry.second.empty(); });
    EXPECT_EQ(table.rows, fresh.rows) << "seed " << seed;
    EXPECT_EQ(reader.positions(), another.positions()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace muir::client
