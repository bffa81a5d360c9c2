// StreamTask: one subtopology on one partition of its topics, from opening its stores to giving it up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"
#include "streams/group/leader_failure.h"
#include "streams/plan/subtopology.h"
#include "streams/query/store_registry.h"
#include "streams/runtime/partition_queue.h"
#include "streams/runtime/record_collector.h"
#include "streams/runtime/state_manager.h"
#include "streams/runtime/state_manager_restore.h"
#include "streams/runtime/streams_metrics.h"
#include "streams/streams_config.h"

namespace muir::streams::internal {

class SubtopologyRunner;
class TopologyPlan;

// What tasks share; outlives them.
struct RuntimeContext {
  // Shared with every thread that runs the topology.
  std::shared_ptr<const TopologyPlan> plan;
  const StreamsConfig* config = nullptr;
  StateDirectory* directory = nullptr;
  StoreRegistry* stores = nullptr;  // for queries from outside
  RuntimeCounters* counters = nullptr;
  Clock* clock = nullptr;
  SerdeContext* serdes = nullptr;
  FailureHandler on_failure{};
  bool keep_sources = false;  // on_failure wants key, value and headers of the source of a record that was refused
  std::function<store::StateStore*(const std::string&)> global_store{};
  size_t disk_helpers_max = 7;  // threads that help one which closes tasks to wait for the disk; 0: it does all in turn
  std::shared_ptr<LeaderFailure> leader_failure = std::make_shared<LeaderFailure>();  // of all threads
};

// Where a task begins: its committed offsets.
struct TaskStart {
  std::map<client::TopicPartition, Offset> committed;         // absent: none
  std::map<client::TopicPartition, int64_t> partition_times;  // absent: unknown
  std::map<std::string, int64_t> store_times;                 // SubtopologyRunner::metadata() at the last commit
};

// Owned by its thread.
class StreamTask final : public RestoredTask {
 public:
  StreamTask(TaskId id, std::vector<client::TopicPartition> partitions, const RuntimeContext& context,
             RecordCollector& sink, store::CacheBudget& cache, std::shared_ptr<TaskCounters> counters);
  ~StreamTask() override;

  [[nodiscard]] TaskId id() const override { return id_; }
  [[nodiscard]] const std::vector<client::TopicPartition>& partitions() const { return partitions_; }

  // Opens the stores, wiping what an exactly-once task cannot trust, and says from where they are restored.
  Status open(const TaskStart& start);
  std::vector<Changelog>& changelogs() override { return changelogs_; }
  Status restore(const Changelog& changelog, std::span<const client::ConsumedRecord> records) override;
  void on_restore_progress() override;
  // After the last changelog: processing may begin.
  Status run();
  [[nodiscard]] bool running() const { return running_; }
  // What the main consumer begins with.
  [[nodiscard]] std::vector<client::PartitionStart> starts() const;

  // The most bytes of each partition that may wait before its fetching pauses; there is always one record.
  void set_buffer_bytes(size_t max) { buffer_bytes_ = max; }
  // Takes fetched records; the partitions whose fetching should pause are added to `pause`.
  void add(const client::TopicPartition& partition, std::shared_ptr<client::Records> owner,
           std::span<const client::ConsumedRecord> records, std::vector<client::TopicPartition>& pause);
  // Processes up to `records_max` records in time order; how many it did. Partitions whose fetching may go on again are
  // added to `resume`.
  Result<size_t> process(size_t records_max, int64_t now_ms, std::vector<client::TopicPartition>& resume);
  // Empty partitions whose lag must be known before the others are processed (max.task.idle.ms).
  void collect_unknown_lags(int64_t now_ms, std::vector<client::TopicPartition>& out) const;
  // `caught_up`: the broker has nothing that was not fetched, as of now.
  void set_caught_up(const client::TopicPartition& partition, bool caught_up, int64_t now_ms);
  // Whether a timer was due.
  Result<bool> punctuate(int64_t now_ms);

  [[nodiscard]] bool commit_needed() const { return commit_needed_; }
  // Control records and aborted ones behind the last that was processed want committing as well: else a partition
  // that has been read to its end seems to lag.
  void look_past_the_last(const std::function<Result<Offset>(const client::TopicPartition&)>& position);
  [[nodiscard]] bool take_commit_request() { return std::exchange(commit_requested_, false); }
  // Before a commit: what operators and stores hold back goes to the sink.
  Status flush();
  // The offsets to commit. `position` gives the main consumer's position.
  void offsets(const std::function<Result<Offset>(const client::TopicPartition&)>& position,
               client::Offsets& out) const;
  // One that was committed before, for a commit that is to be checked and has no new ones.
  void offsets_again(client::Offsets& out) const;
  // After a successful commit of `committed`. At least once: writes a checkpoint when it would save enough work.
  Status committed(const client::Offsets& committed);

  // What close_clean() leaves to be written: a checkpoint, which tells the next owner what is on disk.
  struct Closed {
    std::string folder{};
    Checkpoint checkpoint{};  // empty: none
    Status written{};
  };
  // After a commit.
  Status close_clean(Closed& out);
  // Spares close_clean() the time; any thread, while no other has to do with the task.
  void sync_stores();
  // The work since the last commit is void. `wipe`: so is the local state.
  void close_dirty(bool wipe);

  // For the group's leader: running, or the sum of the offsets that are on disk.
  [[nodiscard]] int64_t offset_sum() const;
  [[nodiscard]] int64_t stream_time() const { return group_.stream_time(); }

 private:
  struct Input {
    Offset start = client::kOffsetEarliest;
    bool caught_up = false;
    int64_t caught_up_at_ms = 0;
    bool paused = false;
  };
  void plan_changelogs(const SubtopologyPlan& plan, const TaskStart& start,
                       const std::optional<Checkpoint>& checkpoint);
  [[nodiscard]] bool ready(int64_t now_ms);
  [[nodiscard]] Checkpoint checkpoint() const;
  [[nodiscard]] Offset changelog_offset(const Changelog& changelog) const;
  void close_runner();
  [[nodiscard]] bool full(const PartitionQueue& queue) const;
  // Adds what operators and queues dropped since the last call to the instance's total.
  void count_drops();
  [[nodiscard]] size_t index_of(const client::TopicPartition& partition) const;

  const TaskId id_;
  const std::vector<client::TopicPartition> partitions_;
  const RuntimeContext& context_;
  RecordCollector& sink_;
  store::CacheBudget& cache_;
  const std::shared_ptr<TaskCounters> counters_;  // shared with whoever collects them
  const std::string folder_;
  std::unique_ptr<SubtopologyRunner> runner_;
  PartitionGroup group_;
  std::vector<Input> inputs_;  // parallel to group_.queues()
  std::vector<Changelog> changelogs_;
  std::map<client::TopicPartition, Offset> committed_;  // next offsets, for source topics that are changelogs
  size_t buffer_bytes_ = SIZE_MAX;
  bool running_ = false;
  bool commit_needed_ = false;
  bool commit_requested_ = false;
  int64_t idle_since_ms_ = -1;
  int64_t last_checkpoint_sum_ = 0;
  uint64_t drops_counted_ = 0;
};

}  // namespace muir::streams::internal
