// TaskContext: what the nodes of one task share. Owned by the task's thread; counters may be read by any.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "store/record_cache.h"
#include "streams/plan/graph.h"
#include "streams/plan/subtopology.h"
#include "streams/record.h"

namespace muir::streams::internal {

// One scheduled function of a processor.
struct Punctuation {
  Node* node = nullptr;
  bool wall_clock = false;
  int64_t next_ms = 0;
  int64_t interval_ms = 1;
  std::function<Status(int64_t now_ms)> run;
  // Shared with the handle that cancels it.
  std::shared_ptr<bool> cancelled;
};

// A store of this task and what belongs to it.
struct TaskStore {
  const StoreSpec* spec = nullptr;
  std::string topic;  // for its serdes: the changelog's name, also when there is none
  std::unique_ptr<store::StateStore> owned;
  std::unique_ptr<store::ChangelogWriter> changelog;
};

class TaskContext final : public store::CacheContext {
 public:
  TaskContext(const Graph& graph, RunnerEnvironment environment);
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

  // Brings a failure before the handler: OK when it absorbed it. Failures of the machine are never absorbed.
  Status fail(const std::string& node, FailureKind kind, const Status& cause);
  // A failure that ends the task, whatever the handler says.
  Status fatal(Status cause) {
    failing = true;
    failure = cause;
    return cause;
  }
  // "<application_id>-<topic>" for internal topics.
  [[nodiscard]] std::string topic_name(const std::string& topic, bool internal) const;
  // A store as one of its interfaces, such as store::KeyValueStore.
  template <class Interface>
  Result<Interface*> store(const std::string& name) {
    auto* found = MUIR_TRY(state_store(name))->template as<Interface>();
    if (found == nullptr) {
      return error(Code::invalid_argument, "state store {} is no {} store", name, Interface::kFacet.name);
    }
    return found;
  }
  Result<store::StateStore*> state_store(const std::string& name);
  // With the application's serdes.
  [[nodiscard]] const TypedPair& store_types(const std::string& name) const { return graph.stores().at(name).types; }
  // The topic that serdes of a store are told.
  [[nodiscard]] std::string store_topic(const std::string& name) const;

  // CacheContext
  void save(Bytes& out) const override;

  const Graph& graph;
  const RunnerEnvironment environment;
  std::map<std::string, TaskStore> stores;
  std::map<NodeId, Node*> nodes;
  std::vector<Punctuation> punctuations;

  // The source record under way; null between records and in punctuators.
  const client::ConsumedRecord* record = nullptr;
  std::string_view record_topic;
  PartitionId record_partition = kNoPartition;
  int64_t record_time_ms = -1;  // of the row that a processor is working on
  Headers row_headers{};        // of the row that a node is working on; see RowHeaders
  int64_t stream_time_ms = -1;
  // A failure is on its way up; no handler is asked again, and no processor can swallow it.
  bool failing = false;
  Status failure;

  std::atomic<uint64_t> dropped_records = 0;
};

}  // namespace muir::streams::internal
