// StreamThread: one member of the group with its clients and tasks, driven turn by turn.
//
// A turn joins or keeps the group, restores, polls, processes, punctuates and commits. KafkaStreams gives each a thread
// of the machine; simulations call run_once() themselves.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/backoff.h"
#include "base/status.h"
#include "client/client.h"
#include "streams/group/assignor_protocol.h"
#include "streams/runtime/record_collector.h"
#include "streams/runtime/state_manager_restore.h"
#include "streams/runtime/task_manager.h"

namespace muir::streams::internal {

enum class ThreadState : unsigned char { starting, rebalancing, running, stopping, dead };

// Told about a new assignment: where the partitions of the application are.
using OnHosts = std::function<void(const std::map<HostInfo, std::vector<client::TopicPartition>>&)>;

// Owned by the thread that calls run_once(), except state() and wakeup().
class StreamThread {
 public:
  StreamThread(const RuntimeContext& context, client::Client& client, int index, std::string client_id,
               OnHosts on_hosts);
  ~StreamThread();

  // Makes the clients. `unavailable` may be tried again.
  Status open();
  // One turn; for how many milliseconds the caller may rest before the next one, unless it is woken. A failure ends the
  // thread: close(false) is all that may follow.
  Result<int64_t> run_once();
  // Leaves the group. `clean`: after a commit; otherwise the work since the last commit is void.
  void close(bool clean);

  // Asks every instance of the application to stop, by way of the group's next rebalance.
  void request_application_shutdown();
  [[nodiscard]] ThreadState state() const { return state_; }
  // What is tried again, as brokers or whom processors ask do not answer; OK when all goes on.
  [[nodiscard]] const Status& retried() const { return retried_; }
  // Ends a poll that waits. Thread-safe.
  void wakeup();
  [[nodiscard]] int index() const { return index_; }

 private:
  class HostListener;
  Status join(bool idle);
  Status poll();
  Status take(const client::PollFailure& failure);
  void rejoin_for_sources(const Status& unknown);
  void look_for_source_changes();
  Result<size_t> process();
  // Takes over what the collector has counted since the last call.
  void count_production();
  Status maybe_commit(bool requested);
  [[nodiscard]] int64_t poll_timeout_ms() const;
  [[nodiscard]] bool transaction_must_end() const;
  Result<int64_t> turn();
  void set_retried(const Status& failure);

  const RuntimeContext& context_;
  client::Client& client_;
  const int index_;
  const std::string client_id_;
  const OnHosts on_hosts_;
  const std::string name_;
  ThreadCounters& counters_;

  std::unique_ptr<client::Admin> admin_;
  std::unique_ptr<client::Consumer> consumer_;
  std::unique_ptr<StateRestorer> restorer_;
  std::unique_ptr<RecordCollector> collector_;
  std::unique_ptr<TaskManager> tasks_;
  std::unique_ptr<HostListener> listener_;
  std::unique_ptr<StreamsGroupProtocol> protocol_;
  std::unique_ptr<client::GroupMember> member_;

  std::atomic<ThreadState> state_ = ThreadState::starting;
  std::mutex wakeup_mutex_;  // guards consumer_ against wakeup() while it is made or destroyed
  // While the group's coordinator, or what a leader needs of the cluster, is away.
  Backoff join_backoff_{20, 1'000};
  int64_t join_not_before_ms_ = 0;
  Status retried_{};
  int64_t retried_at_ms_ = 0;         // the last time
  int64_t rejoin_not_before_ms_ = 0;  // because of a topic that a poll does not find
  int64_t look_at_sources_ms_ = 0;
  int64_t last_commit_us_ = 0;
  int64_t last_purge_us_ = 0;
  int64_t last_poll_us_ = 0;
  int64_t last_lag_us_ = 0;
  bool buffered_ = false;  // records remain that could be processed at once
  uint64_t produced_reported_ = 0;
  uint64_t failed_reported_ = 0;
};

}  // namespace muir::streams::internal
