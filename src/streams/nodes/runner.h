// SubtopologyRunner: one subtopology, instantiated for one partition.
//
// The runtime and the test driver are the two users: both feed records in, in the order they choose, and decide where
// what comes out goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "streams/nodes/source_node.h"
#include "streams/nodes/task_context.h"
#include "streams/plan/plan.h"

namespace muir::streams::internal {

// Owned by one thread, except store() of queries.
class SubtopologyRunner final {
 public:
  // `graph`: the plan's, with the application's serdes.
  SubtopologyRunner(std::shared_ptr<const TopologyPlan> plan, std::shared_ptr<const Graph> graph, size_t subtopology,
                    RunnerEnvironment environment);
  ~SubtopologyRunner();

  // Opens the stores; they are restored by the runtime (restore_store) before init_processors().
  Status open_stores();
  // Applies changelog records to a store without logging them again. `records` in offset order.
  Status restore_store(const std::string& name, std::span<const client::ConsumedRecord> records);
  Status init_processors();

  // Deserialises and processes one source record through the whole graph. A failure that the FailureHandler does not
  // absorb is returned and ends the task.
  Status process(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record);
  // The timestamp that the source's extractor gives this record (negative: dropped, counted); for choosing among
  // buffers.
  Result<int64_t> extract_timestamp(std::string_view topic, const client::ConsumedRecord& record,
                                    int64_t partition_time_ms);
  // Runs punctuators that are due; true when any ran.
  Result<bool> punctuate_stream_time(int64_t stream_time_ms);
  Result<bool> punctuate_wall_clock(int64_t now_ms);

  // Before a commit: forwards what caches hold and flushes stores' write buffers to the sink.
  Status flush();
  // Makes the stores' files durable enough to be checkpointed with the given changelog offsets.
  Status sync_stores();
  Status close();

  [[nodiscard]] store::StateStore* store(const std::string& name);

  // Times that belong to the committed state, by store name; they travel in the metadata of the offset commit (Kafka's
  // TopicPartitionMetadata). restore_metadata() is called before init_processors(), when a commit had any.
  [[nodiscard]] std::map<std::string, int64_t> metadata() const;
  void restore_metadata(const std::map<std::string, int64_t>& metadata);
  // Records that operators dropped by their rules: late, without key, skipped by a failure handler, too old for a
  // window store. Thread-safe.
  [[nodiscard]] uint64_t dropped_records() const;

 private:
  void instantiate();
  Status open_store(const StorePlan& planned);
  Result<SourceNode*> source_of(std::string_view topic);
  Status flush(store::StateStore& store);
  // Runs what is due at `now_ms`, each at most once; what was missed meanwhile is skipped.
  Result<bool> punctuate(int64_t now_ms, bool wall_clock);
  Status run_punctuation(size_t index, int64_t now_ms);
  void clear_record();

  std::shared_ptr<const TopologyPlan> plan_;  // shared with the runners of other tasks
  std::shared_ptr<const Graph> graph_;        // shared likewise
  const size_t subtopology_;
  TaskContext task_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, SourceNode*, std::less<>> sources_;
  std::vector<store::StateStore*> flush_order_;  // of task_.stores; those of nodes before those of their children
  size_t initialised_ = 0;                       // nodes whose init() was called: these are closed
  bool closed_ = false;
};

Result<std::unique_ptr<SubtopologyRunner>> make_runner(std::shared_ptr<const TopologyPlan> plan, int32_t subtopology,
                                                       RunnerEnvironment environment);

}  // namespace muir::streams::internal
