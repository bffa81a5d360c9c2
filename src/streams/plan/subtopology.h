// The border between what a topology means (operators, stores, windows) and what runs it (threads, tasks, commits).
//
// TopologyPlan is the built, immutable topology cut into subtopologies with its topics resolved. SubtopologyRunner is
// one subtopology instantiated for one partition. The runtime and the test driver are the two users: both feed records
// in, in the order they choose, and decide where what comes out goes. Owned by one thread, except store() of queries.
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

// Immutable after build; shared by every thread.
class TopologyPlan {
 public:
  virtual ~TopologyPlan() = default;
  [[nodiscard]] virtual const std::vector<SubtopologyPlan>& subtopologies() const = 0;
  // Topics to create before start: repartition and changelog topics.
  [[nodiscard]] virtual const std::vector<InternalTopic>& internal_topics() const = 0;
  // Groups of source topics that must have equally many partitions.
  [[nodiscard]] virtual const std::vector<std::vector<std::string>>& copartition_groups() const = 0;
  [[nodiscard]] virtual SourceSettings source_settings(const std::string& topic) const = 0;
  [[nodiscard]] virtual std::string describe() const = 0;
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

class SubtopologyRunner {
 public:
  virtual ~SubtopologyRunner() = default;

  // Opens the stores; they are restored by the runtime (restore_store) before init_processors().
  virtual Status open_stores() = 0;
  // Applies changelog records to a store without logging them again. `records` in offset order.
  virtual Status restore_store(const std::string& store, std::span<const client::ConsumedRecord> records) = 0;
  virtual Status init_processors() = 0;

  // Deserialises and processes one source record through the whole graph. A failure that the FailureHandler does not
  // absorb is returned and ends the task.
  virtual Status process(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record) = 0;
  // The timestamp that the source's extractor gives this record (negative: dropped, counted); for choosing among
  // buffers.
  virtual Result<int64_t> extract_timestamp(std::string_view topic, const client::ConsumedRecord& record,
                                            int64_t partition_time_ms) = 0;
  // Runs punctuators that are due; true when any ran.
  virtual Result<bool> punctuate_stream_time(int64_t stream_time_ms) = 0;
  virtual Result<bool> punctuate_wall_clock(int64_t now_ms) = 0;

  // Before a commit: forwards what caches hold and flushes stores' write buffers to the sink.
  virtual Status flush() = 0;
  // Makes the stores' files durable enough to be checkpointed with the given changelog offsets.
  virtual Status sync_stores() = 0;
  virtual Status close() = 0;

  [[nodiscard]] virtual store::StateStore* store(const std::string& name) = 0;

  // Times that belong to the committed state, by store name; they travel in the metadata of the offset commit (Kafka's
  // TopicPartitionMetadata). restore_metadata() is called before init_processors(), when a commit had any.
  [[nodiscard]] virtual std::map<std::string, int64_t> metadata() const { return {}; }
  virtual void restore_metadata(const std::map<std::string, int64_t>& metadata) { (void)metadata; }
  // Records that operators dropped by their rules: late, without key, skipped by a failure handler, too old for a
  // window store. Thread-safe.
  [[nodiscard]] virtual uint64_t dropped_records() const { return 0; }
};

// Binds every serde of the topology to its surroundings; fails with the operator whose serde cannot do without
// something that is not there.
Status configure_serdes(const TopologyPlan& plan, const SerdeContext& serdes);

Result<std::unique_ptr<SubtopologyRunner>> make_runner(std::shared_ptr<const TopologyPlan> plan, int32_t subtopology,
                                                       RunnerEnvironment environment);

}  // namespace muir::streams::internal
