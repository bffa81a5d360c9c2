// GlobalThread: the global tables of an instance: every partition of their topics, read before any task starts and kept
// up to date afterwards. No group, no transaction; positions are kept in a checkpoint beside the stores. Stores that
// hold what their topic no longer does (it was made anew, or cut) are rebuilt: at once before anything runs, else at
// the next start.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/kafka_ids.h"
#include "base/status.h"
#include "client/client.h"
#include "client/topic_reader.h"
#include "streams/runtime/stream_task.h"

namespace muir::streams::internal {

// Owned by the thread that calls bootstrap() and run_once(), except store() and wakeup().
class GlobalThread {
 public:
  GlobalThread(const RuntimeContext& context, client::Client& client, std::string client_id);
  ~GlobalThread();

  // True when the topology has no global table.
  [[nodiscard]] static bool needless(const TopologyPlan& plan);
  Status open();
  // Reads a batch; true when every partition has been read to the end that it had at open(). A cluster that is away is
  // waited for, for task.timeout.ms, here and in run_once(), and there a topic that was deleted without end; any other
  // failure is final.
  Result<bool> bootstrap(int64_t timeout_ms);
  Status run_once(int64_t timeout_ms);
  Status close();

  // Thread-safe after open(); null for unknown names.
  [[nodiscard]] store::StateStore* store(const std::string& name) const;
  void wakeup();

 private:
  Status open_runners();
  Status close_runners();
  void follow(const Checkpoint& known);
  Status rebuild();
  Status advance(int64_t timeout_ms);
  Status apply(const client::PartitionRecords& part);
  void count_drops();
  Status checkpoint();

  const RuntimeContext& context_;
  client::Client& client_;
  const std::string client_id_;
  std::unique_ptr<client::TopicReader> reader_;  // guarded by wakeup_mutex_ against wakeup()
  std::mutex wakeup_mutex_;
  std::map<int32_t, std::unique_ptr<SubtopologyRunner>> runners_;
  std::map<std::string, SubtopologyRunner*> by_topic_;
  std::map<std::string, store::StateStore*> stores_;
  bool stale_ = false;  // the stores hold what is no longer in their topics
  bool announced_ = false;
  bool running_ = false;           // bootstrap() has come to the end
  bool missing_ = false;           // a topic was deleted, and that was logged
  int64_t failing_since_ms_ = -1;  // steady time
  int64_t applied_since_checkpoint_ = 0;
  uint64_t drops_counted_ = 0;
};

}  // namespace muir::streams::internal
