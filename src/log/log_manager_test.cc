#include "log/log_manager.h"

#include <gtest/gtest.h>

#include "base/file_fault.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"
#include "testing/eventually.h"

namespace muir::log {
namespace {

using wire::ErrorCode;

class LogManagerTest : public ::testing::Test {
 protected:
  void open(Properties broker = {}) {
    logs_.reset();
    LogOptions options;
    options.folder = "/data";
    options.broker = std::move(broker);
    options.env = &env_;
    auto opened = LogManager::open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    logs_ = *std::move(opened);
  }
  // Power is lost: the manager's destructor finds a disk that takes nothing more.
  void crash(uint64_t seed) {
    env_.fail_writes_after(0);
    env_.fail_syncs(true);
    logs_.reset();
    env_.crash(seed);
    ASSERT_FALSE(env_.exists("/data/.kafka_cleanshutdown"));
  }
  // Appends and waits until it is durable.
  void append(const std::string& topic, PartitionId partition, const std::string& value) {
    const Bytes bytes = test_batch(value);
    std::atomic<bool> done = false;
    ASSERT_TRUE(logs_->find_partition(topic, partition)
                    ->append(*wire::BatchView::parse(bytes),
                             [&](const Status& status) {
                               EXPECT_TRUE(status.ok());
                               done = true;
                             })
                    .ok());
    ASSERT_TRUE(testing::eventually([&] { return done.load(); }));
  }
  std::vector<std::string> read(const std::string& topic, PartitionId partition) {
    const auto result = logs_->find_partition(topic, partition)->read({Offset(0), 1 << 20, true, {}});
    return describe_records(result->records);
  }
  ErrorCode create(const std::string& name, int32_t partitions = 1, const Properties& settings = {}) {
    return kafka_code(logs_->create_topic(name, partitions, settings).status());
  }

  FaultEnv env_;
  std::unique_ptr<LogManager> logs_;
};

TEST_F(LogManagerTest, TopicsAndTheirSettingsSurviveAnyEnd) {
  for (const bool clean : {true, false}) {
    SCOPED_TRACE(clean);
    open();
    const std::string cluster = logs_->cluster_id();
    ASSERT_EQ(create(clean ? "first" : "second", 3, {{"retention.ms", "1234"}}), ErrorCode::none);
    append(clean ? "first" : "second", PartitionId(2), "hello");
    if (clean) {
      ASSERT_TRUE(logs_->close().ok());
    } else {
      crash(1);
    }
    open();
    EXPECT_EQ(logs_->cluster_id(), cluster);
    const auto topic = logs_->find_topic(clean ? "first" : "second");
    ASSERT_NE(topic, nullptr);
    EXPECT_EQ(topic->partitions.size(), 3u);
    EXPECT_EQ(topic->config->retention_ms, 1234);
    EXPECT_EQ(logs_->find_topic(topic->id), topic);
    EXPECT_EQ(read(topic->name, PartitionId(2)), std::vector<std::string>{"0:hello"});
  }
}

TEST_F(LogManagerTest, CreateTopicRefusesWhatKafkaRefuses) {
  open();
  ASSERT_EQ(create("a.b"), ErrorCode::none);
  const struct {
    std::string name;
    int32_t partitions;
    Properties settings;
    ErrorCode expected;
  } cases[] = {
      {"a.b", 1, {}, ErrorCode::topic_already_exists},
      {"a_b", 1, {}, ErrorCode::invalid_topic_exception},
      {"a b", 1, {}, ErrorCode::invalid_topic_exception},
      {"c", 0, {}, ErrorCode::invalid_partitions},
      {"c", -1, {}, ErrorCode::invalid_partitions},
      {"c", 1, {{"no.such.key", "1"}}, ErrorCode::invalid_config},
      {"c", 1, {{"retention.ms", "soon"}}, ErrorCode::invalid_config},
      {"c", 1, {{"cleanup.policy", "shred"}}, ErrorCode::invalid_config},
      {"c", 1, {{"min.cleanable.dirty.ratio", "1.5"}}, ErrorCode::invalid_config},
      {"c", 1, {{"cleanup.policy", "compact,delete"}, {"compression.type", "zstd"}}, ErrorCode::none},
  };
  for (const auto& c : cases) EXPECT_EQ(create(c.name, c.partitions, c.settings), c.expected) << c.name;
}

TEST_F(LogManagerTest, DefaultsComeFromTheBrokersProperties) {
  open({{"log.retention.hours", "2"}, {"log.segment.bytes", "5000"}, {"message.max.bytes", "777"}});
  ASSERT_EQ(create("t", 1, {{"segment.bytes", "6000"}}), ErrorCode::none);
  const auto config = logs_->find_topic("t")->config;
  EXPECT_EQ(config->retention_ms, 7'200'000);
  EXPECT_EQ(config->segment_bytes, 6000);
  EXPECT_EQ(config->message_bytes_max, 777);
}

TEST_F(LogManagerTest, PartitionsAreAddedAndKeepTheirRecords) {
  open();
  ASSERT_EQ(create("t", 2), ErrorCode::none);
  append("t", PartitionId(1), "x");
  EXPECT_EQ(kafka_code(logs_->add_partitions("t", 2)), ErrorCode::invalid_partitions);
  EXPECT_EQ(kafka_code(logs_->add_partitions("none", 2)), ErrorCode::unknown_topic_or_partition);
  ASSERT_TRUE(logs_->add_partitions("t", 4).ok());
  EXPECT_EQ(logs_->find_topic("t")->partitions.size(), 4u);
  EXPECT_EQ(read("t", PartitionId(1)), std::vector<std::string>{"0:x"});
  crash(3);
  open();
  EXPECT_EQ(logs_->find_topic("t")->partitions.size(), 4u);
}

TEST_F(LogManagerTest, ADeletedTopicIsGoneAndItsNameIsFree) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  const auto id = logs_->find_topic("t")->id;
  append("t", PartitionId(0), "old");
  ASSERT_TRUE(logs_->delete_topic("t").ok());
  EXPECT_EQ(logs_->find_topic("t"), nullptr);
  EXPECT_EQ(logs_->find_topic(id), nullptr);
  EXPECT_EQ(kafka_code(logs_->delete_topic("t")), ErrorCode::unknown_topic_or_partition);
  ASSERT_EQ(create("t"), ErrorCode::none);
  EXPECT_NE(logs_->find_topic("t")->id, id);
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_end, Offset(0));
  EXPECT_TRUE(testing::eventually([&] {
    const auto names = env_.list("/data").value();
    return std::none_of(names.begin(), names.end(), [](const auto& name) { return name.ends_with("-delete"); });
  }));
}

TEST_F(LogManagerTest, SettingsChangeWhileTheTopicIsInUse) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  const auto partition = logs_->find_partition("t", PartitionId(0));
  ASSERT_TRUE(logs_->set_topic_config("t", {{"segment.bytes", "100"}}).ok());
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0)), partition);
  EXPECT_EQ(partition->config()->segment_bytes, 100);
  EXPECT_EQ(kafka_code(logs_->set_topic_config("t", {{"segment.bytes", "x"}})), ErrorCode::invalid_config);
  crash(4);
  open();
  EXPECT_EQ(logs_->find_topic("t")->overrides, (Properties{{"segment.bytes", "100"}}));
}

TEST_F(LogManagerTest, TheFolderIsOneBrokersAtATime) {
  open();
  LogOptions options;
  options.folder = "/data";
  options.env = &env_;
  int64_t waited_ms = 0;
  options.wait = [&](int64_t ms) { waited_ms += ms; };
  const auto second = LogManager::open(options);
  EXPECT_EQ(second.status().code(), Code::already_exists);
  EXPECT_NE(second.status().message().find("in use by another broker"), std::string::npos) << second.status().message();
  EXPECT_EQ(waited_ms, 3000) << "and no longer";
  ASSERT_EQ(create("still-works"), ErrorCode::none);
}

TEST_F(LogManagerTest, AFolderIsTakenOverWhenItsBrokerEndsMeanwhile) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  append("t", PartitionId(0), "x");
  LogOptions options;
  options.folder = "/data";
  options.env = &env_;
  int waits = 0;
  options.wait = [&](int64_t) {
    if (++waits == 3) logs_.reset();
  };
  auto next = LogManager::open(options);
  ASSERT_TRUE(next.ok()) << next.status().to_string();
  EXPECT_EQ(waits, 3);
  logs_ = *std::move(next);
  EXPECT_EQ(read("t", PartitionId(0)), std::vector<std::string>{"0:x"});
}

TEST_F(LogManagerTest, PartitionsAreRecoveredAlikeOnOneThreadAndOnMany) {
  open();
  std::map<std::pair<std::string, PartitionId>, std::vector<std::string>> written;
  for (const std::string topic : {"a", "b", "c"}) {
    ASSERT_EQ(create(topic, 5), ErrorCode::none);
    for (int i = 0; i < 5; ++i) {
      const PartitionId partition(i);
      for (int n = 0; n <= i; ++n) append(topic, partition, fmt::format("{}{}{}", topic, i, n));
      written[{topic, partition}] = read(topic, partition);
    }
  }
  for (const std::string threads : {"1", "2", "7", "1000"}) {
    SCOPED_TRACE(threads);
    crash(11);
    for (const auto& [place, _] : written) {
      const std::string name = fmt::format("/data/{}-{}/00000000000000000000.log", place.first, place.second);
      const auto file = env_.open(name, OpenMode::read_write).value();
      ASSERT_TRUE(file->write_at(file->size().value(), "half a batch that was being written").ok());
    }
    open({{"num.recovery.threads.per.data.dir", threads}});
    for (const auto& [place, records] : written) EXPECT_EQ(read(place.first, place.second), records) << place.first;
  }
}

TEST_F(LogManagerTest, OnePartitionThatCannotBeOpenedStopsTheStart) {
  open();
  ASSERT_EQ(create("t", 8), ErrorCode::none);
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  ASSERT_TRUE(env_.remove_all("/data/t-5").ok());
  env_.fail_writes_after(0);  // its files cannot be made again
  LogOptions options;
  options.folder = "/data";
  options.env = &env_;
  const auto opened = LogManager::open(options);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find("t-5"), std::string::npos) << opened.status().message();
}

TEST_F(LogManagerTest, RecordsOfADeletedTopicDoNotComeBackInOneOfTheSameName) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  append("t", PartitionId(0), "of the first one");
  const auto first = logs_->find_partition("t", PartitionId(0));
  ASSERT_TRUE(logs_->delete_records_before(*first, Offset(1)).ok());
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  // As a crash leaves it when the new topic is durable and the removal of the old one's folder is not.
  const TopicEntries made_again = {{"t", {*wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw"), 1, {}}}};
  ASSERT_TRUE(env_.replace_file("/data/muir-topics", encode_topic_registry(made_again)).ok());
  open();
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_end, Offset(0)) << "nor its offsets";
  EXPECT_TRUE(env_.exists("/data/t-0-stray/partition.metadata"));
}

TEST_F(LogManagerTest, AFolderThatBelongsToNoTopicIsSetAside) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  ASSERT_TRUE(logs_->close().ok());
  ASSERT_TRUE(env_.make_folders("/data/stranger-0").ok());
  ASSERT_TRUE(env_.replace_file("/data/stranger-0/partition.metadata", "version: 0\n").ok());
  open();
  EXPECT_EQ(logs_->find_topic("stranger"), nullptr);
  EXPECT_TRUE(env_.exists("/data/stranger-0-stray/partition.metadata"));
  ASSERT_TRUE(logs_->close().ok());
  ASSERT_TRUE(env_.make_folders("/data/stranger-0").ok());
  ASSERT_TRUE(env_.replace_file("/data/stranger-0/partition.metadata", "version: 0\n").ok());
  open();
  EXPECT_TRUE(env_.exists("/data/stranger-0.2-stray/partition.metadata")) << "another one of that name";
}

TEST_F(LogManagerTest, ATopicThatCannotBeMadeIsNotThere) {
  open();
  env_.fail_writes_after(3);
  EXPECT_NE(create("t", 5), ErrorCode::none);
  env_.fail_writes_after(std::nullopt);
  EXPECT_EQ(logs_->find_topic("t"), nullptr);
  EXPECT_EQ(create("t", 5), ErrorCode::none);
  append("t", PartitionId(4), "x");
}

TEST_F(LogManagerTest, ADamagedRegistryStopsTheStartInsteadOfLosingTopics) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  ASSERT_TRUE(env_.replace_file("/data/muir-topics", "muir-topics 1\n").ok());
  LogOptions options;
  options.folder = "/data";
  options.env = &env_;
  EXPECT_EQ(LogManager::open(options).status().code(), Code::data_loss);
}

TEST_F(LogManagerTest, DeletedRecordsStayDeletedAfterACrash) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  for (int i = 0; i < 5; ++i) append("t", PartitionId(0), "x");
  ASSERT_EQ(logs_->delete_records_before(*logs_->find_partition("t", PartitionId(0)), Offset(3)).value(), Offset(3));
  crash(9);
  open();
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_start, Offset(3));
}

}  // namespace
}  // namespace muir::log
