// TaskManager: the tasks of one thread: begun when assigned, restored, processed, committed together, given up.
//
// Failures are sorted here. Fenced: somebody else owns the tasks; everything is given up and the thread joins anew. A
// transaction that cannot be committed, or brokers that do not answer: the tasks begin anew from their last commit. All
// else comes from the topology, and ends the thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/client.h"
#include "store/record_cache.h"
#include "streams/group/assignor_protocol.h"
#include "streams/runtime/record_collector.h"
#include "streams/runtime/state_manager_restore.h"
#include "streams/runtime/stream_task.h"

namespace muir::streams::internal {

// What the tasks of a thread work with; outlives the manager.
struct TaskClients {
  client::Consumer* consumer = nullptr;
  client::Admin* admin = nullptr;
  StateRestorer* restorer = nullptr;
  RecordCollector* collector = nullptr;
  ThreadCounters* counters = nullptr;
  client::GroupMember* member = nullptr;  // set when it exists: it is made after its protocol, which is made after us
};

// Owned by its thread.
class TaskManager final : public AssignmentListener {
 public:
  TaskManager(const RuntimeContext& context, int thread_index, TaskClients clients);
  ~TaskManager() override;

  void set_member(client::GroupMember* member) { clients_.member = member; }

  // AssignmentListener
  [[nodiscard]] std::map<TaskId, std::vector<client::TopicPartition>> owned_tasks() const override;
  [[nodiscard]] std::vector<TaskOffsetSum> offset_sums() const override;
  void on_rebalance() override;
  Result<bool> on_tasks_assigned(const TasksAssigned& assigned) override;
  void on_tasks_lost() override;

  // Opens tasks that wait for it and restores; `timeout_ms` bounds the wait for changelog records.
  Status begin_tasks(int64_t timeout_ms);
  [[nodiscard]] bool restoring() const { return !pending_.empty() || restoring_count_ > 0; }
  [[nodiscard]] bool has_running() const { return tasks_.size() > restoring_count_; }
  [[nodiscard]] bool empty() const { return tasks_.empty() && pending_.empty(); }

  Status add_records(std::unique_ptr<client::Records> records);
  // A source partition was shortened behind our position: reads on from its reset policy.
  Status seek_after_loss(const Status& out_of_range);
  // One round over the tasks, up to `records_max` each; how many records were processed.
  Result<size_t> process_round(size_t records_max);
  // How many tasks had something to do.
  Result<size_t> punctuate();
  // Looks up what the brokers have left of the partitions that hold tasks back (max.task.idle.ms).
  void refresh_lags();

  [[nodiscard]] bool commit_needed() const;
  void look_past_the_last();  // see StreamTask
  // A task asked for a commit soon.
  [[nodiscard]] bool commit_requested();
  // Commits all tasks of the thread. OK also when the commit is to be tried again later (at least once).
  Status commit();
  [[nodiscard]] bool rebalancing() const { return rebalancing_; }
  // Deletes what was processed from repartition topics.
  Status purge_repartition_topics();

  // What to do about a failed call of this class: returns OK when the tasks go on (from their last commit), else the
  // failure that ends the thread.
  Status handle(const Status& failure);
  // After a failure that handle() took: how long to rest before trying again, longer for each one without a commit in
  // between.
  [[nodiscard]] int64_t take_rest_ms() { return std::exchange(rest_ms_, 0); }
  // Set when the group must be joined anew because everything was given up.
  [[nodiscard]] bool take_rejoin() { return std::exchange(rejoin_, false); }
  // A failure within a callback of the group member.
  [[nodiscard]] Status take_failure() { return std::exchange(failure_, Status()); }

  Status close_all_clean();
  void close_all_dirty();

 private:
  static constexpr int64_t kFirstRestMs = 100;
  static constexpr int64_t kLongestRestMs = 5'000;
  using Partitions = std::vector<client::TopicPartition>;
  Status open_pending();
  Result<std::map<TaskId, TaskStart>> ask_starts(const std::map<TaskId, Partitions>& tasks) const;
  Status begin_restore(const std::vector<StreamTask*>& opened);
  // Adds to `starts` what the consumer is to be assigned.
  Status begin_running(StreamTask& task, std::vector<client::PartitionStart>& starts);
  Status restart_from_scratch(StreamTask& task);
  Status commit_at_least_once(const client::Offsets& offsets);
  Status fence_what_timers_wrote(client::Offsets& offsets);
  Status commit_offsets(const client::Offsets& offsets);
  Status give_up_clean(const std::vector<TaskId>& tasks);
  void drop(StreamTask& task);
  // After any change to tasks_ and pending_: shares the memory for input buffers out over their partitions.
  void share_buffers();
  void lose_all();
  void revive();

  const RuntimeContext& context_;
  const int thread_index_;
  TaskClients clients_;
  store::CacheBudget cache_;  // of all tasks
  std::map<TaskId, std::unique_ptr<StreamTask>> tasks_;
  size_t restoring_count_ = 0;            // of tasks_
  std::map<TaskId, Partitions> pending_;  // assigned, not opened yet
  int64_t pending_not_before_ms_ = 0;     // steady time
  bool rebalancing_ = false;
  bool rejoin_ = false;
  Status failure_{};
  Backoff backoff_{kFirstRestMs, kLongestRestMs};
  int64_t rest_ms_ = 0;
  int64_t failing_since_ms_ = -1;                   // steady time of the first failure without a commit in between
  std::map<client::TopicPartition, Offset> purge_;  // committed, not yet purged
  std::set<std::string> repartition_topics_;
  std::vector<client::TopicPartition> scratch_;
  std::map<client::TopicPartition, StreamTask*> readers_;  // of the running tasks
};

}  // namespace muir::streams::internal
