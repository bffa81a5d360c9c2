// GlobalThread: the global tables of an instance: every partition of their topics, read before any task starts and kept
// up to date afterwards. No group, no transaction; positions are kept in a checkpoint beside the stores.
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
#include "streams/runtime/stream_task.h"

namespace muir::streams::internal {

// Owned by the thread that calls bootstrap() and run_once(), except store() and wakeup().
class GlobalThread {
 public:
  GlobalThread(const RuntimeContext& context, client::Client& client, RunnerFactory factory, std::string client_id);
  ~GlobalThread();

  // True when the topology has no global table.
  [[nodiscard]] static bool needless(const TopologyPlan& plan);
  Status open();
  // Reads a batch; true when every partition has been read to the end that it had at open().
  Result<bool> bootstrap(int64_t timeout_ms);
  Status run_once(int64_t timeout_ms);
  Status close();

  // Thread-safe after open(); null for unknown names.
  [[nodiscard]] store::StateStore* store(const std::string& name) const;
  void wakeup();
  [[nodiscard]] int64_t remaining() const;

 private:
  Status open_runners();
  Status assign();
  Status apply(client::Records& records);
  void count_drops();
  Status checkpoint();

  const RuntimeContext& context_;
  client::Client& client_;
  RunnerFactory factory_;
  const std::string client_id_;
  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Consumer> consumer_;
  std::mutex wakeup_mutex_;
  std::map<int32_t, std::unique_ptr<SubtopologyRunner>> runners_;
  std::map<std::string, SubtopologyRunner*> by_topic_;
  std::map<std::string, store::StateStore*> stores_;
  std::map<client::TopicPartition, Offset> ends_;  // still to be reached
  Checkpoint positions_;                           // the next offset of each partition
  int64_t applied_since_checkpoint_ = 0;
  uint64_t drops_counted_ = 0;
};

}  // namespace muir::streams::internal
