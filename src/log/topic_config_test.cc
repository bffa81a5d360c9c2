// Which settings a topic may have, and what is said of the others: as Apache Kafka 4.3.1 answered CreateTopics and
// IncrementalAlterConfigs, but for those marked.
#include <gtest/gtest.h>

#include "log/kafka_error.h"
#include "log/topic_config_check.h"

namespace muir::storage {
namespace {

constexpr std::string_view kTiered =
    "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.";
constexpr std::string_view kReplicas =
    " must be the literal '*' or a list of replicas in the following format: "
    "[partitionId]:[brokerId],[partitionId]:[brokerId],...";

struct Case {
  Properties set;
  std::string answer;  // empty: it is taken
};

std::string invalid(std::string_view key, std::string_view value, std::string_view why) {
  return fmt::format("Invalid value {} for configuration {}: {}", value, key, why);
}
std::string replicas(std::string_view key, std::string_view shown) {
  return invalid(key, shown, fmt::format("{}{}", key, kReplicas));
}

TEST(TopicConfigCheck, AnswersAsApacheKafkaDoes) {
  const std::string boolean = "Expected value to be either true or false";
  const Case cases[] = {
      // There is no tier to be enabled. What only counts beside it is taken.
      {{{"remote.storage.enable", "true"}}, std::string(kTiered)},
      {{{"remote.storage.enable", " TRUE "}}, std::string(kTiered)},
      {{{"remote.storage.enable", "true"}, {"cleanup.policy", "compact"}}, std::string(kTiered)},
      {{{"remote.storage.enable", "false"}}, ""},
      {{{"remote.storage.enable", "maybe"}}, invalid("remote.storage.enable", "maybe", boolean)},
      {{{"remote.log.copy.disable", "true"}}, ""},
      {{{"remote.log.delete.on.disable", "true"}}, ""},
      {{{"local.retention.ms", "1000"}, {"retention.ms", "500"}}, ""},
      {{{"local.retention.ms", "-2"}}, ""},
      {{{"local.retention.ms", "-3"}}, invalid("local.retention.ms", "-3", "Value must be at least -2")},
      {{{"local.retention.bytes", "1000"}}, ""},
      {{{"remote.copy.lag.ms", "0"}}, "Unknown topic config name: remote.copy.lag.ms"},
      // What has no effect on one node is taken, and must make sense.
      {{{"follower.replication.throttled.replicas", "*"}}, ""},
      {{{"follower.replication.throttled.replicas", ""}}, ""},
      {{{"follower.replication.throttled.replicas", "0:1,"}}, ""},
      {{{"follower.replication.throttled.replicas", "0:1, 1:2"}}, ""},
      {{{"follower.replication.throttled.replicas", "none"}},
       replicas("follower.replication.throttled.replicas", "[none]")},
      {{{"leader.replication.throttled.replicas", "0:1,*"}},
       replicas("leader.replication.throttled.replicas", "[0:1, *]")},
      {{{"leader.replication.throttled.replicas", "-1:1"}},
       replicas("leader.replication.throttled.replicas", "[-1:1]")},
      {{{"min.insync.replicas", "2"}}, ""},
      {{{"min.insync.replicas", "0"}}, invalid("min.insync.replicas", "0", "Value must be at least 1")},
      {{{"preallocate", "TRUE"}}, ""},
      {{{"preallocate", "yes"}}, invalid("preallocate", "yes", boolean)},
      {{{"preallocate", ""}}, invalid("preallocate", "", boolean)},
      {{{"unclean.leader.election.enable", "true"}}, ""},
      {{{"segment.jitter.ms", "-1"}}, invalid("segment.jitter.ms", "-1", "Value must be at least 0")},
      {{{"segment.index.bytes", "3"}}, invalid("segment.index.bytes", "3", "Value must be at least 4")},
      {{{"flush.messages", "0"}}, invalid("flush.messages", "0", "Value must be at least 1")},
      {{{"flush.ms", "0"}}, ""},
      // Numbers.
      {{{"retention.ms", " +5 "}}, ""},
      {{{"retention.ms", "5.0"}}, invalid("retention.ms", "5.0", "Not a number of type LONG")},
      {{{"retention.ms", ""}}, invalid("retention.ms", "", "Not a number of type LONG")},
      {{{"retention.ms", "99999999999999999999"}},
       invalid("retention.ms", "99999999999999999999", "Not a number of type LONG")},
      {{{"retention.ms", "-2"}}, invalid("retention.ms", "-2", "Value must be at least -1")},
      {{{"retention.bytes", "-2"}}, ""},
      {{{"max.message.bytes", "2147483648"}}, invalid("max.message.bytes", "2147483648", "Not a number of type INT")},
      {{{"min.cleanable.dirty.ratio", "+0.5"}}, ""},
      {{{"min.cleanable.dirty.ratio", "1.1"}},
       invalid("min.cleanable.dirty.ratio", "1.1", "Value must be no more than 1")},
      {{{"min.cleanable.dirty.ratio", "-0.1"}},
       invalid("min.cleanable.dirty.ratio", "-0.1", "Value must be at least 0")},
      {{{"min.cleanable.dirty.ratio", ""}}, invalid("min.cleanable.dirty.ratio", "", "Not a number of type DOUBLE")},
      {{{"segment.ms", "0"}}, invalid("segment.ms", "0", "Value must be at least 1")},
      {{{"segment.bytes", "99999999999"}}, invalid("segment.bytes", "99999999999", "Not a number of type INT")},
      {{{"segment.bytes", "1024"}}, ""},  // Kafka: at least 1048576, and less by internal.segment.bytes
      {{{"compression.gzip.level", "0"}},
       invalid("compression.gzip.level", "0", "Value must be between 1 and 9 or equal to -1")},
      {{{"compression.lz4.level", "18"}}, invalid("compression.lz4.level", "18", "Value must be no more than 17")},
      {{{"compression.zstd.level", "23"}}, invalid("compression.zstd.level", "23", "Value must be no more than 22")},
      {{{"compression.zstd.level", "-131073"}},
       invalid("compression.zstd.level", "-131073", "Value must be at least -131072")},
      // Words.
      {{{"compression.type", " gzip"}}, ""},
      {{{"compression.type", "none"}},
       invalid("compression.type", "none", "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer")},
      {{{"message.timestamp.type", "createtime"}},
       invalid("message.timestamp.type", "createtime", "String must be one of: CreateTime, LogAppendTime")},
      {{{"cleanup.policy", ""}}, ""},
      {{{"cleanup.policy", " compact , delete"}}, ""},
      {{{"cleanup.policy", "delete,compact,none,foo"}},
       invalid("cleanup.policy", "none", "String must be one of: compact, delete")},
      {{{"cleanup.policy", "compact,"}}, "Configuration 'cleanup.policy' values must not be empty."},
      {{{"cleanup.policy", ","}}, "Configuration 'cleanup.policy' values must not be empty."},
      // Several at a time: names first, then values, then what does not go together.
      {{{"retention.ms", "abc"}, {"unknown", "1"}}, "Unknown topic config name: unknown"},
      {{{"remote.storage.enable", "true"}, {"retention.ms", "abc"}},
       invalid("retention.ms", "abc", "Not a number of type LONG")},
      {{{"max.compaction.lag.ms", "5"}, {"min.compaction.lag.ms", "10"}, {"remote.storage.enable", "true"}},
       "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)"},
  };
  for (const Case& c : cases) {
    const Status status = check_topic_config(c.set, {});
    EXPECT_EQ(status.message(), c.answer) << c.set.begin()->first << "=" << c.set.begin()->second;
    EXPECT_EQ(kafka_code(status), c.answer.empty() ? wire::ErrorCode::none : wire::ErrorCode::invalid_config);
  }
}

TEST(TopicConfigCheck, LooksAtWhatTheBrokerSetsToo) {
  const Properties broker = {{"log.cleaner.min.compaction.lag.ms", "10"}};
  EXPECT_TRUE(check_topic_config({}, broker).ok());
  EXPECT_FALSE(check_topic_config({{"max.compaction.lag.ms", "5"}}, broker).ok());
}

TEST(TopicConfigTest, WhatAnEarlierVersionTookIsTheDefaultNow) {
  const TopicConfig config = TopicConfig::from(
      {{"flush.messages", "0"}, {"remote.storage.enable", "true"}, {"segment.bytes", "1"}, {"retention.ms", " 5 "}},
      {});
  EXPECT_EQ(config.segment_bytes, 1 << 30);
  EXPECT_EQ(config.retention_ms, 5);
}

TEST(TopicConfigTest, ReadsWhatTheCheckTakes) {
  const TopicConfig config = TopicConfig::from({{"compression.type", " gzip"},
                                                {"message.timestamp.type", "LogAppendTime "},
                                                {"cleanup.policy", " compact , delete"},
                                                {"min.cleanable.dirty.ratio", "+0.25"}},
                                               {});
  EXPECT_EQ(config.compression, wire::Compression::gzip);
  EXPECT_TRUE(config.log_append_time);
  EXPECT_TRUE(config.compact && config.remove);
  EXPECT_EQ(config.cleanable_dirty_ratio_min, 0.25);
}

}  // namespace
}  // namespace muir::storage
