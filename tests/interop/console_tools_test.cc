// Kafka 4.3.1's command line tools, one by one.
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "brokers.h"
#include "java.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::interop {
namespace {

class ConsoleTools : public OnBothBrokers {
 protected:
  ToolAnswer tool(const std::string& name, std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--bootstrap-server", bootstrap()});
    const bool scala = name == "ConfigCommand";
    return run_tool((scala ? "kafka.admin." : "org.apache.kafka.tools.") + name, arguments, input);
  }
  ToolAnswer topics(const std::vector<std::string>& arguments) { return tool("TopicCommand", arguments); }
  ToolAnswer groups(const std::vector<std::string>& arguments) {
    return tool("consumer.group.ConsumerGroupCommand", arguments);
  }
  ToolAnswer configs(const std::vector<std::string>& arguments) { return tool("ConfigCommand", arguments); }

  // The answer when it has, or has not, the text: Apache Kafka's broker hears a moment later what its controller has
  // decided.
  static ToolAnswer once(const std::string& text, bool there, const std::function<ToolAnswer()>& ask) {
    ToolAnswer answer;
    (void)testing::eventually([&] { return (answer = ask()).has(text) == there; });
    return answer;
  }
  void create(const std::string& topic, const std::string& partitions) {
    const auto made = topics({"--create", "--topic", topic, "--partitions", partitions});
    ASSERT_EQ(made.exit_code, 0) << made.output;
    once("PartitionCount: " + partitions, true, [&] { return topics({"--describe", "--topic", topic}); });
  }
  // Keys and values, each "key:value".
  void produce(const std::string& topic, const std::string& lines) {
    const auto sent =
        tool("ConsoleProducer",
             {"--topic", topic, "--reader-property", "parse.key=true", "--reader-property", "key.separator=:"}, lines);
    ASSERT_EQ(sent.exit_code, 0) << sent.output;
  }
  ToolAnswer consume(const std::string& topic, const std::string& count, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--topic",      topic,  "--from-beginning", "--max-messages", count,
                                          "--timeout-ms", "15000"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tool("consumer.ConsoleConsumer", arguments);
  }
};

#define EXPECT_SAYS(answer, text) EXPECT_TRUE((answer).has(text)) << "no \"" << (text) << "\" in:\n" << (answer).output

TEST_P(ConsoleTools, ApiVersionsAreUsableByKafkasOwnClients) {
  const auto answer = tool("BrokerApiVersionsCommand", {});
  EXPECT_EQ(answer.exit_code, 0) << answer.output;
  for (const char* api : {"Produce(0)", "Fetch(1)", "JoinGroup(11)", "InitProducerId(22)", "TxnOffsetCommit(28)",
                          "DescribeTopicPartitions(75)"}) {
    const size_t at = answer.output.find(api);
    ASSERT_NE(at, std::string::npos) << api;
    const std::string line = answer.output.substr(at, answer.output.find('\n', at) - at);
    EXPECT_NE(line.find("usable:"), std::string::npos) << line;
  }
}

TEST_P(ConsoleTools, TopicsAreMadeListedGrownAndDeleted) {
  const auto made =
      topics({"--create", "--topic", "tool-topics", "--partitions", "3", "--config", "retention.ms=100000"});
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_SAYS(made, "Created topic tool-topics.");
  const auto again = topics({"--create", "--topic", "tool-topics"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_SAYS(again, "already exists");
  const auto listed = [&] { return topics({"--list"}); };
  const auto described = [&] { return topics({"--describe", "--topic", "tool-topics"}); };
  EXPECT_SAYS(once("tool-topics\n", true, listed), "tool-topics\n");
  const std::string three = "PartitionCount: 3\tReplicationFactor: 1\tConfigs: ";
  EXPECT_SAYS(once(three, true, described), three);
  EXPECT_EQ(topics({"--alter", "--topic", "tool-topics", "--partitions", "4"}).exit_code, 0);
  const auto grown = once("PartitionCount: 4", true, described);
  EXPECT_SAYS(grown, "PartitionCount: 4");
  EXPECT_SAYS(grown, "retention.ms=100000");
  EXPECT_SAYS(grown, "Partition: 3\tLeader: 1\tReplicas: 1\tIsr: 1");
  EXPECT_EQ(topics({"--alter", "--topic", "tool-topics", "--partitions", "2"}).exit_code, 1);
  EXPECT_EQ(topics({"--delete", "--topic", "tool-topics"}).exit_code, 0);
  EXPECT_FALSE(once("tool-topics\n", false, listed).has("tool-topics\n"));
}

TEST_P(ConsoleTools, WhatTheProducerWritesTheConsumerReads) {
  create("tool-console", "1");
  produce("tool-console", "a:1\nb:2\nc:3\n");
  const auto read = consume("tool-console", "3",
                            {"--formatter-property", "print.key=true", "--formatter-property", "print.offset=true"});
  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_SAYS(read, "Offset:0\ta\t1\nOffset:1\tb\t2\nOffset:2\tc\t3\n");
  EXPECT_SAYS(read, "Processed a total of 3 messages");
  const auto committed_only = consume("tool-console", "3", {"--isolation-level", "read_committed"});
  EXPECT_SAYS(committed_only, "1\n2\n3\n");
  // At its end a consumer closes its fetch session while an answer to its last fetch may be on the way.
  for (const auto* answer : {&read, &committed_only}) {
    EXPECT_FALSE(answer->has("invalid full fetch response")) << answer->output;
    EXPECT_FALSE(answer->has("invalid incremental fetch response")) << answer->output;
    EXPECT_FALSE(answer->has("ERROR")) << answer->output;
  }
}

TEST_P(ConsoleTools, GroupsAreDescribedResetAndDeleted) {
  create("tool-group", "2");
  produce("tool-group", "a:1\nb:2\nc:3\nd:4\n");
  EXPECT_SAYS(consume("tool-group", "4", {"--group", "tool-readers"}), "total of 4 messages");
  EXPECT_SAYS(groups({"--list"}), "tool-readers\n");
  EXPECT_SAYS(groups({"--list", "--state"}), "Empty");
  const auto described = groups({"--describe", "--group", "tool-readers"});
  EXPECT_SAYS(described, "CURRENT-OFFSET  LOG-END-OFFSET  LAG");
  EXPECT_SAYS(described, "has no active members");
  EXPECT_SAYS(groups({"--describe", "--group", "tool-readers", "--state"}), "Empty");
  const auto reset =
      groups({"--reset-offsets", "--group", "tool-readers", "--topic", "tool-group:0", "--to-earliest", "--execute"});
  EXPECT_EQ(reset.exit_code, 0);
  EXPECT_SAYS(reset, "NEW-OFFSET");
  EXPECT_SAYS(groups({"--delete-offsets", "--group", "tool-readers", "--topic", "tool-group"}), "Successful");
  EXPECT_SAYS(groups({"--delete", "--group", "tool-readers"}), "was successful");
  EXPECT_FALSE(groups({"--list"}).has("tool-readers\n"));
}

TEST_P(ConsoleTools, TopicSettingsAreChangedAndRemoved) {
  create("tool-configs", "1");
  const std::vector<std::string> which = {"--topic", "tool-configs"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), which.begin(), which.end());
    return configs(more);
  };
  EXPECT_SAYS(with({"--alter", "--add-config", "cleanup.policy=compact,segment.ms=60000"}),
              "Completed updating config");
  const auto described = [&] { return with({"--describe"}); };
  const auto changed = once("segment.ms=60000", true, described);
  EXPECT_SAYS(changed, "cleanup.policy=compact sensitive=false");
  EXPECT_SAYS(changed, "segment.ms=60000 sensitive=false");
  EXPECT_SAYS(with({"--alter", "--delete-config", "segment.ms"}), "Completed updating config");
  EXPECT_FALSE(once("segment.ms", false, described).has("segment.ms"));
  const auto all = with({"--describe", "--all"});
  EXPECT_SAYS(all, "segment.ms=604800000");
  EXPECT_SAYS(all, "max.message.bytes=1048588");
  EXPECT_NE(with({"--alter", "--add-config", "retention.ms=soon"}).exit_code, 0);
  EXPECT_SAYS(configs({"--describe", "--broker", "1", "--all"}), "num.partitions");
}

TEST_P(ConsoleTools, OffsetsAreReportedAndRecordsDeleted) {
  create("tool-offsets", "1");
  produce("tool-offsets", "a:1\nb:2\nc:3\n");
  EXPECT_SAYS(tool("GetOffsetShell", {"--topic", "tool-offsets"}), "tool-offsets:0:3\n");
  EXPECT_SAYS(tool("GetOffsetShell", {"--topic", "tool-offsets", "--time", "earliest"}), "tool-offsets:0:0\n");
  testing::TempDir folder;
  const std::string file = folder.str() + "/delete.json";
  std::ofstream(file) << R"({"partitions":[{"topic":"tool-offsets","partition":0,"offset":2}],"version":1})";
  EXPECT_SAYS(tool("DeleteRecordsCommand", {"--offset-json-file", file}),
              "partition: tool-offsets-0\tlow_watermark: 2");
  EXPECT_SAYS(tool("GetOffsetShell", {"--topic", "tool-offsets", "--time", "earliest"}), "tool-offsets:0:2\n");
}

TEST_P(ConsoleTools, ThroughputToolWritesAndProducersAreListed) {
  create("tool-perf", "1");
  const auto sent = run_tool(
      "org.apache.kafka.tools.ProducerPerformance",
      {"--bootstrap-server", bootstrap(), "--topic", "tool-perf", "--num-records", "5000", "--record-size", "100",
       "--throughput", "-1", "--command-property", "acks=all", "--command-property", "compression.type=lz4"});
  EXPECT_EQ(sent.exit_code, 0);
  EXPECT_SAYS(sent, "5000 records sent");
  EXPECT_SAYS(tool("GetOffsetShell", {"--topic", "tool-perf"}), "tool-perf:0:5000\n");
  EXPECT_SAYS(tool("TransactionsCommand", {"describe-producers", "--topic", "tool-perf", "--partition", "0"}), "4999");
  EXPECT_SAYS(tool("TransactionsCommand", {"list"}), "TransactionalId");
  EXPECT_SAYS(tool("LogDirsCommand", {"--describe", "--topic-list", "tool-perf"}), "\"partition\":\"tool-perf-0\"");
}

TEST_P(ConsoleTools, TransactionsAreDescribed) {
  create("tool-tx", "1");
  const auto sent = run_tool("org.apache.kafka.tools.ProducerPerformance",
                             {"--bootstrap-server", bootstrap(), "--topic", "tool-tx", "--num-records", "10",
                              "--record-size", "10", "--throughput", "-1", "--transactional-id", "tool-transaction"});
  EXPECT_EQ(sent.exit_code, 0) << sent.output;
  EXPECT_SAYS(tool("TransactionsCommand", {"list"}), "tool-transaction");
  // The markers are written after the commit was answered.
  const auto complete = [&] {
    return tool("TransactionsCommand", {"describe", "--transactional-id", "tool-transaction"}).has("CompleteCommit");
  };
  EXPECT_TRUE(testing::eventually(complete));
}

TEST_P(ConsoleTools, MoreReplicasThanBrokersAreRefused) {
  const auto made = topics({"--create", "--topic", "tool-replicas", "--partitions", "1", "--replication-factor", "2"});
  EXPECT_EQ(made.exit_code, 1);
  EXPECT_SAYS(made, "InvalidReplicationFactorException");
}

INSTANTIATE_TEST_SUITE_P(Of, ConsoleTools, kBothVendors, vendor_name);

// What our broker does not offer is named by the client, instead of a hang.
class ConsoleToolsOnMuir : public ConsoleTools {};

TEST_P(ConsoleToolsOnMuir, TheNewGroupProtocolIsRefusedByName) {
  create("tool-protocol", "1");
  produce("tool-protocol", "a:1\n");
  const auto read =
      consume("tool-protocol", "1", {"--group", "tool-protocol", "--command-property", "group.protocol=consumer"});
  EXPECT_SAYS(read, "UnsupportedVersionException");
}

INSTANTIATE_TEST_SUITE_P(Of, ConsoleToolsOnMuir, ::testing::Values(Vendor::muir), vendor_name);

}  // namespace
}  // namespace muir::interop
