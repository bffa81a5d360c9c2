#include "streams/group/assignor_topics.h"

#include <gtest/gtest.h>

#include "client/cluster_memory.h"
#include "streams/runtime/runtime_testing.h"

namespace muir::streams::internal {
namespace {

// in1 (and in2) -> 0 -> r -> 1 (with a store)
std::shared_ptr<CountingPlan> two_steps() {
  auto plan = std::make_shared<CountingPlan>("app", std::vector<std::string>{"app-r-repartition"});
  plan->subtopologies_.front().id = 1;
  plan->subtopologies_.insert(plan->subtopologies_.begin(),
                              {.id = 0, .source_topics = {"in1", "in2"}, .sink_topics = {"app-r-repartition"}});
  plan->internal_.push_back({.name = "app-r-repartition", .configs = {{"cleanup.policy", "delete"}}});
  return plan;
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
  auto plan = two_steps();
  plan->internal_.back().partitions = 3;
  const auto resolved = resolve_topics(*plan, config(), counts({{"in1", 2}, {"in2", 6}}));
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->partitions.at("app-counts-changelog"), 3);
}

TEST(AssignorTopics, MissingTopicsAreAllNamed) {
  const auto resolved = resolve_topics(*two_steps(), config(), counts({}));
  EXPECT_EQ(resolved.status().code(), Code::not_found);
  EXPECT_NE(resolved.status().message().find("in1, in2"), std::string::npos) << resolved.status().message();
}

TEST(AssignorTopics, JoinedTopicsNeedEquallyManyPartitions) {
  auto plan = two_steps();
  plan->groups_ = {{"in1", "in2"}};
  EXPECT_TRUE(resolve_topics(*plan, config(), counts({{"in1", 4}, {"in2", 4}})).ok());
  const auto resolved = resolve_topics(*plan, config(), counts({{"in1", 2}, {"in2", 6}}));
  EXPECT_EQ(resolved.status().code(), Code::failed_precondition);
  EXPECT_NE(resolved.status().message().find("in1 (2 partitions), in2 (6 partitions)"), std::string::npos);
}

TEST(AssignorTopics, ARepartitionTopicFollowsWhatItIsJoinedWith) {
  auto plan = two_steps();
  plan->subtopologies_[1].source_topics.push_back("other");
  plan->groups_ = {{"app-r-repartition", "other"}};
  const auto resolved = resolve_topics(*plan, config(), counts({{"in1", 2}, {"in2", 2}, {"other", 8}}));
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  EXPECT_EQ(resolved->partitions.at("app-r-repartition"), 8);
}

// As in a join by foreign key: both sides write what the other one reads.
TEST(AssignorTopics, TopicsInARingFollowWhatTheyAreJoinedWith) {
  CountingPlan plan("app", {"left", "app-answers"});
  plan.subtopologies_.front().sink_topics = {"app-asked"};
  plan.subtopologies_.push_back({.id = 1, .source_topics = {"right", "app-asked"}, .sink_topics = {"app-answers"}});
  for (const char* topic : {"app-asked", "app-answers"}) plan.internal_.push_back({.name = topic});
  const auto resolve = [&] { return resolve_topics(plan, config(), counts({{"left", 3}, {"right", 2}})); };
  plan.groups_ = {{"left", "app-answers"}, {"right", "app-asked"}};
  auto resolved = resolve();
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  EXPECT_EQ(resolved->partitions.at("app-asked"), 2);
  EXPECT_EQ(resolved->partitions.at("app-answers"), 3);
  plan.groups_.clear();
  resolved = resolve();
  ASSERT_TRUE(resolved.ok()) << "what is known of their writers counts: " << resolved.status().message();
  EXPECT_EQ(resolved->partitions.at("app-asked"), 3);
  plan.subtopologies_[0].source_topics = {"app-answers"};
  plan.subtopologies_[1].source_topics = {"app-asked"};
  EXPECT_EQ(resolve().status().code(), Code::failed_precondition) << "nothing is known of either";
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
