#include "streams/group/assignor_topics.h"

#include <gtest/gtest.h>

#include "client/cluster_memory.h"
#include "streams/dsl.h"
#include "streams/plan/plan.h"

namespace muir::streams::internal {
namespace {

using Text = std::string;
using Stream = KStream<Text, Text>;

// in1 (and in2) -> 0 -> r -> 1 (with a store)
std::shared_ptr<const TopologyPlan> two_steps(Repartitioned<Text, Text> into = {.name = "r"},
                                              const std::function<Stream(StreamsBuilder&, Stream)>& then = nullptr) {
  StreamsBuilder builder;
  Stream again = builder.stream<Text, Text>(std::vector<Text>{"in1", "in2"}).repartition(std::move(into));
  if (then) again = then(builder, again);
  again.group_by_key().count({.store = "counts"});
  return builder.build()->plan("app").value();
}

PartitionCount counts(std::map<std::string, int32_t> topics) {
  return [topics](const std::string& topic) -> Result<int32_t> {
    const auto found = topics.find(topic);
    if (found == topics.end()) return error(Code::not_found, "no topic {}", topic);
    return found->second;
  };
}

StreamsConfig config() {
  return *StreamsConfig::parse(
      {{"application.id", "app"}, {"replication.factor", "3"}, {"topic.segment.bytes", "1000"}});
}

TEST(AssignorTopics, RepartitionTopicsAreAsLargeAsTheirLargestInput) {
  const auto resolved = resolve_topics(*two_steps(), config(), counts({{"in1", 2}, {"in2", 6}}));
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  EXPECT_EQ(resolved->partitions.at("app-r-repartition"), 6);
  EXPECT_EQ(resolved->partitions.at("app-counts-changelog"), 6);
  EXPECT_EQ(resolved->tasks.size(), 12U);
  EXPECT_EQ(resolved->tasks[0].partitions,
            (std::vector<client::TopicPartition>{{"in1", PartitionId(0)}, {"in2", PartitionId(0)}}));
  EXPECT_EQ(resolved->tasks[5].partitions, (std::vector<client::TopicPartition>{{"in2", PartitionId(5)}}));
  EXPECT_FALSE(resolved->tasks[0].stateful);
  EXPECT_TRUE(resolved->tasks[6].stateful);
  for (const auto& topic : resolved->internal_topics) {
    EXPECT_EQ(topic.replication_factor, 3);
    EXPECT_EQ(topic.configs.at("message.timestamp.type"), "CreateTime");
    EXPECT_EQ(topic.configs.at("segment.bytes"), "1000");
  }
}

TEST(AssignorTopics, AGivenNumberOfPartitionsIsKept) {
  const auto resolved =
      resolve_topics(*two_steps({.name = "r", .partitions = 3}), config(), counts({{"in1", 2}, {"in2", 6}}));
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->partitions.at("app-counts-changelog"), 3);
}

TEST(AssignorTopics, MissingTopicsAreAllNamed) {
  const auto resolved = resolve_topics(*two_steps(), config(), counts({}));
  EXPECT_EQ(resolved.status().code(), Code::not_found);
  EXPECT_NE(resolved.status().message().find("in1, in2"), std::string::npos) << resolved.status().message();
}

TEST(AssignorTopics, JoinedTopicsNeedEquallyManyPartitions) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in1")
      .join(builder.table<Text, Text>("in2"), [](const Text& one, const Text& two) { return one + two; })
      .to("out");
  const auto plan = builder.build()->plan("app").value();
  EXPECT_TRUE(resolve_topics(*plan, config(), counts({{"in1", 4}, {"in2", 4}})).ok());
  const auto resolved = resolve_topics(*plan, config(), counts({{"in1", 2}, {"in2", 6}}));
  EXPECT_EQ(resolved.status().code(), Code::failed_precondition);
  EXPECT_NE(resolved.status().message().find("in1 (2 partitions), in2 (6 partitions)"), std::string::npos);
}

TEST(AssignorTopics, ARepartitionTopicFollowsWhatItIsJoinedWith) {
  const auto plan = two_steps({.name = "r"}, [](StreamsBuilder& builder, const Stream& again) {
    return again.join(builder.table<Text, Text>("other"), [](const Text& one, const Text& two) { return one + two; });
  });
  const auto resolved = resolve_topics(*plan, config(), counts({{"in1", 2}, {"in2", 2}, {"other", 8}}));
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  EXPECT_EQ(resolved->partitions.at("app-r-repartition"), 8);
}

// Both sides of a join by foreign key write what the other one reads.
TEST(AssignorTopics, TopicsInARingFollowWhatTheyAreJoinedWith) {
  StreamsBuilder builder;
  const auto right = builder.table<Text, Text>("right");
  builder.table<Text, Text>("left")
      .join(
          right, [](const Text& value) { return value; }, [](const Text& one, const Text& two) { return one + two; })
      .to_stream()
      .to("out");
  const auto plan = builder.build()->plan("app").value();
  const auto resolved = resolve_topics(*plan, config(), counts({{"left", 3}, {"right", 2}}));
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  std::map<std::string, int32_t> found;
  for (const auto& [topic, partitions] : resolved->partitions) {
    for (const char* side : {"REGISTRATION", "RESPONSE"}) {
      if (topic.find(side) != std::string::npos && topic.ends_with("-topic")) found[side] = partitions;
    }
  }
  EXPECT_EQ(found, (std::map<std::string, int32_t>{{"REGISTRATION", 2}, {"RESPONSE", 3}}));
}

// A plan of nodes alone, for what no operator of the DSL leaves so: in a ring, and joined with nothing.
class Ring {
 public:
  void add(const std::vector<Text>& inputs, const Text& from, const Text& to) {
    std::vector<NodeId> sources{source(from, true)};
    for (const Text& input : inputs) sources.push_back(source(input, false));
    graph_->add({.name = "to-" + to, .parents = sources, .sink = SinkSpec{.topic = to, .internal_topic = true}});
    graph_->add_repartition_topic({.name = to});
  }
  [[nodiscard]] TopologyPlan plan() const { return {graph_, "app", {}}; }

 private:
  NodeId source(const Text& topic, bool internal) {
    return graph_->add({.name = "of-" + topic, .source = SourceSpec{.topics = {topic}, .internal_topic = internal}});
  }
  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();  // shared with the plan
};

TEST(AssignorTopics, OfTopicsInARingThatAreJoinedWithNothingWhatIsKnownOfTheirWritersCounts) {
  const struct {
    std::vector<Text> left, right;
    std::optional<std::pair<int32_t, int32_t>> asked_and_answers;
  } cases[] = {
      {{"left"}, {"right"}, {{3, 2}}},
      {{"left"}, {}, {{3, 3}}},
      {{}, {"right"}, {{2, 2}}},
      {{}, {}, std::nullopt},
  };
  for (const auto& c : cases) {
    Ring ring;
    ring.add(c.left, "answers", "asked");
    ring.add(c.right, "asked", "answers");
    const auto resolved = resolve_topics(ring.plan(), config(), counts({{"left", 3}, {"right", 2}}));
    EXPECT_EQ(resolved.ok(), c.asked_and_answers.has_value()) << resolved.status().message();
    if (!resolved.ok()) {
      EXPECT_EQ(resolved.status().code(), Code::failed_precondition);
      continue;
    }
    EXPECT_EQ(std::pair(resolved->partitions.at("app-asked"), resolved->partitions.at("app-answers")),
              c.asked_and_answers);
  }
}

TEST(AssignorTopics, InternalTopicsAreCreatedOnceAndThenChecked) {
  ManualClock clock;
  client::MemoryCluster cluster(clock);
  auto client = cluster.client();
  auto admin = std::move(*client->admin());
  StreamsConfig one = config();
  one.replication_factor = 1;
  const auto four = resolve_topics(*two_steps(), one, counts({{"in1", 4}, {"in2", 4}}));
  ASSERT_TRUE(ensure_internal_topics(*four, *admin).ok());
  EXPECT_EQ(admin->describe_topic("app-counts-changelog")->partitions, 4);
  EXPECT_TRUE(ensure_internal_topics(*four, *admin).ok());
  const auto five = resolve_topics(*two_steps(), one, counts({{"in1", 5}, {"in2", 4}}));
  const Status changed = ensure_internal_topics(*five, *admin);
  EXPECT_EQ(changed.code(), Code::failed_precondition);
  EXPECT_NE(changed.message().find("has 4 partitions, but the topology needs 5"), std::string::npos)
      << changed.message();
}

}  // namespace
}  // namespace muir::streams::internal
