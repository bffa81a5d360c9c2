// Golden bytes are laid out by hand after SubscriptionInfoData.json, AssignmentInfo.java and ConsumerProtocol*.json of
// Kafka 4.x; the commit metadata are the vectors of Kafka's TopicPartitionMetadataTest format.
#include "streams/group/subscription_info.h"

#include <gtest/gtest.h>

namespace muir::streams::internal {
namespace {

Bytes unhex(std::string_view text) {
  Bytes out;
  int digits = 0;
  int value = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
    if (++digits % 2 == 0) {
      out.push_back(static_cast<char>(value));
      value = 0;
    }
  }
  return out;
}

ProcessId process(uint8_t last) {
  ProcessId id{};
  id[15] = last;
  return id;
}

TEST(SubscriptionInfo, VersionElevenHasTheLayoutOfKafkaStreams) {
  SubscriptionInfo info;
  info.process_id = process(7);
  info.user_endpoint = "h:80";
  info.task_offset_sums = {{{0, PartitionId(1)}, kOffsetSumRunning}, {{1, PartitionId(0)}, 5}};
  info.unique_field = 3;
  info.client_tags = {{"z", "eu"}};
  const Bytes expected = unhex(
      "0000000b 0000000b 00000000000000000000000000000007 00000004 683a3830"
      "00000002 00000000 00000001 fffffffffffffffe ffff"
      "00000001 00000000 0000000000000005 ffff"
      "03 00000000 00000001 00000001 7a 00000002 6575");
  EXPECT_EQ(hex(encode(info)), hex(expected));
  const auto decoded = decode_subscription_info(expected);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(*decoded, info);
}

TEST(SubscriptionInfo, OlderVersionsNestOffsetsBySubtopology) {
  SubscriptionInfo info;
  info.version = 9;
  info.process_id = process(1);
  info.task_offset_sums = {{{0, PartitionId(0)}, 1}, {{0, PartitionId(1)}, 2}, {{2, PartitionId(0)}, 3}};
  const Bytes expected = unhex(
      "00000009 0000000b 00000000000000000000000000000001 00000000"
      "00000002 00000000 00000002 00000000 0000000000000001 00000001 0000000000000002"
      "00000002 00000001 00000000 0000000000000003"
      "00 00000000");
  EXPECT_EQ(hex(encode(info)), hex(expected));
  for (int32_t version = kAssignmentVersionOldest; version <= kAssignmentVersionLatest; ++version) {
    info.version = version;
    const auto decoded = decode_subscription_info(encode(info));
    ASSERT_TRUE(decoded.ok()) << version;
    EXPECT_EQ(*decoded, info) << version;
  }
}

TEST(SubscriptionInfo, OfAFutureVersionOnlyTheBeginningIsRead) {
  const auto decoded = decode_subscription_info(unhex("00000063 00000063 00000000000000000000000000000001 aabbcc"));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->version, 99);
  EXPECT_EQ(decoded->process_id, process(1));
}

TEST(AssignmentInfo, VersionElevenHasTheLayoutOfKafkaStreams) {
  AssignmentInfo info;
  info.active = {{0, PartitionId(1)}, {0, PartitionId(1)}};
  info.standby[{1, PartitionId(0)}] = {{"t", PartitionId(0)}};
  info.partitions_by_host[{"h", 80}] = {{"a", PartitionId(1)}, {"b", PartitionId(1)}};
  info.next_rebalance_ms = 9;
  const Bytes expected = unhex(
      "0000000b 0000000b"
      "00000002 00000000 00000001 00000000 00000000 00000001 00000000"
      "00000001 00000001 00000000 00000000 00000001 0001 74 00000000"
      "00000002 00000000 0001 61 00000001 0001 62"
      "00000001 0001 68 00000050 00000002 00000000 00000001 00000001 00000001"
      "00000000 00000000 0000000000000009");
  EXPECT_EQ(hex(encode(info)), hex(expected));
  const auto decoded = decode_assignment_info(expected);
  ASSERT_TRUE(decoded.ok()) << decoded.status().message();
  EXPECT_EQ(*decoded, info);
}

TEST(ConsumerProtocol, EnvelopesAreVersionThreeOfTheConsumerProtocol) {
  ConsumerSubscription subscription{.topics = {"a", "b"},
                                    .user_data = "U",
                                    .owned = {{"a", PartitionId(0)}, {"a", PartitionId(2)}},
                                    .generation_id = GenerationId(4)};
  EXPECT_EQ(
      hex(encode(subscription)),
      hex(unhex(
          "0003 00000002 0001 61 0001 62 00000001 55 00000001 0001 61 00000002 00000000 00000002 00000004 ffff")));
  EXPECT_EQ(*decode_consumer_subscription(encode(subscription)), subscription);
  ConsumerAssignment assignment{.partitions = {{"a", PartitionId(1)}, {"b", PartitionId(0)}}, .user_data = "V"};
  EXPECT_EQ(hex(encode(assignment)),
            hex(unhex("0003 00000002 0001 61 00000001 00000001 0001 62 00000001 00000000 00000001 56")));
  EXPECT_EQ(*decode_consumer_assignment(encode(assignment)), assignment);
  EXPECT_TRUE(decode_consumer_assignment("").ok());
}

TEST(CommitMetadata, IsBase64OfVersionTwo) {
  EXPECT_EQ(encode_commit_metadata({.partition_time_ms = 100}), "AgAAAAAAAABk");
  EXPECT_EQ(encode_commit_metadata({.partition_time_ms = 100, .store_times = {{"s1", 5}}}),
            "AgAAAAAAAABkAAAAAQAAAAJzMQAAAAAAAAAF");
  for (const char* text : {"AgAAAAAAAABk", "AgAAAAAAAABkAAAAAQAAAAJzMQAAAAAAAAAF"}) {
    const auto decoded = decode_commit_metadata(text);
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(encode_commit_metadata(*decoded), text);
  }
  EXPECT_FALSE(decode_commit_metadata("not ours").ok());
  EXPECT_FALSE(decode_commit_metadata("AgAA").ok());
}

TEST(ProcessIds, AreUuids) {
  const ProcessId id = random_process_id();
  EXPECT_EQ(*parse_process_id(to_string(id)), id);
  EXPECT_FALSE(parse_process_id("123").ok());
  EXPECT_FALSE(parse_process_id(to_string(id) + "0").ok());
}

TEST(Hosts, AreHostAndPort) {
  EXPECT_EQ(*parse_host("bus.example:8080"), (HostInfo{"bus.example", 8080}));
  for (const char* text : {"bus", ":80", "bus:", "bus:0", "bus:65536", "bus:8x"})
    EXPECT_FALSE(parse_host(text).ok()) << text;
}

}  // namespace
}  // namespace muir::streams::internal
