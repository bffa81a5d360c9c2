// The broker as Apache Kafka's own tools see it: Java clients, admin client, and the reader of log files.
#include <gtest/gtest.h>

#include <filesystem>

#include "broker/internal/broker_fixture.h"
#include "testing/kafka_cluster.h"

namespace muir::broker {
namespace {

std::string tool(const std::string& main_class, const std::vector<std::string>& arguments,
                 const std::string& input = {}) {
  auto options = testing::KafkaCluster::tool("org.apache.kafka.tools." + main_class, arguments);
  if (input.empty()) {
    const auto output = testing::run(options);
    EXPECT_TRUE(output.ok()) << main_class << ": " << output.status().to_string();
    return output.ok() ? *output : std::string();
  }
  auto child = testing::ChildProcess::start(options);
  EXPECT_TRUE(child.ok());
  if (!child.ok()) return {};
  EXPECT_TRUE(child->write_line(input).ok());
  child->close_stdin();
  const auto code = child->wait();
  EXPECT_TRUE(code.ok() && *code == 0) << main_class;
  return {};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(JavaTools, CreateDescribeProduceConsumeAndRead) {
  TestBroker broker;
  const std::vector<std::string> server = {"--bootstrap-server", broker.address()};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), server.begin(), server.end());
    return more;
  };
  tool("TopicCommand", with({"--create", "--topic", "t", "--partitions", "2", "--config", "retention.ms=86400000"}));
  const std::string described = tool("TopicCommand", with({"--describe", "--topic", "t"}));
  EXPECT_TRUE(contains(described, "PartitionCount: 2")) << described;
  EXPECT_TRUE(contains(described, "retention.ms=86400000")) << described;

  tool("ConsoleProducer", with({"--topic", "t"}), "one\ntwo\nthree");
  const std::string consumed =
      tool("consumer.ConsoleConsumer",
           with({"--topic", "t", "--from-beginning", "--group", "g", "--max-messages", "3", "--timeout-ms", "30000"}));
  for (const char* value : {"one", "two", "three"}) EXPECT_TRUE(contains(consumed, value)) << consumed;
  const std::string group = tool("consumer.group.ConsumerGroupCommand", with({"--describe", "--group", "g"}));
  EXPECT_TRUE(contains(group, "g ")) << group;

  ASSERT_TRUE(broker->stop().ok());
  std::string files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(broker.folder())) {
    const std::string path = file.path().string();
    if (!contains(path, "/t-")) continue;
    if (path.ends_with(".log") || path.ends_with(".index") || path.ends_with(".timeindex") ||
        path.ends_with(".snapshot"))
      files += (files.empty() ? "" : ",") + path;
  }
  const std::string dumped = tool("DumpLogSegments", {"--files", files, "--deep-iteration"});
  EXPECT_TRUE(contains(dumped, "isvalid: true")) << dumped;
  EXPECT_TRUE(contains(dumped, "producerId: ")) << dumped;
  for (const char* problem : {"isvalid: false", "mismatch", "non-monotonic", "out of order"})
    EXPECT_FALSE(contains(dumped, problem)) << dumped;
}

}  // namespace
}  // namespace muir::broker
