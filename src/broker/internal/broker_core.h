// BrokerCore: all of a broker but its network: the log, the coordinators, the threads that handlers use.
#pragma once

#include <memory>

#include "base/file.h"
#include "broker/api/fetch_sessions.h"
#include "broker/api/long_requests.h"
#include "broker/api/wide_requests.h"
#include "broker/groups/group_coordinator.h"
#include "broker/internal/broker_context.h"
#include "broker/internal/broker_metrics.h"
#include "broker/internal/broker_partition_log.h"
#include "broker/internal/loop_scheduler.h"
#include "broker/txns/txn_coordinator.h"
#include "broker/txns/txn_producer_ids.h"

namespace muir::broker {

// open() and stop() by one thread; the context is thread-safe.
class BrokerCore {
 public:
  // Recovers the data folder in `env` and loads the coordinators' state.
  static Result<std::unique_ptr<BrokerCore>> open(BrokerConfig config, Env& env);
  ~BrokerCore();
  BrokerCore(const BrokerCore&) = delete;
  BrokerCore& operator=(const BrokerCore&) = delete;

  [[nodiscard]] BrokerContext& context() { return context_; }
  // Ends the threads and closes the log. Idempotent.
  Status stop();

 private:
  BrokerCore(BrokerConfig config, Env& env);
  Status open_logs();
  Status start_coordinators();
  void watch_memory();

  int returns_left_ = 0;  // of the memory's timer

  Env& env_;
  BrokerContext context_;
  // Destroyed from the last to the first: the coordinators go after everything that calls back into them.
  std::unique_ptr<BrokerMetrics> metrics_;
  std::unique_ptr<FetchSessions> fetch_sessions_;
  std::unique_ptr<BrokerPartitionLog> partition_log_;
  std::unique_ptr<ProducerIds> producer_ids_;
  std::unique_ptr<GroupCoordinator> groups_;
  std::unique_ptr<TxnCoordinator> txns_;
  std::unique_ptr<storage::LogManager> logs_;
  std::unique_ptr<LoopScheduler> scheduler_;
  std::unique_ptr<net::EventLoop> loop_;
  std::unique_ptr<net::EventLoop> admin_;
  std::unique_ptr<net::EventLoop> coordination_;
  std::unique_ptr<MetricsGroup> watched_;
  std::unique_ptr<LongRequests> long_requests_;
  std::unique_ptr<WideRequests> wide_requests_;
};

}  // namespace muir::broker
