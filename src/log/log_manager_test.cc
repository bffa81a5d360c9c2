#include "log/log_manager.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file_fault.h"
#include "log/file_names.h"
#include "log/internal/partition_fixture.h"
#include "log/kafka_error.h"
#include "testing/eventually.h"

namespace muir::storage {
namespace {

using wire::ErrorCode;
using Lines = std::vector<std::string>;

class LogManagerTest : public ::testing::Test {
 protected:
  void open(Properties broker = {}, Housekeeping housekeeping = {}) {
    logs_.reset();
    LogOptions options;
    options.housekeeping = housekeeping;
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
  void restart(uint64_t seed) {
    if (seed % 2 == 0) {
      crash(seed);
    } else {
      ASSERT_TRUE(logs_->close().ok());
    }
    open();
  }
  Result<Offset> delete_records_before(std::shared_ptr<Partition> partition, Offset offset) {
    std::vector<LogManager::RecordDeletion> deletions(1);
    deletions[0].partition = std::move(partition);
    deletions[0].before = offset;
    logs_->delete_records(deletions);
    if (!deletions[0].status.ok()) return deletions[0].status;
    return deletions[0].start;
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

// However many folders of deleted topics the end before left: they go while the broker runs.
TEST_F(LogManagerTest, AStartDoesNotWaitForTheFoldersOfDeletedTopics) {
  open();
  const std::string folder = "/data/" + folder_name_aside("t-0", wire::Uuid{}.to_string(), kDeleteSuffix);
  logs_.reset();
  ASSERT_TRUE(env_.make_folders(folder).ok());
  ASSERT_TRUE(env_.write_file(folder + "/00000000000000000000.log", "x").ok());
  open();
  EXPECT_TRUE(testing::eventually([&] { return !env_.exists(folder); }));
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
  for (const int64_t threads : {1, 2, 7, 1000}) {
    SCOPED_TRACE(threads);
    crash(11);
    for (const auto& [place, _] : written) {
      const std::string name = fmt::format("/data/{}-{}/00000000000000000000.log", place.first, place.second);
      const auto file = env_.open(name, OpenMode::read_write).value();
      ASSERT_TRUE(file->write_at(file->size().value(), "half a batch that was being written").ok());
    }
    open({}, {.recovery_threads = threads});
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
  ASSERT_TRUE(delete_records_before(first, Offset(1)).ok());
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  // As a crash leaves it when the new topic is durable and the removal of the old one's folder is not.
  const TopicEntries made_again = {{"t", {*wire::Uuid::parse("4L6g3nShT-eMCtK--X86sw"), 1, {}}}};
  ASSERT_TRUE(env_.replace_file("/data/muir-topics", encode_topic_registry(made_again)).ok());
  open();
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_end, Offset(0)) << "nor its offsets";
  EXPECT_TRUE(env_.exists("/data/t-0-stray/partition.metadata"));
}

// A few bits of the id have changed on the disk: the list of topics is right, and the records are served.
TEST_F(LogManagerTest, ADamagedTopicIdDoesNotSetAPartitionAside) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  append("t", PartitionId(0), "kept");
  const wire::Uuid id = logs_->find_topic("t")->id;
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  const char* const file = "/data/t-0/partition.metadata";
  wire::Uuid other = id;
  other.bytes[3] ^= 0x11;
  struct Case {
    const char* name;
    Bytes text;
  };
  for (const Case& c : {Case{"flipped", encode_partition_metadata(other)}, Case{"empty", ""},
                        Case{"rubbish", "rubbish"}, Case{"zeros", Bytes(43, '\0')}}) {
    SCOPED_TRACE(c.name);
    ASSERT_TRUE(env_.replace_file(file, c.text).ok());
    open();
    EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_end, Offset(1));
    EXPECT_EQ(env_.read_file(file).value(), encode_partition_metadata(id));
    ASSERT_TRUE(logs_->close().ok());
    logs_.reset();
  }
}

TEST_F(LogManagerTest, ADamagedMetaFileStopsTheStartWithItsPathAndWhatToDo) {
  open();
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  for (const char* text : {"", "\n", "rubbish", "cluster.id=\nnode.id=1\n", "cluster.id=x\nnode.id=y\n"}) {
    SCOPED_TRACE(text);
    ASSERT_TRUE(env_.replace_file("/data/meta.properties", text).ok());
    LogOptions options;
    options.folder = "/data";
    options.env = &env_;
    const std::string message = LogManager::open(options).status().message();
    EXPECT_NE(message.find("/data/meta.properties is "), std::string::npos) << message;
    EXPECT_NE(message.find("from a backup"), std::string::npos) << message;
  }
}

TEST_F(LogManagerTest, APartitionWhoseFolderIsGoneGoesOnWhereItWasDurable) {
  for (const bool clean : {true, false}) {
    SCOPED_TRACE(clean ? "clean" : "killed");
    const std::string topic = clean ? "a" : "b";
    open();
    ASSERT_EQ(create(topic, 2), ErrorCode::none);
    for (int i = 0; i < 3; ++i) append(topic, PartitionId(1), "old");
    const Damage before = logs_->damage();
    ASSERT_TRUE(logs_->close().ok());
    logs_.reset();
    // Without this file, it is as if the broker had been killed behind its last checkpoint.
    ASSERT_TRUE(clean || env_.remove("/data/.kafka_cleanshutdown").ok());
    ASSERT_TRUE(env_.remove_all("/data/" + topic + "-1").ok());
    for (int start = 0; start < 2; ++start) {
      open();
      EXPECT_EQ(logs_->damage().ranges, before.ranges + 1);
      EXPECT_EQ(logs_->damage().offsets, before.offsets + 3);
      EXPECT_EQ(logs_->find_partition(topic, PartitionId(0))->offsets().log_end, Offset(0));
      EXPECT_EQ(logs_->find_partition(topic, PartitionId(1))->offsets().log_end, Offset(3 + start));
      append(topic, PartitionId(1), "new");
      ASSERT_TRUE(logs_->close().ok());
    }
  }
}

TEST_F(LogManagerTest, AWrongNumberInKafkasCheckpointsIsFoundOut) {
  for (const std::string file : {"log-start-offset-checkpoint", "recovery-point-offset-checkpoint"}) {
    for (const std::string number : {"2", "99999999999", "-5"}) {
      SCOPED_TRACE(file + " " + number);
      open();
      const std::string topic = "t" + number + file.substr(0, 1);
      ASSERT_EQ(create(topic, 1, {{"retention.ms", "-1"}}), ErrorCode::none);
      for (int i = 0; i < 4; ++i) append(topic, PartitionId(0), "r");
      const auto all = read(topic, PartitionId(0));
      ASSERT_TRUE(logs_->close().ok());
      logs_.reset();
      ASSERT_TRUE(env_.replace_file("/data/" + file, "0\n1\n" + topic + " 0 " + number + "\n").ok());
      open();
      ASSERT_TRUE(logs_->apply_retention().ok());
      EXPECT_EQ(read(topic, PartitionId(0)), all);
      EXPECT_EQ(logs_->find_partition(topic, PartitionId(0))->offsets().log_end, Offset(4));
      ASSERT_TRUE(logs_->close().ok());
      logs_.reset();
    }
  }
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
  const std::vector<std::string> left = *env_.list("/data");
  for (const std::string& name : left) EXPECT_FALSE(name.starts_with("t-")) << name;
  EXPECT_EQ(create("t", 5), ErrorCode::none);
  append("t", PartitionId(4), "x");
}

TEST_F(LogManagerTest, ADamagedRegistryStopsTheStartInsteadOfLosingTopics) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  ASSERT_TRUE(logs_->close().ok());
  logs_.reset();
  const Bytes whole = env_.read_file("/data/muir-topics").value();
  LogOptions options;
  options.folder = "/data";
  options.env = &env_;
  const struct {
    const char* name;
    OptBytes list;  // nullopt: missing
    OptBytes copy;
    bool starts;
  } cases[] = {
      {"half of the list", whole.substr(0, whole.size() / 2), whole, true},
      {"no list", std::nullopt, whole, true},
      {"half of the copy", whole, whole.substr(0, whole.size() / 2), true},
      {"no copy", whole, std::nullopt, true},
      {"half of both", whole.substr(0, whole.size() / 2), whole.substr(0, 3), false},
      {"neither", std::nullopt, std::nullopt, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    for (const auto& [path, content] : {std::pair("/data/muir-topics", c.list), {"/data/muir-topics.copy", c.copy}}) {
      ASSERT_TRUE(content ? env_.replace_file(path, *content).ok() : env_.remove(path).ok());
    }
    auto opened = LogManager::open(options);
    ASSERT_EQ(opened.ok(), c.starts) << opened.status().to_string();
    if (c.starts) {
      EXPECT_NE((*opened)->find_topic("t"), nullptr);
      EXPECT_EQ(env_.read_file("/data/muir-topics").value(), whole);
      continue;
    }
    EXPECT_EQ(opened.status().code(), Code::data_loss);
    EXPECT_NE(opened.status().message().find("rename /data/muir-topics.rebuilt to muir-topics"), std::string::npos)
        << opened.status().message();
    EXPECT_TRUE(env_.exists("/data/t-0/partition.metadata")) << "not set aside";
  }
  // What the message says works.
  ASSERT_TRUE(env_.rename("/data/muir-topics.rebuilt", "/data/muir-topics").ok());
  open();
  ASSERT_NE(logs_->find_topic("t"), nullptr);
  EXPECT_EQ(logs_->find_topic("t")->id.to_string(), decode_topic_registry(whole)->at("t").id.to_string());
  EXPECT_EQ(logs_->find_topic("t")->config->retention_ms, -1);
}

// Deleted, made again and restarted in any order, a topic has its own records and no other's, whatever its name.
TEST_F(LogManagerTest, TopicsOfAnyLegalNameAreDeletedAndMadeAgain) {
  constexpr std::string_view kLetters = "aZ09._-";
  std::vector<std::string> fixed;
  for (const char letter : {'q', '-'}) fixed.emplace_back(249, letter);
  for (const char* name : {"x-delete", "x-stray", "x-0", "x.log", "-", "a-1.deleted"}) fixed.emplace_back(name);
  const uint64_t first_seed = 600;
  for (uint64_t seed = first_seed; seed < first_seed + 60; ++seed) {
    std::mt19937_64 random(seed);
    std::string name;
    if (seed - first_seed < fixed.size()) name = fixed[seed - first_seed];
    const size_t length = random() % 2 == 0 ? 249 - random() % 40 : 1 + random() % 30;
    while (name.size() < length && seed - first_seed >= fixed.size()) name += kLetters[random() % kLetters.size()];
    if (!valid_topic_name(name)) continue;
    SCOPED_TRACE(fmt::format("seed {} {}", seed, name));
    open();
    ASSERT_TRUE(logs_->find_topic(name) == nullptr);
    // Beside it, one whose name is the same where long names are cut.
    std::string neighbour = name;
    neighbour.back() = neighbour.back() == 'n' ? 'm' : 'n';
    const int32_t partitions = 1 + static_cast<int32_t>(random() % 12);
    ASSERT_EQ(create(neighbour, 2), ErrorCode::none);
    append(neighbour, PartitionId(1), "neighbour");
    for (int round = 0; round < 4; ++round) {
      ASSERT_EQ(create(name, partitions), ErrorCode::none);
      for (int32_t i = 0; i < partitions; ++i) {
        ASSERT_EQ(logs_->find_partition(name, PartitionId(i))->offsets().log_end, Offset(0)) << i;
        append(name, PartitionId(i), fmt::format("{} {}", round, i));
      }
      if (random() % 2 == 0) restart(random());
      EXPECT_EQ(read(name, PartitionId(partitions - 1)), Lines{fmt::format("0:{} {}", round, partitions - 1)});
      ASSERT_TRUE(logs_->delete_topic(name).ok());
      if (random() % 2 == 0) restart(random());
      EXPECT_EQ(logs_->find_topic(name), nullptr);
      EXPECT_EQ(read(neighbour, PartitionId(1)), Lines{"0:neighbour"});
    }
    ASSERT_TRUE(logs_->delete_topic(neighbour).ok());
  }
}

// A folder cannot be renamed: the topic is gone, the others are too, and what stays is nobody's.
TEST_F(LogManagerTest, AFolderThatStaysBehindIsNotTakenOver) {
  open();
  ASSERT_EQ(create("t", 5), ErrorCode::none);
  for (int32_t i = 0; i < 5; ++i) append("t", PartitionId(i), "old");
  const auto id = logs_->find_topic("t")->id;
  // In the way of the renaming of one: as if it had failed.
  ASSERT_TRUE(logs_->delete_topic("t").ok());
  ASSERT_TRUE(env_.make_folders("/data/t-3").ok());
  ASSERT_TRUE(env_.replace_file("/data/t-3/partition.metadata", encode_partition_metadata(id)).ok());
  ASSERT_TRUE(env_.replace_file("/data/t-3/00000000000000000000.log", test_batch("old")).ok());
  ASSERT_EQ(create("t", 5), ErrorCode::none);
  for (int32_t i = 0; i < 5; ++i)
    EXPECT_EQ(logs_->find_partition("t", PartitionId(i))->offsets().log_end, Offset(0)) << i;
  EXPECT_TRUE(env_.exists("/data/t-3-stray/00000000000000000000.log"));
  ASSERT_TRUE(logs_->add_partitions("t", 6).ok());
}

TEST_F(LogManagerTest, DeletedRecordsStayDeletedAfterACrash) {
  open();
  ASSERT_EQ(create("t"), ErrorCode::none);
  for (int i = 0; i < 5; ++i) append("t", PartitionId(0), "x");
  ASSERT_EQ(delete_records_before(logs_->find_partition("t", PartitionId(0)), Offset(3)).value(), Offset(3));
  crash(9);
  open();
  EXPECT_EQ(logs_->find_partition("t", PartitionId(0))->offsets().log_start, Offset(3));
}

// Without waiting for the disk, appends stay in the page cache, unless the topic asks for more.
TEST_F(LogManagerTest, ATopicMayAskForFlushesThatNobodyWaitsFor) {
  LogOptions options;
  options.folder = "/unsynced";
  options.env = &env_;
  options.sync_before_confirm = false;
  const auto logs = LogManager::open(options).value();
  const struct {
    std::string name;
    Properties set;
    bool flushed;
  } cases[] = {
      {"not", {}, false},
      {"messages", {{"flush.messages", "1"}}, true},
      {"ms", {{"flush.ms", "1000"}}, true},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(logs->create_topic(c.name, 1, c.set).ok());
    const auto partition = logs->find_partition(c.name, PartitionId(0));
    const Bytes bytes = test_batch("a");
    ASSERT_TRUE(partition->append(*wire::BatchView::parse(bytes)).ok());
    EXPECT_TRUE(testing::eventually([&] { return partition->recovery_point() == Offset(c.flushed ? 1 : 0); }))
        << c.name;
  }
}

}  // namespace
}  // namespace muir::storage
