#include "streams/group/assignor.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace muir::streams::internal {
namespace {

struct Load {
  const AssignorMember* member = nullptr;
  size_t stateful = 0;
  size_t total = 0;
  std::set<TaskId> tasks{};
  std::map<int32_t, size_t> of_subtopology{};
};

class Assigner {
 public:
  explicit Assigner(const std::vector<AssignorMember>& members) {
    for (const auto& member : members) {
      loads_.push_back({.member = &member});
      ++threads_[member.process];
    }
    // By process first: one input, one answer, whatever order the coordinator listed the members in.
    std::sort(loads_.begin(), loads_.end(), [](const Load& a, const Load& b) {
      return std::tie(a.member->process, a.member->id) < std::tie(b.member->process, b.member->id);
    });
  }

  // Gives out `tasks`, counting by `count`: those with state are balanced among themselves first, then all together.
  void give(std::vector<TaskId> tasks, size_t total_after, size_t Load::*count, bool stateful) {
    std::sort(tasks.begin(), tasks.end());
    floor_ = total_after / loads_.size();
    extras_ = total_after % loads_.size();
    for (const auto& load : loads_) {
      if (load.*count > floor_ && extras_ > 0) --extras_;
    }
    std::vector<TaskId> left;
    for (const auto& task : tasks) {
      if (Load* owner = owner_of(task); owner != nullptr && has_room(*owner, count)) {
        place(*owner, task, count, stateful);
      } else {
        left.push_back(task);
      }
    }
    for (const auto& task : left) place(best(task, count), task, count, stateful);
  }

  TaskAssignment take() {
    TaskAssignment out;
    for (auto& load : loads_) out[load.member->id] = std::move(load.tasks);
    return out;
  }

 private:
  Load* owner_of(const TaskId& task) {
    for (auto& load : loads_) {
      if (load.member->owned.contains(task)) return &load;
    }
    return nullptr;
  }
  bool has_room(const Load& load, size_t Load::*count) const {
    return load.*count < floor_ || (load.*count == floor_ && extras_ > 0);
  }
  void place(Load& load, const TaskId& task, size_t Load::*count, bool stateful) {
    if (load.*count >= floor_ && extras_ > 0) --extras_;
    ++load.total;
    if (stateful) ++load.stateful;
    ++load.of_subtopology[task.subtopology];
    ++process_total_[load.member->process];
    load.tasks.insert(task);
  }
  // Among members with room: who has the state, then who has least to do, then whose process has least per thread,
  // then who has fewest tasks of this subtopology (they cost alike), then the first.
  Load& best(const TaskId& task, size_t Load::*count) {
    Load* chosen = nullptr;
    auto rank = [&](const Load& load) {
      const auto sum = load.member->offset_sums.find(task);
      int64_t state = std::numeric_limits<int64_t>::min();
      if (sum != load.member->offset_sums.end()) {
        state = sum->second == kOffsetSumRunning ? std::numeric_limits<int64_t>::max() : sum->second;
      }
      const double per_thread = static_cast<double>(process_total_[load.member->process]) /
                                static_cast<double>(threads_[load.member->process]);
      const auto same = load.of_subtopology.find(task.subtopology);
      return std::tuple(has_room(load, count) ? 0 : 1,
                        state == std::numeric_limits<int64_t>::min() ? 0 : -1 - (state / 2), load.*count, load.total,
                        per_thread, same == load.of_subtopology.end() ? 0 : same->second);
    };
    for (auto& load : loads_) {
      if (chosen == nullptr || rank(load) < rank(*chosen)) chosen = &load;
    }
    return *chosen;
  }

  std::vector<Load> loads_;
  std::map<ProcessId, size_t> threads_;
  std::map<ProcessId, size_t> process_total_;
  size_t floor_ = 0;
  size_t extras_ = 0;
};

}  // namespace

TaskAssignment assign_tasks(const std::vector<AssignorMember>& members, const std::vector<AssignorTask>& tasks) {
  if (members.empty()) return {};
  Assigner assigner(members);
  std::vector<TaskId> stateful;
  std::vector<TaskId> stateless;
  for (const auto& task : tasks) (task.stateful ? stateful : stateless).push_back(task.id);
  const size_t stateful_count = stateful.size();
  assigner.give(std::move(stateful), stateful_count, &Load::stateful, true);
  assigner.give(std::move(stateless), tasks.size(), &Load::total, false);
  return assigner.take();
}

}  // namespace muir::streams::internal
