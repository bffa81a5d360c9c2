// The border between what a topology means (operators, stores, windows) and what runs it (threads, tasks, commits).
//
// What is told over it. TopologyPlan (plan/plan.h) is the built, immutable topology cut into subtopologies with its
// topics resolved; SubtopologyRunner (nodes/runner.h) is one subtopology instantiated for one partition.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"
#include "serde/serde.h"
#include "streams/task_id.h"

namespace muir::store {
class CacheBudget;
class StateStore;
}  // namespace muir::store

namespace muir::streams::internal {

// A topic that the application creates itself; names carry the application.id already.
struct InternalTopic {
  std::string name;
  bool changelog = false;                        // otherwise a repartition topic
  std::optional<int32_t> partitions{};           // absent: as many as the subtopology's largest source topic has
  std::map<std::string, std::string> configs{};  // cleanup.policy, retention.ms, ...
};

struct StorePlan {
  std::string name;
  std::string changelog_topic{};           // empty: logging is off
  bool source_topic_is_changelog = false;  // optimised table source
};

struct SubtopologyPlan {
  int32_t id = 0;
  std::vector<std::string> source_topics;  // repartition topics included, resolved
  std::vector<std::string> sink_topics;    // those known by name
  bool sinks_choose_topics = false;        // and others, which a record says
  std::vector<StorePlan> stores;
  bool is_global = false;  // global tables: one runner per instance, reads every partition, never forwards
};

struct SourceSettings {
  std::optional<bool> earliest{};  // auto.offset.reset of this topic; absent: the configuration's
};

// The source record that records for a sink come from. Borrowed.
struct RecordOrigin {
  TaskId task{};
  std::string_view topic;
  PartitionId partition = kNoPartition;
  const client::ConsumedRecord* record = nullptr;
};

// Where records that leave a subtopology go: sink topics, repartition topics and changelogs. The record is copied
// before send() returns. `partition` absent: murmur2 of the key over the topic's partitions.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual Status send(std::string_view topic, std::optional<PartitionId> partition, OptBytesView key,
                      OptBytesView value, int64_t timestamp_ms, std::span<const client::Header> headers) = 0;
  // What the records sent from now on come from, until the next call; null: from a timer. The sink may have to say so
  // when one of them is refused.
  virtual void set_origin(const RecordOrigin* origin) { (void)origin; }
  // Of a topic, for those who choose among its partitions themselves. Code::unavailable: not known now; other failures
  // are what sending to the topic fails with.
  [[nodiscard]] virtual Result<int32_t> partition_count(std::string_view topic) {
    (void)topic;
    return 1;
  }
};

// What to do with a record that failed; decided by the configured handler, carried out by the runner.
enum class FailureKind : unsigned char { deserialization, processing, production };
struct FailedRecord {
  FailureKind kind = FailureKind::processing;
  std::string topic;  // of the source record
  PartitionId partition = kNoPartition;
  Offset offset = kNoOffset;
  int64_t timestamp_ms = -1;
  std::string node{};    // processor name; empty when a broker refused the record
  std::string target{};  // the topic that refused what was written, where one did
  TaskId task{};
  OptBytesView raw_key{};  // as read from the source topic
  OptBytesView raw_value{};
  std::span<const client::Header> headers{};
  Status cause{};
};
// OK: the record was dealt with (skipped or dead-lettered through the sink) and the task goes on; Code::unavailable,
// for a failure that may pass: the task begins anew from its last commit; any other error ends the task.
using FailureHandler = std::function<Status(const FailedRecord&, RecordSink&)>;

struct RunnerEnvironment {
  std::string application_id;
  TaskId task{};
  std::string state_dir;       // folder of this task; the runner opens its stores below it
  Env* files = &system_env();  // that has the folder
  RecordSink* sink = nullptr;
  Clock* clock = nullptr;
  SerdeContext* serdes = nullptr;
  FailureHandler on_failure{};
  bool exactly_once = false;
  // Asks the runtime to commit this task soon (ProcessorContext::commit()).
  std::function<void()> request_commit{};
  // What record caches may hold, shared by the tasks of a thread; null: there are none.
  store::CacheBudget* cache = nullptr;
  // Global stores, by name, opened and filled by the runtime's global thread before any task starts.
  std::function<store::StateStore*(const std::string&)> global_store{};
};

}  // namespace muir::streams::internal
