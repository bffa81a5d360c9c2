// Whole instances on the cluster in memory, driven by one thread: a run of one seed is always the same.
#include "streams/runtime/stream_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>

#include "base/file_fault.h"
#include "broker/broker.h"
#include "client/cluster_memory.h"
#include "client/kafka_client.h"
#include "streams/dsl.h"
#include "streams/error_handlers.h"
#include "streams/plan/plan.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"
#include "wire/error_code.h"
#include "wire/murmur2.h"

namespace muir::streams::internal {
namespace {

constexpr int kPartitions = 4;

using Text = std::string;
using Plan = std::shared_ptr<const TopologyPlan>;

// Counts the records of each key and writes every new count, as text, to "out".
struct Counting {
  std::vector<std::string> sources{"in"};
  store::StoreKind kind = store::StoreKind::in_memory;
  std::function<void()> on_count{};
};
Plan plan_of(const Counting& counting = {}) {
  StreamsBuilder builder;
  builder.stream<Text, Text>(counting.sources)
      .peek([](const Text& value) {
        if (value == "poison") throw std::invalid_argument("cannot process \"poison\"");
      })
      .group_by_key()
      .count({.store = "counts"})
      .to_stream()
      .map_values([on_count = counting.on_count](const int64_t& count) {
        if (on_count) on_count();
        return std::to_string(count);
      })
      .to("out");
  return builder.build()->plan("app", {.kind = counting.kind}).value();
}
constexpr char kChangelog[] = "app-counts-changelog";
constexpr std::string_view kSeven("\0\0\0\0\0\0\0\7", 8);  // as counts are stored

StreamsConfig config_of(const std::string& state_dir, bool exactly_once, const std::string& bootstrap = "memory:1",
                        int64_t cache_bytes = 0) {
  auto config = StreamsConfig::parse({{"application.id", "app"},
                                      {"bootstrap.servers", bootstrap},
                                      {"state.dir", state_dir},
                                      {"processing.guarantee", exactly_once ? "exactly_once_v2" : "at_least_once"},
                                      {"statestore.cache.max.bytes", std::to_string(cache_bytes)},
                                      {"commit.interval.ms", "100"}});
  CHECK(config.ok(), "{}", config.status().message());
  return *config;
}

// An instance of the application: one process with its own state folder and some threads.
class App {
 public:
  App(std::unique_ptr<client::Client> client, Clock& clock, Env& files, const Plan& plan, StreamsConfig config,
      int threads, FailureHandler on_failure = make_failure_handler({}))
      : config_(std::move(config)), client_(std::move(client)) {
    auto directory = StateDirectory::open(files, config_.state_dir, config_.application_id);
    CHECK(directory.ok(), "{}", directory.status().message());
    directory_ = std::move(*directory);
    context_.plan = plan;
    context_.config = &config_;
    context_.directory = directory_.get();
    context_.stores = &stores;
    context_.counters = &counters;
    context_.clock = &clock;
    context_.serdes = &serdes_;
    context_.on_failure = std::move(on_failure);
    for (int i = 1; i <= threads; ++i) {
      threads_.push_back(
          std::make_unique<StreamThread>(context_, *client_, i, "app-" + to_string(directory_->process_id()), nullptr));
      const Status opened = threads_.back()->open();
      CHECK(opened.ok(), "{}", opened.message());
    }
  }
  // One turn of each thread; a failure that ends a thread.
  Status turn() {
    for (auto& thread : threads_) {
      const auto done = thread->run_once();
      if (!done.ok()) return done.status();
    }
    return {};
  }
  void close(bool clean) {
    for (auto& thread : threads_) thread->close(clean);
  }
  [[nodiscard]] bool running() const {
    for (const auto& thread : threads_) {
      if (thread->state() != ThreadState::running) return false;
    }
    return true;
  }

  StoreRegistry stores;
  RuntimeCounters counters;

 private:
  StreamsConfig config_;
  std::unique_ptr<client::Client> client_;
  SerdeContext serdes_;
  std::unique_ptr<StateDirectory> directory_;
  RuntimeContext context_;
  std::vector<std::unique_ptr<StreamThread>> threads_;
};

class StreamThreadTest : public ::testing::Test {
 protected:
  StreamThreadTest() : clock_(1'000'000), cluster_(clock_), client_(cluster_.client()), admin_(*client_->admin()) {
    for (const char* topic : {"in", "out"}) {
      const Status created = admin_->create_topic({.name = topic, .partitions = kPartitions, .replication_factor = 1});
      CHECK(created.ok(), "{}", created.message());
    }
    producer_ = std::move(*client_->producer());
  }

  std::unique_ptr<App> app(const std::string& folder, bool exactly_once = true, int threads = 1) {
    return std::make_unique<App>(cluster_.client(), clock_, files_, plan_, config_of(folder, exactly_once), threads);
  }
  void produce(const std::string& key, const std::string& value = "x") {
    const client::ProducedRecord record{.topic = "in", .key = key, .value = value, .timestamp_ms = clock_.now_ms()};
    ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
    ASSERT_TRUE(producer_->flush(1000).ok());
  }
  // Turns until nothing moves any more: everything processed and committed.
  void settle(std::vector<App*> apps, int turns = 60) {
    for (int i = 0; i < turns; ++i) {
      for (auto* one : apps) {
        const Status done = one->turn();
        ASSERT_TRUE(done.ok()) << done.to_string();
      }
      clock_.advance_ms(20);
    }
  }
  // The last committed count of each key in `out`, and how often each (key, count) was written.
  std::map<std::string, int64_t> counts(bool* each_once = nullptr) {
    std::map<std::string, int64_t> out;
    for (int p = 0; p < kPartitions; ++p) {
      for (const auto& record : cluster_.stored({"out", PartitionId(p)})) {
        if (record.state != client::StoredRecord::State::committed) continue;
        const int64_t count = std::stoll(*record.value);
        if (each_once != nullptr && count != out[*record.key] + 1) *each_once = false;
        out[*record.key] = count;
      }
    }
    return out;
  }

  ManualClock clock_;
  client::MemoryCluster cluster_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Producer> producer_;
  Plan plan_ = plan_of();
  FaultEnv files_;
  testing::TempDir folder_;
};

TEST_F(StreamThreadTest, CountsWhatIsProduced) {
  for (const bool exactly_once : {false, true}) {
    SCOPED_TRACE(exactly_once ? "exactly once" : "at least once");
    const auto one = app(folder_.str() + (exactly_once ? "/eos" : "/alos"), exactly_once);
    const int64_t before = counts()["a"];
    produce("a");
    produce("b");
    produce("a");
    settle({one.get()});
    EXPECT_TRUE(one->running());
    EXPECT_EQ(counts()["a"], before + 2);
    one->close(true);
  }
}

TEST_F(StreamThreadTest, TimeOrderIsKeptBetweenInputsThatHaveRecords) {
  // Records of both topics are on the broker, but only some are fetched at a time; the order is that of their times.
  ASSERT_TRUE(admin_->create_topic({.name = "other", .partitions = kPartitions, .replication_factor = 1}).ok());
  plan_ = plan_of({.sources = {"in", "other"}});
  for (int i = 0; i < 50; ++i) {
    for (const auto& [topic, time] : {std::pair("in", 2 * i), std::pair("other", 2 * i + 1)}) {
      const client::ProducedRecord record{
          .topic = topic, .partition = PartitionId(0), .key = "k", .value = "x", .timestamp_ms = 1 + time};
      ASSERT_TRUE(producer_->send(std::span(&record, 1)).ok());
    }
  }
  ASSERT_TRUE(producer_->flush(1000).ok());
  cluster_.inject({.seed = 5, .poll_empty = 0.5});
  auto one = app(folder_.str());
  settle({one.get()}, 200);
  int64_t last = 0;
  int64_t records = 0;
  for (int p = 0; p < kPartitions; ++p) {
    for (const auto& record : cluster_.stored({"out", PartitionId(p)})) {
      if (record.state != client::StoredRecord::State::committed) continue;
      EXPECT_GT(record.timestamp_ms, last);
      last = record.timestamp_ms;
      ++records;
    }
  }
  EXPECT_EQ(records, 100);
  // An input that has nothing more does not hold the other one back.
  const client::ProducedRecord late{
      .topic = "in", .partition = PartitionId(0), .key = "k", .value = "x", .timestamp_ms = 1'000};
  ASSERT_TRUE(producer_->send(std::span(&late, 1)).ok());
  cluster_.inject({});
  settle({one.get()});
  EXPECT_EQ(counts()["k"], 101);
  one->close(true);
}

TEST_F(StreamThreadTest, PartitionTimeSurvivesInTheCommit) {
  auto one = app(folder_.str());
  produce("a");
  settle({one.get()});
  one->close(true);
  std::vector<client::TopicPartition> partitions;
  for (int p = 0; p < kPartitions; ++p) partitions.push_back({"in", PartitionId(p)});
  const auto offsets = admin_->committed_offsets("app", partitions, true);
  ASSERT_TRUE(offsets.ok());
  int64_t time = -1;
  for (const auto& [tp, offset] : *offsets) {
    if (offset.offset > Offset(0)) time = std::max(time, decode_commit_metadata(offset.metadata)->partition_time_ms);
  }
  EXPECT_EQ(time, 1'000'000);
}

TEST_F(StreamThreadTest, StateIsRestoredFromTheChangelogAfterACrash) {
  auto first = app(folder_.str() + "/1");
  for (int i = 0; i < 10; ++i) produce("k" + std::to_string(i % 3));
  settle({first.get()});
  first->close(false);
  first.reset();
  auto second = app(folder_.str() + "/2");
  for (int i = 0; i < 10; ++i) produce("k" + std::to_string(i % 3));
  settle({second.get()});
  bool each_once = true;
  EXPECT_EQ(counts(&each_once), (std::map<std::string, int64_t>{{"k0", 8}, {"k1", 6}, {"k2", 6}}));
  EXPECT_TRUE(each_once);
  EXPECT_GT(second->counters.records_restored, 0U);
  second->close(true);
}

// The files of RocksDB are on the same disk as checkpoints: what a loss of power leaves of them is never believed under
// exactly-once, for it may hold what an aborted transaction wrote.
TEST_F(StreamThreadTest, StoresOnADiskThatForgetsAreRestoredFromTheirChangelogs) {
  plan_ = plan_of({.kind = store::StoreKind::rocksdb});
  const auto begin = [&] { return app("/state"); };
  constexpr int kPowers = 3;
  for (int power = 1; power <= kPowers; ++power) {
    SCOPED_TRACE(fmt::format("loss of power {}", power));
    auto one = begin();
    for (int i = 0; i < 20; ++i) produce("k" + std::to_string(i));
    settle({one.get()});
    EXPECT_EQ(one->counters.records_restored > 0, power > 1);
    // Some of it is under way when the power goes.
    for (int i = 0; i < 20; ++i) produce("k" + std::to_string(i));
    ASSERT_TRUE(one->turn().ok());
    files_.fail_writes_after(0);
    files_.fail_syncs(true);
    one->close(false);
    one.reset();
    files_.crash(static_cast<uint64_t>(power));
    clock_.advance_ms(60'000);  // the group knows that it is gone
  }
  auto last = begin();
  settle({last.get()}, 200);
  last->close(true);
  bool each_once = true;
  const auto all = counts(&each_once);
  EXPECT_EQ(all.size(), 20u);
  for (const auto& [key, count] : all) EXPECT_EQ(count, 2 * kPowers) << key;
  EXPECT_TRUE(each_once);
}

// Of three owners of a task the first dies with a transaction open in the changelog, which only its timeout ends. The
// second restores before that record came, commits behind it and dies as well. The third must not take the last stable
// offset for the end of the changelog: what the second committed lies behind it.
TEST_F(StreamThreadTest, ATransactionThatOutlivesTwoOwnersHidesNothingFromTheThird) {
  for (const bool commits : {false, true}) {
    SCOPED_TRACE(commits ? "it commits in the end" : "it times out");
    const std::string key = commits ? "committed" : "timed-out";
    const auto second = app(folder_.str() + "/second-" + key);
    produce(key);
    settle({second.get()});
    ASSERT_EQ(counts()[key], 1);

    const Properties properties = {{"transactional.id", "app-dead-" + key}, {"transaction.timeout.ms", "10000"}};
    const auto dead = client_->producer(properties).value();
    ASSERT_TRUE(dead->init_transactions(1000).ok());
    ASSERT_TRUE(dead->begin_transaction().ok());
    const client::ProducedRecord open{
        .topic = kChangelog, .partition = wire::partition_for_key(key, kPartitions), .key = "another", .value = kSeven};
    ASSERT_TRUE(dead->send({&open, 1}).ok());

    produce(key);
    produce(key);
    settle({second.get()});
    ASSERT_EQ(counts()[key], 3);
    second->close(false);

    const auto third = app(folder_.str() + "/third-" + key);
    produce(key);
    settle({third.get()});
    EXPECT_EQ(counts()[key], 3) << "the outcome of the open transaction is waited for";
    if (commits) {
      ASSERT_TRUE(dead->commit_transaction(1000).ok());
    }
    settle({third.get()}, 500);
    bool each_once = true;
    EXPECT_EQ(counts(&each_once)[key], 4);
    EXPECT_TRUE(each_once);
    third->close(true);
  }
}

// The same on a broker, in real time: what the threads of an application do on it, step by step.
TEST(StreamThreadOnMuirsBroker, ATransactionThatOutlivesTwoOwnersHidesNothingFromTheThird) {
  testing::TempDir folder;
  auto broker =
      broker::Broker::start({.port = 0,
                             .data_dir = folder.str() + "/broker",
                             .properties = {{"group.initial.rebalance.delay.ms", "0"},
                                            {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "200"}}});
  ASSERT_TRUE(broker.ok()) << broker.status().message();
  const std::string bootstrap = fmt::format("127.0.0.1:{}", (*broker)->port());
  const auto connect = [&] { return client::connect_kafka({{"bootstrap.servers", bootstrap}}).value(); };
  const auto client = connect();
  const auto admin = client->admin().value();
  for (const char* topic : {"in", "out"}) {
    ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = 1, .replication_factor = 1}).ok());
  }
  const Plan plan = plan_of();
  const auto start = [&](const std::string& name) {
    return std::make_unique<App>(connect(), system_clock(), system_env(), plan,
                                 config_of(folder.str() + "/" + name, true, bootstrap), 1);
  };
  const auto producer = client->producer().value();
  const auto produce = [&](int count) {
    const client::ProducedRecord record{.topic = "in", .key = "k", .value = "x"};
    for (int i = 0; i < count; ++i) ASSERT_TRUE(producer->send({&record, 1}).ok());
    ASSERT_TRUE(producer->flush(10'000).ok());
  };
  const auto reader = client->consumer({{"isolation.level", "read_committed"}}).value();
  ASSERT_TRUE(reader->assign({{{"out", PartitionId(0)}, client::kOffsetEarliest}}).ok());
  int64_t last = 0;
  // One turn of the application; then each count that has been committed must follow the one before it.
  const auto turn = [&](App& app) {
    const Status done = app.turn();
    EXPECT_TRUE(done.ok()) << done.to_string();
    const auto records = reader->poll(1);
    if (!records.ok()) return;
    for (const auto& part : (*records)->partitions()) {
      for (const auto& record : part.records) EXPECT_EQ(std::stoll(std::string(*record.value)), ++last);
    }
  };
  const auto count_to = [&](App& app, int64_t wanted) {
    return testing::eventually([&] {
      turn(app);
      return last == wanted || ::testing::Test::HasFailure();
    });
  };

  auto second = start("second");
  produce(1);
  ASSERT_TRUE(count_to(*second, 1));
  const auto dead = client->producer({{"transactional.id", "app-dead"}, {"transaction.timeout.ms", "4000"}}).value();
  ASSERT_TRUE(dead->init_transactions(10'000).ok());
  ASSERT_TRUE(dead->begin_transaction().ok());
  const client::ProducedRecord open{
      .topic = kChangelog, .partition = PartitionId(0), .key = "another", .value = kSeven};
  ASSERT_TRUE(dead->send({&open, 1}).ok());
  ASSERT_TRUE(dead->flush(10'000).ok());
  produce(2);
  ASSERT_TRUE(count_to(*second, 3));
  second->close(false);

  auto third = start("third");
  produce(1);
  EXPECT_TRUE(count_to(*third, 4));
  EXPECT_GE(third->counters.records_restored, 3U);
  third->close(true);
  EXPECT_TRUE((*broker)->stop().ok());
}

TEST_F(StreamThreadTest, OfManyTasksTheFirstProcessWhileOthersOpenAndACleanCloseKeepsTheStateOfAll) {
  constexpr int kMany = 120;
  const Plan plan = plan_of({.kind = store::StoreKind::rocksdb});
  client::MemoryCluster cluster(clock_);
  const auto client = cluster.client();
  const auto admin = std::move(*client->admin());
  for (const char* topic : {"in", "out"})
    ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = kMany, .replication_factor = 1}).ok());
  const auto producer = std::move(*client->producer());
  const auto produce_to_all = [&] {
    for (int p = 0; p < kMany; ++p) {
      const client::ProducedRecord record{
          .topic = "in", .partition = PartitionId(p), .key = "k", .value = "x", .timestamp_ms = clock_.now_ms()};
      ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
    }
    ASSERT_TRUE(producer->flush(1000).ok());
  };
  const auto process_all = [&](App& app, std::function<void()> after_turn) {
    for (int turn = 0; turn < 200 && app.counters.records_processed < kMany; ++turn) {
      const Status done = app.turn();
      ASSERT_TRUE(done.ok()) << done.to_string();
      after_turn();
      clock_.advance_ms(20);
    }
    EXPECT_EQ(app.counters.records_processed, static_cast<uint64_t>(kMany));
  };
  produce_to_all();
  auto first = std::make_unique<App>(cluster.client(), clock_, system_env(), plan, config_of(folder_.str(), true), 1);
  uint64_t opened_before = 0;
  process_all(*first, [&] {
    if (opened_before == 0 && first->counters.records_processed > 0) opened_before = first->counters.tasks_created;
  });
  EXPECT_GT(opened_before, 0U);
  EXPECT_LT(opened_before, static_cast<uint64_t>(kMany));
  EXPECT_EQ(first->counters.tasks_created, static_cast<uint64_t>(kMany));
  first->close(true);
  first.reset();  // its folder is locked as long
  produce_to_all();
  App second(cluster.client(), clock_, system_env(), plan, config_of(folder_.str(), true), 1);
  process_all(second, [] {});
  EXPECT_EQ(second.counters.records_restored, 0U);
  second.close(true);
}

TEST_F(StreamThreadTest, ACleanCloseLeavesACheckpointAndNothingIsRestored) {
  plan_ = plan_of({.kind = store::StoreKind::rocksdb});
  auto first = app(folder_.str());
  for (int i = 0; i < 10; ++i) produce("k");
  settle({first.get()});
  first->close(true);
  first.reset();
  auto second = app(folder_.str());
  produce("k");
  settle({second.get()});
  EXPECT_EQ(counts()["k"], 11);
  EXPECT_EQ(second->counters.records_restored, 0U);
  second->close(false);
  second.reset();
  // A crash leaves no checkpoint under exactly-once: the store is filled anew.
  auto third = app(folder_.str());
  produce("k");
  settle({third.get()});
  EXPECT_EQ(counts()["k"], 12);
  EXPECT_GT(third->counters.records_restored, 0U);
  third->close(true);
}

TEST_F(StreamThreadTest, TasksMoveToANewInstanceWithoutLossOrRepetition) {
  auto first = app(folder_.str() + "/1");
  for (int i = 0; i < 40; ++i) produce("k" + std::to_string(i));
  settle({first.get()});
  auto second = app(folder_.str() + "/2");
  for (int i = 0; i < 40; ++i) {
    produce("k" + std::to_string(i));
    settle({first.get(), second.get()}, 3);
  }
  settle({first.get(), second.get()});
  bool each_once = true;
  for (const auto& [key, count] : counts(&each_once)) EXPECT_EQ(count, 2) << key;
  EXPECT_TRUE(each_once);
  EXPECT_GT(second->counters.records_processed, 0U);
  EXPECT_EQ(first->counters.tasks_revived, 0U);
  first->close(true);
  for (int i = 0; i < 40; ++i) produce("k" + std::to_string(i));
  settle({second.get()});
  for (const auto& [key, count] : counts(&each_once)) EXPECT_EQ(count, 3) << key;
  EXPECT_TRUE(each_once);
  second->close(true);
}

// A commit before a rebalance may take so long that the group goes on without the member, which learns it from the
// refused offsets and only then from the group.
TEST_F(StreamThreadTest, ACommitThatIsRefusedBecauseThePlaceIsLostDoesNotEndTheThread) {
  bool slow = false;
  plan_ = plan_of({.on_count = [&] {
    if (!std::exchange(slow, false)) return;
    for (const auto& [member, assignment] : cluster_.assignments("app")) cluster_.expire_member("app", member);
  }});
  const auto start = [&](const std::string& name) {
    return std::make_unique<App>(cluster_.client(), clock_, files_, plan_,
                                 config_of(folder_.str() + name, true, "memory:1", 100'000), 1);
  };
  const auto first = start("/1");
  settle({first.get()});
  produce("a");
  ASSERT_TRUE(first->turn().ok());  // commits
  produce("b");
  ASSERT_TRUE(first->turn().ok());  // and does not yet, so that the cache holds what is to be told
  const auto second = start("/2");
  ASSERT_TRUE(second->turn().ok());
  slow = true;
  settle({first.get(), second.get()});
  EXPECT_FALSE(slow);
  EXPECT_EQ(counts(), (std::map<std::string, int64_t>{{"a", 1}, {"b", 1}}));
  first->close(true);
  second->close(true);
}

// Forwards what came since the last time, and forgets it, whenever a timer says so.
class Timed final : public Processor<Text, Text, Text, Text> {
 public:
  explicit Timed(const std::function<void()>& on_write) : on_write_(on_write) {}
  Status init(Context& task) override {
    kept_ = MUIR_TRY((task.key_value_store<Text, Text>("kept")));
    task.schedule(std::chrono::seconds(1), PunctuationType::wall_clock_time, [this](int64_t now_ms) -> Status {
      const std::optional<Text> value = MUIR_TRY(kept_.get("k"));
      if (!value) return {};
      const Text key = "k";
      on_write_();
      MUIR_RETURN_IF_ERROR(context().forward({.key = &key, .value = &*value, .timestamp_ms = now_ms}));
      return kept_.erase(key);
    });
    return {};
  }
  Status process(const Record<Text, Text>& record) override { return kept_.put(*record.key, *record.value); }

 private:
  const std::function<void()>& on_write_;
  KeyValueStore<Text, Text> kept_;
};

// Offsets are what the group checks of a transaction; what only timers wrote has no new ones.
TEST_F(StreamThreadTest, WhatTimersWriteIsNotCommittedByAMemberThatTheGroupHasGivenUp) {
  int written = 0;
  const std::function<void()> on_write = [&] {
    if (++written > 1) return;
    for (const auto& [member, assignment] : cluster_.assignments("app")) cluster_.expire_member("app", member);
  };
  StreamsBuilder builder;
  builder.add_state_store(KeyValueStoreBuilder<Text, Text>{.name = "kept", .kind = store::StoreKind::in_memory});
  builder.stream<Text, Text>("in")
      .process([&] { return std::make_unique<Timed>(on_write); }, {.name = "timed", .stores = {"kept"}})
      .to("out");
  plan_ = builder.build()->plan("app").value();
  const auto committed = [&] {
    int64_t count = 0;
    for (int p = 0; p < kPartitions; ++p) {
      for (const auto& record : cluster_.stored({"out", PartitionId(p)}))
        count += record.state == client::StoredRecord::State::committed ? 1 : 0;
    }
    return count;
  };
  const auto one = app(folder_.str());
  settle({one.get()}, 60);  // each task's timer has run, and the offset it begins with is committed
  produce("k", "7");
  settle({one.get()}, 20);  // the record's offset is committed
  EXPECT_EQ(committed(), 0);
  for (int i = 0; i < 200 && written == 0; ++i) {
    ASSERT_TRUE(one->turn().ok());
    clock_.advance_ms(20);
  }
  ASSERT_EQ(written, 1);
  EXPECT_EQ(committed(), 0) << "a zombie's";
  settle({one.get()}, 200);
  EXPECT_EQ(written, 2);
  EXPECT_EQ(committed(), 1);
  one->close(true);
}

TEST_F(StreamThreadTest, AFailureOfTheTopologyEndsTheThread) {
  auto one = app(folder_.str());
  produce("a");
  settle({one.get()});
  produce("a", "poison");
  Status ended;
  for (int i = 0; i < 20 && ended.ok(); ++i) ended = one->turn();
  EXPECT_EQ(ended.code(), Code::invalid_argument) << ended.to_string();
  one->close(false);
  EXPECT_EQ(counts()["a"], 1);
}

// Counts how often consumers are given partitions: each time costs questions to the cluster.
class CountingConsumer final : public client::Consumer {
 public:
  CountingConsumer(std::unique_ptr<client::Consumer> inner, int& assigned)
      : inner_(std::move(inner)), assigned_(assigned) {}
  Status assign(const std::vector<client::PartitionStart>& add) override {
    ++assigned_;
    return inner_->assign(add);
  }
  Status unassign(const std::vector<client::TopicPartition>& remove) override { return inner_->unassign(remove); }
  Status seek(const client::PartitionStart& to) override { return inner_->seek(to); }
  Status pause(const std::vector<client::TopicPartition>& partitions) override { return inner_->pause(partitions); }
  Status resume(const std::vector<client::TopicPartition>& partitions) override { return inner_->resume(partitions); }
  client::Polled poll(int64_t timeout_ms, size_t records_max) override { return inner_->poll(timeout_ms, records_max); }
  Result<Offset> position(const client::TopicPartition& partition) override { return inner_->position(partition); }
  std::optional<Offset> end_offset(const client::TopicPartition& partition) override {
    return inner_->end_offset(partition);
  }
  void wakeup() override { inner_->wakeup(); }

 private:
  std::unique_ptr<client::Consumer> inner_;
  int& assigned_;
};

class CountingClient final : public client::Client {
 public:
  CountingClient(std::unique_ptr<client::Client> inner, int& assigned)
      : inner_(std::move(inner)), assigned_(assigned) {}
  Result<std::unique_ptr<client::Producer>> producer(const Properties& overrides) override {
    return inner_->producer(overrides);
  }
  Result<std::unique_ptr<client::Consumer>> consumer(const Properties& overrides) override {
    auto made = MUIR_TRY(inner_->consumer(overrides));
    return std::unique_ptr<client::Consumer>(std::make_unique<CountingConsumer>(std::move(made), assigned_));
  }
  Result<std::unique_ptr<client::Admin>> admin(const Properties& overrides) override {
    return inner_->admin(overrides);
  }
  Result<std::unique_ptr<client::GroupMember>> group_member(const client::GroupMemberOptions& options,
                                                            client::GroupProtocol& protocol) override {
    return inner_->group_member(options, protocol);
  }

 private:
  std::unique_ptr<client::Client> inner_;
  int& assigned_;
};

TEST_F(StreamThreadTest, TheTasksOfAnAssignmentBeginTogether) {
  int assigned = 0;
  App one(std::make_unique<CountingClient>(cluster_.client(), assigned), clock_, files_, plan_,
          config_of(folder_.str(), true), 1);
  for (int i = 0; i < 8; ++i) produce(std::to_string(i));
  settle({&one});
  EXPECT_EQ(counts().size(), 8u);
  EXPECT_EQ(assigned, 1) << "of " << kPartitions << " tasks";
  one.close(true);
}

// What becomes of a thread whose sink refuses everything.
struct RefusedSink {
  wire::ErrorCode error;
  bool asked[2];    // whether the handler is, at least once and exactly once
  bool waits[2];    // for task.timeout.ms, on virtual time; false: ends at once
  bool goes_on[2];  // when the handler says so
};

TEST_F(StreamThreadTest, ASinkThatRefusesForGoodEndsTheThreadAtOnceAndSaysWhereAndWhy) {
  using enum wire::ErrorCode;
  const RefusedSink cases[] = {
      {topic_authorization_failed, {false, false}, {false, false}, {false, false}},
      {cluster_authorization_failed, {false, false}, {false, false}, {false, false}},
      {transactional_id_authorization_failed, {false, false}, {false, false}, {false, false}},
      {invalid_topic_exception, {false, false}, {false, false}, {false, false}},
      {unknown_server_error, {false, false}, {false, false}, {false, false}},
      {unsupported_version, {true, false}, {false, false}, {true, false}},
      {message_too_large, {true, true}, {false, false}, {true, true}},
      {invalid_timestamp, {true, true}, {false, false}, {true, true}},
      {invalid_record, {true, true}, {false, false}, {true, true}},
      {policy_violation, {true, true}, {false, false}, {true, true}},
      {not_enough_replicas, {true, false}, {true, true}, {true, false}},
      {kafka_storage_error, {true, false}, {true, true}, {true, false}},
      {corrupt_message, {true, false}, {true, true}, {true, false}},
  };
  int number = 0;
  for (const RefusedSink& c : cases) {
    for (const bool exactly_once : {false, true}) {
      for (const bool proceed : {false, true}) {
        SCOPED_TRACE(fmt::format("{}, {}, {}", wire::name_of(c.error), exactly_once ? "exactly once" : "at least once",
                                 proceed ? "continue" : "default"));
        ManualClock clock(1'000'000);
        client::MemoryCluster cluster(clock);
        auto client = cluster.client();
        auto admin = *client->admin();
        for (const char* topic : {"in", "out"}) {
          ASSERT_TRUE(admin->create_topic({.name = topic, .partitions = 1, .replication_factor = 1}).ok());
        }
        auto producer = *client->producer();
        const client::ProducedRecord record{.topic = "in", .key = "a", .value = "x", .timestamp_ms = 5};
        ASSERT_TRUE(producer->send(std::span(&record, 1)).ok());
        client::FaultPlan plan;
        plan.refused_topics["out"] = static_cast<int>(c.error);
        cluster.inject(plan);
        int asked = 0;
        const FailureHandler fails = make_failure_handler({});
        App one(cluster.client(), clock, files_, plan_,
                config_of(fmt::format("{}/{}", folder_.str(), number++), exactly_once), 1,
                [&](const FailedRecord& failed, RecordSink& sink) {
                  ++asked;
                  return proceed ? Status() : fails(failed, sink);
                });
        Status ended;
        const int64_t began_ms = clock.now_ms();
        const auto committed = [&] {
          const auto at = admin->committed_offsets("app", {{"in", PartitionId(0)}}, true);
          return at.ok() && !at->empty() && at->begin()->second.offset == Offset(1);
        };
        for (int i = 0; i < 10'000 && ended.ok() && !committed(); ++i) {
          ended = one.turn();
          clock.advance_ms(i < 50 ? 100 : 5'000);
        }
        EXPECT_EQ(asked > 0, c.asked[exactly_once]);
        if (proceed && c.goes_on[exactly_once]) {
          EXPECT_TRUE(ended.ok()) << ended.to_string();
          EXPECT_TRUE(committed());
          one.close(true);
          continue;
        }
        ASSERT_FALSE(ended.ok());
        EXPECT_FALSE(committed());
        EXPECT_EQ(clock.now_ms() - began_ms > 300'000, c.waits[exactly_once]) << clock.now_ms() - began_ms;
        EXPECT_LT(c.waits[exactly_once] ? 0 : clock.now_ms() - began_ms, 5'000) << ended.to_string();
        const std::string cause(wire::name_of(c.error));
        for (const std::string& part : {cause, std::string("out partition=0")}) {
          EXPECT_NE(ended.message().find(part), std::string::npos) << ended.message();
        }
        if (!c.waits[exactly_once]) {
          EXPECT_NE(ended.message().find("task 0_0"), std::string::npos) << ended.message();
        }
        one.close(false);
      }
    }
  }
}

TEST_F(StreamThreadTest, OffsetsThatATransactionMayNotHaveEndTheThreadAtOnce) {
  client::FaultPlan plan;
  plan.refused_offsets = static_cast<int>(wire::ErrorCode::group_authorization_failed);
  cluster_.inject(plan);
  auto one = app(folder_.str());
  produce("a");
  Status ended;
  for (int i = 0; i < 100 && ended.ok(); ++i) {
    ended = one->turn();
    clock_.advance_ms(20);
  }
  EXPECT_EQ(ended.code(), Code::aborted);
  for (const char* part :
       {"GROUP_AUTHORIZATION_FAILED", "transactional.id=app-", "writes to app-counts-changelog, out"}) {
    EXPECT_NE(ended.message().find(part), std::string::npos) << ended.message();
  }
  one->close(false);
}

TEST_F(StreamThreadTest, MissingSourceTopicsEndTheThreadWithTheirNames) {
  plan_ = plan_of({.sources = {"in", "nowhere"}});
  auto one = app(folder_.str());
  Status ended;
  for (int i = 0; i < 20 && ended.ok(); ++i) ended = one->turn();
  EXPECT_EQ(ended.code(), Code::not_found);
  EXPECT_NE(ended.message().find("nowhere"), std::string::npos) << ended.message();
  one->close(false);
}

}  // namespace
}  // namespace muir::streams::internal
