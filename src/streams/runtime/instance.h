// Instance: what KafkaStreams is made of: its threads, its state machine and what they share.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/status.h"
#include "streams/kafka_streams.h"
#include "streams/runtime/global_thread.h"
#include "streams/runtime/stream_thread.h"
#include "streams/runtime/thread_replacements.h"

namespace muir::streams::internal {

struct InstanceParts {
  // Shared with every task.
  std::shared_ptr<const TopologyPlan> plan;
  StreamsConfig config;
  client::Client* client = nullptr;
  Clock* clock = nullptr;
  Env* files = nullptr;
  SerdeContext serdes{};
  FailureHandler on_failure{};
  bool keep_sources = false;  // see RuntimeContext
  MetricsRegistry* metrics = nullptr;
};

// Thread-safe.
class Instance {
 public:
  explicit Instance(InstanceParts parts);
  ~Instance();

  Status start();
  Status close(int64_t timeout_ms);
  [[nodiscard]] StreamsState state() const;
  Status wait_until_running(int64_t timeout_ms);
  void set_state_listener(std::function<void(StreamsState, StreamsState)> listener);
  void set_uncaught_handler(std::function<UncaughtResponse(const Status&)> handler);
  [[nodiscard]] Status failure() const;
  [[nodiscard]] Status failing() const;
  [[nodiscard]] StreamsMetrics metrics() const;
  [[nodiscard]] const StreamsConfig& config() const { return parts_.config; }
  [[nodiscard]] const SerdeContext& serdes() const { return parts_.serdes; }
  Result<StoreReader> reader(const std::string& store) const;
  Result<KeyMetadata> metadata_for_key(const std::string& store, BytesView key) const;

 private:
  Status start_parts();
  Status start_global();
  void run_global();
  void run_worker(int index);
  Status run_thread(StreamThread& thread);
  UncaughtResponse ask_handler(const std::function<UncaughtResponse(const Status&)>& handler,
                               const Status& failure) const;
  // True: the worker begins anew, after a while.
  bool on_failure(StreamThread& thread, const Status& failure, int64_t& replace_after_ms);
  void on_thread_state(int index, ThreadState state);
  void change_state(std::unique_lock<std::mutex>& lock, StreamsState to);
  void stop_all(std::unique_lock<std::mutex>& lock);
  void rest(int64_t ms);
  [[nodiscard]] bool stopping() const;
  Result<int32_t> partitions_of(const SubtopologyPlan& plan) const;

  InstanceParts parts_;
  RuntimeCounters counters_;
  // Shared with views of queries, which may outlive the application.
  std::shared_ptr<StoreRegistry> stores_ = std::make_shared<StoreRegistry>();
  std::shared_ptr<std::atomic<StreamsState>> visible_state_ =
      std::make_shared<std::atomic<StreamsState>>(StreamsState::created);
  std::unique_ptr<StateDirectory> directory_;
  RuntimeContext context_;
  std::string client_id_;
  std::unique_ptr<GlobalThread> global_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  StreamsState state_ = StreamsState::created;
  bool stop_ = false;
  bool starting_ = false;  // start() is under way: what it works with must stay
  Status failure_{};
  std::map<int, StreamThread*> threads_;  // alive
  std::map<int, ThreadState> thread_states_;
  ThreadReplacements replacements_;
  int workers_alive_ = 0;
  std::function<void(StreamsState, StreamsState)> listener_;
  std::function<UncaughtResponse(const Status&)> handler_;
  std::map<HostInfo, std::vector<client::TopicPartition>> hosts_;
  bool hosts_known_ = false;
  // For metadata_for_key(), which asks the brokers: nothing else may wait for that. Taken without mutex_.
  mutable std::mutex metadata_mutex_;
  mutable std::map<std::string, int32_t> partition_counts_;
  mutable std::unique_ptr<client::Admin> admin_;
  std::vector<std::thread> workers_;
  std::unique_ptr<MetricsGroup> watched_;  // last: it reads what is above
};

}  // namespace muir::streams::internal
