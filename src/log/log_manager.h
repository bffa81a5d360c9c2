// LogManager: every topic of one data folder.
//
// Owns the partitions, the flusher, and a housekeeping thread for retention, compaction, checkpoints and the removal
// of deleted topics. Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "log/housekeeping.h"
#include "log/internal/disk_reserve.h"
#include "log/internal/flusher.h"
#include "log/internal/log_metrics.h"
#include "log/internal/topic_registry.h"
#include "log/partition.h"

namespace muir::storage {

struct LogOptions {
  std::string folder;
  // The broker's properties, for the defaults of topics (log.retention.ms and the like).
  Properties broker;
  Housekeeping housekeeping{};
  // acks=all confirms only what an fsync has made durable.
  bool sync_before_confirm = true;
  int32_t node_id = 1;
  // Of all topics together. Each holds files open.
  int64_t partitions_max = 100'000;
  // Kept on the disk for deletions when it is full, or as much as their files need; 0: nothing.
  uint64_t reserve_bytes = 0;
  Env* env = nullptr;      // null: the machine's
  Clock* clock = nullptr;  // null: the machine's
  // How open() waits, some milliseconds, for a process that still holds the folder. Empty: it sleeps.
  std::function<void(int64_t ms)> wait;
  MetricsRegistry* metrics = nullptr;  // where muir_log_* are collected, outlives it; null: nowhere
};

// A topic at one moment. Immutable; a change makes a new one.
struct Topic {
  std::string name;
  wire::Uuid id;
  Properties overrides;
  std::shared_ptr<const TopicConfig> config;
  std::vector<std::shared_ptr<Partition>> partitions;
};
// Shared because requests keep using a topic while another changes or deletes it.
using TopicPtr = std::shared_ptr<const Topic>;

class LogManager {
 public:
  // Locks the folder, reads what is there and recovers it, num.recovery.threads.per.data.dir partitions at a time. A
  // broker that was killed holds its folder until the system has ended it: the lock is waited for a little, and then
  // refused with already_exists.
  static Result<std::unique_ptr<LogManager>> open(LogOptions options);
  // close()s.
  ~LogManager();
  LogManager(const LogManager&) = delete;
  LogManager& operator=(const LogManager&) = delete;

  [[nodiscard]] const std::string& cluster_id() const { return meta_.cluster_id; }
  [[nodiscard]] const LogOptions& options() const { return options_; }

  // nullptr when there is none.
  [[nodiscard]] TopicPtr find_topic(std::string_view name) const;
  [[nodiscard]] TopicPtr find_topic(const wire::Uuid& id) const;
  [[nodiscard]] std::shared_ptr<Partition> find_partition(std::string_view topic, PartitionId index) const;
  // By name.
  [[nodiscard]] std::vector<TopicPtr> topics() const;
  // What is known to be damaged, over all partitions.
  [[nodiscard]] Damage damage() const;

  // Failures carry Kafka's code. Durable on return.
  // Checks everything; makes the topic unless `validate_only`, which returns nullptr. `always`: whatever partitions_max
  // says.
  Result<TopicPtr> create_topic(const std::string& name, int32_t partitions, const Properties& overrides,
                                bool validate_only = false, bool always = false);
  Status delete_topic(const std::string& name);
  // Raises the number of partitions to `count`.
  Status add_partitions(const std::string& name, int32_t count, bool validate_only = false);
  Status set_topic_config(const std::string& name, const Properties& overrides);
  // Removes the records below each offset, and tells where the logs begin then. One write makes them all durable.
  struct RecordDeletion {
    std::shared_ptr<Partition> partition;
    Offset before;
    Status status{};
    Offset start{};
  };
  void delete_records(std::vector<RecordDeletion>& deletions);

  // What the housekeeping thread does periodically, now: retention, expiry of producers, checkpoints.
  Status apply_retention();
  // One pass of compaction over every topic that needs it. Returns the number of partitions compacted.
  Result<int> compact();
  // Makes everything durable and marks the folder as cleanly shut down. Idempotent.
  Status close();

 private:
  explicit LogManager(LogOptions options);
  Status load();
  Status load_meta();
  void load_checkpoints();
  Status load_topics();
  Result<TopicEntries> load_registry();
  Result<TopicEntries> topics_of_folders();
  Status clear_the_way(const std::string& topic, int32_t from, int32_t to);
  void warn_of_missing_folders(const std::string& topic, const TopicEntry& entry) const;
  Status set_stray_folders_aside(const TopicEntries& entries);
  Status lock_folder();
  Result<TopicPtr> open_topic(const std::string& name, const TopicEntry& entry);
  // The topic with the partitions that are open already; the others are null until open_missing().
  Result<std::shared_ptr<Topic>> prepare_topic(const std::string& name, const TopicEntry& entry) const;
  Status open_missing(const std::vector<std::shared_ptr<Topic>>& topics);
  Status set_stray_aside(const std::string& name);
  void forget_checkpoints(const TopicPartition& partition);
  static bool is_damaged_id(const wire::Uuid& stored, const wire::Uuid& id);
  [[nodiscard]] bool belongs_to_another(const std::string& name, const wire::Uuid& id) const;
  [[nodiscard]] RecoveryHint hint_for(const std::string& topic, PartitionId index) const;
  Status save_registry(const TopicEntries& entries);
  Status save_checkpoints();
  Status write_on_full_disk(const std::function<Status()>& write);
  void fill_reserve();
  Status close_partitions();
  [[nodiscard]] TopicEntries entries() const;
  // Whether there is room for `more` partitions.
  [[nodiscard]] Status check_room(const TopicEntries& there, int64_t more) const;
  void publish(TopicPtr topic);
  void housekeeping();
  void compact_from_time_to_time();
  void verify_once();
  bool sleep_until(int64_t time_ms);
  void remove_deleted_folders();
  [[nodiscard]] std::string path(std::string_view name) const { return options_.folder + "/" + std::string(name); }

  LogOptions options_;
  Env& env_;
  Clock& clock_;
  std::unique_ptr<FileLock> lock_;
  MetaProperties meta_;
  DiskReserve reserve_;
  bool clean_start_ = false;
  OffsetCheckpoint recovery_points_;  // as read at the start
  OffsetCheckpoint log_starts_;
  OffsetCheckpoint cleaned_;
  PartitionEnv partition_env_;

  std::mutex change_mutex_;  // one change of the set of topics at a time
  mutable std::shared_mutex topics_mutex_;
  std::map<std::string, TopicPtr, std::less<>> topics_;
  std::unordered_map<wire::Uuid, TopicPtr> topics_by_id_;

  std::mutex checkpoint_mutex_;
  std::mutex housekeeping_mutex_;
  std::condition_variable housekeeping_wake_;
  bool stopping_ = false;
  bool closed_ = false;
  LogMetrics metrics_;
  std::unique_ptr<Flusher> flusher_;
  std::thread housekeeper_;
  std::thread compactor_;
  std::thread verifier_;
  std::unique_ptr<MetricsGroup> watched_;  // last: it reads what is above
};

}  // namespace muir::storage
