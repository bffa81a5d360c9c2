// Writing and reading back, by several writers and threads, and what ends a wait.
#include "client/topic_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "client/cluster_memory.h"
#include "testing/eventually.h"
#include "testing/metric_value.h"
#include "wire/error_code.h"

namespace muir::client {
namespace {

using Values = std::vector<std::string>;
constexpr int64_t kWaitMs = 30'000;
const TopicPartition kFirst{"t", PartitionId(0)};

// A log of topic t and what it has read.
class Follower {
 public:
  explicit Follower(Client& client, bool writes = true, MetricsRegistry* metrics = nullptr)
      : log(client,
            {.name = "test",
             .read = {.topics = {{"t"}}},
             .producer = writes ? std::optional(Properties{}) : std::nullopt,
             .metrics = metrics},
            {.on_records = [this](const PartitionRecords& part) {
              const std::lock_guard lock(mutex_);
              for (const ConsumedRecord& record : part.records) values_.emplace_back(record.value.value_or("<null>"));
              return reject ? error(Code::invalid_argument, "no use") : Status();
            }}) {}
  [[nodiscard]] Values values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }

 private:
  mutable std::mutex mutex_;
  Values values_;

 public:
  std::atomic<bool> reject = false;
  TopicLog log;  // last: its thread uses what is above
};

class TopicLogTest : public ::testing::Test {
 protected:
  TopicLogTest() : client_(cluster_.client()), admin_(client_->admin().value()) {
    EXPECT_TRUE(admin_->create_topic({.name = "t"}).ok());
  }
  static ProducedRecord record(std::string_view value) {
    return {.topic = "t", .partition = PartitionId(0), .key = "k", .value = value};
  }
  void send(std::string_view value) const {
    const ProducedRecord one = record(value);
    EXPECT_TRUE(client_->producer().value()->send({&one, 1}).ok());
  }
  void unreadable(wire::ErrorCode code) { cluster_.inject({.unreadable_topics = {{"t", static_cast<int>(code)}}}); }

  MemoryCluster cluster_{system_clock(), {.blocking = true}};
  std::unique_ptr<Client> client_;
  std::unique_ptr<Admin> admin_;
};

TEST_F(TopicLogTest, WhatWasWrittenHasBeenReadWhenTheWriteReturns) {
  send("before");
  Follower one(*client_);
  ASSERT_TRUE(one.log.start().ok());
  ASSERT_TRUE(one.log.wait_caught_up(kWaitMs).ok());
  EXPECT_EQ(one.values(), Values{"before"});
  const ProducedRecord records[] = {record("a"), record("b")};
  const auto written = one.log.write(records, kWaitMs);
  ASSERT_TRUE(written.ok()) << written.status().to_string();
  ASSERT_EQ(written->size(), 2u);
  EXPECT_EQ((*written)[1].offset, Offset(2));
  EXPECT_EQ(one.values(), (Values{"before", "a", "b"}));
  send("by another");
  ASSERT_TRUE(one.log.read_to_end(kWaitMs).ok());
  EXPECT_EQ(one.values().back(), "by another");
  EXPECT_TRUE(one.log.write({}, kWaitMs).ok());
}

TEST_F(TopicLogTest, AllWritersSeeOneOrder) {
  Follower logs[] = {Follower(*client_), Follower(*client_)};
  for (Follower& one : logs) ASSERT_TRUE(one.log.start().ok());
  std::vector<std::thread> writers;
  for (int w = 0; w < 6; ++w) {
    writers.emplace_back([&, w] {
      Follower& mine = logs[w % 2];
      for (int i = 0; i < 20; ++i) {
        const std::string value = fmt::format("{}-{}", w, i);
        const ProducedRecord one = record(value);
        const auto written = mine.log.write({&one, 1}, kWaitMs);
        ASSERT_TRUE(written.ok()) << written.status().to_string();
        const Values seen = mine.values();
        EXPECT_NE(std::find(seen.begin(), seen.end(), value), seen.end()) << value;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (Follower& one : logs) ASSERT_TRUE(one.log.read_to_end(kWaitMs).ok());
  EXPECT_EQ(logs[0].values().size(), 120u);
  EXPECT_EQ(logs[0].values(), logs[1].values());
}

TEST_F(TopicLogTest, AStartBelievesARefusalAndWaitsForAClusterThatIsAway) {
  struct Row {
    wire::ErrorCode code;
    Code answer;  // of a wait of 300 ms
  };
  for (const Row& row : {Row{wire::ErrorCode::not_leader_or_follower, Code::timed_out},
                         Row{wire::ErrorCode::unknown_topic_or_partition, Code::timed_out},
                         Row{wire::ErrorCode::topic_authorization_failed, Code::permission_denied},
                         Row{wire::ErrorCode::corrupt_message, Code::data_loss},
                         Row{wire::ErrorCode::unsupported_version, Code::unsupported}}) {
    const std::string name(wire::name_of(row.code));
    send("a");
    unreadable(row.code);
    Follower one(*client_);
    ASSERT_TRUE(one.log.start().ok());
    const bool waits = row.answer == Code::timed_out;
    if (waits) {
      ASSERT_TRUE(testing::eventually([&] { return one.log.failure().has_value(); })) << name;
    }
    const Status status = one.log.wait_caught_up(waits ? 10 : kWaitMs);
    EXPECT_EQ(status.code(), row.answer) << status.to_string();
    EXPECT_NE(status.message().find(name), std::string::npos) << status.message();
    cluster_.inject({});
    EXPECT_TRUE(testing::eventually([&] { return one.log.caught_up(); })) << name;
    EXPECT_TRUE(testing::eventually([&] { return !one.log.failure(); })) << name;
  }
}

TEST_F(TopicLogTest, AWriteThatIsNotReadBackSaysWhyAndStopEndsIt) {
  struct Row {
    const char* name;
    int64_t timeout_ms;
    Code code;
  };
  for (const Row& row : {Row{"in time", 200, Code::timed_out}, Row{"before the log stops", kWaitMs, Code::aborted}}) {
    cluster_.inject({});
    Follower one(*client_);
    ASSERT_TRUE(one.log.start().ok());
    ASSERT_TRUE(one.log.wait_caught_up(kWaitMs).ok());
    unreadable(wire::ErrorCode::not_leader_or_follower);
    ASSERT_TRUE(testing::eventually([&] { return one.log.failure().has_value(); }));
    const size_t before = cluster_.stored(kFirst).size();
    std::thread stopper([&] {
      if (row.code != Code::aborted) return;
      EXPECT_TRUE(testing::eventually([&] { return cluster_.stored(kFirst).size() > before; }));
      one.log.stop();
    });
    const ProducedRecord a = record("a");
    const auto written = one.log.write({&a, 1}, row.timeout_ms);
    stopper.join();
    EXPECT_EQ(written.status().code(), row.code) << row.name << ": " << written.status().to_string();
    if (row.code == Code::timed_out) {
      EXPECT_NE(written.status().message().find("NOT_LEADER"), std::string::npos) << written.status().message();
    }
  }
}

TEST_F(TopicLogTest, WhatCannotBeWrittenFailsAsTheProducerSays) {
  Follower reader(*client_, false);
  ASSERT_TRUE(reader.log.start().ok());
  const ProducedRecord a = record("a");
  EXPECT_EQ(reader.log.write({&a, 1}, kWaitMs).status().code(), Code::failed_precondition);
  Follower one(*client_);
  ASSERT_TRUE(one.log.start().ok());
  cluster_.inject({.refused_topics = {{"t", static_cast<int>(wire::ErrorCode::message_too_large)}}});
  const auto refused = one.log.write({&a, 1}, kWaitMs);
  EXPECT_TRUE(is_too_large(refused.status())) << refused.status().to_string();
  const ProducedRecord elsewhere{.topic = "u", .partition = PartitionId(0), .value = "a"};
  EXPECT_EQ(one.log.write({&elsewhere, 1}, kWaitMs).status().code(), Code::invalid_argument);
  one.log.stop();
  EXPECT_EQ(one.log.write({&a, 1}, kWaitMs).status().code(), Code::aborted);
  EXPECT_EQ(cluster_.stored(kFirst).size(), 0u);
}

// Between the news that a topic was made anew and its records nobody is told that all has been read.
TEST_F(TopicLogTest, TheEndOfATopicMadeAnewIsItsOwn) {
  std::atomic<bool> anew = false;
  std::atomic<bool> blocked = false;
  std::atomic<bool> go_on = false;
  std::atomic<int> records = 0;
  TopicLog log(*client_, {.name = "test", .read = {.topics = {{"t"}}, .look_every_ms = 10}},
               {.on_records =
                    [&](const PartitionRecords& part) {
                      blocked = anew.load();
                      EXPECT_TRUE(!anew || testing::eventually([&] { return go_on.load(); }));
                      records += static_cast<int>(part.records.size());
                      return Status();
                    },
                .on_reset =
                    [&](const PartitionReset&) {
                      anew = true;
                      records = 0;
                      return Status();
                    }});
  send("a");
  ASSERT_TRUE(log.start().ok());
  ASSERT_TRUE(log.wait_caught_up(kWaitMs).ok());
  EXPECT_TRUE(admin_->delete_topic("t").ok());
  EXPECT_TRUE(admin_->create_topic({.name = "t"}).ok());
  send("x");
  send("y");
  ASSERT_TRUE(testing::eventually([&] { return blocked.load(); }));
  EXPECT_EQ(log.read_to_end(10).code(), Code::timed_out);
  go_on = true;
  EXPECT_TRUE(log.read_to_end(kWaitMs).ok());
  EXPECT_EQ(records, 2);
}

TEST_F(TopicLogTest, CallsThoseWhoMustNotWait) {
  std::mutex mutex;
  std::vector<std::pair<std::string, Code>> told;
  const auto tell = [&](std::string name) {
    return [&, name](const Status& status) {
      const std::lock_guard lock(mutex);
      told.emplace_back(name, status.code());
    };
  };
  const auto came = [&](std::vector<std::pair<std::string, Code>> expected) {
    return testing::eventually([&] {
      const std::lock_guard lock(mutex);
      return told == expected;
    });
  };
  send("a");
  Follower one(*client_);
  one.log.call_when_read(kFirst, Offset(0), kWaitMs, tell("before the start"));
  ASSERT_TRUE(one.log.start().ok());
  EXPECT_TRUE(came({{"before the start", Code::ok}}));
  one.log.call_when_read(kFirst, Offset(0), kWaitMs, tell("read"));
  one.log.call_when_read(kFirst, Offset(9), 1, tell("too late"));
  EXPECT_TRUE(came({{"before the start", Code::ok}, {"read", Code::ok}, {"too late", Code::timed_out}}));
  told.clear();
  one.log.call_when_read(kFirst, Offset(9), kWaitMs, tell("of a topic made anew"));
  EXPECT_TRUE(admin_->delete_topic("t").ok());
  EXPECT_TRUE(admin_->create_topic({.name = "t"}).ok());
  EXPECT_TRUE(came({{"of a topic made anew", Code::aborted}}));
  told.clear();
  one.log.call_when_read(kFirst, Offset(9), kWaitMs, tell("when it stops"));
  one.log.stop();
  EXPECT_TRUE(came({{"when it stops", Code::aborted}}));
  one.log.call_when_read(kFirst, Offset(9), kWaitMs, tell("when it has stopped"));
  EXPECT_TRUE(came({{"when it stops", Code::aborted}, {"when it has stopped", Code::aborted}}));
}

TEST_F(TopicLogTest, AHandlerThatFailsEndsEveryWait) {
  Follower one(*client_);
  ASSERT_TRUE(one.log.start().ok());
  ASSERT_TRUE(one.log.wait_caught_up(kWaitMs).ok());
  one.reject = true;
  const ProducedRecord a = record("a");
  for (const Status& status :
       {one.log.write({&a, 1}, kWaitMs).status(), one.log.read_to_end(kWaitMs), one.log.wait_caught_up(kWaitMs)}) {
    EXPECT_EQ(status.code(), Code::invalid_argument) << status.to_string();
    EXPECT_EQ(status.message(), "topic=t partition=0 offsets=0 to 0: no use");
  }
}

TEST_F(TopicLogTest, ProgressIsCounted) {
  MetricsRegistry metrics;
  send("a");
  {
    Follower one(*client_, true, &metrics);
    ASSERT_TRUE(one.log.start().ok());
    ASSERT_TRUE(one.log.wait_caught_up(kWaitMs).ok());
    const Labels labels{{"log", "test"}};
    EXPECT_EQ(testing::metric_value(metrics, "muir_topic_log_records_total", labels), 1);
    EXPECT_EQ(testing::metric_value(metrics, "muir_topic_log_remaining_records", labels), 0);
    EXPECT_EQ(testing::metric_value(metrics, "muir_topic_log_failing", labels), 0);
    unreadable(wire::ErrorCode::topic_authorization_failed);
    EXPECT_TRUE(
        testing::eventually([&] { return testing::metric_value(metrics, "muir_topic_log_failing", labels) == 1; }));
    EXPECT_GE(testing::metric_value(metrics, "muir_topic_log_failures_total", labels), 1);
  }
  EXPECT_EQ(metrics.collect().size(), 0u);
}

}  // namespace
}  // namespace muir::client
