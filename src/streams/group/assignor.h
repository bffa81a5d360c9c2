// assign_tasks: which member of the group runs which task. Pure; no clock, no network.
//
// Balanced: the numbers of tasks of two members differ by at most one, and so do the numbers of tasks with state.
// Sticky: among balanced assignments, a task stays with the member that runs it, and a task whose owner is gone goes to
// a process that has its state on disk. Deterministic: the same input gives the same answer on every machine.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "streams/group/subscription_info.h"

namespace muir::streams::internal {

struct AssignorMember {
  std::string id;  // as the coordinator named it; one per thread
  ProcessId process{};
  std::set<TaskId> owned{};                 // runs them at this moment
  std::map<TaskId, int64_t> offset_sums{};  // tasks whose state its process has, and how much of it
};

struct AssignorTask {
  TaskId id;
  bool stateful = false;
};

using TaskAssignment = std::map<std::string, std::set<TaskId>>;  // member id -> tasks; every member has an entry

TaskAssignment assign_tasks(const std::vector<AssignorMember>& members, const std::vector<AssignorTask>& tasks);

}  // namespace muir::streams::internal
