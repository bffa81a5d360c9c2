// StateDirectory: the folder of an application's local state, laid out as Kafka Streams lays it out, and the checkpoint
// files that say up to which changelog offset a task's stores are complete.
//
//   <state.dir>/<application.id>/.lock                         held by the process
//                               /kafka-streams-process-metadata  {"processId":"<uuid>"}
//                               /<subtopology>_<partition>/.checkpoint, rocksdb/...
//                               /global/.checkpoint, rocksdb/...
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/records.h"
#include "streams/group/subscription_info.h"

namespace muir::streams::internal {

// Of a task: the offset of the last record of the changelog partition that is in the store. Of global stores: the next.
using Checkpoint = std::map<client::TopicPartition, Offset>;
inline constexpr Offset kCheckpointUnknown{-4};

// "0\n<count>\n<topic> <partition> <offset>\n...".
Bytes encode_checkpoint(const Checkpoint& checkpoint);
Result<Checkpoint> decode_checkpoint(BytesView text);

// Thread-safe.
class StateDirectory {
 public:
  // Locks the folder for this process (already_exists when another one runs there) and reads or makes the process id.
  static Result<std::unique_ptr<StateDirectory>> open(Env& env, const std::string& state_dir,
                                                      const std::string& application_id);

  [[nodiscard]] const ProcessId& process_id() const { return process_id_; }
  [[nodiscard]] std::string task_folder(const TaskId& task) const;
  [[nodiscard]] std::string global_folder() const { return root_ + "/global"; }

  // One thread of the process at a time has a task open. False: another one has not closed it yet.
  bool lock_task(const TaskId& task, int thread);
  void unlock_task(const TaskId& task, int thread);
  // Tasks that have a folder, open ones excluded, with what their checkpoints sum up to.
  [[nodiscard]] std::vector<TaskOffsetSum> closed_tasks();

  [[nodiscard]] Env& files() const { return env_; }
  Status make_folder(const std::string& folder) { return env_.make_folders(folder); }
  // Empty when there is none, or when it is damaged (then everything is restored).
  [[nodiscard]] std::optional<Checkpoint> read_checkpoint(const std::string& folder);
  Status write_checkpoint(const std::string& folder, const Checkpoint& checkpoint);
  Status remove_checkpoint(const std::string& folder);
  // Removes the state of a task, whose stores must be closed.
  Status wipe(const std::string& folder);

 private:
  StateDirectory(Env& env, std::string root, std::unique_ptr<FileLock> lock, ProcessId id)
      : env_(env), root_(std::move(root)), lock_(std::move(lock)), process_id_(id) {}

  Env& env_;
  const std::string root_;
  const std::unique_ptr<FileLock> lock_;
  const ProcessId process_id_;
  std::mutex mutex_;
  std::map<TaskId, int> task_locks_;
};

// Seeded mutation tests call this with any bytes; it must neither crash nor hang.
int fuzz_checkpoint(BytesView input);

}  // namespace muir::streams::internal
