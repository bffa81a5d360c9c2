#include "streams/group/assignor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muir::streams::internal {
namespace {

ProcessId process(int n) {
  ProcessId id{};
  id[15] = static_cast<uint8_t>(n);
  return id;
}

TaskId task(int32_t subtopology, int32_t partition) { return {subtopology, PartitionId(partition)}; }

std::vector<AssignorTask> tasks_of(int32_t subtopology, int32_t count, bool stateful) {
  std::vector<AssignorTask> out;
  for (int32_t i = 0; i < count; ++i) out.push_back({task(subtopology, i), stateful});
  return out;
}

std::string text(const TaskAssignment& assignment) {
  std::string out;
  for (const auto& [member, tasks] : assignment) {
    out += (out.empty() ? "" : " ") + member + ":";
    for (const auto& task : tasks) out += (out.back() == ':' ? "" : ",") + to_string(task);
  }
  return out;
}

struct Case {
  const char* name;
  std::vector<AssignorMember> members;
  std::vector<AssignorTask> tasks;
  const char* expected;
};

TEST(Assignor, GivesBalancedAndStickyAssignments) {
  const std::vector<Case> cases = {
      {"one member gets everything", {{"a", process(1)}}, tasks_of(0, 3, true), "a:0_0,0_1,0_2"},
      {"two new members share evenly",
       {{"a", process(1)}, {"b", process(2)}},
       tasks_of(0, 4, true),
       "a:0_0,0_2 b:0_1,0_3"},
      {"what runs stays",
       {{"a", process(1), {task(0, 3), task(0, 2)}}, {"b", process(2), {task(0, 0), task(0, 1)}}},
       tasks_of(0, 4, true),
       "a:0_2,0_3 b:0_0,0_1"},
      {"a new member takes only its share",
       {{"a", process(1), {task(0, 0), task(0, 1), task(0, 2), task(0, 3)}}, {"b", process(2)}},
       tasks_of(0, 4, true),
       "a:0_0,0_1 b:0_2,0_3"},
      {"a lost member's tasks are spread",
       {{"a", process(1), {task(0, 0)}}, {"b", process(2), {task(0, 1)}}},
       tasks_of(0, 4, false),
       "a:0_0,0_2 b:0_1,0_3"},
      {"state on disk decides where a task without owner goes",
       {{"a", process(1), {}, {{task(0, 1), 100}}}, {"b", process(2), {}, {{task(0, 0), 100}}}},
       tasks_of(0, 2, true),
       "a:0_1 b:0_0"},
      {"of two copies the fuller one wins",
       {{"a", process(1), {}, {{task(0, 0), 10}}}, {"b", process(2), {}, {{task(0, 0), 500}}}},
       tasks_of(0, 1, true),
       "a: b:0_0"},
      {"threads of two processes get as many each, whatever the processes",
       {{"a1", process(1)}, {"a2", process(1)}, {"b1", process(2)}},
       tasks_of(0, 3, false),
       "a1:0_0 a2:0_2 b1:0_1"},
      {"more members than tasks: some have none",
       {{"a", process(1)}, {"b", process(2)}},
       tasks_of(0, 1, false),
       "a:0_0 b:"},
  };
  for (const auto& one : cases) EXPECT_EQ(text(assign_tasks(one.members, one.tasks)), one.expected) << one.name;
}

TEST(Assignor, BalancesStatefulTasksAmongThemselvesAndAllTogether) {
  auto tasks = tasks_of(0, 5, true);
  for (const auto& task : tasks_of(1, 4, false)) tasks.push_back(task);
  const auto assignment = assign_tasks({{"a", process(1)}, {"b", process(2)}, {"c", process(3)}}, tasks);
  for (const auto& [member, given] : assignment) {
    EXPECT_EQ(given.size(), 3U) << member;
    const auto stateful = std::count_if(given.begin(), given.end(), [](const TaskId& t) { return t.subtopology == 0; });
    EXPECT_GE(stateful, 1) << member;
    EXPECT_LE(stateful, 2) << member;
  }
}

// Members come and go; every assignment gives each task once, is balanced, and moves no more than it must.
TEST(Assignor, HoldsItsPromisesForRandomGroups) {
  const uint64_t seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    auto tasks = tasks_of(0, static_cast<int32_t>(random() % 12), true);
    for (const auto& task : tasks_of(1, static_cast<int32_t>(random() % 12), false)) tasks.push_back(task);
    std::vector<AssignorMember> members;
    const size_t count = 1 + random() % 6;
    for (size_t i = 0; i < count; ++i)
      members.push_back({"m" + std::to_string(i), process(static_cast<int>(random() % 3))});
    const auto first = assign_tasks(members, tasks);
    auto shuffled = members;
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    EXPECT_EQ(first, assign_tasks(shuffled, tasks));
    for (auto& member : members) member.owned = first.at(member.id);
    EXPECT_EQ(first, assign_tasks(members, tasks)) << "nothing changed, nothing moves";
    if (members.size() > 1) members.pop_back();
    const auto second = assign_tasks(members, tasks);
    std::set<TaskId> seen;
    size_t least = SIZE_MAX;
    size_t most = 0;
    for (const auto& [member, given] : second) {
      for (const auto& task : given) EXPECT_TRUE(seen.insert(task).second);
      least = std::min(least, given.size());
      most = std::max(most, given.size());
    }
    EXPECT_EQ(seen.size(), tasks.size());
    EXPECT_LE(most - least, 1U);
  }
}

}  // namespace
}  // namespace muir::streams::internal
